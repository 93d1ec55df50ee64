//! The closed loop: as many in flight as there are slots, never more.

use std::sync::{Arc, Barrier};
use std::time::Duration;

use benchhost_load::{Control, Pattern, Snapshot, Think};
use benchhost_model::{Ending, Nanos, Phase};

use crate::server::{Crowd, closed, job, ok, plan, run, run_with, serve};

#[test]
fn it_reaches_its_concurrency_and_never_passes_it() {
    const SLOTS: usize = 7;
    let crowd = Arc::new(Crowd::default());
    // Nobody is answered before all slots are taken: with fewer in flight this test would never end.
    let full = Barrier::new(SLOTS);
    let inside = Arc::clone(&crowd);
    let address = serve(move |id, socket| {
        inside.enter();
        full.wait();
        inside.leave();
        ok(id, socket)
    });
    let control = Control::new();
    let outcome = run_with(plan(address, closed(7)), (0..70).map(job).collect(), &control, |_, _| {});
    assert_eq!(crowd.most(), 7);
    assert_eq!(
        (outcome.report.most_in_flight, outcome.report.finished, outcome.report.never_sent),
        (7, 70, 0)
    );
    assert_eq!(outcome.by_id().len(), 70);
    assert!(outcome.finished.iter().all(|f| f.timeline.body == f.id.to_string().into_bytes()));
    assert_eq!(control.progress(), Snapshot { in_flight: 0, sent: 70, done: 70, phase: Phase::Measured });
    assert_eq!(outcome.report.late.count, 70);
}

#[test]
fn slots_use_the_connections_of_those_before() {
    let address = serve(ok);
    let outcome = run(plan(address, closed(3)), (0..30).map(job).collect());
    let fresh = outcome.finished.iter().filter(|f| !f.timeline.connection_reused).count();
    assert!((1..=3).contains(&fresh), "{fresh} connections for 3 slots");
}

#[test]
fn first_starts_are_staggered_and_the_next_follow_at_once() {
    let stagger = Duration::from_millis(3);
    let address = serve(ok);
    let outcome = run(
        plan(address, Pattern::Closed { concurrency: 4, stagger, think: Think::None }),
        (0..400).map(job).collect(),
    );
    let start = outcome.report.start.unwrap();
    let mut scheduled: Vec<Nanos> = outcome.finished.iter().map(|f| f.timeline.scheduled).collect();
    scheduled.sort_unstable();
    assert_eq!(scheduled[0], start);
    // A slot's first job is meant for its own start, each later one for the end of the answer before.
    let ends: Vec<Nanos> = outcome.finished.iter().map(|f| f.timeline.ended).collect();
    let firsts: Vec<Nanos> = scheduled.into_iter().filter(|at| !ends.contains(at)).collect();
    let expected: Vec<Nanos> = (0..4_u64).map(|slot| start + Nanos::new(slot * 3_000_000)).collect();
    assert!(expected.starts_with(&firsts), "{firsts:?}, expected {expected:?}");
    assert!(outcome.finished.iter().all(|f| f.timeline.sent.unwrap() >= f.timeline.scheduled));
}

#[test]
fn more_slots_than_jobs_is_fine_and_so_are_no_jobs_or_no_slots() {
    let address = serve(ok);
    assert_eq!(run(plan(address, closed(50)), vec![job(1)]).ids(), [1]);
    assert_eq!(run(plan(address, closed(0)), vec![job(1), job(2)]).ids(), [1, 2]);
    let none = run(plan(address, closed(2)), Vec::new());
    assert_eq!((none.finished.len(), none.report.start, none.report.given), (0, None, 0));
}

#[test]
fn one_slot_sends_in_the_order_given_each_after_the_answer_before() {
    let address = serve(ok);
    let outcome = run(plan(address, closed(1)), (0..20).map(job).collect());
    assert_eq!(outcome.ids(), (0..20).collect::<Vec<_>>());
    for pair in outcome.finished.windows(2) {
        assert_eq!(pair[1].timeline.scheduled, pair[0].timeline.ended);
        assert!(pair[1].timeline.sent.unwrap() >= pair[0].timeline.ended);
    }
}

#[test]
fn a_server_that_is_not_there_fails_every_request_and_no_run() {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let outcome = run(plan(address, closed(2)), (0..9).map(job).collect());
    assert!(
        outcome.finished.iter().all(|f| f.timeline.failure.is_some() && f.timeline.ending == Ending::Cut)
    );
    assert_eq!((outcome.report.finished, outcome.report.late.count), (9, 0));
}

#[test]
fn a_user_thinks_between_two_sessions() {
    let pause = Duration::from_millis(2);
    let pattern = |think| Pattern::Closed { concurrency: 1, stagger: Duration::ZERO, think };
    let outcome = run(plan(serve(ok), pattern(Think::Fixed(pause))), (0..5).map(job).collect());
    for pair in outcome.finished.windows(2) {
        assert_eq!(pair[1].timeline.scheduled, pair[0].timeline.ended + Nanos::from(pause));
        assert!(pair[1].timeline.sent.unwrap() >= pair[1].timeline.scheduled);
    }
    let pauses = |seed| {
        let outcome =
            run(plan(serve(ok), pattern(Think::Exponential(pause, seed))), (0..8).map(job).collect());
        let gap = |pair: &[benchhost_load::Finished]| pair[1].timeline.scheduled - pair[0].timeline.ended;
        outcome.finished.windows(2).map(gap).collect::<Vec<_>>()
    };
    assert_eq!(pauses(1), pauses(1));
    assert_ne!(pauses(1), pauses(2));
}
