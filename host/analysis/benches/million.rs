//! A million requests of 200 events through the collector: time a request, and memory. `cargo bench --bench million`.

use std::time::Instant;

use benchhost_analysis::{Collector, EventTimes, GpuFigures, Options};
use benchhost_model::{Nanos, Outcome, PointFacts, PointKey, Record};

const REQUESTS: u64 = 1_000_000;
const EVENTS: usize = 200;

/// Resident memory now (`VmRSS`) or at most (`VmHWM`), in MB; 0 where the system does not tell.
fn resident_mb(which: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with(which));
    line.and_then(|l| l.split_whitespace().nth(1)?.parse::<u64>().ok()).map_or(0, |kb| kb / 1024)
}

#[expect(clippy::print_stdout, reason = "a benchmark's result")]
fn main() {
    let facts = PointFacts {
        key: PointKey::of(&Record::blank()),
        measured_from_ns: Some(1_000_000_000),
        measured_until_ns: Some(REQUESTS * 1_000_000),
        ..PointFacts::default()
    };
    let objectives = vec!["ttft=30ms".parse().expect("an objective")];
    let options = Options { objectives, ..Options::default() };
    let before = resident_mb("VmRSS");
    let start = Instant::now();
    let mut collector = Collector::new(options, vec![facts]);
    let mut gaps = vec![2_000_000_u64; EVENTS];
    for i in 0..REQUESTS {
        let sent = i * 1_000_000;
        let ttft = 20_000_000 + i * 7919 % 10_007 * 1000;
        gaps[0] = sent + ttft;
        gaps[1] = 1_500_000 + i * 104_729 % 1_000_003;
        let last = gaps.iter().sum();
        let record = Record {
            row: i + 1,
            outcome: Outcome::Completed,
            t_sched_ns: Nanos::new(sent),
            t_send_ns: Some(Nanos::new(sent + 10_000)),
            t_first_ns: Some(Nanos::new(gaps[0])),
            t_last_ns: Some(Nanos::new(last)),
            t_end_ns: Some(Nanos::new(last + 5000)),
            output_tokens: u32::try_from(EVENTS).ok(),
            input_tokens: Some(128),
            n_first_tokens: Some(1),
            events: u32::try_from(EVENTS).unwrap_or(0),
            stamps: "kernel".into(),
            lag_first_ns: Some(i % 50_000),
            lag_max_ns: Some(i % 90_000),
            ..Record::blank()
        };
        collector.push(&record, Some(EventTimes { at: &gaps, tokens: &[], censored: &[] }));
    }
    let pushed = start.elapsed();
    let held = resident_mb("VmRSS") - before;
    let rows = collector.finish(&mut |_, _| GpuFigures::default());
    let finished = start.elapsed().saturating_sub(pushed);
    println!("requests           {REQUESTS}, {EVENTS} events each");
    println!("push               {:.2} µs a request", pushed.as_secs_f64() * 1e6 / REQUESTS as f64);
    println!("finish             {:.2} s", finished.as_secs_f64());
    println!("memory before end  {held} MB");
    println!("memory at most     {} MB", resident_mb("VmHWM"));
    println!("out_tok_s          {:?}", rows[0].out_tok_s);
    println!("itl p50            {:?} ms", rows[0].itl.p50);
}
