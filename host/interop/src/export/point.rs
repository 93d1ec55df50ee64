//! The measured requests of one load point and repeat, as numbers, until its aggregates can be made.

use benchhost_model::{LoadPoint, Nanos, Outcome, Record, Target};
use serde::Serialize;

/// What an exported file says of where its figures come from; stands in it as `benchhost`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Provenance {
    /// `benchhost 0.1.0`.
    pub(super) exported_by: String,
    /// Whether the server was the built-in simulator.
    pub(super) target: Target,
    pub(super) run_id: String,
    pub(super) engine: String,
    pub(super) variant: String,
    pub(super) model: String,
    pub(super) workload: String,
    pub(super) load: LoadPoint,
    pub(super) arrivals: String,
    pub(super) repeat: u32,
    pub(super) role: String,
}

impl Provenance {
    pub(super) fn of(record: &Record, exported_by: &str) -> Self {
        Self {
            exported_by: exported_by.to_owned(),
            target: record.target,
            run_id: record.run_id.clone(),
            engine: record.engine.clone(),
            variant: record.variant.clone(),
            model: record.model.clone(),
            workload: record.workload.clone(),
            load: record.load,
            arrivals: record.arrivals.clone(),
            repeat: record.repeat,
            role: record.role.clone(),
        }
    }

    /// Whether `record` is of the same point.
    fn covers(&self, record: &Record) -> bool {
        self.repeat == record.repeat
            && self.load.key() == record.load.key()
            && self.role == record.role
            && self.engine == record.engine
            && self.variant == record.variant
            && self.workload == record.workload
            && self.run_id == record.run_id
    }
}

/// One request.
pub(super) struct Kept {
    pub(super) outcome: Outcome,
    pub(super) item: Box<str>,
    pub(super) turn: u32,
    /// Failure and detail; empty for a whole answer.
    pub(super) error: Box<str>,
    pub(super) sched: Nanos,
    pub(super) send: Option<Nanos>,
    pub(super) first: Option<Nanos>,
    pub(super) answer: Option<Nanos>,
    pub(super) last: Option<Nanos>,
    pub(super) end: Option<Nanos>,
    pub(super) input: Option<u32>,
    pub(super) output: Option<u32>,
    pub(super) reasoning: Option<u32>,
    pub(super) cached: Option<u32>,
    pub(super) events: u32,
    pub(super) ttft_ms: Option<f64>,
    pub(super) ttfat_ms: Option<f64>,
    pub(super) tpot_n1_ms: Option<f64>,
    pub(super) e2e_ms: Option<f64>,
    /// Its gaps in [`Point::gaps_ns`].
    gaps: std::ops::Range<usize>,
}

impl Kept {
    pub(super) fn is_whole(&self) -> bool {
        self.outcome == Outcome::Completed
    }
}

/// The measured requests of one load point and repeat.
pub(super) struct Point {
    pub(super) of: Provenance,
    pub(super) requests: Vec<Kept>,
    gaps_ns: Vec<u64>,
}

impl Point {
    pub(super) fn new(record: &Record, exported_by: &str) -> Self {
        Self { of: Provenance::of(record, exported_by), requests: Vec::new(), gaps_ns: Vec::new() }
    }

    pub(super) fn covers(&self, record: &Record) -> bool {
        self.of.covers(record)
    }

    pub(super) fn push(&mut self, record: &Record, gaps_ns: &[u64]) {
        let from = self.gaps_ns.len();
        self.gaps_ns.extend_from_slice(gaps_ns);
        self.requests.push(Kept {
            outcome: record.outcome,
            item: record.item.as_str().into(),
            turn: record.turn,
            error: error_text(record).into(),
            sched: record.t_sched_ns,
            send: record.t_send_ns,
            first: record.t_first_ns,
            answer: record.t_answer_ns,
            last: record.t_last_ns,
            end: record.t_end_ns,
            input: record.input_tokens,
            output: record.output_tokens,
            reasoning: record.reasoning_tokens,
            cached: record.cached_tokens,
            events: record.events,
            ttft_ms: record.ttft_ms,
            ttfat_ms: record.ttfat_ms,
            tpot_n1_ms: record.tpot_n1_ms,
            e2e_ms: record.e2e_ms,
            gaps: from..self.gaps_ns.len(),
        });
    }

    /// Gaps between the output events of a request in nanoseconds; empty where they were not kept.
    pub(super) fn gaps_ns(&self, request: &Kept) -> &[u64] {
        &self.gaps_ns[request.gaps.clone()]
    }

    /// Requests with a whole answer.
    pub(super) fn whole(&self) -> impl Iterator<Item = &Kept> {
        self.requests.iter().filter(|r| r.is_whole())
    }

    /// Whether the events of every whole answer of several events were kept; without, gaps would be those of a few.
    pub(super) fn has_gaps(&self) -> bool {
        self.whole().all(|r| self.gaps_ns(r).len() + 1 >= r.events as usize) && !self.gaps_ns.is_empty()
    }

    /// Gaps of all whole answers in milliseconds; nothing where [`Point::has_gaps`] is false.
    pub(super) fn all_gaps_ms(&self) -> impl Iterator<Item = f64> {
        let known = self.has_gaps();
        self.whole().filter(move |_| known).flat_map(|r| self.gaps_ns(r)).map(|gap| Nanos::new(*gap).as_ms())
    }

    /// From the first send to the last output event; `None` where nothing was answered.
    pub(super) fn span(&self) -> Option<(Nanos, Nanos)> {
        let from = self.requests.iter().filter_map(|r| r.send).min()?;
        let until = self.requests.iter().filter_map(|r| r.last).max()?;
        (until > from).then_some((from, until))
    }

    /// Length of [`Point::span`] in seconds.
    pub(super) fn seconds(&self) -> Option<f64> {
        self.span().map(|(from, until)| (until - from).as_secs())
    }

    /// Sum over whole answers; `None` if one is not known.
    pub(super) fn total(&self, of: fn(&Kept) -> Option<u32>) -> Option<u64> {
        self.whole().map(|r| of(r).map(u64::from)).sum()
    }
}

/// Why there is no whole answer, in words; empty when there is one.
pub(super) fn error_text(record: &Record) -> String {
    let kind = match (record.outcome, record.failure) {
        (Outcome::Completed, _) => return String::new(),
        (Outcome::Failed, Some(failure)) => failure.to_string(),
        (outcome, _) => outcome.as_str().to_owned(),
    };
    if record.failure_detail.is_empty() { kind } else { format!("{kind}: {}", record.failure_detail) }
}
