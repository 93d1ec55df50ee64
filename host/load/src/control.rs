//! The handle by which another thread stops a load and watches it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

use benchhost_http::Cancel;
use benchhost_model::Phase;

/// Stops and watches one load. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Control {
    pub(crate) stop: Cancel,
    pub(crate) cut: Cancel,
    pub(crate) measured: Cancel,
    pub(crate) progress: Arc<Progress>,
}

/// How far a load is. The numbers are read one after the other, so they can be a request apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    /// Begun and not ended.
    pub in_flight: u64,
    /// Begun.
    pub sent: u64,
    /// Handed back, never sent ones included.
    pub done: u64,
    /// The furthest part of the load from which a request was sent, or whose time has come.
    pub phase: Phase,
}

#[derive(Debug, Default)]
pub(crate) struct Progress {
    in_flight: AtomicU64,
    sent: AtomicU64,
    done: AtomicU64,
    phase: AtomicU8,
}

impl Control {
    /// A handle for a load that is yet to begin.
    pub fn new() -> Self {
        Self::default()
    }

    /// Send nothing more, follow what is in flight for the time that the plan allows, then hang up. The first Ctrl-C.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Hang up at once. The second Ctrl-C.
    pub fn cut(&self) {
        self.cut.cancel();
    }

    /// The measured part ends now, and what is left of the warm-up; then the load drains as planned. For stop rules.
    pub fn end_measuring(&self) {
        self.measured.cancel();
    }

    /// Whether [`Control::stop`] or [`Control::cut`] was called.
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled() || self.cut.is_cancelled()
    }

    /// How far the load is.
    pub fn progress(&self) -> Snapshot {
        Snapshot {
            in_flight: self.progress.in_flight.load(Relaxed),
            sent: self.progress.sent.load(Relaxed),
            done: self.progress.done.load(Relaxed),
            phase: match self.progress.phase.load(Relaxed) {
                0 => Phase::Warmup,
                1 => Phase::Measured,
                _ => Phase::Drain,
            },
        }
    }
}

impl Progress {
    pub(crate) fn began(&self, phase: Phase) {
        self.reached(phase);
        self.sent.fetch_add(1, Relaxed);
        self.in_flight.fetch_add(1, Relaxed);
    }

    pub(crate) fn reached(&self, phase: Phase) {
        let number = match phase {
            Phase::Warmup => 0,
            Phase::Measured => 1,
            Phase::Drain => 2,
        };
        self.phase.fetch_max(number, Relaxed);
    }

    pub(crate) fn ended(&self) {
        self.in_flight.fetch_sub(1, Relaxed);
        self.done.fetch_add(1, Relaxed);
    }

    pub(crate) fn refused(&self) {
        self.done.fetch_add(1, Relaxed);
    }
}
