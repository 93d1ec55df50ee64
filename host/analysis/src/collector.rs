//! Takes the rows of a run one by one and hands out one summary row a load point. Finds each row's point; what a point
//! makes of its rows is not known here.

use benchhost_model::{PointFacts, Record, SummaryRow};

use crate::flow::EventTimes;
use crate::objective::Objective;
use crate::point::Point;
use crate::summary;

/// Gaps of one load point that are kept one by one: 64 MB.
const EXACT_GAPS_A_POINT: usize = 4_000_000;
/// Gaps of all load points together that are: 192 MB.
const EXACT_GAPS: usize = 12_000_000;

/// What figures depend on beside the rows.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What a good request keeps; none: no goodput.
    pub objectives: Vec<Objective>,
    /// US dollars an hour for all GPUs together.
    pub gpu_price_usd_per_hour: Option<f64>,
}

/// What the GPUs did over a stretch of time; a figure the samples cannot carry is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct GpuFigures {
    /// Peak memory, summed over GPUs, in MiB.
    pub peak_mib: Option<f64>,
    /// Mean power, summed over GPUs, in watts.
    pub power_w: Option<f64>,
    /// Energy, summed over GPUs, in joules.
    pub energy_j: Option<f64>,
}

/// The rows of a run on their way to figures.
#[derive(Debug)]
pub struct Collector {
    options: Options,
    facts: Vec<PointFacts>,
    points: Vec<Point>,
    /// The point of the row before: rows of a point mostly follow one another.
    current: usize,
}

impl Collector {
    /// Nothing yet. `facts` are those of the points whose rows will come; a point without any has no declared window and
    /// no verdict beyond what its rows tell. Of two facts of the same point the later counts.
    pub fn new(options: Options, facts: Vec<PointFacts>) -> Self {
        Self { options, facts, points: Vec::new(), current: 0 }
    }

    /// Takes a row, of any phase, with its output events if they were kept. Rows may come in any order.
    pub fn push(&mut self, record: &Record, events: Option<EventTimes<'_>>) {
        let index = self.point_of(record);
        self.current = index;
        let others: usize =
            self.points.iter().enumerate().filter(|(i, _)| *i != index).map(|(_, p)| p.exact_gaps()).sum();
        let room = EXACT_GAPS.saturating_sub(others).min(EXACT_GAPS_A_POINT);
        self.points[index].push(record, events, room);
    }

    fn point_of(&mut self, record: &Record) -> usize {
        if self.points.get(self.current).is_some_and(|p| p.key().holds(record)) {
            return self.current;
        }
        if let Some(found) = self.points.iter().position(|p| p.key().holds(record)) {
            return found;
        }
        let facts = self.facts.iter().rev().find(|f| f.key.holds(record)).cloned();
        self.points.push(Point::new(record, facts));
        self.points.len() - 1
    }

    /// One row for each point with measured requests, in order of appearance. `gpu` tells what the GPUs did between two
    /// times on the run's clock.
    pub fn finish(self, gpu: &mut dyn FnMut(u64, u64) -> GpuFigures) -> Vec<SummaryRow> {
        let Self { options, points, .. } = self;
        let measured = points.into_iter().filter(Point::is_measured);
        measured.map(|point| summary::row(point, &options, gpu)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use benchhost_model::{LoadPoint, Outcome, Phase};

    fn finish(collector: Collector) -> Vec<SummaryRow> {
        collector.finish(&mut |_, _| GpuFigures::default())
    }

    #[test]
    fn rows_find_their_points_in_any_order_and_warm_up_alone_is_no_point() {
        let mut collector = Collector::new(Options::default(), Vec::new());
        for (n, phase) in [
            (1, Phase::Warmup),
            (2, Phase::Measured),
            (3, Phase::Measured),
            (2, Phase::Measured),
            (2, Phase::Drain),
        ] {
            let load = LoadPoint::Concurrency(n);
            collector.push(&Record { load, phase, outcome: Outcome::Completed, ..Record::blank() }, None);
        }
        let rows = finish(collector);
        let seen: Vec<(String, u64)> =
            rows.iter().map(|r| (r.load.to_string(), r.counts.scheduled)).collect();
        assert_eq!(seen, [("concurrency=2".to_owned(), 2), ("concurrency=3".to_owned(), 1)]);
    }

    #[test]
    fn a_point_measured_again_for_another_purpose_is_another_point() {
        let mut collector = Collector::new(Options::default(), Vec::new());
        for role in ["", "anchor", ""] {
            collector.push(&Record { role: role.into(), ..Record::blank() }, None);
        }
        let rows = finish(collector);
        assert_eq!(
            rows.iter().map(|r| (r.role.as_str(), r.counts.scheduled)).collect::<Vec<_>>(),
            [("", 2), ("anchor", 1)]
        );
    }
}
