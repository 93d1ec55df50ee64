//! How often `compare` is right: same-system pairs and known differences, many times each, from made rows through the same
//! code as real ones. Prints Markdown. `cargo run --release -p benchhost-compare --example proof`

#[path = "../tests/synthetic/mod.rs"]
mod synthetic;

use benchhost_compare::{Margins, Settings, Side, Word, compare};
use synthetic::Truth;

/// Pairs of results a line.
const PAIRS: u64 = 300;

struct Case {
    name: &'static str,
    truth: Truth,
    change: fn(&mut Truth),
    margins: &'static [&'static str],
    /// The figure that should be called worse; empty: none.
    figure: &'static str,
}

#[derive(Default)]
struct Tally {
    alarms: u32,
    found: u32,
    work: u32,
    decided: u32,
}

fn run(case: &Case, line: u64) -> Tally {
    let mut tally = Tally::default();
    let margins = case.margins.iter().map(|m| m.parse().expect("a margin")).collect();
    let settings = Settings { margins: Margins::new(margins), ..Settings::default() };
    for pair in 0..PAIRS {
        let seed = (line * PAIRS + pair) * 2 + 1;
        let base = Truth { seed, ..case.truth };
        let mut new = Truth { seed: seed + 1, ..case.truth };
        (case.change)(&mut new);
        let (base, new) = (base.sheet(), new.sheet());
        let config = base.groups[0].config.clone();
        let side = |sheet| Side { sheet, config: config.clone(), facts: &[] };
        let decision = compare(&side(&base), &side(&new), &settings).expect("comparable");
        let rows = &decision.groups[0].rows;
        let worse = |name: &str| rows.iter().any(|r| r.metric == name && r.word == Word::Regressed);
        let other = rows.iter().any(|r| r.gates && r.metric != case.figure && r.word == Word::Regressed);
        tally.alarms += u32::from(if case.figure.is_empty() { decision.regressed() } else { other });
        tally.found += u32::from(!case.figure.is_empty() && worse(case.figure));
        tally.work += u32::from(!decision.work.is_empty());
        tally.decided += u32::from(!decision.open());
    }
    tally
}

/// The truth of the new side.
fn changed(case: &Case) -> Truth {
    let mut truth = case.truth;
    (case.change)(&mut truth);
    truth
}

#[expect(
    clippy::print_stdout,
    clippy::too_many_lines,
    reason = "an example's result, and its table of cases"
)]
fn main() {
    let usual = Truth { right: 0.8, ..Truth::default() };
    let calm = Truth { between: 0.0, ..usual };
    let long = Truth { requests: 2000, ..usual };
    let none: fn(&mut Truth) = |_| {};
    let cases = [
        Case {
            name: "same system, runs differ by 0.5 %",
            truth: usual,
            change: none,
            margins: &[],
            figure: "",
        },
        Case { name: "same system, runs do not differ", truth: calm, change: none, margins: &[], figure: "" },
        Case {
            name: "same system, runs differ by 3 %",
            truth: Truth { between: 0.03, ..usual },
            change: none,
            margins: &[],
            figure: "",
        },
        Case {
            name: "same system, margins of 0.01 %",
            truth: usual,
            change: none,
            margins: &["0.01%", "error_rate=0.001pt"],
            figure: "",
        },
        Case {
            name: "TPOT +3 %",
            truth: usual,
            change: |t| t.tpot_ms *= 1.03,
            margins: &[],
            figure: "tpot_p50",
        },
        Case {
            name: "TPOT +1 % (below the margin)",
            truth: usual,
            change: |t| t.tpot_ms *= 1.01,
            margins: &[],
            figure: "tpot_p50",
        },
        Case {
            name: "TTFT p99 +10 %, margin 10 %",
            truth: long,
            change: |t| t.tail *= 1.10,
            margins: &[],
            figure: "ttft_p99",
        },
        Case {
            name: "TTFT p99 +10 %, margin 5 %",
            truth: long,
            change: |t| t.tail *= 1.10,
            margins: &["ttft_p99=5%"],
            figure: "ttft_p99",
        },
        Case {
            name: "TTFT p99 +20 %, margin 10 %",
            truth: long,
            change: |t| t.tail *= 1.20,
            margins: &[],
            figure: "ttft_p99",
        },
        Case {
            name: "1 % errors",
            truth: usual,
            change: |t| t.errors = 0.01,
            margins: &[],
            figure: "error_rate",
        },
        Case {
            name: "answers 10 % shorter",
            truth: usual,
            change: |t| t.output = 54,
            margins: &[],
            figure: "",
        },
        Case {
            name: "quality 0.80 → 0.70",
            truth: usual,
            change: |t| t.right = 0.7,
            margins: &[],
            figure: "score_exact",
        },
        Case {
            name: "quality 0.80 → 0.78",
            truth: usual,
            change: |t| t.right = 0.78,
            margins: &[],
            figure: "score_exact",
        },
    ];
    println!(
        "| truth | requests a run | false alarm | found | another gating figure worse, too | other work said | all decided |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (line, case) in cases.iter().enumerate() {
        let tally = run(case, line as u64);
        let share = |n: u32| format!("{:.1} %", f64::from(n) * 100.0 / PAIRS as f64);
        let same = case.figure.is_empty() && case.truth.output == changed(case).output;
        let or_none = |shown: bool, n: u32| if shown { share(n) } else { "–".to_owned() };
        println!(
            "| {} | {} | {} | {} | {} | {} | {} |",
            case.name,
            case.truth.requests,
            or_none(same, tally.alarms),
            or_none(!case.figure.is_empty(), tally.found),
            or_none(!same, tally.alarms),
            share(tally.work),
            share(tally.decided)
        );
    }
}
