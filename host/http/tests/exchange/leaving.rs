//! Users who hang up before the answer is whole.

use std::io::Write;
use std::time::Duration;

use benchhost_http::{Cancel, Client, HangUp, Outgoing, RunClock, Separator};
use benchhost_model::{Ending, Nanos, Timeline};

use crate::server::{
    STREAM, answer, assert_sound, chunk, hung_up, ok, post, request, run, script, serve, target, wire_tap,
};

fn leaving(hang_up: HangUp) -> Outgoing {
    let mut out = post();
    out.hang_up = Some(hang_up);
    out
}

fn after(events: u32) -> HangUp {
    HangUp::AfterEvents { events, separator: Separator::BlankLine }
}

/// Writes these one by one and tells whether the client hung up afterwards.
fn stream(parts: Vec<String>, hang_up: HangUp) -> (Timeline, bool) {
    let (tap, seen) = wire_tap();
    let address = serve(vec![script(move |mut socket| {
        request(&mut socket).unwrap();
        socket.write_all(STREAM.as_bytes()).unwrap();
        for part in parts {
            // The client may have left.
            let _ = socket.write_all(part.as_bytes());
        }
        tap.send(hung_up(&mut socket)).unwrap();
    })]);
    let client = Client::new(target(address), RunClock::start());
    let timeline = run(client.exchange(&leaving(hang_up), Nanos::ZERO, &Cancel::new()));
    assert_sound(&timeline);
    assert_eq!(client.idle_connections(), 0, "a connection with half an answer serves nobody");
    (timeline, seen.recv().unwrap())
}

#[test]
fn a_user_leaves_after_so_many_events_and_that_is_no_failure() {
    let events: Vec<String> = (0..3).map(|n| chunk(&format!(": ping\n\ndata: {n}\n\n"))).collect();
    for wanted in 1..=3 {
        let (timeline, left) = stream(events.clone(), after(wanted));
        assert!(left);
        assert_eq!((timeline.ending, &timeline.failure, timeline.hung_up), (Ending::Cancelled, &None, true));
        let came = String::from_utf8(timeline.body).unwrap();
        assert!(came.matches("data: ").count() >= wanted as usize, "{came}");
        assert_eq!((timeline.status, timeline.attempts), (Some(200), 1));
    }
}

#[test]
fn an_event_cut_anywhere_counts_when_it_is_whole() {
    let text = chunk("data: a\r\n\r\n");
    for cut in 0..text.len() {
        let parts = vec![text[..cut].to_owned(), text[cut..].to_owned(), chunk("data: b\n\n")];
        let (timeline, _) = stream(parts, after(1));
        assert!(timeline.hung_up && timeline.body.starts_with(b"data: a\r\n\r\n"), "cut at {cut}");
    }
}

#[test]
fn an_answer_that_ends_first_is_whole() {
    let address = serve(vec![script(|mut socket| {
        answer(&mut socket, format!("{STREAM}{}0\r\n\r\n", chunk("data: a\n\n")).as_bytes());
        answer(&mut socket, &ok("b"));
    })]);
    let client = Client::new(target(address), RunClock::start());
    let both = run(async {
        let patient = HangUp::After(Duration::from_mins(1));
        let first = client.exchange(&leaving(after(2)), Nanos::ZERO, &Cancel::new()).await;
        [first, client.exchange(&leaving(patient), Nanos::ZERO, &Cancel::new()).await]
    });
    for timeline in &both {
        assert_sound(timeline);
        assert_eq!((timeline.ending, timeline.hung_up), (Ending::Complete, false));
    }
    assert!(both[1].connection_reused);
}

#[test]
fn lines_are_events_where_they_are_the_separator() {
    let hang_up = HangUp::AfterEvents { events: 2, separator: Separator::Line };
    let (timeline, _) = stream(vec![chunk("{}\n\n{"), chunk("}\n")], hang_up);
    assert!(timeline.hung_up);
    assert_eq!(timeline.body, b"{}\n\n{}\n");
}

#[test]
fn a_user_leaves_after_so_long_before_or_inside_the_answer() {
    let patience = Duration::from_millis(20);
    for head in ["", STREAM] {
        let (tap, seen) = wire_tap();
        let address = serve(vec![script(move |mut socket| {
            request(&mut socket).unwrap();
            socket.write_all(head.as_bytes()).unwrap();
            tap.send(hung_up(&mut socket)).unwrap();
        })]);
        let client = Client::new(target(address), RunClock::start());
        let out = leaving(HangUp::After(patience));
        let timeline = run(client.exchange(&out, Nanos::ZERO, &Cancel::new()));
        assert_sound(&timeline);
        assert_eq!((timeline.ending, &timeline.failure, timeline.hung_up), (Ending::Cancelled, &None, true));
        assert!(timeline.ended >= timeline.connected.unwrap() + Nanos::from(patience));
        assert!(seen.recv().unwrap());
    }
}
