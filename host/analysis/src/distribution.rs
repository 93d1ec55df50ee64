//! From values to a [`Distribution`]: what the sample supports, with intervals, and what it lacks. Knows numbers only.

use benchhost_model::{Adjusted, Distribution};
use benchhost_stats::{
    AdjustedSample, Confidence, Quantile, Refused, Sample, Series, effective_size, needed_more,
};

/// A percentile between 1 and 99; the stated ones are constants and in range.
pub(crate) fn percentile(percent: f64) -> Quantile {
    Quantile::new(percent / 100.0).unwrap_or(Quantile::P50)
}

/// The distribution of values in the order in which their requests were sent. `failures`: requests that have no value
/// because they failed, where percentiles over all requests make sense.
pub(crate) fn of_requests(values: Vec<f64>, failures: Option<usize>) -> Distribution {
    let adjusted = failures.and_then(|failures| adjusted(&values, failures));
    let (p50, p90, p99) = adjusted.unwrap_or_default();
    let Ok(series) = Series::new(values) else {
        return Distribution { adj_p50: p50, adj_p90: p90, adj_p99: p99, ..Distribution::default() };
    };
    let independent = effective_size(&series);
    let Ok(sample) = Sample::new(series.into_values()) else { return Distribution::default() };
    let mut spread = of_sample(&sample);
    spread.n_eff = Some(independent as u64);
    let interval = |q: Quantile| {
        let found = sample.quantile_interval(q, Confidence::P95, independent).ok();
        found.map(|interval| [interval.low, interval.high])
    };
    let lacks = |q: Quantile| Some(needed_more(q, sample.len(), independent) as u64).filter(|n| *n > 0);
    let bound = |q: Quantile| sample.upper_bound(q, Confidence::P99, independent).ok();
    Distribution {
        p50_ci: interval(Quantile::P50),
        p90_ci: interval(Quantile::P90),
        p95_ci: interval(Quantile::P95),
        p99_ci: interval(Quantile::P99),
        p999_ci: interval(Quantile::P999),
        p50_lacks: lacks(Quantile::P50),
        p90_lacks: lacks(Quantile::P90),
        p95_lacks: lacks(Quantile::P95),
        p99_lacks: lacks(Quantile::P99),
        p999_lacks: lacks(Quantile::P999),
        p90_bound: bound(Quantile::P90),
        p99_bound: bound(Quantile::P99),
        p999_bound: bound(Quantile::P999),
        adj_p50: p50,
        adj_p90: p90,
        adj_p99: p99,
        ..spread
    }
}

/// Moments and percentiles, without what needs the order of the values.
pub(crate) fn of_sample(sample: &Sample) -> Distribution {
    let moments = Distribution {
        n: sample.len() as u64,
        mean: Some(sample.mean()),
        sd: sample.sd(),
        min: Some(sample.min()),
        max: Some(sample.max()),
        ..Distribution::default()
    };
    with_percentiles(&moments, |q| sample.quantile(q))
}

/// `base` with every percentile that `at` does not refuse, and with what those lack that it does.
pub(crate) fn with_percentiles(
    base: &Distribution,
    at: impl Fn(Quantile) -> Result<f64, Refused>,
) -> Distribution {
    let value = |q: Quantile| at(q).ok();
    let lacks = |q: Quantile| at(q).err().map(|refused| (refused.needed - refused.have) as u64);
    Distribution {
        p1: value(percentile(1.0)),
        p5: value(percentile(5.0)),
        p25: value(percentile(25.0)),
        p50: value(Quantile::P50),
        p75: value(percentile(75.0)),
        p90: value(Quantile::P90),
        p95: value(Quantile::P95),
        p99: value(Quantile::P99),
        p999: value(Quantile::P999),
        p50_lacks: lacks(Quantile::P50),
        p90_lacks: lacks(Quantile::P90),
        p95_lacks: lacks(Quantile::P95),
        p99_lacks: lacks(Quantile::P99),
        p999_lacks: lacks(Quantile::P999),
        ..*base
    }
}

type Three = (Option<Adjusted>, Option<Adjusted>, Option<Adjusted>);

fn adjusted(values: &[f64], failures: usize) -> Option<Three> {
    let sample = AdjustedSample::new(values.to_vec(), failures).ok()?;
    let at = |q: Quantile| {
        let found = sample.quantile(q).ok()?;
        Some(Adjusted::new(found.value().unwrap_or(f64::INFINITY)))
    };
    Some((at(Quantile::P50), at(Quantile::P90), at(Quantile::P99)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scattered(n: u32) -> Vec<f64> {
        (0..n).map(|i| f64::from(i * 7919 % n)).collect()
    }

    #[test]
    fn percentiles_are_of_type_7_and_tails_need_their_counts() {
        let d = of_requests(scattered(101), None);
        assert_eq!((d.n, d.min, d.max, d.mean), (101, Some(0.0), Some(100.0), Some(50.0)));
        assert_eq!(
            (d.p5, d.p25, d.p50, d.p75, d.p90, d.p95),
            (Some(5.0), Some(25.0), Some(50.0), Some(75.0), Some(90.0), Some(95.0))
        );
        assert_eq!((d.p1, d.p99, d.p999), (None, None, None));
        assert!(d.p99_ci.is_none() && d.p99_lacks.is_some_and(|n| n >= 267), "{:?}", d.p99_lacks);
        let [low, high] = d.p50_ci.unwrap();
        assert!(low <= 50.0 && 50.0 <= high && d.p50_lacks.is_none());
    }

    #[test]
    fn correlated_values_lose_their_interval_but_not_their_percentile() {
        // Each value twenty times: 400 values worth about 20.
        let stairs: Vec<f64> = (0..400).map(|i| f64::from(i / 20 * 7 % 20)).collect();
        let d = of_requests(stairs, None);
        assert!(d.n_eff.unwrap() < 60, "{:?}", d.n_eff);
        assert!(d.p99.is_some() && d.p99_ci.is_none() && d.p99_lacks.unwrap() > 1000);
    }

    #[test]
    fn failures_stand_at_infinity_in_adjusted_percentiles_only() {
        let d = of_requests(scattered(400), Some(8));
        assert!(d.adj_p50.unwrap().get() > d.p50.unwrap() && d.p99.unwrap() < 400.0);
        assert!(d.adj_p99.unwrap().get().is_infinite());
        let all_failed = of_requests(Vec::new(), Some(500));
        assert_eq!((all_failed.n, all_failed.p50), (0, None));
        assert!(all_failed.adj_p99.unwrap().get().is_infinite());
        assert_eq!(of_requests(Vec::new(), Some(0)), Distribution::default());
    }

    #[test]
    fn the_bound_of_early_stopping_stands_above_the_percentile() {
        let d = of_requests(scattered(1009), None);
        assert!(d.p99_bound.unwrap() > d.p99.unwrap() && d.p999_bound.is_none());
        // 1009 prime: the sequence is a permutation of 0..1009, p99 at rank 997.92.
        assert_eq!(d.p99, Some(997.92));
    }
}
