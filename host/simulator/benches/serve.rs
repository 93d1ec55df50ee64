//! What one event costs the simulator, and how late it writes, with many streams on one core.
//!
//! `cargo bench -p benchhost-simulator --bench serve`. For the lean and the full way of serving: CPU time of the serving
//! thread per event, and the lateness of its writes against their schedule. The reader runs on a thread of its own; both
//! numbers are the simulator's own account (`GET /simulator`).
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and a panic is its report")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use benchhost_simulator::{Delay, Dialect, SimulatorConfig, spawn_thread};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const STREAMS: [u32; 3] = [64, 512, 1024];
const GAP: Duration = Duration::from_millis(10);
const LENGTH: Duration = Duration::from_secs(3);

fn main() {
    for lean in [true, false] {
        for streams in STREAMS {
            let mut config = SimulatorConfig::new(Dialect::Vllm);
            "m".clone_into(&mut config.model);
            config.ttft = Delay::Fixed(GAP);
            config.itl = Delay::Fixed(GAP);
            config.batch_slowdown = 0.0;
            (config.stamp_writes, config.lean) = (true, lean);
            let server = spawn_thread(config).unwrap();
            let address = server.addr();
            let reader = std::thread::spawn(move || read(address, streams));
            std::thread::sleep(Duration::from_secs(1));
            let before = page(address);
            std::thread::sleep(LENGTH);
            let after = page(address);
            drop(server);
            reader.join().unwrap();
            let number = |page: &Value, key: &str| page[key].as_f64().unwrap();
            let gained = |key: &str| number(&after, key) - number(&before, key);
            println!(
                "{} {streams:>5} streams: {:>7.0} events/s, {:>5.2} µs CPU per event, core {:>3.0} %, late p50 {:.0} µs, \
                 p99 {:.0} µs, max {:.0} µs",
                if lean { "lean" } else { "full" },
                gained("events") / LENGTH.as_secs_f64(),
                gained("cpu_ns") / gained("events") / 1e3,
                gained("cpu_ns") / gained("now_ns") * 100.0,
                number(&after, "late_p50_ns") / 1e3,
                number(&after, "late_p99_ns") / 1e3,
                number(&after, "late_max_ns") / 1e3,
            );
        }
    }
}

/// Reads streams until the server is gone.
fn read(address: SocketAddr, streams: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async move {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..streams {
            tasks.spawn(async move {
                let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
                let body = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"stream\":true,\
                            \"ignore_eos\":true,\"max_tokens\":1000}";
                let length = body.len();
                let request = format!(
                    "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                     content-length: {length}\r\n\r\n{body}"
                );
                socket.write_all(request.as_bytes()).await.unwrap();
                let mut buffer = vec![0; 16 * 1024];
                while socket.read(&mut buffer).await.is_ok_and(|bytes| bytes > 0) {}
            });
            // So that they do not write in step.
            tokio::time::sleep(Duration::from_micros(300)).await;
        }
        while tasks.join_next().await.is_some() {}
    });
}

fn page(address: SocketAddr) -> Value {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.write_all(b"GET /simulator HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut bytes = [0; 4096];
    let mut text = Vec::new();
    loop {
        let read = socket.read(&mut bytes).unwrap();
        text.extend_from_slice(&bytes[..read]);
        let whole = String::from_utf8_lossy(&text).into_owned();
        if let Some(value) =
            whole.split_once("\r\n\r\n").and_then(|(_, body)| serde_json::from_str(body).ok())
        {
            return value;
        }
    }
}
