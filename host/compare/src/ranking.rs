//! More than two results: who stands where, with intervals that hold for all at once. Knows groups under the same load.

use benchhost_model::LoadPoint;
use benchhost_stats::{Confidence, Direction, Series, rank};

use crate::decision::Side;
use crate::gather::{Group, Run};
use crate::metric::{Metric, Source, metrics};
use crate::row::{Row, Word};

/// One side's place by one figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Position of the side as given, from 0.
    pub side: usize,
    /// Geometric mean of its runs.
    pub centre: f64,
    /// 95 % interval that holds for all sides at once; `None`: one run.
    pub interval: Option<(f64, f64)>,
    /// Ranks that the data leave open.
    pub ranks: (usize, usize),
}

/// The order by one figure of one group.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// Workload and load.
    pub heading: String,
    /// The figure.
    pub metric: String,
    /// Its unit.
    pub unit: String,
    /// Direction.
    pub direction: Direction,
    /// Best first.
    pub places: Vec<Place>,
}

/// Ranks the sides by every figure that each run of each of them has, at every load that all of them have.
pub fn ranking(sides: &[Side<'_>]) -> Vec<Ranking> {
    let Some(first) = sides.first() else { return Vec::new() };
    let mut out = Vec::new();
    for group in first.sheet.groups.iter().filter(|g| g.config == first.config) {
        let others: Option<Vec<&Group>> = sides.iter().map(|side| counterpart(side, group)).collect();
        let Some(groups) = others else { continue };
        for metric in metrics(group.load) {
            if let Some(places) = places(&groups, &metric) {
                out.push(Ranking {
                    heading: group.heading(),
                    metric: metric.name.clone(),
                    unit: metric.unit.to_owned(),
                    direction: metric.direction,
                    places,
                });
            }
        }
    }
    out
}

fn counterpart<'a>(side: &Side<'a>, group: &Group) -> Option<&'a Group> {
    let same = |load: LoadPoint| load.key() == group.load.key();
    side.sheet.groups.iter().find(|g| g.config == side.config && g.workload == group.workload && same(g.load))
}

fn places(groups: &[&Group], metric: &Metric) -> Option<Vec<Place>> {
    let values = |group: &&Group| -> Option<Series> {
        let of_runs = group.runs.iter().map(|run| figure(metric, run)).collect::<Option<Vec<_>>>()?;
        Series::new(of_runs).ok()
    };
    let sides: Vec<Series> = groups.iter().map(values).collect::<Option<_>>()?;
    let order = rank(&sides, metric.direction, Confidence::P95).ok()?;
    Some(
        order
            .into_iter()
            .map(|p| Place {
                side: p.side,
                centre: p.centre,
                interval: p.interval.map(|i| (i.low, i.high)),
                ranks: (p.best_rank, p.worst_rank),
            })
            .collect(),
    )
}

/// A figure of a run that the analysis made; `None` where it has none.
pub(crate) fn figure(metric: &Metric, run: &Run) -> Option<f64> {
    match metric.source {
        Source::Rate { of, .. } | Source::Whole(of) | Source::Pooled(of) => of(&run.summary),
        Source::Latency(latency) => {
            let figures = latency.of?(&run.summary);
            if latency.quantile.get() > 0.5 { figures.p99 } else { figures.p50 }
        }
        Source::Errors => {
            let (lost, asked) = crate::judge::lost(&run.summary);
            (asked > 0).then(|| lost as f64 / asked as f64 * 100.0)
        }
        Source::Score => None,
    }
}

/// Two values that are shown beside each other and not judged.
pub fn not_judged(metric: &str, unit: &str, higher_is_better: bool, base: f64, new: f64, why: &str) -> Row {
    let change = (base > 0.0).then(|| crate::row::Change { estimate: new / base - 1.0, interval: None });
    Row {
        metric: metric.to_owned(),
        unit: unit.to_owned(),
        direction: if higher_is_better { Direction::HigherIsBetter } else { Direction::LowerIsBetter },
        gates: false,
        base: Some(base),
        new: Some(new),
        scale: crate::row::Scale::Relative,
        change,
        margin: 0.0,
        runs: (1, 1),
        basis: None,
        p: None,
        adjusted: None,
        word: Word::NotJudged(why.to_owned()),
        note: String::new(),
    }
}
