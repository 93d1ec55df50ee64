//! One load point on the way: its rows in compact form and the sums that need no second look. Knows rows; figures are
//! made elsewhere.

use std::collections::BTreeMap;

use benchhost_model::{Outcome, OutcomeCounts, Phase, PointFacts, PointKey, Record, Target};
use benchhost_stats::Window;
use hdrhistogram::Histogram;

use crate::flow::{EventTimes, Flow};
use crate::gaps::GapPool;
use crate::kept::Kept;

/// Counts and sums over the measured requests.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) counts: OutcomeCounts,
    pub(crate) failures: BTreeMap<String, u64>,
    pub(crate) failure_examples: BTreeMap<String, String>,
    pub(crate) retried: u64,
    pub(crate) length_mismatches: u64,
    pub(crate) unstreamed: u64,
    /// Sum and number of each score.
    pub(crate) scores: BTreeMap<String, (f64, f64)>,
}

/// A load point.
#[derive(Debug)]
pub(crate) struct Point {
    pub(crate) target: Target,
    pub(crate) arrivals: String,
    pub(crate) facts: PointFacts,
    /// Whether the facts came from the run, or only the key did from a row.
    pub(crate) known: bool,
    /// The window that was declared.
    pub(crate) declared: Option<Window>,
    /// Rows of all phases.
    pub(crate) rows: Vec<Kept>,
    pub(crate) tally: Tally,
    pub(crate) flow: Flow,
    pub(crate) gaps: GapPool,
    /// Tokens an output event.
    pub(crate) chunks: Option<Histogram<u64>>,
    pub(crate) chunk_tokens: f64,
}

impl Point {
    pub(crate) fn new(record: &Record, facts: Option<PointFacts>) -> Self {
        let known = facts.is_some();
        let facts =
            facts.unwrap_or_else(|| PointFacts { key: PointKey::of(record), ..PointFacts::default() });
        let ends = facts.measured_from_ns.zip(facts.measured_until_ns);
        let declared = ends.and_then(|(from, until)| Window::new(from, until).ok());
        Self {
            target: record.target,
            arrivals: if facts.arrivals.is_empty() {
                record.arrivals.clone()
            } else {
                facts.arrivals.clone()
            },
            known,
            declared,
            rows: Vec::new(),
            tally: Tally::default(),
            flow: Flow::new(declared),
            gaps: GapPool::default(),
            chunks: Histogram::new(3).ok(),
            chunk_tokens: 0.0,
            facts,
        }
    }

    pub(crate) fn key(&self) -> &PointKey {
        &self.facts.key
    }

    pub(crate) fn is_measured(&self) -> bool {
        self.tally.counts.scheduled > 0
    }

    pub(crate) fn exact_gaps(&self) -> usize {
        self.gaps.exact()
    }

    /// Takes a row. `room`: gaps that may be kept one by one.
    pub(crate) fn push(&mut self, record: &Record, events: Option<EventTimes<'_>>, room: usize) {
        let inside = self.flow.add(record, events);
        self.rows.push(Kept::of(record).with_inside(inside));
        if record.phase != Phase::Measured {
            return;
        }
        self.tally.add(record);
        if record.outcome != Outcome::Completed {
            return;
        }
        if let Some(events) = events {
            if self.gaps.exact() + events.at.len() > room {
                self.gaps.spill();
            }
            self.pool(record, events);
        }
    }

    /// Gaps between the output events of a completed request, and the sizes of the events.
    fn pool(&mut self, record: &Record, events: EventTimes<'_>) {
        let count = events.at.len();
        let told = (events.tokens.len() == count).then_some(events.tokens);
        let one_each = record.output_tokens.is_some_and(|n| n as usize == count);
        let tokens = |index: usize| match told {
            Some(tokens) => tokens.get(index).copied(),
            None => one_each.then_some(1),
        };
        for index in 0..count {
            if let (Some(n), Some(chunks)) = (tokens(index).filter(|n| *n > 0), &mut self.chunks) {
                chunks.saturating_record(u64::from(n));
                self.chunk_tokens += f64::from(n);
            }
        }
        if events.censored.len() != count && record.censored > 0 {
            // Which events are meant is not known, so no gap of this request is.
            self.gaps.leave_out(count.saturating_sub(1) as u64);
            return;
        }
        let censored = |index: usize| events.censored.get(index).copied().unwrap_or(false);
        for (index, gap) in events.at.iter().enumerate().skip(1) {
            // A gap has two ends, and needs the time of both.
            if censored(index) || censored(index - 1) {
                self.gaps.leave_out(1);
            } else {
                self.gaps.add(*gap, tokens(index));
            }
        }
    }
}

impl Tally {
    fn add(&mut self, record: &Record) {
        let c = &mut self.counts;
        c.scheduled += 1;
        *match record.outcome {
            Outcome::Completed => &mut c.completed,
            Outcome::Failed => &mut c.failed,
            Outcome::HungUp => &mut c.hung_up,
            Outcome::Cut => &mut c.cut,
            Outcome::Shed => &mut c.shed,
            Outcome::Unbuildable => &mut c.unbuildable,
        } += 1;
        self.retried += u64::from(record.attempts > 1);
        let kind = match (record.outcome, record.failure) {
            (_, Some(failure)) => Some(failure.to_string()),
            (Outcome::Unbuildable, None) => Some("unbuildable".to_owned()),
            _ => None,
        };
        if let Some(kind) = kind {
            if !self.failure_examples.contains_key(&kind) {
                self.failure_examples.insert(kind.clone(), record.failure_detail.clone());
            }
            *self.failures.entry(kind).or_insert(0) += 1;
        }
        if record.outcome == Outcome::Completed {
            self.length_mismatches += u64::from(is_mismatch(record));
            self.unstreamed += u64::from(record.events == 1 && record.output_tokens.is_some_and(|n| n > 1));
            for (name, value) in &record.scores {
                let sum = self.scores.entry(name.clone()).or_default();
                sum.0 += value;
                sum.1 += 1.0;
            }
        }
    }
}

fn is_mismatch(r: &Record) -> bool {
    let output = r.output_exact && r.output_tokens.is_some() && r.output_tokens != r.output_tokens_asked;
    // Two of the three are the server's numbers: their sum may pass 32 bits.
    let wide = |n: Option<u32>| n.map(u64::from);
    let made =
        wide(r.input_tokens_asked).zip(wide(r.template_tokens)).map(|(asked, template)| asked + template);
    output || made.zip(wide(r.input_tokens)).is_some_and(|(made, got)| got != made)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(tokens: u32) -> Record {
        Record { outcome: Outcome::Completed, output_tokens: Some(tokens), ..Record::blank() }
    }

    fn point_of(record: &Record, events: EventTimes<'_>) -> Point {
        let mut point = Point::new(record, None);
        point.push(record, Some(events), 1000);
        point
    }

    #[test]
    fn a_gap_at_either_side_of_a_censored_event_is_left_out_and_counted() {
        let censored = [false, true, false, false, false];
        let point =
            point_of(&completed(5), EventTimes { at: &[9, 1, 2, 3, 4], tokens: &[], censored: &censored });
        let icl = point.gaps.icl();
        assert_eq!((icl.n, icl.censored, icl.min), (2, Some(2), Some(3e-6)));
    }

    #[test]
    fn where_it_is_not_known_which_events_are_censored_no_gap_is_used() {
        let record = Record { censored: 1, ..completed(3) };
        let point = point_of(&record, EventTimes { at: &[9, 1, 2], tokens: &[], censored: &[] });
        assert_eq!((point.gaps.icl().n, point.gaps.icl().censored), (0, Some(2)));
    }

    #[test]
    fn chunks_are_counted_where_their_tokens_are_known() {
        let point = point_of(&completed(9), EventTimes { at: &[1, 1, 1], tokens: &[1, 4, 4], censored: &[] });
        assert_eq!(point.chunks.as_ref().map(Histogram::len), Some(3));
        assert!((point.chunk_tokens - 9.0).abs() < f64::EPSILON);
        let unknown = point_of(&completed(9), EventTimes { at: &[1, 1, 1], tokens: &[], censored: &[] });
        assert_eq!(unknown.chunks.as_ref().map(Histogram::len), Some(0));
    }

    #[test]
    fn token_counts_that_pass_32_bits_together_are_a_mismatch() {
        let mut record = completed(1);
        record.input_tokens_asked = Some(10);
        record.template_tokens = Some(u32::MAX);
        record.input_tokens = Some(9);
        assert!(is_mismatch(&record));
        record.template_tokens = Some(5);
        record.input_tokens = Some(15);
        assert!(!is_mismatch(&record));
    }

    #[test]
    fn outcomes_sum_to_the_schedule() {
        let mut tally = Tally::default();
        for outcome in [
            Outcome::Completed,
            Outcome::Failed,
            Outcome::HungUp,
            Outcome::Cut,
            Outcome::Shed,
            Outcome::Unbuildable,
        ] {
            tally.add(&Record { outcome, ..Record::blank() });
        }
        let c = tally.counts;
        assert_eq!(c.scheduled, c.completed + c.failed + c.hung_up + c.cut + c.shed + c.unbuildable);
        assert_eq!(tally.failures.get("unbuildable"), Some(&1));
    }
}
