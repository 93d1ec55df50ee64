//! Comparison of two sides, candidate against base, for one metric.
//!
//! A side is runs, a run is one summary value. Knows no metric names; direction and margin come with the [`Rule`].

use crate::effect::{Effect, paired_t, welch};
use crate::permutation::{permutation_p, sign_flip_p};
use crate::sample::{Series, mean};
use crate::verdict::{Rule, Scale, Verdict};
use std::fmt;

/// With fewer runs on either side the verdict is at most indicative: three against three cannot reach p = 0.05 in a
/// permutation test.
const FEWEST_RUNS: usize = 4;

/// The same for paired blocks, where five cannot reach p = 0.05.
const FEWEST_PAIRS: usize = 6;

/// Why two sides cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompareError {
    /// A relative margin was given and a value is 0 or negative, so there is no ratio.
    NotPositive,
    /// Blocks pair one run of each side, but the sides have different numbers of runs.
    UnequalBlocks {
        /// Runs of the base.
        base: usize,
        /// Runs of the candidate.
        candidate: usize,
    },
    /// A side has no run.
    NoRuns,
    /// A side has no value of the metric.
    NoValues,
}

impl fmt::Display for CompareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPositive => {
                f.write_str("a value is 0 or negative and has no ratio: use an absolute margin")
            }
            Self::UnequalBlocks { base, candidate } => {
                write!(
                    f,
                    "blocks need as many runs on each side, there are {base} and {candidate}: compare without blocks"
                )
            }
            Self::NoRuns => f.write_str("a side has no run: measure it first"),
            Self::NoValues => {
                f.write_str("a side has no value of this metric: compare it where both have it")
            }
        }
    }
}

impl std::error::Error for CompareError {}

/// What the interval of a comparison rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The spread between independent runs.
    BetweenRuns,
    /// The spread of the differences inside blocks.
    PairedBlocks,
    /// The spread inside one run a side only: what differs between runs is not in the interval.
    WithinRun,
    /// Runs and the values inside them, resampled together.
    RunsAndValues,
}

/// Two sides compared on one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Runs of the base.
    pub base_runs: usize,
    /// Runs of the candidate.
    pub candidate_runs: usize,
    /// Mean of the base over its runs, or the statistic of its pooled values.
    pub base: f64,
    /// The same for the candidate.
    pub candidate: f64,
    /// Candidate minus base, in the unit of the metric.
    pub absolute: Effect,
    /// Change as a fraction (0.02 is +2 %): ratio of the geometric means over runs, or of the statistics, minus 1.
    /// `None` if a value is 0 or negative.
    pub relative: Option<Effect>,
    /// Two-sided permutation p-value on the judged scale; `None` where the runs are not resampled as wholes.
    pub p_value: Option<f64>,
    /// What the intervals rest on.
    pub basis: Basis,
    /// What it means, for this metric alone.
    pub verdict: Verdict,
    /// Roughly how many runs a side would decide, if the verdict is inconclusive.
    pub runs_needed: Option<usize>,
}

impl Comparison {
    /// The verdict when this metric gates together with others: regressed and improved stand only if the adjusted
    /// p-value (see [`holm`](crate::holm)) is below `alpha`.
    pub fn gated(&self, adjusted_p: f64, alpha: f64) -> Verdict {
        match self.verdict {
            Verdict::Regressed | Verdict::Improved if adjusted_p < alpha => self.verdict,
            Verdict::Regressed | Verdict::Improved => Verdict::Inconclusive,
            other => other,
        }
    }
}

/// Compares sides of independent runs: one summary value per run (a median, a p99, a rate).
///
/// Intervals are Welch's (1947, Biometrika 34) with Satterthwaite's degrees of freedom; the relative one is made on
/// logarithms. The p-value is [`permutation_p`]. Fewer than four runs on a side give [`Verdict::Indicative`], a single
/// run on a side gives no interval. If no run differs from its side's mean, the interval has no width.
///
/// A relative margin needs positive values.
pub fn compare(base: &Series, candidate: &Series, rule: &Rule) -> Result<Comparison, CompareError> {
    let (b, c) = (base.values(), candidate.values());
    let logs = logarithms(b).zip(logarithms(c));
    let estimates = Estimates {
        base: mean(b),
        candidate: mean(c),
        absolute: welch(b, c, rule.confidence),
        log_ratio: logs.as_ref().map(|(b, c)| welch(b, c, rule.confidence)),
    };
    let p_value = match (&logs, rule.margin.0) {
        _ if b.len().min(c.len()) < 2 => None,
        (Some((b, c)), Scale::Relative(_)) => permutation_p(b, c),
        _ => permutation_p(b, c),
    };
    estimates.conclude((b.len(), c.len()), rule, p_value, Basis::BetweenRuns)
}

/// Compares sides measured in blocks: the i-th runs of both sides were made together, with the same seed.
///
/// Intervals are paired t on the differences inside blocks (on log ratios for the relative one), the p-value is
/// [`sign_flip_p`]. Fewer than six blocks give [`Verdict::Indicative`].
///
/// ```
/// use benchhost_stats::{Direction, Margin, Rule, Series, Verdict, compare_blocks};
///
/// // The machine drifts by a factor of two; inside each block the candidate is 5 % faster.
/// let base = Series::new(vec![100.0, 120.0, 140.0, 160.0, 180.0, 200.0])?;
/// let candidate = Series::new(vec![105.1, 125.9, 147.2, 167.9, 189.1, 209.8])?;
/// let rule = Rule::new(Direction::HigherIsBetter, Margin::relative(0.02)?);
/// assert_eq!(compare_blocks(&base, &candidate, &rule)?.verdict, Verdict::Improved);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn compare_blocks(base: &Series, candidate: &Series, rule: &Rule) -> Result<Comparison, CompareError> {
    let (b, c) = (base.values(), candidate.values());
    if b.len() != c.len() {
        return Err(CompareError::UnequalBlocks { base: b.len(), candidate: c.len() });
    }
    let differences = |b: &[f64], c: &[f64]| -> Vec<f64> { c.iter().zip(b).map(|(c, b)| c - b).collect() };
    let absolute = differences(b, c);
    let log_ratios = logarithms(b).zip(logarithms(c)).map(|(b, c)| differences(&b, &c));
    let judged = match (&log_ratios, rule.margin.0) {
        (Some(log_ratios), Scale::Relative(_)) => log_ratios,
        _ => &absolute,
    };
    let p_value = if b.len() < 2 { None } else { sign_flip_p(judged) };
    let estimates = Estimates {
        base: mean(b),
        candidate: mean(c),
        absolute: paired_t(&absolute, rule.confidence),
        log_ratio: log_ratios.as_deref().map(|ratios| paired_t(ratios, rule.confidence)),
    };
    estimates.conclude((b.len(), c.len()), rule, p_value, Basis::PairedBlocks)
}

/// Both effects, the relative one still on the log scale.
pub(crate) struct Estimates {
    pub(crate) base: f64,
    pub(crate) candidate: f64,
    pub(crate) absolute: Effect,
    pub(crate) log_ratio: Option<Effect>,
}

impl Estimates {
    pub(crate) fn conclude(
        self,
        (base_runs, candidate_runs): (usize, usize),
        rule: &Rule,
        p_value: Option<f64>,
        basis: Basis,
    ) -> Result<Comparison, CompareError> {
        let judged = match rule.margin.0 {
            Scale::Absolute(_) => self.absolute,
            Scale::Relative(_) => self.log_ratio.ok_or(CompareError::NotPositive)?,
        };
        let runs = base_runs.min(candidate_runs);
        let enough = match basis {
            Basis::BetweenRuns => runs >= FEWEST_RUNS,
            Basis::PairedBlocks => runs >= FEWEST_PAIRS,
            Basis::WithinRun | Basis::RunsAndValues => false,
        };
        let (verdict, runs_needed) = match judged.interval {
            Ok(interval) if enough => match rule.judge(judged.estimate, &interval) {
                Verdict::Inconclusive => (Verdict::Inconclusive, rule.runs_needed(&interval, runs)),
                decided => (decided, None),
            },
            _ => (Verdict::Indicative, None),
        };
        Ok(Comparison {
            base_runs,
            candidate_runs,
            base: self.base,
            candidate: self.candidate,
            absolute: self.absolute,
            relative: self.log_ratio.map(|effect| effect.map(f64::exp_m1)),
            p_value,
            basis,
            verdict,
            runs_needed,
        })
    }
}

/// `None` if a value is 0 or negative.
fn logarithms(values: &[f64]) -> Option<Vec<f64>> {
    values.iter().map(|&value| (value > 0.0).then(|| value.ln())).collect()
}
