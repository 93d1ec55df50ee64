//! A run of a million requests, five load points of 200 000 with 32 output events each, exported in every form: time and
//! memory at most. `cargo bench -p benchhost --bench export`; `-- 100000` for another number of rows. Decides nothing.

#![allow(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use benchhost_model::{LoadPoint, Nanos, Outcome, Record, Target, TokensSource};
use benchhost_store::{EventBlock, Layout, RunWriter, StampsFrom};

const POINTS: u64 = 5;
const EVENTS: u64 = 32;

fn main() {
    let rows = std::env::args().skip(1).find_map(|a| a.parse::<u64>().ok()).unwrap_or(1_000_000);
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let run = scratch.path().join("run");
    write(&run, rows);
    let bytes = |name: &str| std::fs::metadata(run.join(name)).map_or(0, |m| m.len()) / 1_000_000;
    println!("{rows} rows in {POINTS} load points, {EVENTS} events each");
    println!("  requests.csv {} MB, events.bin {} MB", bytes("requests.csv"), bytes("events.bin"));
    println!("  {:<28} {:>8} {:>12} {:>10}", "form", "time", "memory", "file");
    for form in [
        "openmetrics",
        "parquet",
        "parquet --events events.out",
        "jsonl",
        "jsonl --gaps",
        "aiperf --requests",
        "aiperf",
        "vllm",
        "guidellm",
        "vllm --load concurrency=4",
    ] {
        let (took, peak_mb, size) = export(scratch.path(), form);
        println!("  {form:<28} {:>6.1} s {peak_mb:>9} MB {:>7} MB", took.as_secs_f64(), size / 1_000_000);
    }
}

/// Runs the program; its time, its resident memory at most, and how much it wrote.
fn export(folder: &Path, form: &str) -> (Duration, u64, u64) {
    let start = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_benchhost"))
        .current_dir(folder)
        .args(["-q", "export", "run", "--out", "out", "--as"])
        .args(form.split(' '))
        .stdout(Stdio::null())
        .spawn()
        .expect("the program starts");
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kb = 0;
    let ended = loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find(|l| l.starts_with("VmHWM"));
        let now = line.and_then(|l| l.split_whitespace().nth(1)?.parse::<u64>().ok());
        peak_kb = now.unwrap_or(0).max(peak_kb);
        if let Some(ended) = child.try_wait().expect("a child") {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(ended.success(), "{form}");
    (start.elapsed(), peak_kb / 1024, std::fs::metadata(folder.join("out")).map_or(0, |m| m.len()))
}

fn write(run: &Path, rows: u64) {
    let layout = Layout::new(run);
    let mut writer = RunWriter::create(layout.clone(), vec!["exact".into()], None).expect("a run");
    for row in 1..=rows {
        let (record, block) = request(row, (row - 1) * POINTS / rows);
        writer.request(&record).expect("a row");
        writer.events(&block).expect("events");
    }
    writer.flush().expect("written");
    let manifest = serde_json::json!({
        "schema_version": benchhost_store::SCHEMA_VERSION, "tool": "benchhost", "run_id": "made",
        "started_unix_s": 1_795_329_412_u64, "target": "simulated", "plan_digest": "", "seed": 1, "engines": [],
        "workloads": [], "gpus": [], "gpu_note": "", "gpu_price_usd_per_hour": null, "host": {},
    });
    std::fs::write(layout.manifest(), manifest.to_string()).expect("written");
}

/// Request `row` of point `point`, with times that differ from row to row as measured ones do.
fn request(row: u64, point: u64) -> (Record, EventBlock) {
    let noise = |salt: u64| (row ^ salt).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 44;
    let send = row * 2_000_003 + noise(1);
    let first = send + 40_000_000 + 20 * noise(2);
    let steps = (1..EVENTS).map(|event| 9_000_000 + noise(event + 2));
    let gaps: Vec<u64> = std::iter::once(first).chain(steps).collect();
    let last: u64 = gaps.iter().sum();
    let at = |ns: u64| Some(Nanos::new(ns));
    let ms = |from: u64, to: u64| Some((to - from) as f64 / 1e6);
    let tokens = u32::try_from(EVENTS).expect("few");
    let per_token = ms(first, last).map(|span| span / f64::from(tokens - 1));
    let record = Record {
        row,
        run_id: "made".into(),
        engine: "vllm".into(),
        model: "made/model-8b".into(),
        target: Target::Simulated,
        workload: "mixed".into(),
        category: ["chat", "code", "summary"][usize::try_from(row % 3).expect("small")].into(),
        item: format!("mixed/{}", row % 10_000),
        load: LoadPoint::Concurrency(1 << point),
        arrivals: "closed".into(),
        session: Some(row),
        plan_digest: "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef".into(),
        outcome: Outcome::Completed,
        status: Some(200),
        finish: "stop".into(),
        attempts: 1,
        conn_reused: true,
        t_sched_ns: Nanos::new(send),
        t_conn_ns: at(send),
        t_send_ns: at(send),
        t_headers_ns: at(first - 30_000),
        t_first_ns: at(first),
        t_last_ns: at(last),
        t_end_ns: at(last + 40_000),
        t_answer_ns: at(first),
        events: tokens,
        stamps: "kernel".into(),
        lag_first_ns: Some(noise(40) >> 8),
        lag_max_ns: Some(noise(41) >> 6),
        input_tokens: Some(100 + u32::try_from(row % 900).expect("small")),
        output_tokens: Some(tokens),
        cached_tokens: Some(0),
        n_first_tokens: Some(1),
        tokens_source: TokensSource::Usage,
        output_tokens_asked: Some(tokens),
        output_exact: true,
        tokens_by: "server".into(),
        ttft_ms: ms(send, first),
        ttft_sched_ms: ms(send, first),
        ttfat_ms: ms(send, first),
        tpot_ms: per_token,
        tpot_n1_ms: per_token,
        itl_mean_ms: per_token,
        icl_max_ms: gaps[1..].iter().max().map(|g| *g as f64 / 1e6),
        e2e_ms: ms(send, last),
        e2e_sched_ms: ms(send, last),
        scores: [("exact".to_owned(), (row % 2) as f64)].into(),
        ..Record::blank()
    };
    let lags = vec![Some(u32::try_from(noise(42) >> 6).expect("20 bits")); gaps.len()];
    let block = EventBlock {
        row,
        kinds: "a".repeat(gaps.len()),
        tokens: vec![1; gaps.len()],
        lags,
        gaps,
        sharing: Vec::new(),
        stamps: StampsFrom::Kernel,
    };
    (record, block)
}
