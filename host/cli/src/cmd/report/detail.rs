//! What charts of single requests need, taken while the rows stream by: latencies of completed requests, and the first
//! requests of each point, and scores. Holds three numbers a request, and those of each score.

use benchhost_model::{Nanos, Outcome, Phase, Record, Target};
use benchhost_report::{Lane, Lanes, Latencies, LatencyKind, Place, Scored};

use super::scored::Scores;

/// Points on their way to charts.
#[derive(Debug, Default)]
pub(super) struct Detail {
    points: Vec<Point>,
    /// Where the last row went; rows of a point mostly follow one another.
    last: usize,
}

/// Charts of single requests.
#[derive(Debug, Default)]
pub(super) struct Details {
    pub(super) latencies: Vec<Latencies>,
    pub(super) lanes: Vec<Lanes>,
    pub(super) scored: Vec<Scored>,
}

#[derive(Debug)]
struct Point {
    place: Place,
    values: [Vec<f64>; 3],
    scores: Scores,
    /// The run and the repeat whose requests are shown as lanes.
    shown: (String, u32),
    lanes: Vec<Request>,
}

/// Times on the run's clock.
#[derive(Debug)]
struct Request {
    due: Nanos,
    sent: Option<Nanos>,
    first: Option<Nanos>,
    last: Option<Nanos>,
    wrong: String,
}

const KINDS: [LatencyKind; 3] = [LatencyKind::Ttft, LatencyKind::Tpot, LatencyKind::E2e];

impl Detail {
    /// Takes a row; only measured requests of the plan's own points count.
    pub(super) fn push(&mut self, record: &Record) {
        if record.phase != Phase::Measured || !record.role.is_empty() {
            return;
        }
        let at = self.place(record);
        let Some(point) = self.points.get_mut(at) else { return };
        point.scores.push(record);
        if record.outcome == Outcome::Completed {
            for (values, value) in
                point.values.iter_mut().zip([record.ttft_ms, record.tpot_ms, record.e2e_ms])
            {
                values.extend(value);
            }
        }
        if (&point.shown.0, point.shown.1) == (&record.run_id, record.repeat) {
            point.lanes.push(Request {
                due: record.t_sched_ns,
                sent: record.t_send_ns,
                first: record.t_first_ns,
                last: record.t_last_ns.or(record.t_end_ns),
                wrong: wrong(record),
            });
            // Rows stand in the order in which requests ended.
            if point.lanes.len() > 8 * Lanes::MOST {
                point.keep_first();
            }
        }
    }

    fn place(&mut self, record: &Record) -> usize {
        let of = |p: &Point| {
            p.place.load.key() == record.load.key()
                && p.place.engine == record.engine
                && p.place.variant == record.variant
                && p.place.model == record.model
                && p.place.workload == record.workload
                && p.place.simulated == (record.target == Target::Simulated)
        };
        if !self.points.get(self.last).is_some_and(of) {
            self.last = self.points.iter().position(of).unwrap_or_else(|| {
                self.points.push(Point::of(record));
                self.points.len() - 1
            });
        }
        self.last
    }

    /// Everything that was taken.
    pub(super) fn finish(self) -> Details {
        let mut details = Details::default();
        for mut point in self.points {
            point.keep_first();
            let base = point.lanes.first().map_or(Nanos::ZERO, |r| r.due);
            let seconds = |at: Nanos| (at - base).as_secs();
            let lanes = point.lanes.into_iter().map(|r| Lane {
                due_s: seconds(r.due),
                sent_s: r.sent.map(seconds),
                first_s: r.first.map(seconds),
                last_s: r.last.map(seconds),
                wrong: r.wrong,
            });
            details.scored.extend(point.scores.finish(&point.place));
            details.lanes.push(Lanes { place: point.place.clone(), lanes: lanes.collect() });
            for (kind, values) in KINDS.into_iter().zip(point.values) {
                details.latencies.push(Latencies::new(point.place.clone(), kind, values));
            }
        }
        details
    }
}

impl Point {
    fn of(record: &Record) -> Self {
        Self {
            place: Place {
                engine: record.engine.clone(),
                variant: record.variant.clone(),
                model: record.model.clone(),
                simulated: record.target == Target::Simulated,
                workload: record.workload.clone(),
                load: record.load,
            },
            values: Default::default(),
            scores: Scores::default(),
            shown: (record.run_id.clone(), record.repeat),
            lanes: Vec::new(),
        }
    }

    fn keep_first(&mut self) {
        self.lanes.sort_by_key(|r| r.due);
        self.lanes.truncate(Lanes::MOST);
    }
}

/// Empty for a request that went well.
fn wrong(record: &Record) -> String {
    match record.outcome {
        Outcome::Completed => String::new(),
        other => record.failure.as_ref().map_or_else(|| other.as_str().to_owned(), ToString::to_string),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(due_ms: u64, repeat: u32) -> Record {
        let at = |ms: u64| Nanos::new((due_ms + ms) * 1_000_000);
        Record {
            run_id: "r".into(),
            repeat,
            outcome: Outcome::Completed,
            t_sched_ns: at(0),
            t_send_ns: Some(at(5)),
            t_first_ns: Some(at(20)),
            t_last_ns: Some(at(100)),
            ttft_ms: Some(15.0),
            ..Record::blank()
        }
    }

    #[test]
    fn the_first_requests_are_shown_whatever_the_order_of_rows() {
        let mut detail = Detail::default();
        for i in (0..2000).rev() {
            detail.push(&record(1000 + i, 1));
        }
        detail.push(&record(0, 2));
        let details = detail.finish();
        let lanes = &details.lanes[0].lanes;
        assert_eq!(lanes.len(), Lanes::MOST);
        assert!(lanes[0].due_s.abs() < 1e-12 && (lanes[0].sent_s.unwrap() - 0.005).abs() < 1e-12);
        assert!(lanes.windows(2).all(|w| w[0].due_s <= w[1].due_s));
    }

    #[test]
    fn only_measured_requests_of_the_plan_count_and_failures_say_why() {
        let mut detail = Detail::default();
        detail.push(&Record { phase: Phase::Warmup, ..record(0, 1) });
        detail.push(&Record { role: "anchor".into(), ..record(0, 1) });
        detail.push(&Record { outcome: Outcome::Shed, t_send_ns: None, ..record(3, 1) });
        let details = detail.finish();
        assert_eq!((details.lanes.len(), details.latencies.len()), (1, 3));
        assert_eq!(details.lanes[0].lanes[0].wrong, "shed");
    }
}
