//! One compared figure and what it means. Plain data and words.

use benchhost_stats::{Basis, Direction, Verdict};

/// What a difference means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// Worse: the interval excludes no change, the change reaches the margin and, for a gating figure, the adjusted p-value
    /// is below 0.05.
    Regressed,
    /// Better, by the mirror image.
    Improved,
    /// The whole interval lies inside the margin.
    Equivalent,
    /// The interval excludes no change, the change is below the margin and the interval reaches it.
    Drift,
    /// The data allow more than one of the others.
    Inconclusive,
    /// Too few runs; the interval inside them excludes no change, and the change reaches the margin: worse.
    IndicativeWorse,
    /// The same: better.
    IndicativeBetter,
    /// Too few runs; the interval lies inside the margin.
    IndicativeSame,
    /// Too few runs, and the interval is open.
    IndicativeOpen,
    /// The margin is finer than what the measuring programs can resolve.
    BelowResolution,
    /// Both values are shown, without an interval and without a verdict, and why.
    NotJudged(String),
    /// Not compared, and why.
    Missing(String),
}

impl Word {
    /// As JSON and Markdown spell it, without what only this row has.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Regressed => "regressed",
            Self::Improved => "improved",
            Self::Equivalent => "equivalent",
            Self::Drift => "drift",
            Self::Inconclusive => "inconclusive",
            Self::IndicativeWorse => "indicative worse",
            Self::IndicativeBetter => "indicative better",
            Self::IndicativeSame => "indicative same",
            Self::IndicativeOpen => "indicative open",
            Self::BelowResolution => "below resolution",
            Self::NotJudged(_) => "not judged",
            Self::Missing(_) => "missing",
        }
    }

    /// Whether the question is answered: a change or none was shown.
    pub const fn decided(&self) -> bool {
        matches!(self, Self::Regressed | Self::Improved | Self::Equivalent | Self::Drift)
    }
}

/// In what a change is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// A share of the base.
    Relative,
    /// Percentage points.
    Points,
    /// The figure's own unit.
    Own,
}

/// A change from base to new.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// In the scale.
    pub estimate: f64,
    /// 90 % interval, lower end first.
    pub interval: Option<(f64, f64)>,
}

/// One figure of one group.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its name: `ttft_p99`.
    pub metric: String,
    /// Unit; may be empty.
    pub unit: String,
    /// Direction.
    pub direction: Direction,
    /// Whether it decides the exit code.
    pub gates: bool,
    /// Mean over runs of the base.
    pub base: Option<f64>,
    /// Mean over runs of the new side.
    pub new: Option<f64>,
    /// What the change and the margin are measured in.
    pub scale: Scale,
    /// The change.
    pub change: Option<Change>,
    /// The smallest change that matters.
    pub margin: f64,
    /// Runs behind both.
    pub runs: (usize, usize),
    /// What the interval rests on; `None`: there is none.
    pub basis: Option<Basis>,
    /// Permutation p-value.
    pub p: Option<f64>,
    /// Holm's adjusted p for gating figures, Benjamini and Hochberg's q for others.
    pub adjusted: Option<f64>,
    /// What it means.
    pub word: Word,
    /// What there is to add, in words; may be empty.
    pub note: String,
}

impl Row {
    /// The change in the bad direction is positive.
    pub(crate) fn badness(&self, value: f64) -> f64 {
        match self.direction {
            Direction::LowerIsBetter => value,
            Direction::HigherIsBetter => -value,
        }
    }

    /// The word for too few runs. `strict`: worse and better only where the whole interval lies beyond the margin.
    pub(crate) fn indicative(&self, strict: bool) -> Word {
        let Some(Change { estimate, interval: Some((low, high)) }) = self.change else {
            return Word::IndicativeOpen;
        };
        // The counterpart of +2 % is 1/1.02 − 1.
        let lower =
            if self.scale == Scale::Relative { 1.0 / (1.0 + self.margin) - 1.0 } else { -self.margin };
        let beyond = if estimate > 0.0 { estimate >= self.margin } else { estimate <= lower };
        let (above, below) = if strict { (self.margin, lower) } else { (0.0, 0.0) };
        if (low > above || high < below) && beyond {
            if self.badness(estimate) > 0.0 { Word::IndicativeWorse } else { Word::IndicativeBetter }
        } else if lower < low && high < self.margin {
            Word::IndicativeSame
        } else {
            Word::IndicativeOpen
        }
    }
}

impl From<Verdict> for Word {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Regressed => Self::Regressed,
            Verdict::Improved => Self::Improved,
            Verdict::Equivalent => Self::Equivalent,
            Verdict::Drift => Self::Drift,
            Verdict::Inconclusive => Self::Inconclusive,
            Verdict::Indicative => Self::IndicativeOpen,
            Verdict::BelowResolution => Self::BelowResolution,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_runs_indicate_by_margin_and_interval() {
        let row = |estimate: f64, low: f64, high: f64, direction| Row {
            metric: String::new(),
            unit: String::new(),
            direction,
            gates: false,
            base: None,
            new: None,
            scale: Scale::Relative,
            change: Some(Change { estimate, interval: Some((low, high)) }),
            margin: 0.05,
            runs: (1, 1),
            basis: None,
            p: None,
            adjusted: None,
            word: Word::Inconclusive,
            note: String::new(),
        };
        let down = Direction::LowerIsBetter;
        for (estimate, low, high, word) in [
            (0.05, 0.001, 0.1, Word::IndicativeWorse),
            (0.0499, 0.001, 0.1, Word::IndicativeOpen),
            (0.05, 0.0, 0.1, Word::IndicativeOpen),
            (0.0, -0.0476, 0.0499, Word::IndicativeSame),
            (0.0, -0.0477, 0.0499, Word::IndicativeOpen),
            (0.0, -0.0476, 0.05, Word::IndicativeOpen),
            (-0.0477, -0.1, -0.001, Word::IndicativeBetter),
            (-0.0476, -0.1, -0.001, Word::IndicativeOpen),
        ] {
            assert_eq!(row(estimate, low, high, down).indicative(false), word, "{estimate} {low} {high}");
        }
        assert_eq!(row(0.06, 0.01, 0.1, Direction::HigherIsBetter).indicative(false), Word::IndicativeBetter);
        for (low, word) in [(0.05, Word::IndicativeOpen), (0.0501, Word::IndicativeWorse)] {
            assert_eq!(row(0.08, low, 0.11, down).indicative(true), word, "{low}");
        }
        for (high, word) in [(-0.0476, Word::IndicativeOpen), (-0.0477, Word::IndicativeBetter)] {
            assert_eq!(row(-0.08, -0.11, high, down).indicative(true), word, "{high}");
        }
        let none = Row { change: None, ..row(0.0, 0.0, 0.0, down) };
        assert_eq!(none.indicative(false), Word::IndicativeOpen);
    }
}
