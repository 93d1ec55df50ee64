//! `GuideLLM` 0.8: `benchmarks.json`, one benchmark a load point, its requests with it. Latencies of requests are in seconds,
//! token times in milliseconds, stamps are wall-clock seconds (a grain of about 0.24 µs).

use benchhost_model::{LoadPoint, Outcome, Record, Target};
use serde_json::{Map, Value};

use super::InteropError;
use super::ledger::{Ledger, count, nanos_since, number};
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

pub(super) fn read(fields: &Map<String, Value>) -> Result<Imported, InteropError> {
    let missing = |key: &str| InteropError::Missing { tool: Tool::Guidellm, key: key.into() };
    let benchmarks =
        fields.get("benchmarks").and_then(Value::as_array).ok_or_else(|| missing("benchmarks"))?;
    let version = fields.get("metadata").and_then(|m| m.get("guidellm_version")).and_then(Value::as_str);
    let runs = benchmarks
        .iter()
        .map(|b| b.as_object().ok_or_else(|| missing("benchmarks")).and_then(benchmark))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Imported {
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

fn benchmark(fields: &Map<String, Value>) -> Result<ImportedRun, InteropError> {
    let missing = |key: &str| InteropError::Missing { tool: Tool::Guidellm, key: key.into() };
    let metrics = fields.get("metrics").and_then(Value::as_object).ok_or_else(|| missing("metrics"))?;
    let at = |pointer: &str| fields.get("config").and_then(|c| c.pointer(pointer));
    let mut ledger = Ledger::new(metrics);
    at("/backend/model").and_then(Value::as_str).unwrap_or_default().clone_into(&mut ledger.run.model);
    ledger.run.load = at("/strategy").and_then(load);
    let total = |word: &str| {
        metrics
            .get("request_totals")
            .and_then(|t| t.get(word))
            .and_then(number)
            .and_then(count)
            .map(u64::from)
    };
    ledger.run.completed = Some(total("successful").ok_or_else(|| missing("metrics.request_totals"))?);
    ledger.run.failed = total("errored");
    for (theirs, ours, scale, note) in LATENCIES {
        let successes = metrics.get(theirs).and_then(|m| m.get("successful"));
        for (word, statistic) in [
            ("/mean", Statistic::Mean),
            ("/percentiles/p50", Statistic::P50),
            ("/percentiles/p90", Statistic::P90),
            ("/percentiles/p95", Statistic::P95),
            ("/percentiles/p99", Statistic::P99),
        ] {
            let value = successes.and_then(|s| s.pointer(word)).and_then(number);
            ledger.book((ours, statistic), format!("{theirs}{}", word.replace('/', ".")), value, scale, note);
        }
    }
    for (theirs, ours) in RATES {
        let value = metrics.get(theirs).and_then(|m| m.pointer("/successful/mean")).and_then(number);
        let note = Some("time-weighted mean over its measured window");
        ledger.book((ours, Statistic::Total), format!("{theirs}.successful.mean"), value, 1.0, note);
    }
    let seconds = fields.get("duration").and_then(number);
    ledger.book(("duration_s", Statistic::Total), "duration", seconds, 1.0, None);
    ledger.leave("slo_attainment", "requests without the figure are left out of its population; errors fail");
    ledger.leave("request_goodput", "requests without the figure are left out of its population");
    let mut run = ledger.run;
    run.requests = requests(fields.get("requests"), &run);
    claim(&mut run, fields.get("benchhost"));
    Ok(run)
}

fn load(strategy: &Value) -> Option<LoadPoint> {
    let of = |key: &str| strategy.get(key).and_then(number);
    let rate = of("rate").filter(|r| *r > 0.0);
    let streams = of("streams").or_else(|| of("max_concurrency")).and_then(count).filter(|c| *c > 0);
    match strategy.get("type_").and_then(Value::as_str)? {
        "constant" | "poisson" | "async" => rate.map(LoadPoint::Rate),
        "synchronous" => Some(LoadPoint::Concurrency(1)),
        "concurrent" | "throughput" => streams.map(LoadPoint::Concurrency),
        _ => None,
    }
}

fn requests(kinds: Option<&Value>, run: &ImportedRun) -> Vec<ImportedRequest> {
    let of = |kind: &str| kinds.and_then(|k| k.get(kind)).and_then(Value::as_array).map(Vec::as_slice);
    let all = || {
        [("successful", Outcome::Completed), ("errored", Outcome::Failed), ("incomplete", Outcome::Cut)]
            .into_iter()
            .flat_map(|(kind, outcome)| of(kind).unwrap_or_default().iter().map(move |r| (r, outcome)))
    };
    let start = |r: &Value| r.pointer("/info/timings/request_start").and_then(number);
    let zero = all().filter_map(|(r, _)| start(r)).fold(f64::INFINITY, f64::min);
    let mut out: Vec<ImportedRequest> = all().map(|(r, outcome)| request(r, outcome, zero, run)).collect();
    out.sort_by_key(|r| r.record.t_sched_ns);
    for (index, request) in out.iter_mut().enumerate() {
        request.record.row = index as u64 + 1;
    }
    out
}

fn request(value: &Value, outcome: Outcome, zero: f64, run: &ImportedRun) -> ImportedRequest {
    let time = |name: &str| {
        value.pointer(&format!("/info/timings/{name}")).and_then(number).and_then(|s| nanos_since(zero, s))
    };
    let ms = |key: &str| value.get(key).and_then(number);
    let whole = |key: &str| ms(key).and_then(count);
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (send, last) = (time("request_start"), time("last_token_iteration"));
    let done = outcome == Outcome::Completed;
    let record = Record {
        target: Target::Real,
        model: run.model.clone(),
        load: run.load.unwrap_or(LoadPoint::Concurrency(1)),
        attempts: 1,
        item: text("/info/conversation_id").to_owned(),
        turn: value.pointer("/info/turn_index").and_then(number).and_then(count).unwrap_or(0),
        outcome,
        failure_detail: text("/info/error").replace(['\n', '\r'], " ").chars().take(200).collect(),
        t_sched_ns: time("targeted_start").or(send).unwrap_or_default(),
        t_send_ns: send,
        t_first_ns: time("first_token_iteration"),
        t_answer_ns: time("first_output_token_iteration"),
        t_last_ns: last,
        t_end_ns: time("request_end"),
        events: value.pointer("/info/timings/token_iterations").and_then(number).and_then(count).unwrap_or(0),
        input_tokens: whole("prompt_tokens"),
        output_tokens: whole("output_tokens"),
        cached_tokens: whole("cached_tokens"),
        ttft_ms: done.then(|| ms("time_to_first_token_ms")).flatten(),
        ttfat_ms: done.then(|| ms("time_to_first_output_token_ms")).flatten(),
        tpot_n1_ms: done.then(|| ms("inter_token_latency_ms")).flatten(),
        e2e_ms: last.zip(send).filter(|_| done).map(|(last, send)| last.ms_since(send)),
        ..Record::blank()
    };
    ImportedRequest { record, gaps_ms: Vec::new() }
}
