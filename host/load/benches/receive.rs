//! What one streamed event costs on the I/O thread, beside a reader that only reads and stamps the same bytes.
//!
//! `cargo bench -p benchhost-load --bench receive`. Prints nanoseconds of the reading thread's CPU time per event for
//! both readers, their ratio, and the memory of an open stream. Linux only: CPU time and memory are read from `/proc`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and a panic is its report")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use benchhost_http::{Cancel, Client, Connector, Limits, Outgoing, Reuse, RunClock, Target, TlsOptions};
use benchhost_load::{
    Control, Finished, IoPlan, Job, Lanes, LoadPlan, LoadReport, Pattern, Phases, Think, drive,
};
use benchhost_model::{Ending, Nanos};

/// One event as an OpenAI-like server streams it, in its chunk: about 270 bytes.
fn event() -> Vec<u8> {
    let data = format!(
        "data: {{\"id\":\"chatcmpl-0123456789abcdef\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\
         \"model\":\"a-model-of-some-name-8b-instruct\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\" word\"}},\
         \"logprobs\":null,\"finish_reason\":null}}]{}}}\n\n",
        " ".repeat(50)
    );
    format!("{:x}\r\n{data}\r\n", data.len()).into_bytes()
}

/// A stream: so many events, so many in one write, with a pause between writes.
#[derive(Clone, Copy)]
struct Shape {
    name: &'static str,
    events: usize,
    per_write: usize,
    pause: Duration,
}

const SHAPES: [Shape; 2] = [
    Shape { name: "one event a read", events: 10_000, per_write: 1, pause: Duration::from_micros(100) },
    Shape { name: "64 events a write, flood", events: 640_000, per_write: 64, pause: Duration::ZERO },
];

fn serve(shape: Shape) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for socket in listener.incoming() {
            stream(&mut socket.unwrap(), shape);
        }
    });
    address
}

fn stream(socket: &mut TcpStream, shape: Shape) {
    socket.set_nodelay(true).unwrap();
    skip_request(socket);
    socket.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
    let block = event().repeat(shape.per_write);
    for _ in 0..shape.events / shape.per_write {
        socket.write_all(&block).unwrap();
        if !shape.pause.is_zero() {
            thread::sleep(shape.pause);
        }
    }
    socket.write_all(b"0\r\n\r\n").unwrap();
}

/// Reads a head. False: the client hung up.
fn skip_request(socket: &TcpStream) -> bool {
    BufReader::new(socket).lines().map_while(Result::ok).any(|line| line.is_empty())
}

/// CPU time of the calling thread, from the scheduler's own account.
fn cpu() -> f64 {
    let account = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    account.split(' ').next().unwrap().parse().unwrap()
}

fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// Reads and stamps; keeps nothing but the stamps.
fn bare(address: SocketAddr) -> (f64, usize) {
    let clock = RunClock::start();
    let mut socket = TcpStream::connect(address).unwrap();
    let before = cpu();
    socket.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut buffer = vec![0; 16 * 1024];
    let mut stamps = Vec::new();
    loop {
        let read = socket.read(&mut buffer).unwrap();
        stamps.push(clock.now());
        let got = buffer.get(..read).unwrap();
        if read == 0 || got.ends_with(b"\r\n0\r\n\r\n") {
            return (cpu() - before, stamps.len());
        }
    }
}

fn target(address: SocketAddr) -> Target {
    Target {
        base: format!("http://{address}").parse().unwrap(),
        connector: Connector::new(&TlsOptions::default()).unwrap(),
        headers: Vec::new(),
        limits: Limits { body_cap: 1 << 30, ..Limits::default() },
        reuse: Reuse::Never,
    }
}

/// Runs one job through a load and returns its account with the answer.
fn load(target: Target) -> (LoadReport, mpsc::Receiver<Finished>) {
    let pattern = Pattern::Closed { concurrency: 1, stagger: Duration::ZERO, think: Think::None };
    let plan = LoadPlan {
        pattern,
        phases: Phases::ENDLESS,
        io: IoPlan::default(),
        give_up: Duration::ZERO,
        target,
        clock: RunClock::start(),
    };
    let (jobs, fresh) = tokio::sync::mpsc::channel(1);
    let (_turns, follow_ups) = tokio::sync::mpsc::unbounded_channel();
    let (finished, answers) = mpsc::channel();
    let request = Outgoing::get("/").unwrap();
    jobs.try_send(Job { id: 0, session: 0, last_in_session: true, due: None, request }).unwrap();
    drop(jobs);
    (drive(plan, Lanes { fresh, follow_ups, finished }, &Control::new()), answers)
}

/// The whole path of a load: desk, client, hyper, stamps, timeline.
fn through_load(address: SocketAddr) -> (f64, usize) {
    let target = target(address);
    let before = cpu();
    let (_, answers) = load(target);
    let spent = cpu() - before;
    let answer = answers.recv().unwrap().timeline;
    assert_eq!((answer.ending, &answer.failure), (Ending::Complete, &None));
    (spent, answer.marks.len())
}

/// Opens streams that stay open, and returns the memory of each on this side.
fn memory_per_stream() -> (usize, usize) {
    const STREAMS: usize = 400;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // One thread holds all its ends, so that they cost this process no more than a descriptor each.
    thread::spawn(move || {
        let mut open = Vec::new();
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            skip_request(&socket);
            socket.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
            socket.write_all(&event()).unwrap();
            open.push(socket);
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = std::sync::Arc::new(Client::new(target(address), RunClock::start()));
        let cancel = Cancel::new();
        let open = |n: usize| {
            for _ in 0..n {
                let (client, cancel) = (std::sync::Arc::clone(&client), cancel.clone());
                tokio::spawn(async move {
                    client.exchange(&Outgoing::get("/").unwrap(), Nanos::ZERO, &cancel).await
                });
            }
            tokio::time::sleep(Duration::from_millis(700))
        };
        open(20).await;
        let before = resident();
        open(STREAMS).await;
        (STREAMS, resident().saturating_sub(before) / STREAMS)
    })
}

fn main() {
    // First, while the allocator holds no memory that was freed before.
    let (streams, bytes) = memory_per_stream();
    println!("memory of an open stream ({streams} streams): {:.1} KiB", bytes as f64 / 1024.0);
    for shape in SHAPES {
        let mut best = [(f64::INFINITY, 0); 2];
        for _ in 0..3 {
            let address = serve(shape);
            for (best, (spent, reads)) in best.iter_mut().zip([bare(address), through_load(address)]) {
                if spent < best.0 {
                    *best = (spent, reads);
                }
            }
        }
        let [bare, load] = best.map(|(spent, reads)| (spent / shape.events as f64, reads));
        println!("{} ({} events, best of 3):", shape.name, shape.events);
        println!("  bare read and stamp  {:8.0} ns CPU per event, {} reads", bare.0, bare.1);
        println!("  benchhost-load       {:8.0} ns CPU per event, {} marks", load.0, load.1);
        println!("  ratio                {:8.2}", load.0 / bare.0);
    }
}
