//! Offers a shape to the server through the usual code and hands back all that was recorded. The only place here that knows
//! how a load is given.

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use benchhost_http::{Outgoing, RunClock};
use benchhost_load::{
    Control, DrainLoad, Finished, Job, Lanes, Lateness, LoadPlan, LoadReport, Pattern, Phases, Rate, Span,
    Think, drive, poisson,
};
use benchhost_model::{Nanos, QuantilesNs};
use tokio::sync::mpsc::Sender;

use crate::server::{Page, ServerAccount, ServerError, ServerUnderTruth};
use crate::shape::{Offered, Shape};

/// Jobs built ahead.
const LOOK_AHEAD: usize = 64;
/// When told to stop, this long for what is in flight.
const GIVE_UP: Duration = Duration::from_millis(500);
/// Arrivals are the same in every check.
const SEED: u64 = 0x5e1f;
/// Starts of streams are spread over the warm-up, but not more widely than this.
const WIDEST_STAGGER: Duration = Duration::from_millis(20);

/// Why nothing could be offered.
#[derive(Debug, thiserror::Error)]
pub enum OfferError {
    /// The server.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The shape asks for something that cannot be sent.
    #[error("this load cannot be offered: {0}")]
    Shape(String),
    /// The machine gave no thread or no event queue.
    #[error("the machine could not offer the load: {0}")]
    Machine(String),
    /// Nothing came back in the time that was judged.
    #[error("the check ended before anything was measured")]
    Nothing,
}

/// A stop of this program: from this time after the start, no request is handed out for so long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hold {
    pub(crate) at: Duration,
    pub(crate) length: Duration,
}

/// A stop as it was, on the machine's monotonic clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    pub(crate) from: u64,
    pub(crate) until: u64,
}

impl Held {
    /// Whether a request that was due then was held.
    pub(crate) fn concerns(self, due: u64) -> bool {
        (self.from..self.until).contains(&due)
    }
}

/// What came back. Moments are on the machine's monotonic clock, nanoseconds.
pub(crate) struct Given {
    pub(crate) finished: Vec<Finished>,
    pub(crate) report: LoadReport,
    pub(crate) clock: RunClock,
    /// The load's start.
    pub(crate) start: u64,
    /// The part that is judged.
    pub(crate) from: u64,
    pub(crate) until: u64,
    pub(crate) held: Option<Held>,
    pub(crate) slip: QuantilesNs,
    pub(crate) slip_gen: QuantilesNs,
    pub(crate) server: ServerAccount,
    /// The server's stops.
    pub(crate) stalls: Vec<[u64; 2]>,
}

/// Offers `shape` until its time is over or `control` stops it.
pub(crate) fn offer(
    shape: &Shape,
    server: &ServerUnderTruth,
    hold: Option<Hold>,
    control: &Control,
) -> Result<Given, OfferError> {
    let request = request(shape)?;
    let due = match shape.offered {
        Offered::Streams(_) => None,
        Offered::Rate(rate) => {
            Some(poisson(Rate::new(rate).map_err(|e| OfferError::Shape(e.to_string()))?, SEED))
        }
    };
    let before = server.page()?;
    let clock = RunClock::start();
    let plan = LoadPlan {
        pattern: pattern(shape),
        phases: Phases {
            warmup: Span::For(shape.warmup),
            measured: Span::For(shape.measured),
            drain: DrainLoad::Quiet,
        },
        io: shape.io,
        give_up: GIVE_UP,
        target: server.target.clone(),
        clock,
    };
    let (fresh_in, fresh) = tokio::sync::mpsc::channel(LOOK_AHEAD);
    let (follow_in, follow_ups) = tokio::sync::mpsc::unbounded_channel();
    let (finished, done) = channel();
    // Every session is one request.
    drop(follow_in);
    let end = Nanos::from(shape.warmup + shape.measured);
    let (released, report) = thread::scope(|scope| {
        let feed = Feed { request, due: due.map(|due| due.take_while(|due| *due < end)), hold, clock };
        let feeding = scope.spawn(move || feed.run(&fresh_in));
        let report = drive(plan, Lanes { fresh, follow_ups, finished }, control);
        (feeding.join().ok().flatten(), report)
    });
    let after = server.page()?;
    if let Some(fault) = report.fault {
        return Err(OfferError::Machine(fault));
    }
    let finished: Vec<Finished> = done.try_iter().collect();
    let account = (released.zip(hold), &before, &after);
    given(shape, (finished, report), clock, account).ok_or(OfferError::Nothing)
}

fn given(
    shape: &Shape,
    (finished, report): (Vec<Finished>, LoadReport),
    clock: RunClock,
    (held, before, after): (Option<(u64, Hold)>, &Page, &Page),
) -> Option<Given> {
    let start = report.start?;
    let from = report.measured_from.unwrap_or(start + Nanos::from(shape.warmup));
    let until = report.measured_until.unwrap_or(report.end);
    let held =
        held.map(|(until, hold)| Held { from: clock.monotonic_at(start + Nanos::from(hold.at)), until });
    let ends: Vec<u64> = finished.iter().map(|done| clock.monotonic_at(done.timeline.ended)).collect();
    let last = ends.into_iter().max()?;
    Some(Given {
        finished,
        start: clock.monotonic_at(start),
        from: clock.monotonic_at(from),
        until: clock.monotonic_at(until).min(last),
        held,
        slip: quantiles(&report.late),
        slip_gen: quantiles(&report.slip_gen),
        report,
        clock,
        server: ServerAccount::between(before, after),
        stalls: after.stalls_ns.clone(),
    })
}

fn pattern(shape: &Shape) -> Pattern {
    match shape.offered {
        Offered::Streams(concurrency) => {
            let stagger = (shape.warmup / concurrency.max(1)).min(WIDEST_STAGGER);
            Pattern::Closed { concurrency, stagger, think: Think::None }
        }
        Offered::Rate(_) => Pattern::Open { cap: None },
    }
}

fn request(shape: &Shape) -> Result<Outgoing, OfferError> {
    let prompt = "word ".repeat(shape.prompt_bytes as usize / 5 + 1);
    let body = serde_json::json!({
        "model": "simulated",
        "messages": [{"role": "user", "content": prompt.trim_end()}],
        "max_tokens": shape.events,
        "stream": true,
    });
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    Outgoing::new("POST", "/v1/chat/completions", &headers, body.to_string())
        .map_err(|e| OfferError::Shape(e.to_string()))
}

fn quantiles(late: &Lateness) -> QuantilesNs {
    QuantilesNs {
        count: late.count,
        p50_ns: late.p50.get(),
        p90_ns: late.p90.get(),
        p99_ns: late.p99.get(),
        p999_ns: None,
        max_ns: late.max.get(),
    }
}

/// Hands out requests until nobody takes them any more.
struct Feed<D> {
    request: Outgoing,
    due: Option<D>,
    hold: Option<Hold>,
    clock: RunClock,
}

impl<D: Iterator<Item = Nanos>> Feed<D> {
    /// When the hold ended, if there was one.
    fn run(mut self, out: &Sender<Job>) -> Option<u64> {
        let mut released = None;
        let mut start = None;
        for id in 0.. {
            let due = match &mut self.due {
                None => None,
                Some(schedule) => match schedule.next() {
                    Some(due) => Some(due),
                    None => break,
                },
            };
            if let (Some(hold), Some(due), None) = (self.hold, due, released)
                && due >= Nanos::from(hold.at)
            {
                released = Some(self.wait(start.unwrap_or(Nanos::ZERO) + Nanos::from(hold.at + hold.length)));
            }
            let job = Job { id, session: id, last_in_session: true, due, request: self.request.clone() };
            if out.blocking_send(job).is_err() {
                break;
            }
            start = start.or_else(|| Some(self.clock.now()));
        }
        released
    }

    fn wait(&self, until: Nanos) -> u64 {
        thread::sleep(Duration::from(until - self.clock.now()));
        self.clock.monotonic_at(self.clock.now())
    }
}
