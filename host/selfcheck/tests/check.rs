//! Checks against a simulator in this process: counts, order and causes, never how long something took.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test a panic is the report")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use benchhost_load::{Control, IoPlan};
use benchhost_os::thread::Priority;
use benchhost_selfcheck::{
    OfferError, SelfCheck, ServerError, ServerUnderTruth, Shape, StallShape, measure, stall_proof,
};
use benchhost_simulator::{Delay, Dialect, SimulatorConfig, SimulatorHandle, Stall, spawn_thread};

const SECOND: Duration = Duration::from_secs(1);

/// Tests share the machine with others, so none of their threads is preferred.
fn io() -> IoPlan {
    IoPlan { priority: Priority::Off, spin: false, ..IoPlan::default() }
}

/// A simulator told what the shape's arguments tell a child.
fn simulator(shape: &Shape, lean: bool, stalls: Vec<Stall>) -> (SimulatorHandle, ServerUnderTruth) {
    let mut config = SimulatorConfig::new(Dialect::Vllm);
    "simulated".clone_into(&mut config.model);
    (config.lean, config.stamp_writes) = (lean, true);
    (config.ttft, config.itl) = (Delay::Fixed(shape.first), Delay::Fixed(shape.gap));
    (config.tokens_per_event, config.batch_slowdown) = (shape.per_write, 0.0);
    config.stalls = stalls;
    let handle = spawn_thread(config).unwrap();
    let server = ServerUnderTruth::new(&format!("http://{}", handle.addr())).unwrap();
    (handle, server)
}

fn check(shape: &Shape) -> SelfCheck {
    let (_handle, server) = simulator(shape, true, Vec::new());
    measure(shape, &server, &Control::new()).unwrap()
}

#[test]
fn every_event_in_the_window_is_compared_and_none_was_seen_before_it_was_written() {
    for shape in [Shape::streams(4, 200.0, io(), SECOND), Shape::rate(60.0, 200.0, io(), SECOND)] {
        let check = check(&shape);
        assert!(check.events > 50 && check.answers > 3, "{check:?}");
        assert_eq!(check.failed, 0, "{check:?}");
        let user = check.user.receive.unwrap();
        assert_eq!(user.abs.count, check.events);
        assert!(user.mean_ns > 0.0 && check.user.ttft.unwrap().mean_ns > 0.0, "{check:?}");
        if let Some(kernel) = check.kernel {
            // The kernel has an event before the program does.
            assert!(kernel.receive.unwrap().mean_ns <= user.mean_ns, "{check:?}");
            assert!(kernel.ttft.unwrap().mean_ns > 0.0);
        }
        assert!(check.verdict.is_some() && check.server.events > 0 && check.cpu_per_event_ns > 0.0);
        let facts = check.facts();
        assert!(facts.ttft.is_some() && facts.gap.is_some() && facts.tpot.is_some() && facts.e2e.is_some());
        let text = serde_json::to_string(&check).unwrap();
        assert_eq!(serde_json::from_str::<SelfCheck>(&text).unwrap().facts(), facts);
        assert!(check.to_string().lines().all(|line| line.chars().count() <= 80), "{check}");
    }
}

#[test]
fn events_that_are_written_together_are_counted_as_such() {
    let shape = Shape { per_write: 4, ..Shape::streams(4, 200.0, io(), SECOND) };
    let check = check(&shape);
    // Three of four share the read of the last, whoever was late.
    let shared = check.together_share + check.censored_share;
    assert!((0.6..=0.95).contains(&shared), "{shared}");
    assert!(check.user.receive_apart.is_none_or(|apart| apart.abs.count < check.events / 2), "{check:?}");
}

#[test]
fn a_simulator_with_the_manners_of_an_engine_does_as_well() {
    let shape = Shape::streams(2, 200.0, io(), SECOND).with_events(12);
    let (_handle, server) = simulator(&shape, false, Vec::new());
    let check = measure(&shape, &server, &Control::new()).unwrap();
    assert!(check.events > 10 && check.user.ttft.is_some(), "{check:?}");
}

#[test]
fn no_request_that_was_due_in_a_stop_hides_it() {
    let shape = StallShape::new(io(), 2 * SECOND);
    let stall = format!("{}ns@every={}ns", shape.length.as_nanos(), shape.period.as_nanos());
    assert!(shape.server_args().contains(&stall));
    let (_handle, server) = simulator(&shape.shape, true, vec![stall.parse().unwrap()]);
    let proof = stall_proof(&shape, &server, &Control::new()).unwrap();
    assert!(proof.holds(), "{proof:?}");
    assert!(proof.stalls >= 3 && proof.longest_ns >= 50_000_000, "{proof:?}");
    // 400 a second for 50 ms, at random: twenty a stop; some are due so late in it that they are sent after it.
    assert!(proof.due > 3 * proof.stalls && proof.sent > 0 && proof.sent <= proof.due, "{proof:?}");
    assert!(proof.worst_ttft_sched_ns > 20_000_000, "{proof:?}");
    assert!(proof.client.due > 3 && proof.client.worst_slip_ns > 20_000_000, "{proof:?}");
}

#[test]
fn without_stops_there_is_no_proof() {
    let shape = StallShape::new(io(), SECOND);
    let (_handle, server) = simulator(&shape.shape, true, Vec::new());
    let proof = stall_proof(&shape, &server, &Control::new()).unwrap();
    assert_eq!((proof.stalls, proof.due, proof.holds()), (0, 0, false), "{proof:?}");
}

#[test]
fn a_check_that_is_stopped_at_once_says_so_or_ends_early() {
    let shape = Shape::streams(2, 100.0, io(), 30 * SECOND);
    let (_handle, server) = simulator(&shape, true, Vec::new());
    let control = Control::new();
    control.cut();
    let ended = measure(&shape, &server, &control);
    assert!(matches!(&ended, Err(OfferError::Nothing)) || ended.is_ok_and(|check| check.events == 0));
}

#[test]
fn a_stranger_is_not_taken_for_a_simulator() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let mut socket = listener.accept().unwrap().0;
        let _ = socket.read(&mut [0; 1024]).unwrap();
        socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").unwrap();
    });
    let server = ServerUnderTruth::new(&format!("http://{address}")).unwrap();
    let error = measure(&Shape::streams(1, 100.0, io(), SECOND), &server, &Control::new()).unwrap_err();
    thread.join().unwrap();
    assert!(matches!(error, OfferError::Server(ServerError::Stranger(_))), "{error}");
}
