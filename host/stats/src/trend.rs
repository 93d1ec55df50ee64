//! Whether a series of window means climbs: a slope with an allowance for correlation, and the growth of a backlog.
//!
//! Knows numbers at equal distances; a window's length is the caller's. Ten windows are what the rules were tried on.

use crate::distribution::student_t_p;
use crate::sample::{mean, variance};

/// Largest size of a t statistic that is reported; a perfect line has no finite one.
const LARGEST_T: f64 = 1e6;
/// A backlog grows if a test against "no growth" gives a smaller p-value than this …
const GROWTH_ALPHA: f64 = 0.01;
/// … and the mean rises by at least this share of its level from window to window.
const GROWTH_SHARE: f64 = 0.05;

/// A straight line through window means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// Change of the mean from one window to the next, in the unit of the values.
    pub slope_per_window: f64,
    /// Student's t of the slope, its error inflated for correlated neighbours; within ±10⁶.
    pub t: f64,
    /// Two-sided p-value that there is no slope; 1 where the windows are too few or too alike to their neighbours.
    pub p: f64,
}

/// Fits a line through window means by least squares.
///
/// Neighbouring windows share a queue, so their residuals are correlated and the textbook error is too small. The
/// number of windows is therefore replaced by n(1 − r)/(1 + r) in the error and in the degrees of freedom (Santer et
/// al. 2000, J. Geophysical Research 105), with r the residuals' lag-1 correlation, corrected for its bias in short
/// detrended series, (n·r₁ + 2)/(n − 4) (Marriott & Pope 1954, Biometrika 41, to first order), and never negative.
///
/// ```
/// use benchhost_stats::trend;
///
/// let climbing = [1.0, 2.1, 2.9, 4.2, 4.8, 6.1, 7.0, 8.1, 8.8, 10.1];
/// assert!(trend(&climbing).p < 0.001 && (trend(&climbing).slope_per_window - 1.0).abs() < 0.02);
/// assert!(trend(&[5.0, 4.0, 6.0, 5.0, 4.0, 6.0, 5.0, 5.0, 4.0, 6.0]).p > 0.1);
/// ```
pub fn trend(window_means: &[f64]) -> Trend {
    let count = window_means.len() as f64;
    if window_means.len() < 5 || window_means.iter().any(|value| !value.is_finite()) {
        return Trend { slope_per_window: 0.0, t: 0.0, p: 1.0 };
    }
    let (centre, middle) = (mean(window_means), 0.5 * (count - 1.0));
    let spread = count * (count * count - 1.0) / 12.0;
    let offset = |index: usize| index as f64 - middle;
    let slope =
        window_means.iter().enumerate().map(|(i, value)| offset(i) * (value - centre)).sum::<f64>() / spread;
    let residuals: Vec<f64> =
        window_means.iter().enumerate().map(|(i, value)| value - centre - slope * offset(i)).collect();
    let squares: f64 = residuals.iter().map(|residual| residual * residual).sum();
    if squares <= 1e-24 * slope * slope * spread {
        // A perfect line or, without a slope, a constant.
        let t = if slope == 0.0 { 0.0 } else { LARGEST_T.copysign(slope) };
        return Trend { slope_per_window: slope, t, p: f64::from(u8::from(slope == 0.0)) };
    }
    let neighbours = residuals.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / squares;
    let correlation = ((count * neighbours + 2.0) / (count - 4.0)).clamp(0.0, 0.99);
    let effective = count * (1.0 - correlation) / (1.0 + correlation);
    if effective <= 3.0 {
        return Trend { slope_per_window: slope, t: 0.0, p: 1.0 };
    }
    // Residual variance over the effective degrees of freedom; the spread of the regressor is that of all windows.
    let error = (squares / (effective - 2.0) / spread).sqrt();
    let t = (slope / error).clamp(-LARGEST_T, LARGEST_T);
    Trend { slope_per_window: slope, t, p: student_t_p(t, effective - 2.0) }
}

/// Whether the number of requests inside a system keeps growing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backlog {
    /// True if it grows by 5 % of its level a window or more and chance is ruled out at p < 0.01: an open loop above
    /// capacity, which has no steady state.
    pub growing: bool,
    /// Growth from window to window as a share of the mean; 0 for an empty system.
    pub growth_per_window: f64,
    /// Smaller two-sided p-value of the two tests.
    pub p: f64,
    /// The line through the windows.
    pub trend: Trend,
}

/// Judges mean in-flight counts of windows of equal length, in order.
///
/// Two tests, because "no growth" has two shapes. A queue with a steady state scatters about a level: [`trend`]. One
/// near or above capacity walks at random, so its level is no yardstick; there the *steps* from window to window are
/// the data, and Student's t of their mean is the test. Steps of a steady series cancel, so that test does not alarm
/// on it.
///
/// ```
/// use benchhost_stats::backlog;
///
/// assert!(backlog(&[4.0, 9.0, 13.0, 19.0, 22.0, 29.0, 33.0, 37.0, 44.0, 48.0]).growing);
/// assert!(!backlog(&[8.0, 7.5, 8.3, 8.1, 7.7, 8.4, 7.9, 8.0, 8.2, 7.8]).growing);
/// ```
pub fn backlog(in_flight_means: &[f64]) -> Backlog {
    let line = trend(in_flight_means);
    let p = line.p.min(steps_p(in_flight_means));
    let level = if in_flight_means.is_empty() { 0.0 } else { mean(in_flight_means) };
    let growth = if level > 0.0 { line.slope_per_window / level } else { 0.0 };
    Backlog { growing: growth >= GROWTH_SHARE && p < GROWTH_ALPHA, growth_per_window: growth, p, trend: line }
}

/// Two-sided p-value that the steps between neighbours have mean 0; 1 for fewer than five values.
fn steps_p(values: &[f64]) -> f64 {
    if values.len() < 5 || values.iter().any(|value| !value.is_finite()) {
        return 1.0;
    }
    let steps: Vec<f64> = values.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let (centre, count) = (mean(&steps), steps.len() as f64);
    let error = (variance(&steps) / count).sqrt();
    if error <= 1e-12 * centre.abs() {
        return f64::from(u8::from(centre == 0.0));
    }
    student_t_p(centre / error, count - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn perfect_lines_and_constants_have_a_finite_answer() {
        let line: Vec<f64> = (0..10).map(|i| 3.0 + 2.0 * f64::from(i)).collect();
        let fitted = trend(&line);
        assert!((fitted.slope_per_window - 2.0).abs() < 1e-12 && fitted.t.is_finite() && fitted.p < 1e-9);
        let flat = trend(&[4.0; 10]);
        assert!(flat.slope_per_window.abs() < 1e-12 && flat.p > 0.99);
        assert!(backlog(&line).growing && !backlog(&[4.0; 10]).growing && !backlog(&[0.0; 10]).growing);
    }

    #[test]
    fn too_few_windows_and_bad_values_prove_nothing() {
        for values in [&[][..], &[1.0], &[1.0, 2.0, 3.0, 4.0], &[1.0, f64::NAN, 3.0, 4.0, 5.0, 6.0]] {
            assert!((trend(values).p - 1.0).abs() < f64::EPSILON);
            assert!(!backlog(values).growing);
        }
    }

    #[test]
    fn a_falling_backlog_does_not_grow() {
        let falling: Vec<f64> = (0..10).map(|i| 50.0 - 5.0 * f64::from(i)).collect();
        let judged = backlog(&falling);
        assert!(judged.growth_per_window < -0.05 && !judged.growing);
    }

    #[test]
    fn growth_below_five_percent_a_window_is_no_instability() {
        let slow: Vec<f64> = (0..10).map(|i| 100.0 + f64::from(i) + f64::from(i % 2) * 0.1).collect();
        let judged = backlog(&slow);
        assert!(judged.p < 0.01 && !judged.growing, "{judged:?}");
    }

    #[test]
    fn residuals_that_hang_together_widen_the_error() {
        // The same residuals in another order: alternating against one long swing.
        let size = [0.2, 0.5, 0.9, 1.0, 0.7, 0.7, 1.0, 0.9, 0.5, 0.2];
        let swing: Vec<f64> =
            size.iter().enumerate().map(|(i, s)| 0.3 * i as f64 + if i < 5 { *s } else { -s }).collect();
        let alternating: Vec<f64> =
            size.iter().enumerate().map(|(i, s)| 0.3 * i as f64 + if i % 2 == 0 { *s } else { -s }).collect();
        assert!(trend(&alternating).p < 0.05 && trend(&swing).p > 0.2);
    }
}
