//! How bursty arrivals are: the variation of gaps and the dispersion of counts.
//!
//! Knows moments in time. Poisson arrivals have 1 in both figures; a metronome has 0.

use crate::rate::Window;
use crate::sample::{mean, variance};

/// Fewest whole bins for an index of dispersion: below ten its own error exceeds half of it.
const FEWEST_BINS: u64 = 10;

/// Coefficient of variation sd/mean of values above or equal to 0, such as gaps between arrivals: 0 for equal gaps,
/// 1 on average for a Poisson process. `None` for fewer than two values or a mean of 0.
///
/// ```
/// assert_eq!(benchhost_stats::variation(&[2.0, 2.0, 2.0]), Some(0.0));
/// assert_eq!(benchhost_stats::variation(&[1.0]), None);
/// ```
pub fn variation(values: &[f64]) -> Option<f64> {
    if values.len() < 2 || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let centre = mean(values);
    (centre > 0.0).then(|| variance(values).sqrt() / centre)
}

/// Index of dispersion of counts: variance over mean of the number of events in bins of `bin_ns` (Cox & Lewis 1966,
/// The Statistical Analysis of Series of Events, §4.3). 1 for a Poisson process at any bin, larger for bursts that
/// last as long as a bin or longer.
///
/// Only whole bins inside the window count. `None` for fewer than ten of them or without events. Order does not
/// matter.
///
/// ```
/// use benchhost_stats::{Window, index_of_dispersion};
///
/// let window = Window::new(0, 100)?;
/// let regular: Vec<u64> = (0..100).collect();
/// assert_eq!(index_of_dispersion(window, 10, regular), Some(0.0));
/// let in_one_burst = [42; 50];
/// assert!(index_of_dispersion(window, 10, in_one_burst).unwrap() > 40.0);
/// # Ok::<(), benchhost_stats::OutOfRange>(())
/// ```
pub fn index_of_dispersion(
    window: Window,
    bin_ns: u64,
    events: impl IntoIterator<Item = u64>,
) -> Option<f64> {
    let length = window.end_ns() - window.start_ns();
    let bins = length.checked_div(bin_ns)?;
    if bins < FEWEST_BINS {
        return None;
    }
    // Bins without an event are not stored, so a tiny bin in a long window costs no memory.
    let mut hit: Vec<u64> = events
        .into_iter()
        .filter(|&at| window.contains(at))
        .map(|at| (at - window.start_ns()) / bin_ns)
        .filter(|&bin| bin < bins)
        .collect();
    hit.sort_unstable();
    if hit.is_empty() {
        return None;
    }
    let (all, bins) = (hit.len() as f64, bins as f64);
    let squares: f64 = hit.chunk_by(|left, right| left == right).map(|bin| (bin.len() as f64).powi(2)).sum();
    let centre = all / bins;
    Some(((squares - bins * centre * centre) / (bins - 1.0) / centre).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bootstrap::below;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn uniform_random_moments_have_an_index_near_one_at_every_bin() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let window = Window::new(1_000_000, 2_000_000).unwrap();
        let events: Vec<u64> =
            (0..50_000).map(|_| 1_000_000 + below(&mut random, 1_000_000) as u64).collect();
        for bin in [10, 100, 1000] {
            let index = index_of_dispersion(window, bin, events.iter().copied()).unwrap();
            // Standard error is √(2/bins), at most 0.045.
            assert!((index - 1.0).abs() < 0.2, "{bin}: {index}");
        }
    }

    #[test]
    fn the_index_equals_counting_bin_by_bin() {
        let events: Vec<u64> = (0..300_u64).map(|i| i * i % 997).collect();
        let mut counts = vec![0.0; 19];
        events
            .iter()
            .filter(|&&at| at < 950)
            .for_each(|&at| counts[usize::try_from(at / 50).unwrap()] += 1.0);
        let want = variance(&counts) / mean(&counts);
        let got = index_of_dispersion(Window::new(0, 997).unwrap(), 50, events).unwrap();
        assert!((got - want).abs() < 1e-9, "{got} {want}");
    }

    #[test]
    fn too_little_has_no_index() {
        let window = Window::new(0, 100).unwrap();
        assert_eq!(index_of_dispersion(window, 11, 0..100), None, "nine bins");
        assert_eq!(index_of_dispersion(window, 0, 0..100), None);
        assert_eq!(index_of_dispersion(window, 1, []), None);
        assert!(index_of_dispersion(Window::new(0, u64::MAX).unwrap(), 1, [5]).is_some());
        assert_eq!(variation(&[0.0, 0.0]), None);
        assert_eq!(variation(&[1.0, f64::INFINITY]), None);
    }
}
