//! A run exported in another tool's form and read back: every cell of every request is the same, within a stated grain, or
//! lost, as FORMATS.md says; so is every figure.

use std::collections::{BTreeMap, BTreeSet};

use benchhost_interop::{Exporter, Form, Imported, Origin, read};
use benchhost_model::{Failure, LoadPoint, Nanos, Outcome, Record, Target, TokensSource};
use serde_json::Value;

/// When request `i` was due, sent and first answered in nanoseconds, and the gaps after that.
fn times(i: u64) -> (u64, u64, u64, Vec<u64>) {
    let sched = 1_000_003 + 13_000_000 * i;
    let send = sched + 41_007 * (i % 3);
    let first = send + 20_000_001 + 712_345 * (i % 7);
    (sched, send, first, (0..4).map(|g| 6_000_001 + 900_001 * ((i + g) % 5)).collect())
}

fn ms(from: u64, to: u64) -> f64 {
    (to - from) as f64 / 1e6
}

/// What is known of request `i` before its answer.
fn sent(i: u64, load: LoadPoint) -> Record {
    let (sched, send, ..) = times(i);
    Record {
        row: i + 1,
        run_id: "r1".into(),
        engine: "vllm".into(),
        variant: "fp8".into(),
        model: "m".into(),
        target: Target::Simulated,
        workload: "w".into(),
        category: "c".into(),
        item: format!("item-{i}"),
        turn: u32::try_from(i % 2).unwrap(),
        load,
        arrivals: "closed".into(),
        session: Some(i / 2),
        plan_digest: "00ff".into(),
        attempts: 1,
        conn_reused: true,
        t_sched_ns: Nanos::new(sched),
        t_slot_ns: Some(Nanos::new(sched)),
        t_conn_ns: Some(Nanos::new(send)),
        t_send_ns: Some(Nanos::new(send)),
        input_tokens: Some(100 + u32::try_from(i).unwrap()),
        input_tokens_asked: Some(90),
        template_tokens: Some(10),
        output_tokens_asked: Some(64),
        output_exact: true,
        tokens_by: "server".into(),
        ..Record::blank()
    }
}

/// Request `i` when the server refused it.
fn refused(i: u64, load: LoadPoint) -> Record {
    let (_, send, ..) = times(i);
    Record {
        outcome: Outcome::Failed,
        failure: Some(Failure::Http(503)),
        failure_detail: "overloaded".into(),
        status: Some(503),
        t_headers_ns: Some(Nanos::new(send + 1_000_000)),
        t_end_ns: Some(Nanos::new(send + 2_000_000)),
        ..sent(i, load)
    }
}

/// Request `i` when its user left after the first token.
fn left(i: u64, load: LoadPoint) -> Record {
    let (_, send, first, _) = times(i);
    Record {
        outcome: Outcome::HungUp,
        status: Some(200),
        t_headers_ns: Some(Nanos::new(first - 1000)),
        t_first_ns: Some(Nanos::new(first)),
        t_last_ns: Some(Nanos::new(first)),
        t_end_ns: Some(Nanos::new(first + 5)),
        events: 1,
        ttft_ms: Some(ms(send, first)),
        ..sent(i, load)
    }
}

/// Request `i` with its whole answer, two tokens in the first event, reasoning before the answer.
fn whole(i: u64, load: LoadPoint) -> Record {
    let (sched, send, first, gaps) = times(i);
    let last = first + gaps.iter().sum::<u64>();
    let span = (last - first) as f64 / 1e6;
    Record {
        outcome: Outcome::Completed,
        status: Some(200),
        finish: "stop".into(),
        t_headers_ns: Some(Nanos::new(first - 1000)),
        t_first_ns: Some(Nanos::new(first)),
        t_answer_ns: Some(Nanos::new(first + gaps[0])),
        t_last_ns: Some(Nanos::new(last)),
        t_end_ns: Some(Nanos::new(last + 40_000)),
        events: 5,
        stamps: "kernel".into(),
        lag_first_ns: Some(900),
        lag_max_ns: Some(1200),
        together: 1,
        output_tokens: Some(8),
        reasoning_tokens: Some(2),
        cached_tokens: Some(16),
        n_first_tokens: Some(2),
        tokens_source: TokensSource::Usage,
        ttft_ms: Some(ms(send, first)),
        ttft_sched_ms: Some(ms(sched, first)),
        tpot_ms: Some(span / 6.0),
        ttfat_ms: Some(ms(send, first + gaps[0])),
        tpot_n1_ms: Some(span / 7.0),
        itl_mean_ms: Some(span / 6.0),
        icl_max_ms: gaps.iter().max().map(|g| *g as f64 / 1e6),
        e2e_ms: Some(ms(send, last)),
        e2e_sched_ms: Some(ms(sched, last)),
        ..sent(i, load)
    }
}

/// A load point with every kind of end, reasoning, cached tokens, sessions and a category; some waited before their send.
fn rows(load: LoadPoint) -> Vec<(Record, Vec<u64>)> {
    let request = |i: u64| match i % 12 {
        5 => (refused(i, load), Vec::new()),
        8 => (left(i, load), Vec::new()),
        _ => (whole(i, load), times(i).3),
    };
    (0..60).map(request).collect()
}

fn back(form: Form, rows: &[(Record, Vec<u64>)]) -> Imported {
    let origin = Origin { exported_by: "benchhost 9.9.9".into(), started_unix_s: 1_795_329_412 };
    let mut exporter = Exporter::new(form, origin, Vec::new()).unwrap();
    for (record, gaps) in rows {
        exporter.push(record, (!gaps.is_empty()).then_some(gaps)).unwrap();
    }
    read(std::str::from_utf8(&exporter.finish().unwrap()).unwrap()).unwrap()
}

fn cells(record: &Record) -> BTreeMap<String, Value> {
    let Ok(Value::Object(fields)) = serde_json::to_value(record) else { panic!("a row is an object") };
    fields.into_iter().collect()
}

/// Times of an imported file are from its first due time or send, where ours are from the run's start; compare both from
/// the first send.
fn from_first_send(mut record: Record, zero: Nanos) -> Record {
    let due = &mut record.t_sched_ns;
    *due = Nanos::new(due.get().wrapping_sub(zero.get()));
    for at in [
        &mut record.t_slot_ns,
        &mut record.t_conn_ns,
        &mut record.t_send_ns,
        &mut record.t_headers_ns,
        &mut record.t_first_ns,
        &mut record.t_last_ns,
        &mut record.t_end_ns,
        &mut record.t_answer_ns,
    ] {
        *at = at.map(|at| Nanos::new(at.get().wrapping_sub(zero.get())));
    }
    record
}

fn first_send(records: impl Iterator<Item = Record>) -> Nanos {
    records.filter_map(|r| r.t_send_ns).min().unwrap()
}

/// Cells that do not come back, over all requests.
fn lost(form: Form, load: LoadPoint) -> BTreeSet<String> {
    let rows = rows(load);
    let imported = back(form, &rows);
    let found = &imported.runs[0].requests;
    assert_eq!((imported.runs.len(), found.len()), (1, rows.len()));
    let ours = first_send(rows.iter().map(|(r, _)| r.clone()));
    let theirs = first_send(found.iter().map(|r| r.record.clone()));
    // A double of Unix seconds has a grain of 0.24 µs; seconds since some zero are exact to the nanosecond.
    let (of_times, of_figures) = if form == Form::Guidellm { (500.0, 5e-4) } else { (1.0, 1e-9) };
    let mut lost = BTreeSet::new();
    for ((record, _), request) in rows.iter().zip(found) {
        let left = cells(&from_first_send(record.clone(), ours));
        let right = cells(&from_first_send(request.record.clone(), theirs));
        for (column, value) in &left {
            let near = |grain: f64| {
                let (a, b) = (value.as_f64(), right[column].as_f64());
                a.zip(b).is_some_and(|(a, b)| (a - b).abs() <= grain)
            };
            let same = *value == right[column]
                || (column.ends_with("_ns") && near(of_times))
                || (column.ends_with("_ms") && near(of_figures));
            if !same {
                lost.insert(column.clone());
            }
        }
    }
    lost
}

/// What no form has words for.
const EVERYWHERE: [&str; 28] = [
    "arrivals",
    "category",
    "conn_reused",
    "failure",
    "finish",
    "input_tokens_asked",
    "itl_mean_ms",
    "lag_first_ns",
    "lag_max_ns",
    "n_first_tokens",
    "output_exact",
    "output_tokens_asked",
    "plan_digest",
    "run_id",
    "session",
    "stamps",
    "status",
    "t_conn_ns",
    "t_headers_ns",
    "t_slot_ns",
    "template_tokens",
    "together",
    "tokens_by",
    "tokens_source",
    "tpot_ms",
    "e2e_sched_ms",
    "ttft_sched_ms",
    "failure_detail",
];

fn expected(more: &[&str]) -> BTreeSet<String> {
    EVERYWHERE.iter().chain(more).map(|c| (*c).to_owned()).collect()
}

const VLLM: [&str; 13] = [
    "cached_tokens",
    "events",
    "item",
    "outcome",
    "reasoning_tokens",
    "t_answer_ns",
    "t_end_ns",
    "t_first_ns",
    "t_last_ns",
    "t_sched_ns",
    "ttfat_ms",
    "ttft_ms",
    "turn",
];
const AIPERF: [&str; 8] = [
    "cached_tokens",
    "events",
    "t_answer_ns",
    "t_end_ns",
    "t_first_ns",
    "t_last_ns",
    "t_sched_ns",
    "ttft_ms",
];
const GUIDELLM: [&str; 4] = ["icl_max_ms", "outcome", "reasoning_tokens", "ttft_ms"];

const FORMS: [(Form, &[&str]); 3] =
    [(Form::Vllm, &VLLM), (Form::AiperfRequests, &AIPERF), (Form::Guidellm, &GUIDELLM)];

#[test]
fn what_a_round_trip_loses_is_known() {
    let found = FORMS.map(|(form, _)| lost(form, LoadPoint::Concurrency(4)));
    assert_eq!(found, FORMS.map(|(_, more)| expected(more)), "vLLM bench, AIPerf, GuideLLM");
}

#[test]
fn waiting_before_the_send_comes_back_from_vllm_bench_in_an_open_loop() {
    let open = lost(Form::Vllm, LoadPoint::Rate(50.0));
    let closed = lost(Form::Vllm, LoadPoint::Concurrency(4));
    let back: Vec<&str> = closed.difference(&open).map(String::as_str).collect();
    assert_eq!(back, ["e2e_sched_ms", "t_sched_ns", "ttft_sched_ms"]);
    assert!(open.is_subset(&closed), "{:?}", open.difference(&closed));
}

#[test]
fn every_lost_cell_stands_in_the_document() {
    let document = include_str!("../FORMATS.md");
    let section = document.split("## What a round trip loses").nth(1).expect("the section");
    let section = section.split("\n## ").next().expect("its end");
    for column in EVERYWHERE.iter().chain(&VLLM).chain(&AIPERF).chain(&GUIDELLM) {
        assert!(section.contains(&format!("`{column}`")), "{column}");
    }
}

/// Values of whole answers.
fn of(rows: &[(Record, Vec<u64>)], value: fn(&Record) -> Option<f64>) -> Vec<f64> {
    rows.iter().filter(|(r, _)| r.outcome == Outcome::Completed).filter_map(|(r, _)| value(r)).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn means_are_those_of_our_own_rows_in_every_form() {
    let rows = rows(LoadPoint::Concurrency(4));
    let own: [(&str, Vec<f64>); 5] = [
        ("ttft", of(&rows, |r| r.ttft_ms)),
        ("ttfat", of(&rows, |r| r.ttfat_ms)),
        ("tpot_n1", of(&rows, |r| r.tpot_n1_ms)),
        ("e2e", of(&rows, |r| r.e2e_ms)),
        ("norm_latency", of(&rows, |r| Some(r.e2e_ms? / f64::from(r.output_tokens?)))),
    ];
    for (form, has) in [
        (Form::Vllm, &["ttft", "tpot_n1", "e2e"][..]),
        (Form::Aiperf, &["ttft", "ttfat", "tpot_n1", "e2e"]),
        (Form::Guidellm, &["ttft", "ttfat", "tpot_n1", "norm_latency"]),
    ] {
        let imported = back(form, &rows);
        let run = &imported.runs[0];
        for (metric, values) in &own {
            let figure = run.figures.iter().find(|f| f.metric == *metric && f.statistic.as_str() == "mean");
            assert_eq!(figure.is_some(), has.contains(metric), "{form:?}: {metric}");
            if let Some(figure) = figure {
                let far = (figure.value - mean(values)).abs();
                assert!(far <= 1e-9 * figure.value, "{form:?}: {metric} is off by {far}");
            }
        }
        let answered = of(&rows, |_| Some(1.0)).len() as u64;
        assert_eq!(run.completed, Some(answered), "{form:?}");
        // GuideLLM counts those who left apart, AIPerf as neither; vLLM bench knows only success and failure.
        assert_eq!(run.failed, Some(if form == Form::Vllm { 10 } else { 5 }), "{form:?}");
    }
}
