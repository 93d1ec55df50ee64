//! One panel: title, direction, axis, and on it either lines over tested points or bars. Knows no metric by name.

use super::axis::Axis;
use super::canvas::{Anchor, Canvas, Lettering};
use super::frame::{Cell, EDGE};
use super::letters::{CAP_HEIGHT, Face, fit, width};
use super::look::{
    AXIS, CAPTION, GRID, INK, Look, MUTED, PANEL_TITLE, TICK, WHITE, bold, hollow, mark, plain,
};
use crate::metric::direction;
use crate::series::Spread;

/// The tested points along the bottom.
#[derive(Debug)]
pub(super) struct Places {
    /// From 0 at the left to 1 at the right, rising.
    pub(super) shares: Vec<f64>,
    pub(super) labels: Vec<String>,
    /// What they are.
    pub(super) title: String,
}

/// One measured point.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    /// The repeats.
    pub(super) spread: Spread,
    /// A higher percentile, drawn dashed.
    pub(super) upper: Option<f64>,
    /// The verdict on it is not VALID: drawn hollow.
    pub(super) doubted: bool,
}

/// One series: a point for each place, where there is one.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) look: Look,
    pub(super) points: Vec<Option<Point>>,
}

/// Words above a panel.
#[derive(Debug, Default)]
pub(super) struct Words {
    pub(super) title: String,
    /// `None`: neither.
    pub(super) higher_is_better: Option<bool>,
    /// More about what is drawn; may be empty.
    pub(super) note: String,
    /// Any of it was simulated.
    pub(super) simulated: bool,
    /// Objectives: words and value.
    pub(super) goals: Vec<(String, f64)>,
}

/// The rectangle that values are drawn in, in px.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plot {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl Plot {
    pub(super) const fn of(cell: Cell) -> Self {
        Self {
            left: cell.left + 68.0,
            right: cell.left + cell.width - 18.0,
            top: cell.top + 58.0,
            bottom: cell.top + cell.height - 56.0,
        }
    }

    pub(super) fn middle(self) -> f64 {
        f64::midpoint(self.left, self.right)
    }
}

/// Title, direction, grid and bottom line.
pub(super) fn ground(canvas: &mut Canvas<'_>, cell: Cell, words: &Words, axis: Option<&Axis>) {
    let plot = Plot::of(cell);
    let (left, room) = (cell.left + EDGE, cell.width - EDGE - 18.0);
    let title = fit(&words.title, PANEL_TITLE, Face::Bold, room);
    canvas.text(&title, left, cell.top + 20.0, bold(PANEL_TITLE, INK, Anchor::Start));
    let log = if axis.is_some_and(|a| a.log) { "log scale" } else { "" };
    let parts = [words.higher_is_better.map_or("", direction), log, &words.note];
    let parts: Vec<&str> = parts.into_iter().filter(|p| !p.is_empty()).collect();
    let caption = fit(&parts.join(" · "), CAPTION, Face::Regular, room);
    canvas.text(&caption, left, cell.top + 39.0, plain(CAPTION, MUTED, Anchor::Start));
    for (value, label) in axis.iter().flat_map(|a| &a.ticks) {
        let y = axis.map_or(plot.bottom, |a| a.place(*value));
        canvas.line(&[[plot.left, y], [plot.right, y]], GRID, 1.0);
        let baseline = y + CAP_HEIGHT * TICK / 2.0;
        canvas.text(label, plot.left - 9.0, baseline, plain(TICK, MUTED, Anchor::End));
    }
    if axis.is_none_or(|a| !a.ticks.is_empty()) {
        let base = axis.filter(|a| !a.log).map_or(plot.bottom, |a| a.place(0.0));
        canvas.line(&[[plot.left, base], [plot.right, base]], AXIS, 1.3);
    }
    if axis.is_none() {
        let y = f64::midpoint(plot.top, plot.bottom);
        canvas.text("no data", plot.middle(), y, plain(PANEL_TITLE, MUTED, Anchor::Middle));
    }
}

/// The word SIMULATED across the panel, if it is due.
pub(super) fn watermark(canvas: &mut Canvas<'_>, cell: Cell, words: &Words, opacity: f64) {
    if words.simulated {
        let plot = Plot::of(cell);
        let size = ((plot.right - plot.left) / 7.0).clamp(16.0, 52.0);
        let y = f64::midpoint(plot.top, plot.bottom) + CAP_HEIGHT * size / 2.0;
        let faint = Lettering { opacity, ..bold(size, INK, Anchor::Middle) };
        canvas.text("SIMULATED", plot.middle(), y, faint);
    }
}

/// A panel of lines.
pub(super) fn lines(canvas: &mut Canvas<'_>, cell: Cell, words: &Words, places: &Places, lines: &[Line]) {
    let plot = Plot::of(cell);
    let values: Vec<f64> = lines
        .iter()
        .flat_map(|l| l.points.iter().flatten())
        .flat_map(|p| [Some(p.spread.low), Some(p.spread.high), p.upper])
        .flatten()
        .collect();
    let axis = (!values.is_empty()).then(|| {
        let values: Vec<f64> = values.iter().copied().chain(near(&words.goals, &values)).collect();
        Axis::of(&values, plot.bottom, plot.top)
    });
    ground(canvas, cell, words, axis.as_ref());
    watermark(canvas, cell, words, 0.07);
    bottom_axis(canvas, plot, places);
    let Some(axis) = axis else { return };
    goals(canvas, plot, &axis, &words.goals);
    // Points over a single place would hide each other, so they stand side by side there.
    let apart = if places.shares.len() == 1 {
        ((plot.right - plot.left) / lines.len() as f64).min(36.0)
    } else {
        0.0
    };
    let shift = |series: usize| apart * (series as f64 - (lines.len() as f64 - 1.0) / 2.0);
    let x_of = |series: usize, place: usize| across(plot, places.shares[place]) + shift(series);
    for (series, line) in lines.iter().enumerate() {
        for run in unbroken(&line.points) {
            band(canvas, &axis, line.look, &run, |place| x_of(series, place));
        }
    }
    for (series, line) in lines.iter().enumerate() {
        let x = |place| x_of(series, place);
        for run in unbroken(&line.points) {
            upper(canvas, &axis, line.look, &run, x);
            let path: Vec<[f64; 2]> = run.iter().map(|(i, p)| [x(*i), axis.place(p.spread.mean)]).collect();
            if path.len() > 1 {
                canvas.line(&path, line.look.colour, 2.5);
            }
        }
    }
    for (series, line) in lines.iter().enumerate() {
        for (i, point) in line.points.iter().enumerate() {
            if let Some(point) = point {
                let draw = if point.doubted { hollow } else { mark };
                draw(canvas, [x_of(series, i), axis.place(point.spread.mean)], line.look);
            }
        }
    }
}

/// An objective this far above the highest value is told instead of drawn: the lines would lie at the bottom.
const REACH: f64 = 3.0;

/// The objectives that the axis makes room for.
fn near<'g>(goals: &'g [(String, f64)], values: &[f64]) -> impl Iterator<Item = f64> + 'g {
    let highest = values.iter().copied().fold(0.0, f64::max);
    goals
        .iter()
        .map(|(_, value)| *value)
        .filter(move |value| (0.0..=highest * REACH).contains(value) && *value > 0.0)
}

/// A dashed line at each objective on the axis, its words at the left, where latencies are low; the others are said in
/// words at the top.
fn goals(canvas: &mut Canvas<'_>, plot: Plot, axis: &Axis, goals: &[(String, f64)]) {
    let room = plot.right - plot.left;
    let style = plain(CAPTION, INK, Anchor::Start);
    for (words, value) in goals {
        if !axis.holds(*value) {
            let text = fit(&format!("{words} ↑"), CAPTION, Face::Regular, room);
            canvas.text(&text, plot.left + 3.0, plot.top - 5.0, style);
            continue;
        }
        let y = axis.place(*value);
        canvas.dashes(&[[plot.left, y], [plot.right, y]], INK, 1.2, 5.0);
        let text = fit(words, CAPTION, Face::Regular, room);
        // Under a line at the very top, away from the caption.
        let baseline = if y - plot.top < 16.0 { y + 13.0 } else { y - 5.0 };
        let wide = width(&text, CAPTION, Face::Regular);
        let (from, to) = ([plot.left + 1.0, baseline - 9.5], [plot.left + wide + 6.0, baseline + 3.0]);
        canvas.rect(from, to, WHITE, 0.8);
        canvas.text(&text, plot.left + 3.0, baseline, style);
    }
}

fn across(plot: Plot, share: f64) -> f64 {
    let inset = 14.0;
    plot.left + inset + share * (plot.right - plot.left - 2.0 * inset)
}

/// Stretches of neighbouring places that all have a point: a line is not drawn across a place that has none.
fn unbroken(points: &[Option<Point>]) -> Vec<Vec<(usize, Point)>> {
    let mut runs = vec![Vec::new()];
    for (i, point) in points.iter().enumerate() {
        match (point, runs.last_mut()) {
            (Some(point), Some(run)) => run.push((i, *point)),
            _ => runs.push(Vec::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

/// Lowest to highest repeat; for a lone point a thin bar.
fn band(canvas: &mut Canvas<'_>, axis: &Axis, look: Look, run: &[(usize, Point)], x: impl Fn(usize) -> f64) {
    if run.iter().all(|(_, p)| p.spread.low >= p.spread.high) {
        return;
    }
    if let [(i, point)] = run {
        let ends = [point.spread.low, point.spread.high].map(|v| [x(*i), axis.place(v)]);
        canvas.line(&ends, look.colour, 1.3);
        return;
    }
    let above = run.iter().map(|(i, p)| [x(*i), axis.place(p.spread.high)]);
    let below = run.iter().rev().map(|(i, p)| [x(*i), axis.place(p.spread.low)]);
    let outline: Vec<[f64; 2]> = above.chain(below).collect();
    canvas.polygon(&outline, look.colour, 0.18);
}

/// The higher percentile: dashed, with a short bar at each tested place.
fn upper(canvas: &mut Canvas<'_>, axis: &Axis, look: Look, run: &[(usize, Point)], x: impl Fn(usize) -> f64) {
    let path: Vec<[f64; 2]> =
        run.iter().filter_map(|(i, p)| p.upper.map(|v| [x(*i), axis.place(v)])).collect();
    canvas.dashes(&path, look.colour, 1.3, 4.0);
    for [x, y] in &path {
        canvas.line(&[[x - 5.0, *y], [x + 5.0, *y]], look.colour, 1.6);
    }
    if let ([(i, point)], [end]) = (run, path.as_slice()) {
        canvas.dashes(&[[x(*i), axis.place(point.spread.mean)], *end], look.colour, 1.3, 2.0);
    }
}

/// Ticks and a title under a panel whose x is a measured value.
pub(super) fn ruler(canvas: &mut Canvas<'_>, plot: Plot, axis: &Axis, title: &str) {
    let centres: Vec<f64> = axis.ticks.iter().map(|(value, _)| axis.place(*value)).collect();
    let labels: Vec<String> = axis.ticks.iter().map(|(_, label)| label.clone()).collect();
    for x in &centres {
        canvas.line(&[[*x, plot.top], [*x, plot.bottom]], GRID, 1.0);
        canvas.line(&[[*x, plot.bottom], [*x, plot.bottom + 5.0]], AXIS, 1.3);
    }
    for i in shown(&centres, &labels) {
        // The last one stays within the cell.
        let half = width(&labels[i], TICK, Face::Regular) / 2.0;
        let middle = centres[i].min(plot.right + 15.0 - half);
        canvas.text(&labels[i], middle, plot.bottom + 18.0, plain(TICK, MUTED, Anchor::Middle));
    }
    let title = fit(title, CAPTION, Face::Regular, plot.right - plot.left + 60.0);
    canvas.text(&title, plot.middle(), plot.bottom + 38.0, plain(CAPTION, INK, Anchor::Middle));
}

/// A tick at each place; labels where they do not touch, the last one always.
fn bottom_axis(canvas: &mut Canvas<'_>, plot: Plot, places: &Places) {
    let centres: Vec<f64> = places.shares.iter().map(|s| across(plot, *s)).collect();
    for x in &centres {
        canvas.line(&[[*x, plot.bottom], [*x, plot.bottom + 5.0]], AXIS, 1.3);
    }
    for i in shown(&centres, &places.labels) {
        let style = plain(TICK, MUTED, Anchor::Middle);
        canvas.text(&places.labels[i], centres[i], plot.bottom + 18.0, style);
    }
    let title = fit(&places.title, CAPTION, Face::Regular, plot.right - plot.left);
    canvas.text(&title, plot.middle(), plot.bottom + 40.0, plain(CAPTION, INK, Anchor::Middle));
}

/// Which labels have room: the last, and from the left each that touches neither its neighbour nor the last.
fn shown(centres: &[f64], labels: &[String]) -> Vec<usize> {
    let half = |i: usize| width(&labels[i], TICK, Face::Regular) / 2.0 + 3.0;
    let Some(last) = centres.len().checked_sub(1) else { return Vec::new() };
    let mut shown = Vec::new();
    let mut taken = f64::NEG_INFINITY;
    for i in 0..last {
        if centres[i] - half(i) >= taken && centres[i] + half(i) <= centres[last] - half(last) {
            taken = centres[i] + half(i);
            shown.push(i);
        }
    }
    shown.push(last);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crowded_labels_are_left_out_but_never_the_last() {
        let labels: Vec<String> = (1..=40).map(|n| (n * 100).to_string()).collect();
        let centres: Vec<f64> = (0..40).map(|n| f64::from(n) * 10.0).collect();
        let shown = shown(&centres, &labels);
        assert_eq!((shown.first(), shown.last()), (Some(&0), Some(&39)));
        assert!(shown.len() < 20);
        for pair in shown.windows(2) {
            let half = |i: usize| width(&labels[i], TICK, Face::Regular) / 2.0;
            assert!(centres[pair[0]] + half(pair[0]) < centres[pair[1]] - half(pair[1]));
        }
    }

    #[test]
    fn lines_break_where_a_point_is_missing() {
        let point =
            Some(Point { spread: Spread { mean: 1.0, low: 1.0, high: 1.0 }, upper: None, doubted: false });
        let lengths =
            |points: &[Option<Point>]| -> Vec<usize> { unbroken(points).iter().map(Vec::len).collect() };
        assert_eq!(lengths(&[point, point, None, point, None, None]), [2, 1]);
        assert!(lengths(&[None]).is_empty());
    }
}
