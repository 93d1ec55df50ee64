//! Where a series has settled: the MSER-5 cut of an initial transient.
//!
//! Knows the order of values, not what they measure. It trims a transient; it cannot make a short run long.

/// Values averaged into one batch (White 1997, Simulation 69; Spratt 1998; Hoad, Robinson & Davies 2010).
const BATCH: usize = 5;
/// Cuts that leave fewer batches are not looked at: a few neighbours are alike by chance.
const FEWEST_LEFT: usize = 5;
/// Fewer batches than this are not examined.
const FEWEST_BATCHES: usize = 10;

/// How many values to drop from the front of a series, and whether that is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mser {
    /// Values to drop from the front: a multiple of 5, 0 if the series was too short to examine.
    pub cut: usize,
    /// False if the best cut lies in the second half of the series: it had not settled. True also where nothing was
    /// examined; see [`Mser::examined`].
    pub stationary: bool,
    /// Batches of five that were looked at; 0 for fewer than 50 values.
    pub batches: usize,
}

impl Mser {
    /// Whether there were the 50 values a judgement needs.
    pub fn examined(&self) -> bool {
        self.batches > 0
    }
}

/// The MSER-5 cut: means of five, then the cut d that minimises s²(d)/(m − d) over the m − d batches behind it.
///
/// A value that is not finite makes every cut before it worthless, so the cut falls behind it or, near the end, the
/// series counts as not stationary. Linear in the number of values.
///
/// ```
/// use benchhost_stats::mser5;
///
/// // 100 values that come down from 20, then 900 around 10.
/// let values: Vec<f64> =
///     (0..1000).map(|i| 10.0 + f64::from(i * 7 % 5) + f64::from((100 - i).max(0)) / 10.0).collect();
/// let found = mser5(&values);
/// assert!((60..=120).contains(&found.cut) && found.stationary);
/// ```
pub fn mser5(values: &[f64]) -> Mser {
    let means: Vec<f64> =
        values.chunks_exact(BATCH).map(|batch| batch.iter().sum::<f64>() / BATCH as f64).collect();
    let batches = means.len();
    if batches < FEWEST_BATCHES {
        return Mser { cut: 0, stationary: true, batches: 0 };
    }
    // From the back, with the running mean and sum of squares of Welford (1962), so that each cut costs one step.
    let (mut mean, mut squares) = (0.0, 0.0);
    let (mut best, mut best_cut) = (f64::INFINITY, batches - FEWEST_LEFT);
    for (taken, cut) in (0..batches).rev().enumerate() {
        let count = taken as f64 + 1.0;
        let change = means[cut] - mean;
        mean += change / count;
        squares += change * (means[cut] - mean);
        let score = squares / (count * count);
        // Of equal cuts the earliest: it keeps the most.
        if taken + 1 >= FEWEST_LEFT && score <= best {
            (best, best_cut) = (score, cut);
        }
    }
    Mser { cut: best_cut * BATCH, stationary: 2 * best_cut <= batches, batches }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise without a random source: a full period of a small congruential generator, mean near 0.
    fn noise(count: u32) -> impl Iterator<Item = f64> {
        (0..count).scan(1_u32, |state, _| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Some(f64::from(*state >> 16) / 65_536.0 - 0.5)
        })
    }

    #[test]
    fn a_settled_series_loses_nothing_or_little() {
        let found = mser5(&noise(2000).collect::<Vec<_>>());
        assert!(found.cut <= 200 && found.stationary && found.examined(), "{found:?}");
        assert_eq!(mser5(&[3.0; 1000]), Mser { cut: 0, stationary: true, batches: 200 });
    }

    #[test]
    fn a_decaying_start_is_cut_off() {
        let values: Vec<f64> =
            noise(2000).enumerate().map(|(i, e)| e + 5.0 * (-(i as f64) / 50.0).exp()).collect();
        let found = mser5(&values);
        assert!((100..400).contains(&found.cut) && found.stationary, "{found:?}");
    }

    #[test]
    fn a_series_that_never_settles_says_so() {
        let climbing: Vec<f64> = noise(1000).enumerate().map(|(i, e)| e + i as f64 / 50.0).collect();
        assert!(!mser5(&climbing).stationary);
        let stepping: Vec<f64> =
            noise(1000).enumerate().map(|(i, e)| e + f64::from(u8::from(i > 700)) * 9.0).collect();
        assert!(!mser5(&stepping).stationary);
    }

    #[test]
    fn too_short_a_series_is_not_examined() {
        for count in [0, 1, 4, 49] {
            let found = mser5(&noise(count).collect::<Vec<_>>());
            assert_eq!((found.cut, found.examined()), (0, false));
        }
        assert!(mser5(&noise(50).collect::<Vec<_>>()).examined());
    }

    #[test]
    fn what_is_not_a_number_is_cut_off_or_refused() {
        let mut values: Vec<f64> = noise(500).collect();
        values[3] = f64::NAN;
        assert!(mser5(&values).cut >= 5);
        values[499] = f64::INFINITY;
        assert!(!mser5(&values).stationary);
    }
}
