//! The loop of a load: one thread for sockets, one for time. Tells the desk what happened and decides nothing itself.

use std::pin::pin;
use std::sync::mpsc::Sender;
use std::thread;

use benchhost_http::{Client, RunClock, Target};
use benchhost_model::Timeline;
use tokio::sync::mpsc::{Receiver, UnboundedReceiver, unbounded_channel};

use crate::control::Control;
use crate::desk::Desk;
use crate::job::{Finished, FollowUp, Job, Pattern, Stop};
use crate::pacer::Pacer;
use crate::report::{LoadReport, Tally};

/// What to offer, to whom, for how long.
#[derive(Clone)]
pub struct LoadPlan {
    /// Closed or open loop.
    pub pattern: Pattern,
    /// When it ends.
    pub stop: Stop,
    /// Where requests go.
    pub target: Target,
    /// The run's clock; all stamps are on it.
    pub clock: RunClock,
}

/// Where jobs come from and where answers go.
///
/// The load ends when `fresh` is closed and every session has. While a session waits for its next turn, it waits for
/// `follow_ups`; dropping its last sender ends all such sessions.
pub struct Lanes {
    /// First turns, in order; open-loop jobs with rising due times. Bounded, so that jobs are built a little ahead.
    pub fresh: Receiver<Job>,
    /// What follows an answer that was not its session's last.
    pub follow_ups: UnboundedReceiver<FollowUp>,
    /// One [`Finished`] for every job received. If nobody listens, the load still ends in order.
    pub finished: Sender<Finished>,
}

/// Offers the load and returns when it is over. Blocks: the calling thread becomes the one that does the I/O, and a
/// second one paces.
///
/// Cannot fail. Every job received on either lane comes back exactly once, with what happened to it, also when it was
/// never sent.
pub fn drive(plan: LoadPlan, lanes: Lanes, control: &Control) -> LoadReport {
    let (announce, moments) = unbounded_channel();
    let (pacer, pace) = Pacer::new(plan.clock, announce);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refuse_all(&plan, lanes, format!("the machine gives no event queue: {error}")),
    };
    let report = thread::scope(|scope| {
        let started = thread::Builder::new().name("pacer".to_owned()).spawn_scoped(scope, pace);
        if let Err(error) = started {
            return refuse_all(&plan, lanes, format!("the machine gives no further thread: {error}"));
        }
        let Lanes { fresh, follow_ups, finished } = lanes;
        let client = Client::new(plan.target, plan.clock);
        let desk = Desk::new((plan.pattern, plan.stop), client, plan.clock, control.clone(), pacer, finished);
        // The desk owns the pacer's orders, so the pacer's thread ends with it, before the scope does.
        runtime.block_on(run(desk, fresh, follow_ups, moments, plan.clock, control))
    });
    // A name server that does not answer holds a thread of the runtime; dropping the runtime would wait for it.
    runtime.shutdown_background();
    report
}

async fn run(
    mut desk: Desk,
    mut fresh: Receiver<Job>,
    mut follow_ups: UnboundedReceiver<FollowUp>,
    mut moments: UnboundedReceiver<u64>,
    clock: RunClock,
    control: &Control,
) -> LoadReport {
    let (mut fresh_open, mut follow_open) = (true, true);
    let (mut stop, mut cut) = (pin!(control.stop.cancelled()), pin!(control.cut.cancelled()));
    let (mut stop_seen, mut cut_seen) = (false, false);
    let mut alarm = pin!(tokio::time::sleep(std::time::Duration::ZERO));
    let mut alarm_at = None;
    loop {
        // The signal reaches exchanges and this loop one after the other. An exchange that it ended must not make room
        // for the next before the desk knows.
        if control.cut.is_cancelled() {
            desk.cut();
        }
        if fresh_open && !desk.is_running() {
            take_leftovers(&mut desk, &mut fresh).await;
            fresh_open = false;
        }
        if desk.is_over() {
            break;
        }
        if desk.alarm() != alarm_at {
            alarm_at = desk.alarm();
            if let Some(at) = alarm_at {
                alarm.as_mut().reset(clock.instant(at).into());
            }
        }
        // In this order: first what ends the load, then what frees room, then what fills it.
        tokio::select! {
            biased;
            () = &mut cut, if !cut_seen => {
                cut_seen = true;
                desk.cut();
            }
            () = &mut stop, if !stop_seen => {
                stop_seen = true;
                desk.stop();
            }
            () = &mut alarm, if alarm_at.is_some() => desk.alarm_rang(),
            Some(token) = moments.recv() => desk.moment(token),
            Some(ended) = desk.tasks.join_next_with_id(), if !desk.tasks.is_empty() => desk.ended(ended),
            next = follow_ups.recv(), if follow_open && !desk.is_stopped() => {
                if let Some(next) = next {
                    desk.follow(next);
                } else {
                    follow_open = false;
                    desk.follow_ups_are_over();
                }
            }
            job = fresh.recv(), if fresh_open && desk.wants_fresh() => {
                if let Some(job) = job {
                    desk.fresh(job);
                } else {
                    fresh_open = false;
                    desk.fresh_is_over();
                }
            }
        }
    }
    refuse_turns(&mut desk, follow_ups, clock).await;
    desk.report()
}

/// Takes no further job. Whoever builds them learns it from a closed lane; those already in it are not lost.
async fn take_leftovers(desk: &mut Desk, fresh: &mut Receiver<Job>) {
    fresh.close();
    while let Some(job) = fresh.recv().await {
        desk.leftover(job);
    }
    desk.fresh_is_over();
}

/// Hands back the turns that came too late.
async fn refuse_turns(desk: &mut Desk, mut follow_ups: UnboundedReceiver<FollowUp>, clock: RunClock) {
    follow_ups.close();
    while let Some(late) = follow_ups.recv().await {
        if let FollowUp::Job(job, _) = late {
            desk.refuse(job.id, clock.now());
        }
    }
}

/// Hands everything back unsent.
fn refuse_all(plan: &LoadPlan, lanes: Lanes, fault: String) -> LoadReport {
    let Lanes { mut fresh, mut follow_ups, finished } = lanes;
    fresh.close();
    follow_ups.close();
    let turns = std::iter::from_fn(|| follow_ups.blocking_recv()).filter_map(|next| match next {
        FollowUp::Job(job, _) => Some(job),
        FollowUp::EndSession(_) => None,
    });
    let mut tally = Tally::default();
    for job in std::iter::from_fn(|| fresh.blocking_recv()).chain(turns) {
        let now = plan.clock.now();
        tally.never_sent += 1;
        let _ = finished.send(Finished { id: job.id, timeline: Timeline::never_sent(now, now) });
    }
    tally.report(None, plan.clock.now(), Some(fault))
}
