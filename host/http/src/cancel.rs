//! A signal that work should stop, raised from any thread. Knows nothing of what stops.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// A switch that goes on once and stays on. Clones share it. Whether it is on costs one load to ask, so that work may
/// ask after every read.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    switch: Arc<Switch>,
}

#[derive(Debug, Default)]
struct Switch {
    on: AtomicBool,
    told: Notify,
}

impl Cancel {
    /// A switch that is off.
    pub fn new() -> Self {
        Self::default()
    }

    /// Switches it on. Doing so twice changes nothing.
    pub fn cancel(&self) {
        self.switch.on.store(true, Ordering::SeqCst);
        self.switch.told.notify_waiters();
    }

    /// Whether it is on.
    #[inline]
    pub fn is_cancelled(&self) -> bool {
        self.switch.on.load(Ordering::SeqCst)
    }

    /// Waits until it is on.
    pub async fn cancelled(&self) {
        let mut told = pin!(self.switch.told.notified());
        // In the list before the look: a call between the look and the wait is then not missed.
        told.as_mut().enable();
        if !self.is_cancelled() {
            told.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_clone_reaches_all_whether_they_wait_already_or_not() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let cancel = Cancel::new();
        let other = cancel.clone();
        let thread = std::thread::spawn(move || other.cancel());
        runtime.block_on(cancel.cancelled());
        thread.join().unwrap();
        assert!(cancel.is_cancelled());
        runtime.block_on(cancel.clone().cancelled());
    }
}
