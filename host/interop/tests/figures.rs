//! Every figure and request of the fixtures has the value that `fixtures/figures.py` computes from the same files without
//! this crate; there is no figure beside those, and every key that is none of ours is said.

use std::collections::BTreeMap;

use benchhost_interop::{Imported, ImportedRun, Statistic, read};
use benchhost_model::Outcome;
use serde_json::Value;

fn text(name: &str) -> String {
    let path = format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).expect("a fixture")
}

fn imported(name: &str) -> Imported {
    read(&text(name)).expect(name)
}

fn expected() -> BTreeMap<String, Vec<Value>> {
    serde_json::from_str(&text("figures.json")).expect("JSON")
}

/// Both sides are doubles that were computed in a different order; GuideLLM's stamps are Unix seconds in a double.
fn close(left: f64, right: f64, grain: f64, what: &str) {
    assert!((left - right).abs() <= 1e-9 * right.abs() + grain, "{what}: {left}, expected {right}");
}

fn name_of(metric: &str, statistic: Statistic) -> String {
    format!("{metric} {}", statistic.as_str()).trim_end().to_owned()
}

#[test]
fn every_figure_is_the_one_computed_from_the_raw_file() {
    for (file, runs) in expected() {
        let imported = imported(&file);
        assert_eq!(imported.runs.len(), runs.len(), "{file}");
        for (run, expected) in imported.runs.iter().zip(&runs) {
            assert_eq!(run.completed, expected["completed"].as_u64(), "{file}: completed");
            assert_eq!(run.failed, expected["failed"].as_u64(), "{file}: failed");
            let figures = expected["figures"].as_object().expect("figures");
            let found: BTreeMap<String, f64> =
                run.figures.iter().map(|f| (name_of(f.metric, f.statistic), f.value)).collect();
            assert_eq!(found.len(), run.figures.len(), "{file}: a figure is booked twice");
            let names = |of: Vec<&String>| of.into_iter().cloned().collect::<std::collections::BTreeSet<_>>();
            assert_eq!(names(found.keys().collect()), names(figures.keys().collect()), "{file}");
            for (name, value) in figures {
                // AIPerf's phase is told in microseconds.
                let grain = if file == "aiperf.json" { 1e-6 * found[name] } else { 0.0 };
                close(found[name], value.as_f64().expect("a number"), grain, &format!("{file}: {name}"));
            }
        }
    }
}

#[test]
fn every_request_is_the_one_in_the_raw_file() {
    for (file, runs) in expected() {
        let imported = imported(&file);
        for (run, expected) in imported.runs.iter().zip(&runs) {
            let requests = expected["requests"].as_array().expect("requests");
            assert_eq!(run.requests.len(), requests.len(), "{file}");
            // Kept as microseconds by some; a double of Unix seconds has a grain of 0.24 µs.
            let grain = if file == "guidellm.json" { 1e-3 } else { 1e-6 };
            for (at, (request, cells)) in run.requests.iter().zip(requests).enumerate() {
                let (record, what) = (&request.record, format!("{file}: request {at}"));
                assert_eq!(record.outcome.as_str(), cells[0], "{what}");
                assert_eq!(record.input_tokens.map(u64::from), cells[1].as_u64(), "{what}: input");
                assert_eq!(record.output_tokens.map(u64::from), cells[2].as_u64(), "{what}: output");
                let send = record.t_send_ns.map(benchhost_model::Nanos::as_ms);
                for (word, found, cell) in [
                    ("ttft", record.ttft_ms, &cells[3]),
                    ("e2e", record.e2e_ms, &cells[4]),
                    ("tpot_n1", record.tpot_n1_ms, &cells[5]),
                    ("t_send", send, &cells[6]),
                ] {
                    assert_eq!(found.is_some(), cell.is_number(), "{what}: {word}");
                    if let Some((found, expected)) = found.zip(cell.as_f64()) {
                        close(found, expected, grain, &format!("{what}: {word}"));
                    }
                }
                let gaps: f64 = request.gaps_ms.iter().sum();
                if !request.gaps_ms.is_empty() && record.outcome == Outcome::Completed {
                    close(gaps, record.e2e_ms.unwrap() - record.ttft_ms.unwrap(), 1e-6, &what);
                }
            }
        }
    }
}

fn left(run: &ImportedRun) -> Vec<&str> {
    run.unmapped.iter().map(|u| u.theirs.as_str()).collect()
}

#[test]
fn every_key_that_is_none_of_ours_is_said() {
    let vllm = ["max_output_tokens_per_s", "max_concurrent_requests", "rtfx"];
    let deviations = ["std_ttft_ms", "std_tpot_ms", "std_itl_ms"];
    let python = imported("vllm-bench.json");
    assert_eq!(left(&python.runs[0]), [&vllm[..], &deviations].concat());
    let rust = imported("vllm-rust.json");
    assert_eq!(left(&rust.runs[0]), [&vllm[..], &deviations, &["std_e2el_ms", "steady_state"]].concat());
    let turns = imported("vllm-rust-multi-turn.json");
    let conversations = [
        "conversations_completed",
        "conversations_failed",
        "avg_turns_completed",
        "avg_conversation_duration_ms",
    ];
    let others = ["std_e2el_ms", "per_turn_metrics"];
    assert_eq!(left(&turns.runs[0]), [&conversations[..], &deviations, &others].concat());
    for name in ["sglang.jsonl", "sglang-rust.jsonl"] {
        let sglang = imported(name);
        let expected = [
            "total_input_text_tokens",
            "total_input_vision_tokens",
            "total_output_tokens_retokenized",
            "std_e2e_latency_ms",
            "std_ttft_ms",
            "std_tpot_ms",
            "std_itl_ms",
            "concurrency",
            "max_output_tokens_per_s",
            "max_concurrent_requests",
        ];
        assert_eq!(left(&sglang.runs[0]), expected, "{name}");
    }
    let guidellm = imported("guidellm.json");
    let expected = [
        "request_concurrency",
        "root_dispatch_delay",
        "request_streaming_iterations_count",
        "prompt_token_count",
        "output_token_count",
        "total_token_count",
        "time_to_last_round_trip_ms",
        "avg_round_trip_time_ms",
        "output_tokens_per_iteration",
        "iter_tokens_per_iteration",
        "text",
        "image",
        "video",
        "audio",
        "tool_call",
        "slo_determined_requests",
    ];
    assert_eq!(left(&guidellm.runs[0]), expected);
    let perf = imported("inference-perf-by-hand.json");
    let expected = ["load_summary.schedule_delay", "load_summary.achieved_rate", "goodput_metrics"];
    assert_eq!(left(&perf.runs[0]), expected);
}

/// AIPerf has over fifty; each is either a figure of ours, no figure, or said.
#[test]
fn no_metric_of_aiperf_is_forgotten() {
    let whole: Value = serde_json::from_str(&text("aiperf.json")).expect("JSON");
    let imported = imported("aiperf.json");
    let run = &imported.runs[0];
    let used = |tag: &str| run.figures.iter().any(|f| f.theirs.split('.').next() == Some(tag));
    for (tag, metric) in whole.as_object().expect("an object") {
        if metric.get("unit").is_some() && tag != "request_count" && tag != "error_request_count" {
            let said = run.unmapped.iter().filter(|u| u.theirs == *tag).count();
            assert_eq!(said + usize::from(used(tag)), 1, "{tag}");
        }
    }
    let whys = run.unmapped.iter().filter(|u| u.why.starts_with("no figure of ours has")).collect::<Vec<_>>();
    assert!(whys.is_empty(), "each known metric has a reason of its own: {whys:?}");
}

#[test]
fn the_rust_clients_are_read_as_the_python_ones() {
    let steady = imported("vllm-rust.json");
    assert_eq!(steady.runs[0].load.map(|l| l.to_string()).as_deref(), Some("concurrency=4"));
    let open = imported("vllm-rust-open.json");
    assert_eq!(open.runs[0].load.map(|l| l.to_string()).as_deref(), Some("rate=20"));
    let failed = open.runs[0].requests.iter().find(|r| r.record.outcome == Outcome::Failed).expect("one");
    assert!(failed.record.failure_detail.starts_with("HTTP 500 Internal Server Error"));
    assert_eq!((failed.record.ttft_ms, failed.record.e2e_ms), (None, None));
    let turns = imported("vllm-rust-multi-turn.json");
    assert_eq!(turns.runs[0].load.map(|l| l.to_string()).as_deref(), Some("concurrency=2"));
    // Two of its twelve failed; the file does not count them.
    let sglang = imported("sglang-rust.jsonl");
    assert_eq!((sglang.runs[0].completed, sglang.runs[0].failed), (Some(10), Some(2)));
    assert_eq!(sglang.runs[0].load.map(|l| l.to_string()).as_deref(), Some("concurrency=3"));
}
