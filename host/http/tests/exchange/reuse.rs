//! Keeping connections, and what happens when a kept one turns out to be dead.

use std::io::Write;
use std::net::Shutdown;

use benchhost_http::{Cancel, Client, Reuse, RunClock};
use benchhost_model::{Ending, Failure, Nanos};

use crate::server::{
    STREAM, answer, assert_sound, chunk, exchanges, hung_up, ok, post, request, run, script, serve, target,
    wire_tap,
};

#[test]
fn a_connection_serves_one_request_after_the_other() {
    let address = serve(vec![script(|mut socket| {
        for n in 0..3 {
            answer(&mut socket, &ok(&n.to_string()));
        }
    })]);
    let all = exchanges(target(address), 3);
    let reused: Vec<bool> = all.iter().map(|timeline| timeline.connection_reused).collect();
    assert_eq!(reused, [false, true, true]);
    assert_eq!(all[2].body, b"2");
    assert!(all.iter().all(|timeline| timeline.attempts == 1));
    all.iter().for_each(assert_sound);
}

#[test]
fn a_stream_in_chunks_leaves_the_connection_usable() {
    let address = serve(vec![script(|mut socket| {
        answer(&mut socket, format!("{STREAM}{}0\r\n\r\n", chunk("a")).as_bytes());
        answer(&mut socket, &ok("b"));
    })]);
    let all = exchanges(target(address), 2);
    assert_eq!((&all[0].body[..], &all[1].body[..]), (&b"a"[..], &b"b"[..]));
    assert!(all[1].connection_reused);
}

#[test]
fn the_policy_never_opens_a_connection_for_each_request() {
    let one = || {
        script(|mut socket| {
            answer(&mut socket, &ok("x"));
            hung_up(&mut socket);
        })
    };
    let mut target = target(serve(vec![one(), one()]));
    target.reuse = Reuse::Never;
    let all = exchanges(target, 2);
    assert!(all.iter().all(|timeline| !timeline.connection_reused && timeline.failure.is_none()));
}

#[test]
fn connection_close_is_obeyed() {
    let closing = || {
        script(|mut socket| {
            answer(&mut socket, b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\nx");
            hung_up(&mut socket);
        })
    };
    let all = exchanges(target(serve(vec![closing(), closing()])), 2);
    assert!(all.iter().all(|timeline| !timeline.connection_reused && timeline.attempts == 1));
}

/// Promises to keep the connection, takes the next request, and closes without a word.
fn breaks_its_promise(socket: &mut std::net::TcpStream) {
    answer(
        socket,
        format!(
            "HTTP/1.1 200 OK\r\nConnection: Keep-Alive\r\nTransfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n",
            chunk("a")
        )
        .as_bytes(),
    );
    request(socket).unwrap();
    socket.shutdown(Shutdown::Both).unwrap();
}

#[test]
fn a_reused_connection_that_dies_unanswered_is_replaced_once_and_that_is_recorded() {
    let address = serve(vec![
        script(|mut socket| breaks_its_promise(&mut socket)),
        script(|mut socket| answer(&mut socket, &ok("b"))),
    ]);
    let all = exchanges(target(address), 2);
    let second = &all[1];
    assert_sound(second);
    assert_eq!((second.attempts, second.connection_reused, &second.failure), (2, false, &None));
    assert_eq!(second.body, b"b");
}

#[test]
fn the_second_attempt_is_the_last_and_the_send_time_is_the_firsts() {
    let address = serve(vec![
        script(|mut socket| breaks_its_promise(&mut socket)),
        script(|mut socket| {
            request(&mut socket).unwrap();
        }),
        script(|mut socket| answer(&mut socket, &ok("never asked for"))),
    ]);
    let all = exchanges(target(address), 2);
    let second = &all[1];
    assert_eq!((second.attempts, second.ending), (2, Ending::Cut));
    assert_eq!(second.failure.as_ref().unwrap().failure, Failure::Closed);
    assert!(second.sent.unwrap() > all[0].ended && second.sent.unwrap() < second.ended);
}

#[test]
fn no_second_attempt_once_a_byte_of_the_response_has_come() {
    let address = serve(vec![
        script(|mut socket| {
            answer(&mut socket, &ok("a"));
            request(&mut socket).unwrap();
            socket.write_all(b"H").unwrap();
        }),
        script(|mut socket| answer(&mut socket, &ok("never asked for"))),
    ]);
    let all = exchanges(target(address), 2);
    let failure = all[1].failure.as_ref().unwrap();
    assert_eq!((all[1].attempts, all[1].connection_reused, failure.failure), (1, true, Failure::Closed));
    assert!(failure.detail.contains("after 1 bytes"), "{}", failure.detail);
}

#[test]
fn no_second_attempt_on_a_fresh_connection() {
    let address = serve(vec![
        script(|mut socket| {
            request(&mut socket).unwrap();
        }),
        script(|mut socket| answer(&mut socket, &ok("never asked for"))),
    ]);
    let timeline = exchanges(target(address), 1).remove(0);
    assert_eq!((timeline.attempts, timeline.failure.unwrap().failure), (1, Failure::Closed));
}

#[test]
fn a_server_that_closes_after_each_answer_costs_no_request() {
    let one =
        || script(|mut socket| answer(&mut socket, format!("{STREAM}{}0\r\n\r\n", chunk("a")).as_bytes()));
    let all = exchanges(target(serve((0..8).map(|_| one()).collect())), 8);
    for timeline in &all {
        assert_sound(timeline);
        assert_eq!((&timeline.body[..], &timeline.failure), (&b"a"[..], &None));
    }
    // Whether a close is seen before the next request is written is a race. It is lost once at most: then the server's
    // connections are not kept any more.
    let attempts: u32 = all.iter().map(|timeline| timeline.attempts).sum();
    assert!((8..=9).contains(&attempts), "{attempts} attempts for 8 requests");
}

#[test]
fn a_close_that_this_machine_knows_of_costs_no_attempt() {
    let (close, told_to) = wire_tap();
    let (closed, is_closed) = wire_tap();
    let address = serve(vec![
        script(move |mut socket| {
            answer(&mut socket, &ok("a"));
            told_to.recv().unwrap();
            drop(socket);
            closed.send(()).unwrap();
        }),
        script(|mut socket| answer(&mut socket, &ok("b"))),
    ]);
    let second = run(async {
        let client = Client::new(target(address), RunClock::start());
        client.exchange(&post(), Nanos::ZERO, &Cancel::new()).await;
        assert_eq!(client.idle_connections(), 1);
        close.send(()).unwrap();
        // Blocks the runtime, so that only a look at the event queue after this can tell that the peer has closed.
        is_closed.recv().unwrap();
        client.exchange(&post(), Nanos::ZERO, &Cancel::new()).await
    });
    assert_eq!((second.attempts, second.connection_reused, &second.body[..]), (1, false, &b"b"[..]));
}

#[test]
fn a_server_that_broke_its_promise_is_not_trusted_by_the_next_client() {
    let address = serve(vec![
        script(|mut socket| breaks_its_promise(&mut socket)),
        script(|mut socket| answer(&mut socket, &ok("b"))),
        script(|mut socket| answer(&mut socket, &ok("c"))),
        script(|mut socket| answer(&mut socket, &ok("d"))),
    ]);
    let target = target(address);
    let learnt = exchanges(target.clone(), 2);
    assert_eq!(learnt[1].attempts, 2);
    for timeline in exchanges(target, 2) {
        assert_eq!((timeline.attempts, timeline.connection_reused), (1, false));
    }
}

#[test]
fn questions_beside_the_load_do_not_vouch_for_the_server() {
    let kept = script(|mut socket| {
        for _ in 0..5 {
            answer(&mut socket, &ok("metrics"));
        }
        hung_up(&mut socket);
    });
    let broken = script(|mut socket| breaks_its_promise(&mut socket));
    let fresh = || script(|mut socket| answer(&mut socket, &ok("b")));
    let target = target(serve(vec![kept, broken, fresh(), fresh()]));
    let mut beside = target.clone();
    beside.connector = target.connector.apart();
    assert!(exchanges(beside, 5)[4].connection_reused);
    let of_load = exchanges(target.clone(), 2);
    assert_eq!(of_load[1].attempts, 2, "the kept connection was dead");
    let last = exchanges(target, 1).remove(0);
    assert_eq!((last.attempts, last.connection_reused), (1, false));
}

#[test]
fn one_death_among_many_answers_changes_nothing() {
    let address = serve(vec![
        script(|mut socket| {
            for _ in 0..3 {
                answer(&mut socket, &ok("a"));
            }
            request(&mut socket).unwrap();
        }),
        script(|mut socket| {
            for _ in 0..2 {
                answer(&mut socket, &ok("b"));
            }
        }),
    ]);
    let all = exchanges(target(address), 5);
    let seen: Vec<(u32, bool)> = all.iter().map(|t| (t.attempts, t.connection_reused)).collect();
    assert_eq!(seen, [(1, false), (1, true), (1, true), (2, false), (1, true)]);
}

#[test]
fn an_answer_nobody_asked_for_is_not_taken_for_the_next() {
    let address = serve(vec![
        script(|mut socket| {
            let twice = [ok("a"), ok("stray")].concat();
            answer(&mut socket, &twice);
        }),
        script(|mut socket| answer(&mut socket, &ok("b"))),
    ]);
    let all = exchanges(target(address), 2);
    assert_eq!((&all[0].body[..], &all[1].body[..]), (&b"a"[..], &b"b"[..]));
}
