//! Reference values: published tables, closed forms, and values worked out apart from this crate (rational arithmetic
//! for quantiles and ranks, numerical integration of densities for the rest).

use benchhost_stats::{
    Bootstrap, Confidence, Direction, Margin, Quantile, Rule, Sample, Series, Statistic, compare,
    compare_blocks, normal_critical, student_t_critical,
};

fn near(got: f64, want: f64, tolerance: f64) {
    assert!((got - want).abs() <= tolerance * want.abs().max(1.0), "got {got}, want {want}");
}

fn quantile(probability: f64) -> Quantile {
    Quantile::new(probability).unwrap()
}

#[test]
fn type7_equals_numpy_quantile() {
    let probabilities = [0.05, 0.25, 0.4, 0.5, 0.75, 0.9, 0.99];
    for (values, expected) in [
        (vec![15.0, 20.0, 35.0, 40.0, 50.0], [16.0, 20.0, 29.0, 35.0, 40.0, 46.0, 49.6]),
        (
            vec![3.0, 6.0, 7.0, 8.0, 8.0, 10.0, 13.0, 15.0, 16.0, 20.0],
            [4.35, 7.25, 8.0, 9.0, 14.5, 16.4, 19.64],
        ),
        (vec![1.1, 2.7, 2.5, 9.3, 6.1, 8.3, 0.2], [0.47, 1.8, 2.58, 2.7, 7.2, 8.7, 9.24]),
    ] {
        let sample = Sample::new(values).unwrap();
        for (probability, want) in probabilities.into_iter().zip(expected) {
            near(sample.type7(quantile(probability)), want, 4e-16);
        }
    }
}

#[test]
fn order_statistic_ranks_equal_exact_binomial_sums() {
    for (count, probability, low, high) in [
        (20_u32, 0.5, 6.0, 15.0),
        (100, 0.5, 40.0, 61.0),
        (200, 0.9, 171.0, 189.0),
        (500, 0.95, 465.0, 485.0),
        (1000, 0.99, 983.0, 997.0),
    ] {
        let sample = Sample::new((1..=count).map(f64::from).collect()).unwrap();
        let interval =
            sample.quantile_interval(quantile(probability), Confidence::P95, sample.len()).unwrap();
        assert_eq!((interval.low, interval.high), (low, high), "p{probability} of {count}");
    }
}

#[test]
fn t_critical_values_equal_the_printed_table() {
    // NIST/SEMATECH e-Handbook §1.3.6.7.2, two-sided 90 %, 95 % and 99 %.
    for (degrees, at_90, at_95, at_99) in [
        (1.0, 6.314, 12.706, 63.657),
        (2.0, 2.920, 4.303, 9.925),
        (3.0, 2.353, 3.182, 5.841),
        (4.0, 2.132, 2.776, 4.604),
        (5.0, 2.015, 2.571, 4.032),
        (10.0, 1.812, 2.228, 3.169),
        (30.0, 1.697, 2.042, 2.750),
        (100.0, 1.660, 1.984, 2.626),
        (f64::INFINITY, 1.645, 1.960, 2.576),
    ] {
        for (confidence, want) in
            [(Confidence::P90, at_90), (Confidence::P95, at_95), (Confidence::P99, at_99)]
        {
            let got = student_t_critical(confidence, degrees);
            assert!((got - want).abs() < 5.01e-4, "{degrees} {confidence:?}: {got} is not {want}");
        }
    }
}

#[test]
fn t_critical_values_equal_closed_forms_and_integrated_densities() {
    for level in [0.5, 0.8, 0.9, 0.95, 0.99, 0.9999] {
        let confidence = Confidence::new(level).unwrap();
        near(student_t_critical(confidence, 1.0), (std::f64::consts::FRAC_PI_2 * level).tan(), 1e-10);
        near(student_t_critical(confidence, 2.0), level * (2.0 / (1.0 - level * level)).sqrt(), 1e-11);
    }
    // Fractional degrees of freedom, as Welch needs them.
    near(student_t_critical(Confidence::P95, 2.5), 3.574_654_84, 1e-7);
    near(student_t_critical(Confidence::P90, 7.3), 1.882_930_018, 1e-8);
    near(student_t_critical(Confidence::P95, 24.988_529_290_231_42), 2.059_586_491, 1e-8);
}

#[test]
fn t_approaches_the_normal_and_never_crosses_it() {
    for confidence in [Confidence::P90, Confidence::P95, Confidence::P99] {
        let normal = normal_critical(confidence);
        let mut last = f64::INFINITY;
        for degrees in [1.0, 1.5, 3.0, 10.0, 1e2, 1e4, 1e6, 1e7, 1e9] {
            let t = student_t_critical(confidence, degrees);
            assert!(t <= last && t >= normal - 1e-9, "{degrees}: {t}");
            last = t;
        }
        near(student_t_critical(confidence, 1e7), normal, 1e-6);
    }
    assert!((student_t_critical(Confidence::P95, f64::NAN) - 12.706).abs() < 1e-3);
}

#[test]
fn normal_critical_values_equal_the_printed_table() {
    for (level, want) in [
        (0.5, 0.674_489_750_196_081_7),
        (0.90, 1.644_853_626_951_472_7),
        (0.95, 1.959_963_984_540_054),
        (0.99, 2.575_829_303_548_900_4),
        (0.999, 3.290_526_731_491_925_5),
    ] {
        near(normal_critical(Confidence::new(level).unwrap()), want, 1e-12);
    }
}

#[test]
fn harrell_davis_equals_integrated_beta_weights() {
    // Nineteen values with a long tail; the weights were integrated numerically from the beta density.
    let values =
        [77, 87, 88, 114, 151, 210, 219, 246, 253, 262, 296, 299, 306, 376, 428, 515, 666, 1310, 2611];
    let sample = Sample::from_integers(&values).unwrap();
    near(Statistic::HarrellDavis(Quantile::P50).of(&sample), 271.721_200_54, 1e-9);
    near(Statistic::HarrellDavis(quantile(0.25)).of(&sample), 163.098_932_81, 1e-8);
}

#[test]
fn welch_intervals_equal_a_worked_example() {
    // Two groups of fifteen: t = 2.455, 24.99 degrees of freedom.
    let base = [27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4];
    let candidate =
        [27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 20.5, 24.4];
    let rule = Rule::new(Direction::HigherIsBetter, Margin::relative(0.02).unwrap());
    let (base, candidate) = (Series::new(base.to_vec()).unwrap(), Series::new(candidate.to_vec()).unwrap());
    let result = compare(&base, &candidate, &rule).unwrap();

    let absolute = result.absolute.interval.unwrap();
    near(result.absolute.estimate, 2.166_666_667, 1e-9);
    near(absolute.low, 0.659_334_78, 1e-7);
    near(absolute.high, 3.673_998_55, 1e-7);

    let relative = result.relative.unwrap();
    near(relative.estimate, 0.109_509_582, 1e-8);
    near(relative.interval.unwrap().low, 0.035_445_140, 1e-7);
    near(relative.interval.unwrap().high, 0.188_871_786, 1e-7);

    // 155 million splits are too many to count here, so 20 000 are drawn. Counted apart from this crate (subset sums by
    // dynamic programming) the p-value of the difference is 0.021 057; a draw's standard deviation is 0.0010.
    let by_difference = Rule::new(Direction::HigherIsBetter, Margin::absolute(0.5).unwrap());
    let drawn = compare(&base, &candidate, &by_difference).unwrap().p_value.unwrap();
    assert!((drawn - 0.021_057).abs() < 0.0045, "{drawn}");
}

#[test]
fn paired_intervals_equal_students_own_example() {
    // Student 1908: hours of sleep gained by ten patients with each of two drugs.
    let base = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
    let candidate = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
    let margin = Margin::absolute(0.5).unwrap();
    let rule = Rule::new(Direction::HigherIsBetter, margin).with_confidence(Confidence::P95);
    let series = |values: &[f64]| Series::new(values.to_vec()).unwrap();
    let result = compare_blocks(&series(&base), &series(&candidate), &rule).unwrap();
    let interval = result.absolute.interval.unwrap();
    near(result.absolute.estimate, 1.58, 1e-12);
    near(interval.low, 0.700_114_2, 1e-7);
    near(interval.high, 2.459_885_8, 1e-7);
    assert_eq!(result.relative, None, "a gain of 0 or less has no ratio");
}

#[test]
fn a_bootstrap_of_many_values_agrees_with_theory() {
    // Mean of 0..1000: 1.96·288.67/√1000 = 17.9 on each side of 499.5.
    let sample = Sample::new((0..1000).map(f64::from).collect()).unwrap();
    let interval = Bootstrap::new(11).with_resamples(4000).independent(&sample, Statistic::Mean).unwrap();
    assert!((interval.half_width() - 17.9).abs() < 1.0, "{interval:?}");
    assert!((interval.low + interval.high - 999.0).abs() < 3.0, "{interval:?}");
}
