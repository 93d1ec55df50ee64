//! Who may be sent, who waits, who is done: the state of a load. Decides; the loop in `drive` only tells it what
//! happened.

mod ending;
mod sending;
mod sessions;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::mpsc::Sender;

use benchhost_http::RunClock;
use benchhost_model::{Nanos, Phase};

use crate::control::Control;
use crate::job::{Finished, Job, Pattern};
use crate::moments::Moments;
use crate::phases::{Phases, Programme};
use crate::report::Tally;
use crate::think::Pauses;
use crate::workers::Workers;

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
}

impl Held {
    fn is_job(&self) -> bool {
        !matches!(self, Self::Slot(_))
    }
}
