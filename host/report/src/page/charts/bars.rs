//! Configurations side by side at the load that all share: time to first token, throughput, latency, memory; and quality,
//! with the repeats' spread.

use benchhost_model::SummaryRow;

use super::sweep::goals;
use super::{Chart, Kind, Line, Panel, Point, Source, View};
use crate::lines::clean;
use crate::metric::{E2E_P50, GPU_MEMORY, Metric, OUT_TOK_S, REQ_S, TTFT_P50};
use crate::pictures::{load_words, shared_load};
use crate::series::{Spread, distinct, series_of};

pub(super) fn charts(source: &Source<'_>, left_out: &mut Vec<String>) -> Vec<Chart> {
    let mut charts = Vec::new();
    let (mut memory, mut scored, mut several) = (false, false, false);
    for workload in distinct(&source.rows, |r| r.workload.as_str()) {
        let rows: Vec<&SummaryRow> = source.rows.iter().copied().filter(|r| r.workload == workload).collect();
        let series = series_of(&rows);
        let Some(load) = shared_load(&rows, &series) else { continue };
        let at: Vec<&SummaryRow> = rows.iter().copied().filter(|r| r.load == load).collect();
        let mut panels = Vec::new();
        several |= series.len() > 1;
        // The members of a family are points of its own chart.
        if series.len() > 1 && !source.member(workload) {
            let tokens = at.iter().all(|r| r.out_tok_s.is_some() || r.counts.completed == 0);
            let throughput = if tokens { OUT_TOK_S } else { REQ_S };
            let figures = [TTFT_P50, throughput, E2E_P50, GPU_MEMORY];
            panels.extend(figures.into_iter().filter_map(|m| figure(source, &at, m)));
        }
        memory |= at.iter().any(|r| r.gpu_mem_peak_mib.is_some());
        let quality = if source.member(workload) { Vec::new() } else { scores(source, &at) };
        scored |= !quality.is_empty();
        panels.extend(quality);
        if !panels.is_empty() {
            charts.push(Chart {
                id: String::new(),
                title: format!("{workload}: summary at {}", load_words(load)),
                note: "Bars are means of runs, whiskers reach from the lowest to the highest run. Scores are those the \
                       workload declares."
                    .to_owned(),
                sim: source.simulated(),
                folded: false,
                panels,
            });
        }
    }
    if !several {
        left_out.push("bars of configurations: only one configuration was measured".to_owned());
    }
    if !memory {
        left_out.push("peak GPU memory: no GPU samples were taken".to_owned());
    }
    if !scored {
        left_out.push("quality: no answer was scored".to_owned());
    }
    charts
}

fn figure(source: &Source<'_>, rows: &[&SummaryRow], metric: Metric) -> Option<Panel> {
    let lines = bars(source, rows, &|r| (metric.pick)(r));
    let view = View {
        kind: Kind::Bar,
        unit: metric.unit.to_owned(),
        higher: Some(metric.higher_is_better),
        goals: goals(source, metric, false),
        lines,
        ..View::default()
    };
    (!view.lines.is_empty()).then(|| Panel { title: metric.title(), views: vec![view] })
}

/// One panel for the first eight scores.
fn scores(source: &Source<'_>, rows: &[&SummaryRow]) -> Vec<Panel> {
    let mut names: Vec<&str> = rows.iter().flat_map(|r| r.scores.keys().map(String::as_str)).collect();
    names.sort_unstable();
    names.dedup();
    let panel = |name: &&str| Panel {
        title: format!("Quality: {}", clean(name)),
        views: vec![View {
            kind: Kind::Bar,
            unit: "mean score".to_owned(),
            words: "mean score".to_owned(),
            lines: bars(source, rows, &|r| r.scores.get(*name).copied()),
            ..View::default()
        }],
    };
    names.iter().take(8).map(panel).filter(|p| !p.views[0].lines.is_empty()).collect()
}

fn bars(source: &Source<'_>, rows: &[&SummaryRow], pick: &dyn Fn(&SummaryRow) -> Option<f64>) -> Vec<Line> {
    let mut lines = Vec::new();
    for (place, series) in source.series.iter().enumerate() {
        let own = || rows.iter().copied().filter(|r| series.rows().iter().any(|o| std::ptr::eq(*o, *r)));
        if let Some(spread) = Spread::of(own().map(pick)) {
            let points = vec![Point::within(0.0, spread).judged(own())];
            lines.push(Line { series: Some(place), points, ..Line::default() });
        }
    }
    lines
}
