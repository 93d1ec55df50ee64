//! Figures over the load: throughput, end-to-end latency and time to first token against concurrency or request rate,
//! and GPU memory where it is known.

use benchhost_model::{LoadPoint, SummaryRow};

use super::each::each_kind_of_load;
use super::frame::{Grid, Sign, figure};
use super::look::{Look, looks};
use super::panel::{Line, Places, Point, Words, lines};
use super::{Caption, Picture, Scene, Throughput, doubted, fitting, load_of, load_words};
use crate::metric::{E2E_P50, E2E_P90, GPU_MEMORY, Metric, OUT_TOK_S, REQ_S, TTFT_P50, TTFT_P90};
use crate::numbers;
use crate::series::{LoadAxis, Series, Spread, headline, loads, series_of};

/// More series than this and the dashed percentiles would hide the medians.
const DASHED_UP_TO: usize = 4;

/// One figure for each workload and kind of load. A series whose point is missing has a gap; a single load makes dots.
pub fn sweep(rows: &[SummaryRow], caption: &Caption) -> Vec<Picture> {
    each_kind_of_load(&headline(rows), "sweep", |rows| Some(one(rows, caption)))
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
    let first = throughput(rows, caption.throughput);
    let panels = panels(rows, series.len(), first);
    let head = scene.head(
        caption,
        &title(&series, &points, first),
        &[scene.repeats("band"), scene.doubts()],
        Sign::Line,
    );
    let grid = Grid { columns: 3, width: 340, height: 350 };
    figure(&head, grid, &panels, |canvas, shown, cell| {
        let drawn = drawn(&series, &looks, &points, shown.metric, shown.upper);
        let dashed = drawn.iter().flat_map(|l| l.points.iter().flatten()).any(|p| p.upper.is_some());
        let words = Words {
            title: shown.metric.title(),
            higher_is_better: Some(shown.metric.higher_is_better),
            note: if dashed { "dashed: p90".to_owned() } else { String::new() },
            simulated: scene.any_simulated(),
            goals: shown.metric.objectives(&caption.objectives).collect(),
        };
        lines(canvas, cell, &words, &places, &drawn);
    })
}

/// The highest throughput of the one or two configurations; of more, whose is the highest.
fn title(series: &[Series<'_>], points: &[LoadPoint], metric: Metric) -> String {
    let over = match points.first() {
        Some(LoadPoint::Rate(_)) => "request rate",
        Some(LoadPoint::Batch(_)) => "batch size",
        Some(LoadPoint::Trace(_)) => "speed of the trace",
        _ => "concurrency",
    };
    let best = |s: &Series<'_>| {
        let all = points.iter().filter_map(|l| Some((s.spread(*l, metric.pick)?.mean, *l)));
        all.max_by(|a, b| a.0.total_cmp(&b.0))
    };
    let mut found: Vec<(&str, f64, LoadPoint)> =
        series.iter().filter_map(|s| best(s).map(|(v, l)| (s.label.as_str(), v, l))).collect();
    let figure = |value: f64| format!("{} {}", numbers::figure(value), metric.unit);
    let both = match found.as_slice() {
        [] => return format!("Throughput and latency over {over}"),
        [(_, value, load)] => {
            return format!("Up to {} at {}", figure(*value), load_of(series[0].rows(), *load));
        }
        [(a, x, _), (b, y, _)] => format!("Up to {} with {a}, {} with {b}", figure(*x), figure(*y)),
        _ => String::new(),
    };
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    let (label, value, load) = found[0];
    let highest = format!("Up to {}, with {label} at {}", figure(value), load_words(load));
    if both.is_empty() { highest } else { fitting([both, highest]) }
}

/// The lines of one metric over `points`.
pub(super) fn drawn(
    series: &[Series<'_>],
    looks: &[Look],
    points: &[LoadPoint],
    metric: Metric,
    upper: Option<Metric>,
) -> Vec<Line> {
    let point = |series: &Series<'_>, load: LoadPoint| {
        let spread = series.spread(load, metric.pick)?;
        let upper = upper.and_then(|m| series.spread(load, m.pick)).map(|s: Spread| s.mean);
        Some(Point { spread, upper, doubted: doubted(series.at(load)) })
    };
    let line = |(series, look): (&Series<'_>, &Look)| Line {
        look: *look,
        points: points.iter().map(|load| point(series, *load)).collect(),
    };
    series.iter().zip(looks).map(line).collect()
}

/// Three panels always; memory where any row has it.
fn panels(rows: &[&SummaryRow], series: usize, first: Metric) -> Vec<Shown> {
    let any = |m: &Metric| rows.iter().any(|r| (m.pick)(r).is_some_and(f64::is_finite));
    let dashed = |m: Metric| (series <= DASHED_UP_TO).then_some(m);
    let mut panels = vec![
        Shown { metric: first, upper: None },
        Shown { metric: E2E_P50, upper: dashed(E2E_P90) },
        Shown { metric: TTFT_P50, upper: dashed(TTFT_P90) },
    ];
    panels.extend([GPU_MEMORY].into_iter().filter(any).map(|metric| Shown { metric, upper: None }));
    panels
}

/// As chosen; else tokens a second, or requests a second when some configuration's tokens are unknown everywhere, so that
/// all can be compared.
pub(super) fn throughput(rows: &[&SummaryRow], chosen: Throughput) -> Metric {
    let all_counted = || series_of(rows).iter().all(|s| s.rows().iter().any(|r| r.out_tok_s.is_some()));
    match chosen {
        Throughput::Tokens => OUT_TOK_S,
        Throughput::Known if all_counted() => OUT_TOK_S,
        Throughput::Known | Throughput::Requests => REQ_S,
    }
}

/// The tested loads along the bottom.
pub(super) fn load_places(points: &[LoadPoint]) -> Places {
    let axis = LoadAxis::of(points);
    let (first, last) =
        (axis.places.first().copied().unwrap_or(1.0), axis.places.last().copied().unwrap_or(1.0));
    let share = |v: f64| {
        let (v, first, last) = if axis.log { (v.ln(), first.ln(), last.ln()) } else { (v, first, last) };
        if last > first { (v - first) / (last - first) } else { 0.5 }
    };
    let title = match axis.name.strip_suffix(')') {
        _ if !axis.log => axis.name.to_owned(),
        Some(open) => format!("{open}, log scale)"),
        None => format!("{} (log scale)", axis.name),
    };
    Places {
        shares: axis.places.iter().copied().map(share).collect(),
        labels: axis.places.iter().copied().map(numbers::exact).collect(),
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
    fn batches_and_traces_are_called_by_their_name() {
        assert_eq!(load_places(&[1, 2].map(LoadPoint::Batch)).title, "Batch size (log scale)");
        assert_eq!(load_places(&[LoadPoint::Trace(2.0)]).title, "Speed of the trace (×)");
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
