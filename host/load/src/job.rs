//! What goes into a load and what comes out. Plain data.

use std::time::Duration;

use benchhost_http::Outgoing;
use benchhost_model::{Nanos, Phase, Timeline};

/// One request to send.
#[derive(Debug, Clone)]
pub struct Job {
    /// Comes back in [`Finished`]; unique within a load.
    pub id: u64,
    /// The dialogue it belongs to; a request on its own is a session of one.
    pub session: u64,
    /// No further turn follows: the session ends with this answer.
    pub last_in_session: bool,
    /// Open loop: when to send it, counted from the load's start. Without it, at once. Other patterns do not look.
    pub due: Option<Nanos>,
    /// The request.
    pub request: Outgoing,
}

/// What comes after an answer that was not its session's last.
#[derive(Debug, Clone)]
#[allow(
    clippy::large_enum_variant,
    reason = "nearly every follow-up is a job; a box would only add an allocation"
)]
pub enum FollowUp {
    /// The next turn, to be sent this long after the end of the answer before.
    Job(Job, Duration),
    /// There is no next turn.
    EndSession(u64),
}

/// How load is offered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pattern {
    /// As many sessions at a time as there are slots; a slot whose session ends takes the next after the time its user
    /// thinks. A session keeps its slot between turns.
    Closed {
        /// Slots; 0 is taken for 1.
        concurrency: u32,
        /// Between the first starts, so that the slots do not begin in step.
        stagger: Duration,
        /// Between the end of a slot's session and the start of its next.
        think: Think,
    },
    /// Each job is sent when it is due, whatever the server does.
    Open {
        /// At most this many requests in flight; a job beyond it waits its turn, which shows as the time from
        /// `scheduled` to `slot`. While many wait, no further job is taken.
        cap: Option<u32>,
    },
    /// So many sessions begin together, the next so many when all of those have ended. The last batch may be short.
    Batch {
        /// Sessions of a batch; 0 is taken for 1.
        size: u32,
    },
}

/// How long the user of a slot thinks before the next session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Think {
    /// Not at all.
    #[default]
    None,
    /// Always as long.
    Fixed(Duration),
    /// Exponentially distributed with this mean; the same seed gives the same pauses in the same order.
    Exponential(Duration, u64),
}

/// What became of a job.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The job.
    pub id: u64,
    /// The part of the load that its session belongs to.
    pub phase: Phase,
    /// What came over the wire, and when.
    pub timeline: Timeline,
}
