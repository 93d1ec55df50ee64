//! One check: a load offered, and how far its figures lay from the truth.

use benchhost_load::{Control, LoadReport};
use benchhost_model::{IoThreadFacts, QuantilesNs, Reason, SelfCheckFacts, Verdict};
use serde::{Deserialize, Serialize};

use crate::compare::{Window, compare};
use crate::errors::StampErrors;
use crate::limits::Limits;
use crate::offer::{Given, OfferError, offer};
use crate::server::{ServerAccount, ServerUnderTruth};
use crate::shape::{Offered, Shape};

/// What a check found.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SelfCheck {
    /// Streams at a time that were asked for; missing with a rate.
    pub streams: Option<u32>,
    /// Requests a second that were asked for; missing with streams.
    pub rate: Option<f64>,
    /// Time between two events of a stream, nanoseconds.
    pub gap_ns: u64,
    /// Events of an answer.
    pub events_per_answer: u32,
    /// Events a second that were asked for.
    pub asked_events_per_s: f64,
    /// Events a second that the server wrote while it was judged.
    pub written_events_per_s: f64,
    /// Time that was judged, nanoseconds.
    pub judged_ns: u64,
    /// Events that were written in that time and read.
    pub events: u64,
    /// Answers that were asked for in that time.
    pub answers: u64,
    /// Answers that failed or came short.
    pub failed: u64,
    /// Errors with the kernel's stamps; missing where there are none.
    pub kernel: Option<StampErrors>,
    /// Errors with the program's own stamps.
    pub user: StampErrors,
    /// Share of events that the kernel stamped, 0–1.
    pub kernel_share: f64,
    /// Share of events that shared a read with a later one because the server or the network sent them together, 0–1.
    pub together_share: f64,
    /// The same because this program was late, 0–1: their own time is not known.
    pub censored_share: f64,
    /// Sent minus due.
    pub slip: Option<QuantilesNs>,
    /// Of that, the program's own part: without waiting for a slot or a connection.
    pub slip_gen: Option<QuantilesNs>,
    /// CPU time of the I/O threads per event, nanoseconds.
    pub cpu_per_event_ns: f64,
    /// The I/O threads.
    pub io: Vec<IoThreadFacts>,
    /// The server's own account.
    pub server: ServerAccount,
    /// VALID, SUSPECT or INVALID.
    pub verdict: Option<Verdict>,
    /// Limits that were passed, worst first.
    pub reasons: Vec<Reason>,
}

/// Offers the load and judges what was recorded. Takes the shape's time and the length of an answer; `control` ends it
/// earlier.
pub fn measure(shape: &Shape, server: &ServerUnderTruth, control: &Control) -> Result<SelfCheck, OfferError> {
    measure_within(shape, server, control, &Limits::default())
}

pub(crate) fn measure_within(
    shape: &Shape,
    server: &ServerUnderTruth,
    control: &Control,
    limits: &Limits,
) -> Result<SelfCheck, OfferError> {
    let given = offer(shape, server, None, control)?;
    let mut check = judged(shape, &given);
    check.reasons = limits.judge(&check);
    check.verdict = Some(check.reasons.first().map_or(Verdict::Valid, |worst| worst.verdict));
    Ok(check)
}

fn judged(shape: &Shape, given: &Given) -> SelfCheck {
    let window = Window { from: given.from, until: given.until };
    let seen = compare(&given.finished, given.clock, window, shape.events);
    let part_of = |part: u64| if seen.events > 0 { part as f64 / seen.events as f64 } else { 0.0 };
    let judged_ns = given.until.saturating_sub(given.from);
    let io = io_facts(&given.report);
    let cpu: u64 = io.iter().filter_map(|thread| thread.cpu_ns).sum();
    let kernel = seen.kernel.summed();
    SelfCheck {
        streams: if let Offered::Streams(streams) = shape.offered { Some(streams) } else { None },
        rate: if let Offered::Rate(rate) = shape.offered { Some(rate) } else { None },
        gap_ns: u64::try_from(shape.gap.as_nanos()).unwrap_or(u64::MAX),
        events_per_answer: shape.events,
        asked_events_per_s: shape.events_per_s(),
        // Of what the server wrote in the window, everything was read in the end: bodies are whole or cut by the end.
        written_events_per_s: seen.events as f64 / (judged_ns.max(1) as f64 / 1e9),
        judged_ns,
        events: seen.events,
        answers: seen.answers,
        failed: seen.failed,
        kernel: kernel.receive.is_some().then_some(kernel),
        user: seen.user.summed(),
        kernel_share: part_of(seen.kernel_stamped),
        together_share: part_of(seen.together),
        censored_share: part_of(seen.censored),
        slip: Some(given.slip).filter(|slip| slip.count > 0),
        slip_gen: Some(given.slip_gen).filter(|slip| slip.count > 0),
        cpu_per_event_ns: if seen.all_events > 0 { cpu as f64 / seen.all_events as f64 } else { 0.0 },
        io,
        server: given.server,
        verdict: None,
        reasons: Vec::new(),
    }
}

fn io_facts(report: &LoadReport) -> Vec<IoThreadFacts> {
    report
        .io
        .iter()
        .map(|thread| IoThreadFacts {
            cpu_ns: Some(thread.cpu_ns),
            busy_p50: thread.busy_p50,
            busy_p99: thread.busy_p99,
            involuntary: Some(thread.involuntary),
            run_queue_ns: thread.run_queue_ns,
            granted: thread.granted.clone(),
        })
        .collect()
}

impl SelfCheck {
    /// The errors of the stamps that a run uses: the kernel's where nearly all events have them.
    pub fn best(&self) -> StampErrors {
        match self.kernel {
            Some(kernel) if self.kernel_share > 0.99 => kernel,
            _ => self.user,
        }
    }

    /// The busiest I/O thread's 99th percentile of the share of a core, 0–1.
    pub fn busy_p99(&self) -> f64 {
        self.io.iter().filter_map(|thread| thread.busy_p99).fold(0.0, f64::max)
    }

    /// What the check found as a fact of a load point.
    pub fn facts(&self) -> SelfCheckFacts {
        let best = self.best();
        let words: Vec<&str> = self.reasons.iter().map(|reason| reason.text.as_str()).collect();
        SelfCheckFacts {
            ttft: best.ttft.map(|errors| errors.abs),
            gap: best.gap.map(|errors| errors.abs),
            tpot: best.tpot.map(|errors| errors.abs),
            e2e: best.e2e.map(|errors| errors.abs),
            lateness: self.slip,
            coalesced_share: Some(self.together_share + self.censored_share),
            could_not_bear: words.join("; "),
        }
    }
}
