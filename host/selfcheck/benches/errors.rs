//! How far this program's figures lie from the truth at 64, 512 and 1024 streams of 100 events a second.
//!
//! `cargo bench -p benchhost-selfcheck --bench errors [-- STREAMS…]`. The simulator runs in a process of its own, as
//! `benchhost selfcheck` has it: this program starts itself again with `--serve`, in the scheduling class of the I/O thread.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark prints, and a panic is its report"
)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use benchhost_load::{Control, IoPlan};
use benchhost_os::thread::{Priority, cpus, raise};
use benchhost_selfcheck::{ServerUnderTruth, Shape, StallShape, measure, stall_proof};
use benchhost_simulator::{Delay, Dialect, SimulatorConfig, serve_blocking};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if args.first().is_some_and(|arg| arg == "--serve") {
        return serve(&args[1..]);
    }
    let asked: Vec<u32> = args.iter().filter_map(|arg| arg.parse().ok()).collect();
    let streams = if asked.is_empty() { vec![64, 512, 1024] } else { asked };
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load average before: {load}");
    for streams in streams {
        let shape = Shape::streams(streams, 100.0, IoPlan::default(), Duration::from_secs(4));
        with_server(&shape.server_args(), |server| {
            println!("{}", measure(&shape, server, &Control::new()).unwrap());
        });
    }
    let shape = StallShape::new(IoPlan::default(), Duration::from_secs(2));
    with_server(&shape.server_args(), |server| {
        println!("{}", stall_proof(&shape, server, &Control::new()).unwrap());
    });
}

fn with_server(args: &[String], work: impl FnOnce(&ServerUnderTruth)) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .arg("--serve")
        .args(args)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    work(&ServerUnderTruth::new(line.trim()).unwrap());
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The few settings of `benchhost simulate` that a shape asks for.
fn serve(args: &[String]) {
    let after = |flag: &str| args.iter().position(|arg| arg == flag).map(|at| args[at + 1].as_str());
    let delay = |flag: &str| after(flag).unwrap().parse::<Delay>().unwrap();
    let mut config = SimulatorConfig::new(Dialect::Vllm);
    (config.lean, config.stamp_writes) = (true, true);
    (config.ttft, config.itl) = (delay("--ttft"), delay("--itl"));
    config.tokens_per_event = after("--tokens-per-event").unwrap().parse().unwrap();
    config.stalls = after("--stall").into_iter().map(|stall| stall.parse().unwrap()).collect();
    let _granted = raise(if cpus() > 1 { Priority::Auto } else { Priority::Off });
    serve_blocking(config, |address| {
        println!("http://{address}");
        std::io::stdout().flush().unwrap();
    })
    .unwrap();
}
