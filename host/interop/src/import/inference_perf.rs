//! `inference-perf`: `summary_lifecycle_metrics.json` and its `stage_N` siblings. Everything in seconds. Keys: version 0.7.

use benchhost_model::LoadPoint;
use serde_json::{Map, Value};

use super::InteropError;
use super::doubt::Doubt;
use super::ledger::Ledger;
use crate::figure::{Imported, Statistic, Tool, Unmapped};

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

const RATES: [(&str, &str); 4] = [
    ("requests_per_sec", "req_s_makespan"),
    ("output_tokens_per_sec", "out_tok_s_makespan"),
    ("total_tokens_per_sec", "total_tok_s_makespan"),
    ("input_tokens_per_sec", "in_tok_s_makespan"),
];

pub(super) fn read(fields: &Map<String, Value>) -> Result<Imported, InteropError> {
    let doubt = &Doubt::new(Tool::InferencePerf);
    let missing = |key: &str| InteropError::Missing { tool: doubt.tool(), key: key.into() };
    let section = |key: &str| fields.get(key).and_then(Value::as_object).ok_or_else(|| missing(key));
    let (load, successes) = (section("load_summary")?, section("successes")?);
    let mut ledger = Ledger::new(successes, doubt);
    let requested = doubt.amount("load_summary.requested_rate", load.get("requested_rate"));
    ledger.run.load = requested.filter(|r| *r > 0.0).map(LoadPoint::Rate);
    let completed = doubt.count("successes.count", ledger.get("count"));
    let failed = fields.get("failures").and_then(|f| f.get("count"));
    ledger.run.failed = doubt.count("failures.count", failed).map(u64::from);
    for (theirs, ours, note) in LATENCIES {
        let latency = ledger.get("latency").and_then(|l| l.get(theirs));
        distribution(&mut ledger, ours, &format!("latency.{theirs}"), latency, note);
    }
    for (theirs, ours) in RATES {
        let value = ledger.get("throughput").and_then(|r| r.get(theirs));
        let key = format!("throughput.{theirs}");
        let value = doubt.amount(format_args!("successes.{key}"), value);
        ledger.book((ours, Statistic::Total), key, value, 1.0, Some("over the stage's time"));
    }
    leave(&mut ledger, fields, load);
    doubt.settle(())?;
    ledger.run.completed = Some(completed.ok_or_else(|| missing("successes.count"))?.into());
    Ok(Imported {
        tool: Tool::InferencePerf,
        version: None,
        runs: vec![ledger.run],
        remarks: vec![
            "its `constant` load has exponential gaps whose sum is rescaled",
            "latencies start at the send; waiting for its own workers is in `schedule_delay` only",
        ],
    })
}

/// Accounts for what is none of ours, within the successes and beside them.
fn leave(ledger: &mut Ledger<'_>, fields: &Map<String, Value>, load: &Map<String, Value>) {
    let named = |sections: [(&str, Option<&Value>); 2], known: &[&str], parent: &str| {
        let keys = sections.into_iter().filter_map(|(name, v)| Some((name, v?.as_object()?)));
        keys.flat_map(|(name, object)| {
            object.keys().filter(|k| !known.contains(&k.as_str())).map(move |k| format!("{parent}{name}.{k}"))
        })
        .collect::<Vec<_>>()
    };
    let latencies: Vec<&str> = LATENCIES.iter().map(|l| l.0).chain(RATES.iter().map(|r| r.0)).collect();
    let inner = [("latency", ledger.get("latency")), ("throughput", ledger.get("throughput"))];
    let inner = named(inner, &latencies, "");
    ledger.account(&[], |key| match key {
        "request_size_bytes" => Some("bytes; ours are tokens"),
        "prompt_len" | "output_len" | "prompt_tokens" | "output_tokens" => {
            Some("lengths of texts; the file has no requests")
        }
        _ => None,
    });
    let mut leave = |theirs: String, why| ledger.run.unmapped.push(Unmapped { theirs, why });
    for key in inner {
        leave(key, "no figure of ours has its definition");
    }
    if load.get("schedule_delay").is_some_and(|v| !v.is_null()) {
        leave("load_summary.schedule_delay".into(), "a sum over requests, not a distribution");
    }
    if load.get("achieved_rate").is_some_and(|v| !v.is_null()) {
        leave("load_summary.achieved_rate".into(), "requests sent, whether or not they were answered");
    }
    if fields.get("goodput_metrics").is_some_and(|v| !v.is_null()) {
        let why = "a request without the figure fails its objective, and input tokens count as good: another goodput";
        leave("goodput_metrics".into(), why);
    }
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
        let value = value.and_then(|v| v.get(word));
        let value = ledger.doubt.amount(format_args!("successes.{theirs}.{word}"), value);
        ledger.book((metric, statistic), format!("{theirs}.{word}"), value, 1e3, note);
    }
}
