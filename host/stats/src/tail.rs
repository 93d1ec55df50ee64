//! How many independent values a series is worth for one of its quantiles, or for the share of an event in it.
//!
//! The error of a quantile comes from the correlation of "above it or not", not from that of the values. Knows order,
//! not time.

use crate::correlation::correlation_time;
use crate::quantile::{Quantile, to_count};
use crate::sample::Series;

/// Clumps of the rarer of the two outcomes needed before their own correlation can be trusted: with fewer, a run that
/// happened to see none looks independent.
const CLUMPS: f64 = 20.0;

/// How many independent values a series is worth for a quantile: n/τ with τ of the series of "above the quantile or
/// not", see [`effective_size`](crate::effective_size). Where the thin side holds fewer than 20 independent clumps,
/// their correlation cannot be told, and the smaller of this and the effective size of the values is taken.
///
/// ```
/// use benchhost_stats::{Quantile, Series, tail_effective_size};
///
/// // Independent values, except that the 40 slowest of 2000 come in four clumps of ten.
/// let slow = |i: u32| i % 500 < 10;
/// let value = |i: u32| if slow(i) { 5000.0 } else { f64::from(i * 7919 % 1009) };
/// let series = Series::new((0..2000).map(value).collect())?;
/// assert!(tail_effective_size(&series, Quantile::P99) < 400);
/// # Ok::<(), benchhost_stats::SampleError>(())
/// ```
pub fn tail_effective_size(values: &Series, quantile: Quantile) -> usize {
    let limit = values.to_sample().type7(quantile);
    let above: Vec<bool> = values.values().iter().map(|&value| value > limit).collect();
    share_effective_size(&above, values.values())
}

/// The same for the share of an event: `values` are the numbers from which the event was decided, in the same order.
/// They may be fewer, for instance without requests that failed, or none.
pub(crate) fn share_effective_size(event: &[bool], values: &[f64]) -> usize {
    if event.is_empty() {
        return 0;
    }
    let count = event.len() as f64;
    let indicator: Vec<f64> = event.iter().map(|&event| f64::from(u8::from(event))).collect();
    let times = indicator.iter().sum::<f64>();
    let time = correlation_time(&indicator);
    let seen = times.min(count - times) / time >= CLUMPS;
    let longest = if seen || values.is_empty() { time } else { time.max(correlation_time(values)) };
    to_count((count / longest).floor()).clamp(1, event.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_never_happened_is_judged_by_the_values() {
        let climbing: Vec<f64> = (0..1000).map(f64::from).collect();
        let never = vec![false; 1000];
        assert_eq!(share_effective_size(&never, &[]), 1000);
        assert!(share_effective_size(&never, &climbing) < 10);
        assert_eq!(share_effective_size(&[], &[]), 0);
    }

    #[test]
    fn an_event_seen_often_is_judged_by_itself() {
        // Scattered events in a series whose values climb.
        let climbing: Vec<f64> = (0..1000).map(f64::from).collect();
        let scattered: Vec<bool> = (0..1000_u32).map(|i| i * 7919 % 1009 < 200).collect();
        assert!(share_effective_size(&scattered, &climbing) > 500);
    }
}
