//! The interval of a mean whose values come in clusters, such as scores of the same item asked several times. Knows sums and
//! counts.

use crate::distribution::student_t_critical;
use crate::interval::{Confidence, Interval};
use crate::proportion::Proportion;

/// The interval of the mean over all values, clusters (sum and number of their values) being the independent pieces.
///
/// Wilson's where each cluster is one value of 0 or 1, else that of a ratio of sums with Student's t (Cochran, Sampling
/// Techniques, 1977, §6.3, without its correction for a finite population). `None` for fewer than two clusters.
///
/// ```
/// use benchhost_stats::{Confidence, clustered_mean};
///
/// // Three items asked once tell as much as the same three asked twice with the same answers.
/// let once = clustered_mean(&[(0.2, 1), (0.4, 1), (0.9, 1)], Confidence::P95).unwrap();
/// let twice = clustered_mean(&[(0.4, 2), (0.8, 2), (1.8, 2)], Confidence::P95).unwrap();
/// assert!((once.low - twice.low).abs() < 1e-12 && (once.high - twice.high).abs() < 1e-12);
/// ```
pub fn clustered_mean(clusters: &[(f64, u32)], confidence: Confidence) -> Option<Interval> {
    if clusters.len() < 2 {
        return None;
    }
    // A zero is added so that -0 counts as 0.
    let single = |value: f64| {
        let is = |(sum, n): &&(f64, u32)| *n == 1 && (*sum + 0.0).total_cmp(&value).is_eq();
        clusters.iter().filter(is).count()
    };
    let (yes, no) = (single(1.0), single(0.0));
    if yes + no == clusters.len() {
        return Some(Proportion::new(yes as u64, clusters.len() as u64).ok()?.wilson(confidence));
    }
    let count = clusters.len() as f64;
    let values: f64 = clusters.iter().map(|(_, n)| f64::from(*n)).sum();
    let mean = clusters.iter().map(|(sum, _)| sum).sum::<f64>() / values;
    let squares: f64 = clusters.iter().map(|(sum, n)| (sum - mean * f64::from(*n)).powi(2)).sum();
    let error = (count / (count - 1.0) * squares).sqrt() / values;
    let half = student_t_critical(confidence, count - 1.0) * error;
    Some(Interval { low: mean - half, high: mean + half, confidence })
}
