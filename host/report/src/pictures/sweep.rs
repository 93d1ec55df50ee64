//! Figures over the load: throughput, end-to-end latency and time to first token against concurrency or request rate,
//! and GPU memory and cost where they are known.

use benchhost_model::{LoadPoint, SummaryRow};

use super::frame::{Grid, figure};
use super::look::looks;
use super::panel::{Line, Places, Point, Words, lines};
use super::{Caption, Picture, Scene, file_name};
use crate::metric::{COST, E2E_P50, E2E_P90, GPU_MEMORY, Metric, OUT_TOK_S, REQ_S, TTFT_P50, TTFT_P90};
use crate::numbers;
use crate::series::{Spread, distinct, headline, loads, series_of};

/// More series than this and the dashed percentiles would hide the medians.
const DASHED_UP_TO: usize = 4;
/// Rates that span more than this factor are spread evenly by their logarithm.
const LOG_RATES_FROM: f64 = 8.0;

/// One figure for each workload and kind of load. A series whose point is missing has a gap; a single load makes dots.
pub fn sweep(rows: &[SummaryRow], caption: &Caption) -> Vec<Picture> {
    let all = headline(rows);
    let mut made: Vec<Picture> = Vec::new();
    for workload in distinct(&all, |r| r.workload.as_str()) {
        let of_workload: Vec<&SummaryRow> = all.iter().copied().filter(|r| r.workload == workload).collect();
        let kinds = distinct(&of_workload, |r| r.load.kind());
        for kind in &kinds {
            let rows: Vec<&SummaryRow> =
                of_workload.iter().copied().filter(|r| r.load.kind() == *kind).collect();
            let suffix = if kinds.len() > 1 { *kind } else { "" };
            let name = file_name(&format!("sweep {workload} {suffix}"), &made);
            made.push(Picture { name, svg: one(&rows, caption) });
        }
    }
    made
}

/// What one panel shows.
struct Shown {
    metric: Metric,
    upper: Option<Metric>,
}

fn one(rows: &[&SummaryRow], caption: &Caption) -> super::Svg {
    let series = series_of(rows);
    let looks = looks(&series, &caption.colours);
    let scene = Scene { rows, series: &series, looks: &looks };
    let points = loads(rows);
    let places = load_places(&points);
    let panels = panels(rows, series.len());
    let over = match points.first() {
        Some(LoadPoint::Rate(_)) => "request rate",
        Some(LoadPoint::Batch(_)) => "batch size",
        Some(LoadPoint::Trace(_)) => "speed of the trace",
        _ => "concurrency",
    };
    let head = scene.head(caption, &format!("Throughput and latency over {over}"), &[], false);
    let grid = Grid { columns: 3, width: 500, height: 408 };
    figure(&head, grid, &panels, |canvas, shown, cell| {
        let drawn: Vec<Line> = series
            .iter()
            .zip(&looks)
            .map(|(series, look)| Line {
                look: *look,
                points: points
                    .iter()
                    .map(|load| {
                        let spread = series.spread(*load, shown.metric.pick)?;
                        let upper = shown.upper.and_then(|m| series.spread(*load, m.pick));
                        Some(Point { spread, upper: upper.map(|s: Spread| s.mean) })
                    })
                    .collect(),
            })
            .collect();
        let dashed = drawn.iter().flat_map(|l| l.points.iter().flatten()).any(|p| p.upper.is_some());
        let words = Words {
            title: shown.metric.title(),
            higher_is_better: Some(shown.metric.higher_is_better),
            note: if dashed { "dashed: p90".to_owned() } else { String::new() },
            simulated: scene.any_simulated(),
        };
        lines(canvas, cell, &words, &places, &drawn);
    })
}

/// Three panels always; memory and cost where any row has them.
fn panels(rows: &[&SummaryRow], series: usize) -> Vec<Shown> {
    let any = |m: &Metric| rows.iter().any(|r| (m.pick)(r).is_some_and(f64::is_finite));
    let dashed = |m: Metric| (series <= DASHED_UP_TO).then_some(m);
    let mut panels = vec![
        Shown { metric: throughput(rows), upper: None },
        Shown { metric: E2E_P50, upper: dashed(E2E_P90) },
        Shown { metric: TTFT_P50, upper: dashed(TTFT_P90) },
    ];
    panels.extend([GPU_MEMORY, COST].into_iter().filter(any).map(|metric| Shown { metric, upper: None }));
    panels
}

/// Tokens a second; requests a second when some configuration's tokens are unknown everywhere, so that all can be
/// compared.
pub(super) fn throughput(rows: &[&SummaryRow]) -> Metric {
    let all_counted = series_of(rows).iter().all(|s| s.rows().iter().any(|r| r.out_tok_s.is_some()));
    if all_counted { OUT_TOK_S } else { REQ_S }
}

fn load_places(points: &[LoadPoint]) -> Places {
    let values: Vec<f64> = points.iter().map(|p| p.value()).collect();
    let (first, last) = (values.first().copied().unwrap_or(1.0), values.last().copied().unwrap_or(1.0));
    let rate = matches!(points.first(), Some(LoadPoint::Rate(_)));
    let log = first > 0.0 && (!rate || last / first >= LOG_RATES_FROM);
    let share = |v: f64| {
        let (v, first, last) = if log { (v.ln(), first.ln(), last.ln()) } else { (v, first, last) };
        if last > first { (v - first) / (last - first) } else { 0.5 }
    };
    let what = if rate { "Request rate (requests/s" } else { "Concurrent requests (" };
    let scale = match (rate, log && values.len() > 1) {
        (true, true) => ", log scale)",
        (true, false) => ")",
        (false, _) => "log scale)",
    };
    let title =
        if !rate && values.len() < 2 { "Concurrent requests".to_owned() } else { format!("{what}{scale}") };
    Places {
        shares: values.iter().copied().map(share).collect(),
        labels: values.iter().copied().map(numbers::exact).collect(),
        title,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubled_concurrency_is_evenly_spaced() {
        let places = load_places(&[1, 2, 4, 8].map(LoadPoint::Concurrency));
        for (share, expected) in places.shares.iter().zip([0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0]) {
            assert!((share - expected).abs() < 1e-12);
        }
        assert_eq!(places.labels, ["1", "2", "4", "8"]);
        assert_eq!(places.title, "Concurrent requests (log scale)");
    }

    #[test]
    fn one_load_stands_in_the_middle() {
        assert_eq!(load_places(&[LoadPoint::Concurrency(8)]).shares, [0.5]);
        assert_eq!(load_places(&[LoadPoint::Rate(0.5)]).title, "Request rate (requests/s)");
    }

    #[test]
    fn near_rates_are_linear() {
        let places = load_places(&[1.0, 2.0, 3.0].map(LoadPoint::Rate));
        assert_eq!(places.shares, [0.0, 0.5, 1.0]);
        assert_eq!(
            load_places(&[1.0, 16.0].map(LoadPoint::Rate)).title,
            "Request rate (requests/s, log scale)"
        );
    }
}
