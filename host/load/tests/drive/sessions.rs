//! Several turns: a session keeps its slot, and the next turn counts from the answer before.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use benchhost_load::{Control, FollowUp, Job, Pattern};
use benchhost_model::Nanos;

use crate::server::{Crowd, closed, job, ok, plan, run_with, serve};

/// Turn `turn` of session `session`; ids are told apart by the hundreds.
fn turn(session: u64, turn: u64, last: bool) -> Job {
    Job { session, last_in_session: last, ..job(session * 100 + turn) }
}

#[test]
fn a_session_keeps_its_slot_between_turns() {
    let crowd = Arc::new(Crowd::default());
    let (inside, seen) = (Arc::clone(&crowd), Arc::new(std::sync::Mutex::new(Vec::new())));
    let log = Arc::clone(&seen);
    let address = serve(move |id, socket| {
        log.lock().unwrap().push(id);
        inside.enter();
        inside.leave();
        ok(id, socket)
    });
    let jobs = (0..4).map(|session| turn(session, 0, false)).collect();
    let outcome = run_with(plan(address, closed(1)), jobs, &Control::new(), |done, turns| {
        let (session, at) = (done.id / 100, done.id % 100);
        if at < 2 {
            turns.send(FollowUp::Job(turn(session, at + 1, at == 1), Duration::ZERO)).unwrap();
        }
    });
    // One slot: were it given up between turns, sessions would mix.
    let expected: Vec<u64> = (0..4).flat_map(|session| (0..3).map(move |at| session * 100 + at)).collect();
    assert_eq!(*seen.lock().unwrap(), expected);
    assert_eq!((outcome.ids(), crowd.most()), (expected, 1));
    assert_eq!((outcome.report.given, outcome.report.finished), (12, 12));
}

#[test]
fn the_next_turn_is_scheduled_from_the_end_of_the_answer_before() {
    let delay = Duration::from_millis(4);
    let address = serve(ok);
    let outcome =
        run_with(plan(address, closed(1)), vec![turn(0, 0, false)], &Control::new(), |done, turns| {
            if done.id < 3 {
                turns.send(FollowUp::Job(turn(0, done.id + 1, done.id == 2), delay)).unwrap();
            }
        });
    assert_eq!(outcome.ids(), [0, 1, 2, 3]);
    for pair in outcome.finished.windows(2) {
        assert_eq!(pair[1].timeline.scheduled, pair[0].timeline.ended + Nanos::from(delay));
        assert!(pair[1].timeline.sent.unwrap() >= pair[1].timeline.scheduled);
    }
}

#[test]
fn a_session_can_be_ended_instead_of_continued() {
    let jobs = (0..5).map(|session| turn(session, 0, false)).collect();
    let outcome = run_with(plan(serve(ok), closed(2)), jobs, &Control::new(), |done, turns| {
        turns.send(FollowUp::EndSession(done.id / 100)).unwrap();
    });
    assert_eq!((outcome.by_id().len(), outcome.report.finished), (5, 5));
}

#[test]
fn in_an_open_loop_sessions_overlap_and_the_load_waits_for_their_last_turns() {
    let jobs =
        (0..6).map(|session| Job { due: Some(Nanos::new(session)), ..turn(session, 0, false) }).collect();
    let open = Pattern::Open { cap: None };
    let outcome = run_with(plan(serve(ok), open), jobs, &Control::new(), |done, turns| {
        let (session, at) = (done.id / 100, done.id % 100);
        if at < 2 {
            turns.send(FollowUp::Job(turn(session, at + 1, at == 1), Duration::from_millis(1))).unwrap();
        }
    });
    assert_eq!((outcome.by_id().len(), outcome.report.finished), (18, 18));
}

#[test]
fn a_turn_that_belongs_to_no_waiting_session_comes_back_unsent() {
    let sent = AtomicU64::new(0);
    let outcome =
        run_with(plan(serve(ok), closed(1)), vec![turn(0, 0, false)], &Control::new(), |done, turns| {
            if sent.fetch_add(1, SeqCst) == 0 {
                assert_eq!(done.id, 0);
                turns.send(FollowUp::Job(turn(9, 0, true), Duration::ZERO)).unwrap();
                turns.send(FollowUp::EndSession(77)).unwrap();
                turns.send(FollowUp::EndSession(0)).unwrap();
            }
        });
    assert_eq!(outcome.ids(), [0, 900]);
    assert!(outcome.by_id()[&900].sent.is_none());
    assert_eq!((outcome.report.given, outcome.report.never_sent), (2, 1));
}

#[test]
fn when_nobody_can_continue_a_session_it_has_ended() {
    use benchhost_load::{Lanes, drive};
    let (give, fresh) = tokio::sync::mpsc::channel(4);
    for session in 0..4 {
        give.try_send(turn(session, 0, false)).unwrap();
    }
    drop(give);
    let (_, follow_ups) = tokio::sync::mpsc::unbounded_channel();
    let (finished, answers) = std::sync::mpsc::channel();
    let report = drive(plan(serve(ok), closed(1)), Lanes { fresh, follow_ups, finished }, &Control::new());
    assert_eq!((answers.iter().count(), report.finished), (4, 4));
}

#[test]
fn after_the_end_running_sessions_are_followed_and_no_session_begins() {
    let mut plan = plan(serve(ok), closed(1));
    plan.phases.measured = benchhost_load::Span::For(Duration::from_millis(20));
    let jobs = vec![turn(0, 0, false), turn(1, 0, true)];
    // The pause outlasts the load's time, so the second turn is sent after its end, and the second session never.
    let outcome = run_with(plan, jobs, &Control::new(), |done, turns| {
        if done.id == 0 {
            turns.send(FollowUp::Job(turn(0, 1, true), Duration::from_millis(60))).unwrap();
        }
    });
    let by_id = outcome.by_id();
    assert!(by_id[&0].sent.is_some() && by_id[&1].sent.is_some());
    assert!(by_id[&100].sent.is_none());
    assert_eq!((outcome.report.finished, outcome.report.never_sent, outcome.report.cut), (2, 1, 0));
}
