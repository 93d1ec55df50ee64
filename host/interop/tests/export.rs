//! What is exported in another tool's form is read back by our own import as the same figures and requests, and has what
//! readers of that form look for.

use benchhost_interop::{Exporter, Form, Imported, ImportedRequest, Origin, Statistic, openmetrics, read};
use benchhost_model::{
    Distribution, Failure, LoadPoint, Nanos, Outcome, Phase, Record, SummaryRow, Target, TokensSource,
};
use serde_json::Value;

fn origin() -> Origin {
    Origin { exported_by: "benchhost 9.9.9".into(), started_unix_s: 1_795_329_412 }
}

/// Request `i` of a point: three chunks of two tokens a piece of its own rhythm; every seventh fails.
fn request(i: u64, load: LoadPoint) -> (Record, Vec<u64>) {
    let sched = 1_000_000 * (1 + 37 * i);
    let send = sched + 250_123;
    let first = send + 20_000_000 + 777_777 * (i % 5);
    let gaps = vec![6_000_001 + 1_000 * i, 7_500_000 + 333 * (i % 3)];
    let last = first + gaps.iter().sum::<u64>();
    let at = |ns: u64| Some(Nanos::new(ns));
    let ms = |from: u64, to: u64| Some((to - from) as f64 / 1e6);
    let base = Record {
        row: i + 1,
        run_id: "r1".into(),
        engine: "vllm".into(),
        variant: "fp8".into(),
        model: "m".into(),
        target: Target::Simulated,
        workload: "w".into(),
        item: format!("item-{i}"),
        load,
        arrivals: "poisson".into(),
        attempts: 1,
        t_sched_ns: Nanos::new(sched),
        t_send_ns: at(send),
        input_tokens: Some(100 + u32::try_from(i).unwrap()),
        ..Record::blank()
    };
    if i % 7 == 6 {
        let failed = Record {
            outcome: Outcome::Failed,
            failure: Some(Failure::Http(503)),
            failure_detail: "overloaded".into(),
            status: Some(503),
            ..base
        };
        return (failed, Vec::new());
    }
    let whole = Record {
        outcome: Outcome::Completed,
        t_first_ns: at(first),
        t_answer_ns: at(first),
        t_last_ns: at(last),
        t_end_ns: at(last + 40_000),
        events: 3,
        output_tokens: Some(6),
        tokens_source: TokensSource::Usage,
        ttft_ms: ms(send, first),
        ttfat_ms: ms(send, first),
        tpot_n1_ms: Some((last - first) as f64 / 1e6 / 5.0),
        e2e_ms: ms(send, last),
        ..base
    };
    (whole, gaps)
}

fn rows(n: u64, load: LoadPoint) -> Vec<(Record, Vec<u64>)> {
    (0..n).map(|i| request(i, load)).collect()
}

fn exported(form: Form, rows: &[(Record, Vec<u64>)]) -> String {
    let mut exporter = Exporter::new(form, origin(), Vec::new()).unwrap();
    for (record, gaps) in rows {
        exporter.push(record, (!gaps.is_empty()).then_some(gaps)).unwrap();
    }
    String::from_utf8(exporter.finish().unwrap()).unwrap()
}

fn close(left: f64, right: f64, what: &str) {
    assert!((left - right).abs() <= 1e-9 * right.abs().max(1.0), "{what}: {left} and {right}");
}

fn figure(imported: &Imported, metric: &str, statistic: Statistic) -> f64 {
    imported.runs[0].figure(metric, statistic).unwrap_or_else(|| panic!("no {metric}")).value
}

fn whole(rows: &[(Record, Vec<u64>)]) -> impl Iterator<Item = &(Record, Vec<u64>)> {
    rows.iter().filter(|(r, _)| r.outcome == Outcome::Completed)
}

/// numpy's default percentile.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place within the list")]
fn percentile(mut values: Vec<f64>, q: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = q * (values.len() - 1) as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    values[low] + place.fract() * (values[high] - values[low])
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

type Of = fn(&Record) -> Option<f64>;

fn latencies() -> [(&'static str, Of); 3] {
    [("ttft", |r| r.ttft_ms), ("tpot_n1", |r| r.tpot_n1_ms), ("e2e", |r| r.e2e_ms)]
}

/// Makespan in seconds.
fn makespan(rows: &[(Record, Vec<u64>)]) -> f64 {
    let from = rows.iter().filter_map(|(r, _)| r.t_send_ns).min().unwrap();
    let until = rows.iter().filter_map(|(r, _)| r.t_last_ns).max().unwrap();
    (until - from).as_secs()
}

#[test]
fn figures_come_back_as_the_rows_have_them() {
    let rows = rows(40, LoadPoint::Rate(27.0));
    let n = whole(&rows).count();
    for form in [Form::Vllm, Form::Aiperf] {
        let imported = read(&exported(form, &rows)).unwrap();
        assert_eq!(imported.runs.len(), 1);
        let run = &imported.runs[0];
        assert_eq!((run.completed, run.failed), (Some(n as u64), Some((40 - n) as u64)), "{form:?}");
        assert_eq!((run.engine.as_str(), run.model.as_str()), ("vllm", "m"));
        assert_eq!(run.load, Some(LoadPoint::Rate(27.0)));
        for (metric, of) in latencies() {
            let values: Vec<f64> = whole(&rows).filter_map(|(r, _)| of(r)).collect();
            close(figure(&imported, metric, Statistic::Mean), mean(&values), metric);
            for (statistic, q) in
                [(Statistic::P50, 0.5), (Statistic::P90, 0.9), (Statistic::P95, 0.95), (Statistic::P99, 0.99)]
            {
                close(figure(&imported, metric, statistic), percentile(values.clone(), q), metric);
            }
        }
        let gaps: Vec<f64> = whole(&rows).flat_map(|(_, g)| g).map(|g| *g as f64 / 1e6).collect();
        close(figure(&imported, "icl", Statistic::Mean), mean(&gaps), "icl");
        close(figure(&imported, "duration_s", Statistic::Total), makespan(&rows), "duration");
        close(figure(&imported, "req_s_makespan", Statistic::Total), n as f64 / makespan(&rows), "req_s");
        let tokens = (n * 6) as f64;
        close(
            figure(&imported, "out_tok_s_makespan", Statistic::Total),
            tokens / makespan(&rows),
            "out_tok_s",
        );
    }
}

fn same_requests(back: &[ImportedRequest], rows: &[(Record, Vec<u64>)], grain_ms: f64, form: Form) {
    assert_eq!(back.len(), rows.len(), "{form:?}");
    for (request, (record, gaps)) in back.iter().zip(rows) {
        let read = &request.record;
        assert_eq!((read.outcome, read.target), (record.outcome, Target::Simulated), "{form:?}");
        assert_eq!((read.input_tokens, read.output_tokens), (record.input_tokens, record.output_tokens));
        assert_eq!((read.load.key(), read.variant.as_str()), (record.load.key(), "fp8"));
        for (metric, of) in latencies() {
            let (left, right) = (of(read), of(record));
            assert_eq!(left.is_some(), right.is_some(), "{form:?} {metric}");
            let grain = if metric == "e2e" { grain_ms } else { 0.0 };
            let far = left.zip(right).map_or(0.0, |(l, r)| (l - r).abs());
            assert!(far <= 1e-9 * 100.0 + grain, "{form:?} {metric}: {left:?} and {right:?}");
        }
        if !matches!(form, Form::Guidellm) {
            assert_eq!(request.gaps_ms.len(), gaps.len());
            for (left, right) in request.gaps_ms.iter().zip(gaps) {
                close(*left, *right as f64 / 1e6, "gap");
            }
        }
        if record.outcome == Outcome::Failed {
            assert!(read.failure_detail.contains("http_503: overloaded"), "{}", read.failure_detail);
        }
    }
}

#[test]
fn requests_come_back_as_they_were() {
    let rows = rows(40, LoadPoint::Concurrency(3));
    // GuideLLM's stamps are Unix seconds in a double: a grain of 0.24 µs.
    for (form, grain_ms) in [(Form::Vllm, 0.0), (Form::AiperfRequests, 0.0), (Form::Guidellm, 0.001)] {
        let imported = read(&exported(form, &rows)).unwrap();
        same_requests(&imported.runs[0].requests, &rows, grain_ms, form);
    }
}

#[test]
fn guidellm_figures_are_weighted_as_it_weights_them() {
    let rows = rows(40, LoadPoint::Concurrency(3));
    let imported = read(&exported(Form::Guidellm, &rows)).unwrap();
    let run = &imported.runs[0];
    assert_eq!((run.completed, run.failed), (Some(35), Some(5)));
    assert_eq!(run.load, Some(LoadPoint::Concurrency(3)));
    let of = |value: Of| whole(&rows).filter_map(|(r, _)| value(r)).collect::<Vec<_>>();
    close(figure(&imported, "ttft", Statistic::Mean), mean(&of(|r| r.ttft_ms)), "ttft");
    // All have as many tokens, so the weights are equal.
    close(figure(&imported, "tpot_n1", Statistic::Mean), mean(&of(|r| r.tpot_n1_ms)), "tpot_n1");
    let norm: Vec<f64> = of(|r| r.e2e_ms).iter().map(|ms| ms / 6.0).collect();
    close(figure(&imported, "norm_latency", Statistic::Mean), mean(&norm), "norm_latency");
    let body: Vec<f64> =
        whole(&rows).map(|(r, _)| r.t_end_ns.unwrap().ms_since(r.t_send_ns.unwrap())).collect();
    close(figure(&imported, "e2e_body", Statistic::Mean), mean(&body), "e2e_body");
    let mut ttfts = of(|r| r.ttft_ms);
    ttfts.sort_by(f64::total_cmp);
    assert_eq!(figure(&imported, "ttft", Statistic::P50).to_bits(), ttfts[17].to_bits(), "one of the values");
    assert!(figure(&imported, "out_tok_s", Statistic::Total) > figure(&imported, "req_s", Statistic::Total));
}

#[test]
fn every_load_point_and_repeat_is_a_run_of_its_own_and_keeps_its_load() {
    let loads = [LoadPoint::Concurrency(1), LoadPoint::Batch(4), LoadPoint::Trace(2.0), LoadPoint::Rate(0.5)];
    let mut all: Vec<(Record, Vec<u64>)> = loads.iter().flat_map(|l| rows(8, *l)).collect();
    all.extend(rows(8, LoadPoint::Rate(0.5)).into_iter().map(|(r, g)| (Record { repeat: 2, ..r }, g)));
    for form in [Form::Vllm, Form::Aiperf, Form::AiperfRequests, Form::Guidellm] {
        let imported = read(&exported(form, &all)).unwrap();
        let found: Vec<_> = imported.runs.iter().map(|r| r.load.unwrap().key()).collect();
        let mut expected: Vec<_> = loads.iter().map(|l| l.key()).collect();
        expected.push(LoadPoint::Rate(0.5).key());
        assert_eq!(found, expected, "{form:?}");
    }
}

#[test]
fn warm_up_and_drain_are_in_no_form_but_our_own() {
    let mut all = rows(8, LoadPoint::Concurrency(1));
    all[0].0.phase = Phase::Warmup;
    all[1].0.phase = Phase::Drain;
    for form in [Form::Vllm, Form::AiperfRequests, Form::Guidellm] {
        assert_eq!(read(&exported(form, &all)).unwrap().runs[0].requests.len(), 6, "{form:?}");
    }
    assert_eq!(exported(Form::Jsonl { gaps: false }, &all).lines().count(), 8);
}

#[test]
fn what_is_not_known_is_left_out_and_never_zero() {
    let mut all = rows(3, LoadPoint::Concurrency(1));
    for (record, gaps) in &mut all {
        record.output_tokens = None;
        record.tpot_n1_ms = None;
        gaps.clear();
    }
    for form in [Form::Vllm, Form::Aiperf] {
        let imported = read(&exported(form, &all)).unwrap();
        for metric in ["tpot_n1", "icl", "output_tokens", "out_tok_s_makespan"] {
            assert!(imported.runs[0].figures.iter().all(|f| f.metric != metric), "{form:?} {metric}");
        }
        assert!(imported.runs[0].figure("ttft", Statistic::Mean).is_some());
    }
    for request in &read(&exported(Form::Vllm, &all)).unwrap().runs[0].requests {
        assert_eq!((request.record.output_tokens, request.record.outcome), (None, Outcome::Completed));
    }
}

#[test]
fn no_rows_make_a_file_that_is_empty_or_has_no_benchmarks() {
    for form in [Form::Vllm, Form::Aiperf, Form::AiperfRequests, Form::Jsonl { gaps: true }] {
        assert_eq!(exported(form, &[]), "", "{form:?}");
    }
    assert_eq!(read(&exported(Form::Guidellm, &[])).unwrap().runs.len(), 0);
}

#[test]
fn only_failures_make_a_file_without_latencies() {
    let all: Vec<_> = rows(14, LoadPoint::Concurrency(1)).into_iter().filter(|(_, g)| g.is_empty()).collect();
    assert_eq!(all.len(), 2);
    let imported = read(&exported(Form::Vllm, &all)).unwrap();
    assert_eq!((imported.runs[0].completed, imported.runs[0].failed), (Some(0), Some(2)));
    assert!(imported.runs[0].figure("ttft", Statistic::Mean).is_none());
    assert_eq!(read(&exported(Form::Guidellm, &all)).unwrap().runs[0].failed, Some(2));
}

fn first_line(text: &str) -> Value {
    serde_json::from_str(text.lines().next().unwrap()).unwrap()
}

fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|_| first_line(&text))
}

/// Paths of keys in `theirs` that `ours` lacks, apart from those that begin with one of `allowed`.
fn lacking(theirs: &Value, ours: &Value, path: &str, allowed: &[&str], found: &mut Vec<String>) {
    let Some(fields) = theirs.as_object() else { return };
    for (key, value) in fields {
        let at = format!("{path}/{key}");
        if allowed.iter().any(|a| at.starts_with(a)) {
            continue;
        }
        match ours.get(key) {
            None => found.push(at),
            // Their intervals may be missing, and are in files without `--confidence`.
            Some(Value::Null) if matches!(key.as_str(), "mean_ci" | "percentile_cis") => {}
            Some(own) => lacking(value, own, &at, allowed, found),
        }
    }
}

#[test]
fn the_keys_of_real_files_are_there() {
    let rows = rows(20, LoadPoint::Concurrency(3));
    let check = |file: &str, form: Form, pointer: &str, allowed: &[&str]| {
        let (theirs, ours) = (fixture(file), exported(form, &rows));
        let ours: Value = serde_json::from_str(&ours).unwrap_or_else(|_| first_line(&ours));
        let mut found = Vec::new();
        let at = |v: &Value| v.pointer(pointer).cloned().unwrap();
        lacking(&at(&theirs), &at(&ours), "", allowed, &mut found);
        assert!(found.is_empty(), "{file}{pointer} has, ours lacks: {found:#?}");
    };
    let texts = ["/generated_texts", "/max_output_tokens_per_s", "/max_concurrent_requests", "/rtfx"];
    check("vllm-bench.json", Form::Vllm, "", &texts);
    let not_ours = [
        "/http_req_",
        "/effective_",
        "/active_",
        "/usage_",
        "/total_usage_",
        "/overall_usage_",
        "/good",
        "/tokens_in_flight",
        "/credit_to_start_latency",
        "/telemetry_data",
        "/input_config",
    ];
    check("aiperf.json", Form::Aiperf, "", &not_ours);
    let not_ours = [
        "/metadata/profiling_index",
        "/metadata/phase_index",
        "/metadata/request_ack_ns",
        "/metrics/http_req_",
        "/metrics/usage_",
        "/metrics/good",
        "/metrics/decode_duration",
        "/metrics/time_to_second_token",
        "/metrics/output_token_count",
        "/metrics/e2e_",
        "/metrics/prefill_",
        "/metrics/output_token_throughput",
        "/metadata/context_overflow_skip",
        "/metadata/agent_depth",
        "/metadata/root_correlation_id",
    ];
    check("aiperf.jsonl", Form::AiperfRequests, "", &not_ours);
    let not_ours = [
        "/text",
        "/image",
        "/video",
        "/audio",
        "/tool_call",
        "/turn",
        "/request_dispatch",
        "/request_scheduled",
        "/root_dispatch",
        "/inter_token_latency_ms/x",
    ];
    check("guidellm.json", Form::Guidellm, "/benchmarks/0/metrics", &not_ours);
    check("guidellm.json", Form::Guidellm, "/benchmarks/0/requests", &[]);
    check("guidellm.json", Form::Guidellm, "/benchmarks/0/scheduler_metrics", &[]);
}

#[test]
fn every_exported_file_says_who_wrote_it_and_that_the_server_was_simulated() {
    let rows = rows(3, LoadPoint::Concurrency(1));
    for form in [Form::Vllm, Form::Aiperf, Form::AiperfRequests, Form::Guidellm, Form::Jsonl { gaps: true }] {
        let text = exported(form, &rows);
        assert!(text.contains("\"exported_by\":\"benchhost 9.9.9\""), "{form:?}");
        assert!(text.contains("\"target\":\"simulated\""), "{form:?}");
    }
}

#[test]
fn json_lines_have_every_column_and_gaps_when_asked() {
    let rows = rows(8, LoadPoint::Concurrency(1));
    let line = first_line(&exported(Form::Jsonl { gaps: true }, &rows));
    let record = serde_json::to_value(&rows[0].0).unwrap();
    for (column, value) in record.as_object().unwrap() {
        assert_eq!(line.get(column), Some(value), "{column}");
    }
    assert_eq!(line["gaps_ns"], serde_json::json!(rows[0].1));
    assert!(first_line(&exported(Form::Jsonl { gaps: false }, &rows)).get("gaps_ns").is_none());
    let scored = Record { scores: [("bleu".to_owned(), 0.5)].into(), ..rows[0].0.clone() };
    assert_eq!(first_line(&exported(Form::Jsonl { gaps: false }, &[(scored, vec![])]))["score_bleu"], 0.5);
}

#[test]
fn an_exposition_has_units_in_names_labels_escaped_and_an_end() {
    let row = SummaryRow {
        engine: "vllm".into(),
        variant: "a\"b\\c\nd".into(),
        req_s: Some(12.5),
        ttft: Distribution { mean: Some(20.0), p99: Some(f64::NAN), ..Distribution::default() },
        scores: [("bleu".to_owned(), 0.5)].into(),
        ..SummaryRow::blank(LoadPoint::Concurrency(8))
    };
    let mut out = Vec::new();
    openmetrics(&[row], &origin(), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.ends_with("\n# EOF\n") && text.matches("# EOF").count() == 1);
    assert!(
        text.contains("variant=\"a\\\"b\\\\c\\nd\",target=\"simulated\",load=\"concurrency=8\",repeat=\"1\"")
    );
    assert!(
        text.contains("benchhost_ttft_seconds{") && text.contains("statistic=\"mean\"} 0.02\n"),
        "{text}"
    );
    assert!(!text.contains("p99") && !text.contains("NaN"), "what is missing has no line");
    assert!(text.contains("benchhost_score{") && text.contains("score=\"bleu\"} 0.5"));
    for line in text.lines().filter(|l| l.starts_with("# UNIT ")) {
        let words: Vec<&str> = line.split(' ').collect();
        assert!(words[2].ends_with(&format!("_{}", words[3])), "{line}: a name ends in its unit");
    }
    let mut empty = Vec::new();
    openmetrics(&[], &origin(), &mut empty).unwrap();
    assert!(String::from_utf8(empty).unwrap().ends_with("# EOF\n"));
}
