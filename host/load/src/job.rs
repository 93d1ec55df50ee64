//! What goes into a load and what comes out. Plain data.

use std::time::Duration;

use benchhost_http::Outgoing;
use benchhost_model::{Nanos, Timeline};

/// One request to send.
#[derive(Debug, Clone)]
pub struct Job {
    /// Comes back in [`Finished`]; unique within a load.
    pub id: u64,
    /// The dialogue it belongs to; a request on its own is a session of one.
    pub session: u64,
    /// No further turn follows: the session ends with this answer.
    pub last_in_session: bool,
    /// Open loop: when to send it, counted from the load's start. Without it, at once. A closed loop does not look.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// As many sessions at a time as there are slots; a slot whose session ends takes the next at once. A session keeps
    /// its slot between turns.
    Closed {
        /// Slots; 0 is taken for 1.
        concurrency: u32,
        /// Between the first starts, so that the slots do not begin in step.
        stagger: Duration,
    },
    /// Each job is sent when it is due, whatever the server does.
    Open {
        /// At most this many in flight; a job beyond it waits its turn, which shows as the time from scheduled to sent.
        cap: Option<u32>,
    },
}

/// When a load ends by itself, and how long it waits when told to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    /// Counted from the load's start: begin no session after this; those that run are followed to their end.
    pub after: Option<Duration>,
    /// After [`crate::Control::stop`]: wait this long for what is in flight, then hang up.
    pub drain: Duration,
}

/// What became of a job.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The job.
    pub id: u64,
    /// What came over the wire, and when.
    pub timeline: Timeline,
}
