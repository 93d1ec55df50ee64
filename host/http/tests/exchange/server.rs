//! A server whose every connection plays a script, and a client for it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use benchhost_http::{
    BaseUrl, Cancel, Client, Connector, Limits, Outgoing, Reuse, RunClock, Target, TlsOptions,
};
use benchhost_model::{Nanos, Timeline};

/// What a server does with one accepted connection.
pub(crate) type Script = Box<dyn FnOnce(TcpStream) + Send>;

/// Boxes a script.
pub(crate) fn script(play: impl FnOnce(TcpStream) + Send + 'static) -> Script {
    Box::new(play)
}

/// Accepts one connection a script, in order, each on its own thread; then stops listening.
pub(crate) fn serve(scripts: Vec<Script>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for play in scripts {
            let (socket, _) = listener.accept().unwrap();
            socket.set_nodelay(true).unwrap();
            // Only so that a broken test ends.
            socket.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
            thread::spawn(move || play(socket));
        }
    });
    address
}

/// Reads one request, head and body, as text. `None`: the client hung up.
pub(crate) fn request(socket: &mut impl Read) -> Option<String> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        if !matches!(socket.read(&mut byte), Ok(1)) {
            return None;
        }
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).unwrap();
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, value)| value.trim().parse().unwrap());
    let mut body = vec![0; length];
    socket.read_exact(&mut body).ok()?;
    Some(head + &String::from_utf8(body).unwrap())
}

/// Reads one request and writes `answer`.
pub(crate) fn answer(socket: &mut (impl Read + Write), answer: &[u8]) {
    request(socket).unwrap();
    socket.write_all(answer).unwrap();
    socket.flush().unwrap();
}

/// Waits until the client hangs up. False: it sent something instead.
pub(crate) fn hung_up(socket: &mut impl Read) -> bool {
    !matches!(socket.read(&mut [0]), Ok(1))
}

/// A whole 200 answer with a length.
pub(crate) fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        .into_bytes()
}

/// The head of a stream in chunks.
pub(crate) const STREAM: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

/// One chunk.
pub(crate) fn chunk(data: &str) -> String {
    format!("{:x}\r\n{data}\r\n", data.len())
}

/// A client's settings for a local server.
pub(crate) fn target(address: SocketAddr) -> Target {
    Target {
        base: format!("http://{address}").parse::<BaseUrl>().unwrap(),
        connector: Connector::new(&TlsOptions::default()).unwrap(),
        headers: Vec::new(),
        limits: Limits { timeout: Duration::from_mins(1), ..Limits::default() },
        reuse: Reuse::KeepAlive,
    }
}

/// `POST /v1/x` with a small body.
pub(crate) fn post() -> Outgoing {
    Outgoing::new("POST", "/v1/x", &[("content-type".into(), "application/json".into())], "{\"a\":1}")
        .unwrap()
}

/// Runs `n` exchanges one after the other on one client.
pub(crate) fn exchanges(target: Target, n: usize) -> Vec<Timeline> {
    run(async move {
        let client = Client::new(target, RunClock::start());
        let mut all = Vec::new();
        for _ in 0..n {
            all.push(client.exchange(&post(), Nanos::ZERO, &Cancel::new()).await);
        }
        all
    })
}

/// One exchange.
pub(crate) fn exchange(target: Target) -> Timeline {
    exchanges(target, 1).remove(0)
}

/// Runs on a runtime of this thread.
pub(crate) fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// A channel from a server's thread to the test.
pub(crate) fn wire_tap<T>() -> (mpsc::Sender<T>, mpsc::Receiver<T>) {
    mpsc::channel()
}

/// What every timeline must obey, whatever happened.
pub(crate) fn assert_sound(timeline: &Timeline) {
    let mut last = (0, Nanos::ZERO);
    for mark in &timeline.marks {
        assert!(mark.end > last.0 && mark.user >= last.1, "marks rise: {:?}", timeline.marks);
        assert!(mark.kernel.is_none_or(|kernel| kernel <= mark.user), "nothing is read before it arrived");
        last = (mark.end, mark.user);
    }
    let kernel: Vec<Nanos> = timeline.marks.iter().filter_map(|mark| mark.kernel).collect();
    assert!(kernel.is_sorted(), "kernel stamps never fall: {:?}", timeline.marks);
    if let Some(sent) = timeline.sent {
        assert!(timeline.connected.unwrap() <= sent && kernel.first().is_none_or(|first| sent <= *first));
    }
    assert_eq!(last.0, timeline.body.len() as u64, "the last mark covers the body");
    assert!(timeline.ended >= last.1);
    if let Some(headers_at) = timeline.headers_at {
        assert!(timeline.sent.unwrap() <= headers_at && headers_at <= timeline.ended);
        assert!(timeline.marks.iter().all(|mark| mark.user >= headers_at));
    }
    assert_eq!(timeline.status.is_some(), timeline.headers_at.is_some());
}
