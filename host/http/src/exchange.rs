//! One request and its answer, from connection to last byte, as a timeline. Knows neither schedules nor dialects.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use benchhost_model::{Ending, Failure, Nanos, Timeline, TransportFailure};

use crate::cancel::Cancel;
use crate::clock::RunClock;
use crate::connect::Connector;
use crate::hang_up::HangUp;
use crate::outgoing::Outgoing;
use crate::pool::{Pool, Reuse};
use crate::recorder::{Expectation, Recorder};
use crate::request::Request;
use crate::secret::SecretHeader;
use crate::stamps::{FaultCounts, StampFaults};
use crate::url::BaseUrl;
use crate::verdict::{failure, inside_body, without_head};
use crate::watch::{Arrivals, Interrupt, Watch};
use crate::wire::{BodyEnd, Wire, WireError};

/// How long to wait and how much to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For the whole exchange, a new connection and a second attempt included.
    pub timeout: Duration,
    /// Between two arrivals once the response has begun. Before that only `timeout` holds, since a request may queue.
    pub idle_timeout: Duration,
    /// For a new connection: name, TCP and TLS.
    pub connect_timeout: Duration,
    /// Bytes of a body that are kept; a longer one is a failure.
    pub body_cap: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_mins(10),
            idle_timeout: Duration::from_mins(2),
            connect_timeout: Duration::from_secs(10),
            body_cap: 64 * 1024 * 1024,
        }
    }
}

/// Where requests go, and how.
#[derive(Clone)]
pub struct Target {
    /// The server.
    pub base: BaseUrl,
    /// Opens connections to it.
    pub connector: Connector,
    /// Headers of every request: the key, and whatever the user added. They replace a dialect's header of that name.
    pub headers: Vec<SecretHeader>,
    /// How long to wait and how much to keep.
    pub limits: Limits,
    /// What becomes of a connection after an answer.
    pub reuse: Reuse,
}

/// Sends requests to one server over as many connections as there are requests at a time.
///
/// The send time of an exchange is taken just before its first byte is written, so finding an address, connecting and
/// the TLS handshake lie between `scheduled` and `sent`.
pub struct Client {
    target: Target,
    pool: Pool,
    clock: RunClock,
    faults: Arc<FaultCounts>,
    expected: Arc<Expectation>,
}

/// How one attempt on one connection ended.
enum Attempt {
    /// The body ended as HTTP says.
    Whole,
    /// It is not worth trying again.
    Over(Ending, Option<TransportFailure>),
    /// The connection died before a byte of the response.
    Unanswered(TransportFailure),
}

impl From<Interrupt> for Attempt {
    fn from(interrupt: Interrupt) -> Self {
        let (ending, failure) = match interrupt {
            Interrupt::Cancelled | Interrupt::Left => (Ending::Cancelled, None),
            Interrupt::Broken(words) => (Ending::Cut, Some(failure(Failure::Protocol, words))),
            Interrupt::Timeout => (
                Ending::TimedOut,
                Some(failure(Failure::Timeout, "the request took longer than its time limit")),
            ),
            Interrupt::Idle => (
                Ending::TimedOut,
                Some(failure(Failure::IdleTimeout, "nothing arrived for longer than the idle limit")),
            ),
        };
        Self::Over(ending, failure)
    }
}

impl Client {
    /// A client of one server. Opens nothing yet.
    pub fn new(target: Target, clock: RunClock) -> Self {
        let pool = Pool::new(target.reuse, target.connector.habit(&target.base));
        Self { target, pool, clock, faults: Arc::default(), expected: Arc::default() }
    }

    /// How the kernel's stamps disagreed with the program's own, over all connections of this client so far.
    pub fn stamp_faults(&self) -> StampFaults {
        self.faults.read()
    }

    /// Connections that wait for a request.
    pub fn idle_connections(&self) -> usize {
        self.pool.len()
    }

    /// Sends `out` and reads the answer to its end. Never fails: what went wrong is in the timeline.
    ///
    /// It may be called a little before `scheduled`, by less than a millisecond: then all but the writing is done, and the
    /// thread spins until that moment. Nothing is written early.
    ///
    /// A reused connection that dies before the first byte of the response is replaced by a fresh one, once; servers
    /// close idle connections whenever they like. The send time stays that of the first attempt. A non-2xx status is not
    /// a failure of the transport, except a redirect, which is never followed.
    pub async fn exchange(&self, out: &Outgoing, scheduled: Nanos, cancel: &Cancel) -> Timeline {
        let limits = &self.target.limits;
        let now = self.clock.now();
        let mut record =
            Recorder::new(scheduled, self.clock, (limits.body_cap, Arc::clone(&self.expected)), out.hang_up);
        let deadline = now + Nanos::from(limits.timeout);
        let Some(request) = Request::new(out, &self.target) else {
            let words = format!("the path below {} is longer than an address may be", self.target.base);
            return record.finish(Ending::Cut, Some(failure(Failure::Protocol, words)), now);
        };
        let mut watch = Watch::new(self.clock, cancel, deadline, limits.idle_timeout);
        let mut pooled = true;
        loop {
            // A reused connection would take the request before the signal is looked at.
            if cancel.is_cancelled() {
                return record.finish(Ending::Cancelled, None, self.clock.now());
            }
            let (mut wire, reused) = match self.wire(pooled, &mut watch).await {
                Ok(found) => found,
                Err((ending, failure)) => return record.finish(ending, failure, self.clock.now()),
            };
            let connected = self.clock.now();
            record.attempt(reused, connected);
            if let Some(HangUp::After(patience)) = out.hang_up {
                watch.leave_at(connected + Nanos::from(patience));
            }
            self.clock.spin_until(scheduled);
            let attempt = attempt(&mut wire, &request, &mut record, &mut watch).await;
            record.sent(wire.stamps());
            if reused && wire.arrived() > 0 {
                self.pool.habit().answered();
            }
            match attempt {
                Attempt::Whole => return self.whole(wire, record),
                Attempt::Over(ending, failure) => return record.finish(ending, failure, self.clock.now()),
                Attempt::Unanswered(_) if reused => {
                    if wire.stamps().first_write().is_none() {
                        record.forget_attempt();
                    } else {
                        self.pool.habit().died();
                        pooled = false;
                    }
                }
                Attempt::Unanswered(cause) => {
                    return record.finish(Ending::Cut, Some(cause), self.clock.now());
                }
            }
        }
    }

    /// A connection and whether it was used before.
    async fn wire(
        &self,
        pooled: bool,
        watch: &mut Watch<'_>,
    ) -> Result<(Wire, bool), (Ending, Option<TransportFailure>)> {
        if pooled && let Some(wire) = self.pool.take().await {
            return Ok((wire, true));
        }
        let limit = self.target.limits.connect_timeout;
        let fresh = self.target.connector.connect(&self.target.base, self.clock, &self.faults, limit);
        match watch.guard(fresh).await {
            Ok(Ok(wire)) => Ok((wire, false)),
            Ok(Err(cause)) => Err((Ending::Cut, Some(cause))),
            Err(Interrupt::Cancelled | Interrupt::Left) => Err((Ending::Cancelled, None)),
            Err(Interrupt::Broken(words)) => Err((Ending::Cut, Some(failure(Failure::Connect, words)))),
            Err(Interrupt::Timeout | Interrupt::Idle) => Err((
                Ending::TimedOut,
                Some(failure(Failure::Timeout, "the time limit passed before there was a connection")),
            )),
        }
    }

    /// The answer is whole: note when, and keep the connection.
    fn whole(&self, wire: Wire, record: Recorder) -> Timeline {
        let stamps = wire.stamps();
        let by_close =
            record.header("content-length").is_none() && record.header("transfer-encoding").is_none();
        let ended = stamps.closed().filter(|_| by_close).or(stamps.last_read());
        let ended = ended.unwrap_or_else(|| self.clock.now());
        self.pool.give_back(wire);
        let status = record.status();
        let redirect = status.filter(hyper::StatusCode::is_redirection).map(|status| {
            let to = record.header("location").unwrap_or("nowhere");
            let words = format!(
                "status {status} points to `{to}`; redirects are not followed, give the final address"
            );
            failure(Failure::Redirect, words)
        });
        record.finish(Ending::Complete, redirect, ended)
    }
}

/// One request on one connection.
async fn attempt(
    wire: &mut Wire,
    request: &Request,
    record: &mut Recorder,
    watch: &mut Watch<'_>,
) -> Attempt {
    let answered = match watch.guard(wire.head(request)).await {
        Ok(Ok(head)) => {
            record.head(head, wire.stamps().last_read());
            body(wire, record, watch).await
        }
        Ok(Err(error)) => return unanswered(&error, wire.arrived()),
        Err(interrupt) => Err(interrupt),
    };
    match answered {
        Ok(Ok(BodyEnd::Whole)) => Attempt::Whole,
        Ok(Err(error)) => Attempt::Over(Ending::Cut, Some(inside_body(&error, record.body_len()))),
        // An error's body is cut at its cap without being a failure of its own: the status says enough.
        Ok(Ok(BodyEnd::Full)) => Attempt::Over(
            Ending::Cancelled,
            record.is_success().then(|| {
                let words = format!("the body is longer than the cap of {} bytes", record.cap());
                failure(Failure::TooLarge, words)
            }),
        ),
        Ok(Ok(BodyEnd::Enough)) | Err(Interrupt::Left) => {
            record.hung_up();
            Attempt::Over(Ending::Cancelled, None)
        }
        Err(interrupt) => interrupt.into(),
    }
}

fn unanswered(error: &WireError, arrived: u64) -> Attempt {
    let cause = without_head(error, arrived);
    match cause.failure {
        Failure::Closed if arrived == 0 => Attempt::Unanswered(cause),
        _ => Attempt::Over(Ending::Cut, Some(cause)),
    }
}

/// Reads the body until it ends or a limit does. This is where a streamed answer is spent: one poll an event.
async fn body(
    wire: &mut Wire,
    record: &mut Recorder,
    watch: &mut Watch<'_>,
) -> Result<Result<BodyEnd, WireError>, Interrupt> {
    poll_fn(|cx| {
        let before = wire.stamps().reads();
        if let Poll::Ready(end) = wire.poll_body(cx, record) {
            return Poll::Ready(Ok(end));
        }
        let stamps = wire.stamps();
        let arrivals = match stamps.last_read() {
            Some(at) if stamps.reads() != before => Arrivals::Now(at),
            Some(at) => Arrivals::Since(at),
            None => Arrivals::Unasked,
        };
        watch.poll(cx, arrivals).map(Err)
    })
    .await
}
