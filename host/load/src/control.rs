//! The handle by which another thread stops a load and watches it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use benchhost_http::Cancel;

/// Stops and watches one load. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Control {
    pub(crate) stop: Cancel,
    pub(crate) cut: Cancel,
    pub(crate) progress: Arc<Progress>,
}

/// How far a load is. The three numbers are read one after the other, so they can be a request apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// Begun and not ended.
    pub in_flight: u64,
    /// Begun.
    pub sent: u64,
    /// Handed back, never sent ones included.
    pub done: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Progress {
    in_flight: AtomicU64,
    sent: AtomicU64,
    done: AtomicU64,
}

impl Control {
    /// A handle for a load that is yet to begin.
    pub fn new() -> Self {
        Self::default()
    }

    /// Send nothing more, follow what is in flight for the drain time, then hang up. The first Ctrl-C.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Hang up at once. The second Ctrl-C.
    pub fn cut(&self) {
        self.cut.cancel();
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
        }
    }
}

impl Progress {
    pub(crate) fn began(&self) {
        self.sent.fetch_add(1, Relaxed);
        self.in_flight.fetch_add(1, Relaxed);
    }

    pub(crate) fn ended(&self) {
        self.in_flight.fetch_sub(1, Relaxed);
        self.done.fetch_add(1, Relaxed);
    }

    pub(crate) fn refused(&self) {
        self.done.fetch_add(1, Relaxed);
    }
}
