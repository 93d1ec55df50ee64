//! What one server does with connections that it promised to keep. Counts; opens and closes nothing.
//!
//! Some servers say `Keep-Alive` and close after every answer (llama.cpp does so after each streamed one). The close and
//! the next request cross on the wire, so a look at the connection before it is used cannot always tell. Each such
//! crossing costs a failed attempt inside the time to first token, so a server that does this is soon taken at its deeds.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How reused connections fared, over all clients of one server.
#[derive(Debug, Default)]
pub(crate) struct Habit {
    answered: AtomicU64,
    died: AtomicU64,
}

impl Habit {
    /// A response began on a reused connection.
    pub(crate) fn answered(&self) {
        self.answered.fetch_add(1, Relaxed);
    }

    /// A reused connection took a request and ended without a byte of a response.
    pub(crate) fn died(&self) {
        self.died.fetch_add(1, Relaxed);
    }

    /// Whether a connection is worth keeping: reuse has worked at least as often as it failed. Answers that were under
    /// way when the first failure came can turn this back.
    pub(crate) fn is_kept(&self) -> bool {
        self.answered.load(Relaxed) >= self.died.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_trusted_until_failures_outnumber_answers() {
        let habit = Habit::default();
        assert!(habit.is_kept());
        habit.died();
        assert!(!habit.is_kept());
        habit.answered();
        assert!(habit.is_kept());
    }
}
