//! The loop of a load and its threads. Tells the desk what happened and decides nothing itself.

use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use benchhost_http::{Cancel, Client, RunClock, Target};
use benchhost_model::{Nanos, Phase, Timeline};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::mpsc::{Receiver, UnboundedReceiver, unbounded_channel};

use crate::alarm::Alarm;
use crate::control::Control;
use crate::desk::{Desk, Setup};
use crate::io::{IoPlan, IoThread, Seat, raise_for_io, warm};
use crate::job::{Finished, FollowUp, Job, Pattern};
use crate::phases::Phases;
use crate::report::{LoadReport, Tally};
use crate::workers::{Ended, Exchange, Workers, exchange_of};

/// What to offer, to whom, for how long.
#[derive(Clone)]
pub struct LoadPlan {
    /// How load is offered.
    pub pattern: Pattern,
    /// Its parts.
    pub phases: Phases,
    /// The threads that do the I/O.
    pub io: IoPlan,
    /// After [`Control::stop`]: wait this long for what is in flight, then hang up.
    pub give_up: Duration,
    /// Where requests go.
    pub target: Target,
    /// The run's clock; all stamps are on it.
    pub clock: RunClock,
}

/// Where jobs come from and where answers go.
///
/// The load ends when `fresh` is closed and every session has ended, or when it has drained. While a session waits for
/// its next turn, it waits for `follow_ups`; dropping its last sender ends all such sessions.
pub struct Lanes {
    /// First turns, in order; open-loop jobs with rising due times. Bounded, so that jobs are built a little ahead. A
    /// load that drains under load goes on taking them after the measured part; that the lane closes tells whoever
    /// builds them that no more are wanted.
    pub fresh: Receiver<Job>,
    /// What follows an answer that was not its session's last.
    pub follow_ups: UnboundedReceiver<FollowUp>,
    /// One [`Finished`] for every job received. If nobody listens, the load still ends in order.
    pub finished: Sender<Finished>,
}

/// How long before its moment an exchange is launched, where the thread may spin. Longer than nearly all wake-ups; with
/// several I/O threads than two of them, since the thread that steers wakes the one that sends.
const EARLY: Nanos = Nanos::new(100_000);
const EARLY_TO_ANOTHER: Nanos = Nanos::new(180_000);

/// An event loop looks for new events after so many steps at the latest. A step takes some microseconds, so this keeps
/// an arrival from waiting long behind streams.
const STEPS_BETWEEN_LOOKS: u32 = 16;

/// Offers the load and returns when it is over. Blocks: the calling thread steers the load, and with a single I/O thread
/// is that thread.
///
/// Cannot fail. Every job received on either lane comes back exactly once, with what happened to it, also when it was
/// never sent. The calling thread is in the scheduling class it was in before.
#[allow(clippy::needless_pass_by_value, reason = "a plan is for one load; whoever makes it need not keep it")]
pub fn drive(plan: LoadPlan, lanes: Lanes, control: &Control) -> LoadReport {
    let (runtime, alarm) = match event_loop().and_then(|runtime| Ok((alarm_of(&runtime, &plan)?, runtime))) {
        Ok((alarm, runtime)) => (runtime, alarm),
        Err(error) => return refuse_all(&plan, lanes, format!("the machine gives no event queue: {error}")),
    };
    let report = if plan.io.threads.get() == 1 {
        on_this_thread(&runtime, alarm, &plan, lanes, control)
    } else {
        on_several(&runtime, alarm, &plan, lanes, control)
    };
    // A name server that does not answer holds a thread of the runtime; dropping the runtime would wait for it.
    runtime.shutdown_background();
    report
}

fn event_loop() -> std::io::Result<Runtime> {
    Builder::new_current_thread().enable_all().event_interval(STEPS_BETWEEN_LOOKS).build()
}

fn alarm_of(runtime: &Runtime, plan: &LoadPlan) -> std::io::Result<Alarm> {
    let _inside = runtime.enter();
    Alarm::new(plan.clock)
}

fn on_this_thread(
    runtime: &Runtime,
    alarm: Alarm,
    plan: &LoadPlan,
    lanes: Lanes,
    control: &Control,
) -> LoadReport {
    let client = Arc::new(Client::new(plan.target.clone(), plan.clock));
    let worker = (runtime.handle().clone(), exchange_of(Arc::clone(&client), plan.clock));
    runtime.block_on(async {
        let granted = raise_for_io(plan.io.priority);
        warm::up(&plan.target, plan.clock).await;
        let seat = Seat::take(granted);
        let mut report = run(plan, vec![worker], alarm, lanes, control).await;
        report.io = vec![seat.leave(client.stamp_faults())];
        report
    })
}

fn on_several(
    runtime: &Runtime,
    alarm: Alarm,
    plan: &LoadPlan,
    lanes: Lanes,
    control: &Control,
) -> LoadReport {
    let over = Cancel::new();
    thread::scope(|scope| {
        // The scope waits for its threads also while a panic passes through it.
        let leaving = Leaving(over.clone());
        let (ready, worker_is_ready) = std::sync::mpsc::channel();
        let mut threads = Vec::new();
        let mut fault = None;
        for number in 0..plan.io.threads.get() {
            let (ready, over) = (ready.clone(), over.clone());
            let work = move || io_thread(plan, ready, &over);
            match thread::Builder::new().name(format!("io-{number}")).spawn_scoped(scope, work) {
                Ok(thread) => threads.push(thread),
                Err(error) => fault = Some(format!("the machine gives no further thread: {error}")),
            }
        }
        drop(ready);
        let mut workers = Vec::new();
        for worker in worker_is_ready {
            match worker {
                Ok(worker) => workers.push(worker),
                Err(error) => fault = Some(format!("the machine gives no event queue: {error}")),
            }
        }
        let mut report = match fault {
            Some(fault) => refuse_all(plan, lanes, fault),
            None => runtime.block_on(async {
                let _granted = raise_for_io(plan.io.priority);
                run(plan, workers, alarm, lanes, control).await
            }),
        };
        drop(leaving);
        report.io = threads.into_iter().filter_map(|thread| thread.join().ok().flatten()).collect();
        report
    })
}

/// Lets the I/O threads end when it is dropped.
struct Leaving(Cancel);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// One of several I/O threads: says that it is ready, runs what it is given, and returns its account.
fn io_thread(
    plan: &LoadPlan,
    ready: Sender<std::io::Result<(Handle, Exchange)>>,
    over: &Cancel,
) -> Option<IoThread> {
    let runtime = match event_loop() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = ready.send(Err(error));
            return None;
        }
    };
    let client = Arc::new(Client::new(plan.target.clone(), plan.clock));
    let exchange = exchange_of(Arc::clone(&client), plan.clock);
    let account = runtime.block_on(async {
        let granted = raise_for_io(plan.io.priority);
        warm::up(&plan.target, plan.clock).await;
        let seat = Seat::take(granted);
        let _ = ready.send(Ok((Handle::current(), exchange)));
        // Whoever waits for all threads waits until none can say anything any more.
        drop(ready);
        over.cancelled().await;
        seat.leave(client.stamp_faults())
    });
    runtime.shutdown_background();
    Some(account)
}

async fn run(
    plan: &LoadPlan,
    workers: Vec<(Handle, Exchange)>,
    mut alarm: Alarm,
    lanes: Lanes,
    control: &Control,
) -> LoadReport {
    let Lanes { mut fresh, mut follow_ups, finished } = lanes;
    let (tell, mut ended) = unbounded_channel();
    let early = match (plan.io.spin, workers.len()) {
        (false, _) => Nanos::ZERO,
        (true, 1) => EARLY,
        (true, _) => EARLY_TO_ANOTHER,
    };
    let setup = Setup {
        pattern: plan.pattern,
        phases: plan.phases,
        early,
        give_up: Nanos::from(plan.give_up),
        clock: plan.clock,
        control: control.clone(),
    };
    let mut desk = Desk::new(setup, Workers::new(workers, plan.target.reuse, tell), finished);
    attend(&mut desk, &mut alarm, &mut fresh, &mut follow_ups, &mut ended, control).await;
    refuse_turns(&mut desk, follow_ups).await;
    desk.report()
}

/// Until nothing is left to do.
pub(crate) async fn attend(
    desk: &mut Desk,
    alarm: &mut Alarm,
    fresh: &mut Receiver<Job>,
    follow_ups: &mut UnboundedReceiver<FollowUp>,
    ended: &mut UnboundedReceiver<Ended>,
    control: &Control,
) {
    let (mut fresh_open, mut follow_open) = (true, true);
    let (mut stop, mut cut) = (pin!(control.stop.cancelled()), pin!(control.cut.cancelled()));
    let mut measured = pin!(control.measured.cancelled());
    let (mut stop_seen, mut cut_seen, mut measured_seen) = (false, false, false);
    loop {
        desk.look_at_the_clock();
        if fresh_open && !desk.is_running() {
            take_leftovers(desk, fresh).await;
            fresh_open = false;
        }
        if desk.is_over() {
            return;
        }
        let moment = desk.next_moment();
        // In this order: first what ends the load, then what is due, then what frees room, then what fills it.
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
            () = &mut measured, if !measured_seen => {
                measured_seen = true;
                desk.end_measuring();
            }
            () = alarm.ring(moment.unwrap_or_default()), if moment.is_some() => {}
            Some(ended) = ended.recv() => desk.ended(ended),
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
async fn refuse_turns(desk: &mut Desk, mut follow_ups: UnboundedReceiver<FollowUp>) {
    follow_ups.close();
    while let Some(late) = follow_ups.recv().await {
        if let FollowUp::Job(job, _) = late {
            desk.refuse_late_turn(&job);
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
        let timeline = Timeline::never_sent(now, now);
        let _ = finished.send(Finished { id: job.id, phase: Phase::Measured, timeline });
    }
    LoadReport { fault: Some(fault), ..tally.report(None, None, plan.clock.now()) }
}
