//! Single requests of one load point, as lanes: waiting, prefill, decode.

use super::Place;

/// Why there are no lanes.
pub(crate) const NO_LANES: &str = "swim-lanes of requests: no request was sent";

/// One request; seconds from when the first of its point was due.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lane {
    /// When it was due.
    pub due_s: f64,
    /// When it was sent.
    pub sent_s: Option<f64>,
    /// When its first output event came.
    pub first_s: Option<f64>,
    /// When its last output event came.
    pub last_s: Option<f64>,
    /// How it went wrong; empty: it did not.
    pub wrong: String,
}

/// The first requests of one point.
#[derive(Debug, Clone, PartialEq)]
pub struct Lanes {
    /// The point.
    pub place: Place,
    /// In the order they were due.
    pub lanes: Vec<Lane>,
}

impl Lanes {
    /// Requests shown of a point.
    pub const MOST: usize = 60;

    /// Whether any of the requests was sent.
    pub(crate) fn any_sent(&self) -> bool {
        self.lanes.iter().any(|lane| lane.sent_s.is_some())
    }
}
