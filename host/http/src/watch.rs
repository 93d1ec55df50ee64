//! The limits of one exchange: cancelled, too long in all, too long silent, a user who leaves. Knows stamps, not HTTP.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use benchhost_model::Nanos;
use tokio::task::unconstrained;

use crate::alarm::Alarm;
use crate::cancel::Cancel;
use crate::clock::RunClock;

/// Why waiting ended before the work did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Interrupt {
    Cancelled,
    Timeout,
    Idle,
    /// The user this request stands for has left.
    Left,
    /// The machine gives nothing to wait with.
    Broken(String),
}

/// What the work did in the poll before limits are looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Arrivals {
    /// Silence is no matter yet.
    Unasked,
    /// Bytes came just now; the stamp of the newest.
    Now(Nanos),
    /// Nothing came; the stamp of the newest.
    Since(Nanos),
}

/// Watches over the stages of one exchange.
///
/// After a read the limits cost two comparisons with its stamp. Only when the work is woken for another reason is the
/// clock read, and only then is an alarm moved: one that rings too early, since bytes came meanwhile, is set again. A
/// peer that always has more to read is therefore stopped by its own stamps.
pub(crate) struct Watch<'a> {
    clock: RunClock,
    cancel: &'a Cancel,
    cancelled: Pin<Box<dyn Future<Output = ()> + Send + 'a>>,
    deadline: Nanos,
    idle: Nanos,
    leaves: Option<Nanos>,
    /// What will ring, and when.
    alarm: Option<(Nanos, Alarm)>,
    /// Whom the alarm and the signal wake.
    waker: Option<Waker>,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(clock: RunClock, cancel: &'a Cancel, deadline: Nanos, idle: Duration) -> Self {
        Self {
            clock,
            cancel,
            // Outside the share of operations that the runtime grants a task at a time: a busy peer must not use it up.
            cancelled: Box::pin(unconstrained(cancel.cancelled())),
            deadline,
            idle: Nanos::from(idle),
            leaves: None,
            alarm: None,
            waker: None,
        }
    }

    /// The user leaves at that moment, whatever has come by then.
    pub(crate) fn leave_at(&mut self, at: Nanos) {
        self.leaves = Some(at);
    }

    /// Runs `work` until it ends or a limit does.
    pub(crate) async fn guard<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Interrupt> {
        let mut work = pin!(work);
        poll_fn(|cx| {
            // Work first: what has arrived by the time a limit is noticed still counts.
            if let Poll::Ready(done) = work.as_mut().poll(cx) {
                return Poll::Ready(Ok(done));
            }
            self.poll(cx, Arrivals::Unasked).map(Err)
        })
        .await
    }

    /// Whether a limit is reached. If not, the task is woken when one may be.
    #[inline]
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, arrivals: Arrivals) -> Poll<Interrupt> {
        let now = match arrivals {
            Arrivals::Now(at) => at,
            Arrivals::Since(_) | Arrivals::Unasked => self.clock.now(),
        };
        if let Some(interrupt) = self.reached(now, arrivals) {
            return Poll::Ready(interrupt);
        }
        let same_task = self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
        if same_task && matches!(arrivals, Arrivals::Now(_)) {
            Poll::Pending
        } else {
            self.wait(cx, now, arrivals)
        }
    }

    #[inline]
    fn reached(&self, now: Nanos, arrivals: Arrivals) -> Option<Interrupt> {
        if self.cancel.is_cancelled() {
            return Some(Interrupt::Cancelled);
        }
        if self.leaves.is_some_and(|at| at <= now) {
            return Some(Interrupt::Left);
        }
        if self.deadline <= now {
            return Some(Interrupt::Timeout);
        }
        match arrivals {
            Arrivals::Since(last) if last + self.idle <= now => Some(Interrupt::Idle),
            _ => None,
        }
    }

    /// Sees to it that the task is woken.
    fn wait(&mut self, cx: &mut Context<'_>, now: Nanos, arrivals: Arrivals) -> Poll<Interrupt> {
        if self.cancelled.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Interrupt::Cancelled);
        }
        let silence = match arrivals {
            Arrivals::Unasked => None,
            Arrivals::Now(last) | Arrivals::Since(last) => Some(last + self.idle),
        };
        let next = [self.leaves, silence].into_iter().flatten().fold(self.deadline, Nanos::min);
        let same_task = self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
        // One that rings too early does no harm: it is looked at then, and set again.
        let is_set = same_task && self.alarm.as_ref().is_some_and(|(at, _)| now < *at && *at <= next);
        if is_set {
            return Poll::Pending;
        }
        self.waker = Some(cx.waker().clone());
        match Alarm::set(self.clock.instant(next), cx.waker().clone()) {
            Ok(alarm) => {
                self.alarm = Some((next, alarm));
                Poll::Pending
            }
            Err(error) => Poll::Ready(Interrupt::Broken(format!(
                "the machine gives no thread to watch time limits: {error}"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_runtime<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
    }

    /// Work that is never done and never waits, as a peer that sends without end makes it.
    fn interrupt(deadline: Nanos, cancel: &Cancel) -> Interrupt {
        in_runtime(async {
            let mut watch = Watch::new(RunClock::start(), cancel, deadline, Duration::from_mins(1));
            let endless = async {
                loop {
                    tokio::task::consume_budget().await;
                }
            };
            let ended: Result<std::convert::Infallible, Interrupt> = watch.guard(endless).await;
            let Err(interrupt) = ended;
            interrupt
        })
    }

    #[test]
    fn work_that_never_waits_meets_the_whole_limit_and_the_cancel_signal() {
        let cancel = Cancel::new();
        assert_eq!(interrupt(Nanos::ZERO, &cancel), Interrupt::Timeout);
        cancel.cancel();
        assert_eq!(interrupt(Nanos::new(u64::MAX), &cancel), Interrupt::Cancelled);
    }

    #[test]
    fn a_task_that_only_reads_is_stopped_by_its_stamps() {
        let cancel = Cancel::new();
        let mut watch = Watch::new(RunClock::start(), &cancel, Nanos::new(100), Duration::from_mins(1));
        let cx = &mut Context::from_waker(Waker::noop());
        assert_eq!(watch.poll(cx, Arrivals::Now(Nanos::new(99))), Poll::Pending);
        assert_eq!(watch.poll(cx, Arrivals::Now(Nanos::new(100))), Poll::Ready(Interrupt::Timeout));
        watch.leave_at(Nanos::new(50));
        assert_eq!(watch.poll(cx, Arrivals::Now(Nanos::new(50))), Poll::Ready(Interrupt::Left));
    }

    #[test]
    fn silence_counts_from_the_newest_stamp() {
        let cancel = Cancel::new();
        let clock = RunClock::start();
        let far = Nanos::new(u64::MAX);
        let mut watch = Watch::new(clock, &cancel, far, Duration::from_mins(1));
        let cx = &mut Context::from_waker(Waker::noop());
        assert_eq!(watch.poll(cx, Arrivals::Since(clock.now())), Poll::Pending);
        watch.idle = Nanos::ZERO;
        assert_eq!(watch.poll(cx, Arrivals::Since(clock.now())), Poll::Ready(Interrupt::Idle));
        assert_eq!(watch.poll(cx, Arrivals::Unasked), Poll::Pending);
    }

    #[test]
    fn a_limit_wakes_a_task_that_waits_for_nothing_else() {
        let cancel = Cancel::new();
        let clock = RunClock::start();
        let soon = clock.now() + Nanos::new(5_000_000);
        let mut watch = Watch::new(clock, &cancel, soon, Duration::from_mins(1));
        let ended = in_runtime(watch.guard(std::future::pending::<()>()));
        assert_eq!(ended, Err(Interrupt::Timeout));
        assert!(clock.now() >= soon);
    }
}
