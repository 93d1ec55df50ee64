//! Answers of scipy and numpy for the same inputs; `fixtures/make.py` made the file and says how.

use benchhost_stats::{
    Comparison, Confidence, Direction, Interval, Margin, Proportion, Quantile, Rule, Sample, Series,
    Statistic, WeightedSample, benjamini_hochberg, change_points, compare, compare_blocks, holm,
    isotonic_falling, isotonic_rising, mcnemar_exact_p, mser5, normal_critical, permutation_p, sign_flip_p,
    signed_rank, student_t_critical, student_t_p, welch_p,
};
use serde_json::Value;
use std::sync::LazyLock;

static REFERENCE: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("fixtures/reference.json")).unwrap());

/// The cases of one part of the file; an empty one would test nothing.
fn cases(part: &str) -> &'static [Value] {
    let cases = REFERENCE.pointer(part).and_then(Value::as_array).unwrap();
    assert!(!cases.is_empty());
    cases
}

fn number(case: &Value, key: &str) -> f64 {
    case[key].as_f64().unwrap()
}

fn count(case: &Value, key: &str) -> u64 {
    case[key].as_u64().unwrap()
}

fn size(case: &Value, key: &str) -> usize {
    usize::try_from(count(case, key)).unwrap()
}

fn list(case: &Value, key: &str) -> Vec<f64> {
    case[key].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

fn series(case: &Value, key: &str) -> Series {
    Series::new(list(case, key)).unwrap()
}

fn near(got: f64, want: f64, tolerance: f64, case: &Value) {
    assert!((got - want).abs() <= tolerance * want.abs().max(1e-3), "got {got}, want {want} in {case}");
}

fn near_interval(got: Interval, want: &[f64], tolerance: f64, case: &Value) {
    near(got.low, want[0], tolerance, case);
    near(got.high, want[1], tolerance, case);
}

fn rule() -> Rule {
    Rule::new(Direction::LowerIsBetter, Margin::relative(0.02).unwrap())
}

fn relative(comparison: &Comparison) -> Interval {
    comparison.relative.unwrap().interval.unwrap()
}

#[test]
fn welch_intervals_and_p_values() {
    for case in cases("/welch") {
        let (base, candidate) = (series(case, "base"), series(case, "candidate"));
        let result = compare(&base, &candidate, &rule()).unwrap();
        near_interval(result.absolute.interval.unwrap(), &list(case, "absolute"), 1e-9, case);
        near_interval(relative(&result), &list(case, "relative"), 1e-9, case);
        near(welch_p(base.values(), candidate.values()).unwrap(), number(case, "p"), 1e-9, case);
    }
}

#[test]
fn paired_intervals() {
    for case in cases("/paired") {
        let result = compare_blocks(&series(case, "base"), &series(case, "candidate"), &rule()).unwrap();
        near_interval(relative(&result), &list(case, "relative"), 1e-9, case);
    }
}

#[test]
fn exact_permutation_p_values() {
    for case in cases("/permutation") {
        let got = permutation_p(&list(case, "base"), &list(case, "candidate")).unwrap();
        near(got, number(case, "p"), 1e-12, case);
    }
    for case in cases("/sign_flip") {
        near(sign_flip_p(&list(case, "differences")).unwrap(), number(case, "p"), 1e-12, case);
    }
}

#[test]
fn wilson_and_clopper_pearson() {
    for case in cases("/proportions") {
        let share = Proportion::new(count(case, "successes"), count(case, "total")).unwrap();
        let confidence = Confidence::new(number(case, "confidence")).unwrap();
        near_interval(share.wilson(confidence), &list(case, "wilson"), 1e-9, case);
        near_interval(share.clopper_pearson(confidence), &list(case, "clopper_pearson"), 1e-8, case);
    }
}

#[test]
fn mcnemar() {
    for case in cases("/mcnemar") {
        let of = |key| u32::try_from(count(case, key)).unwrap();
        near(mcnemar_exact_p(of("only_base"), of("only_candidate")), number(case, "p"), 1e-9, case);
    }
}

#[test]
fn type_7_and_harrell_davis_quantiles() {
    for case in cases("/quantiles") {
        let sample = Sample::new(list(case, "values")).unwrap();
        let smooth = list(case, "harrell_davis");
        for (at, (p, want)) in list(case, "probabilities").into_iter().zip(list(case, "type7")).enumerate() {
            let quantile = Quantile::new(p).unwrap();
            near(sample.type7(quantile), want, 1e-14, case);
            if let Some(&want) = smooth.get(at) {
                near(Statistic::HarrellDavis(quantile).of(&sample), want, 1e-9, case);
            }
        }
    }
}

#[test]
fn weighted_quantiles_and_means() {
    for case in cases("/weighted_quantiles") {
        let weights = case["weights"].as_array().unwrap().iter().map(|weight| weight.as_u64().unwrap());
        let sample = WeightedSample::new(list(case, "values").into_iter().zip(weights).collect()).unwrap();
        near(sample.mean(), number(case, "mean"), 1e-12, case);
        for (p, want) in list(case, "probabilities").into_iter().zip(list(case, "type7")) {
            near(sample.type7(Quantile::new(p).unwrap()), want, 1e-12, case);
        }
    }
}

#[test]
fn ranks_of_quantile_intervals_and_counts_of_early_stopping() {
    let ramp = |count: usize| Sample::new((1..=count).map(|i| i as f64).collect()).unwrap();
    for case in cases("/order_statistics/ranks") {
        let (count, quantile) = (size(case, "count"), Quantile::new(number(case, "probability")).unwrap());
        let interval = ramp(count).quantile_interval(quantile, Confidence::P95, count).unwrap();
        near_interval(interval, &[number(case, "low"), number(case, "high")], 0.0, case);
    }
    for case in cases("/order_statistics/early_stopping") {
        let (above, needed) = (size(case, "above"), size(case, "needed"));
        let bound = |count: usize| {
            ramp(count).upper_bound(Quantile::P99, Confidence::P99, count).map(|b| count as f64 - b)
        };
        near(bound(needed).unwrap(), above as f64, 0.0, case);
        assert!(bound(needed - 1).is_err() == (above == 0), "{case}");
        if above > 0 {
            near(bound(needed - 1).unwrap(), above as f64 - 1.0, 0.0, case);
        }
    }
}

#[test]
fn signed_ranks_and_shifts() {
    for case in cases("/signed_rank") {
        let found = signed_rank(list(case, "differences"), Confidence::P95).unwrap();
        near(found.p, number(case, "p"), 1e-9, case);
        near(found.shift, number(case, "shift"), 1e-12, case);
    }
    for case in cases("/tied_signed_rank") {
        let found = signed_rank(list(case, "differences"), Confidence::P95).unwrap();
        near(found.p, number(case, "p"), 1e-9, case);
    }
}

#[test]
fn adjusted_p_values() {
    for case in cases("/multiplicity") {
        let p = list(case, "p");
        for (got, want) in [(holm(&p), "holm"), (benjamini_hochberg(&p), "benjamini_hochberg")] {
            got.iter().zip(list(case, want)).for_each(|(got, want)| near(*got, want, 1e-12, case));
        }
    }
}

#[test]
fn distributions() {
    for case in cases("/distributions/student") {
        near(student_t_p(number(case, "t"), number(case, "degrees")), number(case, "p"), 1e-7, case);
    }
    for case in cases("/distributions/student_critical") {
        let confidence = Confidence::new(number(case, "confidence")).unwrap();
        near(student_t_critical(confidence, number(case, "degrees")), number(case, "t"), 1e-9, case);
    }
    for case in cases("/distributions/normal_critical") {
        let confidence = Confidence::new(number(case, "confidence")).unwrap();
        near(normal_critical(confidence), number(case, "z"), 1e-9, case);
    }
}

#[test]
fn isotonic_fits() {
    for case in cases("/isotonic") {
        let values: Vec<(f64, f64)> = list(case, "values").into_iter().zip(list(case, "weights")).collect();
        for (got, want) in [(isotonic_rising(&values), "rising"), (isotonic_falling(&values), "falling")] {
            got.iter().zip(list(case, want)).for_each(|(got, want)| near(*got, want, 1e-9, case));
        }
    }
}

#[test]
fn mser_5_cuts() {
    for case in cases("/mser") {
        let found = mser5(&list(case, "values"));
        assert_eq!(found.cut, size(case, "cut"), "{}", case["cut"]);
        assert_eq!(found.stationary, case["stationary"].as_bool().unwrap());
    }
}

#[test]
fn energy_cuts() {
    for case in cases("/energy_cut") {
        let found = change_points(&list(case, "values"), 1e-4);
        assert_eq!(found.len(), 1, "{case}");
        assert_eq!(found[0].index, size(case, "index"), "{case}");
        near(found[0].p, number(case, "p"), 1e-6, case);
    }
}
