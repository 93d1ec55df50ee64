//! How the latencies of single requests are spread: cumulative distributions at the load that most configurations share.

use benchhost_model::{LoadPoint, SummaryRow};

use super::axis::Axis;
use super::canvas::Canvas;
use super::each::each_workload;
use super::frame::{Cell, Grid, Sign, figure};
use super::labels::Labels;
use super::letters::{Face, fit, width};
use super::look::{CAPTION, INK, Look, looks, mark};
use super::panel::{Plot, Words, ground, ruler, watermark};
use super::{Caption, Picture, Scene, load_of, shared_load};
use crate::numbers::{count, figure as digits};
use crate::series::{Latencies, LatencyKind, most_repeats, series_of, wants_log};

/// Points of a curve: two a pixel.
const POINTS: usize = 500;
/// More curves than this have no percentiles written beside them.
const WRITTEN_UP_TO: usize = 3;

/// One panel: a latency and the curve of each series that has it.
struct Shown<'a> {
    kind: LatencyKind,
    curves: Vec<(Look, &'a Latencies)>,
}

/// One figure a workload.
pub(super) fn spreads(rows: &[&SummaryRow], latencies: &[Latencies], caption: &Caption) -> Vec<Picture> {
    each_workload(rows, "cdf", |rows| {
        let of = |l: &&Latencies| rows.iter().any(|r| r.workload == l.place.workload) && !l.is_empty();
        one(rows, &latencies.iter().filter(of).collect::<Vec<_>>(), caption)
    })
}

fn one(rows: &[&SummaryRow], latencies: &[&Latencies], caption: &Caption) -> Option<super::Svg> {
    let measured: Vec<&SummaryRow> =
        rows.iter().copied().filter(|r| latencies.iter().any(|l| l.place.load == r.load)).collect();
    let series = series_of(&measured);
    let load: LoadPoint = shared_load(&measured, &series)?;
    let looks = looks(&series, &caption.colours);
    let at: Vec<(Look, &Latencies)> = latencies
        .iter()
        .filter(|l| l.place.load == load)
        .filter_map(|l| Some((looks[l.place.among(&series)?], *l)))
        .collect();
    let shown: Vec<Shown<'_>> = LatencyKind::ALL
        .into_iter()
        .map(|kind| Shown { kind, curves: at.iter().copied().filter(|(_, l)| l.kind == kind).collect() })
        .filter(|s| !s.curves.is_empty())
        .collect();
    let requests = shown.first()?.curves.iter().map(|(_, l)| l.count as u64);
    let (fewest, most) = (requests.clone().min()?, requests.max()?);
    let requests = if fewest == most { count(most) } else { format!("{} to {}", count(fewest), count(most)) };
    let scene = Scene { rows: &measured, series: &series, looks: &looks };
    let each = if series.len() > 1 { " a configuration" } else { "" };
    let repeats = if most_repeats(&series) > 1 { ", all repeats together" } else { "" };
    let more = [
        load_of(rows, load),
        format!("{requests} completed requests{each}{repeats}; failed ones have no latency"),
    ];
    let title = format!("How are latencies spread at {}?", load_of(rows, load));
    let head = scene.head(caption, &title, &more, Sign::Line);
    let grid = Grid { columns: 3, width: 340, height: 350 };
    Some(figure(&head, grid, &shown, |canvas, shown, cell| {
        let words = Words {
            title: shown.kind.words().to_owned(),
            note: "% of requests at or below · left is better ←".to_owned(),
            simulated: scene.any_simulated(),
            goals: shown.kind.metric().objectives(&caption.objectives).collect(),
            ..Words::default()
        };
        panel(canvas, cell, &words, &shown.curves);
    }))
}

fn panel(canvas: &mut Canvas<'_>, cell: Cell, words: &Words, curves: &[(Look, &Latencies)]) {
    let plot = Plot::of(cell);
    let paths: Vec<Vec<(f64, f64)>> = curves.iter().map(|(_, l)| l.curve(POINTS)).collect();
    let values: Vec<f64> = paths.iter().flatten().map(|(value, _)| *value).collect();
    let log = wants_log(&curves.iter().map(|(_, l)| *l).collect::<Vec<_>>());
    let ends = values.iter().copied().fold((f64::INFINITY, 0.0_f64), |(l, h), v| (l.min(v), h.max(v)));
    let x = if log {
        Axis::logarithmic(ends.0, ends.1, plot.left, plot.right)
    } else {
        Axis::around(&values, plot.left, plot.right)
    };
    let y = Axis::linear(&[0.0, 100.0], plot.bottom, plot.top);
    ground(canvas, cell, words, Some(&y));
    ruler(canvas, plot, &x, if log { "ms (log scale)" } else { "ms" });
    watermark(canvas, cell, words, 0.07);
    let mut labels = Labels::around(plot, []);
    for ((look, _), path) in curves.iter().zip(&paths) {
        let drawn = steps(path, &x, &y);
        canvas.line(&drawn, look.colour, 2.2);
        labels.keep_off_line(&drawn);
    }
    for (text, value) in &words.goals {
        objective(canvas, &mut labels, (plot, &x), text, *value);
    }
    percentiles(canvas, labels, curves, &x, &y);
}

/// The curve as steps: the share rises where a request lies.
fn steps(path: &[(f64, f64)], x: &Axis, y: &Axis) -> Vec<[f64; 2]> {
    let mut drawn = Vec::with_capacity(2 * path.len());
    let mut share_before = 0.0;
    for (value, share) in path {
        drawn.push([x.place(*value), y.place(share_before)]);
        drawn.push([x.place(*value), y.place(*share)]);
        share_before = *share;
    }
    drawn
}

/// A dashed line at an objective, its words where they touch no curve.
fn objective(canvas: &mut Canvas<'_>, labels: &mut Labels, (plot, x): (Plot, &Axis), text: &str, value: f64) {
    let (low, high) = (plot.bottom - 16.0, plot.top + 6.0);
    if !x.holds(value) {
        let text = fit(&format!("{text} →"), CAPTION, Face::Regular, plot.right - plot.left);
        let left = plot.right - width(&text, CAPTION, Face::Regular);
        labels.put_at(canvas, &text, CAPTION, &[[left, low], [left, high]], INK);
        return;
    }
    let at = x.place(value);
    canvas.dashes(&[[at, plot.top], [at, plot.bottom]], INK, 1.2, 5.0);
    labels.keep_off([at - 1.0, plot.top], [at + 1.0, plot.bottom]);
    // Without room on either side only the bound is said; the panel says of what.
    let room = (plot.right - at).max(at - plot.left) - 6.0;
    let text = match text.find('≤') {
        Some(bound) if width(text, CAPTION, Face::Regular) > room => &text[bound..],
        _ => text,
    };
    let (right, left) = (at + 5.0, at - 5.0 - width(text, CAPTION, Face::Regular));
    let middle = f64::midpoint(low, high);
    let places = [[right, low], [left, high], [right, high], [left, low], [right, middle], [left, middle]];
    labels.put_at(canvas, text, CAPTION, &places, INK);
}

/// The median and the highest percentile that the requests support, marked and written.
fn percentiles(
    canvas: &mut Canvas<'_>,
    mut labels: Labels,
    curves: &[(Look, &Latencies)],
    x: &Axis,
    y: &Axis,
) {
    let mut named: Vec<(Look, u8, f64)> = Vec::new();
    for (look, latencies) in curves {
        named.extend(latencies.at_share(50).map(|value| (*look, 50, value)));
        named.extend(latencies.tail().map(|(percent, value)| (*look, percent, value)));
    }
    let at = |percent: u8, value: f64| [x.place(value), y.place(f64::from(percent))];
    for (look, percent, value) in &named {
        let [left, top] = at(*percent, *value);
        mark(canvas, [left, top], *look);
        labels.keep_off([left - 5.0, top - 5.0], [left + 5.0, top + 5.0]);
    }
    if curves.len() > WRITTEN_UP_TO {
        return;
    }
    for (look, percent, value) in &named {
        let lowest = named.iter().filter(|(_, p, _)| p == percent).all(|(.., v)| v >= value);
        let text = format!("p{percent} {}", digits(*value));
        labels.put(canvas, &text, at(*percent, *value), lowest && curves.len() > 1, look.colour);
    }
}
