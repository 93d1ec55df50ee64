//! Stopping by hand: gently, by the drain time, and at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use benchhost_load::{Control, FollowUp, Job, Lanes, Pattern, drive};
use benchhost_model::Ending;

use crate::server::{Outcome, Then, closed, hold, job, job_at, ok, plan, run_with, serve};

fn sent_and_not(outcome: &Outcome) -> (usize, usize) {
    let sent = outcome.finished.iter().filter(|f| f.timeline.sent.is_some()).count();
    (sent, outcome.finished.len() - sent)
}

#[test]
fn after_a_stop_nothing_is_sent_and_what_is_in_flight_ends() {
    let control = Control::new();
    let (stop, stopped) = (control.clone(), Arc::new(AtomicBool::new(false)));
    let seen = Arc::clone(&stopped);
    // The third request stops the load, and is answered after that.
    let address = serve(move |id, socket| {
        assert!(!stopped.load(SeqCst), "request {id} came after the stop");
        if id == 2 {
            stop.stop();
            stopped.store(true, SeqCst);
        }
        ok(id, socket)
    });
    let outcome = run_with(plan(address, closed(1)), (0..10).map(job).collect(), &control, |_, _| {});
    assert!(seen.load(SeqCst));
    assert_eq!(sent_and_not(&outcome), (3, 7));
    assert_eq!(outcome.by_id()[&2].ending, Ending::Complete);
    assert!((3..10).all(|id| outcome.by_id()[&id].attempts == 0));
    assert_eq!((outcome.report.finished, outcome.report.never_sent, outcome.report.cut), (3, 7, 0));
}

#[test]
fn what_outlasts_the_drain_time_is_hung_up_on() {
    let control = Control::new();
    let stop = control.clone();
    let address = serve(move |_, socket| {
        stop.stop();
        hold(socket)
    });
    let mut plan = plan(address, closed(1));
    plan.give_up = Duration::from_millis(20);
    let outcome = run_with(plan, vec![job(0), job(1)], &control, |_, _| {});
    let by_id = outcome.by_id();
    assert_eq!((by_id[&0].ending, &by_id[&0].failure), (Ending::Cancelled, &None));
    assert!(by_id[&0].sent.is_some() && by_id[&1].sent.is_none());
    assert_eq!((outcome.report.cut, outcome.report.never_sent, outcome.report.finished), (1, 1, 0));
}

#[test]
fn a_cut_hangs_up_at_once_and_hands_back_everything() {
    let control = Control::new();
    let cut = control.clone();
    let address = serve(move |id, socket| {
        if id == 3 {
            cut.cut();
        }
        hold(socket)
    });
    // The drain time is a minute, so only the cut can end this in time.
    let jobs = (0..8).map(|id| if id < 4 { job_at(id, 0) } else { job_at(id, 3_600_000) }).collect();
    let outcome = run_with(plan(address, Pattern::Open { cap: None }), jobs, &control, |_, _| {});
    assert_eq!(outcome.by_id().len(), 8);
    assert!(outcome.finished.iter().all(|f| f.timeline.ending == Ending::Cancelled));
    assert!((4..8).all(|id| outcome.by_id()[&id].sent.is_none()));
    assert_eq!((outcome.report.cut, outcome.report.never_sent, outcome.report.finished), (4, 4, 0));
}

#[test]
fn jobs_that_wait_under_a_cap_come_back_in_order() {
    let control = Control::new();
    let cut = control.clone();
    let address = serve(move |_, socket| {
        cut.stop();
        ok(0, socket);
        Then::Keep
    });
    let jobs = (0..6).map(|id| job_at(id, 0)).collect();
    let outcome = run_with(plan(address, Pattern::Open { cap: Some(1) }), jobs, &control, |_, _| {});
    let unsent: Vec<u64> =
        outcome.finished.iter().filter(|f| f.timeline.sent.is_none()).map(|f| f.id).collect();
    let mut sorted = unsent.clone();
    sorted.sort_unstable();
    assert_eq!(unsent, sorted);
    assert_eq!(outcome.by_id().len(), 6);
}

#[test]
fn a_load_that_waits_for_its_first_job_or_the_next_turn_can_be_stopped() {
    let control = Control::new();
    let (give, fresh) = tokio::sync::mpsc::channel::<Job>(1);
    let (_turns, follow_ups) = tokio::sync::mpsc::unbounded_channel();
    let (finished, answers) = std::sync::mpsc::channel();
    control.stop();
    let report = drive(plan(serve(ok), closed(1)), Lanes { fresh, follow_ups, finished }, &control);
    assert_eq!((report.given, answers.iter().count()), (0, 0));
    assert!(give.try_send(job(1)).is_err(), "whoever builds jobs learns that no more are wanted");

    let control = Control::new();
    let stop = control.clone();
    let waiting = Job { last_in_session: false, ..job(0) };
    let outcome =
        run_with(plan(serve(ok), closed(1)), vec![waiting, job(1)], &control, move |_, _| stop.stop());
    assert_eq!(sent_and_not(&outcome), (1, 1));
}

#[test]
fn a_turn_that_comes_after_the_stop_comes_back_unsent() {
    let control = Control::new();
    let stop = control.clone();
    let (give, fresh) = tokio::sync::mpsc::channel(2);
    give.try_send(Job { last_in_session: false, ..job(0) }).unwrap();
    let (turns, follow_ups) = tokio::sync::mpsc::unbounded_channel();
    turns.send(FollowUp::Job(job(5), Duration::ZERO)).unwrap();
    turns.send(FollowUp::Job(job(6), Duration::ZERO)).unwrap();
    let (finished, answers) = std::sync::mpsc::channel();
    stop.cut();
    let report = drive(plan(serve(ok), closed(1)), Lanes { fresh, follow_ups, finished }, &control);
    let mut ids: Vec<u64> = answers.iter().map(|f| f.id).collect();
    ids.sort_unstable();
    assert_eq!((ids, report.never_sent), (vec![0, 5, 6], 3));
}
