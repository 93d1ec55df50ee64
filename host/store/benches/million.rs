//! A run of a million requests: time a row, bytes an event, and the most memory it takes to write it and to read it back.
//! `cargo bench -p benchhost-store [-- ROWS [EVENTS_A_ROW]]`.

#![allow(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

use std::fs::File;
use std::io::{Error, Write};
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use benchhost_model::{Nanos, Outcome, Record, TokensSource};
use benchhost_store::{Completion, EventBlock, Joined, Layout, OutputRow, RunWriter, Sharing, StampsFrom};

/// A value of a line of `/proc/self/status`, in KiB.
fn status_kib(key: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    line.and_then(|rest| rest.trim_start_matches(':').split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// A row with every column that a streamed answer fills.
fn record() -> Record {
    let ns = |n| Some(Nanos::new(n));
    Record {
        run_id: "20261122-052736-34e8".into(),
        engine: "vllm".into(),
        model: "meta-llama/Llama-3.1-8B-Instruct".into(),
        workload: "synthetic".into(),
        item: "synthetic-001234".into(),
        arrivals: "poisson".into(),
        session: Some(1234),
        plan_digest: "5c5d300af6d3af73949cb7b622b5228e48f18c8a377e2d3a378c3b2711e81583".into(),
        outcome: Outcome::Completed,
        status: Some(200),
        finish: "length".into(),
        attempts: 1,
        conn_reused: true,
        t_sched_ns: Nanos::new(1_067_442_080),
        t_slot_ns: ns(1_067_442_080),
        t_conn_ns: ns(1_067_500_000),
        t_send_ns: ns(1_067_583_160),
        t_headers_ns: ns(1_072_883_189),
        t_first_ns: ns(1_481_815_667),
        t_last_ns: ns(2_146_428_220),
        t_end_ns: ns(2_146_543_682),
        t_answer_ns: ns(1_481_815_667),
        stamps: "kernel".into(),
        lag_first_ns: Some(18_211),
        lag_max_ns: Some(203_991),
        input_tokens: Some(512),
        output_tokens: Some(32),
        n_first_tokens: Some(1),
        tokens_source: TokensSource::Usage,
        output_tokens_asked: Some(32),
        ttft_ms: Some(414.232_507),
        ttft_sched_ms: Some(414.373_587),
        tpot_ms: Some(21.439_114_612_903_23),
        ttfat_ms: Some(414.232_507),
        tpot_n1_ms: Some(21.439_114_612_903_23),
        itl_mean_ms: Some(21.439_114_612_903_23),
        icl_max_ms: Some(22.715_696),
        e2e_ms: Some(1_078.845_06),
        e2e_sched_ms: Some(1_078.986_14),
        ..Record::blank()
    }
}

fn block(events: u64) -> EventBlock {
    let n = usize::try_from(events).unwrap_or(0);
    EventBlock {
        row: 0,
        gaps: (0..events)
            .map(|i| if i == 0 { 1_481_815_667 } else { 21_000_000 + i * 137_911 % 900_000 })
            .collect(),
        kinds: "a".repeat(n),
        tokens: vec![1; n],
        lags: (0..events).map(|i| u32::try_from(12_000 + i * 7919 % 90_000).ok()).collect(),
        sharing: (0..n).map(|i| if i % 16 == 7 { Sharing::Together } else { Sharing::Alone }).collect(),
        stamps: StampsFrom::Kernel,
    }
}

fn timed<E>(work: impl FnOnce() -> Result<(), E>) -> Result<Duration, E> {
    let at = Instant::now();
    work().map(|()| at.elapsed())
}

/// What a row costs that is already text: one `write` of it, and one by another thread that is waited for.
fn reference(folder: &Path, bytes: usize) -> std::io::Result<()> {
    const ROWS: u32 = 50_000;
    let line = vec![b'.'; bytes];
    let mut file = File::create(folder.join("reference"))?;
    let alone = timed(|| (0..ROWS).try_for_each(|_| file.write_all(&line)))?;
    let (give, take) = sync_channel::<Vec<u8>>(64);
    let (done, seen) = sync_channel::<bool>(64);
    let thread = std::thread::spawn(move || {
        take.iter().all(|line| done.send(file.write_all(&line).is_ok()).is_ok());
    });
    let waited = timed(|| {
        (0..ROWS).try_for_each(|_| {
            give.send(line.clone()).map_err(Error::other)?;
            seen.recv().map(drop).map_err(Error::other)
        })
    })?;
    drop(give);
    let _no_panic = thread.join();
    let rows = u64::from(ROWS);
    println!(
        "for reference, {bytes} bytes: {} ns by `write` alone, {} ns by a thread that is waited for",
        each(alone, rows),
        each(waited, rows)
    );
    Ok(())
}

fn each(took: Duration, rows: u64) -> u128 {
    took.as_nanos() / u128::from(rows.max(1))
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |m| m.len())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut numbers = std::env::args().skip(1).filter_map(|a| a.parse().ok());
    let (rows, events) = (numbers.next().unwrap_or(1_000_000), numbers.next().unwrap_or(32));
    let folder = tempfile::tempdir()?;
    let layout = Layout::new(folder.path().join("run"));
    println!("{rows} rows, {events} events each, in {}", folder.path().display());
    println!("at the start: {} KiB resident", status_kib("VmHWM"));

    let mut writer = RunWriter::create(layout.clone(), vec![], None)?;
    let (mut record, mut block) = (record(), block(events));
    let mut output =
        OutputRow { item: record.item.clone(), text: "word ".repeat(40), ..OutputRow::default() };
    let (mut in_rows, mut in_events, mut in_outputs) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let mut slowest = Duration::ZERO;
    let started = Instant::now();
    for row in 1..=rows {
        (record.row, block.row, output.row) = (row, row, row);
        let took = timed(|| writer.request(&record))?;
        slowest = slowest.max(took);
        in_rows += took;
        in_events += timed(|| writer.events(&block))?;
        in_outputs += timed(|| writer.output(&output))?;
    }
    println!(
        "handed over: {:.1} s; a row {} ns (slowest {:.1} ms), its {events} events {} ns, its answer {} ns",
        started.elapsed().as_secs_f64(),
        each(in_rows, rows),
        slowest.as_secs_f64() * 1e3,
        each(in_events, rows),
        each(in_outputs, rows),
    );
    let at = Instant::now();
    writer.complete(false)?;
    let counts = *writer.counts();
    drop(writer);
    println!("flush and digests: {:.1} s; {counts:?}", at.elapsed().as_secs_f64());
    println!(
        "requests.csv {} bytes a row; events.bin {:.2} bytes an event",
        size(&layout.requests()) / rows,
        size(&layout.events()) as f64 / (counts.event_blocks * events) as f64
    );
    reference(folder.path(), usize::try_from(size(&layout.requests()) / rows)?)?;
    println!("most memory while writing: {} KiB resident", status_kib("VmHWM"));

    let at = Instant::now();
    let mut joined = Joined::open(&layout)?;
    let mut read = 0_u64;
    for pair in joined.by_ref() {
        read += pair?.1.map_or(0, |block| block.len() as u64);
    }
    println!(
        "read back with {read} events: {:.1} s, {} ns a row; most memory now: {} KiB resident",
        at.elapsed().as_secs_f64(),
        each(at.elapsed(), rows),
        status_kib("VmHWM")
    );
    let (rows, blocks) = joined.read();
    let completion = Completion::read(&layout)?.ok_or("no `COMPLETE`")?;
    println!("as `COMPLETE` says: {}", completion.check(&layout, rows, blocks).is_empty());
    Ok(())
}
