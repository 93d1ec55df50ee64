//! How far the stamps of streamed events are from the truth.
//!
//! `cargo bench -p benchhost-http --bench truth`. This program starts itself again as a server that writes the machine's
//! monotonic time into every event just before it writes the event, on a core of its own; the client reads all streams on
//! another core with [`Client::exchange`] and compares. Every stream sends 100 events a second at a phase of its own, drawn
//! once from a fixed seed, so that writes of different streams fall together as chance has it. Printed are the errors of
//! the kernel's stamps (of all events, and of those that do not share a read), of the program's own, and of first events;
//! the share of events in shared reads; and what the client's core had to do. Linux only.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and a panic is its report")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use benchhost_http::{
    Attribution, Cancel, Client, Connector, Limits, Outgoing, Reuse, RunClock, Shared, Target, TlsOptions,
    attribution,
};
use benchhost_model::{Ending, Nanos, StampSource, Timeline};
use benchhost_os::clock::monotonic_ns;
use benchhost_os::thread::{Priority, ThreadUse, pin, raise, timer_slack_min};

/// Between two events of a stream, in nanoseconds.
const PERIOD_NS: u64 = 10_000_000;
const EVENTS: u64 = 300;
const ROUNDS: usize = 5;
const SERVER_CORE: usize = 0;
const CLIENT_CORE: usize = 1;

/// One event in its chunk, about 270 bytes, with room for a time.
fn event(time: u64) -> Vec<u8> {
    let data = format!(
        "data: {{\"id\":\"chatcmpl-0123456789abcdef\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\
         \"model\":\"a-model-of-some-name-8b-instruct\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\" word\"}},\
         \"logprobs\":null,\"finish_reason\":null}}],\"written\":{time:020}}}\n\n"
    );
    format!("{:x}\r\n{data}\r\n", data.len()).into_bytes()
}

/// The time inside an event that ends at `end`.
fn written(body: &[u8], end: usize) -> u64 {
    let digits = body.get(end - 23..end - 3).unwrap();
    std::str::from_utf8(digits).unwrap().parse().unwrap()
}

/// What is offered: so many streams, so many events of each in one write.
#[derive(Clone, Copy)]
struct Offer {
    streams: usize,
    per_write: u64,
}

/// Serves rounds until it is killed.
fn serve(offer: Offer) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap());
    pin(SERVER_CORE);
    timer_slack_min();
    let raised = raise(Priority::Realtime);
    println!("{}", raised.words());
    loop {
        let mut sockets: Vec<TcpStream> = (0..offer.streams).map(|_| listener.accept().unwrap().0).collect();
        for socket in &mut sockets {
            socket.set_nodelay(true).unwrap();
            let asked = BufReader::new(&*socket).lines().map_while(Result::ok).any(|line| line.is_empty());
            assert!(asked);
            socket.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
        }
        let mut phases: Vec<(u64, TcpStream)> = sockets.into_iter().map(|socket| (phase(), socket)).collect();
        phases.sort_by_key(|(phase, _)| *phase);
        let start = monotonic_ns() + 100_000_000;
        for round in 0..EVENTS / offer.per_write {
            for (phase, socket) in &mut phases {
                let due = start + round * offer.per_write * PERIOD_NS + *phase;
                // A sleep costs more than the gap it fills where the load is high; then it is written at once, late.
                if monotonic_ns() + 5_000 < due {
                    benchhost_os::sleep::sleep_until(due);
                }
                let events: Vec<u8> = (0..offer.per_write).flat_map(|_| event(monotonic_ns())).collect();
                socket.write_all(&events).unwrap();
            }
        }
        for (_, socket) in &mut phases {
            socket.write_all(b"0\r\n\r\n").unwrap();
        }
    }
}

/// The next of a fixed sequence of times within a period (xorshift).
fn phase() -> u64 {
    thread_local!(static STATE: std::cell::Cell<u64> = const { std::cell::Cell::new(0x9e37_79b9_7f4a_7c15) });
    STATE.with(|state| {
        let mut x = state.get();
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        state.set(x);
        x % PERIOD_NS
    })
}

/// A server that ends with its owner.
struct Server {
    child: Child,
    address: SocketAddr,
    class: String,
}

impl Server {
    fn start(offer: Offer) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--serve", &offer.streams.to_string(), &offer.per_write.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.next().unwrap().unwrap().parse().unwrap();
        Self { child, address, class: lines.next().unwrap().unwrap() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// What was seen of one event: when it was written, and when which stamp says it arrived.
struct Seen {
    written: u64,
    kernel: u64,
    user: u64,
    first: bool,
    shared: Shared,
}

/// One round: all streams to their ends. Events, and the share of the core that the reading took.
fn round(client: &Arc<Client>, clock: RunClock, streams: usize) -> (Vec<Seen>, f64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (began, before) = (Instant::now(), ThreadUse::now());
    let answers: Vec<Timeline> = runtime.block_on(async {
        let ask = |client: Arc<Client>| async move {
            client.exchange(&Outgoing::get("/").unwrap(), Nanos::ZERO, &Cancel::new()).await
        };
        let tasks: Vec<_> = (0..streams).map(|_| tokio::spawn(ask(Arc::clone(client)))).collect();
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap());
        }
        answers
    });
    let busy = ThreadUse::now().since(before).cpu_ns as f64 / began.elapsed().as_nanos() as f64;
    (answers.iter().flat_map(|answer| look_at(answer, clock)).collect(), busy)
}

fn look_at(answer: &Timeline, clock: RunClock) -> Vec<Seen> {
    assert_eq!((answer.ending, &answer.failure), (Ending::Complete, &None));
    let body = &answer.body;
    let ends: Vec<u64> = memchr::memmem::find_iter(body, b"\n\n").map(|at| at as u64 + 2).collect();
    assert_eq!(ends.len() as u64, EVENTS);
    let events = attribution(answer, &ends);
    let seen = |(at, (event, end)): (usize, (&Attribution, &u64))| {
        assert_eq!(event.source, StampSource::Kernel);
        let kernel = clock.monotonic_at(event.at);
        Seen {
            written: written(body, usize::try_from(*end).unwrap()),
            kernel,
            user: kernel + event.lag.unwrap().get(),
            first: at == 0,
            shared: event.shared,
        }
    };
    events.iter().zip(&ends).enumerate().map(seen).collect()
}

/// Quantiles of errors in microseconds.
fn show(name: &str, mut errors: Vec<f64>) {
    errors.sort_by(f64::total_cmp);
    let Some(last) = errors.len().checked_sub(1) else { return };
    let at = |per_mille: usize| errors.get(last * per_mille / 1000).copied().unwrap_or(f64::NAN) / 1e3;
    let mean = errors.iter().sum::<f64>() / errors.len() as f64 / 1e3;
    println!(
        "  {name:34} p50 {:8.1}  p99 {:8.1}  p99.9 {:8.1}  max {:9.1}  mean {mean:8.1} µs  ({} events)",
        at(500),
        at(990),
        at(999),
        at(1000),
        errors.len(),
    );
}

fn measure(offer: Offer, class: Priority) {
    let server = Server::start(offer);
    let Offer { streams, per_write } = offer;
    let raised = raise(class);
    println!(
        "{streams} streams × {} events/s, {per_write} a write, client {}, server {} ({ROUNDS} rounds of {EVENTS} events a stream):",
        1_000_000_000 / PERIOD_NS,
        raised.words(),
        server.class,
    );
    let clock = RunClock::start();
    let target = Target {
        base: format!("http://{}", server.address).parse().unwrap(),
        connector: Connector::new(&TlsOptions::default()).unwrap(),
        headers: Vec::new(),
        limits: Limits::default(),
        reuse: Reuse::Never,
    };
    let client = Arc::new(Client::new(target, clock));
    // The first touches the memory and the code that the others use, as a warm-up does in a run.
    round(&client, clock, streams);
    let (mut seen, mut busy) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (events, share) = round(&client, clock, streams);
        seen.extend(events);
        busy.push(share);
    }
    let errors = |which: &dyn Fn(&Seen) -> bool, stamp: fn(&Seen) -> u64| -> Vec<f64> {
        let chosen = seen.iter().filter(|event| which(event));
        chosen.map(|event| stamp(event) as f64 - event.written as f64).collect()
    };
    show("kernel stamp", errors(&|_| true, |event| event.kernel));
    show("kernel stamp, read of its own", errors(&|event| event.shared == Shared::No, |event| event.kernel));
    show("kernel stamp, not censored", errors(&|event| !event.shared.is_doubtful(), |event| event.kernel));
    show("program's stamp", errors(&|_| true, |event| event.user));
    show("first event, kernel stamp", errors(&|event| event.first, |event| event.kernel));
    show("first event, program's stamp", errors(&|event| event.first, |event| event.user));
    let share = |shared: Shared| {
        100.0 * seen.iter().filter(|event| event.shared == shared).count() as f64 / seen.len() as f64
    };
    println!(
        "  shared reads: together {:.3} %, censored {:.3} %; the client's core was busy {:.0} %",
        share(Shared::Together),
        share(Shared::Censored),
        100.0 * busy.iter().sum::<f64>() / busy.len() as f64,
    );
}

fn main() {
    let words: Vec<String> = std::env::args().skip_while(|word| word != "--serve").skip(1).collect();
    if let [streams, per_write] = &words[..] {
        return serve(Offer { streams: streams.parse().unwrap(), per_write: per_write.parse().unwrap() });
    }
    if !pin(CLIENT_CORE) {
        println!("one core only: server and client share it, the errors are those of that");
    }
    for (streams, per_write, class) in [
        (64, 1, Priority::Realtime),
        (512, 1, Priority::Realtime),
        (512, 1, Priority::Off),
        (512, 2, Priority::Realtime),
        (1024, 1, Priority::Realtime),
    ] {
        measure(Offer { streams, per_write }, class);
    }
}
