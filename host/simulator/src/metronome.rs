//! The one timer of a simulated server: wakes whoever waits for a moment, and makes everything stand still in a stall.
//!
//! It knows moments, not tokens. The event loop's own timers round up to a millisecond and cost a wheel entry each; here all
//! waiters share one timer of the kernel (on Linux a timerfd; elsewhere the loop's timer), and those that are due together
//! are woken together.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::sync::Notify;

use crate::stall::Stall;
use alarm::Alarm;
use benchhost_os::clock::monotonic_ns;

/// A moment this near is waited for by looking at the sockets again and again: arming the timer and being woken by it
/// takes longer.
const NEAR_NS: u64 = 20_000;

/// A time in which the server stood still, on `CLOCK_MONOTONIC`, nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stood {
    /// From then.
    pub(crate) from: u64,
    /// Until then.
    pub(crate) until: u64,
}

/// The timer. One task runs it; any task of the same runtime may wait on it.
#[derive(Debug)]
pub(crate) struct Metronome {
    state: Mutex<State>,
    /// A moment came up that is earlier than the timer knows.
    earlier: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: BinaryHeap<Reverse<Entry>>,
    /// The moment the timer is set for; 0 while the task that runs it is awake and will look by itself.
    armed: u64,
    stalls: Vec<(u64, Stall)>,
    stood: Vec<Stood>,
}

#[derive(Debug)]
struct Entry {
    due: u64,
    waker: Waker,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        self.due.cmp(&other.due)
    }
}

impl Metronome {
    /// A timer that nobody runs yet.
    pub(crate) fn new() -> Self {
        Self { state: Mutex::default(), earlier: Notify::new() }
    }

    /// Waits until `due` on [`monotonic_ns`]. Returns at once if it has passed.
    pub(crate) async fn sleep_until(&self, due: u64) {
        let mut waits = false;
        poll_fn(|context| {
            if monotonic_ns() >= due {
                return Poll::Ready(());
            }
            // A task that is woken for another reason has its entry still. Its waker stays the same.
            if !waits {
                waits = true;
                self.enter(due, context.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }

    /// Waits for a time from now.
    pub(crate) async fn sleep(&self, time: Duration) {
        self.sleep_until(monotonic_ns().saturating_add(nanos(time))).await;
    }

    /// Times in which the server stood still, ended ones only.
    pub(crate) fn stood(&self) -> Vec<Stood> {
        self.state().stood.clone()
    }

    fn enter(&self, due: u64, waker: Waker) {
        let mut state = self.state();
        state.waiting.push(Reverse(Entry { due, waker }));
        if due < state.armed {
            // Once is enough: the timer is set again for the earliest.
            state.armed = 0;
            drop(state);
            self.earlier.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the timer for ever. `start` is what stalls count from.
    pub(crate) async fn run(&self, start: u64, stalls: &[Stall]) {
        self.state().stalls = stalls.iter().map(|stall| (start + nanos(stall.first()), *stall)).collect();
        let mut alarm = Alarm::new();
        loop {
            self.stand_still(start);
            let next = self.wake_due(monotonic_ns());
            if next.saturating_sub(monotonic_ns()) < NEAR_NS {
                tokio::task::yield_now().await;
                continue;
            }
            self.state().armed = next;
            tokio::select! {
                () = alarm.wait_until(next) => {}
                () = self.earlier.notified() => {}
            }
            self.state().armed = 0;
        }
    }

    /// Wakes all whose moment has come; returns the next moment, `u64::MAX` if there is none.
    fn wake_due(&self, now: u64) -> u64 {
        let mut state = self.state();
        loop {
            match state.waiting.peek() {
                Some(Reverse(entry)) if entry.due <= now => {
                    if let Some(Reverse(entry)) = state.waiting.pop() {
                        entry.waker.wake();
                    }
                }
                next => {
                    let next = next.map_or(u64::MAX, |Reverse(entry)| entry.due);
                    return state.stalls.iter().map(|(due, _)| *due).fold(next, u64::min);
                }
            }
        }
    }

    /// Holds the whole thread, and with it every connection, while a stall that is due lasts: a server whose one event loop
    /// is blocked does the same.
    fn stand_still(&self, start: u64) {
        let from = monotonic_ns();
        let length = {
            let state = self.state();
            state.stalls.iter().filter(|(due, _)| *due <= from).map(|(_, stall)| stall.length).max()
        };
        let Some(length) = length else { return };
        std::thread::sleep(length);
        let until = monotonic_ns();
        let mut state = self.state();
        state.stood.push(Stood { from, until });
        let since = |at: u64| Duration::from_nanos(at.saturating_sub(start));
        state.stalls = std::mem::take(&mut state.stalls)
            .into_iter()
            .filter_map(|(due, stall)| {
                if due > from {
                    return Some((due, stall));
                }
                let again = stall.again(since(due), since(until))?;
                Some((start.saturating_add(nanos(again)), stall))
            })
            .collect();
    }
}

pub(crate) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(target_os = "linux")]
mod alarm {
    //! A timer of the kernel that the event loop watches; its grain is a nanosecond.

    use benchhost_os::timer::Timer;

    /// The timer, or nothing where the kernel refuses one.
    pub(super) struct Alarm(Option<Timer>);

    impl Alarm {
        pub(super) fn new() -> Self {
            Self(Timer::new().ok())
        }

        /// Waits for a moment on the monotonic clock; `u64::MAX` is never.
        pub(super) async fn wait_until(&mut self, due: u64) {
            match &self.0 {
                Some(timer) if timer.set(due).is_ok() => {
                    // A timer that cannot be waited for leaves the loop's own.
                    if timer.rung().await.is_err() {
                        super::by_the_loop(due).await;
                    }
                }
                _ => super::by_the_loop(due).await,
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod alarm {
    //! The event loop's own timer, in steps of a millisecond.

    pub(super) struct Alarm;

    impl Alarm {
        pub(super) fn new() -> Self {
            Self
        }

        pub(super) async fn wait_until(&mut self, due: u64) {
            super::by_the_loop(due).await;
        }
    }
}

async fn by_the_loop(due: u64) {
    if due == u64::MAX {
        return std::future::pending().await;
    }
    tokio::time::sleep(Duration::from_nanos(due.saturating_sub(monotonic_ns()))).await;
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::sync::mpsc::unbounded_channel;

    use super::{Metronome, monotonic_ns};

    const MS: u64 = 1_000_000;

    fn on_a_loop<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
    }

    #[test]
    fn waiters_wake_in_the_order_of_their_moments_and_never_early() {
        on_a_loop(async {
            let metronome = Arc::new(Metronome::new());
            let start = monotonic_ns();
            let (told, mut heard) = unbounded_channel();
            // Far first, so that each later one has to bring the timer forward.
            for ms in [30_u64, 12, 3, 0] {
                let (metronome, told) = (Arc::clone(&metronome), told.clone());
                tokio::spawn(async move {
                    metronome.sleep_until(start + ms * MS).await;
                    told.send((ms, monotonic_ns())).unwrap();
                });
            }
            let runner = Arc::clone(&metronome);
            let running = tokio::spawn(async move { runner.run(start, &[]).await });
            for ms in [0, 3, 12, 30] {
                let (which, at) = heard.recv().await.unwrap();
                assert_eq!(which, ms);
                assert!(at >= start + ms * MS);
            }
            running.abort();
        });
    }

    #[test]
    fn a_waiter_that_left_holds_nobody_up() {
        on_a_loop(async {
            let metronome = Arc::new(Metronome::new());
            let runner = Arc::clone(&metronome);
            let running = tokio::spawn(async move { runner.run(monotonic_ns(), &[]).await });
            tokio::select! {
                biased;
                () = metronome.sleep(Duration::from_hours(1)) => unreachable!("an hour has not passed"),
                () = metronome.sleep(Duration::from_millis(2)) => {}
            }
            metronome.sleep(Duration::from_millis(2)).await;
            running.abort();
        });
    }

    #[test]
    fn in_a_stall_nobody_wakes_and_it_is_written_down() {
        on_a_loop(async {
            let metronome = Arc::new(Metronome::new());
            let start = monotonic_ns();
            let runner = Arc::clone(&metronome);
            let stalls = ["20ms@5ms".parse().unwrap(), "4ms@every=10ms".parse().unwrap()];
            let running = tokio::spawn(async move { runner.run(start, &stalls).await });
            let mut wakes = Vec::new();
            while metronome.stood().len() < 4 {
                metronome.sleep(Duration::from_micros(500)).await;
                wakes.push(monotonic_ns());
            }
            running.abort();
            let stood = metronome.stood();
            assert!(
                stood[0].from >= start + 5 * MS && stood[0].until - stood[0].from >= 20 * MS,
                "{stood:?}"
            );
            assert!(stood[1..].iter().all(|stall| stall.until - stall.from >= 4 * MS), "{stood:?}");
            for stall in &stood {
                assert!(!wakes.iter().any(|at| (stall.from..stall.until).contains(at)), "{stood:?}");
            }
        });
    }
}
