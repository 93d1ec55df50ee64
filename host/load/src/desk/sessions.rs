//! Sessions from their first job to the end of their last answer: which part of the load they belong to, what follows an
//! answer, whose slot is free then.

use benchhost_model::{Ending, Failure, Nanos, Phase, Timeline, TransportFailure};

use super::{Between, Desk, Flight, Held, Ready, State};
use crate::job::{Finished, FollowUp, Job, Pattern};
use crate::workers::Ended;

impl Desk {
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
    pub(super) fn admit(&mut self, job: Job, at: Nanos, scheduled: Nanos) {
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
    pub(super) fn release_batch(&mut self) {
        let Pattern::Batch { size } = self.setup.pattern else { return };
        let complete =
            self.batch.len() >= size.max(1) as usize || (self.no_more_fresh && !self.batch.is_empty());
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
}
