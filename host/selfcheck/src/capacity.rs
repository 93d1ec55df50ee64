//! How much load this machine measures honestly: streams are doubled until a limit is passed.

use std::time::Duration;

use benchhost_load::{Control, IoPlan};
use benchhost_model::{Reason, Verdict};
use serde::{Deserialize, Serialize};

use crate::check::{SelfCheck, measure_within};
use crate::limits::Limits;
use crate::offer::OfferError;
use crate::server::ServerUnderTruth;
use crate::shape::Shape;

/// Where to begin, where to stop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ladder {
    /// Streams of the first rung.
    pub from: u32,
    /// Streams of the last rung at most.
    pub to: u32,
    /// Events a second of each stream.
    pub events_per_s: f64,
    /// Time of a rung.
    pub each: Duration,
    /// The I/O threads.
    pub io: IoPlan,
    /// What an honest measurement keeps to.
    pub limits: Limits,
}

impl Ladder {
    /// From 16 to 4096 streams, 1.5 s a rung, with the usual limits.
    pub fn new(events_per_s: f64, io: IoPlan) -> Self {
        Self {
            from: 16,
            to: 4096,
            events_per_s,
            each: Duration::from_millis(1500),
            io,
            limits: Limits::default(),
        }
    }

    /// The shape of a rung.
    pub fn shape(&self, streams: u32) -> Shape {
        Shape::streams(streams, self.events_per_s, self.io, self.each)
    }
}

/// One rung.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Rung {
    /// Streams.
    pub streams: u32,
    /// Events a second that were written and read.
    pub events_per_s: f64,
    /// 99th percentile of the error of an event's time, nanoseconds.
    pub receive_p99_ns: Option<u64>,
    /// 99th percentile of the error of the time to first token, nanoseconds.
    pub ttft_p99_ns: Option<u64>,
    /// Share of events whose own time is not known, 0–1.
    pub censored_share: f64,
    /// The busiest I/O thread's share of a core, 0–1.
    pub busy_p99: f64,
    /// CPU time of the I/O threads per event, nanoseconds.
    pub cpu_per_event_ns: f64,
    /// VALID, or what the limits say.
    pub verdict: Option<Verdict>,
    /// Limits that were passed.
    pub reasons: Vec<Reason>,
}

/// The ladder as far as it was climbed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Capacity {
    /// In rising order; the last one broke a limit unless the top was reached.
    pub rungs: Vec<Rung>,
    /// Most streams that kept to all limits; missing if the first rung did not.
    pub honest_streams: Option<u32>,
    /// Events a second at that rung.
    pub honest_events_per_s: Option<f64>,
    /// The climb ended because the simulator could not write more, so this program may bear more than was found.
    pub server_bound: bool,
}

/// Climbs. A rung that breaks a limit is tried once more before it counts, since one disturbance by others on the machine is
/// no property of the load.
pub fn capacity(
    ladder: &Ladder,
    server: &ServerUnderTruth,
    control: &Control,
) -> Result<Capacity, OfferError> {
    climb(ladder, |streams| measure_within(&ladder.shape(streams), server, control, &ladder.limits))
}

fn climb(
    ladder: &Ladder,
    mut check: impl FnMut(u32) -> Result<SelfCheck, OfferError>,
) -> Result<Capacity, OfferError> {
    let mut found = Capacity::default();
    let mut streams = ladder.from.max(1);
    while streams <= ladder.to {
        let mut seen = check(streams)?;
        if !seen.reasons.is_empty() {
            seen = check(streams)?;
        }
        let honest = seen.reasons.is_empty();
        found.server_bound = seen.reasons.iter().any(|reason| reason.rule == "written_share");
        if honest {
            found.honest_streams = Some(streams);
            found.honest_events_per_s = Some(seen.written_events_per_s);
        }
        found.rungs.push(Rung::of(streams, seen));
        if !honest {
            break;
        }
        streams = streams.saturating_mul(2);
    }
    Ok(found)
}

impl Rung {
    fn of(streams: u32, check: SelfCheck) -> Self {
        let best = check.best();
        Self {
            streams,
            events_per_s: check.written_events_per_s,
            receive_p99_ns: best.receive.map(|errors| errors.abs.p99_ns),
            ttft_p99_ns: best.ttft.map(|errors| errors.abs.p99_ns),
            censored_share: check.censored_share,
            busy_p99: check.busy_p99(),
            cpu_per_event_ns: check.cpu_per_event_ns,
            verdict: check.verdict,
            reasons: check.reasons,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(rule: &str) -> Reason {
        Reason {
            rule: rule.to_owned(),
            verdict: Verdict::Suspect,
            found: None,
            limit: None,
            text: String::new(),
        }
    }

    /// A machine that bears so many streams, is disturbed once at 64, and a server that writes for so many.
    fn machine(bears: u32, server: u32) -> impl FnMut(u32) -> Result<SelfCheck, OfferError> {
        let mut disturbed = false;
        move |streams| {
            let mut check = SelfCheck { written_events_per_s: f64::from(streams), ..SelfCheck::default() };
            if streams > bears {
                check.reasons.push(reason("receive_p99"));
            } else if streams > server {
                check.reasons.push(reason("written_share"));
            } else if streams == 64 && !std::mem::replace(&mut disturbed, true) {
                check.reasons.push(reason("censored_share"));
            }
            Ok(check)
        }
    }

    #[test]
    fn the_last_rung_that_kept_to_the_limits_counts_and_a_single_disturbance_does_not() {
        let ladder = Ladder::new(100.0, IoPlan::default());
        let found = climb(&ladder, machine(700, 9999)).unwrap();
        assert_eq!((found.honest_streams, found.honest_events_per_s), (Some(512), Some(512.0)));
        assert_eq!(
            found.rungs.iter().map(|rung| rung.streams).collect::<Vec<_>>(),
            [16, 32, 64, 128, 256, 512, 1024]
        );
        assert!(!found.server_bound);
        assert_eq!(climb(&ladder, machine(9999, 9999)).unwrap().honest_streams, Some(4096));
        assert_eq!(climb(&ladder, machine(1, 9999)).unwrap().honest_streams, None);
    }

    #[test]
    fn a_server_that_cannot_write_more_ends_the_climb_and_is_named() {
        let found = climb(&Ladder::new(100.0, IoPlan::default()), machine(9999, 300)).unwrap();
        assert_eq!((found.honest_streams, found.server_bound), (Some(256), true));
    }
}
