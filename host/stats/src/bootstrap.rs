//! Seeded percentile bootstrap: independent values, blocks of a series, runs with blocks inside, and several metrics
//! of the same requests together.
//!
//! Reads no clock and no system randomness: the same values and the same seed give the same interval on every
//! machine. Resampling cannot see what the values never showed: near saturation the tail of a short run is too low,
//! and its bootstrap interval is too narrow and too low with it.

use crate::correlation::{correlation_time, lost_between_blocks};
use crate::distribution::{normal_critical, student_t_critical};
use crate::harrell_davis::Weights;
use crate::interval::{Confidence, Interval};
use crate::quantile::{Quantile, Refused, to_count};
use crate::resample::{Column, Cumulated, Layout};
use crate::sample::{Sample, Series};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Fewest resamples: below it the ends of a 95 % interval rest on fewer than five replicates.
const FEWEST: u32 = 200;
/// Blocks of so many correlation times lose less than 2 % of the variance over their edges: it is not worth a count.
const LONG_BLOCKS: f64 = 50.0;

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

    /// Interval from values that are independent of one another, for example differences by item. Needs two for a mean
    /// and [`Quantile::smallest_sample`] for a quantile.
    ///
    /// Work grows with values times resamples, unlike that of the methods for series.
    pub fn independent(&self, sample: &Sample, statistic: Statistic) -> Result<Interval, Refused> {
        self.refuse_too_few(sample.len(), statistic)?;
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let mut drawn = vec![0_u32; sample.len()];
        let estimator = Estimator::new(statistic, sample.len());
        let replicates = (0..self.resamples).map(|_| {
            drawn.fill(0);
            for _ in 0..sample.len() {
                drawn[below(&mut random, sample.len())] += 1;
            }
            let resample = sample
                .values()
                .iter()
                .zip(&drawn)
                .flat_map(|(&value, &times)| (0..times).map(move |_| value));
            estimator.of_ascending(&resample.collect::<Vec<f64>>())
        });
        Ok(self.percentiles(replicates.collect()))
    }

    /// Interval from a time-ordered series of one run, by circular blocks (Politis & Romano 1992) of
    /// max(n^⅓, 2τ) values, τ as in [`effective_size`](crate::effective_size). Runs above 1000 values are drawn in
    /// cells of neighbours, which costs no accuracy, as blocks are longer, and no time.
    ///
    /// Blocks show too little variation: what is correlated over their edges is lost, and there are few of them. So
    /// deviations from their mean are widened by `√(τ/τ_L)`, with `τ_L` the part of τ that blocks of L values see, for a
    /// quantile of the series "above the estimate or not", and for k blocks by √(k/(k − 1)) and by Student's t over the
    /// normal critical value. `SIMULATIONS.md` has the coverage.
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
        let side = Side::of_series(runs)?;
        self.refuse_too_few(side.effective[0], statistic)?;
        let mut replicates = self.replicates(&side, &[(0, statistic)], 0).swap_remove(0);
        if let [run] = runs {
            widen(&mut replicates, side.widening(0, run.values(), statistic, self.confidence));
        }
        Ok(self.percentiles(replicates))
    }

    pub(crate) fn refuse_too_few(&self, have: usize, statistic: Statistic) -> Result<(), Refused> {
        let needed = statistic.smallest_sample(self.confidence);
        if have < needed { Err(Refused { needed, have }) } else { Ok(()) }
    }

    /// Each wanted statistic (column, statistic) of each resample, in the order drawn; all from the same draws. One
    /// `stream` a side: a change on one side leaves the draws of the other as they were.
    pub(crate) fn replicates(
        &self,
        side: &Side,
        wanted: &[(usize, Statistic)],
        stream: u64,
    ) -> Vec<Vec<f64>> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(stream);
        let estimators: Vec<Estimator> = wanted
            .iter()
            .map(|&(column, statistic)| Estimator::new(statistic, side.columns[column].values().len()))
            .collect();
        let mut replicates = vec![Vec::with_capacity(self.resamples as usize); wanted.len()];
        let mut times = vec![0; side.layout.cells()];
        for _ in 0..self.resamples {
            side.layout.draw(&mut random, &mut times);
            for ((&(column, _), estimator), into) in wanted.iter().zip(&estimators).zip(&mut replicates) {
                let column = &side.columns[column];
                // A draw without a value of this metric says nothing new: it repeats the estimate.
                let estimate = estimator.of(column, &times);
                into.push(estimate.unwrap_or_else(|| estimator.of_ascending(column.values())));
            }
        }
        replicates
    }

    /// The confidence of its intervals.
    pub(crate) fn confidence(&self) -> Confidence {
        self.confidence
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

/// One side, ready to be drawn from: the cut of its requests and a sorted column for each metric.
pub(crate) struct Side {
    layout: Layout,
    columns: Vec<Column>,
    /// Independent values of each column.
    effective: Vec<usize>,
    /// Correlation time of each column in the last of its runs.
    times: Vec<f64>,
}

impl Side {
    /// A side of one metric.
    pub(crate) fn of_series(runs: &[Series]) -> Result<Self, Refused> {
        let columns: Vec<Vec<&[f64]>> = vec![runs.iter().map(Series::values).collect()];
        Self::new(&columns)
    }

    /// A side of several metrics: for each the runs, for each run a value a request, NaN where there is none. Every
    /// metric has the same requests. Blocks are as long as the metric that is correlated longest needs them, since all
    /// are drawn together. Refuses metrics without any value and runs too short for blocks.
    pub(crate) fn new(metrics: &[Vec<&[f64]>]) -> Result<Self, Refused> {
        let none = Refused { needed: 2, have: 0 };
        let runs = metrics.first().ok_or(none)?.len();
        let mut lengths = Vec::with_capacity(runs);
        let mut effective = vec![0; metrics.len()];
        let mut times = vec![1.0; metrics.len()];
        for run in 0..runs {
            let requests = metrics[0][run].len();
            let mut longest = (requests as f64).cbrt();
            for ((metric, effective), known) in metrics.iter().zip(&mut effective).zip(&mut times) {
                let values: Vec<f64> = metric[run].iter().copied().filter(|value| !value.is_nan()).collect();
                if values.is_empty() {
                    continue;
                }
                let time = correlation_time(&values);
                *known = time;
                *effective += to_count((values.len() as f64 / time).floor()).clamp(1, values.len());
                // τ counts the metric's own values; requests without one stretch it.
                longest = longest.max(2.0 * time * requests as f64 / values.len() as f64);
            }
            lengths.push((requests, to_count(longest.ceil())));
        }
        let layout = Layout::new(&lengths)?;
        let columns: Option<Vec<Column>> = metrics.iter().map(|runs| Column::new(&layout, runs)).collect();
        Ok(Self { layout, columns: columns.ok_or(none)?, effective, times })
    }

    /// The same side, drawn by whole runs.
    pub(crate) fn of_whole_runs(self) -> Self {
        Self { layout: self.layout.of_whole_runs(), ..self }
    }

    /// Independent values of a metric.
    pub(crate) fn effective(&self, metric: usize) -> usize {
        self.effective[metric]
    }

    /// How much more the estimates of a lone run vary than those of its blocks drawn again, see [`Bootstrap::series`].
    /// `values` are the metric's in time order, NaN where a request has none.
    pub(crate) fn widening(
        &self,
        metric: usize,
        values: &[f64],
        statistic: Statistic,
        confidence: Confidence,
    ) -> f64 {
        let (requests, block) = self.layout.block(0);
        // Five fit at least.
        let degrees = requests / block - 1.0;
        let few = ((degrees + 1.0) / degrees).sqrt() * student_t_critical(confidence, degrees)
            / normal_critical(confidence);
        let mut own: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        let length = block * own.len() as f64 / requests;
        if length >= LONG_BLOCKS * self.times[metric] {
            return few;
        }
        if let Statistic::Quantile(_) | Statistic::HarrellDavis(_) = statistic {
            // To first order a quantile moves with the share of values above it (Bahadur 1966).
            let estimate = self.estimate(metric, statistic);
            for value in &mut own {
                *value = f64::from(u8::from(*value > estimate));
            }
        }
        few * lost_between_blocks(&own, length).sqrt()
    }

    /// Smallest value of a metric.
    pub(crate) fn smallest(&self, metric: usize) -> f64 {
        self.columns[metric].values()[0]
    }

    /// The statistic of a metric's values as they are.
    pub(crate) fn estimate(&self, metric: usize, statistic: Statistic) -> f64 {
        let values = self.columns[metric].values();
        Estimator::new(statistic, values.len()).of_ascending(values)
    }
}

/// Moves replicates away from their mean by a factor; on a scale of ratios where all are positive, so that they stay it.
pub(crate) fn widen(replicates: &mut [f64], factor: f64) {
    let positive = replicates.iter().all(|value| *value > 0.0);
    let there = |value: f64| if positive { value.ln() } else { value };
    let centre = replicates.iter().map(|value| there(*value)).sum::<f64>() / replicates.len().max(1) as f64;
    for value in replicates {
        let moved = centre + factor * (there(*value) - centre);
        *value = if positive { moved.exp() } else { moved };
    }
}

/// Evaluates one statistic again and again.
struct Estimator {
    statistic: Statistic,
    weights: Option<(Weights, Cumulated)>,
}

impl Estimator {
    /// For resamples of about `count` values.
    fn new(statistic: Statistic, count: usize) -> Self {
        let weights = match statistic {
            Statistic::HarrellDavis(quantile) => {
                let weights = Weights::new(count, quantile);
                let cumulated = weights.cumulated(count);
                Some((weights, cumulated))
            }
            Statistic::Mean | Statistic::Quantile(_) => None,
        };
        Self { statistic, weights }
    }

    fn of(&self, column: &Column, times: &[u32]) -> Option<f64> {
        match (self.statistic, &self.weights) {
            (Statistic::Mean, _) => column.mean(times),
            (Statistic::HarrellDavis(_), Some((_, cumulated))) => column.harrell_davis(times, cumulated),
            (Statistic::Quantile(quantile) | Statistic::HarrellDavis(quantile), _) => {
                column.type7(times, quantile)
            }
        }
    }

    /// The statistic of ascending values, as many as the estimator was made for.
    fn of_ascending(&self, ascending: &[f64]) -> f64 {
        match &self.weights {
            Some((weights, _)) => weights.apply(ascending),
            None => self.statistic.of(&Sample::from_ascending(ascending.to_vec())),
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
