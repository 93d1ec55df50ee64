//! A family of workloads by load as coloured cells: throughput, and time to first token.

use benchhost_model::SummaryRow;

use super::axis::Axis;
use super::canvas::{Anchor, Canvas, Colour};
use super::frame::{Cell, EDGE, Grid, Sign, figure};
use super::letters::{CAP_HEIGHT, Face, fit, width};
use super::look::{CAPTION, INK, MUTED, TICK, looks, plain};
use super::panel::{Plot, Words, ground, watermark};
use super::{Caption, Picture, Scene, file_name, load_words};
use crate::lines::clean;
use crate::metric::{Metric, OUT_TOK_S, REQ_S, TTFT_P50};
use crate::numbers::{self, figure as digits};
use crate::series::{Family, FamilyCell, LoadAxis, families, series_of};

/// Viridis at even steps (matplotlib, CC0), from lowest to highest.
const VIRIDIS: [[f64; 3]; 9] = [
    [68.0, 1.0, 84.0],
    [71.0, 44.0, 122.0],
    [59.0, 81.0, 139.0],
    [44.0, 113.0, 142.0],
    [33.0, 144.0, 141.0],
    [39.0, 173.0, 129.0],
    [92.0, 200.0, 99.0],
    [170.0, 220.0, 50.0],
    [253.0, 231.0, 37.0],
];
/// A cell that was measured and has no value.
const EMPTY: Colour = Colour(236, 238, 242);
/// Room of the colour bar at the right, in px.
const BAR_ROOM: f64 = 84.0;

/// Two figures for each family that was measured at several loads.
pub(super) fn heats(rows: &[&SummaryRow], caption: &Caption) -> Vec<Picture> {
    let mut made: Vec<Picture> = Vec::new();
    for family in families(rows).into_iter().filter(|f| f.loads().len() > 1) {
        let own: Vec<&SummaryRow> = family.rows.iter().map(|(_, r)| *r).collect();
        let tokens = own.iter().any(|r| r.out_tok_s.is_some());
        for (metric, what) in [(if tokens { OUT_TOK_S } else { REQ_S }, ""), (TTFT_P50, "ttft")] {
            if let Some(svg) = one(&family, &own, metric, caption) {
                made.push(Picture { name: file_name(&format!("heat {} {what}", family.name()), &made), svg });
            }
        }
    }
    made
}

fn one(family: &Family<'_>, rows: &[&SummaryRow], metric: Metric, caption: &Caption) -> Option<super::Svg> {
    let series = series_of(rows);
    let looks = looks(&series, &caption.colours);
    let panels: Vec<(&str, Vec<FamilyCell>)> =
        series.iter().map(|s| (s.label.as_str(), family.cells(s, metric))).collect();
    let scale = Scale::of(panels.iter().flat_map(|(_, cells)| cells).filter_map(|c| c.value))?;
    let scene = Scene { rows, series: &series, looks: &looks };
    let best = if metric.higher_is_better { "higher is better ↑" } else { "lower is better ↓" };
    let empty = panels.iter().flat_map(|(_, cells)| cells).any(|c| c.value.is_none());
    let more = [
        clean(&family.of.name),
        format!("{} in {}, {best}, log colour scale", metric.name.to_lowercase(), metric.unit),
        if empty { "×: nothing was completed".to_owned() } else { String::new() },
    ];
    let what = if metric.higher_is_better { "throughput" } else { "time to first token" };
    let title = format!("How does {what} depend on {} and load?", family.axis());
    let mut head = scene.head(caption, &title, &more, Sign::Swatch);
    head.legend.clear();
    let columns = if panels.len() > 1 { 2 } else { 1 };
    let lines = u32::try_from(family.numbers().len()).unwrap_or(12).clamp(3, 12);
    let grid = Grid { columns, width: 1020 / columns, height: 118 + 42 * lines };
    Some(figure(&head, grid, &panels, |canvas, (label, cells), cell| {
        let words =
            Words { title: (*label).to_owned(), simulated: scene.any_simulated(), ..Words::default() };
        panel(canvas, cell, &words, (family, metric), cells, &scale);
    }))
}

/// From values to colours, by their logarithm.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    /// Of the values above 0; `None` where there is none.
    fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let values: Vec<f64> = values.filter(|v| v.is_finite() && *v > 0.0).collect();
        let low = values.iter().copied().reduce(f64::min)?;
        let high = values.iter().copied().reduce(f64::max)?;
        Some(Self { low, high })
    }

    fn share(&self, value: f64) -> f64 {
        if self.high > self.low {
            ((value.max(self.low).ln() - self.low.ln()) / (self.high.ln() - self.low.ln())).clamp(0.0, 1.0)
        } else {
            0.5
        }
    }

    fn colour(&self, value: f64) -> Colour {
        viridis(self.share(value))
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 8, and bytes")]
fn viridis(share: f64) -> Colour {
    let at = share.clamp(0.0, 1.0) * 8.0;
    let below = (at.floor() as usize).min(7);
    let part = at - below as f64;
    let [r, g, b] = [0, 1, 2].map(|i| VIRIDIS[below][i] + (VIRIDIS[below + 1][i] - VIRIDIS[below][i]) * part);
    Colour(r.round() as u8, g.round() as u8, b.round() as u8)
}

/// Dark or white, whichever is read on `ground` (relative luminance, WCAG 2.2).
fn readable(ground: Colour) -> Colour {
    let linear = |c: u8| (f64::from(c) / 255.0).powf(2.2);
    let luminance = 0.2126 * linear(ground.0) + 0.7152 * linear(ground.1) + 0.0722 * linear(ground.2);
    if luminance > 0.18 { INK } else { Colour(255, 255, 255) }
}

fn panel(
    canvas: &mut Canvas<'_>,
    cell: Cell,
    words: &Words,
    (family, metric): (&Family<'_>, Metric),
    cells: &[FamilyCell],
    scale: &Scale,
) {
    let numbers = family.numbers();
    let loads = family.loads();
    let labels: Vec<String> = numbers.iter().map(|n| family.label(*n)).collect();
    let widest = labels.iter().map(|l| width(l, TICK, Face::Regular)).fold(0.0, f64::max).min(110.0);
    let whole = Plot::of(cell);
    let plot = Plot { left: cell.left + EDGE + widest + 10.0, right: whole.right - BAR_ROOM, ..whole };
    ground(canvas, cell, words, Some(&Axis::bare(plot.bottom)));
    let above = format!("rows: {}", family.axis());
    canvas.text(&above, cell.left + EDGE, cell.top + 39.0, plain(CAPTION, MUTED, Anchor::Start));
    let (wide, high) =
        ((plot.right - plot.left) / loads.len() as f64, (plot.bottom - plot.top) / numbers.len() as f64);
    for (row, label) in labels.iter().enumerate() {
        let y = plot.bottom - high * (row as f64 + 0.5) + CAP_HEIGHT * TICK / 2.0;
        let label = fit(label, TICK, Face::Regular, 110.0);
        canvas.text(&label, plot.left - 8.0, y, plain(TICK, MUTED, Anchor::End));
    }
    for found in cells {
        let left = plot.left + wide * found.column as f64;
        let top = plot.bottom - high * (found.row as f64 + 1.0);
        let colour = found.value.map_or(EMPTY, |v| scale.colour(v));
        canvas.rect([left + 1.0, top + 1.0], [left + wide - 1.0, top + high - 1.0], colour, 1.0);
        let text = found.value.map_or("×".to_owned(), digits);
        if width(&text, TICK, Face::Regular) <= wide - 4.0 {
            let baseline = top + high / 2.0 + CAP_HEIGHT * TICK / 2.0;
            let ink = if found.value.is_some() { readable(colour) } else { MUTED };
            canvas.text(&text, left + wide / 2.0, baseline, plain(TICK, ink, Anchor::Middle));
        }
    }
    columns(canvas, plot, &loads, wide);
    colour_bar(canvas, plot, metric, scale);
    watermark(canvas, cell, words, 0.09);
}

/// The loads under the cells.
fn columns(canvas: &mut Canvas<'_>, plot: Plot, loads: &[benchhost_model::LoadPoint], wide: f64) {
    let kinds = loads.iter().any(|l| l.kind() != loads[0].kind());
    for (column, load) in loads.iter().enumerate() {
        let text = if kinds { load_words(*load) } else { numbers::exact(load.value()) };
        let text = fit(&text, TICK, Face::Regular, wide - 4.0);
        let x = plot.left + wide * (column as f64 + 0.5);
        canvas.text(&text, x, plot.bottom + 18.0, plain(TICK, MUTED, Anchor::Middle));
    }
    let name = if kinds { "Load" } else { LoadAxis::of(loads).name };
    canvas.text(name, plot.middle(), plot.bottom + 38.0, plain(CAPTION, INK, Anchor::Middle));
}

/// The scale at the right, with its lowest and highest value and what lies between.
fn colour_bar(canvas: &mut Canvas<'_>, plot: Plot, metric: Metric, scale: &Scale) {
    const STEPS: u8 = 64;
    let (left, right) = (plot.right + 16.0, plot.right + 30.0);
    let y = |share: f64| plot.bottom - share * (plot.bottom - plot.top);
    for step in 0..STEPS {
        let (low, high) = (f64::from(step) / f64::from(STEPS), f64::from(step + 1) / f64::from(STEPS));
        canvas.rect([left, y(high) - 0.3], [right, y(low)], viridis(f64::midpoint(low, high)), 1.0);
    }
    let middle = (scale.low * scale.high).sqrt();
    for value in [scale.low, middle, scale.high] {
        let baseline = y(scale.share(value)) + CAP_HEIGHT * TICK / 2.0;
        canvas.text(&digits(value), right + 5.0, baseline, plain(TICK, MUTED, Anchor::Start));
        if scale.high <= scale.low {
            break;
        }
    }
    canvas.text(metric.unit, left, plot.top - 10.0, plain(CAPTION, MUTED, Anchor::Start));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_run_from_dark_to_bright_and_numbers_on_them_can_be_read() {
        let scale = Scale::of([10.0, 1000.0, 0.0, f64::NAN].into_iter()).unwrap();
        assert_eq!((scale.colour(10.0), scale.colour(1000.0)), (Colour(68, 1, 84), Colour(253, 231, 37)));
        assert_eq!(scale.colour(100.0), Colour(33, 144, 141), "the middle by the logarithm");
        assert_eq!(
            (readable(scale.colour(10.0)), readable(scale.colour(1000.0))),
            (Colour(255, 255, 255), INK)
        );
        assert!(Scale::of([0.0].into_iter()).is_none());
    }
}
