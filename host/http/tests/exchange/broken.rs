//! Servers that are absent, mute, wrong or gone.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};

use benchhost_http::{Cancel, Client, Outgoing, RunClock};
use benchhost_model::{Ending, Failure, Nanos, Timeline};

use crate::server::{STREAM, answer, assert_sound, chunk, exchange, request, run, script, serve, target};

fn failure(timeline: &Timeline) -> Failure {
    assert_sound(timeline);
    timeline.failure.as_ref().unwrap().failure
}

/// One connection, one request, these bytes, closed.
fn once(bytes: impl Into<Vec<u8>>) -> Timeline {
    let bytes = bytes.into();
    exchange(target(serve(vec![script(move |mut socket| answer(&mut socket, &bytes))])))
}

fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn nobody_listens() {
    let timeline = exchange(target(nobody()));
    assert_eq!(failure(&timeline), Failure::Connect);
    assert_eq!((timeline.sent, timeline.attempts, timeline.ending), (None, 0, Ending::Cut));
    let words = timeline.failure.unwrap().detail;
    assert!(words.contains("is the server running"), "{words}");
}

#[test]
fn the_name_has_no_address() {
    let mut target = target(nobody());
    target.base = "http://no-such-host.invalid:1".parse().unwrap();
    let timeline = exchange(target);
    assert_eq!(failure(&timeline), Failure::Connect);
    assert!(timeline.failure.unwrap().detail.contains("no-such-host.invalid"));
}

#[test]
fn a_path_that_is_too_long_with_its_base_is_asked_of_nobody() {
    let mut target = target(nobody());
    target.base = format!("{}/{}", target.base, "b".repeat(40_000)).parse().unwrap();
    let long = Outgoing::get(&format!("/{}", "a".repeat(40_000))).unwrap();
    let client = Client::new(target, RunClock::start());
    let timeline = run(client.exchange(&long, Nanos::ZERO, &Cancel::new()));
    assert_eq!((failure(&timeline), timeline.attempts), (Failure::Protocol, 0));
}

#[test]
fn it_closes_before_a_response() {
    let timeline = once("");
    assert_eq!((failure(&timeline), timeline.ending), (Failure::Closed, Ending::Cut));
    assert!(timeline.sent.is_some() && timeline.headers_at.is_none() && timeline.status.is_none());
}

#[test]
fn it_closes_inside_the_head() {
    for cut in [1, 8, 12, 17, 40] {
        let timeline = once(&STREAM.as_bytes()[..cut]);
        assert_eq!((failure(&timeline), timeline.status), (Failure::Closed, None), "cut at {cut}");
    }
}

#[test]
fn a_stream_cut_at_any_byte_of_its_body_is_truncated_and_keeps_what_came() {
    let body = format!("{}{}0\r\n\r\n", chunk("data: a\n\n"), chunk("data: b\n\n"));
    for cut in 0..body.len() {
        let timeline = once(format!("{STREAM}{}", &body[..cut]));
        assert_eq!(failure(&timeline), Failure::Truncated, "cut at {cut}");
        assert_eq!((timeline.ending, timeline.status), (Ending::Cut, Some(200)));
        assert!(b"data: a\n\ndata: b\n\n".starts_with(&timeline.body), "cut at {cut}");
        assert_eq!(timeline.body.len(), data_bytes(cut), "cut at {cut}");
    }
}

/// Bytes of data in the first `cut` bytes of two chunks of nine bytes: `9\r\n`, data, `\r\n`, twice, and the end.
fn data_bytes(cut: usize) -> usize {
    cut.saturating_sub(3).min(9) + cut.saturating_sub(17).min(9)
}

#[test]
fn a_body_shorter_than_its_length_is_truncated() {
    let timeline = once("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc");
    assert_eq!((failure(&timeline), &timeline.body[..]), (Failure::Truncated, &b"abc"[..]));
}

#[test]
fn what_is_not_http_is_a_protocol_failure() {
    for garbage in [
        "\0\0\0\x05hello, world\r\n\r\n",
        "SSH-2.0-OpenSSH_9.6\r\n\r\n",
        "HTTP/1.1 abc\r\n\r\n",
        "<html>\r\n\r\n",
        "HTTP/2 200\r\n\r\n",
    ] {
        let timeline = once(garbage);
        assert_eq!(failure(&timeline), Failure::Protocol, "{garbage:?}");
        assert_eq!((timeline.status, timeline.ending), (None, Ending::Cut));
    }
}

#[test]
fn chunks_that_are_no_chunks_are_a_protocol_failure_and_keep_what_came_before() {
    for broken in ["zz\r\n", "ffffffffffffffffff\r\n", "1\r\nabc", "-1\r\n"] {
        let timeline = once(format!("{STREAM}{}{broken}\r\n\r\n\r\n", chunk("a")));
        assert_eq!(failure(&timeline), Failure::Protocol, "{broken:?}");
        assert!(timeline.body.starts_with(b"a"), "{broken:?}");
    }
}

#[test]
fn lengths_that_contradict_each_other_are_refused() {
    let timeline = once("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab");
    assert_eq!(failure(&timeline), Failure::Protocol);
}

#[test]
fn a_head_of_any_size_is_refused_not_stored() {
    let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "a".repeat(1 << 20));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(5000));
    for head in [long, many] {
        let timeline = exchange(target(serve(vec![script(move |mut socket| {
            request(&mut socket).unwrap();
            // The client hangs up before it has taken all.
            let _ = socket.write_all(head.as_bytes());
        })])));
        assert_eq!(failure(&timeline), Failure::Protocol);
        assert!(timeline.failure.unwrap().detail.contains("larger than"), "says why");
    }
}

#[test]
fn a_large_but_sane_head_is_read() {
    let value = "a".repeat(30_000);
    let timeline = once(format!("HTTP/1.1 200 OK\r\nx-big: {value}\r\ncontent-length: 1\r\n\r\nb"));
    assert_sound(&timeline);
    assert_eq!((timeline.failure, &timeline.body[..]), (None, &b"b"[..]));
    assert!(timeline.headers.contains(&("x-big".into(), value)));
}

#[test]
fn header_values_outside_utf8_do_not_stop_the_answer() {
    let timeline = once(b"HTTP/1.1 200 OK\r\nx: \xff\xfe\r\ncontent-length: 1\r\n\r\nb".to_vec());
    assert_eq!((&timeline.failure, &timeline.body[..]), (&None, &b"b"[..]));
    assert!(timeline.headers.iter().any(|(name, value)| name == "x" && value.contains('\u{fffd}')));
}

#[test]
fn a_redirect_is_reported_and_not_followed() {
    for status in ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let timeline = once(format!(
            "HTTP/1.1 {status}\r\nlocation: http://elsewhere/v1\r\ncontent-length: 2\r\n\r\nhi"
        ));
        assert_eq!((failure(&timeline), timeline.status), (Failure::Redirect, status[..3].parse().ok()));
        assert!(timeline.failure.unwrap().detail.contains("http://elsewhere/v1"));
        assert_eq!((timeline.ending, timeline.attempts), (Ending::Complete, 1));
    }
}
