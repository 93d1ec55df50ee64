//! What a difference means: direction, margin and the verdict drawn from an interval.
//!
//! Knows one estimate with its interval and the rule to judge it by; nothing of how the interval was made.

use crate::interval::{Confidence, Interval, OutOfRange};
use std::fmt;

/// Which way a metric is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Rates, scores.
    HigherIsBetter,
    /// Times, errors, cost.
    LowerIsBetter,
}

/// The smallest change that matters. It also fixes the scale on which a comparison is judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Margin(pub(crate) Scale);

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scale {
    /// Judged on the logarithm of the ratio.
    Relative(f64),
    /// Judged on the difference.
    Absolute(f64),
}

impl Margin {
    /// A fraction of the base: 0.02 is 2 %. Judged on the log scale at ±ln(1 + margin), so that swapping the two
    /// sides mirrors the verdict: the counterpart of +2 % is 1/1.02 − 1 = −1.96 %. Accepts up to 10.
    pub fn relative(fraction: f64) -> Result<Self, OutOfRange> {
        if fraction > 0.0 && fraction <= 10.0 {
            Ok(Self(Scale::Relative(fraction)))
        } else {
            Err(OutOfRange {
                what: "relative margin",
                value: fraction,
                allowed: "above 0 and up to 10 (0.02 is 2 %)",
            })
        }
    }

    /// A difference in the unit of the metric, for shares and scores whose base may be 0.
    pub fn absolute(difference: f64) -> Result<Self, OutOfRange> {
        if difference > 0.0 && difference.is_finite() {
            Ok(Self(Scale::Absolute(difference)))
        } else {
            Err(OutOfRange { what: "absolute margin", value: difference, allowed: "above 0 and finite" })
        }
    }

    /// The margin on the scale that is judged.
    fn on_scale(self) -> f64 {
        match self.0 {
            Scale::Relative(fraction) => fraction.ln_1p(),
            Scale::Absolute(difference) => difference,
        }
    }
}

/// How a metric is judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    pub(crate) direction: Direction,
    pub(crate) margin: Margin,
    pub(crate) confidence: Confidence,
    strict: bool,
    /// What the measuring tool itself may have bent the figure by, on the judged scale.
    resolution: f64,
}

impl Rule {
    /// Judges on a 90 % interval, that is by two one-sided 5 % tests (Schuirmann 1987, J. Pharmacokinetics and
    /// Biopharmaceutics 15).
    pub fn new(direction: Direction, margin: Margin) -> Self {
        Self { direction, margin, confidence: Confidence::P90, strict: false, resolution: 0.0 }
    }

    /// Sets the confidence of the interval.
    #[must_use]
    pub fn with_confidence(self, confidence: Confidence) -> Self {
        Self { confidence, ..self }
    }

    /// Calls a change regressed or improved only when the whole interval lies beyond the margin; without this, when
    /// the interval excludes no change and the estimate has reached the margin.
    #[must_use]
    pub fn strict(self) -> Self {
        Self { strict: true, ..self }
    }

    /// Says how far the tools that measured both sides may have bent the difference: a fraction for a relative margin,
    /// a difference for an absolute one. A margin below it cannot be judged: every verdict becomes
    /// [`Verdict::BelowResolution`], except a change so large that the tools' error could not have made it. Values that
    /// are not above 0 count as 0.
    #[must_use]
    pub fn with_resolution(self, resolution: f64) -> Self {
        let resolution = resolution.max(0.0);
        let on_scale = match self.margin.0 {
            Scale::Relative(_) => resolution.ln_1p(),
            Scale::Absolute(_) => resolution,
        };
        Self { resolution: on_scale, ..self }
    }

    /// The verdict for an estimate and interval on the judged scale.
    pub(crate) fn judge(&self, estimate: f64, interval: &Interval) -> Verdict {
        let (bad, low, high) = match self.direction {
            Direction::LowerIsBetter => (estimate, interval.low, interval.high),
            Direction::HigherIsBetter => (-estimate, -interval.high, -interval.low),
        };
        let margin = self.margin.on_scale();
        let too_fine = margin < self.resolution;
        let bound = if self.strict { margin } else { 0.0 } + if too_fine { self.resolution } else { 0.0 };
        if low > bound && bad >= margin {
            Verdict::Regressed
        } else if high < -bound && bad <= -margin {
            Verdict::Improved
        } else if too_fine {
            Verdict::BelowResolution
        } else if -margin < low && high < margin {
            Verdict::Equivalent
        } else if (low > 0.0 || high < 0.0) && bad.abs() < margin {
            Verdict::Drift
        } else {
            Verdict::Inconclusive
        }
    }

    /// Runs a side that would shrink the interval to the margin: k·(half-width/margin)², more than there are.
    pub(crate) fn runs_needed(&self, interval: &Interval, runs: usize) -> Option<usize> {
        let needed = runs as f64 * (interval.half_width() / self.margin.on_scale()).powi(2);
        // A million runs is no advice.
        (needed < 1e6).then(|| crate::quantile::to_count(needed.ceil()).max(runs + 1))
    }
}

/// What a comparison says about the candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Worse: the interval excludes no change and the estimate reaches the margin.
    Regressed,
    /// Better, by the mirror image of the rule for worse.
    Improved,
    /// The whole interval lies inside the margin. It may exclude no change: then there is one, too small to matter.
    Equivalent,
    /// The interval excludes no change and the estimate is below the margin, but the interval reaches it: there is a
    /// change, whether it matters is open. For information.
    Drift,
    /// The data decide none of the above.
    Inconclusive,
    /// Too few runs for a verdict, whatever the interval says.
    Indicative,
    /// The margin is finer than what the measuring tool can resolve.
    BelowResolution,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Regressed => "regressed",
            Self::Improved => "improved",
            Self::Equivalent => "equivalent",
            Self::Inconclusive => "inconclusive",
            Self::Drift => "drift",
            Self::Indicative => "indicative",
            Self::BelowResolution => "below resolution",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(rule: Rule, low: f64, estimate: f64, high: f64) -> Verdict {
        rule.judge(estimate, &Interval { low, high, confidence: Confidence::P90 })
    }

    #[test]
    fn each_position_of_the_interval_has_its_verdict() {
        let rule = Rule::new(Direction::LowerIsBetter, Margin::absolute(2.0).unwrap());
        for (low, estimate, high, lower_is_better, strict) in [
            (3.0, 4.0, 5.0, Verdict::Regressed, Verdict::Regressed),
            (1.0, 3.0, 5.0, Verdict::Regressed, Verdict::Inconclusive),
            (1.0, 1.5, 2.5, Verdict::Drift, Verdict::Drift),
            (-2.5, -1.5, -1.0, Verdict::Drift, Verdict::Drift),
            (-0.1, 1.5, 3.1, Verdict::Inconclusive, Verdict::Inconclusive),
            (-1.0, 3.0, 7.0, Verdict::Inconclusive, Verdict::Inconclusive),
            (0.5, 1.0, 1.5, Verdict::Equivalent, Verdict::Equivalent),
            (-1.0, 0.0, 1.0, Verdict::Equivalent, Verdict::Equivalent),
            (-2.0, 0.0, 1.0, Verdict::Inconclusive, Verdict::Inconclusive),
            (-5.0, -3.0, -1.0, Verdict::Improved, Verdict::Inconclusive),
        ] {
            assert_eq!(judged(rule, low, estimate, high), lower_is_better, "{low} {estimate} {high}");
            assert_eq!(judged(rule.strict(), low, estimate, high), strict, "strict {low} {estimate} {high}");
            let mirrored = Rule::new(Direction::HigherIsBetter, Margin::absolute(2.0).unwrap());
            assert_eq!(
                judged(mirrored, -high, -estimate, -low),
                lower_is_better,
                "mirrored {low} {estimate} {high}"
            );
        }
    }

    #[test]
    fn a_margin_finer_than_the_tool_is_not_judged_unless_the_change_is_out_of_its_reach() {
        let rule = Rule::new(Direction::LowerIsBetter, Margin::absolute(2.0).unwrap());
        let coarse = rule.with_resolution(3.0);
        assert_eq!(judged(coarse, 1.0, 3.0, 5.0), Verdict::BelowResolution);
        assert_eq!(judged(coarse, -0.1, 0.0, 0.1), Verdict::BelowResolution);
        assert_eq!(judged(coarse, 3.1, 4.0, 5.0), Verdict::Regressed);
        assert_eq!(judged(coarse, -5.0, -4.0, -3.1), Verdict::Improved);
        for fine in [0.0, 1.9, -5.0, f64::NAN] {
            assert_eq!(judged(rule.with_resolution(fine), 1.0, 3.0, 5.0), Verdict::Regressed, "{fine}");
        }
        let relative = Rule::new(Direction::LowerIsBetter, Margin::relative(0.02).unwrap());
        assert_eq!(judged(relative.with_resolution(0.021), -0.001, 0.0, 0.001), Verdict::BelowResolution);
    }

    #[test]
    fn margins_refuse_what_cannot_be_meant() {
        for bad in [0.0, -0.02, 20.0, f64::NAN, f64::INFINITY] {
            assert!(Margin::relative(bad).is_err(), "{bad}");
        }
        assert!(Margin::absolute(f64::INFINITY).is_err() && Margin::absolute(0.0).is_err());
    }

    #[test]
    fn runs_needed_grows_with_the_square_of_the_width() {
        let rule = Rule::new(Direction::LowerIsBetter, Margin::absolute(1.0).unwrap());
        let needed = |half: f64| {
            rule.runs_needed(&Interval { low: -half, high: half, confidence: Confidence::P90 }, 5)
        };
        assert_eq!((needed(2.0), needed(4.0), needed(0.5), needed(1e9)), (Some(20), Some(80), Some(6), None));
    }
}
