//! Requests at once: live counters, queueing, clients that leave, and the handle's life.

use std::net::TcpStream;
use std::time::Duration;

use benchhost_simulator::{Delay, Dialect, Load, SimulatorHandle};
use serde_json::json;

use crate::client::{Client, chat_body, get, start};

/// A server whose requests end only when their clients leave.
fn slow(dialect: Dialect, max_running: Option<u32>) -> SimulatorHandle {
    start(dialect, |config| {
        config.max_running = max_running;
        config.ttft = Delay::Fixed(Duration::from_mins(50));
        config.batch_slowdown = 0.0;
    })
}

fn begin(server: &SimulatorHandle) -> Client {
    let mut client = Client::connect(server.addr());
    client.send("POST", "/v1/chat/completions", "", &chat_body(&json!({})).to_string());
    client
}

/// Waits for a state that must come; the test's guard is the runner's.
fn wait_until(server: &SimulatorHandle, reached: impl Fn(Load) -> bool) {
    while !reached(server.load()) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn counters_follow_clients_that_come_wait_and_leave() {
    let server = slow(Dialect::Vllm, Some(2));
    let mut clients: Vec<Client> = (0..5).map(|_| begin(&server)).collect();
    wait_until(&server, |load| load.running == 2 && load.waiting == 3);
    let page = get(&server, "/metrics");
    for line in [
        "vllm:num_requests_running{model_name=\"m\",engine=\"0\"} 2\n",
        "vllm:num_requests_waiting{model_name=\"m\",engine=\"0\"} 3\n",
    ] {
        assert!(page.text().contains(line), "{line}");
    }
    assert!(!page.text().contains("vllm:kv_cache_usage_perc{model_name=\"m\",engine=\"0\"} 0\n"));
    clients.clear();
    // A place is given back before the end is counted, so all three are waited for.
    wait_until(&server, |load| load.running == 0 && load.waiting == 0 && load.aborted == 5);
    assert!(
        get(&server, "/metrics")
            .text()
            .contains("vllm:kv_cache_usage_perc{model_name=\"m\",engine=\"0\"} 0\n")
    );
}

#[test]
fn the_role_of_transformers_comes_while_the_request_still_waits() {
    let server = slow(Dialect::Transformers, Some(1));
    let _first = begin(&server);
    wait_until(&server, |load| load.running == 1);
    let mut second = begin(&server);
    assert!(second.reads("\"role\":\"assistant\""));
    wait_until(&server, |load| load.waiting == 1);
    assert_eq!(server.load().generated_tokens, 0);
}

#[test]
fn many_streams_at_once_all_complete() {
    let server = start(Dialect::Vllm, |config| {
        config.itl = Delay::Fixed(Duration::from_micros(200));
        config.max_running = Some(16);
    });
    let answers: Vec<bool> = std::thread::scope(|scope| {
        let runs: Vec<_> =
            (0..64).map(|_| scope.spawn(|| begin(&server).receive().unwrap().events().1)).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert_eq!(answers, [true; 64]);
    let load = server.load();
    assert_eq!((load.accepted, load.aborted, load.running, load.waiting), (64, 0, 0, 0));
}

#[test]
fn a_dropped_handle_stops_the_server() {
    let server = slow(Dialect::Vllm, None);
    let address = server.addr();
    let client = begin(&server);
    wait_until(&server, |load| load.running == 1);
    drop(server);
    assert!(TcpStream::connect(address).is_err());
    drop(client.rest());
}

#[test]
fn a_taken_port_is_an_error_with_the_address() {
    let server = start(Dialect::Vllm, |_| ());
    let mut config = benchhost_simulator::SimulatorConfig::new(Dialect::Tgi);
    config.bind = server.addr();
    let error = benchhost_simulator::spawn_thread(config).unwrap_err().to_string();
    assert!(error.contains(&server.addr().to_string()), "{error}");
}
