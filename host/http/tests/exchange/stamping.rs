//! Kernel stamps beside the program's own, and the other times of a timeline.

use std::io::Write;
use std::sync::mpsc;

use benchhost_http::{Cancel, Client, RunClock, Shared, attribution};
use benchhost_model::{Nanos, StampSource, Timeline};
use benchhost_os::clock::monotonic_ns;

use crate::server::{
    STREAM, answer, assert_sound, chunk, exchange, ok, post, request, run, script, serve, target, wire_tap,
};

/// An exchange, the times of the machine before and after each of the server's writes, and the clock of the exchange.
fn timed(parts: Vec<String>) -> (Timeline, Vec<(u64, u64)>, RunClock) {
    let (tap, times) = mpsc::channel();
    let (read, go_on) = mpsc::channel::<()>();
    let address = serve(vec![script(move |mut socket| {
        request(&mut socket).unwrap();
        for part in parts {
            let before = monotonic_ns();
            socket.write_all(part.as_bytes()).unwrap();
            tap.send((before, monotonic_ns())).unwrap();
            // The pause makes each write a read of its own on an idle machine; nothing below rests on that.
            let _ = go_on.recv_timeout(std::time::Duration::from_millis(20));
        }
    })]);
    let clock = RunClock::start();
    let client = Client::new(target(address), clock);
    let timeline = run(client.exchange(&post(), Nanos::ZERO, &Cancel::new()));
    drop(read);
    let faults = client.stamp_faults();
    assert_eq!((faults.clamped, faults.dropped, faults.clock_steps), (0, 0, 0));
    assert_sound(&timeline);
    (timeline, times.iter().collect(), clock)
}

#[test]
#[cfg(target_os = "linux")]
fn a_kernel_stamp_is_the_time_of_the_write_not_of_the_read() {
    let events = ["data: a\n\n", "data: b\n\n", "data: c\n\n"];
    let mut parts: Vec<String> = vec![STREAM.to_owned()];
    parts.extend(events.map(chunk));
    parts.push("0\r\n\r\n".to_owned());
    let (timeline, times, clock) = timed(parts);
    let all = attribution(&timeline, &[9, 18, 27]);
    for (event, (before, after)) in all.iter().zip(times.iter().skip(1)) {
        assert_eq!(event.source, StampSource::Kernel);
        if event.shared == Shared::No {
            let at = clock.monotonic_at(event.at);
            // On a loopback connection a segment is stamped inside the write that sends it; 1 ms for two clocks read
            // while the machine does other things.
            assert!(at + 1_000_000 >= *before && at <= after + 1_000_000, "{before} {at} {after}");
        }
    }
    assert_eq!(all.last().map(|event| event.shared), Some(Shared::No));
}

#[test]
#[cfg(target_os = "linux")]
fn every_read_has_a_kernel_stamp() {
    let parts = vec![STREAM.to_owned(), chunk(&"x".repeat(100_000)), chunk("y"), "0\r\n\r\n".to_owned()];
    let (timeline, _, _) = timed(parts);
    assert!(timeline.marks.len() > 2 && timeline.marks.iter().all(|mark| mark.kernel.is_some()));
}

#[test]
fn connecting_lies_between_schedule_and_send_and_is_taken_once() {
    let address = serve(vec![script(|mut socket| {
        answer(&mut socket, &ok("a"));
        answer(&mut socket, &ok("b"));
    })]);
    let clock = RunClock::start();
    let client = Client::new(target(address), clock);
    let both = run(async {
        let first = client.exchange(&post(), Nanos::ZERO, &Cancel::new()).await;
        let second = client.exchange(&post(), clock.now(), &Cancel::new()).await;
        [first, second]
    });
    for timeline in &both {
        assert_sound(timeline);
        let connected = timeline.connected.unwrap();
        assert!(timeline.scheduled <= connected && connected <= timeline.sent.unwrap());
        assert!(!timeline.hung_up && timeline.io_thread == 0);
    }
    assert!(both[1].connected.unwrap() >= both[0].ended);
}

#[test]
fn a_second_attempt_keeps_the_firsts_connection_time() {
    let (tap, closed) = wire_tap();
    let address = serve(vec![
        script(move |mut socket| {
            answer(&mut socket, &ok("a"));
            request(&mut socket).unwrap();
            tap.send(monotonic_ns()).unwrap();
        }),
        script(|mut socket| answer(&mut socket, &ok("b"))),
    ]);
    let clock = RunClock::start();
    let client = Client::new(target(address), clock);
    let second = run(async {
        client.exchange(&post(), Nanos::ZERO, &Cancel::new()).await;
        client.exchange(&post(), Nanos::ZERO, &Cancel::new()).await
    });
    assert_sound(&second);
    assert_eq!(second.attempts, 2);
    assert!(clock.monotonic_at(second.connected.unwrap()) <= closed.recv().unwrap());
}

#[test]
fn without_a_connection_there_is_no_time_of_one() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(exchange(target(nobody)).connected, None);
}
