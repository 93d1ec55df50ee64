//! A signal that work should stop, raised from any thread. Knows nothing of what stops.

use std::sync::Arc;

use tokio::sync::watch;

/// A switch that goes on once and stays on. Clones share it.
#[derive(Debug, Clone)]
pub struct Cancel {
    on: Arc<watch::Sender<bool>>,
}

impl Cancel {
    /// A switch that is off.
    pub fn new() -> Self {
        Self { on: Arc::new(watch::Sender::new(false)) }
    }

    /// Switches it on. Doing so twice changes nothing.
    pub fn cancel(&self) {
        self.on.send_replace(true);
    }

    /// Whether it is on.
    pub fn is_cancelled(&self) -> bool {
        *self.on.borrow()
    }

    /// Waits until it is on.
    pub async fn cancelled(&self) {
        let mut seen = self.on.subscribe();
        // `self` keeps the sender alive while this waits, so the error of a vanished sender cannot occur.
        let _ = seen.wait_for(|on| *on).await;
    }
}

impl Default for Cancel {
    fn default() -> Self {
        Self::new()
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
