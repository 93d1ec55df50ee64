//! The figures that are compared: name, unit, direction, the smallest change that matters, and where a run's value comes
//! from. What a value means for the other side is not known here.

use benchhost_model::{Distribution, HarnessBound, HarnessError, LoadPoint, SummaryRow};
use benchhost_stats::{Direction, Quantile};

use crate::request::Column;

/// The smallest change that matters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// A share of the base: 0.02 is 2 %.
    Share(f64),
    /// A difference in the metric's own unit, where the base may be 0.
    Difference(f64),
}

/// Where the value of a run comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source {
    /// A rate over the window; `tokens`: of output tokens rather than requests.
    Rate { of: fn(&SummaryRow) -> Option<f64>, tokens: bool },
    /// A figure of the run that cannot be made again from its requests here.
    Whole(fn(&SummaryRow) -> Option<f64>),
    /// A percentile of a latency over completed requests.
    Latency(Latency),
    /// A percentile over all gaps between output events of a run, or all its tokens.
    Pooled(fn(&SummaryRow) -> Option<f64>),
    /// Requests that went wrong, as a percentage.
    Errors,
    /// A mean over scored answers.
    Score,
}

/// A percentile of a latency.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Latency {
    pub(crate) column: Column,
    pub(crate) quantile: Quantile,
    /// Where the analysis keeps it; `None`: it does not, and it is made from the requests.
    pub(crate) of: Option<fn(&SummaryRow) -> &Distribution>,
    /// How far the measuring program may have bent it.
    pub(crate) bound: fn(&HarnessError) -> Option<&HarnessBound>,
}

/// A figure that is compared.
#[derive(Debug, Clone)]
pub(crate) struct Metric {
    pub(crate) name: String,
    pub(crate) unit: &'static str,
    pub(crate) direction: Direction,
    pub(crate) limit: Limit,
    pub(crate) source: Source,
}

impl Metric {
    fn new(name: &str, unit: &'static str, direction: Direction, limit: Limit, source: Source) -> Self {
        Self { name: name.to_owned(), unit, direction, limit, source }
    }
}

/// Share of the base that matters for rates and for the median time per output token.
const RATE: f64 = 0.02;
/// The same for medians of other latencies.
const MEDIAN: f64 = 0.05;
/// The same for 99th percentiles.
const TAIL: f64 = 0.10;
/// The same for energy.
const ENERGY: f64 = 0.03;
/// Percentage points of the share of good requests.
const ATTAINMENT_POINTS: f64 = 2.0;
/// Percentage points of the error rate.
const ERROR_POINTS: f64 = 0.5;
/// Difference of a mean score between 0 and 1; wider where the score's own error is.
pub(crate) const SCORE: f64 = 0.01;

/// Every figure but scores, in the order to print. Open loops have latencies from the scheduled time, too.
pub(crate) fn metrics(load: LoadPoint) -> Vec<Metric> {
    use Direction::{HigherIsBetter as Up, LowerIsBetter as Down};
    let rate = |name: &str, unit, of, tokens| {
        Metric::new(name, unit, Up, Limit::Share(RATE), Source::Rate { of, tokens })
    };
    let whole =
        |name: &str, unit, direction, limit, of| Metric::new(name, unit, direction, limit, Source::Whole(of));
    let mut list = vec![
        whole("goodput_req_s", "req/s", Up, Limit::Share(RATE), |s| s.goodput_req_s),
        whole("slo_attainment", "%", Up, Limit::Difference(ATTAINMENT_POINTS), |s| {
            s.slo_attainment.map(|v| v * 100.0)
        }),
        rate("out_tok_s", "tok/s", |s| s.out_tok_s, true),
        rate("req_s", "req/s", |s| s.req_s, false),
    ];
    let open = matches!(load, LoadPoint::Rate(_) | LoadPoint::Trace(_));
    for (name, column, median) in [
        ("ttft", Column::Ttft, MEDIAN),
        ("ttft_sched", Column::TtftSched, MEDIAN),
        ("tpot", Column::Tpot, RATE),
        ("itl_mean", Column::ItlMean, RATE),
        ("e2e", Column::E2e, MEDIAN),
        ("icl_max", Column::IclMax, MEDIAN),
    ] {
        if column == Column::TtftSched && !open {
            continue;
        }
        for (suffix, quantile, limit) in [("p50", Quantile::P50, median), ("p99", Quantile::P99, TAIL)] {
            if column == Column::ItlMean && suffix == "p99" {
                continue;
            }
            let latency = Latency { column, quantile, of: distribution(column), bound: bound(column) };
            let name = format!("{name}_{suffix}");
            list.push(Metric::new(&name, "ms", Down, Limit::Share(limit), Source::Latency(latency)));
        }
    }
    let pooled =
        |name: &str, limit, of| Metric::new(name, "ms", Down, Limit::Share(limit), Source::Pooled(of));
    list.push(pooled("itl_p50", RATE, |s| s.itl.p50));
    list.push(pooled("itl_p99", TAIL, |s| s.itl.p99));
    list.push(pooled("icl_p50", RATE, |s| s.icl.p50));
    list.push(pooled("icl_p99", TAIL, |s| s.icl.p99));
    list.push(Metric::new("error_rate", "%", Down, Limit::Difference(ERROR_POINTS), Source::Errors));
    list.push(whole("gpu_mem_peak_mib", "MiB", Down, Limit::Share(RATE), |s| s.gpu_mem_peak_mib));
    list.push(whole("j_per_out_tok", "J/tok", Down, Limit::Share(ENERGY), |s| s.j_per_out_tok));
    list
}

/// A score's row.
pub(crate) fn score(name: &str, higher_is_better: bool) -> Metric {
    let direction = if higher_is_better { Direction::HigherIsBetter } else { Direction::LowerIsBetter };
    Metric::new(&format!("score_{name}"), "", direction, Limit::Difference(SCORE), Source::Score)
}

fn distribution(column: Column) -> Option<fn(&SummaryRow) -> &Distribution> {
    Some(match column {
        Column::Ttft => |s| &s.ttft,
        Column::TtftSched => |s| &s.ttft_sched,
        Column::Tpot => |s| &s.tpot,
        Column::E2e => |s| &s.e2e,
        Column::ItlMean | Column::IclMax => return None,
    })
}

/// How far the measuring program may have bent a latency.
pub(crate) fn bound(column: Column) -> fn(&HarnessError) -> Option<&HarnessBound> {
    match column {
        Column::Ttft => |e| e.ttft.as_ref(),
        Column::TtftSched => |e| e.ttft_sched.as_ref(),
        // A mean gap of a request ends where its time per token ends.
        Column::Tpot | Column::ItlMean => |e| e.tpot.as_ref(),
        Column::E2e => |e| e.e2e.as_ref(),
        Column::IclMax => |e| e.itl.as_ref(),
    }
}

/// The figures that gate, by name. `has` says whether both sides have a figure.
pub(crate) fn primary(load: LoadPoint, has: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let open = matches!(load, LoadPoint::Rate(_) | LoadPoint::Trace(_));
    let first = |names: &[&'static str]| names.iter().copied().find(|name| has(name));
    let ttft = if open { ["ttft_sched_p99", "ttft_sched_p50"] } else { ["ttft_p99", "ttft_p50"] };
    [
        first(&["goodput_req_s", "slo_attainment", "out_tok_s"]),
        first(&ttft),
        first(&["tpot_p50"]),
        Some("error_rate"),
    ]
    .into_iter()
    .flatten()
    .collect()
}
