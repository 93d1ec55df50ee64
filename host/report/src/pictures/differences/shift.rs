//! The shift plot: how far each percentile of a latency moved, with a band that holds for all of them at once.

use super::super::Svg;
use super::super::axis::Axis;
use super::super::canvas::Canvas;
use super::super::frame::{Cell, Grid, figure};
use super::super::look::{AXIS, in_order, mark};
use super::super::panel::{Plot, Words, ground, watermark};
use super::across::labels;
use super::{head, latency_title, titled, watermarked};
use crate::comparison::{ComparedGroup, ComparisonTable, DetailLatency, ShiftRow, percentile};

/// Percentiles with a label.
const LABELLED: [f64; 7] = [0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99];

/// The picture of a group; `None` where no latency has percentiles to show.
pub(super) fn shift(table: &ComparisonTable, group: &ComparedGroup) -> Option<Svg> {
    let detail = group.detail.as_ref()?;
    let panels: Vec<&DetailLatency> = detail.latencies.iter().filter(|l| !l.shift.is_empty()).collect();
    if panels.is_empty() {
        return None;
    }
    let head = head(
        table,
        &titled("Change by percentile", group),
        &["above 0 the new side is slower; band: 90 %, for all percentiles at once"],
        Vec::new(),
    );
    let grid = Grid { columns: 3, width: 420, height: 360 };
    Some(figure(&head, grid, &panels, |canvas, latency, cell| {
        panel(canvas, cell, latency, &watermarked(table));
    }))
}

/// Estimate, low and high: in percent where all have a ratio, else in the unit.
fn values(latency: &DetailLatency) -> (Vec<(f64, f64, f64)>, bool) {
    let ratios: Option<Vec<_>> = latency.shift.iter().map(|row: &ShiftRow| row.relative).collect();
    match ratios {
        Some(ratios) => {
            (ratios.into_iter().map(|(e, l, h)| (e * 100.0, l * 100.0, h * 100.0)).collect(), true)
        }
        None => (latency.shift.iter().map(|row| row.difference).collect(), false),
    }
}

fn panel(canvas: &mut Canvas<'_>, cell: Cell, latency: &DetailLatency, simulated: &Words) {
    let plot = Plot::of(cell);
    let (banded, ratio) = values(latency);
    let all: Vec<f64> = banded.iter().flat_map(|(e, l, h)| [*e, *l, *h]).filter(|v| v.is_finite()).collect();
    let axis = Axis::linear(&all, plot.bottom, plot.top);
    let words = Words {
        title: format!(
            "{}, change ({})",
            latency_title(&latency.metric, ""),
            if ratio { "%" } else { &latency.unit }
        ),
        higher_is_better: Some(false),
        simulated: simulated.simulated,
        ..Words::default()
    };
    ground(canvas, cell, &words, Some(&axis));
    watermark(canvas, cell, &words, 0.07);
    canvas.line(&[[plot.left, plot.bottom], [plot.right, plot.bottom]], AXIS, 1.3);
    let x = |quantile: f64| plot.left + 10.0 + quantile * (plot.right - plot.left - 20.0);
    let places: Vec<f64> = latency.shift.iter().map(|row| x(row.quantile)).collect();
    let look = in_order(0);
    let above = places.iter().zip(&banded).map(|(x, (_, _, high))| [*x, axis.place(*high)]);
    let below = places.iter().zip(&banded).rev().map(|(x, (_, low, _))| [*x, axis.place(*low)]);
    canvas.polygon(&above.chain(below).collect::<Vec<_>>(), look.colour, 0.18);
    let line: Vec<[f64; 2]> = places.iter().zip(&banded).map(|(x, (e, ..))| [*x, axis.place(*e)]).collect();
    if line.len() > 1 {
        canvas.line(&line, look.colour, 2.5);
    }
    for point in line {
        mark(canvas, point, look);
    }
    let names: Vec<(f64, String)> = LABELLED.iter().map(|q| (x(*q), percentile(*q))).collect();
    let ticks: Vec<(f64, &str)> = names.iter().map(|(x, name)| (*x, name.as_str())).collect();
    labels(canvas, plot, &ticks, "percentile");
}
