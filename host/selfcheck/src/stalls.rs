//! The proof that an open loop shows stops: of the server, and of this program itself.
//!
//! While the server stands still, requests stay due. Each of them must carry at least the rest of the stop in its latency
//! from the scheduled time; a tool that waits for answers before it sends would show one slow request and leave out the
//! others. When this program itself stops handing out requests, those that were due meanwhile must carry the stop as slip.

use std::time::Duration;

use benchhost_http::RunClock;
use benchhost_load::{Control, Finished, IoPlan};
use benchhost_model::Timeline;
use serde::{Deserialize, Serialize};

use crate::offer::{Given, Hold, OfferError, offer};
use crate::server::ServerUnderTruth;
use crate::shape::Shape;
use crate::told;

/// What is offered, and how long everything stops.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StallShape {
    /// Requests at a rate.
    pub shape: Shape,
    /// The server's stops.
    pub length: Duration,
    /// From one to the next.
    pub period: Duration,
}

/// What was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StallProof {
    /// Stops of the server that it tells of, within the load.
    pub stalls: u64,
    /// The longest of them, nanoseconds.
    pub longest_ns: u64,
    /// Requests that were due while the server stood still.
    pub due: u64,
    /// Of them, those sent before it went on: nobody held them back.
    pub sent: u64,
    /// Of them, those whose latency from the scheduled time is at least the rest of the stop.
    pub shown: u64,
    /// The largest such latency, nanoseconds.
    pub worst_ttft_sched_ns: u64,
    /// This program's own stop.
    pub client: ClientStall,
}

/// A stop of this program itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientStall {
    /// How long no request was handed out, nanoseconds.
    pub length_ns: u64,
    /// Requests that were due meanwhile.
    pub due: u64,
    /// Of them, those whose slip is at least the rest of the stop.
    pub shown: u64,
    /// The largest slip, nanoseconds.
    pub worst_slip_ns: u64,
}

impl StallShape {
    /// 400 requests a second, the server standing still for 50 ms every 300 ms, within `all`.
    pub fn new(io: IoPlan, all: Duration) -> Self {
        let shape = Shape::rate(400.0, 1000.0, io, all).with_events(4);
        Self { shape, length: Duration::from_millis(50), period: Duration::from_millis(300) }
    }

    /// Arguments of `benchhost simulate` that make the server.
    pub fn server_args(&self) -> Vec<String> {
        let mut args = self.shape.server_args();
        let stall = format!("{}ns@every={}ns", self.length.as_nanos(), self.period.as_nanos());
        args.extend(["--stall".to_owned(), stall]);
        args
    }
}

impl StallProof {
    /// Every request that a stop concerned shows it, and there were such.
    pub fn holds(&self) -> bool {
        let server = self.stalls > 0 && self.due > 0 && self.shown == self.due;
        server && self.client.due > 0 && self.client.shown == self.client.due
    }
}

/// Offers the load to a server made with [`StallShape::server_args`].
pub fn stall_proof(
    stalls: &StallShape,
    server: &ServerUnderTruth,
    control: &Control,
) -> Result<StallProof, OfferError> {
    // In the middle of the judged time, so that nothing of it falls out of the load.
    let hold = Hold { at: stalls.shape.warmup + stalls.shape.measured / 2, length: stalls.length };
    Ok(prove(&offer(&stalls.shape, server, Some(hold), control)?))
}

fn prove(given: &Given) -> StallProof {
    let mut proof = StallProof::default();
    let stalls: Vec<[u64; 2]> = given
        .stalls
        .iter()
        .copied()
        .filter(|[from, until]| *until > given.start && *from < given.until)
        .collect();
    proof.stalls = stalls.len() as u64;
    proof.longest_ns = stalls.iter().map(|[from, until]| until.saturating_sub(*from)).max().unwrap_or(0);
    for Finished { timeline, .. } in &given.finished {
        let due = given.clock.monotonic_at(timeline.scheduled);
        if let Some(held) = given.held.filter(|held| held.concerns(due)) {
            proof.client.count(timeline, due, held.until, given.clock);
        } else if let Some([_, until]) = stalls.iter().find(|[from, until]| (*from..*until).contains(&due)) {
            proof.count(timeline, due, *until, given.clock);
        }
    }
    proof.client.length_ns = given.held.map_or(0, |held| held.until.saturating_sub(held.from));
    proof
}

impl StallProof {
    fn count(&mut self, timeline: &Timeline, due: u64, until: u64, clock: RunClock) {
        self.due += 1;
        self.sent += u64::from(timeline.sent.is_some_and(|sent| clock.monotonic_at(sent) < until));
        let Some(first) = first_stamp(timeline, clock) else { return };
        self.worst_ttft_sched_ns = self.worst_ttft_sched_ns.max(first.saturating_sub(due));
        self.shown += u64::from(first >= until);
    }
}

impl ClientStall {
    fn count(&mut self, timeline: &Timeline, due: u64, until: u64, clock: RunClock) {
        self.due += 1;
        let Some(sent) = timeline.sent.map(|sent| clock.monotonic_at(sent)) else { return };
        self.worst_slip_ns = self.worst_slip_ns.max(sent.saturating_sub(due));
        self.shown += u64::from(sent >= until);
    }
}

/// When the first event was there, by the best stamp.
fn first_stamp(timeline: &Timeline, clock: RunClock) -> Option<u64> {
    let first = *told::read(&timeline.body).events.first()?;
    Some(clock.monotonic_at(timeline.mark_for(first.end)?.best().0))
}
