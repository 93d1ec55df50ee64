//! NVIDIA `AIPerf` 0.13: the summary (`profile_export_aiperf.json`, one object a metric) and the requests
//! (`profile_export.jsonl`, one a line). Each number names its unit, which decides the scale.

use benchhost_model::{LoadPoint, Nanos, Outcome, Record, Target};
use serde_json::{Map, Value};

use super::InteropError;
use super::ledger::{Ledger, count, number};
use super::provenance::claim;
use crate::figure::{Imported, ImportedRequest, ImportedRun, Statistic, Tool, Unmapped};

const STATISTICS: [(&str, Statistic); 5] = [
    ("avg", Statistic::Mean),
    ("p50", Statistic::P50),
    ("p90", Statistic::P90),
    ("p95", Statistic::P95),
    ("p99", Statistic::P99),
];

/// Their tag, ours, and how it still differs.
const LATENCIES: [(&str, &str, Option<&str>); 5] = [
    ("time_to_first_token", "ttft", None),
    ("time_to_first_output_token", "ttfat", None),
    ("inter_token_latency", "tpot_n1", Some("with `--per-chunk-usage` it is our `tpot`")),
    ("inter_chunk_latency", "icl", None),
    ("request_latency", "e2e", Some("its end is the last content response")),
];

const TOTALS: [(&str, &str); 6] = [
    ("request_throughput", "req_s_makespan"),
    ("output_token_throughput", "out_tok_s_makespan"),
    ("input_token_throughput", "in_tok_s_makespan"),
    ("total_token_throughput", "total_tok_s_makespan"),
    ("total_isl", "input_tokens"),
    ("total_osl", "output_tokens"),
];

const UNMAPPED: [(&str, &str); 6] = [
    (
        "goodput",
        "a request without the figure fails its objective, where ours calls a TPOT that cannot exist vacuous",
    ),
    (
        "output_token_throughput_per_user",
        "a mean of reciprocals, biased upwards; ours is 1000 / a percentile of TPOT",
    ),
    ("e2e_output_token_throughput", "a mean of reciprocals"),
    ("prefill_throughput_per_user", "prompt tokens over TTFT, which holds queueing too"),
    ("effective_throughput", "from sweep lines over its records; no figure of ours"),
    ("tokens_in_flight", "from sweep lines over its records; no figure of ours"),
];

const REMARKS: [&str; 2] = [
    "its `inter_token_latency` is one value a request, divided by N − 1: our `tpot_n1` (`tpot` with `--per-chunk-usage`); its `inter_chunk_latency` is our `icl`",
    "its throughput is over the time from the first request to the last response",
];

pub(super) fn read_summary(documents: &[Map<String, Value>]) -> Result<Imported, InteropError> {
    let runs = documents.iter().map(summary).collect::<Result<Vec<_>, _>>()?;
    let version = documents.first().and_then(|d| d.get("aiperf_version")).and_then(Value::as_str);
    let version = version.map(str::to_owned);
    Ok(Imported { tool: Tool::Aiperf, version, runs, remarks: REMARKS.to_vec() })
}

fn summary(fields: &Map<String, Value>) -> Result<ImportedRun, InteropError> {
    let mut ledger = Ledger::new(fields);
    let config = fields.get("input_config").cloned().unwrap_or_default();
    let model = config.pointer("/models/items/0/name").and_then(Value::as_str);
    model.unwrap_or_default().clone_into(&mut ledger.run.model);
    ledger.run.load = load(&config);
    for (theirs, ours, note) in LATENCIES {
        for (word, statistic) in STATISTICS {
            let (value, scale) = measured(fields.get(theirs), word);
            ledger.book((ours, statistic), format!("{theirs}.{word}"), value, scale, note);
        }
    }
    for (theirs, ours) in TOTALS {
        let (value, _) = measured(fields.get(theirs), "avg");
        ledger.book((ours, Statistic::Total), theirs, value, 1.0, None);
    }
    let (seconds, scale) = measured(fields.get("benchmark_duration"), "avg");
    ledger.book(("duration_s", Statistic::Total), "benchmark_duration", seconds, scale / 1e3, None);
    let whole = |key: &str| measured(fields.get(key), "avg").0.and_then(count).map(u64::from);
    ledger.run.completed = whole("request_count");
    ledger.run.failed = whole("error_request_count");
    for (key, why) in UNMAPPED {
        ledger.leave(key, why);
    }
    if ledger.run.figures.is_empty() {
        return Err(InteropError::Missing { tool: Tool::Aiperf, key: "request_latency".into() });
    }
    claim(&mut ledger.run, fields.get("benchhost"));
    Ok(ledger.run)
}

/// A statistic of a metric, and what makes milliseconds of its unit (1 for what is no time).
fn measured(metric: Option<&Value>, word: &str) -> (Option<f64>, f64) {
    let value = metric.and_then(|m| m.get(word).or_else(|| m.get("value")));
    let scale = match metric.and_then(|m| m.get("unit")).and_then(Value::as_str) {
        Some("sec" | "s" | "seconds") => 1e3,
        Some("us") => 1e-3,
        Some("ns") => 1e-6,
        _ => 1.0,
    };
    (value.and_then(number), scale)
}

fn load(config: &Value) -> Option<LoadPoint> {
    let phases = config.get("phases")?.as_array()?;
    let phase = phases.iter().find(|p| p.get("kind").is_none_or(|k| k == "profiling"))?;
    let rate = phase.get("rate").or_else(|| phase.get("request_rate")).and_then(number).filter(|r| *r > 0.0);
    let concurrency = phase.get("concurrency").and_then(number).and_then(count).filter(|c| *c > 0);
    rate.map(LoadPoint::Rate).or(concurrency.map(LoadPoint::Concurrency))
}

pub(super) fn read_requests(documents: &[Map<String, Value>]) -> Result<Imported, InteropError> {
    // A file that this program exported may hold several load points; theirs holds one.
    let mut points: Vec<(Option<&Value>, Vec<Started>)> = Vec::new();
    for fields in documents {
        let told = |key: &str| fields.get("metadata").and_then(|m| m.get(key));
        if told("benchmark_phase").is_none_or(|p| p == "profiling") {
            let started = request(fields)?;
            let of = told("benchhost");
            match points.iter_mut().rfind(|(point, _)| *point == of) {
                Some((_, requests)) => requests.push(started),
                None => points.push((of, vec![started])),
            }
        }
    }
    let runs = points.into_iter().map(|(of, requests)| run_of(of, requests)).collect();
    let load = "the load and the model are in `profile_export_aiperf.json`, not in this file";
    let remarks = [&REMARKS[..], &[load]].concat();
    Ok(Imported { tool: Tool::Aiperf, version: None, runs, remarks })
}

/// A request and its start on the wall clock in nanoseconds.
type Started = (Option<u64>, ImportedRequest);

fn run_of(of: Option<&Value>, requests: Vec<Started>) -> ImportedRun {
    let zero = requests.iter().filter_map(|(start, _)| *start).min().unwrap_or(0);
    let mut requests: Vec<ImportedRequest> =
        requests.into_iter().map(|(start, request)| placed(request, start.map(|s| s - zero))).collect();
    requests.sort_by_key(|r| r.record.t_send_ns);
    for (index, request) in requests.iter_mut().enumerate() {
        request.record.row = index as u64 + 1;
    }
    let count = |of: Outcome| requests.iter().filter(|r| r.record.outcome == of).count() as u64;
    let why = "prompts are not in this file, so items cannot be matched between two of them";
    let mut run = ImportedRun {
        completed: Some(count(Outcome::Completed)),
        failed: Some(count(Outcome::Failed)),
        unmapped: vec![Unmapped { theirs: "x_request_id".into(), why }],
        requests,
        ..ImportedRun::blank()
    };
    claim(&mut run, of);
    run
}

/// One line: its start on the wall clock in nanoseconds, and the row without times.
fn request(fields: &Map<String, Value>) -> Result<Started, InteropError> {
    let section = |key: &str| {
        let missing = || InteropError::Missing { tool: Tool::Aiperf, key: key.into() };
        fields.get(key).and_then(Value::as_object).ok_or_else(missing)
    };
    let (meta, metrics) = (section("metadata")?, section("metrics")?);
    let of = |tag: &str| {
        let (value, scale) = measured(metrics.get(tag), "value");
        value.map(|v| v * scale)
    };
    let whole = |tag: &str| of(tag).and_then(count);
    let error = fields.get("error").filter(|e| !e.is_null());
    let cancelled = meta.get("was_cancelled").and_then(Value::as_bool).unwrap_or(false);
    let gaps: Vec<f64> = metrics
        .get("inter_chunk_latency")
        .and_then(|m| m.get("value"))
        .and_then(Value::as_array)
        .map(|gaps| gaps.iter().filter_map(number).collect())
        .unwrap_or_default();
    let ttft = of("time_to_first_token");
    let tokens = whole("output_sequence_length");
    let decode = of("request_latency").zip(ttft).map(|(e2e, ttft)| e2e - ttft);
    let events = if ttft.is_some() { u32::try_from(gaps.len() + 1).unwrap_or(u32::MAX) } else { 0 };
    let record = Record {
        target: Target::Real,
        attempts: 1,
        item: meta.get("conversation_id").and_then(Value::as_str).unwrap_or_default().to_owned(),
        turn: meta.get("turn_index").and_then(number).and_then(count).unwrap_or(0),
        outcome: match (error, cancelled) {
            (Some(_), _) => Outcome::Failed,
            (None, true) => Outcome::HungUp,
            (None, false) => Outcome::Completed,
        },
        failure_detail: error
            .and_then(|e| e.get("message"))
            .and_then(Value::as_str)
            .map(|m| m.replace(['\n', '\r'], " ").chars().take(200).collect())
            .unwrap_or_default(),
        input_tokens: whole("input_sequence_length"),
        output_tokens: tokens,
        reasoning_tokens: whole("reasoning_token_count"),
        events,
        ttft_ms: ttft,
        ttfat_ms: of("time_to_first_output_token"),
        // One token a chunk: what came first was one token, so both definitions agree.
        tpot_ms: of("inter_token_latency").filter(|_| tokens == Some(events)),
        tpot_n1_ms: decode.zip(tokens.filter(|n| *n > 1)).map(|(ms, n)| ms / f64::from(n - 1)),
        icl_max_ms: gaps.iter().copied().reduce(f64::max),
        e2e_ms: of("request_latency"),
        ..Record::blank()
    };
    let start = meta.get("request_start_ns").and_then(Value::as_u64);
    Ok((start, ImportedRequest { record, gaps_ms: gaps }))
}

/// Puts the row on a clock that begins with the first request.
fn placed(mut request: ImportedRequest, start: Option<u64>) -> ImportedRequest {
    let record = &mut request.record;
    let Some(start) = start else { return request };
    record.t_sched_ns = Nanos::new(start);
    record.t_send_ns = Some(Nanos::new(start));
    let after = |ms: Option<f64>| super::ledger::nanos_since(0.0, start as f64 / 1e9 + ms? / 1e3);
    record.t_first_ns = after(record.ttft_ms);
    record.t_last_ns = after(record.e2e_ms);
    record.t_end_ns = record.t_last_ns;
    request
}
