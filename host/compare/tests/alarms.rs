//! Opt-in: how often the intervals and tests of `compare` are wrong on two sides of the same system whose requests follow one
//! another, from rows to decision, with fixed seeds. Prints the table.
//!
//! ```text
//! cargo test --release -p benchhost-compare --test alarms -- --ignored --nocapture
//! ```

mod synthetic;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use benchhost_compare::{Settings, Side, Word, compare};
use synthetic::Truth;

/// Pairs a line, with five runs a side and with one.
const PAIRS: [u64; 2] = [1000, 600];
/// Lines have seeds of their own.
const SEED: u64 = 1;
/// Figures that are shown.
const FIGURES: [&str; 4] = ["ttft_p50", "tpot_p50", "e2e_p50", "out_tok_s"];

#[derive(Default, Clone, Copy)]
struct Tally {
    made: u32,
    above: u32,
    below: u32,
    p: u32,
}

struct Line {
    tallies: BTreeMap<&'static str, Tally>,
    /// Pairs in which a gating figure was called worse.
    alarms: u32,
}

fn pairs(truth: Truth) -> u64 {
    PAIRS[usize::from(truth.runs == 1)]
}

fn line(truth: Truth, number: u64) -> Line {
    let half = pairs(truth) / 2;
    let halves = [0..half, half..2 * half];
    let parts: Vec<Line> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            halves.into_iter().map(|pairs| scope.spawn(move || pairs_of(truth, number, pairs))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut all = Line { tallies: BTreeMap::new(), alarms: 0 };
    for part in parts {
        all.alarms += part.alarms;
        for (name, tally) in part.tallies {
            let into = all.tallies.entry(name).or_default();
            into.made += tally.made;
            into.above += tally.above;
            into.below += tally.below;
            into.p += tally.p;
        }
    }
    all
}

fn pairs_of(truth: Truth, number: u64, pairs: std::ops::Range<u64>) -> Line {
    let mut line = Line { tallies: BTreeMap::new(), alarms: 0 };
    for pair in pairs {
        let seed = 1_000_000 * (number + SEED) + 2 * pair;
        let [base, new] = [seed, seed + 1].map(|seed| Truth { seed, ..truth }.sheet());
        let config = base.groups[0].config.clone();
        let side = |sheet| Side { sheet, config: config.clone(), facts: &[] };
        let decision = compare(&side(&base), &side(&new), &Settings::default()).unwrap();
        line.alarms += u32::from(decision.regressed());
        for row in &decision.groups[0].rows {
            let Some(name) = FIGURES.into_iter().find(|name| *name == row.metric) else { continue };
            assert!(truth.runs > 1 || !matches!(row.word, Word::Regressed | Word::Improved));
            let Some((low, high)) = row.change.and_then(|change| change.interval) else { continue };
            let tally = line.tallies.entry(name).or_default();
            tally.made += 1;
            tally.above += u32::from(low > 0.0);
            tally.below += u32::from(high < 0.0);
            tally.p += u32::from(row.p.is_some_and(|p| p < 0.05));
        }
    }
    line
}

#[test]
#[ignore = "takes minutes; run it after a change to a formula"]
#[expect(clippy::print_stdout, reason = "people who ask for the table want to see it")]
fn nominal_five_percent_lies_between_three_and_seven_on_requests_that_follow_one_another() {
    let mut text = String::from(
        "| runs a side | requests a run | correlation | between runs | figure | above | below | together | p < 0.05 | gate alarms |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    let mut broken = Vec::new();
    let truths = [
        (5, 400, 0.0, 0.0),
        (5, 400, 0.7, 0.0),
        (5, 400, 0.9, 0.005),
        (5, 400, 0.9, 0.03),
        (1, 2000, 0.0, 0.0),
        (1, 2000, 0.7, 0.0),
        (1, 2000, 0.9, 0.0),
    ];
    for (number, (runs, requests, neighbours, between)) in (0..).zip(truths) {
        let truth = Truth { runs, requests, between, neighbours, ..Truth::default() };
        let line = line(truth, number);
        for (name, tally) in &line.tallies {
            let share = |count: u32| f64::from(count) / f64::from(tally.made);
            let percent = |share: f64| format!("{:.1} %", share * 100.0);
            let together = share(tally.above + tally.below);
            let place = format!("{runs} | {requests} | {neighbours} | {:.1} % | {name}", between * 100.0);
            let p = if runs > 1 { percent(share(tally.p)) } else { "–".to_owned() };
            writeln!(
                text,
                "| {place} | {} | {} | {} | {p} | {} |",
                percent(share(tally.above)),
                percent(share(tally.below)),
                percent(together),
                percent(f64::from(line.alarms) / pairs(truth) as f64),
            )
            .unwrap();
            // Two sides of nominally 5 % each; a permutation of five against five reaches 4.8 % at most. The rate of one run
            // has too wide an interval: stretches of a closed loop make up for one another, which is not credited.
            let least = if runs == 1 && *name == "out_tok_s" { 0.0 } else { 0.06 };
            if !(least..=0.14).contains(&together) {
                broken.push(format!("{place}: {together} of the intervals exclude no change"));
            }
            if runs > 1 && !(0.03..=0.07).contains(&share(tally.p)) {
                broken.push(format!("{place}: p < 0.05 in {}", share(tally.p)));
            }
        }
        if f64::from(line.alarms) > 0.05 * pairs(truth) as f64 {
            broken.push(format!("{runs} runs, correlation {neighbours}: {} gate alarms", line.alarms));
        }
    }
    println!("{text}");
    assert!(broken.is_empty(), "{broken:#?}");
}
