//! Whether the full screen changes what is measured: the same load on one simulator again and again, in turn without
//! progress, with the live line and with `--tui`, each in a pseudo-terminal, then `benchhost compare` over the runs.
//!
//! `cargo bench -p benchhost --bench tui -- [ROUNDS] [SECONDS]`; 8 rounds of 10 s each take 6 minutes. It wants a machine
//! that does nothing else, and `script` of util-linux. Prints the comparisons and the CPU time of each kind of run; decides
//! nothing.

#![allow(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_benchhost");

/// How a run tells how far it is.
const KINDS: [(&str, &str); 3] = [("quiet", "-q"), ("line", ""), ("tui", "--tui")];

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|arg| arg.parse::<usize>().ok());
    let rounds = numbers.next().unwrap_or(8).max(1);
    let seconds = numbers.next().unwrap_or(10).max(1);
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let simulator = Simulator::start();
    // The first run compiles the adapter, and is forgotten.
    run(scratch.path(), &simulator.url, "warm", "-q", 1);
    for round in 0..rounds {
        // Each kind is in each place equally often, over three rounds.
        for at in 0..KINDS.len() {
            let (kind, flag) = KINDS[(at + round) % KINDS.len()];
            run(scratch.path(), &simulator.url, &format!("{kind}/{round}"), flag, seconds);
        }
        println!("round {} of {rounds}", round + 1);
    }
    drop(simulator);
    for (kind, _) in KINDS {
        let runs = (0..rounds).map(|round| scratch.path().join(format!("{kind}/{round}")));
        let cpu: f64 = runs.map(|run| cpu_s(&run)).sum();
        println!("{kind:>6}: {:.3} s of CPU a run, all threads", cpu / rounds as f64);
    }
    for (base, new) in [("quiet", "tui"), ("line", "tui"), ("quiet", "line")] {
        println!("\n== {base} → {new}");
        let said = Command::new(PROGRAM)
            // Directories of runs: each run is a replicate of its side.
            .args(["compare", base, new])
            .current_dir(scratch.path())
            .output()
            .expect("the program starts");
        println!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    }
}

/// One run in a terminal of 120 columns.
fn run(folder: &Path, url: &str, name: &str, flag: &str, seconds: usize) {
    let line = format!(
        "stty rows 40 cols 120; exec '{PROGRAM}' run {flag} --engine vllm={url} --workload synthetic \
         --workload-option input-tokens=32 --workload-option output-tokens=32 --concurrency 8 \
         --duration {seconds}s --warmup 1s --no-selfcheck --gpu off --no-plots --out {name}"
    );
    let said = Command::new("script")
        .args(["-q", "-f", "-e", "-c", &line, "/dev/null"])
        .current_dir(folder)
        .env("TERM", "xterm-256color")
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::piped())
        .output()
        .expect("`script` of util-linux");
    assert!(said.status.success(), "{name}: {}", String::from_utf8_lossy(&said.stdout));
}

/// CPU time of the process while it measured, in seconds.
fn cpu_s(run: &Path) -> f64 {
    let text = std::fs::read_to_string(run.join("harness.json")).expect("harness.json");
    let harness: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    harness["process"]["cpu_ns"].as_f64().unwrap_or(f64::NAN) / 1e9
}

/// The server of all runs.
struct Simulator {
    child: Child,
    url: String,
}

impl Simulator {
    fn start() -> Self {
        let mut child = Command::new(PROGRAM)
            .args(["simulate", "--child", "--dialect", "vllm", "--port", "0"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the simulator starts");
        let mut url = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut url).expect("an address");
        Self { child, url: url.trim().to_owned() }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
