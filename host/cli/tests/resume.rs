//! Going on with a run that was killed: finished load points are kept, the others measured again, and nothing comes twice.

mod support;

#[path = "support/line.rs"]
mod line;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use line::{number, words};
use support::Bench;

const PLAN: &str = "run --engine vllm --simulate --workload synthetic --workload-option output-tokens=8 \
                    --concurrency 1,2,3 --requests 20 --warmup 1 --gpu off --no-plots --out r";

/// Kills a run as soon as `enough` says so of the number of finished points and of rows.
fn killed(bench: &Bench, enough: impl Fn(usize, usize) -> bool) {
    let mut child = bench.command(&words(PLAN)).spawn().expect("the program starts");
    let lines = |file: &str| {
        std::fs::read_to_string(bench.path("r").join(file)).map_or(0, |t| t.matches('\n').count())
    };
    let begun = Instant::now();
    while !enough(lines("journal.jsonl"), lines("requests.csv")) {
        assert!(begun.elapsed() < Duration::from_mins(2), "the run does not get there");
        assert!(child.try_wait().expect("a status").is_none(), "the run ended before it was killed");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("a kill");
    child.wait().expect("an end");
}

#[test]
fn a_killed_run_goes_on_with_what_it_had_not_finished() {
    let bench = Bench::new();
    killed(&bench, |points, rows| points >= 1 && rows >= 30);
    let finished: Vec<BTreeMap<String, String>> = bench.rows("r");
    bench.done("run --resume r --no-plots");
    let rows = bench.rows("r");
    let mut by_load: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows.iter().filter(|r| r["phase"] == "measured") {
        assert_eq!(row["outcome"], "completed", "{row:?}");
        *by_load.entry(row["load"].clone()).or_default() += 1;
    }
    assert_eq!(by_load.values().copied().collect::<Vec<_>>(), [20, 20, 20], "{by_load:?}");
    let numbers: BTreeSet<u64> = rows.iter().map(|r| number(r, "row")).collect();
    assert_eq!(numbers.len(), rows.len(), "no row number comes twice");
    let ids: BTreeSet<&str> = rows.iter().map(|r| r["run_id"].as_str()).collect();
    assert_eq!(ids.len(), 1, "the run keeps its name");
    let kept = rows.iter().filter(|r| finished.contains(r)).count();
    assert!(kept >= 21, "the finished point's rows are still there: {kept}");
    // Samples are joined by time, so the second part begins after the first.
    let first_part = finished.iter().map(|r| number(r, "t_sched_ns")).max().expect("rows");
    let new = rows.iter().filter(|r| !finished.contains(r)).map(|r| number(r, "t_sched_ns"));
    assert!(new.min().expect("new rows") >= first_part);
    assert!(bench.path("r/COMPLETE").exists());
    assert_eq!(std::fs::read_to_string(bench.path("r/journal.jsonl")).expect("a journal").lines().count(), 3);
}

#[test]
fn the_same_requests_are_sent_as_would_have_been() {
    let bench = Bench::new();
    killed(&bench, |points, _| points >= 1);
    bench.done("run --resume r --no-plots");
    bench.done(&PLAN.replace("--out r", "--out whole"));
    let items = |run: &str| -> Vec<(String, String)> {
        let mut items: Vec<_> =
            bench.measured(run).into_iter().map(|r| (r["load"].clone(), r["item"].clone())).collect();
        items.sort();
        items
    };
    assert_eq!(items("r"), items("whole"));
    let points = |run: &str| -> usize {
        let text = std::fs::read_to_string(bench.path(&format!("{run}/harness.json"))).expect("a file");
        let harness: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        harness["points"].as_object().expect("points").len()
    };
    assert_eq!(points("r"), points("whole"), "the kept points are in it too");
}

#[test]
fn only_an_unfinished_run_of_the_same_plan_is_resumed() {
    let bench = Bench::new();
    bench.done(&PLAN.replace("1,2,3", "1").replace("--requests 20", "--requests 2"));
    let said = bench.line("run --resume r");
    assert!(said.code == 2 && said.err.contains("it has ended"), "{}", said.err);
    let said = bench.line("run --resume r --seed 7");
    assert!(said.code == 2 && said.err.contains("another plan"), "{}", said.err);
    let said = bench.line("run --resume r --out other");
    assert!(said.code == 2 && said.err.contains("leave the plan and `--out` out"), "{}", said.err);
    let said = bench.line("run --resume nowhere");
    assert_eq!(said.code, 2, "{}", said.err);
}
