//! How often `compare` is right on results that were measured: a pool of short runs of simulated servers over HTTP, five
//! of them against five, many times. Calls the program as a user does. Prints Markdown.
//!
//! ```text
//! cargo build --release && cargo run --release -p benchhost-compare --example simulated -- DIR
//! ```
//!
//! DIR keeps the runs; a second call goes on with them. `--base 70`, `--each 20` runs, `--requests 800` a run,
//! `--splits 100` random pairs a line, `--benchhost target/release/benchhost`.

mod cases;
mod order;
mod pool;
mod verdicts;

use std::path::PathBuf;
use std::process::ExitCode;

use benchhost_stats::{Confidence, Proportion};
use serde_json::Value;

use cases::{Case, SERVERS};
use pool::Pool;
use verdicts::Tally;

#[expect(clippy::print_stderr, reason = "an example's errors")]
fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let (pool, splits) = arguments(std::env::args().skip(1))?;
    pool.measure()?;
    introduction(&pool, splits);
    measured(&pool)?;
    table(&verdicts::all(&pool, splits)?);
    Ok(())
}

fn arguments(mut words: impl Iterator<Item = String>) -> Result<(Pool, usize), String> {
    let mut pool = Pool {
        directory: PathBuf::new(),
        benchhost: PathBuf::from("target/release/benchhost"),
        base: 70,
        each: 20,
        requests: 800,
        seed: 2026,
    };
    let mut splits = 100;
    let number = |name: &str, word: Option<String>| -> Result<usize, String> {
        word.and_then(|w| w.parse().ok()).ok_or_else(|| format!("`{name}` needs a number"))
    };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--base" => pool.base = number("--base", words.next())?,
            "--each" => pool.each = number("--each", words.next())?,
            "--splits" => splits = number("--splits", words.next())?,
            "--requests" => {
                let wanted = number("--requests", words.next())?;
                pool.requests = u32::try_from(wanted).map_err(|e| e.to_string())?;
            }
            "--benchhost" => {
                pool.benchhost = words.next().map(PathBuf::from).ok_or("`--benchhost` needs a path")?;
            }
            _ if pool.directory.as_os_str().is_empty() && !word.starts_with('-') => {
                pool.directory = PathBuf::from(word);
            }
            _ => return Err(format!("`{word}` is not known")),
        }
    }
    if pool.directory.as_os_str().is_empty() {
        return Err("where are the runs to be kept? give a directory".to_owned());
    }
    // Only a program with a slash in its name is not looked for in PATH.
    pool.benchhost = std::path::absolute(&pool.benchhost).map_err(|e| e.to_string())?;
    Ok((pool, splits))
}

#[expect(clippy::print_stdout, reason = "an example's result")]
fn introduction(pool: &Pool, splits: usize) {
    println!(
        "# How often `compare` is right on measured results

Made by `cargo run --release -p benchhost-compare --example simulated -- DIR`, which keeps its runs in DIR and goes on \
with them when called again ([cases](../../host/compare/examples/simulated/cases.rs)). Each run is a `benchhost run` of \
{} requests over HTTP, 64 in flight, against a `benchhost simulate` of its own: times to first token around 40 ms with one \
in twenty three times as long, 8 ms a token, answers of which one in five is wrong; the other servers differ in one thing \
each. The order of all runs is random. Then five runs are put against five by `benchhost compare`, once in pairs that \
share no run, once in {splits} random pairs a line; those share runs, so their intervals (95 %, Wilson) are too narrow.
",
        pool.requests
    );
}

/// What the runs say of themselves.
#[expect(clippy::print_stdout, reason = "an example's result")]
fn measured(pool: &Pool) -> Result<(), String> {
    println!(
        "| server | runs | VALID | SUSPECT | INVALID | TTFT p50 | TTFT p99 | TPOT p50 | tok/s | errors | right |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for server in SERVERS {
        let rows = verdicts::measurements(pool, server.name)?;
        let verdict = |word: &str| rows.iter().filter(|r| r["verdict"] == word).count();
        let mean = |of: &dyn Fn(&Value) -> Option<f64>| {
            let known: Vec<f64> = rows.iter().filter_map(of).collect();
            (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
        };
        let shown = |value: Option<f64>, digits: usize, unit: &str| {
            value.map_or("–".to_owned(), |value| format!("{value:.digits$} {unit}"))
        };
        let failed =
            mean(&|r| Some(100.0 * r["counts"]["failed"].as_f64()? / r["counts"]["scheduled"].as_f64()?));
        let right = mean(&|r| Some(100.0 * r["scores"]["reasoning_correct"].as_f64()?));
        println!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            server.name,
            rows.len(),
            verdict("valid"),
            verdict("suspect"),
            verdict("invalid"),
            shown(mean(&|r| r["ttft"]["p50"].as_f64()), 1, "ms"),
            shown(mean(&|r| r["ttft"]["p99"].as_f64()), 1, "ms"),
            shown(mean(&|r| r["tpot"]["p50"].as_f64()), 3, "ms"),
            shown(mean(&|r| r["out_tok_s"].as_f64()), 0, ""),
            shown(failed, 2, "%"),
            shown(right, 1, "%"),
        );
    }
    println!();
    Ok(())
}

#[expect(clippy::print_stdout, reason = "an example's result")]
fn table(lines: &[(&Case, Tally, Tally)]) {
    println!(
        "| truth | pairs | false alarm | found | another gating figure worse, too | other work said | all decided |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (case, apart, random) in lines {
        for (tally, how) in [(apart, "no run shared"), (random, "random splits")] {
            let shown =
                |shown: bool, part: u64| if shown { share(part, tally.pairs) } else { "–".to_owned() };
            println!(
                "| {} | {} {how} | {} | {} | {} | {} | {} |",
                case.truth,
                tally.pairs,
                shown(case.same(), tally.alarms),
                shown(!case.worse.is_empty(), tally.found),
                shown(!case.same(), tally.alarms),
                share(tally.work, tally.pairs),
                share(tally.decided, tally.pairs),
            );
        }
    }
    println!();
    println!("| gating figures of same-system pairs | interval above no change | below | p < 0.05 |");
    println!("|---|---|---|---|");
    let (case, apart, random) = &lines[0];
    for (tally, how) in [(apart, "no run shared"), (random, "random splits")] {
        println!(
            "| {}: {} {how} | {} | {} | {} |",
            case.truth,
            tally.intervals,
            share(tally.outside[0], tally.intervals),
            share(tally.outside[1], tally.intervals),
            share(tally.tested[1], tally.tested[0]),
        );
    }
}

/// `3.0 % (1.4–6.4)`: a share with its 95 % interval by Wilson.
fn share(part: u64, whole: u64) -> String {
    let Ok(proportion) = Proportion::new(part, whole) else { return "–".to_owned() };
    let interval = proportion.wilson(Confidence::P95);
    format!(
        "{:.1} % ({:.1}–{:.1})",
        100.0 * proportion.estimate(),
        100.0 * interval.low.max(0.0),
        100.0 * interval.high.min(1.0)
    )
}
