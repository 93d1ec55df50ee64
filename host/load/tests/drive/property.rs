//! Whatever the server does and whenever the load is stopped: every job comes back exactly once, and the counts agree.

use std::collections::HashMap;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use benchhost_load::{Control, DrainLoad, FollowUp, Job, Pattern, Phases, Span, Think};
use benchhost_model::{Ending, Nanos, Phase};
use proptest::prelude::*;

use crate::server::{Outcome, Then, hold, job, ok, plan, run_with, serve};

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
    let think = prop_oneof![
        Just(Think::None),
        Just(Think::Fixed(Duration::from_millis(1))),
        Just(Think::Exponential(Duration::from_millis(1), 3)),
    ];
    prop_oneof![
        (1_u32..5, 0_u64..3, think).prop_map(|(concurrency, ms, think)| Pattern::Closed {
            concurrency,
            stagger: Duration::from_millis(ms),
            think,
        }),
        Just(Pattern::Open { cap: None }),
        (1_u32..4).prop_map(|cap| Pattern::Open { cap: Some(cap) }),
        (1_u32..5).prop_map(|size| Pattern::Batch { size }),
    ]
}

fn spans() -> impl Strategy<Value = Span> {
    prop_oneof![
        Just(Span::None),
        (0_u32..8).prop_map(Span::Sessions),
        (0_u64..15).prop_map(|ms| Span::For(Duration::from_millis(ms))),
        Just(Span::Endless),
    ]
}

fn phases() -> impl Strategy<Value = Phases> {
    let drain = prop_oneof![Just(DrainLoad::Loaded), Just(DrainLoad::Quiet)];
    (spans(), spans(), drain).prop_map(|(warmup, measured, drain)| Phases { warmup, measured, drain })
}

/// When to interfere: after so many answers, and how.
#[derive(Debug, Clone, Copy)]
struct Interruption {
    after: usize,
    how: fn(&Control),
}

const INTERRUPTIONS: [fn(&Control); 3] = [Control::stop, Control::cut, Control::end_measuring];

#[derive(Debug, Clone)]
struct Case {
    acts: Vec<Act>,
    pattern: Pattern,
    phases: Phases,
    interruption: Option<Interruption>,
    turns_each: u64,
    threads: usize,
    spin: bool,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, max_shrink_iters: 50, ..ProptestConfig::default() })]

    #[test]
    fn every_job_comes_back_exactly_once(
        acts in proptest::collection::vec((0..ACTS.len()).prop_map(|act| ACTS[act]), 1..25),
        pattern in patterns(),
        phases in phases(),
        interruption in proptest::option::of((0_usize..20, 0..INTERRUPTIONS.len())
            .prop_map(|(after, how)| Interruption { after, how: INTERRUPTIONS[how] })),
        turns_each in 1_u64..4,
        threads in 1_usize..3,
        spin in any::<bool>(),
    ) {
        check(Case { acts, pattern, phases, interruption, turns_each, threads, spin });
    }
}

fn check(case: Case) {
    let Case { acts, pattern, phases, interruption, turns_each, threads, spin } = case;
    let sessions = acts.len() as u64;
    let mut plan = plan(
        serve(move |id, socket| play(acts[usize::try_from(id % sessions).unwrap()], id, socket)),
        pattern,
    );
    plan.target.limits.timeout = Duration::from_millis(25);
    plan.target.limits.idle_timeout = Duration::from_millis(15);
    plan.target.limits.body_cap = 1000;
    plan.phases = phases;
    plan.io.threads = threads.try_into().unwrap();
    plan.io.spin = spin;
    plan.give_up = Duration::from_millis(5);
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
            if let Some(Interruption { after, how }) = interruption
                && seen > after
            {
                how(&handle);
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
        assert!(timeline.attempts <= 2 && usize::from(timeline.io_thread) < threads);
    }
    phases_are_sound(&outcome, phases, sessions);
    let progress = control.progress();
    assert_eq!((progress.in_flight, progress.done, progress.sent), (0, report.given, report.started));
    if let Pattern::Closed { concurrency, .. } | Pattern::Open { cap: Some(concurrency) } = pattern {
        assert!(report.most_in_flight <= u64::from(concurrency));
    }
    if let Pattern::Batch { size } = pattern {
        assert!(report.most_in_flight <= u64::from(size));
    }
}

/// All turns of a session belong to one part; parts follow one another and hold no more sessions than they may.
fn phases_are_sound(outcome: &Outcome, phases: Phases, sessions: u64) {
    let mut part = HashMap::new();
    for done in &outcome.finished {
        let before = part.insert(done.id % sessions, done.phase);
        assert!(before.is_none_or(|before| before == done.phase), "session {}", done.id % sessions);
    }
    let number = |phase| [Phase::Warmup, Phase::Measured, Phase::Drain].iter().position(|p| *p == phase);
    let in_order: Vec<_> = (0..sessions).map(|session| number(part[&session])).collect();
    assert!(in_order.is_sorted(), "{in_order:?}");
    for (span, phase) in [(phases.warmup, Phase::Warmup), (phases.measured, Phase::Measured)] {
        let held = in_order.iter().filter(|part| **part == number(phase)).count();
        match span {
            Span::None => assert_eq!(held, 0),
            Span::Sessions(count) => assert!(held <= count as usize),
            Span::For(_) | Span::Endless => {}
        }
    }
    if let (Some(from), Some(until)) = (outcome.report.measured_from, outcome.report.measured_until) {
        assert!(from <= until && outcome.report.start.is_some_and(|start| start <= from));
    }
}
