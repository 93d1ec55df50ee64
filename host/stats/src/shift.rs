//! The shift function: how two sides differ at many quantiles, with bands that hold for all of them at once.
//!
//! A slower median with a better tail is common, and no single figure shows it. Knows values in runs.

use crate::bootstrap::{Bootstrap, Side, Statistic};
use crate::distribution::{normal_critical, student_t_critical};
use crate::interval::{Confidence, Interval};
use crate::quantile::{Quantile, Refused, to_count};
use crate::sample::{Series, mean, variance};

/// From so many runs a side on, runs alone are drawn: they hold all there is of variation between and inside them.
const RUNS_ALONE: usize = 5;

/// One quantile of both sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShiftPoint {
    /// Which quantile.
    pub quantile: Quantile,
    /// Its Harrell–Davis estimate for the base.
    pub base: f64,
    /// The same for the candidate.
    pub candidate: f64,
    /// Candidate minus base with its band, in the unit of the values.
    pub difference: (f64, Interval),
    /// Candidate over base minus 1 with its band; `None` if a value of either side is 0 or negative.
    pub relative: Option<(f64, Interval)>,
}

/// Differences of two sides at each quantile, with simultaneous bands: at the stated confidence the true differences
/// lie inside *all* of them.
///
/// Bands are sup-t: every difference ± c·its standard error, with c the quantile of the largest studentised deviation
/// over the whole set in the bootstrap (Montiel Olea & Plagborg-Møller 2019, J. Applied Econometrics 34). With one run a
/// side blocks are drawn, with two to four runs a side runs and blocks inside them, with five or more whole runs. As
/// few runs vary too little in a bootstrap, deviations are widened by √(k/(k − 1)) and by Student's t over the normal
/// critical value for k − 1 degrees of freedom, k the fewer runs; for two to four runs the bands are wider than need be.
///
/// Refuses what [`Bootstrap::two_level`] refuses, for the most demanding of the quantiles.
///
/// ```
/// use benchhost_stats::{Bootstrap, Confidence, Series, p5_to_p99, shift};
///
/// let run = |factor: f64| Series::new((0..2000).map(|i| factor * f64::from(i * 7919 % 2003)).collect());
/// let bootstrap = Bootstrap::new(1).with_resamples(400);
/// let points = shift(&[run(1.0)?], &[run(1.2)?], &p5_to_p99(), &bootstrap)?;
/// assert!(points.iter().all(|point| point.difference.1.contains(0.2 * point.base)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn shift(
    base: &[Series],
    candidate: &[Series],
    quantiles: &[Quantile],
    bootstrap: &Bootstrap,
) -> Result<Vec<ShiftPoint>, Refused> {
    let wanted: Vec<(usize, Statistic)> =
        quantiles.iter().map(|&quantile| (0, Statistic::HarrellDavis(quantile))).collect();
    let mut sides = [Side::of_series(base)?, Side::of_series(candidate)?];
    if base.len().min(candidate.len()) >= RUNS_ALONE {
        sides = sides.map(Side::of_whole_runs);
    }
    for side in &sides {
        wanted
            .iter()
            .try_for_each(|&(_, statistic)| bootstrap.refuse_too_few(side.effective(0), statistic))?;
    }
    let draws = [0, 1].map(|at| bootstrap.replicates(&sides[at], &wanted, at as u64));
    let estimates = sides.each_ref().map(|side| -> Vec<f64> {
        wanted.iter().map(|&(_, statistic)| side.estimate(0, statistic)).collect()
    });
    let widening = widening(base.len().min(candidate.len()), bootstrap.confidence());
    let band = |combine: fn(f64, f64) -> f64| -> Vec<(f64, Interval)> {
        let effects: Vec<Effects> = (0..quantiles.len())
            .map(|at| Effects {
                estimate: combine(estimates[0][at], estimates[1][at]),
                drawn: draws[0][at].iter().zip(&draws[1][at]).map(|(&b, &c)| combine(b, c)).collect(),
            })
            .collect();
        simultaneous(&effects, bootstrap.confidence(), widening)
    };
    let positive = sides.iter().all(|side| side.smallest(0) > 0.0);
    let differences = band(|base, candidate| candidate - base);
    let log_ratios = positive.then(|| band(|base, candidate| candidate.ln() - base.ln()));
    let relative = |at: usize| {
        let (estimate, interval) = log_ratios.as_ref()?[at];
        Some((estimate.exp_m1(), interval.map(f64::exp_m1)))
    };
    let points = quantiles.iter().enumerate().map(|(at, &quantile)| ShiftPoint {
        quantile,
        base: estimates[0][at],
        candidate: estimates[1][at],
        difference: differences[at],
        relative: relative(at),
    });
    Ok(points.collect())
}

/// p5, p10, … p95 and p99: the quantiles of a shift plot.
pub fn p5_to_p99() -> Vec<Quantile> {
    let steps = (1..20).map(|step| f64::from(step) / 20.0).chain([0.99]);
    // Each lies between 0 and 1.
    steps.filter_map(|probability| Quantile::new(probability).ok()).collect()
}

/// An estimate with its bootstrap replicates.
struct Effects {
    estimate: f64,
    drawn: Vec<f64>,
}

fn widening(runs: usize, confidence: Confidence) -> f64 {
    if runs < 2 {
        return 1.0;
    }
    let degrees = runs as f64 - 1.0;
    (runs as f64 / degrees).sqrt() * student_t_critical(confidence, degrees) / normal_critical(confidence)
}

fn simultaneous(effects: &[Effects], confidence: Confidence, widening: f64) -> Vec<(f64, Interval)> {
    let resamples = effects.first().map_or(0, |effect| effect.drawn.len());
    let errors: Vec<f64> = effects.iter().map(|effect| variance(&effect.drawn).sqrt()).collect();
    let centres: Vec<f64> = effects.iter().map(|effect| mean(&effect.drawn)).collect();
    let largest = |draw: usize| {
        let each = effects.iter().zip(&errors).zip(&centres).map(|((effect, &error), &centre)| {
            if error > 0.0 { ((effect.drawn[draw] - centre) / error).abs() } else { 0.0 }
        });
        each.fold(0.0, f64::max)
    };
    let mut statistics: Vec<f64> = (0..resamples).map(largest).collect();
    statistics.sort_unstable_by(f64::total_cmp);
    let at = to_count((confidence.get() * (resamples as f64 - 1.0)).ceil().max(0.0));
    let critical = statistics.get(at).copied().unwrap_or(0.0) * widening;
    let bands = effects.iter().zip(&errors).map(|(effect, error)| {
        let half = critical * error;
        (effect.estimate, Interval { low: effect.estimate - half, high: effect.estimate + half, confidence })
    });
    bands.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values from 10 to 1010 in an order without pattern, by a small congruential generator.
    fn run(factor: f64, seed: u32) -> Series {
        let values = (0..1500).scan(seed, |state, _| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Some(factor * (10.0 + f64::from(*state >> 16) / 65.536))
        });
        Series::new(values.collect()).unwrap()
    }

    #[test]
    fn bands_are_wider_than_intervals_for_one_quantile() {
        let bootstrap = Bootstrap::new(2).with_resamples(500);
        let (base, candidate) = (run(1.0, 7919), run(1.0, 31));
        let points =
            shift(std::slice::from_ref(&base), std::slice::from_ref(&candidate), &p5_to_p99(), &bootstrap)
                .unwrap();
        let alone = shift(
            std::slice::from_ref(&base),
            std::slice::from_ref(&candidate),
            &[Quantile::P50],
            &bootstrap,
        )
        .unwrap();
        let median = points.iter().find(|point| point.quantile == Quantile::P50).unwrap();
        assert!(median.difference.1.half_width() > 1.2 * alone[0].difference.1.half_width());
        assert!((median.difference.0 - alone[0].difference.0).abs() < f64::EPSILON);
        assert!(points.iter().all(|point| point.difference.1.contains(0.0)), "equal sides");
    }

    #[test]
    fn a_relative_band_needs_positive_values() {
        let bootstrap = Bootstrap::new(2).with_resamples(200);
        let with_zero = Series::new((0..500).map(|i| f64::from(i * 7919 % 503)).collect()).unwrap();
        let points =
            shift(std::slice::from_ref(&with_zero), &[run(1.0, 7919)], &[Quantile::P50], &bootstrap).unwrap();
        assert_eq!(points[0].relative, None);
    }

    #[test]
    fn few_runs_widen_and_a_tail_without_values_is_refused() {
        assert!(widening(2, Confidence::P95) > 3.0 * widening(10, Confidence::P95));
        assert!((widening(1, Confidence::P95) - 1.0).abs() < f64::EPSILON);
        let short = Series::new((0..200).map(|i| f64::from(i * 7919 % 211)).collect()).unwrap();
        let refused = shift(&[short], &[run(1.0, 7919)], &p5_to_p99(), &Bootstrap::new(1));
        assert!(matches!(refused, Err(Refused { needed: 368, .. })), "{refused:?}");
    }
}
