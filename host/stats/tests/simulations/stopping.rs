//! The stop rule: does a run that was stopped because its interval was narrow still hold the truth?

use crate::queue::{requests, truth};
use crate::random::Random;
use crate::table::{Table, percent};
use benchhost_stats::{Quantile, Sample, Series, StopRule, StopStep};

const TRIALS: u32 = 200;
const CAP: usize = 60_000;

enum Source {
    /// exp(0.5·x) of an autoregression with this correlation.
    Autoregressive(f64),
    Queue(f64),
}

impl Source {
    fn draw(&self, random: &mut Random, count: usize) -> Vec<f64> {
        match self {
            Self::Autoregressive(r) => {
                random.autoregressive(count, *r).into_iter().map(|x| (0.5 * x).exp()).collect()
            }
            Self::Queue(rho) => requests(random, count, *rho),
        }
    }

    fn truth(&self, quantile: Quantile) -> f64 {
        match self {
            Self::Autoregressive(r) => {
                let long = Self::Autoregressive(*r).draw(&mut Random::new(98), 2_000_000);
                Sample::new(long).unwrap().type7(quantile)
            }
            Self::Queue(rho) => truth(*rho, &[quantile])[0],
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Autoregressive(r) => format!("AR(1), r = {r}"),
            Self::Queue(rho) => format!("M/G/1, ρ = {rho}"),
        }
    }
}

pub(crate) fn tables() -> Vec<Table> {
    let mut table = Table::new(
        "The stop rule `--until`",
        "Runs that are stopped by the rule, 200 each, at most 60 000 requests. Sequential intervals cover less than their \
         nominal 95 %, as a run may stop because it happens to look narrow; two checkpoints running, geometric \
         checkpoints and the floor of effective values bound that. \"Within\": share of stopped runs whose estimate lies \
         within the wanted fraction of the truth.",
        &["source", "rule", "stopped", "median requests", "interval holds truth", "within"],
    );
    let mut random = Random::new(21);
    for (source, quantile, name, relative) in [
        (Source::Autoregressive(0.0), Quantile::P50, "p50:5%", 0.05),
        (Source::Autoregressive(0.8), Quantile::P50, "p50:5%", 0.05),
        (Source::Autoregressive(0.0), Quantile::P99, "p99:10%", 0.10),
        (Source::Autoregressive(0.5), Quantile::P99, "p99:10%", 0.10),
        (Source::Queue(0.5), Quantile::P50, "p50:5%", 0.05),
        (Source::Queue(0.7), Quantile::P50, "p50:5%", 0.05),
        (Source::Queue(0.3), Quantile::P99, "p99:10%", 0.10),
        (Source::Queue(0.5), Quantile::P99, "p99:10%", 0.10),
    ] {
        let truth = source.truth(quantile);
        let (mut counts, mut held, mut within) = (Vec::new(), 0_u32, 0_u32);
        for _ in 0..TRIALS {
            let values = source.draw(&mut random, CAP);
            let mut stopping = StopRule::new(quantile, relative).unwrap().start();
            let mut count = 1;
            while count <= CAP {
                let so_far = Series::new(values[..count].to_vec()).unwrap();
                match stopping.look(&so_far, 1e9) {
                    StopStep::Wait { next_at } => count = next_at,
                    StopStep::Met { interval, .. } => {
                        let estimate = so_far.to_sample().type7(quantile);
                        counts.push(count);
                        held += u32::from(interval.contains(truth));
                        within += u32::from((estimate / truth - 1.0).abs() <= relative);
                        break;
                    }
                    StopStep::Unresolved { .. } | StopStep::Continue { .. } => {}
                }
            }
        }
        counts.sort_unstable();
        let stopped = counts.len() as f64;
        let (held, within) = (f64::from(held) / stopped, f64::from(within) / stopped);
        table.row(vec![
            source.name(),
            name.to_owned(),
            percent(stopped / f64::from(TRIALS)),
            counts.get(counts.len() / 2).map_or("–".to_owned(), ToString::to_string),
            if counts.is_empty() { "–".to_owned() } else { percent(held) },
            if counts.is_empty() { "–".to_owned() } else { percent(within) },
        ]);
        if counts.len() >= 100 {
            table.promise("stopped runs hold the truth in at least 85 %", held >= 0.85);
        }
    }
    vec![table]
}
