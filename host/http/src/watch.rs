//! The limits of one exchange: cancelled, too long in all, too long silent. Knows stamps, not HTTP.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use benchhost_model::Nanos;
use tokio::task::unconstrained;
use tokio::time::Sleep;

use crate::clock::RunClock;
use crate::stamped::Stamps;

/// Why waiting ended before the work did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interrupt {
    Cancelled,
    Timeout,
    Idle,
}

/// Watches over the stages of one exchange.
///
/// Its timers round up to a millisecond, which is fine for limits. The idle timer is not moved with every read: when
/// it fires it looks at the last stamp and, if bytes came since, sleeps on. So an event costs it nothing.
///
/// A peer that always has more to read uses up the share of operations that tokio grants a task at a time, and what is
/// asked after that is never ready. So the whole limit and the cancel signal are asked outside that share. Silence needs
/// no such care: there is none then.
pub(crate) struct Watch<'a> {
    clock: RunClock,
    cancelled: Pin<Box<dyn Future<Output = ()> + Send + 'a>>,
    deadline: Pin<Box<dyn Future<Output = ()> + Send + 'a>>,
    idle: Duration,
    silence: Option<Pin<Box<Sleep>>>,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(
        clock: RunClock,
        cancelled: impl Future<Output = ()> + Send + 'a,
        deadline: Nanos,
        idle: Duration,
    ) -> Self {
        Self {
            clock,
            cancelled: Box::pin(unconstrained(cancelled)),
            deadline: Box::pin(unconstrained(tokio::time::sleep_until(clock.instant(deadline).into()))),
            idle,
            silence: None,
        }
    }

    /// Runs `work` until it ends or a limit does. With `arrivals`, silence counts too.
    pub(crate) async fn guard<T>(
        &mut self,
        arrivals: Option<&Stamps>,
        work: impl Future<Output = T>,
    ) -> Result<T, Interrupt> {
        let mut work = pin!(work);
        poll_fn(|cx| {
            // Work first: what has arrived by the time a limit is noticed still counts.
            if let Poll::Ready(done) = work.as_mut().poll(cx) {
                return Poll::Ready(Ok(done));
            }
            if self.cancelled.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(Interrupt::Cancelled));
            }
            if self.deadline.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(Interrupt::Timeout));
            }
            match arrivals {
                Some(stamps) => self.poll_silence(cx, stamps).map(|()| Err(Interrupt::Idle)),
                None => Poll::Pending,
            }
        })
        .await
    }

    fn poll_silence(&mut self, cx: &mut Context<'_>, stamps: &Stamps) -> Poll<()> {
        let (clock, idle) = (self.clock, Nanos::from(self.idle));
        let limit = |now: Nanos| stamps.last_read().unwrap_or(now) + idle;
        let silence = self.silence.get_or_insert_with(|| {
            Box::pin(tokio::time::sleep_until(clock.instant(limit(clock.now())).into()))
        });
        while silence.as_mut().poll(cx).is_ready() {
            let now = clock.now();
            let until = limit(now);
            if until <= now {
                return Poll::Ready(());
            }
            silence.as_mut().reset(clock.instant(until).into());
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cancel::Cancel;

    /// Work that is never done and never waits, as a peer that sends without end makes it.
    fn interrupt(deadline: Nanos, cancel: &Cancel) -> Interrupt {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut watch =
                Watch::new(RunClock::start(), cancel.cancelled(), deadline, Duration::from_mins(1));
            let endless = async {
                loop {
                    tokio::task::consume_budget().await;
                }
            };
            let ended: Result<std::convert::Infallible, Interrupt> = watch.guard(None, endless).await;
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
}
