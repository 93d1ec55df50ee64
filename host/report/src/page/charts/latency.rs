//! How the latencies of single requests are spread: cumulative distributions, one view a load.

use super::sweep::goals;
use super::{Chart, Kind, Line, Panel, Point, Source, View};
use crate::pictures::load_words;
use crate::series::{Latencies, LatencyKind, NO_LATENCIES, by_load, wants_log};

/// Points of all curves together: a few tens of kilobytes.
const POINTS: usize = 4500;

pub(super) fn charts(source: &Source<'_>, left_out: &mut Vec<String>) -> Vec<Chart> {
    let curves: Vec<&Latencies> = source.page.latencies.iter().filter(|l| !l.is_empty()).collect();
    if curves.is_empty() {
        left_out.push(NO_LATENCIES.to_owned());
        return Vec::new();
    }
    let most = (POINTS / curves.len()).clamp(24, 300);
    let mut workloads: Vec<&str> = Vec::new();
    for curve in &curves {
        if !workloads.contains(&curve.place.workload.as_str()) {
            workloads.push(&curve.place.workload);
        }
    }
    let chart = |workload: &&str| {
        Chart {
        id: String::new(),
        title: format!("{workload}: how latencies are spread"),
        note: "Share of completed, measured requests at or below each latency; all runs of a point together. Failed \
               requests have no latency and are not in it."
            .to_owned(),
        sim: source.simulated(),
        folded: source.member(workload),
        panels: LatencyKind::ALL
            .into_iter()
            .filter_map(|kind| panel(source, &curves, workload, kind, most))
            .collect(),
    }
    };
    workloads.iter().map(chart).collect()
}

fn panel(
    source: &Source<'_>,
    curves: &[&Latencies],
    workload: &str,
    kind: LatencyKind,
    most: usize,
) -> Option<Panel> {
    let of: Vec<&Latencies> =
        curves.iter().copied().filter(|c| c.place.workload == workload && c.kind == kind).collect();
    let mut loads = Vec::new();
    for curve in &of {
        if !loads.contains(&curve.place.load) {
            loads.push(curve.place.load);
        }
    }
    loads.sort_by(|a, b| by_load(*b, *a));
    let views: Vec<View> = loads
        .into_iter()
        .map(|load| {
            let here: Vec<&Latencies> = of.iter().copied().filter(|c| c.place.load == load).collect();
            let n: usize = here.iter().map(|c| c.count).sum();
            let lines = here.iter().filter_map(|c| {
                Some(Line {
                    series: Some(c.place.among(&source.series)?),
                    points: c.curve(most).into_iter().map(|(x, y)| Point::at(x, y)).collect(),
                    form: "step",
                    ..Line::default()
                })
            });
            View {
                kind: Kind::Line,
                name: load_words(load),
                unit: "%".to_owned(),
                words: format!("{}, {} requests", load_words(load), crate::numbers::count(n as u64)),
                x_name: kind.words().to_owned(),
                x_unit: "ms".to_owned(),
                x_log: wants_log(&here),
                y_range: Some([0.0, 100.0]),
                free: true,
                lines: lines.collect(),
                goals: goals(source, kind.metric(), true),
                ..View::default()
            }
        })
        .filter(|v| !v.lines.is_empty())
        .collect();
    (!views.is_empty()).then(|| Panel { title: kind.words().to_owned(), views })
}
