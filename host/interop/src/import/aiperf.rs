//! NVIDIA `AIPerf` 0.13: the summary (`profile_export_aiperf.json`, one object a metric) and the requests
//! (`profile_export.jsonl`, one a line). Each number names its unit, which decides the scale.

use benchhost_model::{LoadPoint, Nanos, Outcome, Record, Target};
use serde_json::{Map, Value};

use super::InteropError;
use super::doubt::{Doubt, nanos_since};
use super::ledger::Ledger;
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

/// What the run was asked to do, or how the file was made; no figures.
const SETTINGS: [&str; 10] = [
    "schema_version",
    "input_config",
    "run_info",
    "telemetry_data",
    "error_summary",
    "benchhost",
    "branch_stats",
    "warmup_metrics",
    "server_metrics",
    "min_request_timestamp",
];

/// Why a figure of theirs is none of ours.
fn left_out(key: &str) -> Option<&'static str> {
    Some(match key {
        "goodput" | "good_request_count" | "good_request_fraction" => {
            "a request without the figure fails its objective, where ours calls a TPOT that cannot exist vacuous"
        }
        "output_token_throughput_per_user" => {
            "a mean of reciprocals, biased upwards; ours is 1000 / a percentile of TPOT"
        }
        "e2e_output_token_throughput" => "a mean of reciprocals",
        "prefill_throughput_per_user" => "prompt tokens over TTFT, which holds queueing too",
        "time_to_second_token" | "decode_duration" => {
            "follows from the first and the last chunk; no figure of ours"
        }
        "credit_to_start_latency" => "waiting inside its own client",
        "completed_request_count" | "request_error_rate" => {
            "follows from `request_count` and `error_request_count`"
        }
        "output_sequence_length"
        | "input_sequence_length"
        | "output_token_count"
        | "reasoning_token_count" => "tokens a request; ours are sums, and by request in the rows",
        "total_output_tokens" | "total_reasoning_tokens" => "a part of `total_osl`",
        "tokens_in_flight" => "from sweep lines over its records; no figure of ours",
        _ if key.starts_with("effective_") || key.starts_with("active_") => {
            "from sweep lines over its records; no figure of ours"
        }
        _ if key.starts_with("http_req_") => "its HTTP client's trace; no figure of ours",
        _ if key.starts_with("usage_")
            || key.starts_with("total_usage_")
            || key.starts_with("overall_usage_") =>
        {
            "the server's usage statement beside its own count; ours is one count with its source"
        }
        _ if key.contains("gpu")
            || key.contains("energy")
            || key.contains("watt")
            || key.contains("joule") =>
        {
            "its own GPU samples"
        }
        _ if key.contains("spec_decode") || key.contains("draft") => "speculation; no figure of ours yet",
        _ if key.starts_with("network_") || key.starts_with("replay_") => "its own check of its client",
        _ => return None,
    })
}

const REMARKS: [&str; 2] = [
    "its `inter_token_latency` is one value a request, divided by N − 1: our `tpot_n1` (`tpot` with `--per-chunk-usage`); its `inter_chunk_latency` is our `icl`",
    "its rates are over its whole profiling phase, from `start_time` to `end_time`, which begins before the first request: they are a little below `request_count` / `benchmark_duration`",
];

pub(super) fn read_summary(documents: &[Map<String, Value>]) -> Result<Imported, InteropError> {
    let doubt = Doubt::new(Tool::Aiperf);
    let runs = documents.iter().map(|fields| summary(fields, &doubt)).collect::<Result<Vec<_>, _>>()?;
    let version = documents.first().and_then(|d| d.get("aiperf_version"));
    let version = Some(doubt.text("aiperf_version", version)).filter(|v| !v.is_empty());
    let version = version.map(str::to_owned);
    doubt.settle(Imported { tool: Tool::Aiperf, version, runs, remarks: REMARKS.to_vec() })
}

fn summary(fields: &Map<String, Value>, doubt: &Doubt) -> Result<ImportedRun, InteropError> {
    let mut ledger = Ledger::new(fields, doubt);
    let config = fields.get("input_config").cloned().unwrap_or_default();
    let model = config.pointer("/models/items/0/name");
    doubt.text("input_config.models.items[0].name", model).clone_into(&mut ledger.run.model);
    ledger.run.load = load(&config, doubt);
    for (theirs, ours, note) in LATENCIES {
        let metric = ledger.get(theirs);
        let scale = milliseconds(doubt, theirs, metric);
        for (word, statistic) in STATISTICS {
            let value = measured(doubt, theirs, metric, word);
            ledger.book((ours, statistic), format!("{theirs}.{word}"), value, scale, note);
        }
    }
    for (theirs, ours) in TOTALS {
        let value = measured(doubt, theirs, ledger.get(theirs), "avg");
        ledger.book((ours, Statistic::Total), theirs, value, 1.0, None);
    }
    let duration = ledger.get("benchmark_duration");
    let scale = milliseconds(doubt, "benchmark_duration", duration);
    let seconds = measured(doubt, "benchmark_duration", duration, "avg");
    ledger.book(("duration_s", Statistic::Total), "benchmark_duration", seconds, scale / 1e3, None);
    let whole = |key: &str| {
        let metric = ledger.get(key);
        let value = metric.and_then(|m| m.get("avg").or_else(|| m.get("value")));
        doubt.count(format_args!("{key}.avg"), value).map(u64::from)
    };
    let (completed, failed) = (whole("request_count"), whole("error_request_count"));
    (ledger.run.completed, ledger.run.failed) = (completed, failed);
    ledger.account(&SETTINGS, left_out);
    doubt.settle(())?;
    if ledger.run.figures.is_empty() {
        return Err(InteropError::Missing { tool: Tool::Aiperf, key: "request_latency".into() });
    }
    claim(&mut ledger.run, fields.get("benchhost"));
    Ok(ledger.run)
}

/// A statistic of a metric, in its own unit.
fn measured(doubt: &Doubt, tag: &str, metric: Option<&Value>, word: &str) -> Option<f64> {
    let metric = metric.filter(|m| !m.is_null())?;
    if !metric.is_object() {
        doubt.at(tag, "it is no object with `unit` and `avg`");
        return None;
    }
    let value = metric.get(word).or_else(|| metric.get("value"));
    doubt.amount(format_args!("{tag}.{word}"), value)
}

/// What makes milliseconds of a metric that is a time; 1 without a metric.
fn milliseconds(doubt: &Doubt, tag: &str, metric: Option<&Value>) -> f64 {
    let unit = metric.and_then(|m| m.get("unit"));
    match doubt.text(format_args!("{tag}.unit"), unit) {
        "sec" | "s" | "seconds" => 1e3,
        "us" => 1e-3,
        "ns" => 1e-6,
        "ms" | "" => 1.0,
        other => {
            doubt.at(format_args!("{tag}.unit"), format!("`{other}` is no unit of time that is read here"));
            1.0
        }
    }
}

fn load(config: &Value, doubt: &Doubt) -> Option<LoadPoint> {
    let phases = config.get("phases")?.as_array()?;
    let phase = phases.iter().find(|p| p.get("kind").is_none_or(|k| k == "profiling"))?;
    let rate = phase.get("rate").or_else(|| phase.get("request_rate"));
    let rate = doubt.amount("input_config.phases.rate", rate).filter(|r| *r > 0.0);
    let concurrency = doubt.count("input_config.phases.concurrency", phase.get("concurrency"));
    rate.map(LoadPoint::Rate).or(concurrency.filter(|c| *c > 0).map(LoadPoint::Concurrency))
}

pub(super) fn read_requests(documents: &[Map<String, Value>]) -> Result<Imported, InteropError> {
    // A file that this program exported may hold several load points; theirs holds one.
    let mut points: Vec<(Option<&Value>, Vec<Started>)> = Vec::new();
    for (line, fields) in (1..).zip(documents) {
        let told = |key: &str| fields.get("metadata").and_then(|m| m.get(key));
        if told("benchmark_phase").is_none_or(|p| p == "profiling") {
            let started = request(fields, line)?;
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
fn request(fields: &Map<String, Value>, line: usize) -> Result<Started, InteropError> {
    let doubt = Doubt::new(Tool::Aiperf);
    let section = |key: &str| {
        let missing = || InteropError::Missing { tool: Tool::Aiperf, key: format!("{key}` of line `{line}") };
        fields.get(key).and_then(Value::as_object).ok_or_else(missing)
    };
    let (meta, metrics) = (section("metadata")?, section("metrics")?);
    let value = |tag: &str| metrics.get(tag).and_then(|m| m.get("value"));
    let scale = |tag: &str| milliseconds(&doubt, tag, metrics.get(tag));
    let ms = |tag: &str| Some(doubt.amount(format_args!("{tag} (line {line})"), value(tag))? * scale(tag));
    let whole = |tag: &str| doubt.count(format_args!("{tag} (line {line})"), value(tag));
    let error = fields.get("error").filter(|e| !e.is_null());
    let cancelled = meta.get("was_cancelled").and_then(Value::as_bool).unwrap_or(false);
    let gaps = doubt.list(format_args!("inter_chunk_latency (line {line})"), value("inter_chunk_latency"));
    let gap_scale = scale("inter_chunk_latency");
    let gap = |(n, v)| doubt.entry(format_args!("inter_chunk_latency[{n}] (line {line})"), v);
    let gaps = gaps.unwrap_or_default().iter().enumerate().filter_map(gap);
    let gaps: Vec<f64> = gaps.map(|g| g * gap_scale).collect();
    let ttft = ms("time_to_first_token");
    let tokens = whole("output_sequence_length");
    let decode = ms("request_latency").zip(ttft).map(|(e2e, ttft)| e2e - ttft);
    let events = if ttft.is_some() { u32::try_from(gaps.len() + 1).unwrap_or(u32::MAX) } else { 0 };
    let record = Record {
        target: Target::Real,
        attempts: 1,
        item: meta.get("conversation_id").and_then(Value::as_str).unwrap_or_default().to_owned(),
        turn: doubt.count(format_args!("turn_index (line {line})"), meta.get("turn_index")).unwrap_or(0),
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
        ttfat_ms: ms("time_to_first_output_token"),
        // One token a chunk: what came first was one token, so both definitions agree.
        tpot_ms: ms("inter_token_latency").filter(|_| tokens == Some(events)),
        tpot_n1_ms: decode.zip(tokens.filter(|n| *n > 1)).map(|(ms, n)| ms.max(0.0) / f64::from(n - 1)),
        icl_max_ms: gaps.iter().copied().reduce(f64::max),
        e2e_ms: ms("request_latency"),
        ..Record::blank()
    };
    if decode.is_some_and(|ms| ms < -1e-6) {
        doubt.at(format_args!("request_latency (line {line})"), "it is less than `time_to_first_token`");
    }
    let start = meta.get("request_start_ns").filter(|v| !v.is_null());
    if start.is_some_and(|v| v.as_u64().is_none()) {
        doubt.at(format_args!("request_start_ns (line {line})"), "a whole number from 0 on was expected");
    }
    doubt.settle((start.and_then(Value::as_u64), ImportedRequest { record, gaps_ms: gaps }))
}

/// Puts the row on a clock that begins with the first request.
fn placed(mut request: ImportedRequest, start: Option<u64>) -> ImportedRequest {
    let record = &mut request.record;
    let Some(start) = start else { return request };
    record.t_sched_ns = Nanos::new(start);
    record.t_send_ns = Some(Nanos::new(start));
    let after = |ms: Option<f64>| nanos_since(0.0, start as f64 / 1e9 + ms? / 1e3);
    record.t_first_ns = after(record.ttft_ms);
    record.t_last_ns = after(record.e2e_ms);
    record.t_end_ns = record.t_last_ns;
    request
}
