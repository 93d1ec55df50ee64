//! Time limits, the size cap, cancelling. A test here waits for a limit; none asserts how long that took.

use std::io::Write;
use std::time::Duration;

use benchhost_http::{Cancel, Client, Limits, RunClock};
use benchhost_model::{Ending, Failure, Nanos};

use crate::server::{
    STREAM, answer, assert_sound, chunk, exchange, hung_up, ok, post, request, run, script, serve, target,
    wire_tap,
};

const SHORT: Duration = Duration::from_millis(30);

#[test]
fn a_server_that_never_answers_times_out_and_is_hung_up_on() {
    let (tap, seen) = wire_tap();
    let mut target = target(serve(vec![script(move |mut socket| {
        request(&mut socket).unwrap();
        tap.send(hung_up(&mut socket)).unwrap();
    })]));
    target.limits.timeout = SHORT;
    // The silence before a response is no idle time: a request may wait in the server's queue.
    target.limits.idle_timeout = Duration::from_nanos(1);
    let timeline = exchange(target);
    assert_sound(&timeline);
    assert_eq!(timeline.failure.unwrap().failure, Failure::Timeout);
    assert_eq!((timeline.ending, timeline.status), (Ending::TimedOut, None));
    assert!(seen.recv().unwrap());
}

#[test]
fn a_stream_that_stalls_meets_the_idle_limit_and_keeps_what_came() {
    let (tap, seen) = wire_tap();
    let mut target = target(serve(vec![script(move |mut socket| {
        answer(&mut socket, format!("{STREAM}{}", chunk("data: a\n\n")).as_bytes());
        tap.send(hung_up(&mut socket)).unwrap();
    })]));
    target.limits.idle_timeout = SHORT;
    let timeline = exchange(target);
    assert_sound(&timeline);
    assert_eq!(timeline.failure.unwrap().failure, Failure::IdleTimeout);
    assert_eq!(
        (timeline.ending, timeline.status, &timeline.body[..]),
        (Ending::TimedOut, Some(200), &b"data: a\n\n"[..])
    );
    assert!(seen.recv().unwrap());
}

#[test]
fn a_stream_that_drips_passes_the_idle_limit_and_meets_the_whole() {
    let mut target = target(serve(vec![script(move |mut socket| {
        request(&mut socket).unwrap();
        socket.write_all(STREAM.as_bytes()).unwrap();
        while socket.write_all(chunk("x").as_bytes()).is_ok() {
            std::thread::sleep(Duration::from_millis(1));
        }
    })]));
    target.limits =
        Limits { timeout: Duration::from_millis(200), idle_timeout: Duration::from_mins(1), ..target.limits };
    let timeline = exchange(target);
    assert_sound(&timeline);
    assert_eq!((timeline.failure.unwrap().failure, timeline.ending), (Failure::Timeout, Ending::TimedOut));
}

#[test]
fn a_body_beyond_the_cap_is_cut_there_and_not_held() {
    let (tap, seen) = wire_tap();
    let mut target = target(serve(vec![script(move |mut socket| {
        answer(&mut socket, b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n");
        let block = vec![b'x'; 1 << 20];
        let written = (0..1000).take_while(|_| socket.write_all(&block).is_ok()).count();
        tap.send(written).unwrap();
    })]));
    target.limits.body_cap = 100_000;
    let timeline = exchange(target);
    assert_sound(&timeline);
    assert_eq!(timeline.failure.unwrap().failure, Failure::TooLarge);
    assert_eq!((timeline.body.len(), timeline.ending), (100_000, Ending::Cancelled));
    assert!(timeline.body.capacity() < 1 << 20, "holds little more than it keeps");
    assert!(seen.recv().unwrap() < 1000, "the client hung up long before the end");
}

#[test]
fn a_body_of_exactly_the_cap_is_whole() {
    let mut target = target(serve(vec![script(|mut socket| answer(&mut socket, &ok("12345")))]));
    target.limits.body_cap = 5;
    let timeline = exchange(target);
    assert_eq!(
        (timeline.failure, timeline.ending, &timeline.body[..]),
        (None, Ending::Complete, &b"12345"[..])
    );
}

#[test]
fn an_endless_error_body_is_cut_without_hiding_the_status() {
    let target = target(serve(vec![script(|mut socket| {
        answer(&mut socket, b"HTTP/1.1 500 Oops\r\n\r\n");
        while socket.write_all(&[b'x'; 65536]).is_ok() {}
    })]));
    let timeline = exchange(target);
    assert_sound(&timeline);
    assert_eq!((timeline.status, timeline.failure), (Some(500), None));
    assert_eq!(timeline.body.len(), 1 << 20);
}

#[test]
fn cancelling_in_the_middle_hangs_up_and_keeps_what_came() {
    let cancel = Cancel::new();
    let (tap, seen) = wire_tap();
    let pull = cancel.clone();
    let address = serve(vec![script(move |mut socket| {
        answer(&mut socket, format!("{STREAM}{}", chunk("a")).as_bytes());
        pull.cancel();
        tap.send(hung_up(&mut socket)).unwrap();
    })]);
    let client = Client::new(target(address), RunClock::start());
    let timeline = run(client.exchange(&post(), Nanos::ZERO, &cancel));
    assert_sound(&timeline);
    assert_eq!((timeline.ending, timeline.failure), (Ending::Cancelled, None));
    assert!(timeline.sent.is_some());
    assert_eq!(client.idle_connections(), 0);
    assert!(seen.recv().unwrap());
}

#[test]
fn cancelling_before_the_answer_or_the_start_is_no_failure() {
    let cancel = Cancel::new();
    let pull = cancel.clone();
    let address = serve(vec![script(move |mut socket| {
        request(&mut socket).unwrap();
        pull.cancel();
        hung_up(&mut socket);
    })]);
    let client = Client::new(target(address), RunClock::start());
    for sent in [true, false] {
        let timeline = run(client.exchange(&post(), Nanos::ZERO, &cancel));
        assert_eq!(
            (timeline.ending, timeline.failure, timeline.sent.is_some()),
            (Ending::Cancelled, None, sent)
        );
    }
}

#[test]
fn a_cancelled_request_is_not_written_to_a_kept_connection() {
    let (tap, seen) = wire_tap();
    let address = serve(vec![script(move |mut socket| {
        answer(&mut socket, &ok("a"));
        tap.send(hung_up(&mut socket)).unwrap();
    })]);
    let cancel = Cancel::new();
    let client = Client::new(target(address), RunClock::start());
    let timeline = run(async {
        client.exchange(&post(), Nanos::ZERO, &cancel).await;
        assert_eq!(client.idle_connections(), 1);
        cancel.cancel();
        client.exchange(&post(), Nanos::ZERO, &cancel).await
    });
    assert_eq!((timeline.ending, timeline.sent, timeline.attempts), (Ending::Cancelled, None, 0));
    drop(client);
    assert!(seen.recv().unwrap(), "nothing more was sent");
}
