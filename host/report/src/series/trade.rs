//! What one gives up for the other: throughput of the server against the speed that a user sees.

use benchhost_model::{LoadPoint, SummaryRow};

use super::{Spread, loads};

/// Why the figure is not there.
pub(crate) const NO_TRADE: &str = "throughput against speed for a user: fewer than two points have both";
/// Why there is no cost.
pub(crate) const NO_PRICE: &str = "cost of a million tokens: no price was given (--gpu-price)";

/// Both sides at one load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Trade {
    pub(crate) load: LoadPoint,
    /// Output tokens a second that the median user sees.
    pub(crate) speed: f64,
    /// Output tokens a second of the server.
    pub(crate) tokens: Spread,
}

/// One point for each load of `rows` that has both.
pub(crate) fn trades(rows: &[&SummaryRow]) -> Vec<Trade> {
    let at = |load: LoadPoint| {
        let at = || rows.iter().copied().filter(move |r| r.load == load);
        let speed = Spread::of(at().map(|r| r.tps_user_p50))?.mean;
        Some(Trade { load, speed, tokens: Spread::of(at().map(|r| r.out_tok_s))? })
    };
    loads(rows).into_iter().filter_map(at).collect()
}

/// The points that no other point beats in both, from the highest x on.
pub(crate) fn front(mut points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    points.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)));
    let mut kept: Vec<(f64, f64)> = Vec::new();
    for point in points {
        if kept.last().is_none_or(|last| point.1 > last.1) {
            kept.push(point);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::row;

    #[test]
    fn the_front_holds_what_nothing_beats() {
        let all = vec![(10.0, 1.0), (8.0, 5.0), (9.0, 2.0), (7.0, 4.0), (8.0, 3.0)];
        assert_eq!(front(all), [(10.0, 1.0), (9.0, 2.0), (8.0, 5.0)]);
        assert!(front(Vec::new()).is_empty());
    }

    #[test]
    fn a_load_without_either_side_is_no_point() {
        let with = SummaryRow { tps_user_p50: Some(50.0), ..row("vllm", "fp16", 8) };
        let without = row("vllm", "fp16", 16);
        let found = trades(&[&with, &without]);
        assert_eq!(found.iter().map(|t| t.load).collect::<Vec<_>>(), [LoadPoint::Concurrency(8)]);
    }
}
