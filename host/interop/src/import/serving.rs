//! vLLM's `bench serve` (Python and Rust) and `SGLang`'s `bench_serving`, which descends from it: flat keys, and arrays by
//! request when details were saved. Keys: vLLM 0.33 `benchmarks/serve.py` and `rust/src/bench/src/output/json.rs`; `SGLang`
//! 0.5.23 `bench_serving.py` and `sglang-bench`.

use benchhost_model::{LoadPoint, Nanos, Outcome, Record, Target};
use serde_json::{Map, Value};

use super::InteropError;
use super::doubt::{Doubt, nanos_since};
use super::ledger::Ledger;
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

/// Sums of doubles differ by less.
const GRAIN_S: f64 = 1e-9;

/// What the run was asked to do, or what it ran on; no figures.
const SETTINGS: [&str; 24] = [
    "num_prompts",
    "burstiness",
    "max_model_len",
    "ramp_up_start_rps",
    "ramp_up_end_rps",
    "rps_change_events",
    "sharegpt_output_len",
    "random_input_len",
    "random_output_len",
    "random_range_ratio",
    "server_info",
    "num_conversations",
    "turns_per_conversation",
    "inter_turn_delay_ms",
    "prefix_global_ratio",
    "prefix_conversation_ratio",
    "prefix_unique_ratio",
    "goodput_slos_ms",
    "run_number",
    "max_concurrency",
    "request_rate",
    "benchhost",
    // Texts of answers.
    "generated_texts",
    // Each has its slot in the lists.
    "failed_requests",
];

/// Why a figure of theirs is none of ours.
fn left_out(key: &str) -> Option<&'static str> {
    Some(match key {
        "request_goodput" | "slo_attainment" | "slo_attainment_by_metric" => {
            "failed requests are not in its population, and a one-token answer passes with TPOT 0"
        }
        "max_output_tokens_per_s" => "the busiest second of a run; no figure of ours",
        "max_concurrent_requests" => "a reading of the client's own gate",
        "concurrency" => "sum of latencies over duration: Little's law solved for it, not a measurement",
        "steady_state" => "over a window of the client's own choice, while its gate is nearly full",
        "per_turn_metrics" => "figures by turn; the file has no requests to make ours of",
        "conversations_completed"
        | "conversations_failed"
        | "avg_turns_completed"
        | "avg_conversation_duration_ms" => "whole conversations; ours are of requests",
        "rtfx" => "audio; no figure of ours",
        "total_input_text_tokens" | "total_input_vision_tokens" => "a part of `total_input_tokens`",
        "total_output_tokens_retokenized" => "counted anew by the client's tokenizer, not by the server",
        "server_queue_times" | "server_ttfts" => "the server's own statement",
        _ if key == "accept_length" || key.starts_with("spec_decode_") => {
            "speculation; no figure of ours yet"
        }
        _ if key.starts_with("diffusion_") => "diffusion; no figure of ours",
        _ if key.starts_with("probe_") => "requests of its own beside the load",
        _ if key.contains("client_queue") => "waiting for its own gate; ours is in `ttft_sched`",
        _ if key.ends_with("_ms") => "another statistic than mean, median, p90, p95 and p99",
        _ => return None,
    })
}

pub(super) fn read(tool: Tool, documents: &[Map<String, Value>]) -> Result<Imported, InteropError> {
    let doubt = Doubt::new(tool);
    let runs = documents.iter().map(|fields| run(fields, &doubt)).collect::<Result<Vec<_>, _>>()?;
    let mut remarks = vec![
        "its `itl` is the raw gap between chunks, which is our `icl`; its `tpot` divides by N − 1, our `tpot_n1`",
        "its throughput is over the makespan, drain included",
        "latencies start at the send, after its own concurrency gate: a request that waited there shows no wait",
    ];
    if tool == Tool::Sglang {
        remarks.push(
            "its `e2e_latency` and `tpot` end with the last chunk of any kind, its lists with the last token",
        );
    }
    // Only the Rust client of vLLM writes this key.
    if tool == Tool::VllmBench && documents.iter().any(|d| d.contains_key("max_model_len")) {
        remarks.push(
            "its Rust client takes the chunk that only names the role for the first token: its TTFT ends there, and `itl` has one gap more",
        );
    }
    doubt.settle(Imported { tool, version: None, runs, remarks })
}

fn run(fields: &Map<String, Value>, doubt: &Doubt) -> Result<ImportedRun, InteropError> {
    let tool = doubt.tool();
    let mut ledger = Ledger::new(fields, doubt);
    let missing = |key: &str| InteropError::Missing { tool, key: key.into() };
    ledger.run.engine = first_text(&ledger, &["backend", "endpoint_type"]);
    ledger.run.model = ledger.text("model_id");
    ledger.run.load = load(&ledger);
    let completed = ledger.count("completed");
    ledger.run.failed = ledger.count("failed").map(u64::from);
    ledger.book_key("duration_s", "duration", Some("first send to last completion"));
    ledger.book_key("req_s_makespan", "request_throughput", None);
    ledger.book_key("in_tok_s_makespan", "input_throughput", None);
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
    let lists = Lists::of(&ledger)?;
    ledger.account(&SETTINGS, left_out);
    ledger.run.requests = lists.requests(&ledger.run, doubt);
    claim(&mut ledger.run, fields.get("benchhost"));
    // A file that is wrong is refused for what is wrong in it rather than for what is then missing.
    doubt.settle(())?;
    ledger.run.completed = Some(completed.ok_or_else(|| missing("completed"))?.into());
    if ledger.run.failed.is_none() && !ledger.run.requests.is_empty() {
        let failed = ledger.run.requests.iter().filter(|r| r.record.outcome == Outcome::Failed);
        ledger.run.failed = Some(failed.count() as u64);
    }
    Ok(ledger.run)
}

/// A rate of `inf` without a cap sends all at once; with a cap it is a closed loop. Conversations have a cap of their own.
fn load(ledger: &Ledger<'_>) -> Option<LoadPoint> {
    let rate = ledger.number("request_rate").filter(|r| *r > 0.0);
    let capped = |key| ledger.count(key).filter(|c| *c > 0);
    match (rate, capped("max_concurrency").or_else(|| capped("multi_turn_concurrency"))) {
        (Some(rate), _) => Some(LoadPoint::Rate(rate)),
        (None, Some(cap)) => Some(LoadPoint::Concurrency(cap)),
        (None, None) => ledger.count("num_prompts").filter(|n| *n > 0).map(LoadPoint::Batch),
    }
}

fn first_text(ledger: &Ledger<'_>, keys: &[&str]) -> String {
    let texts: Vec<String> = keys.iter().map(|key| ledger.text(key)).collect();
    texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
}

/// Lists with an entry a request; those that the file lacks are empty.
struct Lists<'a> {
    input: &'a [Value],
    output: &'a [Value],
    ttfts: &'a [Value],
    itls: &'a [Value],
    latencies: &'a [Value],
    starts: &'a [Value],
    waits: &'a [Value],
    errors: &'a [Value],
}

impl<'a> Lists<'a> {
    /// They go together: all have as many entries as there are times to first token.
    fn of(ledger: &Ledger<'a>) -> Result<Self, InteropError> {
        let list = |key: &str| ledger.doubt.list(key, ledger.get(key)).unwrap_or_default();
        let ttfts = list("ttfts");
        let fitting = |key: &str| {
            let found = list(key);
            if ttfts.is_empty() || found.is_empty() || found.len() == ttfts.len() {
                return Ok(found);
            }
            let (first, second) = ("ttfts".into(), key.to_owned());
            let tool = ledger.doubt.tool();
            Err(InteropError::Uneven { tool, first, left: ttfts.len(), second, right: found.len() })
        };
        Ok(Self {
            input: fitting("input_lens")?,
            output: fitting("output_lens")?,
            itls: fitting("itls")?,
            latencies: fitting("latencies")?,
            starts: fitting("start_times")?,
            waits: fitting("queue_times")?,
            errors: fitting("errors")?,
            ttfts,
        })
    }

    fn requests(&self, run: &ImportedRun, doubt: &Doubt) -> Vec<ImportedRequest> {
        // Due times exist in an open loop only: there, waiting for its own gate lies before the start.
        let open = matches!(run.load, Some(LoadPoint::Rate(_)));
        let start = |at: usize| doubt.stamp(format_args!("start_times[{at}]"), self.starts.get(at));
        let wait = |at: usize| {
            let wait = doubt.stamp(format_args!("queue_times[{at}]"), self.waits.get(at));
            wait.filter(|w| open && *w > 0.0).unwrap_or(0.0)
        };
        let due = |at: usize| start(at).map(|s| s - wait(at));
        let zero = (0..self.ttfts.len()).filter_map(due).fold(f64::INFINITY, f64::min);
        let mut out: Vec<ImportedRequest> = (0..self.ttfts.len())
            .map(|at| {
                let mut record = blank(run, at);
                record.input_tokens = doubt.count(format_args!("input_lens[{at}]"), self.input.get(at));
                let sent = start(at).map(|s| s - zero);
                record.t_send_ns = sent.and_then(|s| nanos_since(0.0, s));
                record.t_sched_ns = due(at).and_then(|s| nanos_since(zero, s)).unwrap_or(Nanos::ZERO);
                self.answered(record, at, sent, doubt)
            })
            .collect();
        out.sort_by_key(|r| r.record.t_sched_ns);
        out
    }

    /// What became of the request at `at`. Failed ones keep their slot with zeros, so the error text decides, and a success
    /// must have a time to first token.
    fn answered(&self, mut record: Record, at: usize, sent: Option<f64>, doubt: &Doubt) -> ImportedRequest {
        let error = doubt.text(format_args!("errors[{at}]"), self.errors.get(at));
        let ttft = self.ttfts.get(at).filter(|v| error.is_empty() || !v.is_null());
        let ttft = ttft.and_then(|v| doubt.entry(format_args!("ttfts[{at}]"), v)).filter(|t| *t > 0.0);
        let gaps = doubt.list(format_args!("itls[{at}]"), self.itls.get(at)).unwrap_or_default();
        let gap = |(n, v)| doubt.entry(format_args!("itls[{at}][{n}]"), v);
        let gaps: Vec<f64> = gaps.iter().enumerate().filter_map(gap).collect();
        if !error.is_empty() || ttft.is_none() {
            record.outcome = Outcome::Failed;
            record.failure_detail = error.replace(['\n', '\r'], " ").chars().take(200).collect();
            return ImportedRequest { record, gaps_ms: Vec::new() };
        }
        record.outcome = Outcome::Completed;
        record.output_tokens = doubt.count(format_args!("output_lens[{at}]"), self.output.get(at));
        // Without latencies the last gap ends the answer, as its end is the last token chunk.
        let latency = doubt.amount(format_args!("latencies[{at}]"), self.latencies.get(at));
        let latency = latency.or_else(|| ttft.map(|t| t + gaps.iter().sum::<f64>()));
        let decode = latency.zip(ttft).map_or(0.0, |(latency, ttft)| latency - ttft);
        if decode < -GRAIN_S {
            doubt.at(format_args!("latencies[{at}]"), format!("it is less than `ttfts[{at}]`"));
        }
        finish(&mut record, ttft, latency, sent, &gaps);
        ImportedRequest { record, gaps_ms: gaps.iter().map(|g| g * 1e3).collect() }
    }
}

/// The row's times from seconds after the send.
fn finish(record: &mut Record, ttft: Option<f64>, latency: Option<f64>, start: Option<f64>, gaps: &[f64]) {
    record.ttft_ms = ttft.map(|t| t * 1e3);
    record.e2e_ms = latency.map(|l| l * 1e3);
    record.icl_max_ms = gaps.iter().copied().reduce(f64::max).map(|g| g * 1e3);
    record.events = u32::try_from(gaps.len() + 1).unwrap_or(u32::MAX);
    if let (Some(ttft), Some(latency), Some(n)) = (ttft, latency, record.output_tokens.filter(|n| *n > 1)) {
        let per_token = (latency - ttft).max(0.0) * 1e3 / f64::from(n - 1);
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
