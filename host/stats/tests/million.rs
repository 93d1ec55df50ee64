//! Opt-in: how long a comparison of a million requests a side takes. Prints, and asserts only that there is an answer.
//!
//! ```text
//! cargo test --release -p benchhost-stats --test million -- --ignored --nocapture
//! ```

mod random;

use benchhost_stats::{
    Bootstrap, Direction, Margin, Quantile, Rule, RunTable, Series, Statistic, Wanted, compare_tables,
    p5_to_p99, shift,
};
use random::Random;
use std::time::Instant;

const REQUESTS: usize = 1_000_000;

#[test]
#[ignore = "takes seconds and prints them"]
#[expect(clippy::print_stdout, reason = "the duration is what it is run for")]
fn five_metrics_of_a_million_requests_a_side() {
    let mut random = Random::new(1);
    let mut side = |factor: f64| {
        let mut run = RunTable::new(REQUESTS);
        let mut first = Vec::new();
        for correlation in [0.9, 0.5, 0.99, 0.0, 0.999] {
            let values: Vec<f64> = random
                .autoregressive(REQUESTS, correlation)
                .into_iter()
                .map(|x| factor * (0.5 * x).exp())
                .collect();
            run.push(values.iter().map(|value| Some(*value))).unwrap();
            first = values;
        }
        (run, Series::new(first).unwrap())
    };
    let ((base, base_series), (candidate, candidate_series)) = (side(1.0), side(1.03));
    let rule = Rule::new(Direction::LowerIsBetter, Margin::relative(0.02).unwrap());
    let statistics = [Quantile::P50, Quantile::P99].map(Statistic::HarrellDavis);
    let wanted: Vec<Wanted> =
        (0..5).flat_map(|column| statistics.map(|statistic| Wanted { column, statistic, rule })).collect();
    let started = Instant::now();
    let results = compare_tables(&[base], &[candidate], &wanted, &Bootstrap::new(1)).unwrap();
    println!("five metrics, p50 and p99, 2000 resamples: {:.2?}", started.elapsed());
    assert!(results.iter().all(|result| result.as_ref().is_ok_and(|r| r.absolute.interval.is_ok())));
    let started = Instant::now();
    let points =
        shift(&[base_series], &[candidate_series], &p5_to_p99(), &Bootstrap::new(1).with_resamples(1000));
    println!("shift plot of twenty quantiles, 1000 resamples: {:.2?}", started.elapsed());
    assert_eq!(points.unwrap().len(), 20);
}
