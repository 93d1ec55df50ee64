//! When to stop measuring: a quantile known to a wanted relative half-width, looked at rarely so that looking does not
//! bend the answer.
//!
//! Knows values in the order they were taken and seconds that the caller counted; reads no clock.

use crate::interval::{Confidence, Interval, OutOfRange};
use crate::quantile::{Quantile, to_count};
use crate::sample::Series;
use crate::tail::tail_effective_size;

/// Values before the first checkpoint, however low the quantile's floor: with fewer, correlation cannot be seen.
const FIRST: usize = 200;
/// Each checkpoint has this many times the values of the one before.
const GROWTH: f64 = 1.5;
/// Checkpoints in a row that must be narrow enough: one alone is often luck.
const IN_A_ROW: u32 = 2;

/// What must hold before measuring may stop.
///
/// ```
/// use benchhost_stats::{Quantile, StopRule};
///
/// let rule = StopRule::new(Quantile::P99, 0.05)?.with_least_seconds(120.0);
/// assert!(StopRule::new(Quantile::P99, 0.0).is_err());
/// # Ok::<(), benchhost_stats::OutOfRange>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StopRule {
    quantile: Quantile,
    relative: f64,
    least_seconds: f64,
    confidence: Confidence,
}

impl StopRule {
    /// Stop when half the width of the quantile's 95 % interval is below `relative` (0.05 is 5 %) of the quantile, at
    /// two checkpoints running, not before 60 s. Accepts fractions above 0 and up to 1.
    pub fn new(quantile: Quantile, relative: f64) -> Result<Self, OutOfRange> {
        if relative > 0.0 && relative <= 1.0 {
            Ok(Self { quantile, relative, least_seconds: 60.0, confidence: Confidence::P95 })
        } else {
            Err(OutOfRange {
                what: "relative half-width",
                value: relative,
                allowed: "above 0 and up to 1 (0.05 is 5 %)",
            })
        }
    }

    /// Sets the least time, in seconds. Callers that know the requests' duration give the larger of 60 s and twenty of
    /// them. NaN and negative times count as 0.
    #[must_use]
    pub fn with_least_seconds(self, seconds: f64) -> Self {
        Self { least_seconds: seconds.max(0.0), ..self }
    }

    /// The quantile that is watched.
    pub fn quantile(&self) -> Quantile {
        self.quantile
    }

    /// The half-width wanted, as a fraction of the quantile.
    pub fn relative(&self) -> f64 {
        self.relative
    }

    /// Begins to watch.
    pub fn start(self) -> Stopping {
        // Even independent values cannot be judged before the quantile's floor.
        let first = self.quantile.smallest_sample(self.confidence).max(FIRST);
        Stopping { rule: self, next_at: first, in_a_row: 0 }
    }
}

/// A stop rule at work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stopping {
    rule: StopRule,
    next_at: usize,
    in_a_row: u32,
}

/// What a checkpoint said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StopStep {
    /// No checkpoint is due yet.
    Wait {
        /// Number of values at the next one.
        next_at: usize,
    },
    /// The values so far are worth too few independent ones, or the quantile is not above 0: no width is known.
    Unresolved {
        /// Independent values the sample is worth.
        effective: usize,
        /// Number needed.
        needed: usize,
    },
    /// Not narrow enough, not long enough, or narrow for the first time.
    Continue {
        /// Half-width now, as a fraction of the quantile.
        half_width: f64,
    },
    /// Narrow enough at two checkpoints running, and every floor is passed.
    Met {
        /// Half-width now, as a fraction of the quantile.
        half_width: f64,
        /// The interval, in the unit of the values.
        interval: Interval,
    },
}

impl Stopping {
    /// Whether a checkpoint is due at this number of values. Costs nothing, so it may be asked for each value.
    pub fn due(&self, count: usize) -> bool {
        count >= self.next_at
    }

    /// Looks at all values so far, in the order of their requests, if a checkpoint is due.
    ///
    /// Checkpoints lie at 1, 1.5, 2.25, … times the quantile's floor, from 200 values on, so that a run of a million values is looked at
    /// fewer than twenty times. The interval is [`quantile_interval`](crate::Sample::quantile_interval) with the
    /// effective size; see [`tail_effective_size`].
    pub fn look(&mut self, values: &Series, elapsed_seconds: f64) -> StopStep {
        if !self.due(values.len()) {
            return StopStep::Wait { next_at: self.next_at };
        }
        self.next_at = to_count((values.len() as f64 * GROWTH).ceil()).max(values.len() + 1);
        let rule = self.rule;
        let (sample, effective) = (values.to_sample(), tail_effective_size(values, rule.quantile));
        let centre = sample.type7(rule.quantile);
        let interval = match sample.quantile_interval(rule.quantile, rule.confidence, effective) {
            Ok(interval) if centre > 0.0 => interval,
            _ => {
                self.in_a_row = 0;
                let needed = rule.quantile.smallest_sample(rule.confidence);
                return StopStep::Unresolved { effective, needed };
            }
        };
        let half_width = interval.half_width() / centre;
        self.in_a_row = if half_width < rule.relative { self.in_a_row + 1 } else { 0 };
        if self.in_a_row >= IN_A_ROW && elapsed_seconds >= rule.least_seconds {
            StopStep::Met { half_width, interval }
        } else {
            StopStep::Continue { half_width }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrambled(count: u64) -> Series {
        Series::new((0..count).map(|i| 100.0 + (i * 7919 % 10_007) as f64 / 100.0).collect()).unwrap()
    }

    #[test]
    fn stops_at_the_second_narrow_checkpoint_and_not_before_the_time() {
        let rule = StopRule::new(Quantile::P50, 0.02).unwrap();
        let run = |seconds_per_value: f64| {
            let mut stopping = rule.start();
            let mut looks = Vec::new();
            for count in 1..20_000_u64 {
                if stopping.due(usize::try_from(count).unwrap()) {
                    let step = stopping.look(&scrambled(count), count as f64 * seconds_per_value);
                    looks.push(step);
                    if matches!(step, StopStep::Met { .. }) {
                        return (count, looks);
                    }
                }
            }
            panic!("never met: {looks:?}");
        };
        let (fast, looks) = run(60.0);
        let narrow =
            |step: &StopStep| matches!(step, StopStep::Continue { half_width } if *half_width < 0.02);
        assert!(narrow(&looks[looks.len() - 2]), "the look before the last was narrow too: {looks:?}");
        assert!(!narrow(&looks[looks.len() - 3]), "{looks:?}");
        let (slow, _) = run(0.01);
        assert!(slow > fast && slow >= 6000, "60 s at a hundred values a second: {slow}");
    }

    #[test]
    fn between_checkpoints_nothing_is_computed_and_checkpoints_grow() {
        let mut stopping = StopRule::new(Quantile::P50, 0.01).unwrap().start();
        assert_eq!(stopping.look(&scrambled(199), 99.0), StopStep::Wait { next_at: 200 });
        assert!(matches!(stopping.look(&scrambled(400), 99.0), StopStep::Continue { .. }));
        assert_eq!(stopping.look(&scrambled(599), 99.0), StopStep::Wait { next_at: 600 });
    }

    #[test]
    fn correlated_values_and_zeros_have_no_width_yet() {
        let trend = Series::new((1..1000).map(f64::from).collect()).unwrap();
        let mut stopping = StopRule::new(Quantile::P99, 0.5).unwrap().start();
        assert!(matches!(
            stopping.look(&trend, 1e9),
            StopStep::Unresolved { needed: 368, effective } if effective < 50
        ));
        let zeros = Series::new(vec![0.0; 1000]).unwrap();
        let mut stopping = StopRule::new(Quantile::P50, 0.5).unwrap().start();
        assert!(matches!(stopping.look(&zeros, 1e9), StopStep::Unresolved { .. }));
    }
}
