//! Start of the program to its first request, with a cold and a warm compile cache: what "runs at once" means.
//!
//! `cargo bench -p benchhost --bench startup`. Prints medians of several starts and their ratio; decides nothing.

#![allow(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

const STARTS: usize = 5;

fn main() {
    let (first, requests) = channel();
    let url = serve(first);
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let cache = scratch.path().join("cache");
    let cold: Vec<Duration> = (0..STARTS)
        .map(|_| {
            drop(std::fs::remove_dir_all(&cache));
            start(&url, scratch.path(), &cache, &requests)
        })
        .collect();
    let warm: Vec<Duration> = (0..STARTS).map(|_| start(&url, scratch.path(), &cache, &requests)).collect();
    let (cold, warm) = (median(cold), median(warm));
    println!("start to first request, median of {STARTS}");
    println!("  cold cache  {:>8.1} ms", cold.as_secs_f64() * 1e3);
    println!("  warm cache  {:>8.1} ms", warm.as_secs_f64() * 1e3);
    println!("  cold / warm {:>8.1}", cold.as_secs_f64() / warm.as_secs_f64());
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Starts a run of one request and returns when that request arrived.
fn start(url: &str, folder: &Path, cache: &Path, requests: &Receiver<Instant>) -> Duration {
    while requests.try_recv().is_ok() {}
    let begun = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_benchhost"))
        .args([
            "run",
            "--engine",
            &format!("vllm={url}"),
            "--concurrency",
            "1",
            "--requests",
            "1",
            "--warmup",
            "0",
        ])
        .args(["--gpu", "off", "--no-plots", "--no-selfcheck", "-q"])
        .current_dir(folder)
        .env("BENCHHOST_CACHE_DIR", cache)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let arrived = requests.recv_timeout(Duration::from_mins(1)).expect("a request");
    child.wait().expect("it ends");
    arrived - begun
}

/// A server just good enough for one run; tells when a POST arrives.
fn serve(first: Sender<Instant>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    std::thread::spawn(move || {
        for stream in listener.incoming().filter_map(Result::ok) {
            let first = first.clone();
            std::thread::spawn(move || drop(answer(stream, &first)));
        }
    });
    url
}

fn answer(stream: TcpStream, first: &Sender<Instant>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = String::new();
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
        let arrived = Instant::now();
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            if line.trim().is_empty() {
                break;
            }
        }
        std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink())?;
        let (kind, body) = if head.starts_with("POST") {
            // Nobody waits for the later requests of a run.
            let _unheard = first.send(arrived);
            let chunk = r#"data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}"#;
            ("text/event-stream", format!("{chunk}\n\ndata: [DONE]\n\n"))
        } else if head.contains("models") {
            ("application/json", r#"{"object":"list","data":[{"id":"m"}]}"#.to_owned())
        } else {
            ("application/json", r#"{"version":"1"}"#.to_owned())
        };
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        reader.get_mut().write_all(answer.as_bytes())?;
    }
}
