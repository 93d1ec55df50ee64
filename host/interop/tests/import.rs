//! Result files of other tools become figures under our names, and requests where the file keeps them.

use benchhost_interop::{Imported, Statistic, Tool, read};
use benchhost_model::{LoadPoint, Outcome};

fn fixture(name: &str) -> Imported {
    let path = format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    read(&std::fs::read_to_string(path).expect("a fixture")).expect(name)
}

fn value(imported: &Imported, metric: &str, statistic: Statistic) -> f64 {
    imported.runs[0].figure(metric, statistic).unwrap_or_else(|| panic!("no {metric}")).value
}

fn close(left: f64, right: f64) {
    assert!((left - right).abs() <= 1e-6 * right.abs().max(1.0), "{left} and {right}");
}

#[test]
fn vllm_bench_keeps_requests_and_a_failed_one_is_not_a_fast_one() {
    let file = fixture("vllm-by-hand.json");
    let run = &file.runs[0];
    assert_eq!(
        (file.tool, run.load, run.completed, run.failed),
        (Tool::VllmBench, Some(LoadPoint::Concurrency(2)), Some(3), Some(1))
    );
    close(value(&file, "ttft", Statistic::P99), 69.8);
    close(value(&file, "icl", Statistic::P50), 10.0);
    close(value(&file, "tpot_n1", Statistic::Mean), 11.1);
    assert!(run.figure("itl", Statistic::Mean).is_none(), "their itl is not ours");
    let outcomes: Vec<Outcome> = run.requests.iter().map(|r| r.record.outcome).collect();
    assert_eq!(outcomes, [Outcome::Completed, Outcome::Completed, Outcome::Failed, Outcome::Completed]);
    let failed = &run.requests[2].record;
    assert_eq!((failed.ttft_ms, failed.failure_detail.as_str()), (None, "Bad Gateway"));
    let first = &run.requests[0];
    assert_eq!(first.gaps_ms, [10.0, 10.0, 20.0]);
    close(first.record.tpot_ms.unwrap(), 40.0 / 3.0);
    assert_eq!(first.record.t_first_ns.unwrap().get(), 50_000_000);
    // Four tokens in two chunks: who came first is not known, so only the division by N − 1 exists.
    let merged = &run.requests[3].record;
    assert_eq!((merged.events, merged.tpot_ms), (2, None));
    close(merged.tpot_n1_ms.unwrap(), 10.0);
}

#[test]
fn waiting_for_vllm_benchs_own_gate_counts_from_the_schedule_in_an_open_loop() {
    let path = format!("{}/tests/fixtures/vllm-bench.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("a fixture");
    let closed = read(&text).expect("a result");
    let open = read(&text.replace("\"inf\"", "100.0")).expect("a result");
    let waited = |i: &Imported| {
        let requests = &i.runs[0].requests;
        requests
            .iter()
            .map(|r| r.record.ttft_sched_ms.unwrap() - r.record.ttft_ms.unwrap())
            .fold(0.0, f64::max)
    };
    assert!(waited(&closed).abs() < 1e-3);
    assert!(waited(&open) > 100.0, "the last of twelve waited behind four: {}", waited(&open));
}

#[test]
fn what_vllm_bench_says_of_itself_follows_from_its_requests() {
    let file = fixture("vllm-bench.json");
    let run = &file.runs[0];
    assert_eq!(
        (file.tool, run.load, run.requests.len()),
        (Tool::VllmBench, Some(LoadPoint::Concurrency(4)), 12)
    );
    let mean = |of: fn(&benchhost_model::Record) -> Option<f64>| {
        let values: Vec<f64> = run.requests.iter().filter_map(|r| of(&r.record)).collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    close(mean(|r| r.ttft_ms), value(&file, "ttft", Statistic::Mean));
    close(mean(|r| r.tpot_n1_ms), value(&file, "tpot_n1", Statistic::Mean));
    let gaps: Vec<f64> = run.requests.iter().flat_map(|r| r.gaps_ms.clone()).collect();
    close(gaps.iter().sum::<f64>() / gaps.len() as f64, value(&file, "icl", Statistic::Mean));
}

#[test]
fn sglang_writes_infinity_and_is_read() {
    let file = fixture("sglang.jsonl");
    let run = &file.runs[0];
    assert_eq!(
        (file.tool, run.load, run.completed),
        (Tool::Sglang, Some(LoadPoint::Concurrency(4)), Some(12))
    );
    assert_eq!(run.requests.len(), 12);
    close(value(&file, "e2e", Statistic::P90), 99.817_769_798_937_66);
    close(value(&file, "total_tok_s_makespan", Statistic::Total), 1_632.681_583_766_351_7);
    assert!(run.unmapped.iter().any(|u| u.theirs == "concurrency"));
}

#[test]
fn aiperf_summary_and_requests_agree_on_what_is_what() {
    let file = fixture("aiperf.json");
    assert_eq!((file.tool, file.version.as_deref()), (Tool::Aiperf, Some("0.13.0")));
    assert_eq!(file.runs[0].load, Some(LoadPoint::Concurrency(4)));
    assert_eq!(file.runs[0].model, "simulated-model");
    close(value(&file, "ttft", Statistic::Mean), 31.509_730_708_333_33);
    close(value(&file, "tpot_n1", Statistic::P50), 6.706_110_761_648_222);
    close(value(&file, "icl", Statistic::P50), 6.412_08);
    close(value(&file, "duration_s", Statistic::Total), 3.391_964_16);
    assert!(file.runs[0].unmapped.iter().any(|u| u.theirs == "goodput"));

    let rows = fixture("aiperf.jsonl");
    let run = &rows.runs[0];
    assert_eq!((run.requests.len(), run.completed), (4, Some(4)));
    let first = &run.requests[0];
    assert_eq!(first.record.t_send_ns.unwrap().get(), 0);
    assert_eq!(u32::try_from(first.gaps_ms.len()).unwrap() + 1, first.record.events);
    let gaps: f64 = first.gaps_ms.iter().sum();
    close(first.record.e2e_ms.unwrap() - first.record.ttft_ms.unwrap(), gaps);
    assert!(run.requests.windows(2).all(|w| w[0].record.t_send_ns <= w[1].record.t_send_ns));
}

#[test]
fn guidellm_words_are_translated() {
    let file = fixture("guidellm.json");
    let run = &file.runs[0];
    assert_eq!(
        (file.tool, run.load, run.completed),
        (Tool::Guidellm, Some(LoadPoint::Concurrency(4)), Some(24))
    );
    close(value(&file, "ttft", Statistic::P50), 27.926_206_588_745_117);
    let (norm, per_token) =
        (value(&file, "norm_latency", Statistic::Mean), value(&file, "tpot_n1", Statistic::Mean));
    assert!(norm > per_token, "normalised latency holds the first token too");
    let e2e = value(&file, "e2e_body", Statistic::Mean);
    assert!((100.0..5000.0).contains(&e2e), "seconds became milliseconds: {e2e}");
    let first = &run.requests[0].record;
    close(first.ttft_ms.unwrap(), first.t_first_ns.unwrap().ms_since(first.t_send_ns.unwrap()));
    let n = f64::from(first.output_tokens.unwrap() - 1);
    close(first.tpot_n1_ms.unwrap(), (first.e2e_ms.unwrap() - first.ttft_ms.unwrap()) / n);
}

#[test]
fn inference_perf_is_all_in_seconds() {
    let file = fixture("inference-perf-by-hand.json");
    assert_eq!(file.runs[0].load, Some(LoadPoint::Rate(5.0)));
    close(value(&file, "e2e_body", Statistic::P50), 400.0);
    close(value(&file, "ttft", Statistic::P50), 40.0);
    close(value(&file, "norm_latency", Statistic::P50), 9.0);
    close(value(&file, "req_s_makespan", Statistic::Total), 4.5);
    assert_eq!((file.runs[0].completed, file.runs[0].failed), (Some(19), Some(1)));
    assert!(file.runs[0].unmapped.iter().any(|u| u.theirs == "goodput_metrics"));
}

#[test]
fn any_key_may_be_missing_or_of_another_type_without_a_panic() {
    use serde_json::Value;
    for name in
        ["vllm-by-hand.json", "sglang.jsonl", "aiperf.json", "guidellm.json", "inference-perf-by-hand.json"]
    {
        let path = format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).expect("a fixture").replace("Infinity", "null");
        let whole: Value = serde_json::from_str(&text).expect("JSON");
        let keys: Vec<String> = whole.as_object().expect("an object").keys().cloned().collect();
        for key in keys {
            for other in [
                None,
                Some(Value::Null),
                Some(Value::from(-1)),
                Some(Value::from("x")),
                Some(Value::from(vec![1])),
                Some(serde_json::json!({})),
            ] {
                let mut changed = whole.clone();
                let fields = changed.as_object_mut().expect("an object");
                match other {
                    None => fields.remove(&key),
                    Some(value) => fields.insert(key.clone(), value),
                };
                let _read_or_refused = read(&changed.to_string());
            }
        }
    }
}

#[test]
fn arrays_that_do_not_fit_are_refused() {
    let path = format!("{}/tests/fixtures/vllm-by-hand.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("a fixture").replace("[4, 4, 0, 4]", "[4, 4]");
    let error = read(&text).expect_err("uneven");
    assert_eq!(error.to_string(), "the vLLM bench result has 4 entries in `ttfts` and 2 in `output_lens`");
}
