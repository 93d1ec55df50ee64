//! The limits of one exchange: cancelled, too long in all, too long silent. Knows stamps, not HTTP.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use benchhost_model::Nanos;
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
pub(crate) struct Watch<'a> {
    clock: RunClock,
    cancelled: Pin<Box<dyn Future<Output = ()> + Send + 'a>>,
    deadline: Pin<Box<Sleep>>,
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
            cancelled: Box::pin(cancelled),
            deadline: Box::pin(tokio::time::sleep_until(clock.instant(deadline).into())),
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
