//! What is drawn: plain data, made by whoever measures.

use std::time::Duration;

use benchhost_model::Phase;

/// A run at one moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Snapshot {
    /// Since the screen was entered.
    pub at: Duration,
    /// The server is a simulator, which everything that shows figures must say.
    pub simulated: bool,
    /// Load points begun, and how many there will be.
    pub points: Points,
    /// The load point that is being measured; `None` before, between and after them.
    pub current: Option<Current>,
    /// Those measured, in the order of measuring.
    pub finished: Vec<Finished>,
    /// The latest lines that were said, oldest first.
    pub said: Vec<Said>,
    /// The user asked for an end.
    pub stopping: bool,
}

/// How many load points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Points {
    /// Begun.
    pub begun: u32,
    /// To be measured in all; `None` where each depends on those before.
    pub total: Option<u32>,
}

/// When a load point is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// After so many measured items.
    Count(u64),
    /// After measuring so long.
    Time(Duration),
    /// When its workload ends, or a rule decides.
    Open,
}

/// A load point that is being measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Current {
    /// For people: engine, workload, load.
    pub title: String,
    /// When it is over.
    pub goal: Goal,
    /// The furthest phase that the load has reached.
    pub phase: Phase,
    /// Since the load was first seen measuring.
    pub measured_for: Duration,
    /// Measured items that are over.
    pub done: u64,
    /// Requests begun and not ended.
    pub in_flight: u64,
    /// Of those done, the ones that did not complete.
    pub failed: u64,
    /// What is known of the answers.
    pub figures: Figures,
}

/// What is known of the answers of a load point so far. For watching only: results are computed from recorded rows.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    /// Median time to first token, of all answers.
    pub ttft_p50_ns: Option<u64>,
    /// 99th percentile of how late the measuring program was.
    pub lag: Option<Lag>,
    /// Of the answers that ended in the last ten seconds.
    pub recent: Recent,
}

/// Figures of the answers that ended in the last ten seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Recent {
    /// Output tokens a second.
    pub tokens_s: Option<f64>,
    /// Answers a second.
    pub requests_s: Option<f64>,
    /// Median time to first token.
    pub ttft_p50_ns: Option<u64>,
    /// Median of the answers' mean inter-token latencies.
    pub itl_p50_ns: Option<u64>,
}

/// How late the measuring program was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lag {
    /// From the kernel's stamp of an event to the program's own, in nanoseconds.
    Receiving(u64),
    /// From the time a request was due to its sending, in nanoseconds, where the kernel stamps nothing.
    Sending(u64),
}

impl Lag {
    /// In nanoseconds.
    pub const fn ns(self) -> u64 {
        match self {
            Self::Receiving(ns) | Self::Sending(ns) => ns,
        }
    }
}

/// A load point that was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// For people: engine, workload, load.
    pub title: String,
    /// Measured items.
    pub requests: u64,
    /// Of them, those that did not complete.
    pub failed: u64,
    /// A user stopped it before its end.
    pub stopped: bool,
    /// Completed requests a second, from the first sending to the last end.
    pub requests_s: Option<f64>,
    /// Output tokens a second, over the same time.
    pub tokens_s: Option<f64>,
    /// Median time to first token.
    pub ttft_p50_ns: Option<u64>,
    /// 90th percentile of it.
    pub ttft_p90_ns: Option<u64>,
    /// Median time per output token.
    pub tpot_p50_ns: Option<u64>,
    /// 99th percentile of how late the measuring program was.
    pub lag: Option<Lag>,
}

/// A line that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// How it is marked.
    pub kind: Kind,
    /// The line, with its mark (`warning: `).
    pub text: String,
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What goes on.
    Status,
    /// Something the user should know about the result.
    Warning,
    /// A failure.
    Error,
}
