//! When a job that has its place goes out: at its moment, and when a cap has room for it.

use super::{Desk, Flight, Held, Ready};
use crate::job::{Job, Pattern};

impl Desk {
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

    pub(super) fn when_due(&mut self, ready: Ready, as_held: fn(Ready) -> Held) {
        if ready.scheduled <= self.setup.clock.now() + self.setup.early {
            self.launch(ready);
        } else {
            let due = ready.scheduled;
            let held = as_held(ready);
            self.held_fresh += usize::from(matches!(held, Held::Fresh(_)));
            self.held.push(due, held);
        }
    }

    pub(super) fn is_capped(&self) -> bool {
        matches!(self.setup.pattern, Pattern::Open { cap: Some(_) })
    }

    pub(super) fn has_room(&self) -> bool {
        match self.setup.pattern {
            Pattern::Open { cap: Some(cap) } => self.flights.len() < cap.max(1) as usize,
            _ => true,
        }
    }

    pub(super) fn launch(&mut self, ready: Ready) {
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
