//! vLLM's `bench serve` (Python and Rust) and `SGLang`'s `bench_serving`, which descends from it: flat keys, and arrays by
//! request when details were saved. Keys: vLLM 0.33 `benchmarks/serve.py`; `SGLang` `bench_serving.py`.

use benchhost_model::{LoadPoint, Nanos, Outcome, Record, Target};
use serde_json::{Map, Value};

use super::InteropError;
use super::ledger::{Ledger, count, nanos_since, number};
use super::provenance::claim;
use crate::figure::{Imported, ImportedRequest, ImportedRun, Statistic, Tool};

const STATISTICS: [(&str, Statistic); 5] = [
    ("mean", Statistic::Mean),
    ("median", Statistic::P50),
    ("p90", Statistic::P90),
    ("p95", Statistic::P95),
    ("p99", Statistic::P99),
];

const SUCCESSES_ONLY: &str = "over successful requests only, as ours";

pub(super) fn read(tool: Tool, documents: &[Map<String, Value>]) -> Result<Imported, InteropError> {
    let runs = documents.iter().map(|fields| run(tool, fields)).collect::<Result<Vec<_>, _>>()?;
    Ok(Imported {
        tool,
        version: None,
        runs,
        remarks: vec![
            "its `itl` is the raw gap between chunks, which is our `icl`; its `tpot` divides by N − 1, our `tpot_n1`",
            "its throughput is over the makespan, drain included",
            "latencies start at the send, after its own concurrency gate: a request that waited there shows no wait",
        ],
    })
}

fn run(tool: Tool, fields: &Map<String, Value>) -> Result<ImportedRun, InteropError> {
    let mut ledger = Ledger::new(fields);
    let missing = |key: &str| InteropError::Missing { tool, key: key.into() };
    ledger.run.engine = first_text(&ledger, &["backend", "endpoint_type"]);
    ledger.run.model = ledger.text("model_id");
    ledger.run.load = load(&ledger);
    ledger.run.completed =
        Some(ledger.number("completed").and_then(count).ok_or_else(|| missing("completed"))?.into());
    ledger.run.failed = ledger.number("failed").and_then(count).map(u64::from);
    ledger.book_key("duration_s", "duration", Some("first send to last completion"));
    ledger.book_key("req_s_makespan", "request_throughput", None);
    ledger.book_key("out_tok_s_makespan", "output_throughput", None);
    let total = if tool == Tool::Sglang { "total_throughput" } else { "total_token_throughput" };
    ledger.book_key("total_tok_s_makespan", total, None);
    ledger.book_key("input_tokens", "total_input_tokens", None);
    ledger.book_key("output_tokens", "total_output_tokens", None);
    let e2e = if tool == Tool::Sglang { "e2e_latency" } else { "e2el" };
    for (theirs, ours) in [("ttft", "ttft"), ("tpot", "tpot_n1"), ("itl", "icl"), (e2e, "e2e")] {
        for (word, statistic) in STATISTICS {
            let key = format!("{word}_{theirs}_ms");
            let value = ledger.number(&key);
            ledger.book((ours, statistic), key, value, 1.0, Some(SUCCESSES_ONLY));
        }
    }
    ledger.leave(
        "request_goodput",
        "failed requests are not in its population, and a one-token answer passes with TPOT 0",
    );
    ledger.leave("max_output_tokens_per_s", "the busiest second of a run; no figure of ours");
    ledger.leave("max_concurrent_requests", "a reading of the client's own gate");
    ledger.leave(
        "concurrency",
        "sum of latencies over duration: Little's law solved for it, not a measurement",
    );
    ledger.leave("accept_length", "speculation; no figure of ours yet");
    ledger.leave("spec_decode_acceptance_rate", "speculation; no figure of ours yet");
    if fields.get("ttfts").is_some_and(Value::is_array) {
        ledger.run.requests = requests(tool, fields, &ledger.run)?;
    }
    claim(&mut ledger.run, fields.get("benchhost"));
    Ok(ledger.run)
}

/// A rate of `inf` without a cap sends all at once; with a cap it is a closed loop.
fn load(ledger: &Ledger<'_>) -> Option<LoadPoint> {
    let rate = ledger.number("request_rate").filter(|r| *r > 0.0);
    let cap = ledger.number("max_concurrency").and_then(count).filter(|c| *c > 0);
    match (rate, cap) {
        (Some(rate), _) => Some(LoadPoint::Rate(rate)),
        (None, Some(cap)) => Some(LoadPoint::Concurrency(cap)),
        (None, None) => ledger.number("num_prompts").and_then(count).filter(|n| *n > 0).map(LoadPoint::Batch),
    }
}

fn first_text(ledger: &Ledger<'_>, keys: &[&str]) -> String {
    keys.iter().map(|key| ledger.text(key)).find(|text| !text.is_empty()).unwrap_or_default()
}

/// Arrays by request. Failed ones keep their slot with zeros, so the error text decides, and a success must have a TTFT.
fn requests(
    tool: Tool,
    fields: &Map<String, Value>,
    run: &ImportedRun,
) -> Result<Vec<ImportedRequest>, InteropError> {
    let list = |key: &str| fields.get(key).and_then(Value::as_array).map(Vec::as_slice);
    let ttfts = list("ttfts").unwrap_or_default();
    for key in ["input_lens", "output_lens", "itls", "latencies", "start_times", "errors"] {
        if let Some(found) = list(key).filter(|l| !l.is_empty() && l.len() != ttfts.len()) {
            let (first, second) = ("ttfts".into(), key.to_owned());
            return Err(InteropError::Uneven { tool, first, left: ttfts.len(), second, right: found.len() });
        }
    }
    let at = |key: &str, index: usize| list(key).and_then(|l| l.get(index));
    // Due times exist in an open loop only: there, waiting for its own gate lies before the start.
    let wait = |index| {
        let open = matches!(run.load, Some(LoadPoint::Rate(_)));
        at("queue_times", index).and_then(number).filter(|w| open && *w > 0.0).unwrap_or(0.0)
    };
    let start_of = |index| at("start_times", index).and_then(number);
    let due = |index| start_of(index).map(|s| s - wait(index));
    let zero = (0..ttfts.len()).filter_map(due).fold(f64::INFINITY, f64::min);
    let mut out = Vec::with_capacity(ttfts.len());
    for (index, ttft) in ttfts.iter().enumerate() {
        let error = at("errors", index).and_then(Value::as_str).unwrap_or_default();
        let ttft = number(ttft).filter(|t| *t > 0.0);
        let gaps: Vec<f64> = at("itls", index)
            .and_then(Value::as_array)
            .map(|gaps| gaps.iter().filter_map(number).collect())
            .unwrap_or_default();
        let mut record = blank(run, index);
        record.input_tokens = at("input_lens", index).and_then(number).and_then(count);
        let start = start_of(index);
        record.t_send_ns = start.and_then(|s| nanos_since(zero, s));
        record.t_sched_ns = due(index).and_then(|s| nanos_since(zero, s)).unwrap_or(Nanos::ZERO);
        if !error.is_empty() || ttft.is_none() {
            record.outcome = Outcome::Failed;
            record.failure_detail = error.replace(['\n', '\r'], " ").chars().take(200).collect();
            out.push(ImportedRequest { record, gaps_ms: Vec::new() });
            continue;
        }
        record.outcome = Outcome::Completed;
        record.output_tokens = at("output_lens", index).and_then(number).and_then(count);
        // Python keeps `latencies`; without them the last gap ends the answer, as its end is the last token chunk.
        let latency = at("latencies", index).and_then(number);
        let latency = latency.or_else(|| ttft.map(|t| t + gaps.iter().sum::<f64>()));
        finish(&mut record, ttft, latency, start.map(|s| s - zero), &gaps);
        out.push(ImportedRequest { record, gaps_ms: gaps.iter().map(|g| g * 1e3).collect() });
    }
    out.sort_by_key(|r| r.record.t_sched_ns);
    Ok(out)
}

/// The row's times from seconds after the send.
fn finish(record: &mut Record, ttft: Option<f64>, latency: Option<f64>, start: Option<f64>, gaps: &[f64]) {
    record.ttft_ms = ttft.map(|t| t * 1e3);
    record.e2e_ms = latency.map(|l| l * 1e3);
    record.icl_max_ms = gaps.iter().copied().reduce(f64::max).map(|g| g * 1e3);
    record.events = u32::try_from(gaps.len() + 1).unwrap_or(u32::MAX);
    if let (Some(ttft), Some(latency), Some(n)) = (ttft, latency, record.output_tokens.filter(|n| *n > 1)) {
        let per_token = (latency - ttft) * 1e3 / f64::from(n - 1);
        record.tpot_n1_ms = Some(per_token);
        // One token a chunk: what came first was one token, so both definitions agree.
        record.tpot_ms = (record.events == n).then_some(per_token);
    }
    let point = |after: Option<f64>| nanos_since(0.0, start? + after?);
    (record.t_first_ns, record.t_last_ns, record.t_end_ns) = (point(ttft), point(latency), point(latency));
    record.ttft_sched_ms = record.t_first_ns.map(|at| at.ms_since(record.t_sched_ns));
    record.e2e_sched_ms = record.t_last_ns.map(|at| at.ms_since(record.t_sched_ns));
}

fn blank(run: &ImportedRun, index: usize) -> Record {
    Record {
        row: index as u64 + 1,
        engine: run.engine.clone(),
        model: run.model.clone(),
        target: Target::Real,
        load: run.load.unwrap_or(LoadPoint::Concurrency(1)),
        item: format!("#{index}"),
        attempts: 1,
        ..Record::blank()
    }
}
