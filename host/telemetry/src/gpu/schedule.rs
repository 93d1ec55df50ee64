//! The absolute schedule of sampling: tick *k* is due at start + *k* × period, however long a tick took.
//!
//! It must not know a clock; it is told the time.

/// Due times on a fixed grid. Ticks that have passed are skipped and counted, never made up for.
#[derive(Debug)]
pub(super) struct Schedule {
    due_ns: u64,
    period_ns: u64,
    missed: u64,
}

impl Schedule {
    /// The first tick is due at `start_ns`. A period of 0 counts as 1 ns.
    pub(super) fn new(start_ns: u64, period_ns: u64) -> Self {
        Self { due_ns: start_ns, period_ns: period_ns.max(1), missed: 0 }
    }

    /// When the next tick is due.
    pub(super) fn due_ns(&self) -> u64 {
        self.due_ns
    }

    /// Ticks skipped so far.
    pub(super) fn missed(&self) -> u64 {
        self.missed
    }

    /// Moves on after the due tick was taken; `now_ns` is the time when it was done. The next tick lies after `now_ns`.
    pub(super) fn advance(&mut self, now_ns: u64) {
        self.due_ns = self.due_ns.saturating_add(self.period_ns);
        if self.due_ns <= now_ns {
            let skipped = (now_ns - self.due_ns) / self.period_ns + 1;
            self.missed = self.missed.saturating_add(skipped);
            self.due_ns = self.due_ns.saturating_add(skipped.saturating_mul(self.period_ns));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_stay_on_the_grid_whatever_a_tick_costs() {
        let mut schedule = Schedule::new(1_000, 100);
        for k in 0..5 {
            assert_eq!(schedule.due_ns(), 1_000 + 100 * k);
            schedule.advance(1_000 + 100 * k + 30 + k);
        }
        assert_eq!(schedule.missed(), 0);
    }

    #[test]
    fn passed_ticks_are_skipped_and_counted() {
        let mut schedule = Schedule::new(0, 100);
        schedule.advance(350);
        assert_eq!((schedule.due_ns(), schedule.missed()), (400, 3));
        schedule.advance(401);
        assert_eq!((schedule.due_ns(), schedule.missed()), (500, 3));
    }

    #[test]
    fn a_tick_due_exactly_now_is_passed() {
        let mut schedule = Schedule::new(0, 100);
        schedule.advance(100);
        assert_eq!((schedule.due_ns(), schedule.missed()), (200, 1));
    }

    #[test]
    fn the_end_of_time_does_not_overflow() {
        let mut schedule = Schedule::new(u64::MAX - 5, 0);
        schedule.advance(u64::MAX);
        assert_eq!(schedule.due_ns(), u64::MAX);
    }
}
