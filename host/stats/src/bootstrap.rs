//! Seeded percentile bootstrap: independent values, blocks of a series, and runs with blocks inside.
//!
//! Reads no clock and no system randomness: the same values and the same seed give the same interval on every
//! machine. Resampling cannot see what the values never showed: near saturation the tail of a short run is too low,
//! and its bootstrap interval is too narrow and too low with it.

use crate::correlation::correlation_time;
use crate::harrell_davis::Weights;
use crate::interval::{Confidence, Interval};
use crate::quantile::{Quantile, Refused, to_count, type7_position};
use crate::sample::{Sample, Series, mean};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::HashMap;

/// Fewest resamples: below it the ends of a 95 % interval rest on fewer than five replicates.
const FEWEST: u32 = 200;

/// A series is resampled in blocks only if at least so many whole blocks fit in it.
const FEWEST_BLOCKS: usize = 5;

/// What is estimated from values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Statistic {
    /// The arithmetic mean.
    Mean,
    /// The type 7 quantile, see [`Sample::type7`].
    Quantile(Quantile),
    /// The Harrell–Davis quantile (Biometrika 69, 1982): smoother than type 7, better suited to resampling up to
    /// p99; beyond, its weight rests on a few values and it loses that advantage.
    HarrellDavis(Quantile),
}

impl Statistic {
    /// The estimate from one sample.
    ///
    /// ```
    /// use benchhost_stats::{Quantile, Sample, Statistic};
    ///
    /// let sample = Sample::new((0..=100).map(f64::from).collect())?;
    /// assert_eq!(Statistic::Quantile(Quantile::P90).of(&sample), 90.0);
    /// # Ok::<(), benchhost_stats::SampleError>(())
    /// ```
    pub fn of(self, sample: &Sample) -> f64 {
        match self {
            Self::Mean => sample.mean(),
            Self::Quantile(quantile) => sample.type7(quantile),
            Self::HarrellDavis(quantile) => Weights::new(sample.len(), quantile).apply(sample.values()),
        }
    }

    /// Fewest independent values an interval for this statistic needs.
    pub(crate) fn smallest_sample(self, confidence: Confidence) -> usize {
        match self {
            Self::Mean => 2,
            Self::Quantile(quantile) | Self::HarrellDavis(quantile) => quantile.smallest_sample(confidence),
        }
    }
}

/// A seeded percentile bootstrap (Efron & Tibshirani 1993, An Introduction to the Bootstrap, §13.3).
///
/// ```
/// use benchhost_stats::{Bootstrap, Quantile, Sample, Statistic};
///
/// let sample = Sample::new((0..200).map(f64::from).collect())?;
/// let median = Statistic::Quantile(Quantile::P50);
/// let interval = Bootstrap::new(1).independent(&sample, median)?;
/// assert!(interval.contains(99.5));
/// assert_eq!(interval, Bootstrap::new(1).independent(&sample, median)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    seed: u64,
    resamples: u32,
    confidence: Confidence,
}

impl Bootstrap {
    /// 2000 resamples, 95 %.
    pub fn new(seed: u64) -> Self {
        Self { seed, resamples: 2000, confidence: Confidence::P95 }
    }

    /// Sets the number of resamples; fewer than 200 count as 200.
    #[must_use]
    pub fn with_resamples(self, resamples: u32) -> Self {
        Self { resamples: resamples.max(FEWEST), ..self }
    }

    /// Sets the confidence.
    #[must_use]
    pub fn with_confidence(self, confidence: Confidence) -> Self {
        Self { confidence, ..self }
    }

    /// Interval from values that are independent of one another. Needs two for a mean and
    /// [`Quantile::smallest_sample`] for a quantile.
    pub fn independent(&self, sample: &Sample, statistic: Statistic) -> Result<Interval, Refused> {
        self.refuse_too_few(sample.len(), statistic)?;
        let runs = [Blocks { values: sample.values(), length: 1 }];
        Ok(self.percentiles(self.replicates(&runs, statistic, 0)))
    }

    /// Interval from a time-ordered series of one run, by circular blocks (Politis & Romano 1992) of
    /// max(n^⅓, 2τ) values, τ as in [`effective_size`](crate::effective_size).
    ///
    /// Needs five whole blocks, and as many effective values as [`Bootstrap::independent`] needs values. It speaks
    /// about this run only: what differs between runs is not in it.
    pub fn series(&self, series: &Series, statistic: Statistic) -> Result<Interval, Refused> {
        self.two_level(std::slice::from_ref(series), statistic)
    }

    /// Interval from several runs: draws runs, then blocks inside each drawn run, and pools (two-level bootstrap,
    /// Davison & Hinkley 1997, Bootstrap Methods and their Application, §3.8). With one run it equals
    /// [`Bootstrap::series`].
    ///
    /// For statistics that one run cannot resolve, such as a p99 of many short runs. With few runs it is too
    /// narrow: prefer [`mean_interval`](crate::mean_interval) over run summaries where each run supports one.
    pub fn two_level(&self, runs: &[Series], statistic: Statistic) -> Result<Interval, Refused> {
        let blocks = self.blocks(runs, statistic)?;
        Ok(self.percentiles(self.replicates(&blocks, statistic, 0)))
    }

    /// The statistic of each resample of both sides, resampled independently of each other.
    pub(crate) fn two_sides(
        &self,
        (base, candidate): (&[Series], &[Series]),
        statistic: Statistic,
    ) -> Result<Vec<(f64, f64)>, Refused> {
        let (base, candidate) = (self.blocks(base, statistic)?, self.blocks(candidate, statistic)?);
        // One stream a side: a change on one side leaves the draws of the other as they were.
        let base = self.replicates(&base, statistic, 0);
        let candidate = self.replicates(&candidate, statistic, 1);
        Ok(base.into_iter().zip(candidate).collect())
    }

    /// Chooses block lengths, refusing runs too short for them and sides too small for the statistic.
    fn blocks<'a>(&self, runs: &'a [Series], statistic: Statistic) -> Result<Vec<Blocks<'a>>, Refused> {
        let blocks = runs.iter().map(Blocks::of).collect::<Result<Vec<_>, _>>()?;
        let effective = runs.iter().map(crate::effective_size).sum();
        self.refuse_too_few(effective, statistic)?;
        Ok(blocks)
    }

    fn refuse_too_few(&self, have: usize, statistic: Statistic) -> Result<(), Refused> {
        let needed = statistic.smallest_sample(self.confidence);
        if have < needed { Err(Refused { needed, have }) } else { Ok(()) }
    }

    /// The statistic of each resample, in the order drawn.
    fn replicates(&self, runs: &[Blocks<'_>], statistic: Statistic, stream: u64) -> Vec<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(stream);
        let mut estimator = Estimator { statistic, weights: HashMap::new() };
        let mut drawn = Vec::new();
        let replicate = |_| {
            drawn.clear();
            for _ in runs {
                runs[below(&mut random, runs.len())].resample(&mut random, &mut drawn);
            }
            estimator.of(&mut drawn)
        };
        (0..self.resamples).map(replicate).collect()
    }

    /// The interval between two percentiles of the replicates.
    pub(crate) fn percentiles(&self, mut replicates: Vec<f64>) -> Interval {
        replicates.sort_unstable_by(f64::total_cmp);
        // `Confidence` keeps the tail within (0, 0.25], so both positions exist.
        let at = |probability: f64| {
            let position = probability * (replicates.len() as f64 - 1.0);
            to_count(position.round())
        };
        let tail = self.confidence.tail();
        Interval { low: replicates[at(tail)], high: replicates[at(1.0 - tail)], confidence: self.confidence }
    }
}

/// Values with the length of the blocks they are resampled in.
struct Blocks<'a> {
    values: &'a [f64],
    length: usize,
}

impl<'a> Blocks<'a> {
    fn of(series: &'a Series) -> Result<Self, Refused> {
        let have = series.len();
        let growth = (have as f64).cbrt();
        let length = to_count(growth.max(2.0 * correlation_time(series.values())).ceil());
        let needed = FEWEST_BLOCKS * length;
        if have < needed {
            Err(Refused { needed, have })
        } else {
            Ok(Self { values: series.values(), length })
        }
    }

    /// Appends as many values as there are, block by block; a block that reaches the end goes on at the start, so
    /// every value is drawn equally often.
    fn resample(&self, random: &mut ChaCha8Rng, drawn: &mut Vec<f64>) {
        let count = self.values.len();
        let end = drawn.len() + count;
        while drawn.len() < end {
            let start = below(random, count);
            let length = self.length.min(end - drawn.len());
            drawn.extend((start..start + length).map(|index| self.values[index % count]));
        }
    }
}

/// Evaluates a statistic again and again; keeps the Harrell–Davis weights of each length met.
struct Estimator {
    statistic: Statistic,
    weights: HashMap<usize, Weights>,
}

impl Estimator {
    /// Reorders `values`.
    fn of(&mut self, values: &mut [f64]) -> f64 {
        match self.statistic {
            Statistic::Mean => mean(values),
            Statistic::Quantile(quantile) => {
                let (below, weight) = type7_position(values.len(), quantile);
                let (_, &mut low, above) = values.select_nth_unstable_by(below, f64::total_cmp);
                let high = above.iter().copied().min_by(f64::total_cmp).unwrap_or(low);
                low + weight * (high - low)
            }
            Statistic::HarrellDavis(quantile) => {
                let count = values.len();
                self.weights
                    .entry(count)
                    .or_insert_with(|| Weights::new(count, quantile))
                    .apply_unsorted(values)
            }
        }
    }
}

/// A whole number below `count`, by the high half of a product. The bias is below count/2^64; unlike `random_range`
/// the mapping cannot change with a release of the generator crate.
pub(crate) fn below(random: &mut ChaCha8Rng, count: usize) -> usize {
    let product = u128::from(random.next_u64()) * count as u128;
    usize::try_from(product >> 64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEDIAN: Statistic = Statistic::Quantile(Quantile::P50);

    fn scrambled(count: u64) -> Vec<f64> {
        (0..count).map(|i| (i * 7919 % 10_007) as f64).collect()
    }

    #[test]
    fn estimator_equals_the_statistic_of_the_sample() {
        let sample = Sample::new(scrambled(5001)).unwrap();
        let smooth = [Quantile::P50, Quantile::P90, Quantile::P999].map(Statistic::HarrellDavis);
        for statistic in [Statistic::Mean, MEDIAN].into_iter().chain(smooth) {
            let mut estimator = Estimator { statistic, weights: HashMap::new() };
            let got = estimator.of(&mut scrambled(5001));
            assert!((got - statistic.of(&sample)).abs() < 1e-9, "{statistic:?}");
        }
    }

    #[test]
    fn the_seed_decides_and_another_seed_differs() {
        let series = Series::new(scrambled(400)).unwrap();
        let interval =
            |seed| Bootstrap::new(seed).with_resamples(300).series(&series, Statistic::Mean).unwrap();
        assert_eq!(interval(7), interval(7));
        assert_ne!(interval(7), interval(8));
    }

    #[test]
    fn refuses_too_few_values_blocks_and_quantiles() {
        let bootstrap = Bootstrap::new(1);
        let sample = Sample::new(scrambled(367)).unwrap();
        let p99 = Statistic::Quantile(Quantile::P99);
        assert_eq!(bootstrap.independent(&sample, p99), Err(Refused { needed: 368, have: 367 }));
        let short = Series::new(vec![1.0, 5.0, 2.0, 4.0, 3.0]).unwrap();
        assert!(bootstrap.series(&short, Statistic::Mean).is_err());
        let trend = Series::new((0..1000).map(f64::from).collect()).unwrap();
        assert!(bootstrap.series(&trend, Statistic::Mean).is_err(), "a trend has no five independent blocks");
    }

    #[test]
    fn two_levels_see_what_differs_between_runs() {
        let run = |offset: f64| Series::new(scrambled(300).iter().map(|v| v + offset).collect()).unwrap();
        let bootstrap = Bootstrap::new(3).with_resamples(400);
        let alike: Vec<Series> = (0..5).map(|_| run(0.0)).collect();
        let apart: Vec<Series> = (0..5).map(|i| run(f64::from(i) * 5000.0)).collect();
        let width = |runs: &[Series]| bootstrap.two_level(runs, MEDIAN).unwrap().half_width();
        assert!(width(&apart) > 3.0 * width(&alike));
    }

    #[test]
    fn below_covers_the_range_evenly() {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[below(&mut random, 7)] += 1;
        }
        // Standard deviation of a count is 93.
        assert!(counts.iter().all(|&count| count.abs_diff(10_000) < 470), "{counts:?}");
    }
}
