//! How the latencies of single requests of one load point are spread: cumulative distributions.

use super::Place;
use crate::metric::{E2E_P50, Metric, TPOT_P50, TTFT_P50};

/// Why there are no distributions.
pub(crate) const NO_LATENCIES: &str = "latency distributions: no completed request has a latency";
/// Latencies that span more than this factor are drawn on a logarithmic axis.
const LOG_FROM: f64 = 20.0;
/// Completed requests that a p99 needs; fewer have no interval (order statistics, 95 %).
const P99_NEEDS: usize = 368;
/// The same for a p90.
const P90_NEEDS: usize = 36;

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
    /// All, in the order they are shown.
    pub(crate) const ALL: [Self; 3] = [Self::Ttft, Self::Tpot, Self::E2e];

    pub(crate) const fn metric(self) -> Metric {
        match self {
            Self::Ttft => TTFT_P50,
            Self::Tpot => TPOT_P50,
            Self::E2e => E2E_P50,
        }
    }

    pub(crate) const fn words(self) -> &'static str {
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
    pub(crate) place: Place,
    pub(crate) kind: LatencyKind,
    /// Rising; with more than [`Self::KEPT`] values those at evenly spaced ranks.
    values: Vec<f64>,
    /// Before thinning.
    pub(crate) count: usize,
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

    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// At most `most` pairs of a value and the share of requests at or below it, in per cent.
    pub(crate) fn curve(&self, most: usize) -> Vec<(f64, f64)> {
        let n = self.values.len() as f64;
        at_ranks(&self.values, most)
            .into_iter()
            .map(|(rank, value)| (value, 100.0 * (rank as f64 + 1.0) / n))
            .collect()
    }

    /// The highest percentile that the number of requests supports beside the median, and its value.
    pub(crate) fn tail(&self) -> Option<(u8, f64)> {
        let percent = match self.count {
            n if n >= P99_NEEDS => 99,
            n if n >= P90_NEEDS => 90,
            _ => return None,
        };
        self.at_share(percent).map(|value| (percent, value))
    }

    /// The value that `percent` of the kept requests do not exceed.
    pub(crate) fn at_share(&self, percent: u8) -> Option<f64> {
        let rank = (self.values.len() * usize::from(percent)).div_ceil(100);
        self.values.get(rank.checked_sub(1)?).copied()
    }
}

/// Whether curves together want a logarithmic axis.
pub(crate) fn wants_log(curves: &[&Latencies]) -> bool {
    let ends = curves.iter().flat_map(|c| [c.values.first(), c.values.last()]).flatten().copied();
    let (low, high) = ends.fold((f64::INFINITY, 0.0_f64), |(l, h), v| (l.min(v), h.max(v)));
    low > 0.0 && high / low > LOG_FROM
}

/// At most `most` of `values` at evenly spaced ranks, the first and the last among them.
fn at_ranks(values: &[f64], most: usize) -> Vec<(usize, f64)> {
    let n = values.len();
    if n <= most || most < 2 {
        return values.iter().copied().enumerate().collect();
    }
    (0..most).map(|i| i * (n - 1) / (most - 1)).map(|rank| (rank, values[rank])).collect()
}

#[cfg(test)]
mod tests {
    use benchhost_model::LoadPoint;

    use super::*;

    fn of(values: Vec<f64>) -> Latencies {
        let place = Place {
            engine: String::new(),
            variant: String::new(),
            model: String::new(),
            simulated: false,
            workload: String::new(),
            load: LoadPoint::Concurrency(1),
        };
        Latencies::new(place, LatencyKind::Ttft, values)
    }

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

    #[test]
    fn a_percentile_is_named_only_where_the_requests_support_it() {
        let rising = |n: u32| of((1..=n).map(f64::from).collect());
        assert_eq!(rising(35).tail(), None);
        assert_eq!(rising(100).tail(), Some((90, 90.0)));
        assert_eq!(rising(400).tail(), Some((99, 396.0)));
        assert_eq!(rising(5).at_share(50), Some(3.0));
        assert_eq!(of(Vec::new()).at_share(50), None);
    }

    #[test]
    fn a_wide_range_wants_a_logarithmic_axis() {
        let (near, far) = (of(vec![10.0, 100.0]), of(vec![1000.0]));
        assert!(!wants_log(&[&near]) && wants_log(&[&near, &far]));
        assert!(!wants_log(&[&of(vec![0.0, 1000.0])]), "0 has no logarithm");
    }
}
