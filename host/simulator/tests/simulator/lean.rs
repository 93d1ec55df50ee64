//! The lean way of serving, stalls, and the page on which the simulator tells of itself.

use std::time::Duration;

use benchhost_simulator::{Delay, Dialect, Fault, FaultPlan, SimulatorConfig, monotonic_ns, spawn_thread};
use serde_json::{Value, json};

use crate::client::{Client, chat, get, start};

fn lean(tokens: u32, change: impl FnOnce(&mut SimulatorConfig)) -> (Vec<Value>, bool, Value) {
    let server = start(Dialect::Vllm, |config| {
        config.lean = true;
        change(config);
    });
    let (events, done) = chat(&server, &json!({"stream": true, "max_tokens": tokens})).events();
    (events, done, get(&server, "/simulator").json())
}

fn stamped(events: &[Value]) -> Vec<u64> {
    events.iter().filter_map(|event| event["sim_write_ns"].as_u64()).collect()
}

#[test]
fn a_lean_answer_has_so_many_stamped_events_its_arrival_and_its_end() {
    for (tokens, width) in [(0, 1), (1, 1), (7, 1), (7, 3), (6, 3), (2, 9)] {
        let before = monotonic_ns();
        let (events, done, page) = lean(tokens, |config| config.tokens_per_event = width);
        let stamps = stamped(&events);
        assert!(done && stamps.len() == tokens as usize, "{tokens} {width} {events:?}");
        assert!(stamps.is_sorted() && stamps.iter().all(|at| (before..monotonic_ns()).contains(at)));
        let mut writes = stamps.clone();
        writes.dedup();
        assert!(writes.len() <= tokens.div_ceil(width) as usize, "one stamp a write: {stamps:?}");
        if tokens > 0 {
            let arrival = events[0]["sim_arrival_ns"].as_u64().unwrap();
            assert!((before..=stamps[0]).contains(&arrival));
            assert!(events[1..].iter().all(|event| event.get("sim_arrival_ns").is_none()));
            assert_eq!(events[tokens as usize - 1]["choices"][0]["finish_reason"], "length");
            assert_eq!(events.last().unwrap()["usage"]["completion_tokens"], json!(tokens));
        }
        assert_eq!((page["events"].as_u64(), page["requests"].as_u64()), (Some(u64::from(tokens)), Some(1)));
    }
}

#[test]
fn a_connection_serves_one_request_after_another_and_says_what_it_has_not() {
    let server = start(Dialect::Tgi, |config| config.lean = true);
    let mut client = Client::connect(server.addr());
    let body = json!({"stream": true, "max_tokens": 3}).to_string();
    for _ in 0..3 {
        client.send("POST", "/v1/chat/completions", "", &body);
        assert_eq!(stamped(&client.receive().unwrap().events().0).len(), 3);
        client.send("GET", "/v1/models", "", "");
        let refused = client.receive().unwrap();
        assert!(refused.status == 404 && refused.text().contains("lean"), "{}", refused.text());
    }
    assert_eq!(get(&server, "/simulator").json()["events"], json!(9));
}

#[test]
fn lean_writes_are_never_early() {
    let gap = Duration::from_millis(2);
    let (events, _, page) =
        lean(20, |config| (config.ttft, config.itl) = (Delay::Fixed(gap), Delay::Fixed(gap)));
    let (stamps, gap) = (stamped(&events), u64::try_from(gap.as_nanos()).unwrap());
    let first = events[0]["sim_arrival_ns"].as_u64().unwrap();
    for (number, at) in stamps.iter().enumerate() {
        assert!(*at >= first + gap * (number as u64 + 1), "{number}: {stamps:?} after {first}");
    }
    assert!(page["late_max_ns"].as_u64() > Some(0));
}

#[test]
fn what_a_lean_simulator_cannot_do_is_refused_before_it_listens() {
    let mut config = SimulatorConfig::new(Dialect::Vllm);
    config.lean = true;
    config.fault = FaultPlan::every(1, Fault::Hang);
    let error = format!("{:#}", spawn_thread(config).unwrap_err());
    assert!(error.contains("no faults") && error.contains("--lean"), "{error}");
}

#[test]
fn every_dialect_tells_the_arrival_in_the_first_stamped_event_only() {
    for dialect in Dialect::ALL {
        let before = monotonic_ns();
        let server = start(dialect, |config| config.stamp_writes = true);
        let (events, _) = chat(&server, &json!({"stream": true, "max_tokens": 5})).events();
        let first = events.iter().position(|event| event.get("sim_write_ns").is_some()).unwrap();
        let arrival = events[first]["sim_arrival_ns"].as_u64().unwrap();
        assert!((before..=stamped(&events)[0]).contains(&arrival), "{dialect}: {before} {arrival}");
        assert_eq!(
            events.iter().filter(|event| event.get("sim_arrival_ns").is_some()).count(),
            1,
            "{dialect}"
        );
    }
}

#[test]
fn in_a_stall_nothing_is_written_and_what_was_due_comes_after_it() {
    for lean in [true, false] {
        let server = start(Dialect::Vllm, |config| {
            (config.lean, config.stamp_writes) = (lean, true);
            config.itl = Delay::Fixed(Duration::from_millis(1));
            config.stalls = vec!["30ms@every=60ms".parse().unwrap()];
        });
        let (events, done) =
            chat(&server, &json!({"stream": true, "max_tokens": 120, "ignore_eos": true})).events();
        assert!(done);
        let stamps = stamped(&events);
        let stalls: Vec<[u64; 2]> =
            serde_json::from_value(get(&server, "/simulator").json()["stalls_ns"].clone()).unwrap();
        let inside: Vec<&[u64; 2]> = stalls
            .iter()
            .filter(|[from, until]| stamps[0] < *from && *until < stamps[stamps.len() - 1])
            .collect();
        assert!(!inside.is_empty(), "120 ms of answer hold at least one stall: {stalls:?}");
        for [from, until] in inside {
            assert!(until - from >= 30_000_000);
            // The stamp of a write is taken before it, so one may be taken just before the stall.
            assert!(!stamps.iter().any(|at| (*from..*until).contains(at)), "{stalls:?} {stamps:?}");
        }
    }
}
