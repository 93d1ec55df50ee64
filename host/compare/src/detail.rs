//! How whole distributions differ: differences at many percentiles with bands that hold for all of them together, and the
//! distribution functions themselves. One figure hides that a slower median may come with a better tail. Knows one pair;
//! nothing here decides.

use benchhost_model::LoadPoint;
use benchhost_stats::{Bootstrap, Confidence, Quantile, Refused, Series, ShiftPoint, p5_to_p99, shift};

use crate::gaps::Gaps;
use crate::gather::{Group, Sheet};
use crate::judge::SATURATED;
use crate::pair::Pair;
use crate::prompts::{Prompts, prompts};
use crate::request::Column;
use crate::row::{Row, Scale};

/// Seed of the bands: two calls on the same files draw the same.
const SEED: u64 = 0x0005_41F7;
/// Resamples.
const DRAWS: u32 = 1000;
/// Resamples where there are many requests.
const FEWER_DRAWS: u32 = 300;
/// Requests of both sides that are many.
const MANY: usize = 200_000;
/// Points of a distribution function that is to be drawn.
const CURVE_POINTS: usize = 300;

/// A distribution function: values, rising, each with the share of all values up to it.
pub type Curve = Vec<(f64, f64)>;

/// Distributions and prompts of one workload and load.
#[derive(Debug, Clone, PartialEq)]
pub struct Detail {
    /// Time to first token (in open loops from the scheduled time), time per output token, whole latency.
    pub latencies: Vec<LatencyDetail>,
    /// Gaps between output events in ms, base and new, all runs of a side together; empty where a side has no events.
    pub gaps: (Curve, Curve),
}

/// One latency.
#[derive(Debug, Clone, PartialEq)]
pub struct LatencyDetail {
    /// `ttft`, `ttft_sched`, `tpot`, `e2e`; in ms.
    pub metric: &'static str,
    /// Differences at p5, p10, … p95 and p99 with simultaneous 90 % bands; those that the data cannot support are left out.
    pub shift: Vec<ShiftPoint>,
    /// Why percentiles were left out, or all of them; empty: none were.
    pub shift_note: String,
    /// Distribution functions of base and new, all runs of a side together.
    pub curves: (Curve, Curve),
    /// What single prompts show.
    pub prompts: Prompts,
}

/// Looks at a pair. `named` knows the names of its items; `foreign`: items of another tool have none.
pub(crate) fn detail(pair: &Pair<'_>, rows: &[Row], named: &Sheet, foreign: bool) -> Detail {
    let open = matches!(pair.base.load, LoadPoint::Rate(_) | LoadPoint::Trace(_));
    let first = if open { ("ttft_sched", Column::TtftSched) } else { ("ttft", Column::Ttft) };
    let latencies = [first, ("tpot", Column::Tpot), ("e2e", Column::E2e)];
    let one = |metric: &'static str, column: Column| {
        let curves = (curve(pair, pair.base, column), curve(pair, pair.new, column));
        if curves.0.is_empty() && curves.1.is_empty() {
            return None;
        }
        if pair.saturated() {
            let none = Prompts::none(SATURATED);
            return Some(LatencyDetail {
                metric,
                shift: Vec::new(),
                shift_note: SATURATED.to_owned(),
                curves: Default::default(),
                prompts: none,
            });
        }
        let (shift, shift_note) = match shifted(pair, column) {
            Ok(found) => found,
            Err(why) => (Vec::new(), why),
        };
        let prompts = if foreign {
            Prompts::none("items of another tool have no names, so there are no pairs of the same prompt")
        } else {
            prompts(pair, column, margin(rows, metric), named)
        };
        Some(LatencyDetail { metric, shift, shift_note, curves, prompts })
    };
    let gaps = |group: &Group| {
        let mut all = Gaps::default();
        group.runs.iter().for_each(|run| all.add(&run.gaps));
        all.curve()
    };
    let gaps = (gaps(pair.base), gaps(pair.new));
    let gaps = if gaps.0.is_empty() || gaps.1.is_empty() { Default::default() } else { gaps };
    // A million requests take seconds a latency.
    let latencies = std::thread::scope(|scope| {
        let one = &one;
        let threads = latencies.map(|(metric, column)| scope.spawn(move || one(metric, column)));
        threads.into_iter().filter_map(|thread| thread.join().ok().flatten()).collect()
    });
    Detail { latencies, gaps }
}

/// The smallest relative change of its median that matters.
fn margin(rows: &[Row], metric: &str) -> f64 {
    let median = rows.iter().find(|r| r.metric.strip_suffix("_p50") == Some(metric));
    median.filter(|r| r.scale == Scale::Relative).map_or(0.05, |r| r.margin)
}

/// Values of each run in the order of sending; a run without any is left out.
fn series(pair: &Pair<'_>, group: &Group, column: Column) -> Vec<Series> {
    let of_run = |run| Series::new(pair.requests(run).filter_map(|r| r.latency(column)).collect()).ok();
    group.runs.iter().filter_map(of_run).collect()
}

/// The differences, and what was left out.
fn shifted(pair: &Pair<'_>, column: Column) -> Result<(Vec<ShiftPoint>, String), String> {
    let (base, new) = (series(pair, pair.base, column), series(pair, pair.new, column));
    if base.is_empty() || new.is_empty() {
        return Err("a side has no such latency".to_owned());
    }
    let requests: usize = base.iter().chain(&new).map(Series::len).sum();
    let draws = if requests > MANY { FEWER_DRAWS } else { DRAWS };
    let bootstrap = Bootstrap::new(SEED).with_resamples(draws).with_confidence(Confidence::P90);
    let all = p5_to_p99();
    match shift(&base, &new, &all, &bootstrap) {
        Ok(points) => Ok((points, String::new())),
        Err(refused) => {
            let fitting: Vec<Quantile> =
                all.iter().copied().filter(|q| q.smallest_sample(Confidence::P90) <= refused.have).collect();
            let few = |r: Refused| format!("too few independent requests: {} of {} needed", r.have, r.needed);
            if fitting.is_empty() || fitting.len() == all.len() {
                return Err(few(refused));
            }
            let points = shift(&base, &new, &fitting, &bootstrap).map_err(few)?;
            Ok((points, format!("percentiles further out are left out: {}", few(refused))))
        }
    }
}

fn curve(pair: &Pair<'_>, group: &Group, column: Column) -> Curve {
    let values = group.runs.iter().flat_map(|run| pair.requests(run).filter_map(|r| r.latency(column)));
    thinned(values.collect())
}

/// The distribution function of values at so many ranks, the first and the last among them.
pub(crate) fn thinned(mut values: Vec<f64>) -> Curve {
    values.sort_unstable_by(f64::total_cmp);
    let count = values.len();
    let points = count.min(CURVE_POINTS);
    let rank = |at: usize| if points < 2 { 0 } else { at * (count - 1) / (points - 1) };
    (0..points).map(|at| (values[rank(at)], (rank(at) + 1) as f64 / count as f64)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thinned_curve_keeps_both_ends_and_rises() {
        for count in [0, 1, 2, 299, 300, 301, 5000] {
            let curve = thinned((0..count).rev().map(f64::from).collect());
            assert_eq!(curve.len(), usize::try_from(count).unwrap().min(CURVE_POINTS));
            assert!(curve.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 < w[1].1));
            if let (Some(first), Some(last)) = (curve.first(), curve.last()) {
                assert_eq!((first.0, last.0, last.1), (0.0, f64::from(count - 1), 1.0));
            }
        }
    }
}
