//! How the change of a figure goes with the load: one panel a figure, one point a load.

use std::collections::BTreeMap;

use benchhost_model::LoadPoint;

use super::super::Svg;
use super::super::axis::Axis;
use super::super::canvas::Canvas;
use super::super::frame::{Cell, Grid, figure};
use super::super::look::{AXIS, mark};
use super::super::panel::{Plot, Words, ground, watermark};
use super::across::labels;
use super::{MARGIN, head, look_of, tones, watermarked};
use crate::comparison::{ChangeScale, ComparedGroup, ComparedRow, ComparisonTable};
use crate::lines::clean;
use crate::numbers::exact;

/// Figures that have a panel, where any load point has them.
const SHOWN: [&str; 10] = [
    "goodput_req_s",
    "out_tok_s",
    "ttft_p50",
    "ttft_p99",
    "ttft_sched_p50",
    "ttft_sched_p99",
    "tpot_p50",
    "tpot_p99",
    "e2e_p50",
    "itl_p99",
];

/// A workload's loads, rising.
type Points<'a> = Vec<(LoadPoint, &'a ComparedGroup)>;

/// One picture for each workload that has several loads.
pub(super) fn by_load(table: &ComparisonTable) -> Vec<(String, Svg)> {
    let mut workloads: BTreeMap<&str, Points<'_>> = BTreeMap::new();
    for group in &table.groups {
        if let Some((workload, load)) = &group.place {
            workloads.entry(workload).or_default().push((*load, group));
        }
    }
    let drawn = workloads.into_iter().filter_map(|(workload, mut points)| {
        points.sort_by(|a, b| a.0.value().total_cmp(&b.0.value()));
        Some((workload.to_owned(), one(table, workload, &points)?))
    });
    drawn.collect()
}

fn one(table: &ComparisonTable, workload: &str, points: &Points<'_>) -> Option<Svg> {
    if points.len() < 2 {
        return None;
    }
    let row = |group: &ComparedGroup, name: &str| {
        group.rows.iter().any(|r| r.metric == name && change(r).is_some())
    };
    let panels: Vec<&str> =
        SHOWN.into_iter().filter(|name| points.iter().any(|(_, g)| row(g, name))).collect();
    if panels.is_empty() {
        return None;
    }
    let title = if workload.is_empty() { String::new() } else { format!(" · {}", clean(workload)) };
    let more = ["bar: 90 % interval, without an end where it goes on; shaded: changes too small to matter"];
    let head = head(table, &format!("Change by load{title}"), &more, tones());
    let grid = Grid { columns: 3, width: 420, height: 330 };
    Some(figure(&head, grid, &panels, |canvas, name, cell| {
        panel(canvas, cell, name, points, &watermarked(table));
    }))
}

/// Change and interval in percent.
fn change(row: &ComparedRow) -> Option<(f64, Option<(f64, f64)>)> {
    let change = row.change.filter(|c| c.estimate.is_finite() && row.scale == ChangeScale::Relative)?;
    let interval = change.interval.filter(|(low, high)| low.is_finite() && high.is_finite());
    Some((change.estimate * 100.0, interval.map(|(low, high)| (low * 100.0, high * 100.0))))
}

/// A figure at one load.
struct Dot<'a> {
    /// Place of the load.
    at: usize,
    row: &'a ComparedRow,
    /// In percent.
    estimate: f64,
    interval: Option<(f64, f64)>,
}

fn dots<'a>(name: &str, points: &Points<'a>) -> Vec<Dot<'a>> {
    let found = points.iter().enumerate().filter_map(|(at, (_, group))| {
        let row = group.rows.iter().find(|r| r.metric == name)?;
        let (estimate, interval) = change(row)?;
        Some(Dot { at, row, estimate, interval })
    });
    found.collect()
}

/// From the lowest to the highest end, but for intervals so wide that they would squeeze the others.
fn axis(dots: &[Dot<'_>], margin: f64, plot: Plot) -> Axis {
    let most = dots.iter().map(|d| d.estimate.abs()).fold(margin, f64::max) * 2.5;
    let mut values = vec![-margin, margin];
    for dot in dots {
        let (low, high) = dot.interval.unwrap_or((dot.estimate, dot.estimate));
        values.extend([dot.estimate, low.max(-most), high.min(most)]);
    }
    Axis::linear(&values, plot.bottom, plot.top)
}

fn panel(canvas: &mut Canvas<'_>, cell: Cell, name: &str, points: &Points<'_>, simulated: &Words) {
    let plot = Plot::of(cell);
    let dots = dots(name, points);
    let margin = dots.first().map_or(0.0, |dot| dot.row.margin * 100.0);
    let axis = axis(&dots, margin, plot);
    let words = Words {
        title: format!("{} change (%)", clean(name)),
        higher_is_better: dots.first().map(|dot| dot.row.higher_is_better),
        simulated: simulated.simulated,
        ..Words::default()
    };
    canvas.rect([plot.left, axis.place(margin)], [plot.right, axis.place(-margin)], MARGIN, 1.0);
    ground(canvas, cell, &words, Some(&axis));
    watermark(canvas, cell, &words, 0.07);
    canvas.line(&[[plot.left, plot.bottom], [plot.right, plot.bottom]], AXIS, 1.3);
    let x = |at: usize| plot.left + (at as f64 + 0.5) / points.len() as f64 * (plot.right - plot.left);
    let names: Vec<String> = points.iter().map(|(load, _)| exact(load.value())).collect();
    let ticks: Vec<(f64, &str)> = names.iter().enumerate().map(|(at, name)| (x(at), name.as_str())).collect();
    labels(canvas, plot, &ticks, points.first().map_or("", |(load, _)| load_title(*load)));
    for dot in dots {
        let (x, look) = (x(dot.at), look_of(dot.row.tone));
        if let Some((low, high)) = dot.interval {
            canvas.line(&[[x, axis.place(low)], [x, axis.place(high)]], look.colour, 1.8);
            for end in [low, high].into_iter().filter(|end| axis.holds(*end)) {
                let y = axis.place(end);
                canvas.line(&[[x - 4.0, y], [x + 4.0, y]], look.colour, 1.4);
            }
        }
        mark(canvas, [x, axis.place(dot.estimate)], look);
    }
}

const fn load_title(load: LoadPoint) -> &'static str {
    match load {
        LoadPoint::Concurrency(_) => "concurrency",
        LoadPoint::Rate(_) => "requests a second",
        LoadPoint::Batch(_) => "batch size",
        LoadPoint::Trace(_) => "speed of the trace",
    }
}
