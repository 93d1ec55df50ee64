//! Paired differences, one a prompt or item: the signed-rank test and the shift that belongs to it.
//!
//! Under load, prompts of one run disturb each other, so what is said here describes; it does not decide. Knows
//! differences.

use crate::distribution::normal_two_sided;
use crate::interval::{Confidence, Interval};
use crate::quantile::{Refused, to_count};
use crate::sample::{SampleError, Series};

/// Up to so many differences the distribution of the rank sum is counted, ties included.
const MOST_COUNTED: usize = 50;

/// What paired differences show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignedRank {
    /// Hodges & Lehmann's estimate of the shift: the median of the means of all pairs of differences, a difference with
    /// itself included (1963, Annals of Mathematical Statistics 34).
    pub shift: f64,
    /// The interval for it that belongs to the test, or why there is none: six differences are needed at 95 %.
    pub interval: Result<Interval, Refused>,
    /// Two-sided p-value of Wilcoxon's signed-rank test (1945, Biometrics 1). Differences of 0 are left out. Exact up
    /// to 50 differences, beyond by the normal distribution with the correction for ties and without one for
    /// continuity, as `scipy.stats.wilcoxon`.
    pub p: f64,
    /// Differences.
    pub pairs: usize,
}

/// Hodges–Lehmann shift, its interval and Wilcoxon's p-value of paired differences, for example log ratios by prompt.
/// Takes n log n: the n² means of pairs are searched, not written out.
///
/// ```
/// use benchhost_stats::{Confidence, signed_rank};
///
/// let found = signed_rank(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], Confidence::P95)?;
/// assert_eq!((found.shift, found.p), (4.0, 2.0 / 128.0));
/// # Ok::<(), benchhost_stats::SampleError>(())
/// ```
pub fn signed_rank(differences: Vec<f64>, confidence: Confidence) -> Result<SignedRank, SampleError> {
    let mut ascending = Series::new(differences)?.into_values();
    ascending.sort_unstable_by(f64::total_cmp);
    let count = ascending.len();
    let means = count as u64 * (count as u64 + 1) / 2;
    // The median of an even number of means is the middle of two.
    let shift = 0.5 * (walsh(&ascending, (means - 1) / 2) + walsh(&ascending, means / 2));
    Ok(SignedRank {
        shift,
        interval: interval(&ascending, means, confidence),
        p: p_value(&ascending),
        pairs: count,
    })
}

/// [x₍k₎, x₍M+1−k₎] of the M means of pairs, with k − 1 the largest rank sum whose tail is within (1 − confidence)/2.
fn interval(ascending: &[f64], means: u64, confidence: Confidence) -> Result<Interval, Refused> {
    let count = ascending.len();
    // All differences of one sign have probability 2⁻ⁿ: below this count no rank sum is rare enough.
    let needed = to_count((-confidence.tail().log2()).ceil());
    if count < needed {
        return Err(Refused { needed, have: count });
    }
    let below = if count <= MOST_COUNTED {
        let whole: Vec<u32> = (1..=count).map(|rank| 2 * u32::try_from(rank).unwrap_or(0)).collect();
        let mut tail = 0.0;
        // Doubled ranks make every second sum impossible, hence the step of 2.
        let rare = rank_sums(&whole).into_iter().step_by(2).take_while(|probability| {
            tail += probability;
            tail <= confidence.tail()
        });
        rare.count() as u64
    } else {
        let n = count as f64;
        let deviation = (n * (n + 1.0) * (2.0 * n + 1.0) / 24.0).sqrt();
        let edge = means as f64 / 2.0 - crate::distribution::normal_critical(confidence) * deviation;
        to_count(edge.floor().max(1.0)) as u64
    };
    Ok(Interval { low: walsh(ascending, below - 1), high: walsh(ascending, means - below), confidence })
}

/// The mean of a pair at this place (from 0) among all in ascending order.
///
/// Bisects the value; for a limit, two fingers count the means at or below it in one pass. Bisection ends at
/// neighbouring floats, and the result is the smallest mean that reaches them.
fn walsh(ascending: &[f64], place: u64) -> f64 {
    let at_most = |limit: f64| -> u64 {
        let mut high = ascending.len();
        let counts = ascending.iter().enumerate().map(|(low, &value)| {
            while high > 0 && 0.5 * (value + ascending[high - 1]) > limit {
                high -= 1;
            }
            // Partners from `low` itself upwards, so that each pair counts once.
            high.saturating_sub(low) as u64
        });
        counts.sum()
    };
    let (mut low, mut high) = (ascending[0], ascending[ascending.len() - 1]);
    if at_most(low) > place {
        return low;
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if at_most(middle) > place { high = middle } else { low = middle }
    }
    high
}

fn p_value(differences: &[f64]) -> f64 {
    let mut sizes: Vec<(f64, bool)> =
        differences.iter().filter(|&&value| value != 0.0).map(|value| (value.abs(), *value > 0.0)).collect();
    let count = sizes.len();
    if count == 0 {
        return 1.0;
    }
    sizes.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
    // Doubled, so that the mean rank of ties is whole.
    let (mut doubled, mut positive, mut ties) = (Vec::with_capacity(count), 0_u64, 0.0);
    for tied in sizes.chunk_by(|left, right| left.0.total_cmp(&right.0).is_eq()) {
        let twice = 2 * doubled.len() as u64 + tied.len() as u64 + 1;
        positive += twice * tied.iter().filter(|(_, positive)| *positive).count() as u64;
        doubled.extend(std::iter::repeat_n(twice, tied.len()));
        ties += (tied.len() as f64).powi(3) - tied.len() as f64;
    }
    let all: u64 = doubled.iter().sum();
    if count <= MOST_COUNTED {
        let ranks: Vec<u32> = doubled.iter().map(|&rank| u32::try_from(rank).unwrap_or(0)).collect();
        let smaller = positive.min(all - positive);
        let tail: f64 = rank_sums(&ranks).iter().take(usize::try_from(smaller).unwrap_or(0) + 1).sum();
        return (2.0 * tail).min(1.0);
    }
    let n = count as f64;
    let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - ties / 48.0;
    normal_two_sided((0.5 * positive as f64 - n * (n + 1.0) / 4.0) / variance.sqrt())
}

/// Probability of each sum of a random half of the ranks: every rank is in or out by the toss of a coin.
fn rank_sums(ranks: &[u32]) -> Vec<f64> {
    let mut sums = vec![1.0];
    for &rank in ranks {
        let rank = rank as usize;
        let mut next = vec![0.0; sums.len() + rank];
        for (sum, probability) in sums.iter().enumerate() {
            next[sum] += 0.5 * probability;
            next[sum + rank] += 0.5 * probability;
        }
        sums = next;
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrambled(count: u32) -> Vec<f64> {
        (0..count).map(|i| f64::from(i * 7919 % 1009) / 10.0 - 40.0).collect()
    }

    #[test]
    fn pair_means_are_found_without_writing_them_out() {
        for count in [1, 2, 3, 10, 61] {
            let mut values = scrambled(count);
            values.sort_unstable_by(f64::total_cmp);
            let pairs = values.iter().enumerate();
            let mut means: Vec<f64> =
                pairs.flat_map(|(at, a)| values[at..].iter().map(move |b| 0.5 * (a + b))).collect();
            means.sort_unstable_by(f64::total_cmp);
            for (place, want) in means.iter().enumerate() {
                assert!((walsh(&values, place as u64) - want).abs() < 1e-12, "{count} {place}");
            }
        }
    }

    #[test]
    fn ties_and_zeros_are_counted_exactly() {
        // ±1, ±1, 2: ranks 1.5, 1.5, 3; all positive is one of eight, so is all negative.
        let p = |values: &[f64]| signed_rank(values.to_vec(), Confidence::P95).unwrap().p;
        assert!((p(&[1.0, 1.0, 2.0]) - 0.25).abs() < 1e-12);
        assert!((p(&[0.0, 1.0, 1.0, 2.0, 0.0]) - 0.25).abs() < 1e-12);
        assert!((p(&[0.0, 0.0]) - 1.0).abs() < 1e-12);
        assert!((p(&[1.0, -1.0]) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn five_differences_have_no_interval_and_six_span_everything() {
        let at = |count: u32| signed_rank((1..=count).map(f64::from).collect(), Confidence::P95).unwrap();
        assert_eq!(at(5).interval, Err(Refused { needed: 6, have: 5 }));
        let six = at(6).interval.unwrap();
        assert_eq!((six.low, six.high), (1.0, 6.0));
        assert!(signed_rank(vec![], Confidence::P95).is_err());
    }

    #[test]
    fn a_hundred_thousand_pairs_are_no_burden_and_agree_with_the_counted_form() {
        let large = signed_rank(scrambled(100_000), Confidence::P95).unwrap();
        assert!(large.interval.unwrap().contains(large.shift));
        let widths = [50, 51].map(|count| {
            signed_rank(scrambled(count), Confidence::P95).unwrap().interval.unwrap().half_width()
        });
        assert!((widths[0] - widths[1]).abs() < 0.1 * widths[0], "{widths:?}");
    }
}
