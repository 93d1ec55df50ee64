//! Quantiles of the normal, Student's t and the binomial distribution.
//!
//! Knows probabilities only; which of them an interval needs is decided elsewhere.

use crate::interval::Confidence;
use crate::special::{beta_inc, bisect};

/// Above this many degrees of freedom t and normal critical values agree to 8 digits or more.
const T_IS_NORMAL_ABOVE: f64 = 1e7;

/// Two-sided critical value of the standard normal distribution: P(|Z| ≤ z) = confidence.
///
/// ```
/// use benchhost_stats::{Confidence, normal_critical};
///
/// assert!((normal_critical(Confidence::P95) - 1.959_963_984_540_054).abs() < 1e-12);
/// ```
pub fn normal_critical(confidence: Confidence) -> f64 {
    // The largest confidence a `Confidence` holds (0.9999) lies at z = 3.89.
    bisect(0.0, 8.0, |z| central_normal(z) - confidence.get())
}

/// P(|Z| ≥ |z|). Beyond |z| = 6 the probability is below 2e-9 and comes from one minus a number near one; it is then
/// exact to 1e-16, not to many digits of itself.
pub(crate) fn normal_two_sided(z: f64) -> f64 {
    // Beyond 8 it is 1e-15; the series would need hundreds of terms.
    (1.0 - central_normal(z.abs().min(8.0))).max(0.0)
}

/// P(|Z| ≤ z) for z ≥ 0 by the series Φ(z) − ½ = φ(z)·(z + z³/3 + z⁵/(3·5) + …) (Marsaglia 2004, J. Stat. Software 11).
fn central_normal(z: f64) -> f64 {
    let (mut term, mut sum, mut odd) = (z, z, 1.0);
    while term > sum * 1e-17 {
        odd += 2.0;
        term *= z * z / odd;
        sum += term;
    }
    2.0 * sum * (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt()
}

/// Two-sided critical value of Student's t: P(|T| ≤ t) = confidence, inverted from `P(|T| > t) = I_{ν/(ν+t²)}(ν/2, ½)`
/// (Abramowitz & Stegun 26.7.1 with 26.5.27).
///
/// `degrees` need not be whole (Welch). Anything below 1, NaN included, is taken as 1, the widest case.
///
/// ```
/// use benchhost_stats::{Confidence, student_t_critical};
///
/// assert!((student_t_critical(Confidence::P95, 4.0) - 2.776_445).abs() < 1e-6);
/// ```
pub fn student_t_critical(confidence: Confidence, degrees: f64) -> f64 {
    let degrees = degrees.max(1.0);
    if degrees > T_IS_NORMAL_ABOVE {
        return normal_critical(confidence);
    }
    let outside = |t: f64| beta_inc(degrees / (degrees + t * t), degrees / 2.0, 0.5);
    let wanted = 1.0 - confidence.get();
    let mut high = 1.0;
    while outside(high) > wanted {
        high *= 2.0;
    }
    bisect(0.0, high, |t| wanted - outside(t))
}

/// Two-sided p-value of Student's t: P(|T| ≥ |t|). 1 for NaN; degrees below 1 count as 1.
///
/// ```
/// use benchhost_stats::student_t_p;
///
/// assert!((student_t_p(-2.776_445, 4.0) - 0.05).abs() < 1e-6);
/// ```
pub fn student_t_p(t: f64, degrees: f64) -> f64 {
    if t.is_nan() {
        return 1.0;
    }
    // Turns NaN into 1, too.
    let degrees = degrees.max(1.0);
    if degrees > T_IS_NORMAL_ABOVE {
        return normal_two_sided(t);
    }
    beta_inc(degrees / (degrees + t * t), degrees / 2.0, 0.5)
}

/// P(X ≤ successes) for X ~ Bin(trials, probability), by `I_{1−p}(n−k, k+1)` (DLMF 8.17.5).
pub(crate) fn binomial_cdf(successes: usize, trials: usize, probability: f64) -> f64 {
    if successes >= trials {
        return 1.0;
    }
    beta_inc(1.0 - probability, (trials - successes) as f64, successes as f64 + 1.0)
}

/// Smallest k with P(X ≤ k) ≥ `level` for X ~ Bin(trials, probability).
pub(crate) fn binomial_quantile(level: f64, trials: usize, probability: f64) -> usize {
    let (mut low, mut high) = (0, trials);
    while low < high {
        let middle = low + (high - low) / 2;
        if binomial_cdf(middle, trials, probability) >= level { high = middle } else { low = middle + 1 }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binomial_meets_hand_sums() {
        // Bin(4, 1/2): 1, 5, 11, 15, 16 sixteenths.
        for (k, sixteenths) in [(0, 1.0), (1, 5.0), (2, 11.0), (3, 15.0), (4, 16.0), (9, 16.0)] {
            assert!((binomial_cdf(k, 4, 0.5) - sixteenths / 16.0).abs() < 1e-14);
        }
        assert_eq!(binomial_quantile(0.30, 4, 0.5), 1);
        assert_eq!(binomial_quantile(0.32, 4, 0.5), 2);
        assert_eq!(binomial_quantile(1.0, 4, 0.5), 4);
    }
}
