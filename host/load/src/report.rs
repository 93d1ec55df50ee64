//! What the generator says about itself. Knows nothing of answers.

use benchhost_model::{Ending, Nanos, Phase, Timeline};

use crate::io::IoThread;

/// A load's own account. `given = started + never_sent` and `started = finished + cut` always hold.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadReport {
    /// When the first job was there; due times count from here. `None`: none came.
    pub start: Option<Nanos>,
    /// Where the measured part began: in an open loop at the load's start or at the end of a timed warm-up, else when
    /// its first session was meant to be launched. `None`: nothing was measured.
    pub measured_from: Option<Nanos>,
    /// Where it ended: at the end of its time; if it was counted, at the launch or due time of its last session; or
    /// when it was ended from outside.
    pub measured_until: Option<Nanos>,
    /// When the last was handed back.
    pub end: Nanos,
    /// Jobs received, follow-ups included.
    pub given: u64,
    /// Jobs whose exchange began, be it with a connection that failed.
    pub started: u64,
    /// Exchanges that ended by themselves, well or badly.
    pub finished: u64,
    /// Exchanges the host hung up on because the load was stopped or had drained.
    pub cut: u64,
    /// Jobs whose exchange never began.
    pub never_sent: u64,
    /// Most exchanges at a time.
    pub most_in_flight: u64,
    /// How late measured requests went out: sent minus scheduled. Holds the tool's delay, waiting for a job to be
    /// built, waiting under a cap, and opening a connection.
    pub late: Lateness,
    /// How late measured requests went out by the tool's own fault: without waiting under a cap and opening a
    /// connection. Holds the wake-up, the event loop's delay, and waiting for a job to be built.
    pub slip_gen: Lateness,
    /// Measured requests that a cap held for more than a millisecond. Where they are more than a hundredth, the load was
    /// a closed loop in truth.
    pub waited_for_slot: u64,
    /// The threads that did the I/O.
    pub io: Vec<IoThread>,
    /// Why nothing could be sent at all, if so: the machine gave no thread or no event queue.
    pub fault: Option<String>,
}

/// A distribution of delays. Quantiles are rounded up by at most a five-hundredth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lateness {
    /// Requests sent.
    pub count: u64,
    /// Half were later than this. Nearest rank; zero without a request.
    pub p50: Nanos,
    /// One in ten was later than this. Nearest rank.
    pub p90: Nanos,
    /// One in a hundred was later than this. Nearest rank.
    pub p99: Nanos,
    /// The latest, exactly.
    pub max: Nanos,
}

/// Waiting under a cap counts from here.
const NOTABLE_WAIT: Nanos = Nanos::new(1_000_000);

/// The counts of a load that runs. Its size does not depend on how many requests there are.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) started: u64,
    pub(crate) finished: u64,
    pub(crate) cut: u64,
    pub(crate) never_sent: u64,
    pub(crate) most_in_flight: u64,
    late: Delays,
    slip: Delays,
    waited_for_slot: u64,
}

impl Tally {
    /// An exchange ended that was launched at `launched`. `hung_up`: the host was hanging up on all.
    pub(crate) fn ended(&mut self, timeline: &Timeline, phase: Phase, launched: Nanos, hung_up: bool) {
        if phase == Phase::Measured {
            if let Some(sent) = timeline.sent {
                self.late.add(sent - timeline.scheduled);
                self.slip.add(slip(timeline, sent, launched));
            }
            let waited = timeline.slot.is_some_and(|slot| slot - timeline.scheduled > NOTABLE_WAIT);
            self.waited_for_slot += u64::from(waited);
        }
        // The host also hangs up on a body beyond its cap, and for users who leave; neither is the load's end.
        if hung_up && timeline.ending == Ending::Cancelled && timeline.failure.is_none() && !timeline.hung_up
        {
            self.cut += 1;
        } else {
            self.finished += 1;
        }
    }

    pub(crate) fn report(
        self,
        start: Option<Nanos>,
        window: Option<(Nanos, Nanos)>,
        end: Nanos,
    ) -> LoadReport {
        LoadReport {
            start,
            measured_from: window.map(|(from, _)| from),
            measured_until: window.map(|(_, until)| until),
            end,
            given: self.started + self.never_sent,
            started: self.started,
            finished: self.finished,
            cut: self.cut,
            never_sent: self.never_sent,
            most_in_flight: self.most_in_flight,
            late: self.late.quantiles(),
            slip_gen: self.slip.quantiles(),
            waited_for_slot: self.waited_for_slot,
            io: Vec::new(),
            fault: None,
        }
    }
}

/// The part of a request's lateness that the tool caused.
fn slip(timeline: &Timeline, sent: Nanos, launched: Nanos) -> Nanos {
    let allowed = timeline.slot.unwrap_or(timeline.scheduled).max(timeline.scheduled);
    let opened = timeline.attempts == 1 && !timeline.connection_reused;
    let connecting = match timeline.connected {
        Some(connected) if opened => connected - launched.max(allowed),
        _ => Nanos::ZERO,
    };
    (sent - allowed) - connecting
}

/// Delays counted by size: each up to 1023 ns on its own, larger ones in classes a five-hundredth wide. Thirty kilobytes
/// at most for a load of any length.
#[derive(Debug, Default)]
struct Delays {
    classes: Vec<u64>,
    count: u64,
    max: u64,
}

impl Delays {
    fn add(&mut self, delay: Nanos) {
        let class = class_of(delay.get());
        if self.classes.len() <= class {
            self.classes.resize(class + 1, 0);
        }
        if let Some(count) = self.classes.get_mut(class) {
            *count += 1;
        }
        self.count += 1;
        self.max = self.max.max(delay.get());
    }

    fn quantiles(&self) -> Lateness {
        let rank = |percent: u64| {
            let rank = (self.count * percent).div_ceil(100).max(1);
            let mut below = 0;
            let class = self.classes.iter().position(|count| {
                below += count;
                below >= rank
            });
            Nanos::new(class.map_or(0, |class| top_of(class).min(self.max)))
        };
        Lateness { count: self.count, p50: rank(50), p90: rank(90), p99: rank(99), max: Nanos::new(self.max) }
    }
}

/// Leading bits that are kept of a delay: nine and the first.
const KEPT: u32 = 9;

fn class_of(delay: u64) -> usize {
    let shift = (u64::BITS - delay.leading_zeros()).saturating_sub(KEPT + 1);
    let class = (u64::from(shift) << KEPT) + (delay >> shift);
    usize::try_from(class).unwrap_or(usize::MAX)
}

/// The largest delay of a class.
fn top_of(class: usize) -> u64 {
    let class = class as u64;
    let shift = (class >> KEPT).saturating_sub(1);
    let leading = class - (shift << KEPT);
    ((leading + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lateness(delays: impl IntoIterator<Item = u64>) -> Lateness {
        let mut all = Delays::default();
        delays.into_iter().for_each(|delay| all.add(Nanos::new(delay)));
        all.quantiles()
    }

    #[test]
    fn lateness_is_read_at_the_nearest_rank() {
        let late = lateness((1..=200).rev());
        let expected = [100, 180, 198, 200].map(Nanos::new);
        assert_eq!((late.count, [late.p50, late.p90, late.p99, late.max]), (200, expected));
        assert_eq!(lateness([7]).p99, Nanos::new(7));
        assert_eq!(lateness([]), Lateness::default());
    }

    #[test]
    fn a_delay_lies_in_a_narrow_class_whatever_its_size() {
        let around = |bit: u32| [(1_u64 << bit) - 1, 1 << bit, (1 << bit) + 1];
        for delay in (0..3000).chain((9..63).flat_map(around)) {
            let (class, top) = (class_of(delay), top_of(class_of(delay)));
            assert!(top >= delay && top - delay <= delay / 512, "{delay}: class {class} to {top}");
            assert_eq!(class_of(top), class);
            assert_eq!(class_of(top + 1), class + 1);
        }
        assert!(class_of(u64::MAX) < 30_000);
        assert_eq!(lateness([1_000_000]).p50, Nanos::new(1_000_000), "never above the largest");
    }

    #[test]
    fn waits_that_are_not_the_tools_fault_are_no_slip() {
        let at = Nanos::new;
        let sent = |timeline: Timeline, sent| Timeline { sent: Some(at(sent)), attempts: 1, ..timeline };
        let plain = sent(Timeline::never_sent(at(1000), at(9000)), 1300);
        let reused = Timeline { connection_reused: true, ..plain.clone() };
        assert_eq!(slip(&reused, at(1300), at(950)), at(300));
        let opened = Timeline { connected: Some(at(1250)), ..plain.clone() };
        assert_eq!(slip(&opened, at(1300), at(950)), at(50), "opening began at its moment");
        assert_eq!(slip(&opened, at(1300), at(1100)), at(150), "a late launch is the tool's fault");
        let capped = Timeline { slot: Some(at(1200)), connection_reused: true, ..plain };
        assert_eq!(slip(&capped, at(1300), at(1200)), at(100));
        let mut tally = Tally::default();
        tally.ended(&capped, Phase::Warmup, at(1200), false);
        tally.ended(&reused, Phase::Measured, at(950), false);
        let report = tally.report(None, None, at(9000));
        assert_eq!((report.late.count, report.slip_gen.max), (1, at(300)), "the warm-up does not count");
    }
}
