//! Where a body ends, by the rules of HTTP/1.1, and what that means for the connection.

use std::io::Write;

use benchhost_http::{Cancel, Client, Outgoing, RunClock};
use benchhost_model::{Ending, Failure, Nanos, Timeline};

use crate::server::{
    STREAM, answer, assert_sound, chunk, exchange, exchanges, hung_up, ok, request, run, script, serve,
    target, wire_tap,
};

/// One exchange with a server that writes these bytes and keeps the connection open.
fn held_open(bytes: &'static str) -> Timeline {
    exchange(target(serve(vec![script(move |mut socket| {
        answer(&mut socket, bytes.as_bytes());
        hung_up(&mut socket);
    })])))
}

#[test]
fn answers_without_a_body_end_with_their_head() {
    for status in ["204 No Content", "304 Not Modified"] {
        let address = serve(vec![script(move |mut socket| {
            answer(&mut socket, format!("HTTP/1.1 {status}\r\ncontent-length: 9\r\n\r\n").as_bytes());
            answer(&mut socket, &ok("next"));
        })]);
        let both = exchanges(target(address), 2);
        assert_sound(&both[0]);
        assert!(both[0].body.is_empty() && both[0].ending == Ending::Complete);
        assert_eq!((&both[1].body[..], both[1].connection_reused), (&b"next"[..], true), "{status}");
    }
}

#[test]
fn the_answer_to_head_has_no_body_whatever_it_says() {
    let address = serve(vec![script(|mut socket| {
        answer(&mut socket, b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n");
        answer(&mut socket, STREAM.as_bytes());
        answer(&mut socket, &ok(""));
    })]);
    run(async {
        let client = Client::new(target(address), RunClock::start());
        for reused in [false, true, true] {
            let out = Outgoing::new("HEAD", "/x", &[], "").unwrap();
            let timeline = client.exchange(&out, Nanos::ZERO, &Cancel::new()).await;
            assert_sound(&timeline);
            assert_eq!((timeline.ending, timeline.connection_reused), (Ending::Complete, reused));
            assert!(timeline.body.is_empty());
        }
    });
}

#[test]
fn chunks_win_over_a_length_and_the_connection_is_not_trusted_again() {
    let both = || {
        script(|mut socket| {
            let text = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n{}0\r\n\r\n",
                chunk("hello")
            );
            answer(&mut socket, text.as_bytes());
            hung_up(&mut socket);
        })
    };
    for timeline in exchanges(target(serve(vec![both(), both()])), 2) {
        assert_sound(&timeline);
        assert_eq!((&timeline.body[..], timeline.connection_reused), (&b"hello"[..], false));
    }
}

#[test]
fn any_number_of_interim_answers_is_passed_over_but_not_bytes_without_end() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n".repeat(20);
    let text = [interim.as_bytes(), &ok("x")].concat();
    let timeline = exchange(target(serve(vec![script(move |mut socket| answer(&mut socket, &text))])));
    assert_sound(&timeline);
    assert_eq!((timeline.status, &timeline.body[..]), (Some(200), &b"x"[..]));

    let endless = exchange(target(serve(vec![script(|mut socket| {
        request(&mut socket).unwrap();
        while socket.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").is_ok() {}
    })])));
    assert_eq!(endless.failure.unwrap().failure, Failure::Protocol);
}

#[test]
fn folded_headers_are_unfolded() {
    let timeline = held_open("HTTP/1.1 200 OK\r\nx: a\r\n  b\r\ncontent-length: 1\r\n\r\nz");
    assert_sound(&timeline);
    assert!(timeline.headers.contains(&("x".into(), "a b".into())) && timeline.body == b"z");
}

#[test]
fn what_the_rules_forbid_is_a_protocol_failure() {
    for text in [
        "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1, 2\r\n\r\nab",
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;a\nb\r\n",
    ] {
        let timeline = held_open(text);
        assert_sound(&timeline);
        assert_eq!(timeline.failure.map(|f| f.failure), Some(Failure::Protocol), "{text:?}");
    }
}

#[test]
fn an_answer_before_the_request_is_sent_whole_is_taken_and_the_connection_dropped() {
    let (tap, seen) = wire_tap();
    let address = serve(vec![
        script(move |mut socket| {
            // Reads nothing of a body that no socket buffers whole, and says why.
            socket.write_all(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig").unwrap();
            tap.send(()).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(50));
        }),
        script(|mut socket| answer(&mut socket, &ok("b"))),
    ]);
    run(async {
        let client = Client::new(target(address), RunClock::start());
        let large = Outgoing::new("POST", "/x", &[], vec![b'x'; 64 << 20]).unwrap();
        let timeline = client.exchange(&large, Nanos::ZERO, &Cancel::new()).await;
        assert_sound(&timeline);
        assert_eq!((timeline.status, &timeline.body[..]), (Some(413), &b"big"[..]));
        assert_eq!((timeline.ending, client.idle_connections()), (Ending::Complete, 0));
    });
    seen.recv().unwrap();
}

#[test]
fn a_large_request_arrives_whole() {
    let body = "0123456789".repeat(1_000_000);
    let (tap, seen) = wire_tap();
    let address = serve(vec![script(move |mut socket| {
        let text = request(&mut std::io::BufReader::new(socket.try_clone().unwrap())).unwrap();
        tap.send(text.len()).unwrap();
        socket.write_all(&ok("")).unwrap();
    })]);
    let out = Outgoing::new("POST", "/x", &[], body.clone()).unwrap();
    let client = Client::new(target(address), RunClock::start());
    let timeline = run(client.exchange(&out, Nanos::ZERO, &Cancel::new()));
    assert_sound(&timeline);
    assert_eq!(timeline.ending, Ending::Complete);
    assert!(seen.recv().unwrap() > body.len());
}
