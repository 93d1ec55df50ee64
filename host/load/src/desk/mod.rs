//! Who may be sent, who waits, who is done: the state of a load. Decides; the loop in `drive` only tells it what
//! happened.

mod ending;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::mpsc::Sender;

use benchhost_http::RunClock;
use benchhost_model::{Ending, Failure, Nanos, Phase, Timeline, TransportFailure};

use crate::control::Control;
use crate::job::{Finished, FollowUp, Job, Pattern};
use crate::workers::{Ended, Workers};
use crate::moments::Moments;
use crate::phases::{Phases, Programme};
use crate::report::Tally;
use crate::think::Pauses;

/// Jobs of an open loop that wait for their moment or under a cap here rather than at whoever builds them.
const LOOK_AHEAD: usize = 256;

/// How far the load's end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Sessions begin.
    Running,
    /// No session begins; those that run go on.
    Closing,
    /// Nothing is sent; what is in flight may end until then.
    Stopping(Nanos),
    /// All connections are being closed.
    Cutting,
}

/// A job of a session that has begun or has its place, and the moment it was meant for.
struct Ready {
    job: Job,
    phase: Phase,
    scheduled: Nanos,
    /// It waited under a cap.
    waited: bool,
    /// The I/O thread that holds its session's connection.
    thread: Option<usize>,
}

/// What waits for its moment.
enum Held {
    Fresh(Ready),
    Turn(Ready),
    Slot(Nanos),
}

/// What is known of an exchange that runs.
struct Flight {
    id: u64,
    session: u64,
    last: bool,
    phase: Phase,
    scheduled: Nanos,
    slot: Option<Nanos>,
    launched: Nanos,
    thread: usize,
}

/// A session between two turns.
struct Between {
    since: Nanos,
    phase: Phase,
    thread: usize,
}

/// How the desk is set up.
pub(crate) struct Setup {
    pub(crate) pattern: Pattern,
    pub(crate) phases: Phases,
    /// How long before its moment an exchange is launched.
    pub(crate) early: Nanos,
    /// How long what is in flight may go on after a stop.
    pub(crate) give_up: Nanos,
    pub(crate) clock: RunClock,
    pub(crate) control: Control,
}

/// The state of a load. Lives on one thread.
pub(crate) struct Desk {
    setup: Setup,
    workers: Workers,
    finished: Sender<Finished>,
    state: State,
    programme: Programme,
    /// What follows the end of the measured part's time was done.
    time_is_up: bool,
    start: Option<Nanos>,
    no_more_fresh: bool,
    no_more_turns: bool,
    /// Closed loop: since when each free slot is free.
    free: VecDeque<Nanos>,
    pauses: Pauses,
    /// Open loop with a cap: jobs whose moment has passed.
    queue: VecDeque<Ready>,
    /// Batch: the jobs of the next.
    batch: Vec<Job>,
    /// Batch: when the last session of the batch before ended.
    barrier: Option<Nanos>,
    held: Moments<Held>,
    /// First turns among those that wait for their moment or under the cap.
    held_fresh: usize,
    between: HashMap<u64, Between>,
    flights: HashMap<u64, Flight>,
    next_flight: u64,
    /// Sessions of each part that have their place and have not ended.
    open: Parts,
    tally: Tally,
}

/// One count for each part of a load.
#[derive(Debug, Default)]
struct Parts {
    warmup: u64,
    measured: u64,
    drain: u64,
    /// There was a measured one.
    measured_came: bool,
}

impl Parts {
    fn of(&mut self, phase: Phase) -> &mut u64 {
        match phase {
            Phase::Warmup => &mut self.warmup,
            Phase::Measured => &mut self.measured,
            Phase::Drain => &mut self.drain,
        }
    }

    fn sum(&self) -> u64 {
        self.warmup + self.measured + self.drain
    }
}

impl Desk {
    pub(crate) fn new(setup: Setup, workers: Workers, finished: Sender<Finished>) -> Self {
        let by_due_time = matches!(setup.pattern, Pattern::Open { .. });
        let pauses = match setup.pattern {
            Pattern::Closed { think, .. } => Pauses::new(think),
            _ => Pauses::None,
        };
        Self {
            programme: Programme::new(setup.phases, by_due_time),
            setup,
            workers,
            finished,
            state: State::Running,
            time_is_up: false,
            start: None,
            no_more_fresh: false,
            no_more_turns: false,
            free: VecDeque::new(),
            pauses,
            queue: VecDeque::new(),
            batch: Vec::new(),
            barrier: None,
            held: Moments::new(),
            held_fresh: 0,
            between: HashMap::new(),
            flights: HashMap::new(),
            next_flight: 0,
            open: Parts::default(),
            tally: Tally::default(),
        }
    }

    /// Sessions may begin.
    pub(crate) fn is_running(&self) -> bool {
        self.state == State::Running
    }

    /// Nothing is sent any more.
    pub(crate) fn is_stopped(&self) -> bool {
        matches!(self.state, State::Stopping(_) | State::Cutting)
    }

    /// A further job is of use now.
    pub(crate) fn wants_fresh(&self) -> bool {
        self.is_running()
            && (self.start.is_none()
                || match self.setup.pattern {
                    Pattern::Closed { .. } => !self.free.is_empty(),
                    Pattern::Open { .. } => self.held_fresh < LOOK_AHEAD,
                    Pattern::Batch { size } => self.batch.len() < size.max(1) as usize,
                })
    }

    /// Nothing is left to do.
    pub(crate) fn is_over(&self) -> bool {
        let idle = self.flights.is_empty()
            && self.queue.is_empty()
            && self.batch.is_empty()
            && !self.held.any(Held::is_job);
        idle && (self.is_stopped() || (self.no_more_fresh && self.between.is_empty()))
    }

    /// When [`Desk::look_at_the_clock`] has something to do next.
    pub(crate) fn next_moment(&self) -> Option<Nanos> {
        let held = self.held.earliest().map(|due| due - self.setup.early);
        let end = match self.state {
            State::Running | State::Closing if !self.time_is_up && self.start.is_some() => {
                self.programme.measured_end()
            }
            State::Stopping(until) => Some(until),
            _ => None,
        };
        held.into_iter().chain(end).min()
    }

    /// Time has passed.
    pub(crate) fn look_at_the_clock(&mut self) {
        let now = self.setup.clock.now();
        while let Some(held) = self.held.pop_due(now + self.setup.early) {
            match held {
                Held::Slot(since) => self.free.push_back(since),
                Held::Turn(ready) => self.launch(ready),
                Held::Fresh(ready) => {
                    self.held_fresh -= 1;
                    self.launch(ready);
                }
            }
        }
        self.look_for_the_end(now);
    }

    /// A job arrived.
    pub(crate) fn fresh(&mut self, job: Job) {
        let start = self.begin();
        let now = self.setup.clock.now();
        match self.setup.pattern {
            Pattern::Closed { .. } => match self.free.pop_front() {
                Some(since) => self.admit(job, now.max(since), since),
                None => self.refuse_fresh(job.id, now, now),
            },
            Pattern::Open { .. } => {
                let scheduled = job.due.map_or(now, |due| start + due);
                self.admit(job, scheduled, scheduled);
            }
            Pattern::Batch { .. } => {
                self.batch.push(job);
                self.release_batch();
            }
        }
    }

    /// Gives a job's session its part of the load and its place.
    fn admit(&mut self, job: Job, at: Nanos, scheduled: Nanos) {
        let phase = self.programme.next(at, scheduled);
        if phase == Phase::Drain && self.is_quiet_after_measuring() {
            self.refuse(job.id, phase, scheduled);
            self.close();
            return;
        }
        if self.time_is_up && phase != Phase::Drain && self.is_capped() {
            // It waited under the cap, if only at whoever builds jobs, until the measured part's time was up.
            self.refuse(job.id, phase, scheduled);
            return;
        }
        *self.open.of(phase) += 1;
        self.open.measured_came |= phase == Phase::Measured;
        self.when_due(Ready { job, phase, scheduled, waited: false, thread: None }, Held::Fresh);
    }

    /// Sends the next batch if it is complete and the one before has ended.
    fn release_batch(&mut self) {
        let Pattern::Batch { size } = self.setup.pattern else { return };
        let complete = self.batch.len() >= size.max(1) as usize || (self.no_more_fresh && !self.batch.is_empty());
        if !complete || self.open.sum() > 0 || !self.is_running() {
            return;
        }
        let now = self.setup.clock.now();
        let scheduled = self.barrier.unwrap_or(now);
        for job in std::mem::take(&mut self.batch) {
            self.admit(job, now, scheduled);
        }
        if self.no_more_fresh {
            self.programme.no_more(now);
        }
    }

    /// No job will arrive any more.
    pub(crate) fn fresh_is_over(&mut self) {
        if !self.no_more_fresh {
            self.no_more_fresh = true;
            self.release_batch();
            // A batch that waits for the one before has yet to be given its part.
            if self.batch.is_empty() {
                self.programme.no_more(self.setup.clock.now());
            }
        }
    }

    /// The load's start, which is when the first job is there; in a closed loop also the slots'.
    fn begin(&mut self) -> Nanos {
        if let Some(start) = self.start {
            return start;
        }
        let start = self.setup.clock.now();
        self.start = Some(start);
        self.programme.begin(start);
        if let Pattern::Closed { concurrency, stagger, .. } = self.setup.pattern {
            self.free.push_back(start);
            let mut due = start;
            for _ in 1..concurrency.max(1) {
                due = due + Nanos::from(stagger);
                self.slot_is_free(due);
            }
        }
        start
    }

    /// What follows an answer.
    pub(crate) fn follow(&mut self, next: FollowUp) {
        let now = self.setup.clock.now();
        match next {
            FollowUp::EndSession(session) => {
                if let Some(between) = self.between.remove(&session) {
                    self.session_ended(between.phase, now);
                }
            }
            FollowUp::Job(job, delay) => match self.between.remove(&job.session) {
                Some(Between { phase, .. }) if self.is_stopped() => self.refuse(job.id, phase, now),
                Some(Between { since, phase, thread }) => {
                    let scheduled = since + Nanos::from(delay);
                    let thread = Some(thread);
                    self.when_due(Ready { job, phase, scheduled, waited: false, thread }, Held::Turn);
                }
                // A turn of a session that has ended, or never was.
                None => self.refuse(job.id, self.programme.part(), now),
            },
        }
    }

    /// Nobody can say any more what follows: sessions between two turns have ended.
    pub(crate) fn follow_ups_are_over(&mut self) {
        self.no_more_turns = true;
        let now = self.setup.clock.now();
        for (_, between) in std::mem::take(&mut self.between) {
            self.session_ended(between.phase, now);
        }
    }

    /// An exchange ended.
    pub(crate) fn ended(&mut self, ended: Ended) {
        let Some(flight) = self.flights.remove(&ended.key) else { return };
        let mut timeline = ended.timeline.unwrap_or_else(|| self.lost(&flight));
        timeline.slot = flight.slot;
        timeline.io_thread = u16::try_from(flight.thread).unwrap_or(u16::MAX);
        self.workers.ended(flight.thread, timeline.ending == Ending::Complete);
        self.tally.ended(&timeline, flight.phase, flight.launched, self.state == State::Cutting);
        self.setup.control.progress.ended();
        let Flight { id, session, phase, thread, .. } = flight;
        let at = timeline.ended;
        // If nobody listens any more, the load still ends in order.
        let _ = self.finished.send(Finished { id, phase, timeline });
        if flight.last || self.no_more_turns {
            self.session_ended(phase, at);
        } else if let Some(before) = self.between.insert(session, Between { since: at, phase, thread }) {
            // Two flights of one session are a caller's mistake; the slot of the first must not be lost by it.
            self.session_ended(before.phase, before.since);
        }
        while self.has_room()
            && let Some(mut ready) = self.queue.pop_front()
        {
            self.held_fresh -= usize::from(ready.thread.is_none());
            ready.waited = true;
            self.launch(ready);
        }
    }

    /// An exchange that ended without a timeline: a bug, which must cost this one request and no more.
    fn lost(&self, flight: &Flight) -> Timeline {
        let detail = "the exchange broke off inside the program".to_owned();
        Timeline {
            ending: Ending::Cut,
            failure: Some(TransportFailure { failure: Failure::Protocol, detail }),
            ..Timeline::never_sent(flight.scheduled, self.setup.clock.now())
        }
    }

    fn session_ended(&mut self, phase: Phase, at: Nanos) {
        let open = self.open.of(phase);
        *open = open.saturating_sub(1);
        match self.setup.pattern {
            Pattern::Closed { .. } => {
                let due = at + self.pauses.next();
                self.slot_is_free(due);
            }
            Pattern::Batch { .. } => {
                self.barrier = self.barrier.max(Some(at));
                self.release_batch();
            }
            Pattern::Open { .. } => {}
        }
    }

    /// A slot is free from `due` on.
    fn slot_is_free(&mut self, due: Nanos) {
        if due <= self.setup.clock.now() + self.setup.early {
            self.free.push_back(due);
        } else {
            self.held.push(due, Held::Slot(due));
        }
    }

    fn when_due(&mut self, ready: Ready, as_held: fn(Ready) -> Held) {
        if ready.scheduled <= self.setup.clock.now() + self.setup.early {
            self.launch(ready);
        } else {
            let due = ready.scheduled;
            let held = as_held(ready);
            self.held_fresh += usize::from(matches!(held, Held::Fresh(_)));
            self.held.push(due, held);
        }
    }

    fn is_capped(&self) -> bool {
        matches!(self.setup.pattern, Pattern::Open { cap: Some(_) })
    }

    fn has_room(&self) -> bool {
        match self.setup.pattern {
            Pattern::Open { cap: Some(cap) } => self.flights.len() < cap.max(1) as usize,
            _ => true,
        }
    }

    fn launch(&mut self, ready: Ready) {
        if !self.has_room() {
            self.held_fresh += usize::from(ready.thread.is_none());
            self.queue.push_back(ready);
            return;
        }
        let Ready { job, phase, scheduled, waited, thread } = ready;
        let Job { id, session, last_in_session: last, request, .. } = job;
        let thread = thread.unwrap_or_else(|| self.workers.pick());
        let launched = self.setup.clock.now();
        let slot = waited.then_some(launched);
        let key = self.next_flight;
        self.next_flight += 1;
        self.workers.launch(thread, key, request, scheduled);
        self.flights.insert(key, Flight { id, session, last, phase, scheduled, slot, launched, thread });
        self.setup.control.progress.began(phase);
        self.tally.started += 1;
        self.tally.most_in_flight = self.tally.most_in_flight.max(self.flights.len() as u64);
    }
}

impl Held {
    fn is_job(&self) -> bool {
        !matches!(self, Self::Slot(_))
    }
}
