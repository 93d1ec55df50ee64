//! The threads that do the I/O: how many, how preferred, and what they used. Knows threads and their clocks; nothing
//! of what they send.

pub(crate) mod warm;

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use benchhost_http::StampFaults;
use benchhost_os::thread::{Granted, Priority, ThreadUse, cpu_ns, raise, timer_slack_min};
use tokio::task::JoinHandle;

/// How the I/O is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IoPlan {
    /// Threads, each with an event loop and connections of its own. With one, the load is also steered there; with
    /// more, on a thread beside them.
    pub threads: NonZeroUsize,
    /// How much these threads are preferred to others while the load lasts.
    pub priority: Priority,
    /// Wake up a little before a request's moment and spin until it. Without, requests go out late by the kernel's
    /// wake-up time, some 40 µs at best, and the core is not kept busy for about 80 µs a request.
    pub spin: bool,
}

impl Default for IoPlan {
    fn default() -> Self {
        Self { threads: NonZeroUsize::MIN, priority: Priority::Auto, spin: true }
    }
}

/// One I/O thread's account of a load.
#[derive(Debug, Clone, PartialEq)]
pub struct IoThread {
    /// Time on a core, in nanoseconds.
    pub cpu_ns: u64,
    /// Median share of a core over 100 ms, 0 to 1; `None`: the load was shorter.
    pub busy_p50: Option<f64>,
    /// The 99th percentile of that share.
    pub busy_p99: Option<f64>,
    /// How often another thread took its core.
    pub involuntary: u64,
    /// Time ready but waiting for a core, in nanoseconds; `None` where the kernel does not say.
    pub run_queue_ns: Option<u64>,
    /// The scheduling class it got, in words.
    pub granted: String,
    /// How the kernel's stamps of its reads disagreed with its own.
    pub stamps: StampFaults,
}

/// The calling thread's place among the I/O threads, from taking it to leaving it. Leaving or dropping it puts the
/// thread back into its class.
pub(crate) struct Seat {
    granted: Granted,
    before: ThreadUse,
    bins: Arc<Mutex<Bins>>,
    sampler: JoinHandle<()>,
}

/// Raises the calling thread for I/O, until what is returned is dropped.
pub(crate) fn raise_for_io(priority: Priority) -> Granted {
    timer_slack_min();
    raise(priority)
}

impl Seat {
    /// Begins the calling thread's account. Must be called inside the thread's runtime.
    pub(crate) fn take(granted: Granted) -> Self {
        let bins = Arc::new(Mutex::new(Bins::new()));
        let sampler = tokio::spawn(sample(Arc::clone(&bins)));
        Self { granted, before: ThreadUse::now(), bins, sampler }
    }

    /// Ends the account, with what the thread's client says of its stamps. Must be called on the thread that took the seat.
    pub(crate) fn leave(self, stamps: StampFaults) -> IoThread {
        self.sampler.abort();
        let spent = ThreadUse::now().since(self.before);
        let mut bins = self.bins.lock().unwrap_or_else(PoisonError::into_inner);
        bins.close();
        IoThread {
            cpu_ns: spent.cpu_ns,
            busy_p50: bins.quantile(0.5),
            busy_p99: bins.quantile(0.99),
            involuntary: spent.involuntary,
            run_queue_ns: spent.run_queue_ns,
            granted: self.granted.words().to_owned(),
            stamps,
        }
    }
}

/// Length of the spans whose busy share is taken.
const BIN: Duration = Duration::from_millis(100);

async fn sample(bins: Arc<Mutex<Bins>>) {
    let mut every = tokio::time::interval(BIN);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // The first tick comes at once.
    every.tick().await;
    loop {
        every.tick().await;
        bins.lock().unwrap_or_else(PoisonError::into_inner).close();
    }
}

/// Counts of spans by the share of a core that the thread used, in thousandths.
struct Bins {
    counts: [u32; 1001],
    since: (Instant, u64),
}

impl Bins {
    fn new() -> Self {
        Self { counts: [0; 1001], since: (Instant::now(), cpu_ns()) }
    }

    /// A span ends, and the next begins. One much shorter than planned says nothing.
    fn close(&mut self) {
        let now = (Instant::now(), cpu_ns());
        let wall = now.0.duration_since(self.since.0);
        if wall >= BIN / 2 {
            self.count(now.1.saturating_sub(self.since.1), wall.as_nanos());
            self.since = now;
        }
    }

    fn count(&mut self, cpu_ns: u64, wall_ns: u128) {
        let share = u128::from(cpu_ns) * 1000 / wall_ns.max(1);
        let at = usize::try_from(share).unwrap_or(usize::MAX).min(1000);
        if let Some(count) = self.counts.get_mut(at) {
            *count += 1;
        }
    }

    /// Nearest rank.
    fn quantile(&self, share: f64) -> Option<f64> {
        let all: u32 = self.counts.iter().sum();
        let mut below = 0.0;
        let at = self.counts.iter().position(|count| {
            below += f64::from(*count);
            all > 0 && below >= share * f64::from(all)
        })?;
        Some(at as f64 / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_shares_are_read_at_the_nearest_rank() {
        let mut bins = Bins::new();
        assert_eq!(bins.quantile(0.5), None);
        for _ in 0..98 {
            bins.count(10_000_000, 100_000_000);
        }
        bins.count(250_000_000, 100_000_000);
        bins.count(90_000_000, 100_000_000);
        assert_eq!((bins.quantile(0.5), bins.quantile(0.99)), (Some(0.1), Some(0.9)));
        assert_eq!(bins.quantile(1.0), Some(1.0), "a core at most");
    }

    #[test]
    fn a_thread_falls_back_when_it_leaves() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let account = runtime.block_on(async {
            let seat = Seat::take(raise_for_io(Priority::Off));
            tokio::task::yield_now().await;
            seat.leave(StampFaults { clamped: 3, ..StampFaults::default() })
        });
        assert_eq!((account.granted.as_str(), account.busy_p50), ("normal", None));
        assert_eq!(account.stamps.clamped, 3);
    }
}
