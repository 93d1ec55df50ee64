//! Adjusted p-values for several metrics looked at together.
//!
//! Twenty metrics without change give one p below 0.05 on average. Knows p-values only.

/// Holm's adjusted p-values, in the order given (Holm 1979, Scand. J. Statistics 6): rejecting those below α keeps
/// the chance of any false alarm below α. For metrics that gate.
///
/// A value that is not a probability counts as 1: it can never reject.
///
/// ```
/// use benchhost_stats::holm;
///
/// assert_eq!(holm(&[0.5, 0.125, 0.25]), [0.5, 0.375, 0.5]);
/// ```
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let order = ascending(p_values);
    let mut adjusted = vec![1.0; p_values.len()];
    let mut largest = 0.0_f64;
    for (rank, &index) in order.iter().enumerate() {
        let factor = (p_values.len() - rank) as f64;
        largest = largest.max((factor * probability(p_values[index])).min(1.0));
        adjusted[index] = largest;
    }
    adjusted
}

/// Benjamini & Hochberg's adjusted p-values (q-values), in the order given (1995, J. R. Stat. Soc. B 57): among those
/// below q, the expected share of false alarms is at most q. For metrics that only inform.
///
/// A value that is not a probability counts as 1.
///
/// ```
/// use benchhost_stats::benjamini_hochberg;
///
/// assert_eq!(benjamini_hochberg(&[0.5, 0.125, 0.25]), [0.5, 0.375, 0.375]);
/// ```
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let order = ascending(p_values);
    let mut adjusted = vec![1.0; p_values.len()];
    let mut smallest = 1.0_f64;
    for (rank, &index) in order.iter().enumerate().rev() {
        let factor = p_values.len() as f64 / (rank as f64 + 1.0);
        smallest = smallest.min(factor * probability(p_values[index]));
        adjusted[index] = smallest;
    }
    adjusted
}

fn probability(value: f64) -> f64 {
    if (0.0..=1.0).contains(&value) { value } else { 1.0 }
}

fn ascending(p_values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&left, &right| probability(p_values[left]).total_cmp(&probability(p_values[right])));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(got: &[f64], want: &[f64]) {
        assert_eq!(got.len(), want.len());
        assert!(got.iter().zip(want).all(|(g, w)| (g - w).abs() < 1e-12), "{got:?} is not {want:?}");
    }

    #[test]
    fn worked_example_with_four_values() {
        // Holm: 4·0.005, 3·0.01, 2·0.03, then the running maximum. BH: 4/1·0.005, 4/2·0.01, 4/3·0.03, 0.04.
        let p = [0.01, 0.04, 0.03, 0.005];
        near(&holm(&p), &[0.03, 0.06, 0.06, 0.02]);
        near(&benjamini_hochberg(&p), &[0.02, 0.04, 0.04, 0.02]);
    }

    #[test]
    fn what_is_no_probability_never_rejects() {
        near(&holm(&[f64::NAN, -0.1, 0.01]), &[1.0, 1.0, 0.03]);
        near(&benjamini_hochberg(&[f64::NAN, 7.0, 0.01]), &[1.0, 1.0, 0.03]);
        near(&holm(&[]), &[]);
    }
}
