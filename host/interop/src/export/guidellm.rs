//! The form of `GuideLLM` 0.8 `benchmarks.json`: one benchmark a load point and repeat, every distribution four times
//! (successful, incomplete, errored, total), every request. Request latencies in seconds, token times in milliseconds,
//! stamps in Unix seconds.

use benchhost_model::{LoadPoint, Nanos, Outcome};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};

use super::Origin;
use super::list::List;
use super::numbers::Weighted;
use super::point::{Kept, Point};

/// Version of the report's form.
const VERSION: u32 = 2;

const PERCENTILES: [(&str, f64); 11] = [
    ("p001", 0.001),
    ("p01", 0.01),
    ("p05", 0.05),
    ("p10", 0.1),
    ("p25", 0.25),
    ("p50", 0.5),
    ("p75", 0.75),
    ("p90", 0.9),
    ("p95", 0.95),
    ("p99", 0.99),
    ("p999", 0.999),
];

/// What they count of each modality; their reader wants the keys, null where nothing was counted.
const MODALITIES: [(&str, &[&str]); 5] = [
    ("text", &["tokens", "words", "characters"]),
    ("image", &["tokens", "images", "pixels", "bytes"]),
    ("video", &["tokens", "frames", "seconds", "bytes"]),
    ("audio", &["tokens", "samples", "seconds", "bytes"]),
    ("tool_call", &["tokens", "mixed_tokens", "count"]),
];

/// What stands before the benchmarks: a file is written benchmark by benchmark.
pub(super) fn head(origin: &Origin) -> String {
    let metadata = json!({
        "version": VERSION,
        "guidellm_version": origin.exported_by,
        "python_version": "",
        "platform": "",
        "exported_by": origin.exported_by,
    });
    // Their reader wants a scenario; what was measured stands in each benchmark.
    let config = json!({ "spec": {
        "backend": { "kind": "openai_http", "target": "" },
        "profile": { "kind": "synchronous" },
        "data": [{ "kind": "json_file", "path": origin.exported_by }],
    } });
    format!("{{\"metadata\":{metadata},\"config\":{config},\"benchmarks\":[\n")
}

/// What stands after them.
pub(super) const TAIL: &str = "\n],\"conclusions\":[]}\n";

/// Their four kinds of end.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Successful,
    Errored,
    Incomplete,
}

const KINDS: [(&str, Kind); 3] =
    [("successful", Kind::Successful), ("errored", Kind::Errored), ("incomplete", Kind::Incomplete)];

/// Who left and who was cut off are incomplete, as with them.
fn kind(request: &Kept) -> Kind {
    match request.outcome {
        Outcome::Completed => Kind::Successful,
        Outcome::HungUp | Outcome::Cut => Kind::Incomplete,
        _ => Kind::Errored,
    }
}

/// One benchmark; its requests are made while they are written.
pub(super) struct Form<'a> {
    pub(super) point: &'a Point,
    pub(super) origin: &'a Origin,
}

impl Serialize for Form<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (point, origin) = (self.point, self.origin);
        let (from, until) = point.span().unwrap_or_default();
        let (start, end) = (origin.wall_s(from), origin.wall_s(until));
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type_", "generative_benchmark")?;
        map.serialize_entry("config", &config(point))?;
        map.serialize_entry("scheduler_state", &scheduler_state(point, start, end))?;
        map.serialize_entry("scheduler_metrics", &scheduler_metrics(point, start, end))?;
        map.serialize_entry("metrics", &metrics(point))?;
        map.serialize_entry("requests", &Requests(self))?;
        map.serialize_entry("warnings", &[(); 0])?;
        map.serialize_entry("start_time", &start)?;
        map.serialize_entry("end_time", &end)?;
        map.serialize_entry("duration", &point.seconds().unwrap_or(0.0))?;
        map.serialize_entry("warmup_duration", &0.0)?;
        map.serialize_entry("cooldown_duration", &0.0)?;
        map.serialize_entry("benchhost", &point.of)?;
        map.end()
    }
}

struct Requests<'a>(&'a Form<'a>);

impl Serialize for Requests<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Form { point, origin } = *self.0;
        let mut map = serializer.serialize_map(None)?;
        for (word, wanted) in KINDS {
            let of = || point.requests.iter().filter(move |r| kind(r) == wanted);
            map.serialize_entry(word, &List(|| of().map(|r| request(r, point, origin))))?;
        }
        map.serialize_entry("total", &None::<()>)?;
        map.end()
    }
}

fn scheduler_state(point: &Point, start: f64, end: f64) -> Value {
    let made = totals(point);
    let all = point.requests.len();
    json!({
        "node_id": 0, "num_processes": 1, "start_time": start, "end_time": end,
        "created_requests": all, "queued_requests": 0, "pending_requests": 0, "processing_requests": 0,
        "processed_requests": all, "successful_requests": made["successful"],
        "errored_requests": made["errored"], "cancelled_requests": made["incomplete"],
    })
}

fn config(point: &Point) -> Value {
    let strategy = match point.of.load {
        LoadPoint::Concurrency(1) => json!({ "type_": "synchronous" }),
        LoadPoint::Concurrency(n) => json!({ "type_": "concurrent", "streams": n, "max_concurrency": n }),
        LoadPoint::Rate(rate) if point.of.arrivals == "constant" => {
            json!({ "type_": "constant", "rate": rate })
        }
        LoadPoint::Rate(rate) => json!({ "type_": "poisson", "rate": rate }),
        LoadPoint::Batch(n) => json!({ "type_": "throughput", "max_concurrency": n }),
        LoadPoint::Trace(_) => json!({ "type_": "throughput" }),
    };
    json!({
        "id_": format!("{}/{}/{}/{}", point.of.run_id, point.of.engine, point.of.load, point.of.repeat),
        "run_id": point.of.run_id,
        "run_index": point.of.repeat.saturating_sub(1),
        "strategy": strategy,
        "constraints": {},
        "profile": {},
        "requests": {},
        "backend": { "kind": "openai_http", "model": point.of.model, "target": "" },
        "environment": { "kind": "static" },
    })
}

fn scheduler_metrics(point: &Point, start: f64, end: f64) -> Value {
    let sent = || point.requests.iter().filter_map(|r| Some((r.send?, r)));
    let n = sent().count().max(1) as f64;
    let slip = sent().map(|(send, r)| (send - r.sched).as_secs()).sum::<f64>() / n;
    let time = sent().filter_map(|(send, r)| Some((r.end? - send).as_secs())).sum::<f64>() / n;
    let none = distribution(&Weighted::of(std::iter::empty(), None));
    json!({
        "start_time": start, "request_start_time": start, "measure_start_time": start,
        "measure_end_time": end, "request_end_time": end, "end_time": end,
        "requests_made": totals(point), "generation_delay": none, "queued_time_avg": 0.0,
        "resolve_start_delay_avg": 0.0, "resolve_targeted_start_delay_avg": slip,
        "request_start_delay_avg": 0.0, "request_targeted_start_delay_avg": slip,
        "request_time_avg": time, "resolve_end_delay_avg": 0.0, "resolve_time_avg": time,
        "finalized_delay_avg": 0.0, "processed_delay_avg": 0.0, "dataset_incomplete": false,
        "strategy_type": point.of.load.kind(),
    })
}

fn totals(point: &Point) -> Value {
    let mut object = json!({ "total": point.requests.len() });
    for (word, of) in KINDS {
        object[word] = json!(point.requests.iter().filter(|r| kind(r) == of).count());
    }
    object
}

fn distribution(of: &Weighted) -> Value {
    let percentiles: serde_json::Map<String, Value> =
        PERCENTILES.iter().map(|(word, share)| ((*word).to_owned(), json!(of.percentile(*share)))).collect();
    json!({
        "mean": of.mean, "median": of.percentile(0.5), "mode": of.mode(), "variance": of.variance,
        "std_dev": of.variance.sqrt(), "min": of.min(), "max": of.max(), "count": of.count,
        "total_sum": of.mean * of.count as f64, "percentiles": percentiles,
        "pdf": null, "mean_ci": null, "percentile_cis": null,
    })
}

/// A distribution for each kind of end and for all.
fn by_kind(point: &Point, make: impl Fn(&mut dyn Iterator<Item = &Kept>) -> Weighted) -> Value {
    let mut object = json!({});
    for (word, of) in KINDS {
        object[word] = distribution(&make(&mut point.requests.iter().filter(|r| kind(r) == of)));
    }
    object["total"] = distribution(&make(&mut point.requests.iter()));
    object
}

/// One value a request, its weight beside it.
type Value1 = fn(&Kept) -> Option<(f64, f64)>;
/// When what happened: seconds and weight.
type Happened = fn(&Kept) -> Vec<(f64, f64)>;

fn metrics(point: &Point) -> Value {
    let values: [(&str, Value1); 10] = [
        ("request_latency", |r| Some((latency_s(r)?, 1.0))),
        ("request_streaming_iterations_count", |r| Some((f64::from(r.events), 1.0))),
        ("prompt_token_count", |r| Some((f64::from(r.input?), 1.0))),
        ("output_token_count", |r| Some((f64::from(r.output?), 1.0))),
        ("total_token_count", |r| Some((f64::from(r.input?) + f64::from(r.output?), 1.0))),
        ("time_to_first_token_ms", |r| Some((r.ttft_ms?, 1.0))),
        ("time_to_first_output_token_ms", |r| Some((r.ttfat_ms?, 1.0))),
        ("time_per_output_token_ms", |r| Some((norm_ms(r)?, f64::from(r.output?)))),
        ("inter_token_latency_ms", |r| Some((r.tpot_n1_ms?, f64::from(r.output?.saturating_sub(1))))),
        ("output_tokens_per_iteration", |r| Some((tokens_per_event(r)?, f64::from(r.events)))),
    ];
    let rates: [(&str, Happened); 4] = [
        ("requests_per_second", |r| r.end.or(r.last).map(|at| (at.as_secs(), 1.0)).into_iter().collect()),
        ("prompt_tokens_per_second", prompt),
        ("output_tokens_per_second", output),
        ("tokens_per_second", |r| [prompt(r), output(r)].concat()),
    ];
    let mut object = json!({ "request_totals": totals(point) });
    for (name, value) in values {
        object[name] = by_kind(point, |requests| Weighted::of(requests.filter_map(value), None));
    }
    let (from, until) = window(point);
    for (name, happened) in rates {
        object[name] = by_kind(point, |requests| Weighted::rate(requests.flat_map(happened), from, until));
    }
    object["request_concurrency"] = by_kind(point, |requests| concurrency(requests));
    let empty = by_kind(point, |_| Weighted::of(std::iter::empty(), None));
    for name in ["iter_tokens_per_iteration", "time_to_last_round_trip_ms", "avg_round_trip_time_ms"] {
        object[name] = empty.clone();
    }
    for (modality, counted) in MODALITIES {
        object[modality] = counted.iter().map(|what| ((*what).to_owned(), Value::Null)).collect();
    }
    object["slo_attainment"] = Value::Null;
    object["slo_determined_requests"] = json!(0);
    object["request_goodput"] = Value::Null;
    object
}

/// From the first send to the end of the last request, which is where their window ends.
fn window(point: &Point) -> (f64, f64) {
    let from = point.requests.iter().filter_map(|r| r.send).min().unwrap_or_default();
    let until = point.requests.iter().filter_map(|r| r.end.max(r.last)).max().unwrap_or_default();
    (from.as_secs(), until.as_secs())
}

/// From sending to the end of the body.
fn latency_s(request: &Kept) -> Option<f64> {
    Some((request.end.or(request.last)? - request.send?).as_secs())
}

/// Their time per output token: the whole latency over all tokens.
fn norm_ms(request: &Kept) -> Option<f64> {
    let tokens = request.output.filter(|n| *n > 0)?;
    Some(request.e2e_ms? / f64::from(tokens))
}

fn tokens_per_event(request: &Kept) -> Option<f64> {
    (request.events > 0).then_some(f64::from(request.output?) / f64::from(request.events))
}

/// Prompt tokens happen when the first token comes.
fn prompt(request: &Kept) -> Vec<(f64, f64)> {
    request.first.zip(request.input).map(|(at, n)| (at.as_secs(), f64::from(n))).into_iter().collect()
}

/// One token at the first event, the others evenly over the events after it.
fn output(request: &Kept) -> Vec<(f64, f64)> {
    let (Some(first), Some(last), Some(tokens)) = (request.first, request.last, request.output) else {
        return Vec::new();
    };
    if request.events < 2 || tokens == 0 {
        return vec![(last.as_secs(), f64::from(tokens))];
    }
    let later = f64::from(request.events - 1);
    let step = (last - first).as_secs() / later;
    let each = (f64::from(tokens) - 1.0) / later;
    let at = |i: u32| (first.as_secs() + f64::from(i) * step, if i == 0 { 1.0 } else { each });
    (0..request.events).map(at).collect()
}

/// Requests in flight, weighted by how long so many were.
fn concurrency(requests: &mut dyn Iterator<Item = &Kept>) -> Weighted {
    let mut steps: Vec<(Nanos, f64)> = Vec::new();
    let mut count = 0;
    for request in requests {
        if let Some((send, end)) = request.send.zip(request.end.or(request.last)) {
            steps.extend([(send, 1.0), (end, -1.0)]);
            count += 1;
        }
    }
    steps.sort_by_key(|s| s.0);
    let mut level = 0.0;
    let held = steps.windows(2).map(|pair| {
        level += pair[0].1;
        (level, (pair[1].0 - pair[0].0).as_secs())
    });
    Weighted::of(held, Some(count))
}

fn request(of: &Kept, point: &Point, origin: &Origin) -> Value {
    let wall = |at: Option<Nanos>| at.map(|at| origin.wall_s(at));
    let whole = of.is_whole();
    let status = match kind(of) {
        Kind::Successful => "completed",
        Kind::Errored => "errored",
        Kind::Incomplete => "cancelled",
    };
    let id = format!("{}-{}-{}", point.of.run_id, of.item, of.sched.get());
    json!({
        "type_": "generative_request_stats",
        "request_id": id,
        "output": null,
        "info": {
            "request_id": id, "conversation_id": of.item, "turn_index": of.turn, "status": status,
            "error": (!of.error.is_empty()).then_some(&of.error),
            "timings": {
                "targeted_start": origin.wall_s(of.sched), "request_start": wall(of.send),
                "first_request_iteration": wall(of.first), "first_token_iteration": wall(of.first),
                "first_output_token_iteration": wall(of.answer), "last_token_iteration": wall(of.last),
                "last_request_iteration": wall(of.last), "request_iterations": of.events,
                "token_iterations": of.events, "request_end": wall(of.end), "resolve_end": wall(of.end.or(of.last)),
            },
        },
        "input_metrics": { "text_tokens": of.input, "cached_tokens": of.cached },
        "output_metrics": { "text_tokens": of.output },
        "request_start_time": wall(of.send), "request_end_time": wall(of.end),
        "request_latency": latency_s(of),
        "prompt_tokens": of.input, "cached_tokens": of.cached, "output_tokens": of.output,
        "total_tokens": of.input.zip(of.output).map(|(i, o)| u64::from(i) + u64::from(o)),
        "time_to_first_token_ms": of.ttft_ms.filter(|_| whole),
        "time_to_first_output_token_ms": of.ttfat_ms.filter(|_| whole),
        "time_per_output_token_ms": norm_ms(of).filter(|_| whole),
        "inter_token_latency_ms": of.tpot_n1_ms.filter(|_| whole),
    })
}
