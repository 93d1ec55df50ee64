//! Whether a load meets its objectives: a sequential decision on the share of requests that were good.
//!
//! Knows good and not good in the order of the requests; what makes one good is the caller's.

use crate::interval::{Confidence, Interval, OutOfRange};
use crate::proportion::Proportion;
use crate::quantile::to_count;
use crate::tail::share_effective_size;

/// Fewest requests before a first look.
const FIRST_LOOK: usize = 50;
/// Fewest independent requests for a decision: a burst in the first second of a probe is no verdict.
const FEWEST_EFFECTIVE: usize = 10;
/// Each look has this many times the requests of the one before.
const GROWTH: f64 = 1.5;

/// The share of requests that must be good: an objective on p99 asks for 0.99.
///
/// ```
/// use benchhost_stats::{Attainment, Decision};
///
/// let rule = Attainment::at_least(0.9)?;
/// let good = vec![true; 200];
/// let bad: Vec<bool> = (0..200).map(|i| i % 2 == 0).collect();
/// let times: Vec<f64> = (0..200).map(|i| f64::from(i * 7919 % 1009)).collect();
/// assert_eq!(rule.judge(&good, &times).decision, Decision::Pass);
/// assert_eq!(rule.judge(&bad, &times).decision, Decision::Fail);
/// # Ok::<(), benchhost_stats::OutOfRange>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attainment {
    target: f64,
}

/// What a probe shows so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The share is above the target.
    Pass,
    /// The share is below the target, or the backlog grows.
    Fail,
    /// The interval holds the target.
    Undecided,
}

/// A decision with what it rests on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// The decision.
    pub decision: Decision,
    /// Share of good requests.
    pub share: f64,
    /// Wilson's interval for it, for the independent requests they are worth.
    pub interval: Interval,
    /// Independent requests they are worth.
    pub effective: usize,
    /// Share minus target.
    pub margin: f64,
}

impl Attainment {
    /// Accepts a share above 0 and below 1.
    pub fn at_least(target: f64) -> Result<Self, OutOfRange> {
        if target > 0.0 && target < 1.0 {
            Ok(Self { target })
        } else {
            Err(OutOfRange {
                what: "share of good requests",
                value: target,
                allowed: "above 0 and below 1 (0.99 for an objective on p99)",
            })
        }
    }

    /// The share that must be good.
    pub fn target(self) -> f64 {
        self.target
    }

    /// The decision at the end of a probe, at 95 %: Wilson's interval with the requests deflated to the independent
    /// ones they are worth, which lies above the target, below it, or holds it.
    ///
    /// `times` are the latencies from which "good" was decided, in the same order; those of failed requests are left
    /// out. They tell how long the queue remembers, which a hundred good requests in a row cannot. Below ten
    /// independent requests nothing is decided.
    pub fn judge(self, good: &[bool], times: &[f64]) -> Judged {
        self.judge_at(good, times, Confidence::P95)
    }

    /// The decision at a look before the end, at 99.9 %: a dozen looks at 95 % would decide wrongly far more often than
    /// one in twenty times.
    pub fn peek(self, good: &[bool], times: &[f64]) -> Judged {
        self.judge_at(good, times, Confidence::P999)
    }

    /// Numbers of requests after which to look with [`Attainment::peek`], up to and with `cap`, where
    /// [`Attainment::judge`] has the last word. The first look lies where the target could be met at all: with
    /// every request good, Wilson's lower end passes the target at z²·target/(1 − target) requests.
    ///
    /// ```
    /// use benchhost_stats::Attainment;
    ///
    /// assert_eq!(Attainment::at_least(0.9)?.looks(300), [98, 147, 221, 300]);
    /// # Ok::<(), benchhost_stats::OutOfRange>(())
    /// ```
    pub fn looks(self, cap: usize) -> Vec<usize> {
        let square = crate::distribution::normal_critical(Confidence::P999).powi(2);
        let mut next = to_count((square * self.target / (1.0 - self.target)).ceil().min(1e9)).max(FIRST_LOOK);
        let mut looks = Vec::new();
        while next < cap {
            looks.push(next);
            next = to_count((next as f64 * GROWTH).ceil());
        }
        looks.push(cap);
        looks
    }

    fn judge_at(self, good: &[bool], times: &[f64], confidence: Confidence) -> Judged {
        let successes = good.iter().filter(|&&good| good).count();
        let Ok(share) = Proportion::new(successes as u64, good.len() as u64) else {
            // No request yet: anything is possible.
            let interval = Interval { low: 0.0, high: 1.0, confidence };
            return Judged {
                decision: Decision::Undecided,
                share: 0.0,
                interval,
                effective: 0,
                margin: -self.target,
            };
        };
        let effective = share_effective_size(good, times);
        let interval = share.wilson_effective(confidence, effective as u64);
        let decision = if effective < FEWEST_EFFECTIVE {
            Decision::Undecided
        } else if interval.low > self.target {
            Decision::Pass
        } else if interval.high < self.target {
            Decision::Fail
        } else {
            Decision::Undecided
        };
        let estimate = share.estimate();
        Judged { decision, share: estimate, interval, effective, margin: estimate - self.target }
    }
}

impl Decision {
    /// The decision for several objectives at once: one failure fails, all must pass to pass.
    pub fn all(decisions: impl IntoIterator<Item = Self>) -> Self {
        decisions.into_iter().fold(Self::Pass, |so_far, next| match (so_far, next) {
            (Self::Fail, _) | (_, Self::Fail) => Self::Fail,
            (Self::Undecided, _) | (_, Self::Undecided) => Self::Undecided,
            _ => Self::Pass,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_the_target_nothing_is_decided() {
        let rule = Attainment::at_least(0.9).unwrap();
        let near: Vec<bool> = (0..300).map(|i| i * 7 % 10 != 0).collect();
        let judged = rule.judge(&near, &[]);
        assert_eq!(judged.decision, Decision::Undecided);
        assert!(judged.margin.abs() < 1e-12 && judged.interval.contains(0.9));
        assert_eq!(rule.judge(&[], &[]).decision, Decision::Undecided);
    }

    #[test]
    fn failures_in_one_clump_decide_less_than_scattered_ones() {
        let rule = Attainment::at_least(0.95).unwrap();
        let scattered: Vec<bool> = (0..1000).map(|i| i * 7919 % 1009 > 80).collect();
        let bad = scattered.iter().filter(|&&good| !good).count();
        let clumped: Vec<bool> = (0..1000).map(|i| i >= bad).collect();
        assert_eq!(rule.judge(&scattered, &[]).decision, Decision::Fail);
        assert_eq!(rule.judge(&clumped, &[]).decision, Decision::Undecided);
        assert!(rule.judge(&clumped, &[]).effective < 100);
    }

    #[test]
    fn an_early_look_asks_for_more_than_the_last() {
        let rule = Attainment::at_least(0.9).unwrap();
        let borderline: Vec<bool> = (0..200).map(|i| i * 37 % 200 >= 11).collect();
        assert_eq!(rule.judge(&borderline, &[]).decision, Decision::Pass);
        assert_eq!(rule.peek(&borderline, &[]).decision, Decision::Undecided);
    }

    #[test]
    fn the_first_look_could_already_decide() {
        for target in [0.5, 0.9, 0.99, 0.999] {
            let rule = Attainment::at_least(target).unwrap();
            let first = rule.looks(usize::MAX >> 12)[0];
            assert_eq!(rule.peek(&vec![true; first], &[]).decision, Decision::Pass, "{target}");
        }
        assert_eq!(Attainment::at_least(0.99).unwrap().looks(20), [20]);
        assert!(Attainment::at_least(1.0).is_err());
    }

    #[test]
    fn good_requests_in_a_queue_that_remembers_decide_less() {
        let rule = Attainment::at_least(0.9).unwrap();
        let good = vec![true; 200];
        let waves: Vec<f64> = (0..200).map(|i| (f64::from(i) / 30.0).sin()).collect();
        assert_eq!(rule.judge(&good, &[]).decision, Decision::Pass);
        assert_eq!(rule.judge(&good, &waves).decision, Decision::Undecided);
    }

    #[test]
    fn several_objectives_pass_only_together() {
        use Decision::{Fail, Pass, Undecided};
        assert_eq!(Decision::all([Pass, Pass]), Pass);
        assert_eq!(Decision::all([Pass, Undecided]), Undecided);
        assert_eq!(Decision::all([Undecided, Fail, Pass]), Fail);
    }
}
