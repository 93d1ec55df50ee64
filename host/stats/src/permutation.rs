//! Permutation p-values: how often chance alone, by relabelling the runs, gives a difference as large.
//!
//! Exact where all relabellings can be counted, else from draws with a fixed seed, so a p-value never changes
//! between two readings of the same data. Assumes nothing of the distribution of run summaries.

use crate::bootstrap::below;
use crate::sample::mean;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// C(24, 12): all splits up to twelve runs against twelve are counted.
const MOST_SPLITS: u128 = 2_704_156;
/// Up to so many blocks every pattern of signs is counted.
const MOST_FLIPS: usize = 20;
/// Draws where not everything is counted.
const DRAWS: u32 = 20_000;
const SEED: u64 = 0x7065_726d_7574_6500;

/// Two-sided p-value of the difference of means between two independent sides (Fisher–Pitman permutation test;
/// Good 2005, Permutation, Parametric and Bootstrap Tests of Hypotheses, §3).
///
/// Exact up to twelve runs a side (any two sides with at most 2 704 156 splits), else 20 000 seeded draws counted as
/// (extreme + 1)/(draws + 1). `None` if a side is empty. The smallest value possible is 0.1 for 3 against 3 runs,
/// 0.029 for 4 against 4 and 0.008 for 5 against 5.
///
/// ```
/// use benchhost_stats::permutation_p;
///
/// // 2 of the 20 splits are as extreme.
/// assert_eq!(permutation_p(&[1.0, 2.0, 3.0], &[7.0, 8.0, 9.0]), Some(0.1));
/// ```
pub fn permutation_p(base: &[f64], candidate: &[f64]) -> Option<f64> {
    if base.is_empty() || candidate.is_empty() {
        return None;
    }
    let pooled: Vec<f64> = base.iter().chain(candidate).copied().collect();
    let centre = mean(&pooled);
    let mut centred: Vec<f64> = pooled.iter().map(|value| value - centre).collect();
    // For a fixed split size the difference of means is proportional to the centred sum of one side.
    let observed = centred[..base.len()].iter().sum::<f64>().abs();
    let limit = observed - tolerance(&centred);
    // The sums of the two sides differ in sign only, so the smaller side stands for both: counting by the larger one
    // would go as deep as it has values.
    let smaller = base.len().min(candidate.len());
    if splits(pooled.len(), smaller) <= MOST_SPLITS {
        let mut count = Count::default();
        count_splits(&centred, smaller, 0.0, limit, &mut count);
        return Some(count.extreme as f64 / count.all as f64);
    }
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut extreme = 0_u32;
    for _ in 0..DRAWS {
        for position in 0..smaller {
            let other = position + below(&mut random, centred.len() - position);
            centred.swap(position, other);
        }
        extreme += u32::from(centred[..smaller].iter().sum::<f64>().abs() >= limit);
    }
    Some(f64::from(extreme + 1) / f64::from(DRAWS + 1))
}

/// Two-sided p-value that paired differences are centred on 0: each sign is flipped (Fisher's randomisation test;
/// Good 2005, §3.7). Exact up to 20 pairs, else 20 000 seeded draws. `None` without differences. Five pairs cannot
/// reach 0.05; six can (0.031).
///
/// ```
/// use benchhost_stats::sign_flip_p;
///
/// assert_eq!(sign_flip_p(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), Some(2.0 / 64.0));
/// ```
pub fn sign_flip_p(differences: &[f64]) -> Option<f64> {
    if differences.is_empty() {
        return None;
    }
    let limit = differences.iter().sum::<f64>().abs() - tolerance(differences);
    if differences.len() <= MOST_FLIPS {
        let mut count = Count::default();
        count_flips(differences, 0.0, limit, &mut count);
        return Some(count.extreme as f64 / count.all as f64);
    }
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut flipped = || -> f64 {
        differences.iter().map(|value| if below(&mut random, 2) == 0 { *value } else { -value }).sum()
    };
    let extreme = (0..DRAWS).filter(|_| flipped().abs() >= limit).count();
    Some((extreme as f64 + 1.0) / f64::from(DRAWS + 1))
}

#[derive(Default)]
struct Count {
    extreme: u64,
    all: u64,
}

/// Sums that differ by rounding only must count as equal, or ties would be lost at random.
fn tolerance(values: &[f64]) -> f64 {
    1e-12 * values.iter().map(|value| value.abs()).sum::<f64>()
}

/// Counts the ways to pick `left` of the values whose sum, added to `sum`, reaches `limit` in size.
fn count_splits(values: &[f64], left: usize, sum: f64, limit: f64, count: &mut Count) {
    if left == 0 {
        count.all += 1;
        count.extreme += u64::from(sum.abs() >= limit);
        return;
    }
    for (index, value) in values[..=values.len() - left].iter().enumerate() {
        count_splits(&values[index + 1..], left - 1, sum + value, limit, count);
    }
}

fn count_flips(values: &[f64], sum: f64, limit: f64, count: &mut Count) {
    if let [first, rest @ ..] = values {
        count_flips(rest, sum + first, limit, count);
        count_flips(rest, sum - first, limit, count);
    } else {
        count.all += 1;
        count.extreme += u64::from(sum.abs() >= limit);
    }
}

/// C(total, chosen), saturating.
fn splits(total: usize, chosen: usize) -> u128 {
    let smaller = chosen.min(total - chosen);
    (0..smaller).fold(1_u128, |ways, step| ways.saturating_mul((total - step) as u128) / (step as u128 + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(got: Option<f64>, want: f64) {
        assert!((got.unwrap() - want).abs() < 1e-12, "{got:?} is not {want}");
    }

    #[test]
    fn smallest_p_values_are_the_published_ones() {
        let side = |from: u32, count: u32| -> Vec<f64> { (from..from + count).map(f64::from).collect() };
        for (count, ways) in [(3, 20.0), (4, 70.0), (5, 252.0)] {
            is(permutation_p(&side(0, count), &side(100, count)), 2.0 / ways);
        }
    }

    #[test]
    fn hand_counted_overlap_and_ties() {
        // {1, 4} against {2, 3}: the two halves are equal, every split is as extreme.
        is(permutation_p(&[1.0, 4.0], &[2.0, 3.0]), 1.0);
        // Splits of {0, 0, 1, 1} into pairs: 2 of 6 differ by 1, 4 by 0.
        is(permutation_p(&[0.0, 0.0], &[1.0, 1.0]), 2.0 / 6.0);
        is(permutation_p(&[5.0, 5.0], &[5.0, 5.0]), 1.0);
        is(sign_flip_p(&[3.0, -1.0]), 1.0);
        assert_eq!(permutation_p(&[], &[1.0]), None);
        assert_eq!(sign_flip_p(&[]), None);
    }

    #[test]
    fn drawn_p_values_are_seeded_and_near_the_exact_ones() {
        let side = |from: u64| -> Vec<f64> { (from..from + 13).map(|i| (i * 37 % 101) as f64).collect() };
        let drawn = permutation_p(&side(0), &side(40)).unwrap();
        assert_eq!(permutation_p(&side(0), &side(40)), Some(drawn));
        assert!(drawn > 0.0 && drawn <= 1.0);
        // 21 equal differences: 2 of 2^21 patterns are as extreme, the draws find none or few.
        assert!(sign_flip_p(&[1.0; 21]).unwrap() < 1e-3);
    }

    #[test]
    fn the_sides_may_be_swapped_however_unequal_they_are() {
        // Counted by the larger side these would be a recursion of 100 000 levels, and 10^9 steps.
        for (many, few) in [(100_000, 1), (2000, 2)] {
            let many: Vec<f64> = (0..many).map(f64::from).collect();
            let few: Vec<f64> = (0..few).map(|i| 1500.5 + f64::from(i)).collect();
            let p = permutation_p(&many, &few).unwrap();
            is(permutation_p(&few, &many), p);
            assert!(p > 0.0 && p <= 1.0);
        }
    }

    #[test]
    fn binomial_coefficients_are_exact_until_they_saturate() {
        assert_eq!(splits(24, 12), MOST_SPLITS);
        assert_eq!(splits(5, 0), 1);
        assert!(splits(100_000, 50_000) > MOST_SPLITS);
    }
}
