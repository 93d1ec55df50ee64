//! Two sides of the same system: how often are they called different? And of different ones: how often found?

use crate::queue::run;
use crate::random::Random;
use crate::table::{Table, percent, share};
use benchhost_stats::{
    Bootstrap, Comparison, Direction, Margin, Quantile, Rule, Series, Statistic, Verdict, compare,
    compare_blocks, compare_raw, holm, welch_p,
};

const TRIALS: u32 = 3000;
const ONE_RUN_TRIALS: u32 = 1000;

fn rule() -> Rule {
    Rule::new(Direction::LowerIsBetter, Margin::relative(0.05).unwrap())
}

/// Medians (or another quantile) of runs of 400 requests with a spread of their own between runs.
fn side(random: &mut Random, runs: usize, rho: f64, spread: f64, quantile: Quantile) -> Series {
    let summary = |_| {
        let factor = (spread * random.normal()).exp();
        run(random, 400, rho, factor).to_sample().type7(quantile)
    };
    Series::new((0..runs).map(summary).collect()).unwrap()
}

fn changed(comparison: &Comparison) -> bool {
    matches!(comparison.verdict, Verdict::Regressed | Verdict::Improved)
}

pub(crate) fn tables() -> Vec<Table> {
    vec![same_system(), blocks(), several_metrics(), one_run_a_side(), detection()]
}

fn same_system() -> Table {
    let mut table = Table::new(
        "False alarms, five runs against five",
        "Same system on both sides, 400 requests a run, M/G/1; the summary of a run is the median or the 90th percentile. \
         Share of 3000 pairs in which the exact permutation p is below 0.05 (at most 12 of 252 splits, 4.8 %), Welch's p \
         on logarithms is below 0.05, the 90 % interval excludes no change (nominal 10 %), and the verdict with a margin \
         of 5 % and p < 0.05 is regressed or improved.",
        &["ρ", "between runs", "summary", "permutation", "Welch", "90 % interval", "verdict"],
    );
    let mut random = Random::new(1);
    for (rho, spread, name, quantile) in [
        (0.5, 0.0, "p50", Quantile::P50),
        (0.7, 0.0, "p50", Quantile::P50),
        (0.8, 0.0, "p50", Quantile::P50),
        (0.5, 0.03, "p50", Quantile::P50),
        (0.7, 0.03, "p50", Quantile::P50),
        (0.7, 0.0, "p90", Quantile::P90),
    ] {
        let (mut by_welch, mut by_interval, mut by_verdict) = (0_u32, 0_u32, 0_u32);
        let by_permutation = share(TRIALS, || {
            let mut side = || side(&mut random, 5, rho, spread, quantile);
            let (base, candidate) = (side(), side());
            let logs = |side: &Series| side.values().iter().map(|value| value.ln()).collect::<Vec<_>>();
            let result = compare(&base, &candidate, &rule()).unwrap();
            let p = result.p_value.unwrap();
            by_welch += u32::from(welch_p(&logs(&base), &logs(&candidate)).unwrap() < 0.05);
            by_interval += u32::from(result.relative.unwrap().excludes_zero());
            let gated = result.gated(p, 0.05);
            by_verdict += u32::from(matches!(gated, Verdict::Regressed | Verdict::Improved));
            p < 0.05
        });
        let [by_welch, by_interval, by_verdict] =
            [by_welch, by_interval, by_verdict].map(|count| f64::from(count) / f64::from(TRIALS));
        table.row(vec![
            format!("{rho}"),
            format!("{:.0} %", spread * 100.0),
            name.to_owned(),
            percent(by_permutation),
            percent(by_welch),
            percent(by_interval),
            percent(by_verdict),
        ]);
        let nominal = |rate: f64| (0.03..=0.07).contains(&rate);
        table.promise("permutation alarms at nominal 5 % lie between 3 and 7 %", nominal(by_permutation));
        table.promise("Welch alarms at nominal 5 % lie below 7 %", by_welch <= 0.07);
        table.promise(
            "the 90 % interval excludes no change in 7 to 12 %",
            (0.07..=0.12).contains(&by_interval),
        );
        table.promise(
            "the verdict alarms no more often than the permutation test",
            by_verdict <= by_permutation,
        );
    }
    table
}

fn blocks() -> Table {
    let mut table = Table::new(
        "False alarms, paired blocks",
        "Same system, k blocks of one run a side; the machine drifts by up to 20 % from block to block. Share of 3000 \
         pairs with a sign-flip p below 0.05 and with a verdict of regressed or improved.",
        &["ρ", "blocks", "sign flip", "verdict and p"],
    );
    let mut random = Random::new(2);
    for (rho, count) in [(0.5, 6), (0.7, 6), (0.7, 8), (0.8, 10)] {
        let mut verdicts = 0_u32;
        let by_flip = share(TRIALS, || {
            let drift: Vec<f64> = (0..count).map(|_| 1.0 + 0.2 * random.uniform()).collect();
            let mut side = || -> Series {
                let values = drift.iter().map(|drift| run(&mut random, 400, rho, *drift).to_sample());
                Series::new(values.map(|sample| sample.type7(Quantile::P50)).collect()).unwrap()
            };
            let (base, candidate) = (side(), side());
            let result = compare_blocks(&base, &candidate, &rule()).unwrap();
            let p = result.p_value.unwrap();
            verdicts += u32::from(p < 0.05 && changed(&result));
            p < 0.05
        });
        let verdicts = f64::from(verdicts) / f64::from(TRIALS);
        table.row(vec![format!("{rho}"), count.to_string(), percent(by_flip), percent(verdicts)]);
        table.promise(
            "sign-flip alarms lie between 2 and 6 % (2/64 at six blocks)",
            (0.02..=0.06).contains(&by_flip),
        );
    }
    table
}

fn several_metrics() -> Table {
    let mut table = Table::new(
        "False alarms over four metrics together",
        "Five runs a side of the same system; four summaries of the same requests (mean, p50, p90, maximum), each with its \
         permutation p. Share of 2000 pairs in which any metric alarms at 0.05, without and with Holm's correction.",
        &["ρ", "uncorrected", "Holm"],
    );
    let mut random = Random::new(3);
    for rho in [0.5, 0.8] {
        let mut corrected = 0_u32;
        let plain = share(2000, || {
            let mut side = || -> [Vec<f64>; 4] {
                let runs: Vec<_> = (0..5).map(|_| run(&mut random, 400, rho, 1.0).to_sample()).collect();
                let of = |summary: fn(&benchhost_stats::Sample) -> f64| runs.iter().map(summary).collect();
                [
                    of(benchhost_stats::Sample::mean),
                    of(|s| s.type7(Quantile::P50)),
                    of(|s| s.type7(Quantile::P90)),
                    of(benchhost_stats::Sample::max),
                ]
            };
            let (base, candidate) = (side(), side());
            let p: Vec<f64> = base
                .into_iter()
                .zip(candidate)
                .map(|(b, c)| {
                    let [b, c] = [b, c].map(|values| Series::new(values).unwrap());
                    compare(&b, &c, &rule()).unwrap().p_value.unwrap()
                })
                .collect();
            corrected += u32::from(holm(&p).iter().any(|p| *p < 0.05));
            p.iter().any(|p| *p < 0.05)
        });
        let corrected = f64::from(corrected) / 2000.0;
        table.row(vec![format!("{rho}"), percent(plain), percent(corrected)]);
        table.promise(
            "with Holm's correction any alarm at all is at most 5 % plus simulation error",
            corrected <= 0.065,
        );
    }
    table
}

fn one_run_a_side() -> Table {
    let mut table = Table::new(
        "One run a side",
        "Same system, one run a side, block bootstrap of Harrell–Davis quantiles, 300 resamples, 1000 pairs. The verdict is \
         never more than indicative; shown is how often the 90 % interval lies above and below no change (nominal 5 % \
         each), and how often a figure was refused for too few effective values. What differs between runs is not in such \
         an interval, and near saturation no resampling repairs a short run.",
        &["ρ", "requests", "quantile", "above", "below", "together", "refused"],
    );
    let mut random = Random::new(4);
    for (rho, requests, quantile, name) in [
        (0.0001, 2000, Quantile::P50, "p50"),
        (0.0001, 400, Quantile::P90, "p90"),
        (0.3, 2000, Quantile::P90, "p90"),
        (0.5, 2000, Quantile::P50, "p50"),
        (0.5, 2000, Quantile::P90, "p90"),
        (0.5, 400, Quantile::P50, "p50"),
        (0.7, 2000, Quantile::P50, "p50"),
        (0.7, 2000, Quantile::P90, "p90"),
        (0.8, 2000, Quantile::P50, "p50"),
    ] {
        let (mut refused, mut above, mut below, mut only_indicative) = (0_u32, 0_u32, 0_u32, true);
        for _ in 0..ONE_RUN_TRIALS {
            let mut side = || [run(&mut random, requests, rho, 1.0)];
            let (base, candidate) = (side(), side());
            let bootstrap = Bootstrap::new(random.seed()).with_resamples(300);
            let statistic = Statistic::HarrellDavis(quantile);
            let result = compare_raw(&base, &candidate, statistic, &rule(), &bootstrap).unwrap();
            only_indicative &= result.verdict == Verdict::Indicative;
            match result.absolute.interval {
                Ok(interval) => {
                    above += u32::from(interval.low > 0.0);
                    below += u32::from(interval.high < 0.0);
                }
                Err(_) => refused += 1,
            }
        }
        let made = f64::from(ONE_RUN_TRIALS - refused).max(1.0);
        let [above, below] = [above, below].map(|count| f64::from(count) / made);
        let refused = f64::from(refused) / f64::from(ONE_RUN_TRIALS);
        table.row(vec![
            if rho < 0.001 { "0 (independent)".to_owned() } else { format!("{rho}") },
            requests.to_string(),
            name.to_owned(),
            percent(above),
            percent(below),
            percent(above + below),
            percent(refused),
        ]);
        table.promise("no verdict but indicative", only_indicative);
        let nominal = (0.06..=0.14).contains(&(above + below));
        table.promise(
            "both sides together lie between 6 and 14 %, 3 to 7 % a side, where made for most runs",
            nominal || refused > 0.5,
        );
    }
    table
}

fn detection() -> Table {
    let mut table = Table::new(
        "Differences found",
        "Five runs a side, 400 requests each, 1 % spread between runs, margin 2 %; times per token are log-normal with a \
         deviation of 10 % and a correlation of 0.5 between neighbours. The candidate is slower by the stated factor. Share of 1000 pairs with each verdict on the median (p < 0.05 for regressed).",
        &["slower by", "regressed", "equivalent", "drift", "inconclusive", "improved"],
    );
    let mut random = Random::new(5);
    let rule = Rule::new(Direction::LowerIsBetter, Margin::relative(0.02).unwrap());
    for slower in [0.0, 0.02, 0.05, 0.10] {
        let mut counts = [0_u32; 5];
        for _ in 0..1000 {
            let mut side = |factor: f64| -> Series {
                let median = |_| {
                    let factor = factor * (0.01 * random.normal()).exp();
                    let logs = random.autoregressive(400, 0.5).into_iter();
                    let times = logs.map(|log| factor * (0.1 * log).exp()).collect();
                    Series::new(times).unwrap().to_sample().type7(Quantile::P50)
                };
                Series::new((0..5).map(median).collect()).unwrap()
            };
            let (base, candidate) = (side(1.0), side(1.0 + slower));
            let result = compare(&base, &candidate, &rule).unwrap();
            let at = match result.gated(result.p_value.unwrap(), 0.05) {
                Verdict::Regressed => 0,
                Verdict::Equivalent => 1,
                Verdict::Drift => 2,
                Verdict::Improved => 4,
                _ => 3,
            };
            counts[at] += 1;
        }
        let shares = counts.map(|count| f64::from(count) / 1000.0);
        table.row(
            std::iter::once(percent(slower)).chain(shares.iter().map(|share| percent(*share))).collect(),
        );
        if slower == 0.0 {
            table.promise("no change is called regressed in at most 3.5 %", shares[0] <= 0.035);
        }
        if slower > 0.09 {
            table.promise("10 % are found in at least 95 %", shares[0] >= 0.95);
        }
        table.promise(
            "a change of the margin or more is called equivalent in at most 5 %",
            slower < 0.02 || shares[1] <= 0.05,
        );
    }
    table
}
