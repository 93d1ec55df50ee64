//! What one streamed event costs on the I/O thread, beside bare readers of the same bytes.
//!
//! `cargo bench -p benchhost-http --bench receive`. A bare reader is one `epoll` loop that reads into one buffer, stamps
//! and keeps the stamp: once with `read` and a clock (`user`), once with `recvmsg` and the kernel's stamp beside it
//! (`kernel`). Against them stands [`Client::exchange`], which keeps every byte and a mark for every read. Printed are
//! nanoseconds of the reading thread's CPU time an event, and ratios within one round; the median round of several
//! counts, since the machine may be shared. The readers run in the realtime class where that is permitted, on a core of
//! their own. Linux only: CPU time and memory are read from `/proc`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and a panic is its report")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use benchhost_http::{Cancel, Client, Connector, Limits, Outgoing, Reuse, RunClock, Target, TlsOptions};
use benchhost_model::{Ending, Nanos};
use benchhost_os::thread::{Priority, pin};

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

const END: &[u8] = b"0\r\n\r\n";

/// What the server offers: so many streams in turn, so many events in one write, writes so far apart.
#[derive(Clone, Copy)]
struct Shape {
    name: &'static str,
    streams: usize,
    /// Over all streams.
    events: usize,
    per_write: usize,
    /// Between two writes, whichever streams they go to.
    gap: Duration,
}

const SHAPES: [Shape; 5] = [
    Shape {
        name: "1 stream, one event each 100 µs",
        streams: 1,
        events: 10_000,
        per_write: 1,
        gap: Duration::from_micros(100),
    },
    Shape {
        name: "512 streams, 100 events/s each",
        streams: 512,
        events: 51_200,
        per_write: 1,
        gap: Duration::from_nanos(19_531),
    },
    Shape {
        name: "1024 streams, 98 events/s each",
        streams: 1024,
        events: 204_800,
        per_write: 1,
        gap: Duration::from_micros(10),
    },
    Shape {
        name: "16 events a write, flood",
        streams: 8,
        events: 640_000,
        per_write: 16,
        gap: Duration::ZERO,
    },
    Shape {
        name: "64 events a write, flood",
        streams: 8,
        events: 640_000,
        per_write: 64,
        gap: Duration::ZERO,
    },
];

/// A server, and how many rounds have all their connections and heads.
struct Server {
    address: SocketAddr,
    begun: AtomicUsize,
}

/// Between a round's heads and its first event; the reader takes its first account of CPU time meanwhile, so that
/// opening connections is nobody's cost.
const LULL: Duration = Duration::from_millis(150);

/// Serves rounds of the shape for ever. Writes are spread evenly in time by spinning on the server's own core.
fn serve(shape: Shape) -> Arc<Server> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Arc::new(Server { address: listener.local_addr().unwrap(), begun: AtomicUsize::new(0) });
    let told = Arc::clone(&server);
    thread::spawn(move || {
        pin(0);
        loop {
            let mut sockets: Vec<TcpStream> =
                (0..shape.streams).map(|_| listener.accept().unwrap().0).collect();
            for socket in &mut sockets {
                socket.set_nodelay(true).unwrap();
                skip_request(socket);
                socket.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
            }
            let block = event().repeat(shape.per_write);
            told.begun.fetch_add(1, Ordering::SeqCst);
            thread::sleep(LULL);
            let mut due = Instant::now();
            for write in 0..shape.events / shape.per_write {
                while !shape.gap.is_zero() && Instant::now() < due {
                    std::hint::spin_loop();
                }
                due += shape.gap;
                let socket = sockets.get_mut(write % shape.streams).unwrap();
                socket.write_all(&block).unwrap();
            }
            for socket in &mut sockets {
                socket.write_all(END).unwrap();
            }
        }
    });
    server
}

/// Reads a head. False: the client hung up.
fn skip_request(socket: &TcpStream) -> bool {
    BufReader::new(socket).lines().map_while(Result::ok).any(|line| line.is_empty())
}

/// CPU time of the calling thread in nanoseconds, from the scheduler's own account.
fn cpu() -> f64 {
    let account = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    account.split(' ').next().unwrap().parse().unwrap()
}

fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// What reading a round cost: CPU nanoseconds an event, and events a read.
#[derive(Clone, Copy, Debug)]
struct Cost {
    ns: f64,
    per_read: f64,
    /// Events a second of wall time.
    rate: f64,
}

impl Cost {
    fn of(shape: Shape, began: Instant, cpu_ns: f64, reads: usize) -> Self {
        let events = shape.events as f64;
        Self {
            ns: cpu_ns / events,
            per_read: events / reads as f64,
            rate: events / began.elapsed().as_secs_f64(),
        }
    }
}

/// Reads and stamps; keeps nothing but the stamps.
fn bare(server: &Server, shape: Shape, kernel: bool) -> Cost {
    use std::os::fd::AsFd as _;
    let round = server.begun.load(Ordering::SeqCst) + 1;
    let mut poll = mio::Poll::new().unwrap();
    let mut ready = mio::Events::with_capacity(1024);
    let mut sockets = Vec::new();
    for token in 0..shape.streams {
        let mut socket = TcpStream::connect(server.address).unwrap();
        if kernel {
            assert!(benchhost_os::stamps::enable(&socket));
        }
        socket.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        socket.set_nonblocking(true).unwrap();
        let mut socket = mio::net::TcpStream::from_std(socket);
        poll.registry().register(&mut socket, mio::Token(token), mio::Interest::READABLE).unwrap();
        sockets.push(socket);
    }
    let clock = RunClock::start();
    let mut buffer = vec![0; 16 * 1024];
    let mut stamps: Vec<(Nanos, Option<u64>)> = Vec::new();
    let mut open = shape.streams;
    while server.begun.load(Ordering::SeqCst) < round {
        thread::sleep(LULL / 30);
    }
    let (began, before) = (Instant::now() + LULL, cpu());
    while open > 0 {
        poll.poll(&mut ready, None).unwrap();
        for token in ready.iter().map(|event| event.token().0) {
            let socket = sockets.get_mut(token).unwrap();
            loop {
                let read = if kernel {
                    benchhost_os::stamps::recv(&socket.as_fd(), &mut buffer).map(|r| (r.bytes, r.realtime_ns))
                } else {
                    socket.read(&mut buffer).map(|bytes| (bytes, None))
                };
                let Ok((bytes, stamp)) = read else { break };
                stamps.push((clock.now(), stamp));
                open -= usize::from(buffer.get(..bytes).unwrap().ends_with(END));
                // What did not fill the buffer has emptied the socket: the next arrival is told of.
                if bytes < buffer.len() {
                    break;
                }
            }
        }
    }
    Cost::of(shape, began, cpu() - before, stamps.len())
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

/// The whole path of an exchange: connection, head, body, marks, timeline.
fn exchanges(server: &Server, client: &Arc<Client>, shape: Shape) -> Cost {
    let round = server.begun.load(Ordering::SeqCst) + 1;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (began, before, reads) = runtime.block_on(async {
        let tasks: Vec<_> = (0..shape.streams)
            .map(|_| {
                let client = Arc::clone(client);
                tokio::spawn(async move {
                    client.exchange(&Outgoing::get("/").unwrap(), Nanos::ZERO, &Cancel::new()).await
                })
            })
            .collect();
        while server.begun.load(Ordering::SeqCst) < round {
            tokio::time::sleep(LULL / 30).await;
        }
        let (began, before) = (Instant::now() + LULL, cpu());
        let mut reads = 0;
        for task in tasks {
            let answer = task.await.unwrap();
            assert_eq!((answer.ending, &answer.failure), (Ending::Complete, &None));
            assert!(answer.marks.iter().filter(|mark| mark.kernel.is_none()).count() == 0);
            reads += answer.marks.len();
        }
        (began, before, reads)
    });
    Cost::of(shape, began, cpu() - before, reads)
}

/// Opens streams that stay open, and returns the memory of each on this side, and how many there were.
fn memory_per_stream() -> (usize, usize) {
    const STREAMS: usize = 400;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // One thread holds all its ends, so that they cost this process no more than a descriptor each.
    thread::spawn(move || {
        pin(0);
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
        let client = Arc::new(Client::new(target(address), RunClock::start()));
        let cancel = Cancel::new();
        let open = |n: usize| {
            for _ in 0..n {
                let (client, cancel) = (Arc::clone(&client), cancel.clone());
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

/// The middle of an odd number of values.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

const ROUNDS: usize = 7;

fn compare(shape: Shape) {
    let server = serve(shape);
    // One client for all rounds: as in a run, it has seen answers before.
    let client = Arc::new(Client::new(target(server.address), RunClock::start()));
    exchanges(&server, &client, shape);
    let rounds: Vec<[Cost; 3]> = (0..ROUNDS)
        .map(|_| {
            [bare(&server, shape, false), bare(&server, shape, true), exchanges(&server, &client, shape)]
        })
        .collect();
    println!("{} ({} events, median of {ROUNDS} rounds):", shape.name, shape.events);
    for (at, name) in ["bare, user stamp", "bare, kernel stamp", "Client::exchange"].iter().enumerate() {
        let each = |value: fn(&Cost) -> f64| median(rounds.iter().filter_map(|r| r.get(at)).map(value));
        println!(
            "  {name:18} {:7.0} ns CPU an event, {:6.0} k events per CPU second, {:5.2} events a read, {:6.0} k events/s",
            each(|c| c.ns),
            each(|c| 1e6 / c.ns),
            each(|c| c.per_read),
            each(|c| c.rate / 1e3),
        );
    }
    println!(
        "  ratio to bare with user stamp {:.2}, with kernel stamp {:.2}",
        median(rounds.iter().map(|[user, _, ours]| ours.ns / user.ns)),
        median(rounds.iter().map(|[_, kernel, ours]| ours.ns / kernel.ns)),
    );
}

fn main() {
    // The server's threads are started by this one and inherit its core, so they choose their own.
    let class = benchhost_os::thread::raise(Priority::Realtime);
    pin(1);
    println!("readers: {}", class.words());
    // First, while the allocator holds no memory that was freed before.
    let (streams, bytes) = memory_per_stream();
    println!("memory of an open stream ({streams} streams): {:.1} KiB", bytes as f64 / 1024.0);
    for shape in SHAPES {
        compare(shape);
    }
}
