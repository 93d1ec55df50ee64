//! What is sent when: durations, arrivals, order, and which turns see what.

mod support;

#[path = "support/line.rs"]
mod line;
#[path = "support/scripted.rs"]
mod scripted;

use std::collections::BTreeMap;

use line::number;
use scripted::{Reply, Scripted, chat};
use support::Bench;

type Row = BTreeMap<String, String>;

/// The measured rows of `engine` in the order of their schedule.
fn scheduled(bench: &Bench, run: &str, engine: &str) -> Vec<Row> {
    let mut rows: Vec<Row> = bench.measured(run).into_iter().filter(|r| r["engine"] == engine).collect();
    rows.sort_by_key(|r| number(r, "t_sched_ns"));
    rows
}

fn gaps(rows: &[Row]) -> Vec<u64> {
    rows.windows(2).map(|pair| number(&pair[1], "t_sched_ns") - number(&pair[0], "t_sched_ns")).collect()
}

#[test]
fn a_duration_ends_a_closed_loop_and_what_is_in_flight_ends_by_itself() {
    let bench = Bench::new();
    bench.done(
        "run --engine vllm --simulate --concurrency 3 --duration 700ms --warmup 2 --max-tokens 4 \
         --no-plots --out r",
    );
    let rows = scheduled(&bench, "r", "vllm");
    assert!(rows.len() > 3, "the slots are used again: {}", rows.len());
    for row in &rows {
        assert_eq!(
            row["outcome"], "completed",
            "nothing is cut or shed at the end: {}",
            row["failure_detail"]
        );
    }
    let window = 700_000_000;
    let begun = number(&rows[0], "t_sched_ns");
    let last = number(&rows[rows.len() - 1], "t_sched_ns") - begun;
    // The guard is for a machine that wakes the program late.
    assert!(last < window + 1_000_000_000, "a request was scheduled {last} ns after the first");
    let end = rows.iter().map(|r| number(r, "t_end_ns") - begun).max().expect("rows");
    assert!(end >= window, "the load was offered for the whole window, not for {end} ns");
    let warm = bench.rows("r").into_iter().filter(|r| r["phase"] == "warmup").count();
    assert_eq!(warm, 2, "warm-up is counted in requests");
    assert!(bench.path("r/COMPLETE").exists());
}

#[test]
fn a_duration_of_an_open_loop_holds_the_requests_that_are_due_in_it() {
    let bench = Bench::new();
    // Due at 0, 50, … 450 ms.
    bench.done(
        "run --engine vllm --engine tgi --simulate --rate 20 --warmup 1 --arrivals constant \
         --duration 475ms --max-tokens 4 --no-plots --out r",
    );
    for engine in ["vllm", "tgi"] {
        let rows = scheduled(&bench, "r", engine);
        assert!(rows.iter().all(|r| r["outcome"] == "completed"), "{engine}: no request is shed");
        assert_eq!(rows.len(), 10, "{engine}");
    }
}

#[test]
fn a_duration_does_not_hold_its_own_end() {
    let bench = Bench::new();
    // Due at 0, 50, … 450 ms; the one at 500 ms belongs to the next window, else 20 a second would be 22.
    bench.done(
        "run --engine vllm --simulate --rate 20 --warmup 1 --arrivals constant --duration 500ms \
         --max-tokens 4 --no-plots --out r",
    );
    assert_eq!(bench.measured("r").len(), 10);
}

#[test]
fn a_duration_lets_dialogues_end() {
    let bench = Bench::new();
    let line = |amount: &str, out: &str| {
        format!(
            "run --engine vllm --simulate --workload-option turns=every --concurrency 4 {amount} \
             --warmup 0 --max-tokens 3 --no-plots --out {out}"
        )
    };
    let turns = |run: &str| {
        let mut turns: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for row in bench.measured(run) {
            assert_eq!(row["outcome"], "completed", "{row:?}");
            turns.entry(row["item"].clone()).or_default().push(number(&row, "turn"));
        }
        for list in turns.values_mut() {
            list.sort_unstable();
        }
        turns
    };
    bench.done(&line("--requests 64", "whole"));
    bench.done(&line("--duration 200ms", "part"));
    let (whole, part) = (turns("whole"), turns("part"));
    assert_eq!(whole.len(), 64);
    // In 200 ms no item comes twice: each user would have to finish 16 dialogues.
    for (item, turns) in &part {
        assert_eq!(turns, &whole[item], "{item}");
    }
    assert!(part.values().any(|t| t.len() > 1), "{part:?}");
}

#[test]
fn an_open_loop_does_not_wait_for_answers() {
    let bench = Bench::new();
    let server = bench.simulator("vllm", &["--ttft", "900ms"]);
    bench.done(&format!(
        "run --engine vllm={} --rate 50 --arrivals constant --requests 4 --warmup 0 --max-tokens 2 \
         --no-plots --out r",
        server.url
    ));
    let rows = scheduled(&bench, "r", "vllm");
    let first_end = rows.iter().map(|r| number(r, "t_end_ns")).min().expect("rows");
    assert!(rows.iter().all(|r| number(r, "t_send_ns") < first_end), "{rows:?}");
}

#[test]
fn constant_arrivals_are_evenly_spaced() {
    let bench = Bench::new();
    bench.done(
        "run --engine vllm --simulate --rate 40,80 --warmup 1 --arrivals constant --requests 9 \
         --max-tokens 4 --no-plots --out r",
    );
    for (load, gap) in [("rate=40", 25_000_000), ("rate=80", 12_500_000)] {
        let rows: Vec<Row> =
            scheduled(&bench, "r", "vllm").into_iter().filter(|r| r["load"] == load).collect();
        assert_eq!(gaps(&rows), [gap; 8], "{load}");
    }
}

#[test]
fn poisson_arrivals_are_the_same_for_every_engine_and_other_for_another_seed() {
    let bench = Bench::new();
    for seed in ["1", "2"] {
        bench.done(&format!(
            "run --engine vllm --engine tgi --simulate --rate 60 --warmup 1 --requests 12 \
             --max-tokens 4 --seed {seed} --no-plots --out r{seed}"
        ));
    }
    let of = |run: &str, engine: &str| gaps(&scheduled(&bench, run, engine));
    let first = of("r1", "vllm");
    assert_eq!(first.len(), 11);
    assert!(first.windows(2).any(|pair| pair[0] != pair[1]), "poisson is the default: {first:?}");
    assert_eq!(first, of("r1", "tgi"));
    assert_eq!(of("r2", "vllm"), of("r2", "tgi"));
    assert_ne!(first, of("r2", "vllm"));
}

#[test]
fn one_user_sends_the_same_items_in_the_same_order_to_every_engine() {
    let bench = Bench::new();
    for seed in ["1", "2"] {
        bench.done(&format!(
            "run --engine vllm --engine llamacpp --simulate --concurrency 1 --requests 7 --max-tokens 4 \
             --seed {seed} --no-plots --out r{seed}"
        ));
    }
    let order = |run: &str, engine: &str| {
        scheduled(&bench, run, engine).iter().map(|r| r["item"].clone()).collect::<Vec<_>>()
    };
    let first = order("r1", "vllm");
    assert_eq!(first.len(), 7);
    assert_eq!(first, order("r1", "llamacpp"));
    assert_ne!(first, order("r2", "vllm"));
}

#[test]
fn one_user_waits_for_an_answer_before_the_next_request() {
    let bench = Bench::new();
    bench.done("run --engine vllm --simulate --concurrency 1 --requests 5 --max-tokens 4 --no-plots --out r");
    let rows = scheduled(&bench, "r", "vllm");
    for pair in rows.windows(2) {
        assert!(number(&pair[1], "t_send_ns") >= number(&pair[0], "t_end_ns"), "{pair:?}");
    }
}

/// Dialogues of several turns against a server that always says the same; returns the messages of every request with
/// more than one turn in it.
fn later_turns(history: &str) -> Vec<Vec<(String, String)>> {
    let bench = Bench::new();
    let server = Scripted::openai(|_, _| Reply::Answer(chat("Scripted words.")));
    bench.done(&format!(
        "run --engine openai={} --workload-option turns=every --history {history} --concurrency 2 --requests 4 \
         --warmup 0 --max-tokens 8 --no-plots --out r",
        server.url()
    ));
    assert!(bench.measured("r").iter().all(|r| r["outcome"] == "completed"));
    let text = |v: &serde_json::Value| v.as_str().expect("text").to_owned();
    let messages = |seen: &scripted::Seen| {
        let json = seen.json();
        let list = json["messages"].as_array().expect("messages").clone();
        list.iter().map(|m| (text(&m["role"]), text(&m["content"]))).collect::<Vec<_>>()
    };
    let all: Vec<_> = server.posts().iter().map(messages).collect();
    all.into_iter().filter(|list| list.iter().any(|(role, _)| role == "assistant")).collect()
}

#[test]
fn later_turns_see_the_models_answers_unless_the_recorded_ones_are_asked_for() {
    let answers = |list: &[Vec<(String, String)>]| {
        list.iter()
            .flatten()
            .filter(|(role, _)| role == "assistant")
            .map(|(_, t)| t.clone())
            .collect::<Vec<_>>()
    };
    let model = later_turns("model");
    let recorded = later_turns("recorded");
    assert!(!model.is_empty(), "no dialogue had a second turn");
    assert_eq!(model.len(), recorded.len());
    assert!(answers(&model).iter().all(|t| t == "Scripted words."), "{model:?}");
    assert!(answers(&recorded).iter().all(|t| t != "Scripted words."), "{recorded:?}");
}

#[test]
fn histories_of_other_lengths_are_counted_as_such() {
    let bench = Bench::new();
    for history in ["model", "recorded"] {
        bench.done(&format!(
            "run --engine vllm --simulate --workload-option turns=every --history {history} \
             --concurrency 1 --requests 4 --max-tokens 5 --no-plots --out {history}"
        ));
    }
    let tokens = |run: &str, later: bool| {
        let mut rows: Vec<_> = bench
            .measured(run)
            .into_iter()
            .filter(|r| (r["turn"] != "0") == later)
            .map(|r| (r["item"].clone(), r["turn"].clone(), number(&r, "input_tokens")))
            .collect();
        rows.sort();
        rows
    };
    assert_eq!(tokens("model", false), tokens("recorded", false), "first turns are the same");
    assert!(!tokens("model", true).is_empty());
    assert_ne!(tokens("model", true), tokens("recorded", true));
}

#[test]
fn two_workloads_share_a_run_and_fill_only_their_own_scores() {
    let bench = Bench::new();
    bench.done(
        "run --engine vllm --simulate --workload empathetic --workload mixed \
         --workload-option categories=qa,reasoning \
         --concurrency 3 --requests 8 --max-tokens 30 --no-plots --out r",
    );
    let rows = bench.measured("r");
    let of = |workload: &str| rows.iter().filter(|r| r["workload"] == workload).collect::<Vec<_>>();
    let (empathetic, mixed) = (of("empathetic"), of("mixed"));
    assert_eq!((empathetic.len(), mixed.len()), (8, 8));
    for row in &empathetic {
        assert!(!row["score_token_f1"].is_empty(), "{row:?}");
        assert!(row["score_qa_em"].is_empty() && row["score_reasoning_correct"].is_empty(), "{row:?}");
    }
    for row in &mixed {
        assert!(row["score_token_f1"].is_empty(), "{row:?}");
        let filled = |column: &str| !row[column].is_empty();
        assert_eq!(filled("score_qa_em"), row["category"] == "qa", "{row:?}");
        assert_eq!(filled("score_reasoning_correct"), row["category"] == "reasoning", "{row:?}");
    }
    let summary = support::rows(&bench.path("r/summary.csv"));
    let named: Vec<_> = summary.iter().map(|r| r["workload"].as_str()).collect();
    assert_eq!(named, ["empathetic", "mixed"]);
    let warm: Vec<_> = bench.rows("r").into_iter().filter(|r| r["phase"] == "warmup").collect();
    assert!(
        !warm.is_empty()
            && warm.iter().all(|r| r["score_token_f1"].is_empty() && r["score_qa_em"].is_empty())
    );
}

#[test]
fn a_load_that_is_named_twice_is_not_added_up() {
    let bench = Bench::new();
    // Two measurements under one name would have one window around both, and rates that no load had.
    for (index, ladder) in ["--concurrency 2,2", "--rate 40,40"].into_iter().enumerate() {
        let said = bench.line(&format!(
            "run --engine vllm --simulate {ladder} --warmup 1 --requests 4 --max-tokens 4 --no-plots \
             --out r{index}"
        ));
        if said.code == 0 {
            assert_eq!(bench.measured(&format!("r{index}")).len(), 4, "{ladder}");
        } else {
            assert_eq!(said.code, 2, "{ladder}: {}", said.err);
        }
    }
}
