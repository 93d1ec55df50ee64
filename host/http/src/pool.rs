//! Connections of one server that wait for their next request. Opens none and sends nothing.

use std::sync::{Arc, Mutex};

use crate::habit::Habit;
use crate::wire::Wire;

/// What becomes of a connection after a whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reuse {
    /// Kept for the next request, the latest used first, so that the others can run into the server's idle limit. A
    /// server that does not keep them in spite of its promise gets a new one for each request.
    #[default]
    KeepAlive,
    /// Closed: every request pays for a connection of its own, before its send time.
    Never,
}

/// Idle connections, last in first out.
pub(crate) struct Pool {
    policy: Reuse,
    habit: Arc<Habit>,
    idle: Mutex<Vec<Wire>>,
}

impl Pool {
    pub(crate) fn new(policy: Reuse, habit: Arc<Habit>) -> Self {
        Self { policy, habit, idle: Mutex::new(Vec::new()) }
    }

    /// How the server has treated reused connections.
    pub(crate) fn habit(&self) -> &Habit {
        &self.habit
    }

    /// An idle connection that is still open as far as this machine knows. Those that are not are dropped on the way.
    pub(crate) async fn take(&self) -> Option<Wire> {
        if self.len() == 0 {
            return None;
        }
        if !self.habit.is_kept() {
            self.locked().clear();
            return None;
        }
        // The kernel may know of a close for which the event queue has not been asked since. Yielding makes the runtime
        // ask, at the price of one system call before the request is sent.
        tokio::task::yield_now().await;
        loop {
            let mut wire = self.locked().pop()?;
            if wire.is_idle() {
                return Some(wire);
            }
        }
    }

    /// Keeps a connection whose answer was read to its end, if the policy, the protocol and the peer allow it.
    pub(crate) fn give_back(&self, mut wire: Wire) {
        if self.policy == Reuse::KeepAlive && self.habit.is_kept() && wire.is_idle() {
            self.locked().push(wire);
        }
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.locked().len()
    }

    /// The list, never held across an await. A panic elsewhere cannot leave a half-changed `Vec`, so poison is ignored.
    fn locked(&self) -> std::sync::MutexGuard<'_, Vec<Wire>> {
        self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
