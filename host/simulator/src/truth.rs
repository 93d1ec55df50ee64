//! What the simulator knows of itself: how many events it wrote, how late, at what cost, and when it stood still.
//!
//! Numbers for whoever checks a client against it, on a page of its own beside the dialect's. It knows no dialect.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use benchhost_os::clock::monotonic_ns;
use benchhost_os::thread::ThreadUse;
use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::metronome::Stood;

/// Where the page is.
pub(crate) const PATH: &str = "/simulator";

/// Largest lateness that is told apart: a minute.
const LATEST_NS: u64 = 60_000_000_000;

/// Running counts.
#[derive(Debug)]
pub(crate) struct Truth {
    started: u64,
    writes: AtomicU64,
    events: AtomicU64,
    blocked: AtomicU64,
    late: Mutex<Option<Histogram<u64>>>,
}

impl Truth {
    /// Nothing written yet.
    pub(crate) fn new() -> Self {
        Self {
            started: monotonic_ns(),
            writes: AtomicU64::new(0),
            events: AtomicU64::new(0),
            blocked: AtomicU64::new(0),
            // Two digits are enough to judge a schedule; a histogram that cannot be made only leaves the page poorer.
            late: Mutex::new(Histogram::new_with_bounds(1, LATEST_NS, 2).ok()),
        }
    }

    /// What stalls count from, on the monotonic clock.
    pub(crate) fn started(&self) -> u64 {
        self.started
    }

    /// One write of `events` events that was due at `due` and was made at `at`.
    pub(crate) fn wrote(&self, events: u64, due: u64, at: u64) {
        self.writes.fetch_add(1, Relaxed);
        self.events.fetch_add(events, Relaxed);
        if let Some(late) = self.late.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            late.saturating_record(at.saturating_sub(due).max(1));
        }
    }

    /// The socket took only a part of a write: the client reads too slowly.
    pub(crate) fn blocked(&self) {
        self.blocked.fetch_add(1, Relaxed);
    }

    /// The page; asked for on the thread that serves, whose CPU time it tells. All times in nanoseconds, those of moments
    /// on `CLOCK_MONOTONIC`.
    pub(crate) fn page(&self, arrived: u64, stood: &[Stood]) -> Value {
        let late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        let quantile = |share: f64| late.as_ref().map(|late| late.value_at_quantile(share));
        let stalls: Vec<[u64; 2]> = stood.iter().map(|stall| [stall.from, stall.until]).collect();
        json!({
            "started_ns": self.started,
            "now_ns": monotonic_ns(),
            "cpu_ns": ThreadUse::now().cpu_ns,
            "requests": arrived,
            "writes": self.writes.load(Relaxed),
            "events": self.events.load(Relaxed),
            "blocked": self.blocked.load(Relaxed),
            "late_p50_ns": quantile(0.5),
            "late_p99_ns": quantile(0.99),
            "late_max_ns": late.as_ref().map(Histogram::max),
            "stalls_ns": stalls,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Stood, Truth};

    #[test]
    fn the_page_says_what_was_written_and_how_late() {
        let truth = Truth::new();
        for late in 0..100 {
            truth.wrote(4, 1_000, 1_000 + late * 1_000);
        }
        // Before its moment is not late.
        truth.wrote(4, 1_000, 900);
        truth.blocked();
        let page = truth.page(7, &[Stood { from: 5, until: 9 }]);
        assert_eq!((page["writes"].as_u64(), page["events"].as_u64()), (Some(101), Some(404)));
        assert_eq!((page["requests"].as_u64(), page["blocked"].as_u64()), (Some(7), Some(1)));
        let p50 = page["late_p50_ns"].as_u64().unwrap();
        assert!((49_000..51_500).contains(&p50), "{p50}");
        assert_eq!(page["stalls_ns"], serde_json::json!([[5, 9]]));
        assert!(page["now_ns"].as_u64() >= page["started_ns"].as_u64() && page["cpu_ns"].as_u64() > Some(0));
    }
}
