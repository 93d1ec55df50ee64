//! What one connection's socket did, and when, on the run's clock. Makes kernel stamps fit beside the program's own.
//! Knows neither sockets nor HTTP.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use benchhost_model::{Nanos, ReadMark};
use benchhost_os::clock::Offset;

use crate::clock::RunClock;
use crate::lateness::{self, LATE};

/// A kernel stamp that contradicts the program's own stamps by more than this is not rounded but dropped: the wall clock
/// was set.
const IMPLAUSIBLE: Nanos = LATE;

thread_local! {
    /// This thread's way from the kernel's clock to ours.
    static OFFSET: RefCell<Option<Offset>> = const { RefCell::new(None) };
}

/// How kernel stamps disagreed with the program's own. All zero on a machine that is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StampFaults {
    /// Stamps moved to the nearest time that was possible, by a millisecond at most: after the read before, not after
    /// the read itself.
    pub clamped: u64,
    /// Stamps dropped because they lay further off. Their reads have the program's stamp only.
    pub dropped: u64,
    /// How often the wall clock was found set while reading, over all I/O threads.
    pub clock_steps: u64,
    /// The most by which a stamp's conversion to the run's clock was off, in nanoseconds, while nobody set the wall clock.
    pub residual_ns: u64,
}

/// The counts behind [`StampFaults`], shared by all connections of a client.
#[derive(Debug, Default)]
pub(crate) struct FaultCounts {
    clamped: AtomicU64,
    dropped: AtomicU64,
    clock_steps: AtomicU64,
    residual_ns: AtomicU64,
}

impl FaultCounts {
    pub(crate) fn read(&self) -> StampFaults {
        StampFaults {
            clamped: self.clamped.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            clock_steps: self.clock_steps.load(Relaxed),
            residual_ns: self.residual_ns.load(Relaxed),
        }
    }
}

/// The stamps of one connection.
#[derive(Debug)]
pub(crate) struct Stamps {
    clock: RunClock,
    faults: Arc<FaultCounts>,
    /// The newest read's, program's and kernel's.
    last_read: Option<Nanos>,
    last_kernel: Option<Nanos>,
    closed: Option<Nanos>,
    first_write: Option<Nanos>,
    /// Nothing can arrive before this: the newest read's best stamp, or the send.
    floor: Nanos,
    reads: u64,
}

impl Stamps {
    pub(crate) fn new(clock: RunClock, faults: Arc<FaultCounts>) -> Self {
        Self {
            clock,
            faults,
            last_read: None,
            last_kernel: None,
            closed: None,
            first_write: None,
            floor: Nanos::ZERO,
            reads: 0,
        }
    }

    /// A new exchange begins on this connection: what went before no longer counts.
    pub(crate) fn begin(&mut self) {
        self.last_read = None;
        self.last_kernel = None;
        self.closed = None;
        self.first_write = None;
    }

    /// When the newest bytes arrived, by the program's stamp.
    pub(crate) fn last_read(&self) -> Option<Nanos> {
        self.last_read
    }

    /// When the peer closed its side.
    pub(crate) fn closed(&self) -> Option<Nanos> {
        self.closed
    }

    /// Just before the first byte of this exchange was written. A write that the socket refused is none.
    pub(crate) fn first_write(&self) -> Option<Nanos> {
        self.first_write
    }

    /// Reads of this connection so far.
    pub(crate) fn reads(&self) -> u64 {
        self.reads
    }

    /// The time now. The first thing to ask after a read has returned.
    #[inline]
    pub(crate) fn now(&self) -> Nanos {
        self.clock.now()
    }

    /// The mark of a body's bytes up to `end` that the newest read delivered.
    pub(crate) fn mark(&self, end: u64) -> ReadMark {
        ReadMark { end, user: self.last_read.unwrap_or_else(|| self.now()), kernel: self.last_kernel }
    }

    /// A read returned at `user` with so many bytes and perhaps the kernel's stamp.
    #[inline]
    pub(crate) fn note_read(&mut self, user: Nanos, bytes: usize, realtime_ns: Option<u64>) {
        self.reads += 1;
        if bytes == 0 {
            self.closed = Some(user);
            return;
        }
        self.last_read = Some(user);
        self.last_kernel = realtime_ns.and_then(|realtime| self.convert(realtime, user));
        self.floor = self.last_kernel.unwrap_or(user);
        if user - self.floor >= LATE {
            lateness::note(self.clock.monotonic_at(self.floor), self.clock.monotonic_at(user));
        }
    }

    #[inline]
    fn convert(&self, realtime_ns: u64, user: Nanos) -> Option<Nanos> {
        OFFSET.with_borrow_mut(|offset| {
            let offset = offset.get_or_insert_with(Offset::measure);
            let steps = offset.steps();
            offset.refresh(self.clock.monotonic_at(user));
            let arrived = offset.monotonic_of(realtime_ns).map(|at| self.clock.at_monotonic(at));
            let settled = arrived.and_then(|arrived| self.settle(arrived, user));
            if settled.is_none() {
                offset.look_again();
            }
            if offset.steps() != steps {
                self.faults.clock_steps.fetch_add(offset.steps() - steps, Relaxed);
            }
            if offset.residual_ns() > self.faults.residual_ns.load(Relaxed) {
                self.faults.residual_ns.store(offset.residual_ns(), Relaxed);
            }
            settled
        })
    }

    /// The kernel's stamp between the read before and this one.
    #[inline]
    fn settle(&self, arrived: Nanos, user: Nanos) -> Option<Nanos> {
        // A read before whose program stamp is younger than this one's kernel stamp is possible; one that is younger
        // than this read is not.
        let floor = self.floor.min(user);
        if floor <= arrived && arrived <= user {
            return Some(arrived);
        }
        let fitting = arrived.clamp(floor, user);
        let off = (fitting - arrived).max(arrived - fitting);
        let count = if off > IMPLAUSIBLE { &self.faults.dropped } else { &self.faults.clamped };
        count.fetch_add(1, Relaxed);
        (off <= IMPLAUSIBLE).then_some(fitting)
    }

    /// Writes, and keeps the time before it if these are the first bytes that the socket takes.
    #[inline]
    pub(crate) fn writing<E>(
        &mut self,
        write: impl FnOnce() -> std::task::Poll<Result<usize, E>>,
    ) -> std::task::Poll<Result<usize, E>> {
        if self.first_write.is_some() {
            return write();
        }
        let at = self.now();
        let written = write();
        if matches!(written, std::task::Poll::Ready(Ok(bytes)) if bytes > 0) {
            self.first_write = Some(at);
            self.floor = self.floor.max(at);
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use super::*;

    fn stamps() -> Stamps {
        Stamps::new(RunClock::start(), Arc::default())
    }

    fn write(stamps: &mut Stamps, result: Result<usize, ()>) {
        let _ = stamps.writing(|| Poll::Ready(result));
    }

    #[test]
    fn a_write_that_the_socket_refused_is_no_send_time_and_the_first_that_it_took_stays() {
        let mut stamps = stamps();
        write(&mut stamps, Err(()));
        let _ = stamps.writing(|| Poll::<Result<usize, ()>>::Pending);
        assert_eq!(stamps.first_write(), None);
        let before = stamps.now();
        write(&mut stamps, Ok(1));
        let first = stamps.first_write().unwrap();
        assert!(before <= first && first <= stamps.now());
        write(&mut stamps, Ok(1));
        assert_eq!(stamps.first_write(), Some(first));
    }

    #[test]
    fn a_kernel_stamp_is_never_after_the_read_nor_before_the_last() {
        let mut stamps = stamps();
        let ns = Nanos::new;
        stamps.floor = ns(10_000_000);
        let user = ns(20_000_000);
        assert_eq!(stamps.settle(ns(15_000_000), user), Some(ns(15_000_000)));
        assert_eq!(stamps.settle(ns(20_000_300), user), Some(user));
        assert_eq!(stamps.settle(ns(9_999_000), user), Some(ns(10_000_000)));
        assert_eq!(
            stamps.faults.read(),
            StampFaults {
                clamped: 2,
                residual_ns: stamps.faults.read().residual_ns,
                ..StampFaults::default()
            }
        );
    }

    #[test]
    fn a_kernel_stamp_that_cannot_be_is_dropped_and_counted() {
        let mut stamps = stamps();
        let ns = Nanos::new;
        stamps.floor = ns(10_000_000);
        assert_eq!(stamps.settle(ns(21_500_001), ns(20_000_000)), None);
        assert_eq!(stamps.settle(ns(8_000_000), ns(20_000_000)), None);
        assert_eq!(
            stamps.faults.read(),
            StampFaults {
                dropped: 2,
                residual_ns: stamps.faults.read().residual_ns,
                ..StampFaults::default()
            }
        );
    }

    #[test]
    fn wall_time_is_put_on_the_runs_clock() {
        let mut stamps = stamps();
        let before = stamps.now();
        let wall = benchhost_os::clock::realtime_ns();
        let user = stamps.now();
        stamps.note_read(user, 5, Some(wall));
        let mark = stamps.mark(5);
        assert_eq!((mark.end, mark.user), (5, user));
        // Half a reading's width on either side; an interrupt may have widened it.
        let kernel = mark.kernel.unwrap();
        assert!(kernel <= user && kernel + Nanos::new(1_000_000) >= before);
        stamps.note_read(user, 1, None);
        assert_eq!(stamps.mark(6).kernel, None);
    }

    #[test]
    fn a_new_exchange_forgets_the_last() {
        let mut stamps = stamps();
        write(&mut stamps, Ok(3));
        stamps.note_read(stamps.now(), 5, None);
        stamps.note_read(stamps.now(), 0, None);
        assert!(stamps.closed().is_some() && stamps.last_read().is_some());
        stamps.begin();
        assert_eq!((stamps.first_write(), stamps.last_read(), stamps.closed()), (None, None, None));
        assert_eq!(stamps.reads(), 2);
    }
}
