//! Warm-up, measured part and drain in one load.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::time::Duration;

use benchhost_load::{Control, DrainLoad, FollowUp, Job, Pattern, Phases, Span};
use benchhost_model::{Ending, Nanos, Phase};

use crate::server::{LANE, Outcome, Then, closed, hold, job, job_at, ok, plan, run_fed, run_with, serve};

fn counted(warmup: u32, measured: u32, drain: DrainLoad) -> Phases {
    Phases { warmup: Span::Sessions(warmup), measured: Span::Sessions(measured), drain }
}

fn ids(outcome: &Outcome, phase: Phase) -> Vec<u64> {
    let mut ids: Vec<u64> = outcome.finished.iter().filter(|f| f.phase == phase).map(|f| f.id).collect();
    ids.sort_unstable();
    ids
}

/// Nothing but what is asked for.
fn nothing(_: &benchhost_load::Finished, _: &tokio::sync::mpsc::UnboundedSender<FollowUp>) {}

/// Every job that was taken came back, and the account agrees.
fn all_came_back(outcome: &Outcome) {
    let report = &outcome.report;
    assert_eq!(outcome.by_id().len() as u64, report.given);
    assert_eq!(report.given, report.started + report.never_sent);
    assert_eq!(report.started, report.finished + report.cut);
}

#[test]
fn load_goes_on_until_the_last_measured_request_has_ended_and_then_the_host_hangs_up() {
    // Request 4 is measured and the last to be answered: after twenty requests of the drain have come.
    for pattern in [closed(3), Pattern::Open { cap: None }] {
        let seen = AtomicU64::new(0);
        let address = serve(move |id, socket| {
            seen.fetch_add(1, SeqCst);
            if id == 4 {
                while seen.load(SeqCst) < 8 + 20 {
                    std::thread::yield_now();
                }
            }
            ok(id, socket)
        });
        let mut plan = plan(address, pattern);
        plan.phases = counted(3, 5, DrainLoad::Loaded);
        let control = Control::new();
        let (outcome, _) = run_fed(plan, u64::MAX, |id| job_at(id, id), &control, nothing);
        all_came_back(&outcome);
        assert_eq!(ids(&outcome, Phase::Warmup), [0, 1, 2]);
        assert_eq!(ids(&outcome, Phase::Measured), [3, 4, 5, 6, 7]);
        let by_id = outcome.by_id();
        assert!((0..8).all(|id| by_id[&id].ending == Ending::Complete));
        let last = by_id[&4].ended;
        let drained = outcome.finished.iter().filter(|f| f.phase == Phase::Drain);
        assert!(drained.clone().filter(|f| f.timeline.sent.is_some_and(|at| at < last)).count() >= 20);
        assert!(drained.filter(|f| f.timeline.ended > last).all(|f| f.timeline.failure.is_none()));
        assert_eq!(control.progress().phase, Phase::Drain);
        assert!(!control.is_stopping(), "nobody asked for it to stop");
        assert_eq!(outcome.report.late.count, 5, "only what is measured counts");
    }
}

#[test]
fn what_is_in_flight_after_the_drain_is_hung_up_on() {
    let (finish, finished) = channel();
    let finished = std::sync::Mutex::new(finished);
    // The drain's requests are never answered; the measured one only when two of them have come.
    let address = serve(move |id, socket| {
        if id == 0 {
            finished.lock().unwrap().iter().take(2).count();
            return ok(id, socket);
        }
        finish.send(()).unwrap();
        hold(socket)
    });
    let mut plan = plan(address, closed(3));
    plan.phases = counted(0, 1, DrainLoad::Loaded);
    let (outcome, _) = run_fed(plan, u64::MAX, job, &Control::new(), nothing);
    all_came_back(&outcome);
    assert_eq!(outcome.report.cut, 2);
    for id in [1, 2] {
        let timeline = outcome.by_id()[&id];
        assert_eq!((timeline.ending, timeline.hung_up, &timeline.failure), (Ending::Cancelled, false, &None));
    }
    assert!(ids(&outcome, Phase::Drain).contains(&1));
}

#[test]
fn a_quiet_drain_sends_nothing_more() {
    for pattern in [closed(3), Pattern::Open { cap: None }, Pattern::Open { cap: Some(2) }] {
        let address = serve(|id, socket| {
            assert!(id < 8, "request {id} was sent in the drain");
            ok(id, socket)
        });
        let mut plan = plan(address, pattern);
        plan.phases = counted(3, 5, DrainLoad::Quiet);
        let (outcome, _) = run_fed(plan, u64::MAX, |id| job_at(id, id), &Control::new(), nothing);
        all_came_back(&outcome);
        assert_eq!((outcome.report.finished, outcome.report.cut), (8, 0));
        assert_eq!(ids(&outcome, Phase::Measured), [3, 4, 5, 6, 7]);
        let unsent = outcome.finished.iter().filter(|f| f.timeline.sent.is_none());
        assert!(unsent.clone().all(|f| f.phase == Phase::Drain));
        assert!(unsent.count() <= LANE + 1, "the lane was closed at once");
    }
}

#[test]
fn in_an_open_loop_a_part_that_lasts_for_a_time_goes_by_due_times() {
    let mut plan = plan(serve(ok), Pattern::Open { cap: None });
    let ms = |ms| Span::For(Duration::from_millis(ms));
    plan.phases = Phases { warmup: ms(10), measured: ms(20), drain: DrainLoad::Loaded };
    // Five milliseconds apart, from 2 ms on.
    let (outcome, _) = run_fed(plan, u64::MAX, |id| job_at(id, 2 + 5 * id), &Control::new(), nothing);
    all_came_back(&outcome);
    assert_eq!(
        (ids(&outcome, Phase::Warmup), ids(&outcome, Phase::Measured)),
        (vec![0, 1], vec![2, 3, 4, 5])
    );
    let start = outcome.report.start.unwrap();
    let window = [10, 30].map(|ms| Some(start + Nanos::new(ms * 1_000_000)));
    assert_eq!([outcome.report.measured_from, outcome.report.measured_until], window);
    assert!(outcome.report.end >= window[1].unwrap(), "the time is waited for, though all have ended before");
}

#[test]
fn what_a_cap_held_back_until_the_time_was_up_comes_back_unsent_and_measured() {
    let (release, released) = channel::<()>();
    let released = std::sync::Mutex::new(released);
    let address = serve(move |id, socket| {
        if id == 0 {
            // Answered when the first job has come back unsent; nothing is ever sent on this channel.
            let _ = released.lock().unwrap().recv();
        }
        ok(id, socket)
    });
    let mut plan = plan(address, Pattern::Open { cap: Some(1) });
    plan.phases = Phases {
        warmup: Span::None,
        measured: Span::For(Duration::from_millis(20)),
        drain: DrainLoad::Loaded,
    };
    let mut release = Some(release);
    // A thousand a second, and more of them inside the time than are looked ahead.
    let make = |id| Job { due: Some(Nanos::new(id * 50_000)), ..job(id) };
    let (outcome, _) = run_fed(plan, u64::MAX, make, &Control::new(), move |done, _| {
        if done.timeline.sent.is_none() {
            release.take();
        }
    });
    all_came_back(&outcome);
    assert_eq!(ids(&outcome, Phase::Measured), (0..400).collect::<Vec<_>>());
    let by_id = outcome.by_id();
    assert_eq!(by_id[&0].ending, Ending::Complete);
    assert!(
        (1..400).all(|id| by_id[&id].sent.is_none()),
        "sent so late, it would stretch the load without end"
    );
    let start = outcome.report.start.unwrap();
    assert!((1..400).all(|id| by_id[&id].scheduled == start + Nanos::new(id * 50_000)));
}

#[test]
fn sessions_of_the_measured_part_are_followed_to_their_last_turn() {
    let turn =
        |session: u64, turn: u64| Job { session, last_in_session: turn == 2, ..job(session * 100 + turn) };
    for drain in [DrainLoad::Loaded, DrainLoad::Quiet] {
        let mut plan = plan(serve(ok), closed(2));
        plan.phases = counted(1, 3, drain);
        let (outcome, _) = run_fed(
            plan,
            u64::MAX,
            |id| turn(id, 0),
            &Control::new(),
            |done, turns| {
                if done.id % 100 < 2 {
                    let _ = turns.send(FollowUp::Job(
                        turn(done.id / 100, done.id % 100 + 1),
                        Duration::from_millis(1),
                    ));
                }
            },
        );
        all_came_back(&outcome);
        let measured = ids(&outcome, Phase::Measured);
        assert_eq!(measured, (1..4).flat_map(|s| (0..3).map(move |t| s * 100 + t)).collect::<Vec<_>>());
        assert!(measured.iter().all(|id| outcome.by_id()[id].ending == Ending::Complete));
    }
}

#[test]
fn measuring_can_be_ended_from_outside() {
    for (pattern, ms_apart) in [(closed(2), 0), (Pattern::Open { cap: None }, 2)] {
        // A warm-up that nobody sees the end of, however late the order to end comes.
        for (drain, warmup, after) in
            [(DrainLoad::Loaded, 0, 9), (DrainLoad::Quiet, 0, 9), (DrainLoad::Loaded, u32::MAX, 3)]
        {
            let control = Control::new();
            let (end, mut seen) = (control.clone(), 0);
            let mut plan = plan(serve(ok), pattern);
            plan.phases = Phases { warmup: Span::Sessions(warmup), measured: Span::Endless, drain };
            let make = |id| job_at(id, id * ms_apart);
            let (outcome, _) = run_fed(plan, u64::MAX, make, &control, move |_, _| {
                seen += 1;
                if seen == after {
                    end.end_measuring();
                }
            });
            all_came_back(&outcome);
            let until = outcome.report.measured_until;
            let measured = outcome.finished.iter().filter(|f| f.phase == Phase::Measured);
            if warmup > 0 {
                assert_eq!(measured.count(), 0);
            } else {
                assert!(measured.clone().count() >= after);
                assert!(measured.clone().all(|f| f.timeline.scheduled <= until.unwrap()));
                assert!(measured.clone().all(|f| f.timeline.ending == Ending::Complete));
            }
        }
    }
}

#[test]
fn when_no_more_jobs_come_the_load_ends_in_order_in_every_part() {
    for pattern in
        [closed(2), Pattern::Open { cap: None }, Pattern::Open { cap: Some(1) }, Pattern::Batch { size: 2 }]
    {
        for jobs in [2, 5, 8] {
            for measured in [Span::Sessions(3), Span::For(Duration::from_hours(1)), Span::Endless] {
                let mut plan = plan(serve(ok), pattern);
                plan.phases = Phases { warmup: Span::Sessions(3), measured, drain: DrainLoad::Loaded };
                let outcome = run_with(plan, (0..jobs).map(job).collect(), &Control::new(), nothing);
                all_came_back(&outcome);
                // The drain's requests may be hung up on; the others are all answered.
                let kept = outcome.finished.iter().filter(|f| f.phase != Phase::Drain);
                assert!(kept.clone().all(|f| f.timeline.ending == Ending::Complete));
                let expected = if measured == Span::Sessions(3) { jobs.min(6) } else { jobs };
                assert_eq!(kept.count() as u64, expected, "{pattern:?} {jobs} {measured:?}");
            }
        }
    }
}

#[test]
fn it_can_be_stopped_and_cut_in_every_part() {
    let how: [fn(&Control); 2] = [Control::stop, Control::cut];
    for pattern in
        [closed(2), Pattern::Open { cap: None }, Pattern::Open { cap: Some(2) }, Pattern::Batch { size: 2 }]
    {
        for at in [1, 5, 9] {
            for how in how {
                let control = Control::new();
                let handle = control.clone();
                // The one that stops the load, and all after it, are not answered.
                let address = serve(move |id, socket| {
                    if id < at {
                        return ok(id, socket);
                    }
                    how(&handle);
                    hold(socket);
                    Then::Close
                });
                let mut plan = plan(address, pattern);
                plan.phases = counted(3, if at == 9 { 4 } else { 40 }, DrainLoad::Loaded);
                if at == 9 {
                    // A measured session that never ends keeps the drain going.
                    plan.phases.measured = Span::Sessions(8);
                }
                plan.give_up = Duration::from_millis(5);
                let (outcome, given) = run_fed(plan, 60, |id| job_at(id, id), &control, nothing);
                all_came_back(&outcome);
                assert!(outcome.report.given <= given);
                assert_eq!(ids(&outcome, Phase::Warmup).len().min(3), 3.min(outcome.finished.len()));
                assert!(outcome.finished.iter().all(|f| f.timeline.failure.is_none()));
            }
        }
    }
}
