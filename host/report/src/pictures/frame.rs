//! What stands around the panels of a figure: title, subtitle, the word SIMULATED, legend, and the cells for the panels.
//! Every text is measured and broken or cut to its room. Knows nothing of axes or figures.

use super::canvas::{Anchor, Canvas, Svg, draw};
use super::letters::{CAP_HEIGHT, Face, fit, width};
use super::look::{ALERT, CAPTION, INK, LEGEND, Look, MUTED, SUBTITLE, TITLE, bold, mark, plain};

/// Left edge of all text.
pub(super) const EDGE: f64 = 24.0;
/// Widest legend label.
const LABEL_ROOM: f64 = 300.0;

/// What a figure says above its panels.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) title: String,
    /// Parts of the subtitle, joined by dots and broken between lines; empty ones are left out.
    pub(super) subtitle: Vec<String>,
    /// What was simulated; `None`: nothing.
    pub(super) simulated: Option<String>,
    pub(super) legend: Vec<Entry>,
    /// Where the figures are from, below the panels; may be empty.
    pub(super) source: String,
}

/// One sign in the legend.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) label: String,
    pub(super) look: Look,
    pub(super) sign: Sign,
}

/// How an entry of the legend is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// A line with a mark.
    Line,
    /// A filled square, as for bars.
    Swatch,
    /// A dashed line.
    Dashes,
    /// A cross.
    Cross,
}

/// The room of one panel, in px.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// How the panels are laid out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    pub(super) columns: u32,
    /// Of one cell, in px.
    pub(super) width: u32,
    pub(super) height: u32,
}

/// Draws a figure: its head, then `panel` once for each of `panels`, row by row.
pub(super) fn figure<P>(
    head: &Head,
    grid: Grid,
    panels: &[P],
    panel: impl Fn(&mut Canvas<'_>, &P, Cell),
) -> Svg {
    let columns = grid.columns.min(u32::try_from(panels.len()).unwrap_or(u32::MAX)).max(1);
    let across = columns * grid.width;
    let room = f64::from(across) - 2.0 * EDGE;
    let subtitle = broken(&head.subtitle, room);
    let legend = placed(&head.legend, room);
    let rows = u32::try_from(panels.len()).unwrap_or(u32::MAX).div_ceil(columns);
    let head_lines = subtitle.len() + usize::from(head.simulated.is_some());
    let body = 48.0 + 19.0 * head_lines as f64 + legend_height(&legend) + 6.0;
    let foot = if head.source.is_empty() { 0.0 } else { 24.0 };
    let down = rows * grid.height + ceil(body + foot);
    let spoken = match &head.simulated {
        Some(_) => format!("{} (simulated)", head.title),
        None => head.title.clone(),
    };
    draw(across, down, &spoken, |canvas| {
        let title = fit(&head.title, TITLE, Face::Bold, room);
        canvas.text(&title, EDGE, 34.0, bold(TITLE, INK, Anchor::Start));
        let mut baseline = 57.0;
        for line in &subtitle {
            canvas.text(line, EDGE, baseline, plain(SUBTITLE, MUTED, Anchor::Start));
            baseline += 19.0;
        }
        if let Some(what) = &head.simulated {
            let tag = fit(&format!("SIMULATED: {what}"), SUBTITLE, Face::Bold, room);
            canvas.text(&tag, EDGE, baseline, bold(SUBTITLE, ALERT, Anchor::Start));
            baseline += 19.0;
        }
        paint_legend(canvas, &head.legend, &legend, baseline + 3.0);
        if !head.source.is_empty() {
            let source = fit(&head.source, CAPTION, Face::Regular, room);
            canvas.text(&source, EDGE, f64::from(down) - 12.0, plain(CAPTION, MUTED, Anchor::Start));
        }
        for (i, p) in (0..).zip(panels) {
            let (column, row): (u32, u32) = (i % columns, i / columns);
            let cell = Cell {
                left: f64::from(column * grid.width),
                top: body + f64::from(row * grid.height),
                width: f64::from(grid.width),
                height: f64::from(grid.height),
            };
            panel(canvas, p, cell);
        }
    })
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a height of a few hundred px")]
fn ceil(px: f64) -> u32 {
    px.ceil() as u32
}

/// The parts that are not empty, joined and broken into lines of at most `room` px.
fn broken(parts: &[String], room: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts.iter().filter(|p| !p.is_empty()) {
        let part = fit(part, SUBTITLE, Face::Regular, room);
        if let Some(line) = lines.last_mut() {
            let longer = format!("{line} · {part}");
            if width(&longer, SUBTITLE, Face::Regular) <= room {
                *line = longer;
                continue;
            }
        }
        lines.push(part);
    }
    lines
}

/// A legend label with its place: px from the left edge, and line from 0.
struct Placed {
    text: String,
    left: f64,
    line: usize,
}

/// Legend entries from left to right, in as many lines as they need. A figure of one unnamed series has none.
fn placed(legend: &[Entry], room: f64) -> Vec<Placed> {
    let (mut left, mut line) = (0.0, 0);
    legend
        .iter()
        .map(|entry| {
            let text = fit(&entry.label, LEGEND, Face::Regular, LABEL_ROOM);
            let taken = sign_width(entry) + width(&text, LEGEND, Face::Regular) + 26.0;
            if left > 0.0 && left + taken > room {
                (left, line) = (0.0, line + 1);
            }
            let place = Placed { text, left, line };
            left += taken;
            place
        })
        .collect()
}

const fn sign_width(entry: &Entry) -> f64 {
    match entry.sign {
        Sign::Line | Sign::Dashes => 36.0,
        Sign::Swatch | Sign::Cross => 21.0,
    }
}

fn legend_height(legend: &[Placed]) -> f64 {
    legend.last().map_or(0.0, |last| 10.0 + 22.0 * (last.line as f64 + 1.0))
}

fn paint_legend(canvas: &mut Canvas<'_>, legend: &[Entry], places: &[Placed], top: f64) {
    for (entry, place) in legend.iter().zip(places) {
        let x = EDGE + place.left;
        let middle = top + 6.0 + 22.0 * place.line as f64;
        let across = [[x, middle], [x + 28.0, middle]];
        match entry.sign {
            Sign::Swatch => canvas.rect([x, middle - 7.0], [x + 14.0, middle + 7.0], entry.look.colour, 1.0),
            Sign::Dashes => canvas.dashes(&across, entry.look.colour, 1.6, 4.0),
            Sign::Cross => canvas.cross([x + 7.0, middle], 4.5, entry.look.colour, 1.8),
            Sign::Line => {
                canvas.line(&across, entry.look.colour, 2.5);
                mark(canvas, [x + 14.0, middle], entry.look);
            }
        }
        let baseline = middle + CAP_HEIGHT * LEGEND / 2.0;
        canvas.text(&place.text, x + sign_width(entry), baseline, plain(LEGEND, INK, Anchor::Start));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pictures::look::Mark;

    #[test]
    fn long_subtitles_break_between_parts_and_lose_none() {
        let parts: Vec<String> = (0..12).map(|i| format!("part number {i} of the subtitle")).collect();
        let lines = broken(&parts, 600.0);
        assert!(lines.len() > 2 && lines.iter().all(|l| width(l, SUBTITLE, Face::Regular) <= 600.0));
        assert_eq!(lines.join(" · "), parts.join(" · "));
    }

    #[test]
    fn legend_entries_never_overlap_or_leave_the_figure() {
        let look = Look { colour: INK, mark: Mark::Circle };
        let names =
            ["vllm", "a-very-long-name/of-a-configuration-that-nobody-can-read-in-one-go-at-all", "x"];
        let legend: Vec<Entry> = (0..9)
            .map(|i| Entry { label: format!("{} {i}", names[i % 3]), look, sign: Sign::Line })
            .collect();
        let places = placed(&legend, 700.0);
        for (i, place) in places.iter().enumerate() {
            let end = place.left + 36.0 + width(&place.text, LEGEND, Face::Regular);
            assert!(end <= 700.0);
            if let Some(next) = places.get(i + 1) {
                assert!(next.line > place.line || next.left > end);
            }
        }
    }
}
