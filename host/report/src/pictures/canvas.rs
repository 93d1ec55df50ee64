//! Shapes and letters into SVG text. The only module that knows plotters, whose SVG backend counts in whole pixels:
//! everything is drawn eight times as large and the size in the head is written back, so that slopes do not stair-step.
//! Knows nothing of axes or data.

use plotters::prelude::{DrawingBackend, RGBColor, SVGBackend, ShapeStyle};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color as _, FontDesc, FontFamily, FontStyle};

use super::letters::Face;

/// Device units a pixel.
const FINE: f64 = 8.0;
/// The SVG backend writes `font-size` as the size it is given over this.
const FONT_FACTOR: f64 = 1.24;
/// Distance of the baseline below a top-anchored position, in em, as the SVG backend writes it.
const TOP_TO_BASELINE: f64 = 0.76;
/// Inter is embedded for bitmaps; a browser without it takes its own.
const FAMILY: &str = "Inter, sans-serif";

/// Red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colour(pub(crate) u8, pub(crate) u8, pub(crate) u8);

/// A picture as SVG text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Svg {
    text: String,
    width: u32,
    height: u32,
}

impl Svg {
    /// The document.
    pub fn as_str(&self) -> &str {
        &self.text
    }
    /// Width in px.
    pub const fn width(&self) -> u32 {
        self.width
    }
    /// Height in px.
    pub const fn height(&self) -> u32 {
        self.height
    }
}

/// Where a text stands relative to its x.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    /// Starts there.
    Start,
    /// Is centred there.
    Middle,
    /// Ends there.
    End,
}

/// How a text is set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lettering {
    /// Font size in px.
    pub(super) size: f64,
    pub(super) face: Face,
    pub(super) colour: Colour,
    pub(super) anchor: Anchor,
    /// 0 to 1.
    pub(super) opacity: f64,
}

/// A surface to draw on; lengths are px from the top left corner.
pub(super) struct Canvas<'b>(SVGBackend<'b>);

/// Draws a picture on white. `title` is what a screen reader says.
pub(super) fn draw(width: u32, height: u32, title: &str, paint: impl FnOnce(&mut Canvas<'_>)) -> Svg {
    let mut body = String::new();
    let mut canvas = Canvas(SVGBackend::with_string(&mut body, (width * 8, height * 8)));
    canvas.rect([0.0, 0.0], [f64::from(width), f64::from(height)], Colour(255, 255, 255), 1.0);
    paint(&mut canvas);
    drop(canvas);
    let shapes = body.split_once('\n').map_or("", |(_head, shapes)| shapes);
    let head = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {} {}\" \
         role=\"img\">\n<title>{}</title>\n",
        width * 8,
        height * 8,
        title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
    );
    Svg { text: head + shapes, width, height }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "float to integer casts saturate, and figures are under 10,000 px"
)]
fn fine(length: f64) -> i32 {
    (length * FINE).round() as i32
}

fn at([x, y]: [f64; 2]) -> (i32, i32) {
    (fine(x), fine(y))
}

fn ink(colour: Colour, opacity: f64) -> ShapeStyle {
    RGBColor(colour.0, colour.1, colour.2).mix(opacity).filled()
}

fn pen(colour: Colour, opacity: f64, width: f64) -> ShapeStyle {
    ink(colour, opacity).stroke_width(fine(width).unsigned_abs().max(1))
}

// Writing into a string cannot fail, so the backend's results say nothing.
impl Canvas<'_> {
    /// A filled rectangle.
    pub(super) fn rect(&mut self, from: [f64; 2], to: [f64; 2], colour: Colour, opacity: f64) {
        let _infallible = self.0.draw_rect(at(from), at(to), &ink(colour, opacity), true);
    }

    /// A filled circle.
    pub(super) fn circle(&mut self, centre: [f64; 2], radius: f64, colour: Colour) {
        let radius = fine(radius).unsigned_abs();
        let _infallible = self.0.draw_circle(at(centre), radius, &ink(colour, 1.0), true);
    }

    /// A filled polygon.
    pub(super) fn polygon(&mut self, points: &[[f64; 2]], colour: Colour, opacity: f64) {
        let _infallible = self.0.fill_polygon(points.iter().map(|p| at(*p)), &ink(colour, opacity));
    }

    /// A line through `points`.
    pub(super) fn line(&mut self, points: &[[f64; 2]], colour: Colour, width: f64) {
        let _infallible = self.0.draw_path(points.iter().map(|p| at(*p)), &pen(colour, 1.0, width));
    }

    /// Two strokes that cross at `centre` and reach `arm` px to each side.
    pub(super) fn cross(&mut self, [x, y]: [f64; 2], arm: f64, colour: Colour, width: f64) {
        self.line(&[[x - arm, y - arm], [x + arm, y + arm]], colour, width);
        self.line(&[[x - arm, y + arm], [x + arm, y - arm]], colour, width);
    }

    /// A line through `points` in dashes of `dash` px with gaps of the same length.
    pub(super) fn dashes(&mut self, points: &[[f64; 2]], colour: Colour, width: f64, dash: f64) {
        let mut walked = 0.0;
        for pair in points.windows(2) {
            let ([x0, y0], [x1, y1]) = (pair[0], pair[1]);
            let length = (x1 - x0).hypot(y1 - y0);
            let point = |d: f64| [x0 + (x1 - x0) * d / length, y0 + (y1 - y0) * d / length];
            // The first dash that reaches into this stretch; the pattern runs on over corners.
            let mut start = -(walked % (2.0 * dash));
            while start < length {
                let (from, to) = (start.max(0.0), (start + dash).min(length));
                if to > from {
                    self.line(&[point(from), point(to)], colour, width);
                }
                start += 2.0 * dash;
            }
            walked += length;
        }
    }

    /// A text whose baseline is at `y`.
    pub(super) fn text(&mut self, text: &str, x: f64, y: f64, style: Lettering) {
        if text.is_empty() {
            return;
        }
        let weight = if style.face == Face::Bold { FontStyle::Bold } else { FontStyle::Normal };
        let font = FontDesc::new(FontFamily::Name(FAMILY), style.size * FONT_FACTOR * FINE, weight);
        let anchor = match style.anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let colour = RGBColor(style.colour.0, style.colour.1, style.colour.2).mix(style.opacity);
        let set = font.color(&colour).pos(Pos::new(anchor, VPos::Top));
        let _infallible = self.0.draw_text(text, &set, at([x, y - TOP_TO_BASELINE * style.size]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_gives_pixels_and_the_view_box_the_fine_grid() {
        let svg = draw(10, 20, "a < b & c", |_| {});
        assert!(svg.as_str().starts_with(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"10\" height=\"20\" viewBox=\"0 0 80 160\" role=\"img\">\n\
             <title>a &lt; b &amp; c</title>\n<rect"
        ));
        assert!(svg.as_str().ends_with("</svg>\n"));
    }

    #[test]
    fn dashes_cover_half_a_line_and_run_on_over_corners() {
        let svg = draw(100, 100, "", |c| {
            c.dashes(&[[0.0, 0.0], [15.0, 0.0], [40.0, 0.0]], Colour(0, 0, 0), 1.0, 10.0);
        });
        let drawn: Vec<&str> = svg.as_str().lines().filter(|l| l.starts_with("<polyline")).collect();
        assert_eq!(drawn.len(), 2, "{drawn:?}");
        assert!(drawn[0].contains("points=\"0,0 80,0 \"") && drawn[1].contains("points=\"160,0 240,0 \""));
    }

    #[test]
    fn markup_in_a_label_stays_text() {
        let svg = draw(10, 10, "", |c| {
            let style = Lettering {
                size: 10.0,
                face: Face::Regular,
                colour: Colour(0, 0, 0),
                anchor: Anchor::Start,
                opacity: 1.0,
            };
            c.text("<script>&\"'", 0.0, 0.0, style);
        });
        assert!(
            svg.as_str().contains("&lt;script&gt;&amp;&quot;&apos;") && !svg.as_str().contains("<script")
        );
    }
}
