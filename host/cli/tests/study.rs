//! Kinds of load and kinds of study: batches, rates that change, traces, users who think or leave, sweeps, order,
//! interleaving, stop rules, searches, gates. Counts and invariants only; no test depends on how fast the machine is.

mod support;

#[path = "support/line.rs"]
mod line;

use std::collections::{BTreeMap, BTreeSet};

use line::number;
use support::Bench;

type Row = BTreeMap<String, String>;

/// A run that is over soon: short answers, no pictures.
fn quick(bench: &Bench, load: &str, out: &str) -> support::Said {
    bench.done(&format!(
        "run --engine vllm --simulate --workload synthetic --workload-option output-tokens=4 --gpu off \
         --no-plots --out {out} {load}"
    ))
}

fn in_order(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_by_key(|r| number(r, "t_sched_ns"));
    rows
}

fn counts(rows: &[Row], column: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(row[column].clone()).or_default() += 1;
    }
    counts
}

#[test]
fn a_batch_begins_together_and_the_next_waits_for_all_of_it() {
    let bench = Bench::new();
    quick(&bench, "--batch 4 --requests 12", "r");
    let rows = in_order(bench.measured("r"));
    assert_eq!(rows.len(), 12);
    for pair in rows.chunks(4).collect::<Vec<_>>().windows(2) {
        let ended = pair[0].iter().map(|r| number(r, "t_end_ns")).max().expect("a batch");
        let begun = pair[1].iter().map(|r| number(r, "t_send_ns")).min().expect("a batch");
        assert!(begun >= ended, "{begun} {ended}");
    }
    let released: BTreeSet<u64> = rows.iter().map(|r| number(r, "t_sched_ns")).collect();
    assert_eq!(released.len(), 3, "each batch has one moment");
    assert!(rows.iter().all(|r| r["load"] == "batch=4" && r["arrivals"] == "batch"));
}

#[test]
fn a_ramp_brings_more_and_more_and_its_rows_say_what_it_is() {
    let bench = Bench::new();
    quick(&bench, "--ramp 2..60:3s --arrivals constant", "r");
    let rows = in_order(bench.measured("r"));
    let first = number(&rows[0], "t_sched_ns");
    let second = |row: &Row| (number(row, "t_sched_ns") - first) / 1_000_000_000;
    let by_second: Vec<usize> = (0..3).map(|s| rows.iter().filter(|r| second(r) == s).count()).collect();
    assert!(by_second[0] < by_second[1] && by_second[1] < by_second[2], "{by_second:?}");
    assert!(rows.iter().all(|r| r["load"] == "rate=60" && r["arrivals"] == "constant ramp 2..60:3s"));
    quick(&bench, "--steps 40:1s,5:1s --arrivals constant", "s");
    let rows = in_order(bench.measured("s"));
    assert_eq!(rows.len(), 45);
    assert!(rows.iter().all(|r| r["load"] == "rate=40"));
}

#[test]
fn bursts_come_in_batches_of_their_own() {
    let bench = Bench::new();
    quick(&bench, "--rate 40 --arrivals batches:4 --requests 16 --warmup 0", "r");
    let rows = bench.measured("r");
    let moments = counts(&rows, "t_sched_ns");
    assert_eq!((rows.len(), moments.len()), (16, 4), "{moments:?}");
}

#[test]
fn a_trace_is_replayed_at_its_own_moments() {
    let bench = Bench::new();
    bench.write("t.csv", "timestamp,input,output\n0,10,2\n10,11,2\n10.5,12,2\n30,13,2\n60,14,2\n");
    let run = |more: &str, out: &str| {
        bench.done(&format!(
            "run --engine vllm --simulate --workload trace --data trace=t.csv --gpu off --no-plots --out {out} {more}"
        ));
        let rows = in_order(bench.measured(out));
        let first = number(&rows[0], "t_sched_ns");
        let moments = rows.iter().map(|r| (number(r, "t_sched_ns") - first) / 1_000_000);
        (moments.collect::<Vec<_>>(), rows)
    };
    let (moments, rows) = run("--trace-scale 50", "whole");
    assert_eq!(moments, [0, 200, 210, 600, 1200]);
    let asked: Vec<u64> = rows.iter().map(|r| number(r, "input_tokens_asked")).collect();
    assert_eq!(asked, [10, 11, 12, 13, 14], "in the order of the trace");
    assert!(rows.iter().all(|r| r["load"] == "trace=50"));
    let (moments, rows) = run("--trace-scale 100 --trace-window 10s..31s", "part");
    assert_eq!(moments, [0, 5, 200]);
    assert!(rows[0]["arrivals"].contains("window=10s..31s"), "{}", rows[0]["arrivals"]);
    let warm: Vec<String> = bench
        .rows("part")
        .into_iter()
        .filter(|r| r["phase"] == "warmup")
        .map(|r| r["item"].clone())
        .collect();
    assert!(!warm.is_empty() && warm.iter().all(|item| rows.iter().all(|r| r["item"] != *item)), "{warm:?}");
    let said = bench.line(
        "run --engine vllm --simulate --workload synthetic --trace-scale 1 --gpu off --no-plots --out none",
    );
    assert!(said.code == 2 && said.err.contains("no moment of arrival"), "{}", said.err);
}

#[test]
fn some_users_hang_up_and_the_same_ones_for_every_engine() {
    let bench = Bench::new();
    bench.done(
        "run --engine vllm --engine vllm --label a --label b --simulate --workload synthetic \
         --workload-option output-tokens=40 --gpu off --concurrency 4 --requests 40 --warmup 0 --drain quiet --hang-up 30%:5tokens --no-plots --out r",
    );
    let rows = bench.measured("r");
    let left = |label: &str| -> BTreeSet<String> {
        let of = rows.iter().filter(|r| r["variant"] == label && r["outcome"] == "hung_up");
        of.map(|r| r["item"].clone()).collect()
    };
    let hung_up = left("a");
    assert!((4..=20).contains(&hung_up.len()), "{}", hung_up.len());
    assert_eq!(hung_up, left("b"));
    for row in &rows {
        assert!(matches!(row["outcome"].as_str(), "completed" | "hung_up"), "{row:?}");
        assert_eq!(row["outcome"] == "hung_up", number(row, "output_tokens") < 40, "{row:?}");
    }
    let summary = support::rows(&bench.path("r/summary.csv"));
    assert_eq!(number(&summary[0], "hung_up"), hung_up.len() as u64);
    assert_eq!(number(&summary[0], "failed"), 0);
}

#[test]
fn the_load_goes_on_until_the_measured_requests_have_ended_unless_asked_not_to() {
    let bench = Bench::new();
    for (drain, some) in [("loaded", true), ("quiet", false)] {
        quick(&bench, &format!("--concurrency 4 --requests 12 --warmup 2 --drain {drain}"), drain);
        let rows = bench.rows(drain);
        let phases = counts(&rows, "phase");
        assert_eq!((phases["warmup"], phases["measured"]), (2, 12), "{phases:?}");
        assert_eq!(phases.contains_key("drain"), some, "{phases:?}");
        assert!(bench.measured(drain).iter().all(|r| r["outcome"] == "completed"));
        let summary = support::rows(&bench.path(&format!("{drain}/summary.csv")));
        assert_eq!(number(&summary[0], "scheduled"), 12);
    }
}

#[test]
fn users_think_between_their_requests() {
    let bench = Bench::new();
    quick(&bench, "--concurrency 1 --requests 5 --warmup 0 --think 100ms", "r");
    let rows = in_order(bench.measured("r"));
    for pair in rows.windows(2) {
        assert!(number(&pair[1], "t_send_ns") >= number(&pair[0], "t_end_ns") + 90_000_000, "{pair:?}");
    }
    assert_eq!(rows[0]["arrivals"], "closed think=100ms");
}

#[test]
fn a_cap_holds_requests_back_and_their_wait_is_theirs() {
    let bench = Bench::new();
    quick(
        &bench,
        "--rate 200 --arrivals constant --requests 20 --warmup 0 --max-concurrency 2 --drain quiet",
        "r",
    );
    let rows = in_order(bench.measured("r"));
    assert_eq!(rows.len(), 20);
    assert!(rows.iter().all(|r| r["outcome"] == "completed"), "{:?}", counts(&rows, "outcome"));
    let held: Vec<&Row> = rows.iter().filter(|r| !r["t_slot_ns"].is_empty()).collect();
    assert!(held.len() >= 10, "{}", held.len());
    for (at, row) in rows.iter().enumerate() {
        let (send, end) = (number(row, "t_send_ns"), number(row, "t_end_ns"));
        let others = rows.iter().enumerate().filter(|(other, r)| {
            *other != at && number(r, "t_send_ns") < end && number(r, "t_end_ns") > send
        });
        // Of those that overlap this one, at most one was under way at any moment: its start or its end.
        let at_start = others.filter(|(_, r)| number(r, "t_send_ns") <= send).count();
        assert!(at_start <= 2, "{at_start}");
    }
}

#[test]
fn a_sweep_gives_every_combination_a_label_of_its_own_and_a_stored_plan_without_a_sweep() {
    let bench = Bench::new();
    bench.done(
        "run --engine vllm --simulate --sweep input=8,16 --sweep output=2,4 --concurrency 2 --requests 4 --gpu off \
         --no-anchor --no-plots --out r",
    );
    let labels: BTreeSet<String> = bench.measured("r").iter().map(|r| r["workload"].clone()).collect();
    let expected = ["synthetic-16x2", "synthetic-16x4", "synthetic-8x2", "synthetic-8x4"];
    assert_eq!(labels.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    for row in bench.measured("r") {
        let asked = format!("synthetic-{}x{}", row["input_tokens_asked"], row["output_tokens_asked"]);
        assert_eq!(row["workload"], asked);
    }
    let stored = std::fs::read_to_string(bench.path("r/plan.toml")).expect("a plan");
    assert!(!stored.contains("sweep") && stored.matches("[[workload]]").count() == 4, "{stored}");
    bench.done("plan check r/plan.toml");
    let points = std::fs::read_dir(bench.path("r/points")).expect("points").count();
    assert_eq!(points, 4, "one file for each");
}

#[test]
fn points_are_measured_in_random_order_and_told_in_their_own() {
    let bench = Bench::new();
    let order = |seed: &str, out: &str| -> Vec<String> {
        quick(
            &bench,
            &format!("--concurrency 1,2,3,4,5 --requests 5 --warmup 0 --seed {seed} --no-anchor"),
            out,
        );
        let mut seen: Vec<String> = Vec::new();
        for row in bench.rows(out) {
            if !seen.contains(&row["load"]) {
                seen.push(row["load"].clone());
            }
        }
        seen
    };
    let (first, again, other) = (order("1", "a"), order("1", "b"), order("2", "c"));
    assert_eq!(first, again);
    let told: Vec<String> =
        support::rows(&bench.path("a/summary.csv")).iter().map(|r| r["load"].clone()).collect();
    let rising: Vec<String> = (1..=5).map(|c| format!("concurrency={c}")).collect();
    assert_eq!(told, rising);
    assert!(first != rising || other != rising, "{first:?} {other:?}");
    quick(&bench, "--concurrency 3,1,2 --requests 3 --warmup 0 --order given", "given");
    let given: Vec<String> = bench.rows("given").iter().map(|r| r["load"].clone()).collect();
    assert_eq!((given[0].as_str(), given[given.len() - 1].as_str()), ("concurrency=3", "concurrency=2"));
}

#[test]
fn the_middle_point_is_measured_three_times_against_drift() {
    let bench = Bench::new();
    quick(&bench, "--concurrency 1,2,3,4 --requests 4 --warmup 0", "r");
    let rows = bench.rows("r");
    let anchors: Vec<&Row> = rows.iter().filter(|r| r["role"] == "anchor").collect();
    let repeats: BTreeSet<&str> = anchors.iter().map(|r| r["repeat"].as_str()).collect();
    assert_eq!(repeats.into_iter().collect::<Vec<_>>(), ["2", "3"]);
    assert!(anchors.iter().all(|r| r["load"] == "concurrency=3"));
    assert_eq!((rows[0]["role"].as_str(), rows[rows.len() - 1]["role"].as_str()), ("anchor", "anchor"));
    let summary = support::rows(&bench.path("r/summary.csv"));
    assert_eq!(summary.len(), 6);
}

#[test]
fn engines_take_turns_with_the_same_items_in_a_block() {
    let bench = Bench::new();
    bench.done(
        "run --engine vllm --engine vllm --label a --label b --simulate --interleave --repeats 4 --concurrency 1,2 \
         --workload synthetic --workload-option output-tokens=2 --requests 3 --warmup 0 --drain quiet --gpu off \
         --no-plots --out r",
    );
    let mut blocks: Vec<(String, String, Vec<String>)> = Vec::new();
    for row in bench.rows("r") {
        let (block, variant) = (format!("{} {}", row["load"], row["repeat"]), row["variant"].clone());
        match blocks.last_mut() {
            Some((b, v, items)) if *b == block && *v == variant => items.push(row["item"].clone()),
            _ => blocks.push((block, variant, vec![row["item"].clone()])),
        }
    }
    assert_eq!(blocks.len(), 16);
    let mut first = BTreeSet::new();
    for pair in blocks.chunks(2) {
        let items = |i: usize| pair[i].2.iter().collect::<BTreeSet<_>>();
        assert_eq!(pair[0].0, pair[1].0, "both engines follow one another");
        assert_ne!(pair[0].1, pair[1].1);
        assert_eq!(items(0), items(1), "of one seed");
        first.insert(pair[0].1.clone());
    }
    assert_eq!(first.len(), 2, "which of them is first is drawn");
    let said = bench.line("plan check --engine vllm --interleave");
    assert!(said.code == 2 && said.err.contains("takes turns"), "{}", said.err);
}

#[test]
fn a_stop_rule_ends_a_point_and_says_when_it_could_not() {
    let bench = Bench::new();
    let said = quick(&bench, "--concurrency 8 --until ttft_p50:90% --max-duration 8s", "met");
    let journal = std::fs::read_to_string(bench.path("met/journal.jsonl")).expect("a journal");
    let facts: serde_json::Value = serde_json::from_str(&journal).expect("one point");
    let at = |key: &str| facts[key].as_u64().expect("a time");
    let window = at("measured_until_ns") - at("measured_from_ns");
    // A machine that does not come to the second checkpoint in time says so.
    assert_eq!(said.err.contains("was not reached"), window >= 8_000_000_000, "{window}: {}", said.err);
    let said = quick(&bench, "--concurrency 2 --until ttft_p99:1% --max-duration 1s", "missed");
    assert!(said.err.contains("ttft_p99 within 1.0 % was not reached"), "{}", said.err);
    let manifest = std::fs::read_to_string(bench.path("missed/manifest.json")).expect("a manifest");
    assert!(manifest.contains("was not reached"), "it is kept");
    assert!(bench.measured("missed").iter().all(|r| r["outcome"] == "completed"));
}

#[test]
fn a_search_brackets_the_highest_rate_that_keeps_the_bounds() {
    let bench = Bench::new();
    // Two at a time, a twentieth of a second each: forty a second at most.
    let server = bench.simulator("vllm", &["--max-running", "2", "--ttft", "10ms", "--itl", "10ms"]);
    bench.done(&format!(
        "run --engine vllm={} --workload synthetic --workload-option output-tokens=5 --search ttft_p50=200ms --rate 20 \
         --max-duration 1s --gpu off --no-plots --out r",
        server.url
    ));
    let found: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(bench.path("r/search.json")).expect("an answer"))
            .expect("JSON");
    let answer = &found[0];
    let rate = |key: &str| answer[key].as_f64();
    if let (Some(pass), Some(fail)) = (rate("pass"), rate("fail")) {
        assert!(pass < fail, "{answer}");
    }
    assert!(rate("pass").is_none_or(|pass| pass < 80.0), "twice what the server can do: {answer}");
    let probes = answer["probes"].as_array().expect("probes");
    assert!(probes.len() >= 3, "{answer}");
    let roles: BTreeSet<String> = bench.rows("r").iter().map(|r| r["role"].clone()).collect();
    assert!(roles.contains("probe") && !roles.contains(""), "{roles:?}");
    for row in bench.measured("r") {
        assert!(matches!(row["outcome"].as_str(), "completed" | "cut"), "{row:?}");
    }
    assert!(bench.done("report r --no-plots").out.contains("ttft_p50=200ms"));
}

#[test]
fn requirements_decide_the_exit_code() {
    let bench = Bench::new();
    let line = |require: &str, out: &str| {
        format!(
            "run --engine vllm --simulate --workload synthetic --workload-option output-tokens=4 --concurrency 2 \
             --requests 8 --gpu off --no-plots --out {out} --slo ttft=30s,e2e=60s --require {require}"
        )
    };
    assert_eq!(bench.line(&line("slo=90%,goodput=0.01,e2e_p50=60s", "kept")).code, 0);
    let said = bench.line(&line("e2e_p50=0.001ms", "missed"));
    assert!(said.code == 1 && said.err.contains("requirement e2e_p50=0.001ms is missed"), "{}", said.err);
    assert_eq!(bench.line(&line("ttft_p99=60s", "few")).code, 1, "eight requests have no p99");
    let summary = support::rows(&bench.path("kept/summary.csv"));
    assert_eq!(summary[0]["slo_attainment"], "1");
    assert_eq!(bench.line("plan check --engine vllm --require slo=95%").code, 2);
}

#[test]
fn a_selfcheck_is_made_and_kept_unless_it_is_skipped() {
    let bench = Bench::new();
    let args = line::words(
        "run --engine vllm --simulate --concurrency 2 --requests 4 --max-tokens 2 --gpu off --no-plots --out r",
    );
    let output = bench.plain(&args).output().expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let harness = |run: &str| -> serde_json::Value {
        let text = std::fs::read_to_string(bench.path(&format!("{run}/harness.json"))).expect("a file");
        serde_json::from_str(&text).expect("JSON")
    };
    assert!(harness("r")["selfcheck"]["events"].as_u64().expect("events") > 0);
    let journal = std::fs::read_to_string(bench.path("r/journal.jsonl")).expect("a journal");
    let facts: serde_json::Value =
        serde_json::from_str(journal.lines().next().expect("a point")).expect("JSON");
    assert!(facts["selfcheck"]["ttft"]["p99_ns"].is_u64(), "{facts}");
    quick(&bench, "--concurrency 1 --requests 2", "skipped");
    assert!(harness("skipped")["selfcheck"].is_null());
}
