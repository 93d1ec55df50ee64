//! Whatever the server does and whenever the load is stopped: every job comes back exactly once, and the counts agree.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use benchhost_load::{Control, FollowUp, Job, Pattern};
use benchhost_model::{Ending, Nanos};
use proptest::prelude::*;

use crate::server::{Then, hold, job, ok, plan, run_with, serve};

#[derive(Debug, Clone, Copy)]
enum Act {
    Answer,
    Stream,
    Error,
    CloseMute,
    CloseInHead,
    CloseInBody,
    Garbage,
    Redirect,
    NeverAnswer,
    Stall,
    TooMuch,
    CloseAfter,
}

const ACTS: [Act; 12] = [
    Act::Answer,
    Act::Stream,
    Act::Error,
    Act::CloseMute,
    Act::CloseInHead,
    Act::CloseInBody,
    Act::Garbage,
    Act::Redirect,
    Act::NeverAnswer,
    Act::Stall,
    Act::TooMuch,
    Act::CloseAfter,
];

fn play(act: Act, id: u64, socket: &mut TcpStream) -> Then {
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n";
    let mut say = |text: &str| {
        let _ = socket.write_all(text.as_bytes());
    };
    match act {
        Act::Answer => return ok(id, socket),
        Act::Stream => {
            say(CHUNKED);
            say("2\r\nde\r\n0\r\n\r\n");
            return Then::Keep;
        }
        Act::Error => {
            say("HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nbusy");
            return Then::Keep;
        }
        Act::CloseMute => {}
        Act::CloseInHead => say("HTTP/1.1 20"),
        Act::CloseInBody => say(CHUNKED),
        Act::Garbage => say("\u{1}\u{2}nonsense\r\n\r\n"),
        Act::Redirect => {
            say("HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n");
            return Then::Keep;
        }
        Act::NeverAnswer => return hold(socket),
        Act::Stall => {
            say(CHUNKED);
            return hold(socket);
        }
        Act::TooMuch => {
            say("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n");
            say(&"x".repeat(100_000));
        }
        Act::CloseAfter => {
            ok(id, socket);
        }
    }
    Then::Close
}

fn patterns() -> impl Strategy<Value = Pattern> {
    prop_oneof![
        (1_u32..5, 0_u64..3).prop_map(|(concurrency, ms)| Pattern::Closed {
            concurrency,
            stagger: Duration::from_millis(ms)
        }),
        Just(Pattern::Open { cap: None }),
        (1_u32..4).prop_map(|cap| Pattern::Open { cap: Some(cap) }),
    ]
}

/// When to interfere: after so many answers, gently or not.
#[derive(Debug, Clone, Copy)]
struct Interruption {
    after: usize,
    gently: bool,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, max_shrink_iters: 50, ..ProptestConfig::default() })]

    #[test]
    fn every_job_comes_back_exactly_once(
        acts in proptest::collection::vec(0..ACTS.len(), 1..25),
        pattern in patterns(),
        interruption in proptest::option::of((0_usize..20, any::<bool>())),
        time in proptest::option::of(0_u64..15),
        turns_each in 1_u64..4,
    ) {
        let interruption = interruption.map(|(after, gently)| Interruption { after, gently });
        check(&acts, pattern, interruption, time, turns_each);
    }
}

fn check(
    acts: &[usize],
    pattern: Pattern,
    interruption: Option<Interruption>,
    time: Option<u64>,
    turns_each: u64,
) {
    let script: Vec<Act> = acts.iter().map(|act| ACTS[*act]).collect();
    let sessions = script.len() as u64;
    let mut plan = plan(
        serve(move |id, socket| play(script[usize::try_from(id % sessions).unwrap()], id, socket)),
        pattern,
    );
    plan.target.limits.timeout = Duration::from_millis(25);
    plan.target.limits.idle_timeout = Duration::from_millis(15);
    plan.target.limits.body_cap = 1000;
    plan.stop.after = time.map(Duration::from_millis);
    plan.stop.drain = Duration::from_millis(5);
    let turn = move |session: u64, turn: u64| Job {
        session,
        last_in_session: turn + 1 == turns_each,
        due: Some(Nanos::new(session * 300_000)),
        ..job(turn * sessions + session)
    };
    let control = Control::new();
    let (handle, mut seen, mut given) = (control.clone(), 0, sessions);
    let outcome =
        run_with(plan, (0..sessions).map(|session| turn(session, 0)).collect(), &control, |done, turns| {
            seen += 1;
            if let Some(Interruption { after, gently }) = interruption
                && seen > after
            {
                if gently { handle.stop() } else { handle.cut() }
            }
            let (session, at) = (done.id % sessions, done.id / sessions);
            if at + 1 == turns_each || done.timeline.sent.is_none() {
                // Needed by sessions whose turn could not be sent at all, harmless for the others.
                let _ = turns.send(FollowUp::EndSession(session));
            } else if turns
                .send(FollowUp::Job(turn(session, at + 1), Duration::from_micros(200 * at)))
                .is_ok()
            {
                given += 1;
            }
        });
    let report = &outcome.report;
    assert_eq!(outcome.by_id().len() as u64, report.given, "as many back as were taken");
    assert!(report.given >= sessions && report.given <= given);
    assert_eq!(report.given, report.started + report.never_sent);
    assert_eq!(report.started, report.finished + report.cut);
    for done in &outcome.finished {
        let timeline = &done.timeline;
        assert!(timeline.body.len() <= 1000);
        assert!(timeline.sent.is_none_or(|sent| sent <= timeline.ended && sent >= timeline.scheduled));
        assert!(timeline.ending != Ending::Complete || timeline.status.is_some());
        assert!(timeline.attempts <= 2);
    }
    let progress = control.progress();
    assert_eq!((progress.in_flight, progress.done, progress.sent), (0, report.given, report.started));
    if let Pattern::Closed { concurrency, .. } | Pattern::Open { cap: Some(concurrency) } = pattern {
        assert!(report.most_in_flight <= u64::from(concurrency));
    }
}
