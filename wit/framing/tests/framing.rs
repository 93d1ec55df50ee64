//! What the cutter promises, with every body cut at every byte.

use benchhost_framing::{Framed, Framer, Framing, Tail};

/// Cuts `body` in one piece, at every single position, and byte by byte; all must agree.
fn cut(framing: Framing, body: &[u8]) -> (Vec<Framed>, Tail) {
    let run = |pieces: &[&[u8]]| {
        let mut out = Vec::new();
        let mut framer = Framer::new(framing);
        for piece in pieces {
            framer.push(piece, &mut out);
        }
        let tail = framer.finish(&mut out);
        (out, tail)
    };
    let whole = run(&[body]);
    for at in 0..=body.len() {
        assert_eq!(run(&[&body[..at], &body[at..]]), whole, "cut at byte {at}");
    }
    assert_eq!(run(&body.chunks(1).collect::<Vec<_>>()), whole, "byte by byte");
    whole
}

fn sse(body: &[u8]) -> Vec<(String, String, u64)> {
    cut(Framing::Sse, body).0.into_iter().map(|e| (e.name, e.data, e.end)).collect()
}

fn data(body: &[u8]) -> Vec<String> {
    sse(body).into_iter().map(|(_, data, _)| data).collect()
}

#[test]
fn a_blank_line_ends_an_event_and_its_offset_is_past_that_line() {
    assert_eq!(
        sse(b"data: a\n\ndata: b\n\n"),
        [(String::new(), "a".into(), 9), (String::new(), "b".into(), 18)]
    );
}

#[test]
fn line_feed_carriage_return_and_both_end_lines_alike() {
    for body in ["data: a\n\ndata: b\n\n", "data: a\r\rdata: b\r\r", "data: a\r\n\r\ndata: b\r\n\r\n"] {
        assert_eq!(data(body.as_bytes()), ["a", "b"], "{body:?}");
    }
}

#[test]
fn a_lone_carriage_return_dispatches_without_waiting_for_a_line_feed() {
    let mut out = Vec::new();
    let mut framer = Framer::new(Framing::Sse);
    framer.push(b"data: a\r\r", &mut out);
    assert_eq!(out.len(), 1);
    framer.push(b"\ndata: b\r\n\r\n", &mut out);
    assert_eq!(out.len(), 2);
    assert_eq!(out[1].data, "b");
}

#[test]
fn at_most_one_space_after_the_colon_is_dropped() {
    assert_eq!(data(b"data:{\"a\":1}\n\ndata:  x\n\n"), ["{\"a\":1}", " x"]);
}

#[test]
fn data_lines_are_joined_and_a_field_without_colon_has_an_empty_value() {
    assert_eq!(data(b"data: {\"a\":\ndata: 1}\n\ndata\n\ndata\ndata\n\n"), ["{\"a\":\n1}", "", "\n"]);
}

#[test]
fn comments_are_counted_and_dropped() {
    let (events, tail) = cut(Framing::Sse, b": keep-alive\n\n:\n\ndata: a\n:mid\n\n");
    assert_eq!(events.len(), 1);
    assert_eq!(tail, Tail { unterminated: false, bytes: 31, comments: 3 });
}

#[test]
fn an_event_name_belongs_to_one_event_and_alone_makes_none() {
    let events = sse(b"event: ping\n\nevent: x\ndata: a\n\ndata: b\nid: 7\nretry: 5\nData: no\n\n");
    assert_eq!(events[0].0, "x");
    assert_eq!((events[1].0.as_str(), events[1].1.as_str()), ("", "b"));
    assert_eq!(events.len(), 2);
}

#[test]
fn one_byte_order_mark_at_the_start_is_dropped_and_none_later() {
    assert_eq!(data("\u{feff}data: a\n\n\u{feff}data: b\n\n".as_bytes()), ["a"]);
}

#[test]
fn characters_torn_by_reads_are_whole_and_wrong_bytes_are_replaced() {
    assert_eq!(data("data: 🎉漢é\n\n".as_bytes()), ["🎉漢é"]);
    assert_eq!(data(b"data: a\xF0\x9F\x8E\n\n"), ["a\u{fffd}"]);
}

#[test]
fn an_event_without_its_blank_line_is_emitted_and_flagged() {
    for body in ["data: a\n\ndata: [DONE]", "data: a\n\ndata: [DONE]\n", "data: a\n\ndata: [DONE]\r\n"] {
        let (events, tail) = cut(Framing::Sse, body.as_bytes());
        assert_eq!(events[1].data, "[DONE]", "{body:?}");
        assert_eq!(events[1].end, body.len() as u64);
        assert!(tail.unterminated);
    }
}

#[test]
fn a_torn_field_name_makes_no_event_but_is_flagged_and_a_torn_comment_is_not() {
    let (events, tail) = cut(Framing::Sse, b"data: a\n\nda");
    assert_eq!((events.len(), tail.unterminated), (1, true));
    let (events, tail) = cut(Framing::Sse, b"data: a\n\n: keep");
    assert_eq!((events.len(), tail.unterminated), (1, false));
}

#[test]
fn ndjson_gives_one_event_a_line_and_skips_blank_ones() {
    let (events, tail) = cut(Framing::Ndjson, b"\xEF\xBB\xBF{\"a\":1}\r\n\n  \n{\"b\":2}\n{\"c\":3}");
    let got: Vec<_> = events.iter().map(|e| (e.data.as_str(), e.end)).collect();
    assert_eq!(got, [("{\"a\":1}", 12), ("{\"b\":2}", 24), ("{\"c\":3}", 31)]);
    assert!(tail.unterminated);
    assert!(!cut(Framing::Ndjson, b"{}\n").1.unterminated);
}

#[test]
fn a_whole_body_is_one_event_and_an_empty_one_is_none() {
    let (events, tail) = cut(Framing::WholeBody, b"{\"a\":\n1}\n");
    assert_eq!((events[0].data.as_str(), events[0].end), ("{\"a\":\n1}\n", 9));
    assert_eq!(tail, Tail { unterminated: false, bytes: 9, comments: 0 });
    for framing in [Framing::Sse, Framing::Ndjson, Framing::WholeBody] {
        assert_eq!(cut(framing, b""), (vec![], Tail::default()));
    }
}

#[test]
fn bytes_without_any_structure_never_panic() {
    let mut state = 7_u64;
    for _ in 0..40 {
        let body: Vec<u8> = (0..60)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let alphabet = b"data: \r\n\xF0\x9F:\0e{}";
                alphabet[usize::try_from(state >> 33).unwrap() % alphabet.len()]
            })
            .collect();
        for framing in [Framing::Sse, Framing::Ndjson, Framing::WholeBody] {
            let (events, _) = cut(framing, &body);
            assert!(events.windows(2).all(|pair| pair[0].end <= pair[1].end));
            assert!(events.iter().all(|e| e.end <= body.len() as u64));
        }
    }
}
