//! Confidence levels, intervals, and the t interval for the mean of independent values.
//!
//! Knows nothing of what the values are; whether they are independent is the caller's claim.

use crate::distribution::student_t_critical;
use crate::quantile::Refused;
use crate::sample::{Sample, variance};
use std::fmt;

/// A parameter outside its range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OutOfRange {
    /// What the parameter is called.
    pub what: &'static str,
    /// The value given.
    pub value: f64,
    /// The range allowed, for people.
    pub allowed: &'static str,
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is `{}`: give a value {}", self.what, self.value, self.allowed)
    }
}

impl std::error::Error for OutOfRange {}

/// Confidence of an interval, from 0.5 to 0.9999.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Confidence(f64);

impl Confidence {
    /// 90 %: two one-sided 5 % tests, the interval behind a verdict.
    pub const P90: Self = Self(0.90);
    /// 95 %.
    pub const P95: Self = Self(0.95);
    /// 99 %.
    pub const P99: Self = Self(0.99);
    /// 99.9 %.
    pub const P999: Self = Self(0.999);

    /// Accepts 0.5 to 0.9999.
    pub fn new(value: f64) -> Result<Self, OutOfRange> {
        if (0.5..=0.9999).contains(&value) {
            Ok(Self(value))
        } else {
            Err(OutOfRange { what: "confidence", value, allowed: "from 0.5 to 0.9999" })
        }
    }

    /// The level as a fraction.
    pub fn get(self) -> f64 {
        self.0
    }

    /// The confidence each of `count` statements needs so that all hold together at this one (Šidák 1967, J. Am. Stat.
    /// Assoc. 62), up to 1 − 10⁻⁹.
    pub(crate) fn shared_by(self, count: usize) -> Self {
        Self(self.0.powf(1.0 / count.max(1) as f64).min(1.0 - 1e-9))
    }

    /// Probability outside on one side of a two-sided interval.
    pub(crate) fn tail(self) -> f64 {
        0.5 * (1.0 - self.0)
    }
}

/// A two-sided interval, `low` ≤ `high`, with the confidence it was made for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Nominal confidence.
    pub confidence: Confidence,
}

impl Interval {
    /// Whether the value lies in the closed interval.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// Half of the width.
    pub fn half_width(&self) -> f64 {
        0.5 * (self.high - self.low)
    }

    /// The interval with a rising function applied to both ends.
    pub(crate) fn map(self, rising: impl Fn(f64) -> f64) -> Self {
        Self { low: rising(self.low), high: rising(self.high), ..self }
    }
}

/// Student's t interval for the mean of independent values, usually one value per run: x̄ ± t_{n−1}·s/√n
/// (Student 1908; NIST/SEMATECH e-Handbook §1.3.5.2).
///
/// Needs two values. Values inside one run are not independent: give run summaries.
///
/// ```
/// use benchhost_stats::{Confidence, Sample, mean_interval};
///
/// let runs = Sample::new(vec![101.0, 99.0, 100.0, 102.0, 98.0])?;
/// let interval = mean_interval(&runs, Confidence::P95)?;
/// assert!((interval.half_width() - 2.776_445 * (0.5_f64).sqrt()).abs() < 1e-5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn mean_interval(runs: &Sample, confidence: Confidence) -> Result<Interval, Refused> {
    let have = runs.len();
    if have < 2 {
        return Err(Refused { needed: 2, have });
    }
    let count = have as f64;
    let error = (variance(runs.values()) / count).sqrt();
    let half = student_t_critical(confidence, count - 1.0) * error;
    Ok(Interval { low: runs.mean() - half, high: runs.mean() + half, confidence })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confidence_refuses_what_no_interval_can_have() {
        for bad in [0.0, 0.49, 1.0, 95.0, f64::NAN] {
            assert!(Confidence::new(bad).is_err(), "{bad}");
        }
        let message = Confidence::new(95.0).unwrap_err().to_string();
        assert_eq!(message, "confidence is `95`: give a value from 0.5 to 0.9999");
    }

    #[test]
    fn one_run_has_no_interval() {
        let one = Sample::new(vec![1.0]).unwrap();
        assert_eq!(mean_interval(&one, Confidence::P95), Err(Refused { needed: 2, have: 1 }));
    }
}
