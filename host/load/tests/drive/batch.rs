//! Batches: so many together, the next when all of them have ended.

use std::sync::{Arc, Barrier};
use std::time::Duration;

use benchhost_load::{Control, FollowUp, Job, Pattern, Phases, Span};
use benchhost_model::{Nanos, Phase};

use crate::server::{Crowd, job, ok, plan, run, run_fed, run_with, serve};

fn batch(size: u32) -> Pattern {
    Pattern::Batch { size }
}

#[test]
fn all_of_a_batch_go_out_together_and_the_next_when_all_have_ended() {
    let crowd = Arc::new(Crowd::default());
    // Nobody is answered before all four are there: sent one after the other, this test would never end.
    let (inside, together) = (Arc::clone(&crowd), Barrier::new(4));
    let address = serve(move |id, socket| {
        inside.enter();
        together.wait();
        inside.leave();
        ok(id, socket)
    });
    let outcome = run(plan(address, batch(4)), (0..20).map(job).collect());
    assert_eq!((crowd.most(), outcome.report.most_in_flight, outcome.report.finished), (4, 4, 20));
    let by_id = outcome.by_id();
    let mut barrier = None;
    for batch in 0..5 {
        let members: Vec<_> = (batch * 4..batch * 4 + 4).map(|id| by_id[&id]).collect();
        let scheduled = members[0].scheduled;
        assert!(members.iter().all(|timeline| timeline.scheduled == scheduled));
        assert!(barrier.is_none_or(|barrier| scheduled == barrier), "meant for the end of the batch before");
        barrier = members.iter().map(|timeline| timeline.ended).max();
    }
}

#[test]
fn the_last_batch_may_be_short_and_a_batch_of_none_is_one_of_one() {
    let outcome = run(plan(serve(ok), batch(4)), (0..6).map(job).collect());
    assert_eq!((outcome.report.finished, outcome.report.most_in_flight), (6, 4));
    assert_eq!(run(plan(serve(ok), batch(9)), vec![job(1), job(2)]).report.most_in_flight, 2);
    assert_eq!(run(plan(serve(ok), batch(0)), vec![job(1), job(2)]).ids(), [1, 2]);
    assert_eq!(run(plan(serve(ok), batch(3)), Vec::new()).report.given, 0);
}

#[test]
fn a_batch_of_dialogues_ends_with_the_last_turn_of_the_longest() {
    let turn =
        |session: u64, turn: u64, last| Job { session, last_in_session: last, ..job(session * 100 + turn) };
    let jobs = (0..6).map(|session| turn(session, 0, false)).collect();
    let outcome = run_with(plan(serve(ok), batch(3)), jobs, &Control::new(), |done, turns| {
        let (session, at) = (done.id / 100, done.id % 100);
        if at <= session % 3 {
            turns.send(FollowUp::Job(turn(session, at + 1, at == session % 3), Duration::ZERO)).unwrap();
        }
    });
    let by_id = outcome.by_id();
    let ended: Nanos = by_id.iter().filter(|(id, _)| **id < 300).map(|(_, t)| t.ended).max().unwrap();
    assert!((3..6).all(|session| by_id[&(session * 100)].scheduled == ended));
    assert_eq!(outcome.report.finished, 6 + 2 * (1 + 2 + 3));
}

#[test]
fn parts_are_counted_in_sessions_also_here() {
    let mut plan = plan(serve(ok), batch(4));
    plan.phases = Phases { warmup: Span::Sessions(4), measured: Span::Sessions(8), ..Phases::ENDLESS };
    let (outcome, _) = run_fed(plan, u64::MAX, job, &Control::new(), |_, _| {});
    let of = |phase| outcome.finished.iter().filter(|f| f.phase == phase).map(|f| f.id).collect::<Vec<_>>();
    let mut measured = of(Phase::Measured);
    measured.sort_unstable();
    assert_eq!((of(Phase::Warmup).len(), measured), (4, (4..12).collect()));
    assert!(outcome.finished.iter().all(|f| f.timeline.sent.is_some() == (f.id < 12)));
}
