//! Whole answers: every cut of the bytes gives the same body.

use std::io::Write;

use benchhost_http::{Cancel, Client, Outgoing, RunClock, SecretHeader};
use benchhost_model::{Ending, Nanos};
use proptest::prelude::*;

use crate::server::{
    STREAM, answer, assert_sound, chunk, exchange, ok, post, request, run, script, serve, target, wire_tap,
};

const EVENTS: [&str; 4] = ["data: {\"t\":\"é\"}\n\n", ": ping\n\n", "data: [DONE]\n\n", "x"];

#[test]
fn a_stream_in_chunks_arrives_whole() {
    let address = serve(vec![script(|mut socket| {
        request(&mut socket).unwrap();
        socket.write_all(STREAM.as_bytes()).unwrap();
        for event in EVENTS {
            socket.write_all(chunk(event).as_bytes()).unwrap();
        }
        socket.write_all(b"0\r\n\r\n").unwrap();
    })]);
    let timeline = exchange(target(address));
    assert_sound(&timeline);
    assert_eq!(String::from_utf8(timeline.body).unwrap(), EVENTS.concat());
    assert_eq!((timeline.status, timeline.ending, timeline.failure), (Some(200), Ending::Complete, None));
    assert_eq!((timeline.attempts, timeline.connection_reused), (1, false));
    assert!(timeline.headers.contains(&("content-type".into(), "text/event-stream".into())));
    assert!(!timeline.marks.is_empty());
}

#[test]
fn the_request_is_what_was_asked_plus_what_the_connection_needs() {
    let (tap, seen) = wire_tap();
    let address = serve(vec![script(move |mut socket| {
        tap.send(request(&mut socket).unwrap()).unwrap();
        socket.write_all(&ok("")).unwrap();
    })]);
    let mut target = target(address);
    target.base = format!("http://{address}/serve").parse().unwrap();
    target.headers =
        vec![SecretHeader::bearer("k").unwrap(), SecretHeader::new("X-Dialect", "user").unwrap()];
    let out =
        Outgoing::new("POST", "/v1/x?y=1", &[("x-dialect".into(), "plugin".into())], "{\"a\":1}").unwrap();
    let timeline = run(async {
        Client::new(target, RunClock::start()).exchange(&out, Nanos::new(7), &Cancel::new()).await
    });
    assert_eq!(timeline.scheduled, Nanos::new(7));
    let text = seen.recv().unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<&str> = head.lines().collect();
    assert_eq!(lines.remove(0), "POST /serve/v1/x?y=1 HTTP/1.1");
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "accept-encoding: identity",
            "authorization: Bearer k",
            "content-length: 7",
            &format!("host: {address}"),
            concat!("user-agent: benchhost/", env!("CARGO_PKG_VERSION")),
            "x-dialect: user",
        ]
    );
    assert_eq!(body, "{\"a\":1}");
}

#[test]
fn a_get_has_no_body_and_an_empty_post_says_so() {
    let (tap, seen) = wire_tap();
    let address = serve(vec![script(move |mut socket| {
        for _ in 0..2 {
            tap.send(request(&mut socket).unwrap()).unwrap();
            socket.write_all(&ok("")).unwrap();
        }
    })]);
    let target = target(address);
    run(async {
        let client = Client::new(target, RunClock::start());
        client.exchange(&Outgoing::get("/").unwrap(), Nanos::ZERO, &Cancel::new()).await;
        let empty = Outgoing::new("POST", "/reset", &[], "").unwrap();
        client.exchange(&empty, Nanos::ZERO, &Cancel::new()).await;
    });
    assert!(!seen.recv().unwrap().contains("content-length"));
    assert!(seen.recv().unwrap().contains("content-length: 0"));
}

#[test]
fn a_body_without_length_ends_where_the_connection_does() {
    let address = serve(vec![script(|mut socket| {
        answer(&mut socket, b"HTTP/1.1 200 OK\r\n\r\nto the end");
    })]);
    let timeline = exchange(target(address));
    assert_sound(&timeline);
    assert_eq!((timeline.body, timeline.ending), (b"to the end".to_vec(), Ending::Complete));
}

#[test]
fn interim_answers_trailers_and_chunk_extensions_are_not_part_of_the_body() {
    let address = serve(vec![script(|mut socket| {
        let stream = format!(
            "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n{STREAM}2;ext=1\r\nab\r\n0\r\nx-trailer: 1\r\n\r\n"
        );
        answer(&mut socket, stream.as_bytes());
    })]);
    let timeline = exchange(target(address));
    assert_eq!(
        (timeline.status, &timeline.body[..], timeline.ending),
        (Some(200), &b"ab"[..], Ending::Complete)
    );
}

#[test]
fn an_error_status_keeps_its_body_and_is_not_a_failure_of_the_transport() {
    for status in ["400 Bad Request", "404 Not Found", "429 Too Many Requests", "503 Service Unavailable"] {
        let text = format!("HTTP/1.1 {status}\r\ncontent-length: 13\r\n\r\n{{\"error\":\"x\"}}");
        let address = serve(vec![script(move |mut socket| answer(&mut socket, text.as_bytes()))]);
        let timeline = exchange(target(address));
        assert_sound(&timeline);
        assert_eq!(timeline.status, Some(status[..3].parse().unwrap()));
        assert_eq!((timeline.body, timeline.failure), (b"{\"error\":\"x\"}".to_vec(), None));
        assert_eq!(timeline.ending, Ending::Complete);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn cuts_anywhere_in_the_stream_change_nothing(
        cuts in proptest::collection::vec(0_usize..260, 0..12),
        sizes in proptest::collection::vec(1_usize..40, 1..6),
        pause in any::<bool>(),
    ) {
        let body = "é—data: {\"choices\":[]}\n\n".repeat(3);
        let wire = chunked(&body, &sizes);
        let address = serve(vec![script(move |mut socket| {
            request(&mut socket).unwrap();
            let mut cuts = cuts;
            cuts.sort_unstable();
            let mut from = 0;
            for cut in cuts.into_iter().chain([wire.len()]) {
                let cut = cut.clamp(from, wire.len());
                socket.write_all(&wire[from..cut]).unwrap();
                if pause {
                    std::thread::yield_now();
                }
                from = cut;
            }
        })]);
        let timeline = exchange(target(address));
        assert_sound(&timeline);
        prop_assert_eq!(String::from_utf8(timeline.body).unwrap(), body);
        prop_assert_eq!(timeline.ending, Ending::Complete);
    }
}

/// Head and body in chunks of the given sizes in turn, cutting through characters.
fn chunked(body: &str, sizes: &[usize]) -> Vec<u8> {
    let mut wire = STREAM.as_bytes().to_vec();
    let mut rest = body.as_bytes();
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (now, later) = rest.split_at((*size).min(rest.len()));
        wire.extend_from_slice(format!("{:x}\r\n", now.len()).as_bytes());
        wire.extend_from_slice(now);
        wire.extend_from_slice(b"\r\n");
        rest = later;
    }
    wire.extend_from_slice(b"0\r\n\r\n");
    wire
}

#[test]
fn every_single_cut_of_a_short_stream_gives_the_same_answer() {
    let wire = chunked("data: a\n\n", &[4]);
    let length = wire.len();
    let address = serve(vec![script(move |mut socket| {
        for cut in 0..=length {
            request(&mut socket).unwrap();
            socket.write_all(&wire[..cut]).unwrap();
            std::thread::yield_now();
            socket.write_all(&wire[cut..]).unwrap();
        }
    })]);
    run(async {
        let client = Client::new(target(address), RunClock::start());
        for cut in 0..=length {
            let timeline = client.exchange(&post(), Nanos::ZERO, &Cancel::new()).await;
            assert_sound(&timeline);
            assert_eq!(timeline.body, b"data: a\n\n", "cut at {cut}");
            assert_eq!(timeline.connection_reused, cut > 0);
        }
    });
}
