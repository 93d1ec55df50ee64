//! The best rising (or falling) fit through noisy values.
//!
//! Knows values with weights in an order; what orders them is the caller's.

/// Least-squares fit that never falls, by pooling adjacent violators (Ayer et al. 1955; Barlow et al. 1972,
/// Statistical Inference under Order Restrictions). Pairs are (value, weight); a weight that is not above 0 counts
/// as 0. Linear.
///
/// ```
/// use benchhost_stats::isotonic_rising;
///
/// assert_eq!(isotonic_rising(&[(1.0, 1.0), (3.0, 1.0), (2.0, 1.0), (4.0, 1.0)]), [1.0, 2.5, 2.5, 4.0]);
/// ```
pub fn isotonic_rising(values: &[(f64, f64)]) -> Vec<f64> {
    struct Pool {
        value: f64,
        weight: f64,
        count: usize,
    }
    let mut pools: Vec<Pool> = Vec::with_capacity(values.len());
    for &(value, weight) in values {
        let weight = if weight > 0.0 { weight } else { 0.0 };
        let mut last = Pool { value, weight, count: 1 };
        while let Some(before) = pools.pop_if(|before| before.value >= last.value) {
            let weight = before.weight + last.weight;
            let share = if weight > 0.0 { last.weight / weight } else { 0.5 };
            let value = before.value + share * (last.value - before.value);
            last = Pool { value, weight, count: before.count + last.count };
        }
        pools.push(last);
    }
    pools.iter().flat_map(|pool| std::iter::repeat_n(pool.value, pool.count)).collect()
}

/// The same for a fit that never rises.
pub fn isotonic_falling(values: &[(f64, f64)]) -> Vec<f64> {
    let mirrored: Vec<(f64, f64)> = values.iter().map(|&(value, weight)| (-value, weight)).collect();
    isotonic_rising(&mirrored).into_iter().map(|value| -value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(values: &[f64]) -> Vec<(f64, f64)> {
        values.iter().map(|&value| (value, 1.0)).collect()
    }

    #[test]
    fn pools_chains_of_violations() {
        assert_eq!(isotonic_rising(&plain(&[5.0, 4.0, 3.0, 2.0, 1.0])), [3.0; 5]);
        assert_eq!(isotonic_rising(&plain(&[1.0, 2.0, 3.0])), [1.0, 2.0, 3.0]);
        assert_eq!(isotonic_falling(&plain(&[1.0, 3.0])), [2.0, 2.0]);
        assert!(isotonic_rising(&[]).is_empty());
    }

    #[test]
    fn weights_pull_and_zero_weights_do_not() {
        assert_eq!(isotonic_rising(&[(4.0, 3.0), (0.0, 1.0)]), [3.0, 3.0]);
        assert_eq!(isotonic_rising(&[(4.0, 1.0), (0.0, 0.0)]), [4.0, 4.0]);
        assert_eq!(isotonic_rising(&[(4.0, 0.0), (0.0, -1.0)]), [2.0, 2.0]);
    }

    #[test]
    fn the_fit_keeps_the_mean_and_the_order() {
        let values: Vec<f64> = (0..200).map(|i| f64::from(i * 37 % 101) + f64::from(i) / 3.0).collect();
        let fit = isotonic_rising(&plain(&values));
        assert!(fit.is_sorted());
        assert!((fit.iter().sum::<f64>() - values.iter().sum::<f64>()).abs() < 1e-8);
    }
}
