//! How a load comes to its end: by its parts, by its lanes, by being told. Whatever the way, each job is handed back.

use benchhost_model::{Nanos, Phase, Timeline};

use super::{Desk, Held, Ready, State};
use crate::job::{Finished, Job, Pattern};
use crate::phases::DrainLoad;
use crate::report::LoadReport;

impl Desk {
    /// Does what the end of the measured part asks for.
    pub(super) fn look_for_the_end(&mut self, now: Nanos) {
        match self.state {
            State::Stopping(until) if now >= until => return self.cut(),
            State::Running | State::Closing => {}
            State::Stopping(_) | State::Cutting => return,
        }
        if self.start.is_none() {
            return;
        }
        if !self.time_is_up && self.programme.measured_end().is_some_and(|end| now >= end) {
            self.time_is_up();
        }
        if !self.programme.is_over(now) {
            return;
        }
        if self.is_quiet_after_measuring() {
            self.close();
        }
        // A load that was never measured is about its warm-up, and one that ran out of jobs has time for it.
        let follows_warmup = self.no_more_fresh || !self.open.measured_came;
        let awaited = self.open.measured + if follows_warmup { self.open.warmup } else { 0 };
        if awaited == 0 && (self.open.sum() > 0 || self.is_running()) {
            self.cut();
        }
    }

    /// The time of the measured part is up. What waits under the cap is not sent any more: sending it would go on for
    /// as long as the server is behind, and it would be late by more than the measured part is long.
    fn time_is_up(&mut self) {
        self.time_is_up = true;
        self.setup.control.progress.reached(Phase::Drain);
        let waiting = std::mem::take(&mut self.queue);
        for ready in waiting {
            // Turns of sessions that run go on, and so do those that are not measured anyway.
            if ready.thread.is_some() || ready.phase == Phase::Drain {
                self.queue.push_back(ready);
            } else {
                self.held_fresh -= 1;
                self.give_back(&ready);
            }
        }
    }

    /// The measured part ends now, unless it has. First turns that are due later belong to the drain.
    pub(crate) fn end_measuring(&mut self) {
        let now = self.setup.clock.now();
        let waits = self.held.any(Held::is_fresh_before_drain)
            || self.queue.iter().any(|ready| ready.thread.is_none() && ready.phase != Phase::Drain);
        if self.is_stopped() || (self.programme.is_over(now) && !waits) {
            return;
        }
        self.programme.end_measuring(now);
        let quiet = self.is_quiet_after_measuring();
        for (due, mut held) in self.held.take_all() {
            if let Held::Fresh(ready) = &mut held
                && due >= now
            {
                *self.open.of(ready.phase) -= 1;
                *self.open.of(Phase::Drain) += 1;
                ready.phase = Phase::Drain;
            }
            match held {
                Held::Fresh(ready) if quiet && ready.phase == Phase::Drain => {
                    self.held_fresh -= 1;
                    self.give_back(&ready);
                }
                other => self.held.push(due, other),
            }
        }
    }

    pub(super) fn is_quiet_after_measuring(&self) -> bool {
        self.setup.phases.drain == DrainLoad::Quiet
    }

    /// Begin no session any more.
    pub(super) fn close(&mut self) {
        if self.state == State::Running {
            self.state = State::Closing;
            self.give_back_batch();
        }
    }

    /// A job that was still under way when the load stopped taking any. In an open loop one whose moment had come in
    /// time is sent, late as it is: dropping it would flatter a slow host.
    pub(crate) fn leftover(&mut self, job: Job) {
        let now = self.setup.clock.now();
        let start = self.start.unwrap_or(now);
        let due = match self.setup.pattern {
            Pattern::Open { .. } => job.due.map(|due| start + due),
            Pattern::Closed { .. } | Pattern::Batch { .. } => None,
        };
        match due {
            Some(scheduled) if self.state == State::Closing => self.admit(job, scheduled, scheduled),
            _ => self.refuse_fresh(job.id, due.unwrap_or(now), due.unwrap_or(now)),
        }
    }

    /// Send nothing any more.
    pub(crate) fn stop(&mut self) {
        if self.is_stopped() {
            return;
        }
        let now = self.setup.clock.now();
        self.programme.stopped(now);
        self.state = State::Stopping(now + self.setup.give_up);
        let queue = std::mem::take(&mut self.queue);
        let held = self.held.take_all().into_iter().filter_map(|(_, held)| held.into_job());
        for ready in queue.into_iter().chain(held) {
            self.give_back(&ready);
        }
        self.held_fresh = 0;
        self.give_back_batch();
    }

    /// Hang up. Doing so twice changes nothing.
    pub(crate) fn cut(&mut self) {
        if self.state == State::Cutting {
            return;
        }
        self.stop();
        self.state = State::Cutting;
        self.workers.hang_up();
    }

    fn give_back_batch(&mut self) {
        let now = self.setup.clock.now();
        for job in std::mem::take(&mut self.batch) {
            self.refuse_fresh(job.id, now, now);
        }
    }

    /// Hands back a job that has its place; its session ends.
    fn give_back(&mut self, ready: &Ready) {
        self.refuse(ready.job.id, ready.phase, ready.scheduled);
        let open = self.open.of(ready.phase);
        *open = open.saturating_sub(1);
    }

    /// Hands back a job of a session that has no place yet; it counts to the part it would have belonged to.
    pub(super) fn refuse_fresh(&mut self, id: u64, at: Nanos, scheduled: Nanos) {
        let phase = self.programme.next(at, scheduled);
        self.refuse(id, phase, scheduled);
    }

    /// Hands a job back unsent.
    pub(crate) fn refuse(&mut self, id: u64, phase: Phase, scheduled: Nanos) {
        self.tally.never_sent += 1;
        self.setup.control.progress.refused();
        let timeline = Timeline::never_sent(scheduled, self.setup.clock.now());
        let _ = self.finished.send(Finished { id, phase, timeline });
    }

    /// Hands back a turn that came after the load's end.
    pub(crate) fn refuse_late_turn(&mut self, job: &Job) {
        let session = self.between.remove(&job.session);
        let phase = session.map_or_else(|| self.programme.part(), |between| between.phase);
        self.refuse(job.id, phase, self.setup.clock.now());
    }

    /// The account, still without that of the I/O threads.
    pub(crate) fn report(self) -> LoadReport {
        let end = self.setup.clock.now();
        self.tally.report(self.start, self.programme.window(), end)
    }
}

impl Held {
    fn is_fresh_before_drain(&self) -> bool {
        matches!(self, Self::Fresh(ready) if ready.phase != Phase::Drain)
    }

    fn into_job(self) -> Option<Ready> {
        match self {
            Self::Fresh(ready) | Self::Turn(ready) => Some(ready),
            Self::Slot(_) => None,
        }
    }
}
