//! Simulations with fixed seeds: does an interval cover as often as it says, does a test raise as few false alarms?
//!
//! Bounds are the nominal count ± 4.5 standard deviations of a binomial count unless a comment says otherwise, so they
//! would hold for nearly every seed. A change of formula moves the count by far more.

use benchhost_stats::{
    Bootstrap, Confidence, Direction, Margin, Proportion, Quantile, Rule, Sample, Series, Statistic, Verdict,
    compare, effective_size, mean_interval, normal_critical,
};
use random::Random;

mod random;

/// Counts how often `trial` holds.
fn count(seed: u64, trials: u32, mut trial: impl FnMut(&mut Random) -> bool) -> u32 {
    let mut random = Random::new(seed);
    (0..trials).map(|_| u32::from(trial(&mut random))).sum()
}

/// Asserts that the count is within 4.5 standard deviations of what `rate` predicts.
fn assert_rate(got: u32, trials: u32, rate: f64) {
    assert_between(got, trials, rate, rate);
}

fn assert_between(got: u32, trials: u32, lowest: f64, highest: f64) {
    let trials = f64::from(trials);
    let slack = |rate: f64| 4.5 * (trials * rate * (1.0 - rate)).sqrt();
    let (low, high) = (trials * lowest - slack(lowest), trials * highest + slack(highest));
    assert!((low..=high).contains(&f64::from(got)), "{got} of {trials} is outside {low:.0} to {high:.0}");
}

impl Random {
    fn normals(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.normal()).collect()
    }

    fn exponentials(&mut self, count: usize) -> Sample {
        Sample::new((0..count).map(|_| self.exponential()).collect()).unwrap()
    }

    fn correlated(&mut self, count: usize, correlation: f64) -> Series {
        Series::new(self.autoregressive(count, correlation)).unwrap()
    }

    /// Run summaries around `centre` with 3 % spread.
    fn runs(&mut self, count: usize, centre: f64) -> Series {
        Series::new((0..count).map(|_| centre * (0.03 * self.normal()).exp()).collect()).unwrap()
    }
}

#[test]
fn the_t_interval_of_five_runs_covers_95_percent() {
    let covered = count(1, 8000, |random| {
        let runs = Sample::new(random.normals(5)).unwrap();
        mean_interval(&runs, Confidence::P95).unwrap().contains(0.0)
    });
    assert_rate(covered, 8000, 0.95);
}

#[test]
fn the_order_statistic_interval_covers_at_least_its_level() {
    let truth = 10_f64.ln();
    let covered = count(2, 4000, |random| {
        let sample = random.exponentials(200);
        sample.quantile_interval(Quantile::P90, Confidence::P95, 200).unwrap().contains(truth)
    });
    // Ranks are whole, so the true level, P(171 ≤ Bin(200, 0.9) < 189), is a little above 95 %.
    assert_between(covered, 4000, 0.95, 0.97);
}

#[test]
fn the_upper_bound_holds_at_least_as_often_as_it_says() {
    let truth = 10_f64.ln();
    let held = count(3, 4000, |random| {
        random.exponentials(150).upper_bound(Quantile::P90, Confidence::P95, 150).unwrap() >= truth
    });
    assert_between(held, 4000, 0.95, 0.98);
}

#[test]
fn the_effective_size_repairs_the_interval_of_a_correlated_median() {
    let coverage = |seed, effective: bool| {
        count(seed, 400, |random| {
            let series = random.correlated(1000, 0.9);
            let independent = if effective { effective_size(&series) } else { series.len() };
            let interval = series.to_sample().quantile_interval(Quantile::P50, Confidence::P95, independent);
            interval.unwrap().contains(0.0)
        })
    };
    let (repaired, naive) = (coverage(4, true), coverage(4, false));
    assert!(naive < 260, "values taken as independent cover far less than 95 %: {naive} of 400");
    assert!(repaired > 352, "at least 88 % with the effective size: {repaired} of 400");
}

#[test]
fn the_effective_size_meets_the_theory_of_an_autoregression() {
    // τ = (1 + ρ)/(1 − ρ): 3 at ρ = 0.5.
    let mut random = Random::new(5);
    let sizes: Vec<f64> = (0..50).map(|_| effective_size(&random.correlated(3000, 0.5)) as f64).collect();
    let mean = sizes.iter().sum::<f64>() / 50.0;
    assert!((mean - 1000.0).abs() < 100.0, "{mean}");
}

#[test]
fn the_bootstrap_mean_covers_near_its_level() {
    let covered = count(6, 600, |random| {
        let sample = random.exponentials(100);
        let bootstrap = Bootstrap::new(random.seed()).with_resamples(400);
        bootstrap.independent(&sample, Statistic::Mean).unwrap().contains(1.0)
    });
    // A percentile interval of 100 skewed values covers about 93 %.
    assert_between(covered, 600, 0.92, 0.95);
}

#[test]
fn blocks_cover_a_correlated_mean_that_single_values_miss() {
    let coverage = |blocks: bool| {
        count(7, 300, |random| {
            let series = random.correlated(800, 0.7);
            let bootstrap = Bootstrap::new(random.seed()).with_resamples(300);
            let interval = if blocks {
                bootstrap.series(&series, Statistic::Mean)
            } else {
                bootstrap.independent(&series.to_sample(), Statistic::Mean)
            };
            interval.unwrap().contains(0.0)
        })
    };
    let (in_blocks, singly) = (coverage(true), coverage(false));
    assert!(singly < 210, "single values: {singly} of 300");
    assert!(in_blocks > 258, "blocks: {in_blocks} of 300");
}

#[test]
fn equal_sides_are_told_apart_as_rarely_as_promised() {
    let rule = Rule::new(Direction::LowerIsBetter, Margin::relative(0.02).unwrap());
    let excluded = count(8, 4000, |random| {
        let result = compare(&random.runs(5, 100.0), &random.runs(5, 100.0), &rule).unwrap();
        result.relative.unwrap().excludes_zero()
    });
    // Nominal 10 %; Welch at five runs a side is slightly on the safe side.
    assert_between(excluded, 4000, 0.09, 0.10);

    let alarms = count(9, 4000, |random| {
        let result = compare(&random.runs(5, 100.0), &random.runs(5, 100.0), &rule).unwrap();
        result.gated(result.p_value.unwrap(), 0.05) == Verdict::Regressed
    });
    // One direction of an exact 5 % test, at most 12/252, with the margin on top.
    assert!(alarms <= 130, "{alarms} of 4000 false regressions");
}

#[test]
fn a_change_as_large_as_the_margin_is_called_equivalent_at_most_5_percent_of_the_time() {
    let rule = Rule::new(Direction::LowerIsBetter, Margin::relative(0.05).unwrap());
    let missed = count(10, 4000, |random| {
        let result = compare(&random.runs(8, 100.0), &random.runs(8, 105.0), &rule).unwrap();
        result.verdict == Verdict::Equivalent
    });
    assert_between(missed, 4000, 0.02, 0.05);
}

#[test]
fn a_large_change_is_found() {
    let rule = Rule::new(Direction::LowerIsBetter, Margin::relative(0.02).unwrap());
    let found = count(11, 500, |random| {
        compare(&random.runs(5, 100.0), &random.runs(5, 110.0), &rule).unwrap().verdict == Verdict::Regressed
    });
    assert!(found > 490, "{found} of 500");
}

#[test]
fn the_wilson_interval_covers_a_rare_error() {
    let covered = count(12, 4000, |random| {
        let failed = (0..500).filter(|_| random.uniform() < 0.02).count();
        Proportion::new(failed as u64, 500).unwrap().wilson(Confidence::P95).contains(0.02)
    });
    assert_between(covered, 4000, 0.94, 0.97);
}

#[test]
fn the_simulated_normal_is_one() {
    let beyond = count(13, 20_000, |random| random.normal().abs() > normal_critical(Confidence::P90));
    assert_rate(beyond, 20_000, 0.10);
}
