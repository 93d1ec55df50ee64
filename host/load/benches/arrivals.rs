//! How late an open loop sends its requests, over connections that are open already.
//!
//! `cargo bench -p benchhost-load --bench arrivals`. Prints quantiles of sent minus scheduled at 500 arrivals a second,
//! and in the same run what bare ways of waiting reach on this machine: tokio's timer, the kernel's timer in the event
//! loop, and a thread that sleeps and then tells the event loop. Linux only.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and a panic is its report")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use benchhost_http::{Connector, Limits, Outgoing, Reuse, RunClock, Target, TlsOptions};
use benchhost_load::{
    Control, IoPlan, Job, Lanes, LoadPlan, LoadReport, Pattern, Phases, Priority, Rate, Span, drive, poisson,
};
use benchhost_model::Nanos;
use benchhost_os::clock::monotonic_ns as now_ns;
use benchhost_os::sleep::sleep_until;
use benchhost_os::thread::{raise, timer_slack_min};
use benchhost_os::timer::Timer;

const PER_SECOND: f64 = 500.0;
const WARMUP: u32 = 250;
const ARRIVALS: usize = 2000;

fn due_times() -> impl Iterator<Item = Nanos> {
    poisson(Rate::new(PER_SECOND).unwrap(), 1)
}

/// Answers at once, to as many connections as come.
fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            thread::spawn(move || {
                socket.set_nodelay(true).unwrap();
                while skip_request(&socket) {
                    socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
                }
            });
        }
    });
    address
}

/// Reads a head. False: the client hung up.
fn skip_request(socket: &TcpStream) -> bool {
    BufReader::new(socket).lines().map_while(Result::ok).any(|line| line.is_empty())
}

/// The load's account, and how long it took from the call to the load's start.
fn through_load(address: SocketAddr, io: IoPlan) -> (LoadReport, Nanos) {
    let target = Target {
        base: format!("http://{address}").parse().unwrap(),
        connector: Connector::new(&TlsOptions::default()).unwrap(),
        headers: Vec::new(),
        limits: Limits::default(),
        reuse: Reuse::KeepAlive,
    };
    let phases = Phases { warmup: Span::Sessions(WARMUP), ..Phases::ENDLESS };
    let pattern = Pattern::Open { cap: None };
    let plan = LoadPlan { pattern, phases, io, give_up: Duration::ZERO, target, clock: RunClock::start() };
    let (jobs, fresh) = tokio::sync::mpsc::channel(64);
    let (_turns, follow_ups) = tokio::sync::mpsc::unbounded_channel();
    let (finished, answers) = mpsc::channel();
    thread::spawn(move || {
        for (due, id) in due_times().take(ARRIVALS + WARMUP as usize).zip(0..) {
            let request = Outgoing::get("/").unwrap();
            jobs.blocking_send(Job { id, session: id, last_in_session: true, due: Some(due), request })
                .unwrap();
        }
    });
    let called = plan.clock.now();
    let report = drive(plan, Lanes { fresh, follow_ups, finished }, &Control::new());
    assert_eq!(answers.iter().count(), ARRIVALS + WARMUP as usize);
    let ready = report.start.unwrap() - called;
    (report, ready)
}

/// Waits for each due time in an event loop by `wait` and returns by how much each was missed.
fn bare<F: AsyncFn(u64)>(wait: F) -> Vec<u64> {
    timer_slack_min();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let start = now_ns() + 10_000_000;
        let mut late = Vec::new();
        for due in due_times().take(ARRIVALS) {
            let at = start + due.get();
            wait(at).await;
            late.push(now_ns() - at);
        }
        late
    })
}

fn tokio_timer() -> Vec<u64> {
    bare(async |at| {
        let left = Duration::from_nanos(at.saturating_sub(now_ns()));
        tokio::time::sleep_until((Instant::now() + left).into()).await;
    })
}

/// The kernel's timer among the sockets, `early` before the moment, then spinning.
fn kernel_timer(early: u64) -> Vec<u64> {
    let timer = std::cell::OnceCell::new();
    bare(async |at| {
        let timer = timer.get_or_init(|| Timer::new().unwrap());
        if now_ns() < at - early {
            timer.set(at - early).unwrap();
            timer.rung().await.unwrap();
        }
        while now_ns() < at {
            std::hint::spin_loop();
        }
    })
}

/// A thread sleeps until `early` before the moment and tells the event loop, which spins.
fn other_thread(early: u64) -> Vec<u64> {
    let (orders, incoming) = mpsc::channel::<u64>();
    let (tell, told) = tokio::sync::mpsc::unbounded_channel();
    let sleeper = thread::spawn(move || {
        timer_slack_min();
        for at in incoming {
            sleep_until(at - early);
            tell.send(()).unwrap();
        }
    });
    let told = tokio::sync::Mutex::new(told);
    let late = bare(async |at| {
        orders.send(at).unwrap();
        told.lock().await.recv().await.unwrap();
        while now_ns() < at {
            std::hint::spin_loop();
        }
    });
    drop(orders);
    sleeper.join().unwrap();
    late
}

fn print(name: &str, quantiles: [u64; 4]) {
    let [p50, p90, p99, max] = quantiles.map(|ns| ns as f64 / 1000.0);
    println!("  {name:<44} {p50:>8.1} {p90:>8.1} {p99:>8.1} {max:>9.1}");
}

fn of(mut late: Vec<u64>) -> [u64; 4] {
    late.sort_unstable();
    [50, 90, 99, 100].map(|percent| late[(late.len() * percent).div_ceil(100) - 1])
}

fn main() {
    let address = serve();
    println!(
        "{ARRIVALS} arrivals at {PER_SECOND} a second, µs late:          p50      p90      p99       max"
    );
    for priority in [Priority::Off, Priority::Auto] {
        let granted = raise(priority);
        println!("{}:", granted.words());
        print("tokio timer", of(tokio_timer()));
        print("kernel timer in the event loop", of(kernel_timer(0)));
        print("the same, 100 µs early, then spinning", of(kernel_timer(100_000)));
        print("thread that tells, 100 µs early, then spinning", of(other_thread(100_000)));
        drop(granted);
        for (threads, spin) in [(1, true), (1, false), (2, true)] {
            let io = IoPlan { threads: threads.try_into().unwrap(), priority, spin };
            let (report, ready) = through_load(address, io);
            let late = report.slip_gen;
            let name =
                format!("benchhost-load, {threads} I/O thread(s){}", if spin { "" } else { ", no spinning" });
            print(&name, [late.p50, late.p90, late.p99, late.max].map(Nanos::get));
            println!("      ready after {:.1} ms, warm-up of its threads included", ready.as_ms());
            for thread in report.io {
                println!("      I/O thread busy {:?}, {}", thread.busy_p50, thread.granted);
            }
        }
    }
}
