//! What the generator says about itself. Knows nothing of answers.

use benchhost_model::{Ending, Nanos, Timeline};

/// A load's own account. `given = started + never_sent` and `started = finished + cut` always hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadReport {
    /// When the first job was there; due times count from here. `None`: none came.
    pub start: Option<Nanos>,
    /// When the last was handed back.
    pub end: Nanos,
    /// Jobs received, follow-ups included.
    pub given: u64,
    /// Jobs whose exchange began, be it with a connection that failed.
    pub started: u64,
    /// Exchanges that ended by themselves, well or badly.
    pub finished: u64,
    /// Exchanges the host hung up on because the load was stopped.
    pub cut: u64,
    /// Jobs whose exchange never began.
    pub never_sent: u64,
    /// Most exchanges at a time.
    pub most_in_flight: u64,
    /// How late requests went out.
    pub late: Lateness,
    /// Why nothing could be sent at all, if so: the machine gave no thread or no event queue.
    pub fault: Option<String>,
}

/// Sent minus scheduled over all requests that were sent. Holds the pacer's and the event loop's delay, waiting for a
/// job to be built, waiting under a cap, and opening a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lateness {
    /// Requests sent.
    pub count: u64,
    /// Half were later than this. Nearest rank; zero without a request.
    pub p50: Nanos,
    /// One in a hundred was later than this. Nearest rank.
    pub p99: Nanos,
    /// The latest.
    pub max: Nanos,
}

/// The counts of a load that runs.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) started: u64,
    pub(crate) finished: u64,
    pub(crate) cut: u64,
    pub(crate) never_sent: u64,
    pub(crate) most_in_flight: u64,
    late: Vec<u64>,
}

impl Tally {
    /// An exchange ended. `stopped`: the load had been told to hang up.
    pub(crate) fn ended(&mut self, timeline: &Timeline, stopped: bool) {
        if let Some(sent) = timeline.sent {
            self.late.push((sent - timeline.scheduled).get());
        }
        // The host also hangs up on a body beyond its cap, which has nothing to do with the load's end.
        if stopped && timeline.ending == Ending::Cancelled && timeline.failure.is_none() {
            self.cut += 1;
        } else {
            self.finished += 1;
        }
    }

    pub(crate) fn report(self, start: Option<Nanos>, end: Nanos, fault: Option<String>) -> LoadReport {
        LoadReport {
            start,
            end,
            given: self.started + self.never_sent,
            started: self.started,
            finished: self.finished,
            cut: self.cut,
            never_sent: self.never_sent,
            most_in_flight: self.most_in_flight,
            late: Lateness::of(self.late),
            fault,
        }
    }
}

impl Lateness {
    fn of(mut late: Vec<u64>) -> Self {
        late.sort_unstable();
        let rank = |percent: usize| {
            let at = (late.len() * percent).div_ceil(100).saturating_sub(1);
            Nanos::new(late.get(at).copied().unwrap_or_default())
        };
        Self { count: late.len() as u64, p50: rank(50), p99: rank(99), max: rank(100) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lateness_is_read_at_the_nearest_rank() {
        let late = Lateness::of((1..=200).rev().collect());
        assert_eq!(
            (late.count, late.p50, late.p99, late.max),
            (200, Nanos::new(100), Nanos::new(198), Nanos::new(200))
        );
        assert_eq!(Lateness::of(vec![7]).p99, Nanos::new(7));
        assert_eq!(Lateness::of(Vec::new()), Lateness::default());
    }
}
