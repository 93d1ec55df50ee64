//! How the latencies of single requests are spread: cumulative distributions, one view a load.

use super::sweep::goals;
use super::{Chart, Kind, Line, Panel, Point, Source, View};
use crate::metric::{E2E_P50, Metric, TPOT_P50, TTFT_P50};
use crate::page::Place;
use crate::pictures::load_words;
use crate::series::by_load;

/// Points of all curves together: a few tens of kilobytes.
const POINTS: usize = 4500;

/// Which latency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LatencyKind {
    /// Time to first token.
    Ttft,
    /// Time per output token.
    Tpot,
    /// End-to-end latency.
    E2e,
}

impl LatencyKind {
    fn metric(self) -> Metric {
        match self {
            Self::Ttft => TTFT_P50,
            Self::Tpot => TPOT_P50,
            Self::E2e => E2E_P50,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Ttft => "Time to first token (ms)",
            Self::Tpot => "Time per output token (ms)",
            Self::E2e => "End-to-end latency (ms)",
        }
    }
}

/// One latency of the completed, measured requests of one point, all runs together.
#[derive(Debug, Clone, PartialEq)]
pub struct Latencies {
    place: Place,
    kind: LatencyKind,
    /// Rising; with more than [`Self::KEPT`] values those at evenly spaced ranks.
    values: Vec<f64>,
    /// Before thinning.
    count: usize,
}

impl Latencies {
    /// Values kept of a point: enough for two a pixel.
    pub const KEPT: usize = 1000;

    /// Of any number of values in ms, in any order; those that are not finite are left out.
    pub fn new(place: Place, kind: LatencyKind, mut values: Vec<f64>) -> Self {
        values.retain(|v| v.is_finite());
        values.sort_by(f64::total_cmp);
        let count = values.len();
        Self {
            place,
            kind,
            values: at_ranks(&values, Self::KEPT).into_iter().map(|(_, v)| v).collect(),
            count,
        }
    }

    /// Value and share of requests at or below it.
    fn curve(&self, most: usize) -> Vec<Point> {
        let n = self.values.len() as f64;
        at_ranks(&self.values, most)
            .into_iter()
            .map(|(rank, value)| Point::at(value, 100.0 * (rank as f64 + 1.0) / n))
            .collect()
    }
}

/// At most `most` of `values` at evenly spaced ranks, the first and the last among them.
fn at_ranks(values: &[f64], most: usize) -> Vec<(usize, f64)> {
    let n = values.len();
    if n <= most || most < 2 {
        return values.iter().copied().enumerate().collect();
    }
    (0..most).map(|i| i * (n - 1) / (most - 1)).map(|rank| (rank, values[rank])).collect()
}

pub(super) fn charts(source: &Source<'_>, left_out: &mut Vec<String>) -> Vec<Chart> {
    let curves: Vec<&Latencies> = source.page.latencies.iter().filter(|l| !l.values.is_empty()).collect();
    if curves.is_empty() {
        left_out.push("latency distributions: no completed request has a latency".to_owned());
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
        panels: [LatencyKind::Ttft, LatencyKind::Tpot, LatencyKind::E2e]
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
            let ends = here.iter().flat_map(|c| [c.values.first(), c.values.last()]).flatten().copied();
            let (low, high) = ends.fold((f64::INFINITY, 0.0_f64), |(l, h), v| (l.min(v), h.max(v)));
            let n: usize = here.iter().map(|c| c.count).sum();
            let lines = here.iter().filter_map(|c| {
                Some(Line {
                    series: Some(c.place.series(source)?),
                    points: c.curve(most),
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
                x_log: low > 0.0 && high / low > 20.0,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_the_ends_and_the_order() {
        let values: Vec<f64> = (0..100_000).map(f64::from).collect();
        let kept = at_ranks(&values, 300);
        assert_eq!(kept.len(), 300);
        assert_eq!((kept[0].0, kept[299].0), (0, 99_999));
        assert!(kept.windows(2).all(|w| w[0].0 < w[1].0));
        assert_eq!(at_ranks(&values[..3], 300).len(), 3);
        assert!(at_ranks(&[], 300).is_empty());
    }
}
