//! Who may be sent, who waits, who is done: the state of a load. Decides; the loop in `drive` only tells it what
//! happened.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::Sender;

use benchhost_http::{Client, RunClock};
use benchhost_model::{Ending, Failure, Nanos, Timeline, TransportFailure};
use tokio::task::{Id, JoinError, JoinSet};

use crate::control::Control;
use crate::job::{Finished, FollowUp, Job, Pattern, Stop};
use crate::pacer::Pacer;
use crate::report::{LoadReport, Tally};

/// Jobs of an open loop that wait for their moment here rather than at whoever builds them.
const LOOK_AHEAD: usize = 256;

/// How far the load's end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Sessions begin.
    Running,
    /// No session begins; those that run go on.
    Closing,
    /// Nothing is sent; what is in flight may end until then.
    Stopping(Nanos),
    /// All connections are being closed.
    Cutting,
}

/// A job and the moment it was meant for.
struct Ready {
    job: Job,
    scheduled: Nanos,
}

/// What a pacer's token stands for.
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
    scheduled: Nanos,
}

/// The state of a load. Lives on the event loop's thread.
pub(crate) struct Desk {
    pattern: Pattern,
    stop: Stop,
    clock: RunClock,
    client: Arc<Client>,
    control: Control,
    pacer: Pacer,
    finished: Sender<Finished>,
    phase: Phase,
    start: Option<Nanos>,
    no_more_fresh: bool,
    no_more_turns: bool,
    /// Closed loop: since when each free slot is free.
    free: VecDeque<Nanos>,
    /// Open loop with a cap: jobs whose moment has passed.
    queue: VecDeque<Ready>,
    held: HashMap<u64, Held>,
    held_fresh: usize,
    next_token: u64,
    /// Sessions between two turns, and since when.
    between: HashMap<u64, Nanos>,
    flights: HashMap<Id, Flight>,
    /// The exchanges that run.
    pub(crate) tasks: JoinSet<Timeline>,
    tally: Tally,
}

impl Desk {
    pub(crate) fn new(
        (pattern, stop): (Pattern, Stop),
        client: Client,
        clock: RunClock,
        control: Control,
        pacer: Pacer,
        finished: Sender<Finished>,
    ) -> Self {
        Self {
            pattern,
            stop,
            clock,
            client: Arc::new(client),
            control,
            pacer,
            finished,
            phase: Phase::Running,
            start: None,
            no_more_fresh: false,
            no_more_turns: false,
            free: VecDeque::new(),
            queue: VecDeque::new(),
            held: HashMap::new(),
            held_fresh: 0,
            next_token: 0,
            between: HashMap::new(),
            flights: HashMap::new(),
            tasks: JoinSet::new(),
            tally: Tally::default(),
        }
    }

    /// Sessions may begin.
    pub(crate) fn is_running(&self) -> bool {
        self.phase == Phase::Running
    }

    /// Nothing is sent any more.
    pub(crate) fn is_stopped(&self) -> bool {
        matches!(self.phase, Phase::Stopping(_) | Phase::Cutting)
    }

    /// A further job is of use now.
    pub(crate) fn wants_fresh(&self) -> bool {
        self.is_running()
            && (self.start.is_none()
                || match self.pattern {
                    Pattern::Closed { .. } => !self.free.is_empty(),
                    Pattern::Open { .. } => self.held_fresh < LOOK_AHEAD,
                })
    }

    /// Nothing is left to do.
    pub(crate) fn is_over(&self) -> bool {
        let idle = self.flights.is_empty() && self.queue.is_empty() && !self.held.values().any(Held::is_job);
        idle && (self.is_stopped() || (self.no_more_fresh && self.between.is_empty()))
    }

    /// When the phase ends by itself.
    pub(crate) fn alarm(&self) -> Option<Nanos> {
        match self.phase {
            Phase::Running => self.closing_time(),
            Phase::Stopping(until) => Some(until),
            Phase::Closing | Phase::Cutting => None,
        }
    }

    fn closing_time(&self) -> Option<Nanos> {
        Some(self.start? + Nanos::from(self.stop.after?))
    }

    /// The alarm rang.
    pub(crate) fn alarm_rang(&mut self) {
        match self.phase {
            Phase::Running => self.close(),
            Phase::Stopping(_) => self.cut(),
            Phase::Closing | Phase::Cutting => {}
        }
    }

    /// A job arrived.
    pub(crate) fn fresh(&mut self, job: Job) {
        let start = self.begin();
        match self.pattern {
            Pattern::Closed { .. } => match self.free.pop_front() {
                Some(since) => self.launch(Ready { job, scheduled: since }),
                None => self.refuse(job.id, self.clock.now()),
            },
            Pattern::Open { .. } => {
                let scheduled = job.due.map_or_else(|| self.clock.now(), |due| start + due);
                if self.closing_time().is_some_and(|end| scheduled >= end) {
                    self.refuse(job.id, scheduled);
                    self.close();
                } else {
                    self.when_due(Ready { job, scheduled }, Held::Fresh);
                }
            }
        }
    }

    /// A job that was still under way when the load stopped taking any. In an open loop one whose moment had come is
    /// sent, late as it is: dropping it would flatter a slow host.
    pub(crate) fn leftover(&mut self, job: Job) {
        let start = self.start.unwrap_or_else(|| self.clock.now());
        let due = job.due.filter(|_| matches!(self.pattern, Pattern::Open { .. })).map(|due| start + due);
        match (self.phase, due, self.closing_time()) {
            (Phase::Closing, Some(scheduled), Some(end)) if scheduled < end => {
                self.when_due(Ready { job, scheduled }, Held::Fresh);
            }
            _ => self.refuse(job.id, due.unwrap_or_else(|| self.clock.now())),
        }
    }

    /// No job will arrive any more.
    pub(crate) fn fresh_is_over(&mut self) {
        self.no_more_fresh = true;
    }

    /// The load's start, which is when the first job is there; in a closed loop also the slots'.
    fn begin(&mut self) -> Nanos {
        if let Some(start) = self.start {
            return start;
        }
        let start = self.clock.now();
        self.start = Some(start);
        if let Pattern::Closed { concurrency, stagger } = self.pattern {
            self.free.push_back(start);
            let mut due = start;
            for _ in 1..concurrency.max(1) {
                due = due + Nanos::from(stagger);
                if stagger.is_zero() {
                    self.free.push_back(due);
                } else {
                    self.hold(due, Held::Slot(due));
                }
            }
        }
        start
    }

    /// The pacer says that a moment has come.
    pub(crate) fn moment(&mut self, token: u64) {
        match self.held.remove(&token) {
            Some(Held::Slot(since)) => self.free.push_back(since),
            Some(Held::Turn(ready)) => self.launch(ready),
            Some(Held::Fresh(ready)) => {
                self.held_fresh -= 1;
                self.launch(ready);
            }
            // Given back when the load stopped.
            None => {}
        }
    }

    /// What follows an answer.
    pub(crate) fn follow(&mut self, next: FollowUp) {
        let now = self.clock.now();
        match next {
            FollowUp::EndSession(session) => {
                if self.between.remove(&session).is_some() {
                    self.session_ended(now);
                }
            }
            FollowUp::Job(job, delay) => match self.between.remove(&job.session) {
                Some(since) if !self.is_stopped() => {
                    self.when_due(Ready { job, scheduled: since + Nanos::from(delay) }, Held::Turn);
                }
                // A turn of a session that has ended, or never was.
                _ => self.refuse(job.id, now),
            },
        }
    }

    /// Nobody can say any more what follows: sessions between two turns have ended.
    pub(crate) fn follow_ups_are_over(&mut self) {
        self.no_more_turns = true;
        let now = self.clock.now();
        for _ in 0..std::mem::take(&mut self.between).len() {
            self.session_ended(now);
        }
    }

    /// An exchange ended.
    pub(crate) fn ended(&mut self, joined: Result<(Id, Timeline), JoinError>) {
        let (id, timeline) = match joined {
            Ok((id, timeline)) => (id, Ok(timeline)),
            Err(error) => (error.id(), Err(error)),
        };
        let Some(flight) = self.flights.remove(&id) else { return };
        let timeline = timeline.unwrap_or_else(|error| self.lost(&flight, &error));
        self.tally.ended(&timeline, self.control.cut.is_cancelled());
        self.control.progress.ended();
        if flight.last || self.no_more_turns {
            self.session_ended(timeline.ended);
        } else {
            // Two flights of one session are a caller's mistake; the slot of the first must not be lost by it.
            if let Some(before) = self.between.insert(flight.session, timeline.ended) {
                self.session_ended(before);
            }
        }
        // If nobody listens any more, the load still ends in order.
        let _ = self.finished.send(Finished { id: flight.id, timeline });
        while self.has_room()
            && let Some(ready) = self.queue.pop_front()
        {
            self.launch(ready);
        }
    }

    /// An exchange that ended without a timeline: a bug, which must cost this one request and no more.
    fn lost(&self, flight: &Flight, error: &JoinError) -> Timeline {
        let detail = format!("the exchange broke off inside the program: {error}");
        Timeline {
            ending: Ending::Cut,
            failure: Some(TransportFailure { failure: Failure::Protocol, detail }),
            ..Timeline::never_sent(flight.scheduled, self.clock.now())
        }
    }

    fn session_ended(&mut self, at: Nanos) {
        if matches!(self.pattern, Pattern::Closed { .. }) {
            self.free.push_back(at);
        }
    }

    /// Begin no session any more. Jobs that were due by now stay.
    fn close(&mut self) {
        self.phase = Phase::Closing;
    }

    /// Send nothing any more.
    pub(crate) fn stop(&mut self) {
        if self.is_stopped() {
            return;
        }
        self.phase = Phase::Stopping(self.clock.now() + Nanos::from(self.stop.drain));
        let mut waiting: Vec<Ready> = self.queue.drain(..).collect();
        let mut held: Vec<(u64, Held)> = self.held.drain().collect();
        held.sort_unstable_by_key(|(token, _)| *token);
        waiting.extend(held.into_iter().filter_map(|(_, held)| held.into_job()));
        self.held_fresh = 0;
        self.between.clear();
        for ready in waiting {
            self.refuse(ready.job.id, ready.scheduled);
        }
    }

    /// Hang up. Doing so twice changes nothing.
    pub(crate) fn cut(&mut self) {
        if self.phase == Phase::Cutting {
            return;
        }
        self.stop();
        self.phase = Phase::Cutting;
        self.control.cut.cancel();
    }

    /// Hands a job back unsent.
    pub(crate) fn refuse(&mut self, id: u64, scheduled: Nanos) {
        self.tally.never_sent += 1;
        self.control.progress.refused();
        let timeline = Timeline::never_sent(scheduled, self.clock.now());
        let _ = self.finished.send(Finished { id, timeline });
    }

    fn when_due(&mut self, ready: Ready, as_held: fn(Ready) -> Held) {
        if ready.scheduled <= self.clock.now() {
            self.launch(ready);
        } else {
            self.hold(ready.scheduled, as_held(ready));
        }
    }

    fn hold(&mut self, due: Nanos, held: Held) {
        self.held_fresh += usize::from(matches!(held, Held::Fresh(_)));
        let token = self.next_token;
        self.next_token += 1;
        self.held.insert(token, held);
        self.pacer.at(due, token);
    }

    fn has_room(&self) -> bool {
        match self.pattern {
            Pattern::Open { cap: Some(cap) } => self.flights.len() < cap.max(1) as usize,
            _ => true,
        }
    }

    fn launch(&mut self, ready: Ready) {
        if !self.has_room() {
            self.queue.push_back(ready);
            return;
        }
        let Ready { job, scheduled } = ready;
        let Job { id, session, last_in_session: last, request, .. } = job;
        let (client, cut) = (Arc::clone(&self.client), self.control.cut.clone());
        let task = self.tasks.spawn(async move { client.exchange(&request, scheduled, &cut).await });
        self.flights.insert(task.id(), Flight { id, session, last, scheduled });
        self.control.progress.began();
        self.tally.started += 1;
        self.tally.most_in_flight = self.tally.most_in_flight.max(self.flights.len() as u64);
    }

    /// The account.
    pub(crate) fn report(self) -> LoadReport {
        self.tally.report(self.start, self.clock.now(), None)
    }
}

impl Held {
    fn is_job(&self) -> bool {
        !matches!(self, Self::Slot(_))
    }

    fn into_job(self) -> Option<Ready> {
        match self {
            Self::Fresh(ready) | Self::Turn(ready) => Some(ready),
            Self::Slot(_) => None,
        }
    }
}
