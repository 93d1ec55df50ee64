//! What the comparison says and when it declines to say it.

use benchhost_stats::{
    Basis, Bootstrap, CompareError, Comparison, Confidence, Direction, Margin, Quantile, Refused, Rule,
    Series, Statistic, Verdict, compare, compare_blocks, compare_raw,
};

fn series(values: &[f64]) -> Series {
    Series::new(values.to_vec()).unwrap()
}

fn lower(margin: f64) -> Rule {
    Rule::new(Direction::LowerIsBetter, Margin::relative(margin).unwrap())
}

fn times(values: &[f64], factor: f64) -> Series {
    Series::new(values.iter().map(|value| value * factor).collect()).unwrap()
}

const RUNS: [f64; 5] = [100.0, 101.0, 99.5, 100.4, 99.2];

fn against(factor: f64, rule: &Rule) -> Comparison {
    compare(&series(&RUNS), &times(&RUNS, factor), rule).unwrap()
}

#[test]
fn clear_changes_get_their_verdict_by_direction() {
    let higher = Rule::new(Direction::HigherIsBetter, Margin::relative(0.02).unwrap());
    for (factor, lower_is_better, higher_is_better) in [
        (1.05, Verdict::Regressed, Verdict::Improved),
        (0.95, Verdict::Improved, Verdict::Regressed),
        (1.0, Verdict::Equivalent, Verdict::Equivalent),
    ] {
        assert_eq!(against(factor, &lower(0.02)).verdict, lower_is_better, "{factor}");
        assert_eq!(against(factor, &higher).verdict, higher_is_better, "{factor}");
    }
}

#[test]
fn a_detected_change_below_the_margin_is_not_a_regression() {
    let result = against(1.03, &lower(0.04));
    assert!(result.relative.unwrap().excludes_zero());
    assert_eq!(result.verdict, Verdict::Equivalent);
    let wide_enough_to_reach_the_margin = against(1.03, &lower(0.032));
    assert_eq!(wide_enough_to_reach_the_margin.verdict, Verdict::Drift);
    assert!(wide_enough_to_reach_the_margin.relative.unwrap().excludes_zero());
}

#[test]
fn noise_beyond_the_margin_is_inconclusive_and_says_how_many_runs() {
    let (base, candidate) = ([80.0, 120.0, 95.0, 108.0, 99.0], [118.0, 85.0, 101.0, 93.0, 107.0]);
    let result = compare(&series(&base), &series(&candidate), &lower(0.02)).unwrap();
    assert_eq!(result.verdict, Verdict::Inconclusive);
    assert!(result.runs_needed.unwrap() > 100, "{:?}", result.runs_needed);
}

#[test]
fn too_few_runs_are_indicative_however_large_the_change() {
    for count in 1..=3 {
        let result = compare(&series(&RUNS[..count]), &times(&RUNS, 3.0), &lower(0.02)).unwrap();
        assert_eq!(result.verdict, Verdict::Indicative, "{count} runs");
        assert_eq!(result.absolute.interval.is_ok(), count > 1);
        assert_eq!(result.p_value.is_some(), count > 1);
    }
    assert_eq!(
        compare(&series(&RUNS[..4]), &times(&RUNS, 3.0), &lower(0.02)).unwrap().verdict,
        Verdict::Regressed
    );
    let one = compare(&series(&RUNS[..1]), &times(&RUNS, 3.0), &lower(0.02)).unwrap();
    assert_eq!(one.absolute.interval, Err(Refused { needed: 2, have: 1 }));
}

#[test]
fn relative_and_absolute_describe_the_same_change() {
    let result = against(1.05, &lower(0.02));
    let relative = result.relative.unwrap();
    assert!((relative.estimate - 0.05).abs() < 1e-12);
    assert!(relative.interval.unwrap().contains(0.05));
    assert!((result.absolute.estimate - (result.candidate - result.base)).abs() < 1e-12);
}

#[test]
fn zero_has_no_ratio_but_a_difference() {
    let none = series(&[0.0; 5]);
    let some = series(&[0.03, 0.05, 0.04, 0.03, 0.05]);
    let error = compare(&none, &some, &lower(0.02)).unwrap_err();
    assert_eq!(error, CompareError::NotPositive);
    assert_eq!(error.to_string(), "a value is 0 or negative and has no ratio: use an absolute margin");
    let points = Rule::new(Direction::LowerIsBetter, Margin::absolute(0.02).unwrap());
    let result = compare(&none, &some, &points).unwrap();
    assert_eq!((result.verdict, result.relative), (Verdict::Regressed, None));
    let unchanged = compare(&none, &none, &points).unwrap();
    assert_eq!((unchanged.verdict, unchanged.p_value), (Verdict::Equivalent, Some(1.0)));
}

#[test]
fn a_gate_needs_the_adjusted_p_value_too() {
    let result = against(1.05, &lower(0.02));
    assert_eq!(result.gated(0.049, 0.05), Verdict::Regressed);
    for too_weak in [0.05, 0.5, f64::NAN] {
        assert_eq!(result.gated(too_weak, 0.05), Verdict::Inconclusive, "{too_weak}");
    }
    assert_eq!(against(1.0, &lower(0.02)).gated(1.0, 0.05), Verdict::Equivalent);
}

#[test]
fn blocks_remove_drift_that_unpaired_runs_drown_in() {
    let base = [100.0, 130.0, 90.0, 150.0, 110.0, 140.0];
    let candidate = [104.2, 135.0, 93.5, 156.3, 114.1, 145.9];
    let (base, candidate) = (series(&base), series(&candidate));
    let paired = compare_blocks(&base, &candidate, &lower(0.02)).unwrap();
    assert_eq!((paired.verdict, paired.basis), (Verdict::Regressed, Basis::PairedBlocks));
    assert_eq!(paired.p_value, Some(2.0 / 64.0));
    assert_eq!(compare(&base, &candidate, &lower(0.02)).unwrap().verdict, Verdict::Inconclusive);
}

#[test]
fn blocks_must_pair_up_and_be_six() {
    let error = compare_blocks(&series(&RUNS), &series(&RUNS[..4]), &lower(0.02)).unwrap_err();
    assert_eq!(error, CompareError::UnequalBlocks { base: 5, candidate: 4 });
    let five = compare_blocks(&series(&RUNS), &times(&RUNS, 2.0), &lower(0.02)).unwrap();
    assert_eq!(five.verdict, Verdict::Indicative);
}

fn raw(seed: u32, count: u32) -> Series {
    // A full period of a small congruential generator: order without a trend.
    let next = |state: u32| state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    let mut state = seed;
    let values = (0..count).map(|_| {
        state = next(state);
        100.0 + f64::from(state >> 16) / 1000.0
    });
    Series::new(values.collect()).unwrap()
}

#[test]
fn values_of_one_run_are_indicative_and_flagged_within_run() {
    let (base, slower) = (raw(1, 800), times(raw(2, 800).values(), 2.0));
    let median = Statistic::HarrellDavis(Quantile::P50);
    let result = compare_raw(&[base], &[slower], median, &lower(0.05), &Bootstrap::new(4)).unwrap();
    assert_eq!((result.verdict, result.basis, result.p_value), (Verdict::Indicative, Basis::WithinRun, None));
    assert!(result.relative.unwrap().interval.unwrap().contains(1.0));
    assert!(result.absolute.excludes_zero());
}

#[test]
fn the_two_sides_are_resampled_apart() {
    // Two independent sides differ by √2 times the error of one; drawn alike, equal sides would not differ at all.
    let (run, rule) = (raw(7, 800), lower(0.05));
    let bootstrap = Bootstrap::new(4).with_confidence(Confidence::P90);
    let one = bootstrap.series(&run, Statistic::Mean).unwrap().half_width();
    let side = std::slice::from_ref(&run);
    let both = compare_raw(side, side, Statistic::Mean, &rule, &bootstrap).unwrap();
    let ratio = both.absolute.interval.unwrap().half_width() / one;
    assert!((ratio - std::f64::consts::SQRT_2).abs() < 0.15, "{ratio}");
}

#[test]
fn the_p_value_belongs_to_the_scale_of_the_margin() {
    // Enumerated apart from this crate: 28 of 70 splits are as extreme in the values, 10 of 70 in their logarithms.
    let (base, candidate) = (series(&[1.0, 2.0, 4.0, 64.0]), series(&[16.0, 32.0, 32.0, 64.0]));
    let points = Rule::new(Direction::LowerIsBetter, Margin::absolute(1.0).unwrap());
    assert_eq!(compare(&base, &candidate, &points).unwrap().p_value, Some(28.0 / 70.0));
    assert_eq!(compare(&base, &candidate, &lower(0.02)).unwrap().p_value, Some(10.0 / 70.0));
}

#[test]
fn values_of_many_runs_stay_indicative() {
    let side = |from: u32| -> Vec<Series> { (from..from + 12).map(|seed| raw(seed, 200)).collect() };
    let p99 = Statistic::Quantile(Quantile::P99);
    let result = compare_raw(&side(1), &side(50), p99, &lower(0.10), &Bootstrap::new(4)).unwrap();
    assert_eq!((result.verdict, result.basis), (Verdict::Indicative, Basis::RunsAndValues));
    assert!(result.absolute.interval.is_ok(), "2400 values carry a p99 that 200 do not");
}

#[test]
fn a_tail_the_values_cannot_resolve_has_an_estimate_but_no_interval() {
    let p99 = Statistic::HarrellDavis(Quantile::P99);
    let result = compare_raw(&[raw(1, 200)], &[raw(2, 200)], p99, &lower(0.10), &Bootstrap::new(4)).unwrap();
    // At the rule's 90 % p99 needs 299.
    assert!(matches!(result.absolute.interval, Err(Refused { needed: 299, .. })), "{:?}", result.absolute);
    assert!(result.absolute.estimate.is_finite());
    assert_eq!(result.verdict, Verdict::Indicative);
    let error = compare_raw(&[], &[raw(2, 200)], p99, &lower(0.10), &Bootstrap::new(4)).unwrap_err();
    assert_eq!(error, CompareError::NoRuns);
}

#[test]
fn extreme_spreads_give_wide_intervals_and_no_nan() {
    let wild = series(&[1e-100, 1e100, 1e-50, 1e50, 1.0]);
    let result = compare(&wild, &series(&RUNS), &lower(0.02)).unwrap();
    let relative = result.relative.unwrap().interval.unwrap();
    assert!(relative.low >= -1.0 && !relative.high.is_nan());
    assert_eq!(result.verdict, Verdict::Inconclusive);
}
