//! Arrivals of a recorded trace: faster or slower, a part of it, or thinned. Each arrival carries what arrives. Knows
//! no file; the workload gives the list.

use benchhost_model::Nanos;

use super::random::{stream, uniform};

/// A factor by which time runs, or a share: finite and above 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Factor(f64);

impl Factor {
    /// `None`: not finite, not above 0, or beyond a billion either way.
    pub fn new(factor: f64) -> Option<Self> {
        (1e-9..=1e9).contains(&factor).then_some(Self(factor))
    }
}

/// Plays the trace `speed` times as fast as recorded. Order and gaps below a millisecond are kept.
pub fn scaled<T>(trace: impl Iterator<Item = (Nanos, T)>, speed: Factor) -> impl Iterator<Item = (Nanos, T)> {
    trace.map(move |(at, what)| (super::nanos(at.as_secs() / speed.0), what))
}

/// Only what arrives from `from` on and before `until`, counted from `from`.
pub fn within<T>(
    trace: impl Iterator<Item = (Nanos, T)>,
    from: Nanos,
    until: Nanos,
) -> impl Iterator<Item = (Nanos, T)> {
    trace.filter(move |(at, _)| (from..until).contains(at)).map(move |(at, what)| (at - from, what))
}

/// Keeps each arrival with the probability `share` (1 or more: all), by one coin an arrival. What is kept stays where
/// it was, so bursts remain bursts, only thinner; playing a trace more slowly stretches them instead. With the same
/// seed a smaller share keeps a part of what a larger one keeps.
pub fn thinned<T>(
    trace: impl Iterator<Item = (Nanos, T)>,
    share: Factor,
    seed: u64,
) -> impl Iterator<Item = (Nanos, T)> {
    let mut coins = stream(seed, *b"thinning");
    trace.filter(move |_| uniform(&mut coins) < share.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace() -> impl Iterator<Item = (Nanos, u64)> {
        (0..10_000_u64).map(|n| (Nanos::new(n * 1_000_300), n))
    }

    fn factor(factor: f64) -> Factor {
        Factor::new(factor).unwrap()
    }

    #[test]
    fn time_scales_and_order_stays() {
        let fast: Vec<_> = scaled(trace(), factor(2.0)).collect();
        assert_eq!((fast.len(), fast[2]), (10_000, (Nanos::new(1_000_300), 2)));
        let slow: Vec<_> = scaled(trace(), factor(0.5)).take(3).collect();
        assert_eq!(slow[1].0, Nanos::new(2_000_600));
    }

    #[test]
    fn a_window_begins_at_zero_and_leaves_out_its_end() {
        let part: Vec<_> = within(trace(), Nanos::new(1_000_300), Nanos::new(3_000_900)).collect();
        assert_eq!(part, [(Nanos::ZERO, 1), (Nanos::new(1_000_300), 2)]);
    }

    #[test]
    fn thinning_keeps_a_share_where_it_was_and_smaller_shares_are_parts_of_larger() {
        let kept = |share| thinned(trace(), factor(share), 5).collect::<Vec<_>>();
        let (half, tenth) = (kept(0.5), kept(0.1));
        // Four standard errors of a binomial count.
        assert!((half.len() as f64 - 5000.0).abs() < 4.0 * 50.0, "{}", half.len());
        assert!((tenth.len() as f64 - 1000.0).abs() < 4.0 * 30.0, "{}", tenth.len());
        assert!(half.iter().all(|(at, n)| at.get() == n * 1_000_300));
        assert!(tenth.iter().all(|kept| half.contains(kept)));
        assert_eq!(kept(1.0).len(), 10_000);
        assert_ne!(half, thinned(trace(), factor(0.5), 6).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_no_factor_cannot_be_made() {
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Factor::new(bad).is_none());
        }
    }
}
