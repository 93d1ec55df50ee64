//! One request and its answer, from connection to last byte, as a timeline. Knows neither schedules nor dialects.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use benchhost_model::{Ending, Failure, Nanos, Timeline, TransportFailure};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::http::uri::InvalidUri;
use hyper::{Method, Request, Uri, Version};

use crate::cancel::Cancel;
use crate::clock::RunClock;
use crate::connect::Connector;
use crate::outgoing::Outgoing;
use crate::pool::{Pool, Reuse};
use crate::recorder::Recorder;
use crate::secret::SecretHeader;
use crate::url::BaseUrl;
use crate::verdict::{failure, inside_body, without_head};
use crate::watch::{Interrupt, Watch};
use crate::wire::Wire;

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
    authority: HeaderValue,
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
            Interrupt::Cancelled => (Ending::Cancelled, None),
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
        // An authority is made of letters, digits, `.-_:[]`, so the fallback is never reached.
        let authority = HeaderValue::try_from(target.base.authority())
            .unwrap_or_else(|_| HeaderValue::from_static("localhost"));
        Self { target, pool, clock, authority }
    }

    /// Connections that wait for a request.
    pub fn idle_connections(&self) -> usize {
        self.pool.len()
    }

    /// Sends `out` and reads the answer to its end. Never fails: what went wrong is in the timeline.
    ///
    /// A reused connection that dies before the first byte of the response is replaced by a fresh one, once; servers
    /// close idle connections whenever they like. The send time stays that of the first attempt. A non-2xx status is not a failure of the transport, except a
    /// redirect, which is never followed.
    pub async fn exchange(&self, out: &Outgoing, scheduled: Nanos, cancel: &Cancel) -> Timeline {
        let limits = &self.target.limits;
        let now = self.clock.now();
        let mut record = Recorder::new(scheduled, now, limits.body_cap);
        let deadline = now + Nanos::from(limits.timeout);
        let Ok(request) = self.request(out) else {
            let words = format!("the path below {} is longer than an address may be", self.target.base);
            return record.finish(Ending::Cut, Some(failure(Failure::Protocol, words)), now);
        };
        let mut watch = Watch::new(self.clock, cancel.cancelled(), deadline, limits.idle_timeout);
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
            record.attempt(reused);
            let attempt = self.attempt(&mut wire, request.clone(), &mut record, &mut watch).await;
            record.sent(wire.stamps());
            if reused && wire.stamps().arrived() > 0 {
                self.pool.habit().answered();
            }
            match attempt {
                Attempt::Whole => return self.whole(wire, record).await,
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
            wire.stamps().begin();
            return Ok((wire, true));
        }
        let limit = self.target.limits.connect_timeout;
        let fresh = self.target.connector.connect(&self.target.base, self.clock, limit);
        match watch.guard(None, fresh).await {
            Ok(Ok(wire)) => {
                wire.stamps().begin();
                Ok((wire, false))
            }
            Ok(Err(cause)) => Err((Ending::Cut, Some(cause))),
            Err(Interrupt::Cancelled) => Err((Ending::Cancelled, None)),
            Err(_) => Err((
                Ending::TimedOut,
                Some(failure(Failure::Timeout, "the time limit passed before there was a connection")),
            )),
        }
    }

    async fn attempt(
        &self,
        wire: &mut Wire,
        request: Request<Full<Bytes>>,
        record: &mut Recorder,
        watch: &mut Watch<'_>,
    ) -> Attempt {
        let stamps = std::sync::Arc::clone(wire.stamps());
        let mut body = match watch.guard(None, wire.head(request)).await {
            Err(interrupt) => return interrupt.into(),
            Ok(Err(error)) => {
                let cause = without_head(&error, stamps.arrived());
                return match cause.failure {
                    Failure::Closed if stamps.arrived() == 0 => Attempt::Unanswered(cause),
                    _ => Attempt::Over(Ending::Cut, Some(cause)),
                };
            }
            Ok(Ok(head)) => {
                record.head(&head, stamps.last_read());
                head.into_body()
            }
        };
        match watch.guard(Some(&stamps), read_body(wire, &mut body, record)).await {
            Err(interrupt) => interrupt.into(),
            Ok(BodyEnd::Whole) => Attempt::Whole,
            Ok(BodyEnd::Broken(error)) => {
                Attempt::Over(Ending::Cut, Some(inside_body(&error, record.body_len())))
            }
            // An error's body is cut at its cap without being a failure of its own: the status says enough.
            Ok(BodyEnd::Full) => Attempt::Over(
                Ending::Cancelled,
                record.is_success().then(|| {
                    failure(
                        Failure::TooLarge,
                        format!("the body is longer than the cap of {} bytes", record.cap()),
                    )
                }),
            ),
        }
    }

    /// The answer is whole: note when, and keep the connection.
    async fn whole(&self, wire: Wire, record: Recorder) -> Timeline {
        let stamps = wire.stamps();
        let by_close =
            record.header("content-length").is_none() && record.header("transfer-encoding").is_none();
        let ended = stamps.closed().filter(|_| by_close).or(stamps.last_read());
        let ended = ended.unwrap_or_else(|| self.clock.now());
        self.pool.give_back(wire).await;
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

    /// The request as hyper wants it. Everything in it was parsed before, so it fails only if the base's path and the
    /// request's are too long together.
    fn request(&self, out: &Outgoing) -> Result<Request<Full<Bytes>>, InvalidUri> {
        let uri = self.target.base.join(&out.path).parse::<Uri>()?;
        let mut headers = HeaderMap::with_capacity(out.headers.len() + self.target.headers.len() + 4);
        headers.insert(header::HOST, self.authority.clone());
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        // A compressor would gather events and so destroy their timing.
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if !out.body.is_empty() || matches!(out.method, Method::POST | Method::PUT | Method::PATCH) {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(out.body.len()));
        }
        headers.extend(out.headers.clone());
        for secret in &self.target.headers {
            headers.insert(secret.name.clone(), secret.value.clone());
        }
        let mut request = Request::new(Full::new(out.body.clone()));
        *request.method_mut() = out.method.clone();
        *request.version_mut() = Version::HTTP_11;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }
}

const USER_AGENT: &str = concat!("benchhost/", env!("CARGO_PKG_VERSION"));

enum BodyEnd {
    Whole,
    Broken(hyper::Error),
    /// The cap is reached.
    Full,
}

async fn read_body(wire: &mut Wire, body: &mut Incoming, record: &mut Recorder) -> BodyEnd {
    poll_fn(|cx| {
        loop {
            match wire.poll_frame(body, cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(BodyEnd::Whole),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(BodyEnd::Broken(error)),
                Poll::Ready(Some(Ok(frame))) => {
                    let Some(data) = frame.data_ref() else { continue };
                    if !record.push(data, wire.stamps()) {
                        return Poll::Ready(BodyEnd::Full);
                    }
                }
            }
        }
    })
    .await
}
