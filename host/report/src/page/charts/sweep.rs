//! Throughput, end-to-end latency and time to first token over the load, for each workload and kind of load.

use benchhost_model::SummaryRow;

use super::form::Goal;
use super::{Chart, Kind, Line, Panel, Point, Source, View};
use crate::metric::{
    E2E_P50, E2E_P90, E2E_P99, ITL_P50, Metric, OUT_TOK_S, REQ_S, TOTAL_TOK_S, TPOT_P50, TTFT_P50, TTFT_P90,
    TTFT_P99,
};
use crate::numbers;
use crate::series::{LoadAxis, loads};

pub(super) fn charts(source: &Source<'_>) -> Vec<Chart> {
    let swept = source.swept();
    swept
        .iter()
        .map(|(workload, kind, rows)| {
            let axis = axis(rows);
            let several = swept.iter().filter(|(w, ..)| w == workload).count() > 1;
            let over = if several { format!(" over {kind}") } else { String::new() };
            Chart {
                id: String::new(),
                title: format!("{workload}: throughput and latency{over}"),
                note: note(rows),
                sim: source.simulated(),
                folded: source.member(workload),
                panels: panels(source, rows, &axis),
            }
        })
        .collect()
}

/// The tested loads.
pub(super) fn axis(rows: &[&SummaryRow]) -> LoadAxis {
    LoadAxis::of(&loads(rows))
}

fn note(rows: &[&SummaryRow]) -> String {
    let repeats = crate::series::most_repeats(&crate::series::series_of(rows));
    let mut parts = vec![match repeats {
        0 | 1 => "One run a point: no spread between runs is known.".to_owned(),
        n => format!("Mean of up to {n} runs a point; the band reaches from the lowest to the highest run."),
    }];
    if rows.iter().any(|r| r.verdict.is_some_and(|v| v > benchhost_model::Verdict::Valid)) {
        parts.push("Hollow marks: the verdict is SUSPECT or INVALID.".to_owned());
    }
    parts.join(" ")
}

fn panels(source: &Source<'_>, rows: &[&SummaryRow], axis: &LoadAxis) -> Vec<Panel> {
    let throughput: &[(Metric, Option<Metric>)] = &[(OUT_TOK_S, None), (REQ_S, None), (TOTAL_TOK_S, None)];
    let latency: &[(Metric, Option<Metric>)] =
        &[(E2E_P50, Some(E2E_P90)), (E2E_P99, None), (TPOT_P50, None), (ITL_P50, None)];
    let first: &[(Metric, Option<Metric>)] = &[(TTFT_P50, Some(TTFT_P90)), (TTFT_P99, None)];
    let panel = |title: &str, metrics: &[(Metric, Option<Metric>)]| {
        let views: Vec<View> =
            metrics.iter().filter_map(|(m, upper)| view(source, rows, axis, *m, *upper)).collect();
        Panel::choosing(title, views)
    };
    [panel("Throughput", throughput), panel("Latency", latency), panel("Time to first token", first)]
        .into_iter()
        .flatten()
        .collect()
}

/// `None` where no row has the figure.
pub(super) fn view(
    source: &Source<'_>,
    rows: &[&SummaryRow],
    axis: &LoadAxis,
    metric: Metric,
    upper: Option<Metric>,
) -> Option<View> {
    let mut lines = Vec::new();
    for (place, series) in source.series.iter().enumerate() {
        let own: Vec<&SummaryRow> =
            series.rows().iter().copied().filter(|r| rows.iter().any(|o| std::ptr::eq(*o, *r))).collect();
        lines.extend(line(place, &own, metric, ""));
        lines.extend(upper.and_then(|m| line(place, &own, m, "p90")));
    }
    let dashed = lines.iter().any(|l| !l.dashed.is_empty());
    let bound = rows.iter().filter_map(|r| metric.harness(r)).fold(0.0, f64::max);
    let mut words: Vec<String> = Vec::new();
    if dashed {
        words.push("dashed: p90".to_owned());
    }
    if bound > 0.0 {
        words.push(format!("harness error ≤ {} ms", numbers::figure(bound)));
    }
    (!lines.is_empty()).then(|| View {
        kind: Kind::Line,
        name: metric.title(),
        unit: metric.unit.to_owned(),
        higher: Some(metric.higher_is_better),
        words: words.join(" · "),
        x_name: axis.name.to_owned(),
        x_unit: axis.unit.to_owned(),
        x_log: axis.log,
        places: axis.places.clone(),
        goals: goals(source, metric, false),
        lines,
        ..View::default()
    })
}

/// The objectives of the latency that `metric` is a figure of.
pub(super) fn goals(source: &Source<'_>, metric: Metric, on_x: bool) -> Vec<Goal> {
    let of = metric.objectives(&source.page.objectives);
    of.map(|(name, value)| Goal { name, value, on_x }).collect()
}

fn line(place: usize, rows: &[&SummaryRow], metric: Metric, dashed: &str) -> Option<Line> {
    let points: Vec<Point> = loads(rows)
        .into_iter()
        .filter_map(|load| {
            let at = || rows.iter().copied().filter(move |r| r.load == load);
            let spread = crate::series::Spread::of(at().map(metric.pick))?;
            Some(Point::within(load.value(), spread).judged(at()))
        })
        .collect();
    (!points.is_empty()).then(|| Line {
        series: Some(place),
        points,
        dashed: dashed.to_owned(),
        ..Line::default()
    })
}
