//! The open loop: each job at its time, whatever the server does.

use std::sync::{Arc, Barrier};
use std::time::Duration;

use benchhost_load::{Pattern, Rate, Span, poisson};
use benchhost_model::Nanos;

use crate::server::{Crowd, job, job_at, ok, plan, run, serve};

const OPEN: Pattern = Pattern::Open { cap: None };

#[test]
fn a_request_is_never_early_and_its_schedule_is_never_moved() {
    let due: Vec<Nanos> = poisson(Rate::new(2000.0).unwrap(), 5).take(200).collect();
    let jobs =
        due.iter().zip(0..).map(|(due, id)| benchhost_load::Job { due: Some(*due), ..job(id) }).collect();
    let outcome = run(plan(serve(ok), OPEN), jobs);
    let start = outcome.report.start.unwrap();
    let by_id = outcome.by_id();
    for (due, id) in due.iter().zip(0..) {
        assert_eq!(by_id[&id].scheduled, start + *due);
        assert!(by_id[&id].sent.unwrap() >= by_id[&id].scheduled);
    }
    assert_eq!(outcome.report.late.count, 200);
    assert!(
        outcome.report.late.p50 <= outcome.report.late.p99
            && outcome.report.late.p99 <= outcome.report.late.max
    );
}

#[test]
fn a_server_that_answers_nobody_holds_up_no_arrival() {
    // Answers come only when all have arrived: a generator that waited for an answer would never end.
    let all = Barrier::new(40);
    let address = serve(move |id, socket| {
        all.wait();
        ok(id, socket)
    });
    let outcome = run(plan(address, OPEN), (0..40).map(|id| job_at(id, id)).collect());
    assert_eq!((outcome.report.finished, outcome.report.most_in_flight), (40, 40));
}

#[test]
fn late_jobs_are_sent_late_in_order_and_keep_their_schedule() {
    // All were due at the start; one at a time may be out, so the wait is visible as sent minus scheduled.
    let jobs = (0..20).map(|id| job_at(id, 0)).collect();
    let outcome = run(plan(serve(ok), Pattern::Open { cap: Some(1) }), jobs);
    assert_eq!(outcome.ids(), (0..20).collect::<Vec<_>>());
    let start = outcome.report.start.unwrap();
    assert!(outcome.finished.iter().all(|f| f.timeline.scheduled == start));
    for pair in outcome.finished.windows(2) {
        assert!(pair[1].timeline.sent.unwrap() >= pair[0].timeline.ended);
    }
    assert_eq!(outcome.report.late.max, outcome.finished[19].timeline.sent.unwrap() - start);
}

#[test]
fn a_cap_is_reached_and_never_passed() {
    let crowd = Arc::new(Crowd::default());
    let (inside, full) = (Arc::clone(&crowd), Barrier::new(3));
    let address = serve(move |id, socket| {
        inside.enter();
        full.wait();
        inside.leave();
        ok(id, socket)
    });
    let outcome =
        run(plan(address, Pattern::Open { cap: Some(3) }), (0..30).map(|id| job_at(id, 0)).collect());
    assert_eq!((crowd.most(), outcome.report.most_in_flight, outcome.report.finished), (3, 3, 30));
}

#[test]
fn a_job_without_a_due_time_is_due_when_it_arrives() {
    let outcome = run(plan(serve(ok), OPEN), vec![job(0), job(1)]);
    let start = outcome.report.start.unwrap();
    assert!(outcome.finished.iter().all(|f| f.timeline.scheduled >= start));
}

#[test]
fn more_jobs_than_are_looked_ahead_all_go_out() {
    let outcome = run(plan(serve(ok), OPEN), (0..600).map(|id| job_at(id, id / 20)).collect());
    assert_eq!((outcome.by_id().len(), outcome.report.finished), (600, 600));
}

#[test]
fn jobs_due_after_the_end_are_handed_back_unsent() {
    let mut plan = plan(serve(ok), OPEN);
    plan.phases.measured = Span::For(Duration::from_millis(10));
    // An hour later: were it waited for, the test would not end.
    let jobs = vec![job_at(0, 0), job_at(1, 5), job_at(2, 10), job_at(3, 3_600_000)];
    let outcome = run(plan, jobs);
    let by_id = outcome.by_id();
    assert!(by_id[&0].sent.is_some() && by_id[&1].sent.is_some());
    assert!(by_id[&2].sent.is_none() && by_id[&3].sent.is_none());
    assert_eq!(by_id[&3].scheduled, outcome.report.start.unwrap() + Nanos::new(3_600_000_000_000));
    assert_eq!((outcome.report.finished, outcome.report.never_sent, outcome.report.cut), (2, 2, 0));
}

#[test]
fn waiting_under_a_cap_is_told_from_other_delays() {
    let address = serve(|id, socket| {
        if id == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        ok(id, socket)
    });
    let outcome =
        run(plan(address, Pattern::Open { cap: Some(1) }), (0..5).map(|id| job_at(id, 0)).collect());
    let by_id = outcome.by_id();
    assert_eq!(by_id[&0].slot, None);
    for id in 1..5 {
        let slot = by_id[&id].slot.unwrap();
        assert!(slot >= by_id[&(id - 1)].ended && by_id[&id].sent.unwrap() >= slot);
    }
    let report = &outcome.report;
    assert_eq!(report.waited_for_slot, 4, "each waited for the first answer at least");
    assert!(report.slip_gen.max < report.late.max);
}

#[test]
fn several_io_threads_share_the_load_and_keep_their_connections() {
    let crowd = Arc::new(Crowd::default());
    let (inside, full) = (Arc::clone(&crowd), Barrier::new(6));
    let address = serve(move |id, socket| {
        inside.enter();
        full.wait();
        inside.leave();
        ok(id, socket)
    });
    let mut plan = plan(address, Pattern::Open { cap: Some(6) });
    plan.io.threads = 3.try_into().unwrap();
    let outcome = run(plan, (0..60).map(|id| job_at(id, id / 6)).collect());
    assert_eq!((crowd.most(), outcome.report.finished, outcome.by_id().len()), (6, 60, 60));
    for thread in 0..3 {
        let here = || outcome.finished.iter().filter(move |f| f.timeline.io_thread == thread);
        let opened = here().filter(|f| !f.timeline.connection_reused).count();
        assert!(here().count() > opened && (1..=6).contains(&opened), "{opened} of {}", here().count());
    }
    assert_eq!(outcome.report.io.len(), 3);
    assert!(outcome.report.io.iter().all(|thread| thread.cpu_ns > 0 && !thread.granted.is_empty()));
}
