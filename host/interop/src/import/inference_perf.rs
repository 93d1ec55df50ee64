//! `inference-perf`: `summary_lifecycle_metrics.json` and its `stage_N` siblings. Everything in seconds. Keys: version 0.7.

use benchhost_model::LoadPoint;
use serde_json::{Map, Value};

use super::InteropError;
use super::ledger::{Ledger, count, number};
use crate::figure::{Imported, Statistic, Tool};

const STATISTICS: [(&str, Statistic); 6] = [
    ("mean", Statistic::Mean),
    ("median", Statistic::P50),
    ("p50", Statistic::P50),
    ("p90", Statistic::P90),
    ("p95", Statistic::P95),
    ("p99", Statistic::P99),
];

/// Their latency, ours, and how it still differs.
const LATENCIES: [(&str, &str, Option<&str>); 5] = [
    ("request_latency", "e2e_body", None),
    ("normalized_time_per_output_token", "norm_latency", Some("0 where no token came")),
    ("time_per_output_token", "tpot_n1", None),
    ("time_to_first_token", "ttft", Some("left out for answers of one chunk")),
    ("inter_token_latency", "icl", None),
];

pub(super) fn read(fields: &Map<String, Value>) -> Result<Imported, InteropError> {
    let missing = |key: &str| InteropError::Missing { tool: Tool::InferencePerf, key: key.into() };
    let section = |key: &str| fields.get(key).and_then(Value::as_object).ok_or_else(|| missing(key));
    let (load, successes) = (section("load_summary")?, section("successes")?);
    let mut ledger = Ledger::new(successes);
    let requested = load.get("requested_rate").and_then(number).filter(|r| *r > 0.0);
    ledger.run.load = requested.map(LoadPoint::Rate);
    let whole = |value: Option<&Value>| value.and_then(number).and_then(count).map(u64::from);
    ledger.run.completed = Some(whole(successes.get("count")).ok_or_else(|| missing("successes.count"))?);
    ledger.run.failed = whole(fields.get("failures").and_then(|f| f.get("count")));
    if let Some(latency) = successes.get("latency").and_then(Value::as_object) {
        for (theirs, ours, note) in LATENCIES {
            distribution(&mut ledger, ours, &format!("latency.{theirs}"), latency.get(theirs), note);
        }
    }
    let rates = successes.get("throughput");
    for (theirs, ours) in [
        ("requests_per_sec", "req_s_makespan"),
        ("output_tokens_per_sec", "out_tok_s_makespan"),
        ("total_tokens_per_sec", "total_tok_s_makespan"),
        ("input_tokens_per_sec", "in_tok_s_makespan"),
    ] {
        let value = rates.and_then(|r| r.get(theirs)).and_then(number);
        let note = Some("over the stage's time");
        ledger.book((ours, Statistic::Total), format!("throughput.{theirs}"), value, 1.0, note);
    }
    let mut run = ledger.run;
    for (key, why) in [
        (
            "goodput_metrics",
            "a request without the figure fails its objective, and input tokens count as good: another goodput",
        ),
        ("load_summary.schedule_delay", "a sum over requests, not a distribution"),
    ] {
        let there = match key.split_once('.') {
            Some((outer, inner)) => fields.get(outer).and_then(|o| o.get(inner)),
            None => fields.get(key),
        };
        if there.is_some_and(|v| !v.is_null()) {
            run.unmapped.push(crate::figure::Unmapped { theirs: key.into(), why });
        }
    }
    Ok(Imported {
        tool: Tool::InferencePerf,
        version: None,
        runs: vec![run],
        remarks: vec![
            "its `constant` load has exponential gaps whose sum is rescaled",
            "latencies start at the send; waiting for its own workers is in `schedule_delay` only",
        ],
    })
}

fn distribution(
    ledger: &mut Ledger<'_>,
    metric: &'static str,
    theirs: &str,
    value: Option<&Value>,
    note: Option<&'static str>,
) {
    for (word, statistic) in STATISTICS {
        if statistic == Statistic::P50 && ledger.run.figure(metric, statistic).is_some() {
            continue;
        }
        let value = value.and_then(|v| v.get(word)).and_then(number);
        ledger.book((metric, statistic), format!("{theirs}.{word}"), value, 1e3, note);
    }
}
