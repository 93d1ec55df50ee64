//! Coverage: how often does an interval hold the truth?

use crate::queue::{run, truth};
use crate::random::Random;
use crate::table::{Table, percent, share};
use benchhost_stats::{
    Bootstrap, Confidence, Proportion, Quantile, Sample, Series, Statistic, effective_size, mean_interval,
    p5_to_p99, shift, tail_effective_size,
};

pub(crate) fn tables() -> Vec<Table> {
    vec![quantiles(), bands(), shares()]
}

/// Share of all trials with an interval, and of those how many hold the truth.
#[derive(Default)]
struct Tally {
    made: u32,
    held: u32,
}

impl Tally {
    fn add(&mut self, holds: Option<bool>) {
        self.made += u32::from(holds.is_some());
        self.held += u32::from(holds == Some(true));
    }

    fn coverage(&self) -> f64 {
        f64::from(self.held) / f64::from(self.made)
    }

    /// Coverage and, where some were refused, the share that was not.
    fn text(&self, trials: u32) -> String {
        match self.made {
            0 => "refused".to_owned(),
            made if made == trials => percent(self.coverage()),
            made => format!(
                "{} of {:.0} % made",
                percent(self.coverage()),
                100.0 * f64::from(made) / f64::from(trials)
            ),
        }
    }
}

fn quantiles() -> Table {
    const TRIALS: u32 = 400;
    let mut table = Table::new(
        "Coverage of 95 % intervals for a quantile",
        "One run of 2000 requests, M/G/1, 400 runs: order statistics as if independent, with the effective size of the \
         values, with that of the tail (which `--until` uses), the block bootstrap, and Student's t over the quantiles of \
         five such runs. \"of x % made\": the others were refused, because the run was worth too few independent values. \
         Runs near saturation are too short for their tail: there no formula helps, which is why figures are refused \
         rather than printed.",
        &["ρ", "quantile", "independent", "effective size", "tail size", "block bootstrap", "five runs"],
    );
    let mut random = Random::new(11);
    for rho in [0.0001, 0.3, 0.5, 0.7, 0.9] {
        let watched = [Quantile::P50, Quantile::P90, Quantile::P99];
        let truths = truth(rho, &watched);
        for ((quantile, truth), name) in watched.into_iter().zip(truths).zip(["p50", "p90", "p99"]) {
            let mut tallies: [Tally; 5] = Default::default();
            for _ in 0..TRIALS {
                let runs: Vec<Series> = (0..5).map(|_| run(&mut random, 2000, rho, 1.0)).collect();
                let sample = runs[0].to_sample();
                let by_rank = |independent: usize| {
                    let interval = sample.quantile_interval(quantile, Confidence::P95, independent).ok()?;
                    Some(interval.contains(truth))
                };
                tallies[0].add(by_rank(2000));
                tallies[1].add(by_rank(effective_size(&runs[0])));
                tallies[2].add(by_rank(tail_effective_size(&runs[0], quantile)));
                let bootstrap = Bootstrap::new(random.seed()).with_resamples(300);
                let drawn = bootstrap.series(&runs[0], Statistic::HarrellDavis(quantile));
                tallies[3].add(drawn.ok().map(|interval| interval.contains(truth)));
                let each = runs.iter().map(|run| run.to_sample().type7(quantile)).collect();
                let over_runs = mean_interval(&Sample::new(each).unwrap(), Confidence::P95).unwrap();
                tallies[4].add(Some(over_runs.contains(truth)));
            }
            let rho_text = if rho < 0.001 { "0 (independent)".to_owned() } else { format!("{rho}") };
            let cells = tallies.iter().map(|tally| tally.text(TRIALS));
            table.row([rho_text, name.to_owned()].into_iter().chain(cells).collect());
            let often = |tally: &Tally| tally.made >= TRIALS / 2;
            let least = if rho < 0.4 { 0.90 } else { 0.82 };
            if rho < 0.6 {
                let [_, _, tail, drawn, _] = &tallies;
                table.promise(
                    "with the tail's effective size at least 90 % up to ρ = 0.3 and 82 % at ρ = 0.5, where made for most runs",
                    !often(tail) || tail.coverage() >= least,
                );
                table.promise(
                    "the block bootstrap covers at least 80 % up to ρ = 0.5, where made for most runs",
                    !often(drawn) || drawn.coverage() >= 0.80,
                );
            }
            if name == "p50" {
                table.promise(
                    "five runs cover a median in at least 91 % at every load",
                    tallies[4].coverage() >= 0.91,
                );
            }
        }
    }
    table
}

fn bands() -> Table {
    const TRIALS: u32 = 200;
    let mut table = Table::new(
        "Simultaneous bands of the shift plot",
        "Same system on both sides; share of 200 pairs in which the 95 % bands hold no difference at all twenty quantiles \
         from p5 to p99 at once, 300 resamples.",
        &["ρ", "runs a side", "requests a run", "all twenty", "made"],
    );
    let mut random = Random::new(12);
    for (rho, runs, count) in
        [(0.0001, 1, 2000), (0.3, 1, 3000), (0.3, 5, 1000), (0.5, 5, 2000), (0.5, 10, 1000)]
    {
        let mut tally = Tally::default();
        for _ in 0..TRIALS {
            let mut side =
                || -> Vec<Series> { (0..runs).map(|_| run(&mut random, count, rho, 1.0)).collect() };
            let (base, candidate) = (side(), side());
            let bootstrap = Bootstrap::new(random.seed()).with_resamples(300);
            let points = shift(&base, &candidate, &p5_to_p99(), &bootstrap);
            tally.add(points.ok().map(|points| points.iter().all(|point| point.difference.1.contains(0.0))));
        }
        let rho_text = if rho < 0.001 { "0 (independent)".to_owned() } else { format!("{rho}") };
        let made = percent(f64::from(tally.made) / f64::from(TRIALS));
        table.row(vec![rho_text, runs.to_string(), count.to_string(), percent(tally.coverage()), made]);
        table.promise("all twenty at once in at least 88 %", tally.made > 0 && tally.coverage() >= 0.88);
    }
    table
}

fn shares() -> Table {
    const TRIALS: u32 = 10_000;
    let mut table = Table::new(
        "Coverage of 95 % intervals for a share",
        "Independent trials, 10 000 samples.",
        &["share", "trials", "Wilson", "Clopper–Pearson"],
    );
    let mut random = Random::new(13);
    for (chance, count) in [(0.01, 200_u64), (0.02, 500), (0.1, 100), (0.5, 50), (0.99, 1000)] {
        let mut exact = 0_u32;
        let wilson = share(TRIALS, || {
            let hits = (0..count).filter(|_| random.uniform() < chance).count() as u64;
            let found = Proportion::new(hits, count).unwrap();
            exact += u32::from(found.clopper_pearson(Confidence::P95).contains(chance));
            found.wilson(Confidence::P95).contains(chance)
        });
        let exact = f64::from(exact) / f64::from(TRIALS);
        table.row(vec![format!("{chance}"), count.to_string(), percent(wilson), percent(exact)]);
        table.promise("Wilson covers at least 91 %", wilson >= 0.91);
        table.promise("Clopper–Pearson covers at least 95 %, up to simulation error", exact >= 0.944);
    }
    table
}
