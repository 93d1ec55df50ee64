//! `GuideLLM` 0.8: `benchmarks.json`, one benchmark a load point, its requests with it. Latencies of requests are in seconds,
//! token times in milliseconds, stamps are wall-clock seconds (a grain of about 0.24 µs).

use benchhost_model::{LoadPoint, Outcome, Record, Target};
use serde_json::{Map, Value};

use super::InteropError;
use super::doubt::{Doubt, nanos_since};
use super::ledger::Ledger;
use super::provenance::claim;
use crate::figure::{Imported, ImportedRequest, ImportedRun, Statistic, Tool};

/// Their metric, ours, what makes milliseconds of it, how it still differs.
const LATENCIES: [(&str, &str, f64, Option<&str>); 5] = [
    ("time_to_first_token_ms", "ttft", 1.0, None),
    ("time_to_first_output_token_ms", "ttfat", 1.0, None),
    ("inter_token_latency_ms", "tpot_n1", 1.0, None),
    ("time_per_output_token_ms", "norm_latency", 1.0, Some("it includes the time to the first token")),
    ("request_latency", "e2e_body", 1e3, None),
];

const RATES: [(&str, &str); 4] = [
    ("requests_per_second", "req_s"),
    ("output_tokens_per_second", "out_tok_s"),
    ("prompt_tokens_per_second", "in_tok_s"),
    ("tokens_per_second", "total_tok_s"),
];

/// Figures by kind of end, and what they are of, that are settings or counts.
const SETTINGS: [&str; 1] = ["request_totals"];

/// Why a figure of theirs is none of ours.
fn left_out(key: &str) -> Option<&'static str> {
    Some(match key {
        "slo_attainment" | "slo_determined_requests" => {
            "requests without the figure are left out of its population; errors fail"
        }
        "request_goodput" => "requests without the figure are left out of its population",
        "request_concurrency" => "weighted by how long so many were in flight; ours is of the load",
        "request_dispatch_delay"
        | "turn_predecessor_delay"
        | "turn_scheduling_delay"
        | "root_dispatch_delay" => "waiting inside its own scheduler",
        "request_scheduled_latency" => "from its own targeted start, to the end of the body",
        "prompt_token_count"
        | "output_token_count"
        | "total_token_count"
        | "request_streaming_iterations_count" => "a distribution of counts; ours are in the rows",
        "output_tokens_per_iteration" | "iter_tokens_per_iteration" => "tokens a chunk; ours are in the rows",
        "time_to_last_round_trip_ms" | "avg_round_trip_time_ms" => "round trips of realtime audio",
        "text" | "image" | "video" | "audio" | "tool_call" | "turns" => "figures by modality",
        _ => return None,
    })
}

pub(super) fn read(fields: &Map<String, Value>) -> Result<Imported, InteropError> {
    let doubt = Doubt::new(Tool::Guidellm);
    let missing = |key: &str| InteropError::Missing { tool: Tool::Guidellm, key: key.into() };
    let benchmarks =
        fields.get("benchmarks").and_then(Value::as_array).ok_or_else(|| missing("benchmarks"))?;
    let version = fields.get("metadata").and_then(|m| m.get("guidellm_version"));
    let version = Some(doubt.text("metadata.guidellm_version", version)).filter(|v| !v.is_empty());
    let runs = benchmarks
        .iter()
        .enumerate()
        .map(|(at, b)| {
            let fields = b.as_object().ok_or_else(|| missing(&format!("benchmarks[{at}]")))?;
            benchmark(fields, &format!("benchmarks[{at}]"), &doubt)
        })
        .collect::<Result<Vec<_>, _>>()?;
    doubt.settle(Imported {
        tool: Tool::Guidellm,
        version: version.map(str::to_owned),
        runs,
        remarks: vec![
            "its `time_per_output_token_ms` includes the first token: our `norm_latency`; its `inter_token_latency_ms` is our `tpot_n1`",
            "it keeps no times of single chunks, so there is no `icl`",
            "requests that were incomplete at its end are counted apart and left out of its figures",
        ],
    })
}

fn benchmark(fields: &Map<String, Value>, place: &str, doubt: &Doubt) -> Result<ImportedRun, InteropError> {
    let missing = |key: &str| InteropError::Missing { tool: Tool::Guidellm, key: format!("{place}.{key}") };
    let metrics = fields.get("metrics").and_then(Value::as_object).ok_or_else(|| missing("metrics"))?;
    let at = |pointer: &str| fields.get("config").and_then(|c| c.pointer(pointer));
    let mut ledger = Ledger::new(metrics, doubt);
    let model = at("/backend/model");
    doubt.text(format_args!("{place}.config.backend.model"), model).clone_into(&mut ledger.run.model);
    ledger.run.load = at("/strategy").and_then(|strategy| load(strategy, place, doubt));
    let total = |word: &str| {
        let value = metrics.get("request_totals").and_then(|t| t.get(word));
        doubt.count(format_args!("{place}.metrics.request_totals.{word}"), value).map(u64::from)
    };
    let completed = total("successful");
    ledger.run.failed = total("errored");
    for (theirs, ours, scale, note) in LATENCIES {
        let successes = ledger.get(theirs).and_then(|m| m.get("successful"));
        // Over no request theirs are 0, which is no latency.
        let none = successes.and_then(|s| s.get("count")).is_some_and(|n| n == 0);
        for (word, statistic) in [
            ("/mean", Statistic::Mean),
            ("/percentiles/p50", Statistic::P50),
            ("/percentiles/p90", Statistic::P90),
            ("/percentiles/p95", Statistic::P95),
            ("/percentiles/p99", Statistic::P99),
        ] {
            let key = format!("{theirs}{}", word.replace('/', "."));
            let value = successes.and_then(|s| s.pointer(word));
            let value = doubt.amount(format_args!("{place}.metrics.{key}"), value).filter(|_| !none);
            ledger.book((ours, statistic), key, value, scale, note);
        }
    }
    for (theirs, ours) in RATES {
        let value = ledger.get(theirs).and_then(|m| m.pointer("/successful/mean"));
        let key = format!("{theirs}.successful.mean");
        let value = doubt.amount(format_args!("{place}.metrics.{key}"), value);
        ledger.book(
            (ours, Statistic::Total),
            key,
            value,
            1.0,
            Some("time-weighted mean over its measured window"),
        );
    }
    let seconds = doubt.amount(format_args!("{place}.duration"), fields.get("duration"));
    ledger.book(("duration_s", Statistic::Total), "duration", seconds, 1.0, None);
    ledger.account(&SETTINGS, left_out);
    let mut run = ledger.run;
    run.requests = requests(fields.get("requests"), &run, place, doubt);
    doubt.settle(())?;
    run.completed = Some(completed.ok_or_else(|| missing("metrics.request_totals.successful"))?);
    claim(&mut run, fields.get("benchhost"));
    Ok(run)
}

fn load(strategy: &Value, place: &str, doubt: &Doubt) -> Option<LoadPoint> {
    let key = |name: &str| format!("{place}.config.strategy.{name}");
    let rate = doubt.amount(key("rate"), strategy.get("rate")).filter(|r| *r > 0.0);
    let streams = |name: &str| doubt.count(key(name), strategy.get(name)).filter(|c| *c > 0);
    let streams = streams("streams").or_else(|| streams("max_concurrency"));
    match doubt.text(key("type_"), strategy.get("type_")) {
        "constant" | "poisson" | "async" => rate.map(LoadPoint::Rate),
        "synchronous" => Some(LoadPoint::Concurrency(1)),
        "concurrent" | "throughput" => streams.map(LoadPoint::Concurrency),
        _ => None,
    }
}

fn requests(kinds: Option<&Value>, run: &ImportedRun, place: &str, doubt: &Doubt) -> Vec<ImportedRequest> {
    let of =
        |kind: &str| doubt.list(format_args!("{place}.requests.{kind}"), kinds.and_then(|k| k.get(kind)));
    let mut told = Vec::new();
    for (kind, outcome) in
        [("successful", Outcome::Completed), ("errored", Outcome::Failed), ("incomplete", Outcome::Cut)]
    {
        let list = of(kind).unwrap_or_default();
        told.extend(list.iter().enumerate().map(|(n, value)| Told { value, kind, n, outcome }));
    }
    let starts = told.iter().filter_map(|r| r.stamp("request_start", place, doubt));
    let zero = starts.fold(f64::INFINITY, f64::min);
    let mut out: Vec<ImportedRequest> = told.iter().map(|r| request(r, zero, run, place, doubt)).collect();
    out.sort_by_key(|r| r.record.t_sched_ns);
    for (index, request) in out.iter_mut().enumerate() {
        request.record.row = index as u64 + 1;
    }
    out
}

/// A request in one of their lists.
struct Told<'a> {
    value: &'a Value,
    kind: &'static str,
    n: usize,
    outcome: Outcome,
}

impl Told<'_> {
    fn stamp(&self, name: &str, place: &str, doubt: &Doubt) -> Option<f64> {
        let value = self.value.pointer("/info/timings").and_then(|t| t.get(name));
        doubt.stamp(format_args!("{place}.requests.{}[{}].info.timings.{name}", self.kind, self.n), value)
    }
}

fn request(told: &Told<'_>, zero: f64, run: &ImportedRun, place: &str, doubt: &Doubt) -> ImportedRequest {
    let Told { value, kind, n, outcome } = *told;
    let time = |name: &str| told.stamp(name, place, doubt).and_then(|s| nanos_since(zero, s));
    let ms = |key: &str| doubt.amount(format_args!("{place}.requests.{kind}[{n}].{key}"), value.get(key));
    let whole = |key: &str| doubt.count(format_args!("{place}.requests.{kind}[{n}].{key}"), value.get(key));
    let within = |key: &str, pointer: &str| {
        let at = format_args!("{place}.requests.{kind}[{n}].info.{key}").to_string();
        doubt.count(at, value.pointer(pointer)).unwrap_or(0)
    };
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (send, last) = (time("request_start"), time("last_token_iteration"));
    let done = outcome == Outcome::Completed;
    let record = Record {
        target: Target::Real,
        model: run.model.clone(),
        load: run.load.unwrap_or(LoadPoint::Concurrency(1)),
        attempts: 1,
        item: text("/info/conversation_id").to_owned(),
        turn: within("turn_index", "/info/turn_index"),
        outcome,
        failure_detail: text("/info/error").replace(['\n', '\r'], " ").chars().take(200).collect(),
        t_sched_ns: time("targeted_start").or(send).unwrap_or_default(),
        t_send_ns: send,
        t_first_ns: time("first_token_iteration"),
        t_answer_ns: time("first_output_token_iteration"),
        t_last_ns: last,
        t_end_ns: time("request_end"),
        events: within("timings.token_iterations", "/info/timings/token_iterations"),
        input_tokens: whole("prompt_tokens"),
        output_tokens: whole("output_tokens"),
        cached_tokens: whole("cached_tokens"),
        ttft_ms: ms("time_to_first_token_ms").filter(|_| done),
        ttfat_ms: ms("time_to_first_output_token_ms").filter(|_| done),
        tpot_n1_ms: ms("inter_token_latency_ms").filter(|_| done),
        e2e_ms: last.zip(send).filter(|_| done).map(|(last, send)| last.ms_since(send)),
        ..Record::blank()
    };
    ImportedRequest { record, gaps_ms: Vec::new() }
}
