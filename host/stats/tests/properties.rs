//! Properties that hold for every input.

use benchhost_stats::{
    Confidence, Direction, Margin, Proportion, Quantile, Rule, Sample, Series, Statistic, Verdict,
    benjamini_hochberg, compare, effective_size, holm, mean_interval, newcombe_difference, permutation_p,
    sign_flip_p,
};
use proptest::prelude::*;

fn values(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-1e6..1e6_f64, count)
}

fn runs() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(50.0..150.0_f64, 4..8)
}

fn sample(values: &[f64]) -> Sample {
    Sample::new(values.to_vec()).unwrap()
}

fn mirrored(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Regressed => Verdict::Improved,
        Verdict::Improved => Verdict::Regressed,
        other => other,
    }
}

proptest! {
    #[test]
    fn quantiles_rise_and_stay_within_the_sample(values in values(1..60), p in 0.001..0.999_f64, q in 0.001..0.999_f64) {
        let sample = sample(&values);
        let at = |p: f64| sample.type7(Quantile::new(p).unwrap());
        let (low, high) = (p.min(q), p.max(q));
        prop_assert!(at(low) <= at(high));
        prop_assert!(sample.min() <= at(low) && at(high) <= sample.max());
    }

    #[test]
    fn the_order_of_values_does_not_matter((shuffled, original) in values(2..60).prop_flat_map(|v| (Just(v.clone()).prop_shuffle(), Just(v)))) {
        prop_assert_eq!(sample(&shuffled), sample(&original));
        let interval = |values: &[f64]| mean_interval(&sample(values), Confidence::P95).unwrap();
        prop_assert_eq!(interval(&shuffled), interval(&original));
    }

    #[test]
    fn quantiles_move_and_stretch_with_the_values(values in values(1..60), p in 0.001..0.999_f64, shift in -1e3..1e3_f64, factor in 0.001..1e3_f64) {
        let moved: Vec<f64> = values.iter().map(|v| v * factor + shift).collect();
        for statistic in [Statistic::Mean, Statistic::Quantile(Quantile::new(p).unwrap()), Statistic::HarrellDavis(Quantile::P90)] {
            let (got, want) = (statistic.of(&sample(&moved)), statistic.of(&sample(&values)) * factor + shift);
            prop_assert!((got - want).abs() <= 1e-9 * (1e6 * factor + shift.abs()), "{statistic:?}: {got} is not {want}");
        }
    }

    #[test]
    fn an_interval_for_a_quantile_holds_the_quantile_and_widens_with_confidence(values in values(72..300), independent in 72..300_usize) {
        let sample = sample(&values);
        let at = |confidence| sample.quantile_interval(Quantile::P90, confidence, independent);
        let (narrow, wide) = (at(Confidence::P90).unwrap(), at(Confidence::P99).unwrap());
        prop_assert!(narrow.contains(sample.type7(Quantile::P90)));
        prop_assert!(wide.low <= narrow.low && narrow.high <= wide.high);
        prop_assert!(sample.upper_bound(Quantile::P90, Confidence::P95, independent).unwrap() >= sample.type7(Quantile::P90));
    }

    #[test]
    fn swapping_the_sides_mirrors_the_comparison(base in runs(), candidate in runs(), strict in any::<bool>()) {
        let (base, candidate) = (Series::new(base).unwrap(), Series::new(candidate).unwrap());
        let rule = Rule::new(Direction::LowerIsBetter, Margin::relative(0.05).unwrap());
        let rule = if strict { rule.strict() } else { rule };
        let there = compare(&base, &candidate, &rule).unwrap();
        let back = compare(&candidate, &base, &rule).unwrap();
        prop_assert_eq!(there.verdict, mirrored(back.verdict));
        prop_assert!((there.absolute.estimate + back.absolute.estimate).abs() < 1e-9);
        prop_assert!((there.p_value.unwrap() - back.p_value.unwrap()).abs() < 1e-12);
    }

    #[test]
    fn the_unit_does_not_change_a_relative_comparison(base in runs(), candidate in runs(), unit in prop::sample::select(vec![1e-9, 1e-3, 60.0, 1e9])) {
        let series = |values: &[f64], unit: f64| Series::new(values.iter().map(|v| v * unit).collect()).unwrap();
        let rule = Rule::new(Direction::LowerIsBetter, Margin::relative(0.05).unwrap());
        let here = compare(&series(&base, 1.0), &series(&candidate, 1.0), &rule).unwrap();
        let there = compare(&series(&base, unit), &series(&candidate, unit), &rule).unwrap();
        let (here, there) = (here.relative.unwrap(), there.relative.unwrap());
        prop_assert!((here.estimate - there.estimate).abs() < 1e-9);
        prop_assert!((here.interval.unwrap().high - there.interval.unwrap().high).abs() < 1e-9);
    }

    #[test]
    fn p_values_are_probabilities_that_ignore_shifts_and_order(base in runs(), candidate in runs(), shift in -50.0..50.0_f64) {
        let p = permutation_p(&base, &candidate).unwrap();
        prop_assert!(p > 0.0 && p <= 1.0);
        let moved = |values: &[f64]| values.iter().rev().map(|v| v + shift).collect::<Vec<_>>();
        prop_assert!((permutation_p(&moved(&base), &moved(&candidate)).unwrap() - p).abs() < 1e-12);
        let flipped = sign_flip_p(&base).unwrap();
        prop_assert!((flipped - 2.0_f64.powi(1 - i32::try_from(base.len()).unwrap())).abs() < 1e-12, "all of one sign");
    }

    #[test]
    fn adjusting_never_lowers_a_p_value_and_holm_is_the_stricter(p in prop::collection::vec(0.0..=1.0_f64, 0..12)) {
        let (strict, loose) = (holm(&p), benjamini_hochberg(&p));
        for ((raw, loose), strict) in p.iter().zip(&loose).zip(&strict) {
            prop_assert!(*raw <= loose + 1e-15 && *loose <= strict + 1e-15 && *strict <= 1.0);
        }
    }

    #[test]
    fn shares_lie_in_their_intervals_and_swapping_mirrors(a in 0..=40_u64, b in 0..=60_u64) {
        let (base, candidate) = (Proportion::new(a, 40).unwrap(), Proportion::new(b, 60).unwrap());
        let there = newcombe_difference(base, candidate, Confidence::P95);
        let back = newcombe_difference(candidate, base, Confidence::P95);
        prop_assert!(there.contains(candidate.estimate() - base.estimate()));
        prop_assert!((there.low + back.high).abs() < 1e-12 && (-1.0..=1.0).contains(&there.low) && there.high <= 1.0);
        let complement = Proportion::new(40 - a, 40).unwrap().wilson(Confidence::P95);
        prop_assert!((base.wilson(Confidence::P95).low + complement.high - 1.0).abs() < 1e-12);
    }

    #[test]
    fn an_effective_size_lies_between_one_and_the_count(values in values(1..200)) {
        let size = effective_size(&Series::new(values.clone()).unwrap());
        prop_assert!((1..=values.len()).contains(&size));
    }
}
