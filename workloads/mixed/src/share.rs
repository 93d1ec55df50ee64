//! How many of each. Arithmetic only.

/// Divides `total` in proportion to `weights` by largest remainders; a tie goes to the earlier one. The shares add up to
/// `total`, unless all weights are 0: then all shares are.
pub(crate) fn largest_remainder(total: u32, weights: &[u32]) -> Vec<u32> {
    let sum: u64 = weights.iter().copied().map(u64::from).sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let product = |weight: u32| u64::from(total) * u64::from(weight);
    let mut shares: Vec<u32> =
        weights.iter().map(|w| u32::try_from(product(*w) / sum).unwrap_or(u32::MAX)).collect();
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    by_remainder.sort_by_key(|i| std::cmp::Reverse(product(weights[*i]) % sum));
    let missing = total - shares.iter().sum::<u32>();
    for index in by_remainder.into_iter().take(missing as usize) {
        shares[index] += 1;
    }
    shares
}

/// The largest total, at most `most`, whose shares are all available; 0 when none is.
pub(crate) fn largest_fitting(most: u32, weights: &[u32], available: &[u32]) -> u32 {
    let fits = |total: &u32| {
        largest_remainder(*total, weights).iter().zip(available).all(|(share, there)| share <= there)
    };
    (1..=most).rev().find(fits).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIX: [u32; 4] = [200, 120, 120, 80];

    #[test]
    fn shares_add_up_and_are_never_off_by_one_or_more() {
        assert_eq!(largest_remainder(520, &MIX), MIX);
        for total in 0..600 {
            let shares = largest_remainder(total, &MIX);
            assert_eq!(shares.iter().sum::<u32>(), total);
            for (share, weight) in shares.iter().zip(MIX) {
                let exact = f64::from(total) * f64::from(weight) / 520.0;
                assert!((f64::from(*share) - exact).abs() < 1.0, "{total}: {shares:?}");
            }
        }
    }

    #[test]
    fn a_tie_goes_to_the_earlier_one_and_no_weight_gives_no_share() {
        assert_eq!(largest_remainder(1, &[1, 1]), [1, 0]);
        assert_eq!(largest_remainder(5, &[0, 0]), [0, 0]);
        assert_eq!(largest_remainder(5, &[]), Vec::<u32>::new());
    }

    #[test]
    fn the_largest_total_that_fits_leaves_no_room_for_one_more() {
        let available = [30, 17, 17, 15];
        let total = largest_fitting(520, &MIX, &available);
        let fits = |t| largest_remainder(t, &MIX).iter().zip(available).all(|(share, there)| *share <= there);
        assert!(fits(total) && (total + 1..=520).all(|t| !fits(t)), "{total}");
        assert_eq!(largest_fitting(520, &MIX, &[0, 9, 9, 9]), 0);
        assert_eq!(largest_fitting(100, &MIX, &[999; 4]), 100);
    }
}
