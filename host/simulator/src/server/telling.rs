//! Tells one answer, step by step or in one piece, and breaks it where the fault plan says so.
//!
//! The engine says when, the wire says how; headers are `service`'s business.

use bytes::Bytes;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::stream::{Abandoned, Paced, Sink};
use crate::dialect::{Api, Events, Reply, Speak, Trouble, Wire};
use crate::engine::{Generation, Step};
use crate::fault::Fault;

/// Size of the frames of an endless body.
const FILL: usize = 64 << 10;
/// Bytes of the fault `garbage`.
const GARBAGE: usize = 4096;
/// What in-band errors say.
const BROKEN: &str = "simulated failure during generation";

/// One answer, ready to be told.
pub(super) struct Telling {
    /// The dialect.
    pub(super) speak: &'static dyn Speak,
    /// The route.
    pub(super) api: Api,
    /// The request in the engine.
    pub(super) generation: Generation,
    /// Writes events and whole answers.
    pub(super) wire: Box<dyn Wire>,
    /// What goes wrong.
    pub(super) fault: Option<Fault>,
    /// Whether events are stamped.
    pub(super) stamp: bool,
    /// When the request arrived, on the monotonic clock.
    pub(super) arrival: u64,
    /// Source of garbage.
    pub(super) seed: u64,
}

/// Whether a broken answer goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    GoOn,
    Stop,
}

impl Telling {
    /// Writes the answer as a stream.
    pub(super) async fn stream(mut self, sink: Sink) -> Result<(), Abandoned> {
        let mut events = self.speak.events(self.api, self.stamp).arrived(self.arrival);
        self.wire.open(&mut events);
        sink.send(events.take()).await;
        if let Some(Fault::Endless(bytes)) = self.fault {
            return endless(bytes, &sink).await;
        }
        let half = self.generation.script().len() / 2;
        while let Some(step) = self.generation.next().await {
            let due = step.last || step.written as usize > half;
            if due && self.break_off(&sink, &mut events).await? == Flow::Stop {
                return Ok(());
            }
            self.tell(&step, &mut events);
            self.generation.wrote(&step);
            sink.send(events.take()).await;
        }
        // An answer without tokens breaks here.
        if self.break_off(&sink, &mut events).await? == Flow::Stop {
            return Ok(());
        }
        let tally = self.generation.tally();
        self.generation.complete();
        self.wire.close(self.generation.script(), &tally, &mut events);
        sink.send(events.take()).await;
        Ok(())
    }

    fn tell(&mut self, step: &Step, events: &mut Events) {
        let tally = self.generation.tally();
        self.wire.step(step, self.generation.script(), &tally, events);
    }

    /// Applies the fault, once.
    async fn break_off(&mut self, sink: &Sink, events: &mut Events) -> Result<Flow, Abandoned> {
        match self.fault.take() {
            Some(Fault::InBandError) => {
                self.speak.in_band(self.api, BROKEN, events);
                sink.send(events.take()).await;
                Ok(Flow::Stop)
            }
            Some(Fault::Truncated) => Ok(Flow::Stop),
            Some(Fault::Garbage) => {
                sink.send(garbage(self.seed)).await;
                Ok(Flow::Stop)
            }
            Some(Fault::CloseMidStream) => {
                // One turn, in which hyper writes out what it holds.
                tokio::task::yield_now().await;
                Err(Abandoned)
            }
            Some(Fault::Stall(pause)) => {
                self.generation.pause(pause).await;
                Ok(Flow::GoOn)
            }
            _ => Ok(Flow::GoOn),
        }
    }

    /// The answer in one piece, with the same faults as far as they make sense there.
    pub(super) async fn whole(mut self) -> (Reply, Paced) {
        while self.generation.next().await.is_some() {}
        if let Some(Fault::Stall(pause)) = self.fault {
            self.generation.pause(pause).await;
        }
        let mut reply = self.wire.whole(self.generation.script(), &self.generation.tally());
        let mut bytes = Bytes::from(std::mem::take(&mut reply.body));
        match self.fault {
            Some(Fault::InBandError) => {
                let error = self.speak.failure(&Trouble::Fault(500));
                return (Reply { status: 200, ..error.clone() }, fixed(Bytes::from(error.body)));
            }
            Some(Fault::Truncated) => bytes.truncate(bytes.len() / 2),
            Some(Fault::Garbage) => bytes = garbage(self.seed),
            Some(Fault::CloseMidStream) => {
                bytes.truncate(bytes.len() / 2);
                let body = Paced::written(async move |sink: Sink| {
                    sink.send(bytes).await;
                    tokio::task::yield_now().await;
                    Err(Abandoned)
                });
                return (reply, body);
            }
            Some(Fault::Endless(length)) => {
                return (reply, Paced::written(async move |sink: Sink| endless(length, &sink).await));
            }
            _ => self.generation.complete(),
        }
        (reply, fixed(bytes))
    }
}

fn fixed(bytes: Bytes) -> Paced {
    Paced::Fixed(Some(bytes))
}

/// One event that goes on for this many bytes and never ends.
async fn endless(bytes: u64, sink: &Sink) -> Result<(), Abandoned> {
    sink.send(Bytes::from_static(b"data: {\"simulated\":\"")).await;
    let fill = Bytes::from(vec![b'x'; FILL]);
    let mut left = bytes;
    while left > 0 {
        let size = usize::try_from(left).unwrap_or(FILL).min(FILL);
        sink.send(fill.slice(..size)).await;
        left -= size as u64;
    }
    Ok(())
}

/// Random bytes; among so many there are always invalid UTF-8 and control characters.
fn garbage(seed: u64) -> Bytes {
    let mut bytes = vec![0; GARBAGE];
    ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut bytes);
    Bytes::from(bytes)
}
