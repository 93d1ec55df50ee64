//! The forms of `AIPerf` 0.13: the summary (`profile_export_aiperf.json`, schema 1.4, one object a metric) and the lines
//! of `profile_export.jsonl`. Every number stands with its unit. Latencies are over whole answers.

use benchhost_model::{Nanos, Outcome, Record};
use serde_json::{Map, Value, json};

use super::Origin;
use super::numbers::Spread;
use super::point::{Kept, Point, Provenance, error_text};

const SCHEMA: &str = "1.4";
const PERCENTILES: [(&str, f64); 9] = [
    ("p1", 1.0),
    ("p5", 5.0),
    ("p10", 10.0),
    ("p25", 25.0),
    ("p50", 50.0),
    ("p75", 75.0),
    ("p90", 90.0),
    ("p95", 95.0),
    ("p99", 99.0),
];

/// The summary of a point.
pub(super) fn summary(point: &Point, origin: &Origin) -> Value {
    let mut fields = Map::new();
    let mut put = |key: &str, value: Value| {
        fields.insert(key.to_owned(), value);
    };
    put("schema_version", json!(SCHEMA));
    // Theirs names the version of AIPerf; a reader must not take this file for one of its own making.
    put("aiperf_version", json!(point.of.exported_by));
    put("benchmark_id", json!(point.of.run_id));
    for (tag, unit, value) in scalars(point) {
        if let Some(value) = value {
            put(tag, json!({ "unit": unit, "avg": value }));
        }
    }
    for (tag, unit, spread) in distributions(point) {
        if let Some(spread) = spread {
            put(tag, metric(unit, &spread));
        }
    }
    // Their reader refuses a configuration that is not a whole one of theirs; `benchhost` has model and load.
    put("input_config", Value::Null);
    put("run_info", json!({ "benchmark_id": point.of.run_id, "trial": point.of.repeat }));
    put("was_cancelled", json!(false));
    put("is_complete", json!(true));
    put("error_summary", errors(point));
    let (from, until) = point.span().unwrap_or_default();
    put("start_time", json!(origin.iso(from)));
    put("end_time", json!(origin.iso(until)));
    put("benchhost", json!(point.of));
    Value::Object(fields)
}

fn metric(unit: &str, spread: &Spread) -> Value {
    let mut fields = Map::new();
    fields.insert("unit".into(), json!(unit));
    fields.insert("avg".into(), json!(spread.mean));
    for (word, percent) in PERCENTILES {
        fields.insert(word.into(), json!(spread.percentile(percent)));
    }
    for (word, value) in
        [("min", spread.min()), ("max", spread.max()), ("std", spread.sd), ("sum", spread.sum)]
    {
        fields.insert(word.into(), json!(value));
    }
    fields.insert("count".into(), json!(spread.n()));
    Value::Object(fields)
}

type Scalar = (&'static str, &'static str, Option<f64>);

fn scalars(point: &Point) -> [Scalar; 12] {
    let whole = point.whole().count() as f64;
    let all = point.requests.len() as f64;
    let left = point.requests.iter().filter(|r| r.outcome == Outcome::HungUp).count() as f64;
    let failed = all - whole - left;
    let total = |of| point.total(of).map(|n| n as f64);
    let (input, output) = (total(|r| r.input), total(|r| r.output));
    let rate = |sum: Option<f64>| Some(sum? / point.seconds()?);
    [
        ("request_count", "requests", Some(whole)),
        ("completed_request_count", "requests", Some(whole + failed)),
        ("error_request_count", "requests", Some(failed)),
        ("request_error_rate", "%", (all > left).then(|| failed / (all - left) * 100.0)),
        ("benchmark_duration", "sec", point.seconds()),
        ("request_throughput", "requests/sec", rate(Some(whole))),
        ("total_isl", "tokens", input),
        ("total_osl", "tokens", output),
        ("total_output_tokens", "tokens", total(answer_tokens)),
        ("output_token_throughput", "tokens/sec", rate(output)),
        ("input_token_throughput", "tokens/sec", rate(input)),
        ("total_token_throughput", "tokens/sec", rate(input.zip(output).map(|(i, o)| i + o))),
    ]
}

/// Generated tokens that are not reasoning; theirs counts all where nothing tells them apart.
fn answer_tokens(request: &Kept) -> Option<u32> {
    request.output.map(|n| n.saturating_sub(request.reasoning.unwrap_or(0)))
}

/// Tokens over milliseconds, in tokens a second.
fn per_second(tokens: Option<u32>, ms: Option<f64>) -> Option<f64> {
    ms.filter(|ms| *ms > 0.0).zip(tokens).map(|(ms, n)| f64::from(n) / ms * 1e3)
}

fn decode_ms(request: &Kept) -> Option<f64> {
    request.e2e_ms.zip(request.ttft_ms).map(|(e2e, ttft)| e2e - ttft)
}

fn distributions(point: &Point) -> [(&'static str, &'static str, Option<Spread>); 13] {
    let of = |value: fn(&Kept) -> Option<f64>| Spread::of(point.whole().filter_map(value));
    let known = point.has_gaps();
    let second =
        point.whole().filter(|_| known).filter_map(|r| Some(Nanos::new(*point.gaps_ns(r).first()?).as_ms()));
    [
        ("request_latency", "ms", of(|r| r.e2e_ms)),
        ("time_to_first_token", "ms", of(|r| r.ttft_ms)),
        ("time_to_second_token", "ms", Spread::of(second)),
        ("time_to_first_output_token", "ms", of(|r| r.ttfat_ms)),
        ("inter_token_latency", "ms", of(|r| r.tpot_n1_ms)),
        ("inter_chunk_latency", "ms", Spread::of(point.all_gaps_ms())),
        ("decode_duration", "ms", of(decode_ms)),
        ("input_sequence_length", "tokens", of(|r| r.input.map(f64::from))),
        ("output_sequence_length", "tokens", of(|r| r.output.map(f64::from))),
        ("output_token_count", "tokens", of(|r| answer_tokens(r).map(f64::from))),
        ("output_token_throughput_per_user", "tokens/sec/user", of(|r| per_second(Some(1), r.tpot_n1_ms))),
        ("e2e_output_token_throughput", "tokens/sec/user", of(|r| per_second(r.output, r.e2e_ms))),
        ("prefill_throughput_per_user", "tokens/sec/user", of(|r| per_second(r.input, r.ttft_ms))),
    ]
}

/// Failures and how many of each.
fn errors(point: &Point) -> Value {
    let mut counts: Vec<(&str, u64)> = Vec::new();
    for request in point.requests.iter().filter(|r| !r.is_whole() && r.outcome != Outcome::HungUp) {
        match counts.iter_mut().find(|(text, _)| *text == &*request.error) {
            Some((_, n)) => *n += 1,
            None => counts.push((&request.error, 1)),
        }
    }
    let told = counts.iter().map(|(text, n)| json!({ "error_details": { "message": text }, "count": n }));
    told.collect()
}

/// One line of `profile_export.jsonl`.
pub(super) fn line(record: &Record, gaps_ns: &[u64], origin: &Origin) -> Value {
    let whole = record.outcome == Outcome::Completed;
    let start = record.t_send_ns.unwrap_or(record.t_sched_ns);
    let end = record.t_last_ns.or(record.t_end_ns).unwrap_or(start);
    let session = record.session.unwrap_or(record.row);
    let mut metadata = json!({
        "session_num": session,
        "x_request_id": format!("{}-{}", record.run_id, record.row),
        "x_correlation_id": format!("{}-{session}", record.run_id),
        "conversation_id": record.item,
        "turn_index": record.turn,
        "credit_issued_ns": origin.wall_ns(record.t_sched_ns),
        "request_start_ns": origin.wall_ns(start),
        "request_end_ns": origin.wall_ns(end),
        // Who measured; required by their reader.
        "worker_id": origin.exported_by,
        "record_processor_id": origin.exported_by,
        "benchmark_phase": "profiling",
        "phase_name": "profiling",
        "phase_kind": "profiling",
        "was_cancelled": record.outcome == Outcome::HungUp,
        "benchhost": Provenance::of(record, &origin.exported_by),
    });
    if let Some(at) = record.t_headers_ns {
        metadata["request_ack_ns"] = json!(origin.wall_ns(at));
    }
    let error = if whole || record.outcome == Outcome::HungUp {
        Value::Null
    } else {
        json!({ "code": record.status, "type": kind(record), "message": error_text(record) })
    };
    json!({ "metadata": metadata, "metrics": metrics(record, gaps_ns), "error": error })
}

fn kind(record: &Record) -> String {
    record.failure.map_or_else(|| record.outcome.as_str().to_owned(), |f| f.to_string())
}

fn metrics(record: &Record, gaps_ns: &[u64]) -> Value {
    let mut fields = Map::new();
    let mut put = |tag: &str, unit: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(tag.to_owned(), json!({ "value": value, "unit": unit }));
        }
    };
    put("input_sequence_length", "tokens", record.input_tokens.map(Value::from));
    if record.outcome == Outcome::Completed {
        put("time_to_first_token", "ms", record.ttft_ms.map(Value::from));
        put("time_to_first_output_token", "ms", record.ttfat_ms.map(Value::from));
        put("inter_token_latency", "ms", record.tpot_n1_ms.map(Value::from));
        put("request_latency", "ms", record.e2e_ms.map(Value::from));
        put("output_sequence_length", "tokens", record.output_tokens.map(Value::from));
        put("reasoning_token_count", "tokens", record.reasoning_tokens.map(Value::from));
        let gaps = || gaps_ns.iter().map(|gap| Value::from(Nanos::new(*gap).as_ms())).collect();
        put("inter_chunk_latency", "ms", (!gaps_ns.is_empty()).then(gaps));
    }
    Value::Object(fields)
}
