//! Says when a moment has come, on a thread of its own. Knows times and numbers; not jobs, not sockets.
//!
//! The event loop's own timers round up to a millisecond, and wait behind whatever tasks are ready. A thread that
//! sleeps to an absolute time does neither. A moment that has passed is announced at once and never moved.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread;
use std::time::Duration;

use benchhost_http::RunClock;
use benchhost_model::Nanos;
use tokio::sync::mpsc::UnboundedSender;

/// From here on no single sleep is trusted: the kernel may add its timer slack and a scheduling delay.
const NEAR: Nanos = Nanos::new(1_000_000);
/// From here on the thread only yields; common timer slack is 50 µs.
const CLOSE: Nanos = Nanos::new(150_000);

/// Orders moments. Dropping it ends the thread.
#[derive(Debug)]
pub(crate) struct Pacer {
    orders: Sender<(Nanos, u64)>,
}

impl Pacer {
    /// A pacer and the work of its thread, which announces each token on `announce` when its moment has come.
    pub(crate) fn new(clock: RunClock, announce: UnboundedSender<u64>) -> (Self, impl FnOnce() + Send) {
        let (orders, incoming) = channel();
        (Self { orders }, move || run(&incoming, &announce, clock))
    }

    /// Announce `token` at `due`. Tokens that are due together are announced in the order of their numbers.
    pub(crate) fn at(&self, due: Nanos, token: u64) {
        // The thread lives as long as this sender; were it gone, its token would simply never come.
        let _ = self.orders.send((due, token));
    }
}

fn run(incoming: &Receiver<(Nanos, u64)>, announce: &UnboundedSender<u64>, clock: RunClock) {
    let mut waiting = BinaryHeap::new();
    loop {
        // All that was ordered by now, before any is announced: an order that waits in the channel may be due earlier.
        loop {
            match incoming.try_recv() {
                Ok(order) => waiting.push(Reverse(order)),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return,
            }
        }
        let Some(Reverse((due, token))) = waiting.peek().copied() else {
            match incoming.recv() {
                Ok(order) => waiting.push(Reverse(order)),
                Err(_) => return,
            }
            continue;
        };
        let left = due - clock.now();
        if left == Nanos::ZERO {
            waiting.pop();
            if announce.send(token).is_err() {
                return;
            }
            continue;
        }
        match next_order(incoming, left) {
            Ok(Some(order)) => waiting.push(Reverse(order)),
            Ok(None) => {}
            Err(Gone) => return,
        }
    }
}

/// Whoever ordered is gone.
struct Gone;

/// Waits for some of the time that is left, unless a new order comes first.
fn next_order(incoming: &Receiver<(Nanos, u64)>, left: Nanos) -> Result<Option<(Nanos, u64)>, Gone> {
    if left > NEAR {
        return match incoming.recv_timeout(Duration::from(left - NEAR)) {
            Ok(order) => Ok(Some(order)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Gone),
        };
    }
    if left > CLOSE {
        thread::sleep(Duration::from(left - CLOSE));
    } else {
        thread::yield_now();
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc::unbounded_channel;

    #[test]
    fn tokens_come_in_the_order_of_their_moments_and_never_early() {
        let clock = RunClock::start();
        let (announce, mut announced) = unbounded_channel();
        let (pacer, work) = Pacer::new(clock, announce);
        let start = clock.now();
        let due = |ms: u64| start + Nanos::new(ms * 1_000_000);
        // Out of order, far and near, one in the past, two at once.
        for (ms, token) in [(20, 1), (5, 2), (0, 3), (12, 5), (12, 4)] {
            pacer.at(due(ms), token);
        }
        let thread = thread::spawn(work);
        for (ms, token) in [(0, 3), (5, 2), (12, 4), (12, 5), (20, 1)] {
            assert_eq!(announced.blocking_recv(), Some(token));
            assert!(clock.now() >= due(ms), "token {token} came early");
        }
        drop(pacer);
        thread.join().unwrap();
    }

    #[test]
    fn it_ends_with_its_owner_though_moments_are_left() {
        let (announce, mut announced) = unbounded_channel();
        let (pacer, work) = Pacer::new(RunClock::start(), announce);
        pacer.at(Nanos::new(u64::MAX), 1);
        let thread = thread::spawn(work);
        drop(pacer);
        thread.join().unwrap();
        assert_eq!(announced.blocking_recv(), None);
    }
}
