//! What one drawing costs the CPU, and which share of a core it is at four a second.
//!
//! `cargo bench -p benchhost-tui`. The bytes go nowhere; a terminal's own work is its own. Prints medians; decides nothing.

#![allow(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

use std::hint::black_box;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use benchhost_model::Phase;
use benchhost_tui::{
    Current, Figures, Finished, Goal, Kind, Lag, Points, Recent, Said, Snapshot, TICK, View,
};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

const DRAWINGS: u64 = 4000;

/// Counts what would go to a terminal.
#[derive(Default)]
struct Nowhere {
    bytes: u64,
}

impl Write for &mut Nowhere {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes += bytes.len() as u64;
        Ok(black_box(bytes).len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn main() {
    println!(
        "one drawing of a run with 20 measured load points, every figure changing, median of {DRAWINGS}"
    );
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let (median, worst, bytes) = drawings(width, height);
        let share = median.as_secs_f64() / TICK.as_secs_f64();
        println!(
            "  {width:>3}×{height}  {:>7.1} µs  p99 {:>7.1} µs  {bytes:>6} bytes  {:>7.4} % of a core at 4/s",
            median.as_secs_f64() * 1e6,
            worst.as_secs_f64() * 1e6,
            share * 100.0
        );
    }
}

fn drawings(width: u16, height: u16) -> (Duration, Duration, u64) {
    let mut nowhere = Nowhere::default();
    let area = Rect::new(0, 0, width, height);
    let mut terminal = Terminal::with_options(
        CrosstermBackend::new(&mut nowhere),
        TerminalOptions { viewport: Viewport::Fixed(area) },
    )
    .expect("a terminal of fixed size needs no terminal");
    let mut view = View::new(true);
    let mut times: Vec<Duration> = (0..DRAWINGS)
        .map(|at| {
            let begun = Instant::now();
            // Making it is part of the cost.
            let snapshot = snapshot(at);
            view.see(&snapshot);
            terminal.draw(|frame| view.draw(frame, &snapshot)).expect("nothing refuses bytes");
            begun.elapsed()
        })
        .collect();
    drop(terminal);
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100], nowhere.bytes / DRAWINGS)
}

fn snapshot(at: u64) -> Snapshot {
    let wave = (at * 7919 % 1000) as f64;
    let ms = |ms: f64| u64::try_from(Duration::from_secs_f64(ms / 1e3).as_nanos()).ok();
    let figures = Figures {
        ttft_p50_ns: ms(50.0 + wave / 100.0),
        lag: Some(Lag::Receiving(100_000 + at)),
        recent: Recent {
            tokens_s: Some(1000.0 + wave),
            requests_s: Some(10.0 + wave / 100.0),
            ttft_p50_ns: ms(50.0 + wave / 20.0),
            itl_p50_ns: ms(10.0 + wave / 200.0),
        },
    };
    let point = Finished {
        title: "vllm/fp8 · mixed · concurrency=16 · repeat 3/5".into(),
        requests: 640,
        failed: 0,
        stopped: false,
        requests_s: Some(12.3),
        tokens_s: Some(1574.0),
        ttft_p50_ns: ms(55.0),
        ttft_p90_ns: ms(95.0),
        tpot_p50_ns: ms(10.0),
        lag: Some(Lag::Receiving(90_000)),
    };
    Snapshot {
        at: TICK * u32::try_from(at).unwrap_or(u32::MAX),
        simulated: false,
        points: Points { begun: 21, total: Some(40) },
        current: Some(Current {
            title: "vllm/fp8 · mixed · concurrency=32 · repeat 3/5".into(),
            goal: Goal::Count(DRAWINGS),
            phase: Phase::Measured,
            measured_for: TICK * u32::try_from(at).unwrap_or(u32::MAX),
            done: at,
            in_flight: at % 32,
            failed: at / 100,
            figures,
        }),
        finished: vec![point; 20],
        said: (0..20)
            .map(|n| Said { kind: Kind::Status, text: format!("vllm/fp8 · mixed: 640 requests in {n}.0 s") })
            .collect(),
        stopping: false,
    }
}
