//! A series of results over time: where the level of a figure changed. Slow drifts pass one comparison after the other.
//! Knows figures in the order of their results.

use std::collections::BTreeMap;

use benchhost_stats::{Direction, change_points};

use crate::gather::Sheet;
use crate::metric::metrics;
use crate::ranking::figure;

/// Level at which a change of level counts: the best cut is the largest of many.
pub const ALPHA: f64 = 0.001;
/// Fewest values of a series: five on either side of a change.
pub const FEWEST: usize = 10;

/// A change of level.
#[derive(Debug, Clone, PartialEq)]
pub struct Shift {
    /// Workload, load and configuration.
    pub heading: String,
    /// The figure.
    pub metric: String,
    /// Its unit.
    pub unit: String,
    /// The first result at the new level, as a position among the results given.
    pub result: usize,
    /// Mean level before.
    pub before: f64,
    /// Mean level from there on.
    pub after: f64,
    /// Whether the new level is worse.
    pub worse: bool,
    /// p-value of Welch's t between the two stretches.
    pub p: f64,
}

/// What a series tells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// By heading and figure, then by time.
    pub shifts: Vec<Shift>,
    /// Figures that were looked at.
    pub series: usize,
    /// Figures with too few results.
    pub short: usize,
}

/// Looks for changes in every figure. Results come in the order of time; each counts once, by the mean of its runs.
pub fn history(sheets: &[Sheet]) -> History {
    type Key = (String, String);
    struct Track {
        unit: &'static str,
        direction: Direction,
        values: Vec<(usize, f64)>,
    }
    let mut tracks: BTreeMap<Key, Track> = BTreeMap::new();
    for (at, sheet) in sheets.iter().enumerate() {
        for group in &sheet.groups {
            let heading = format!("{} · {}", group.config.title(), group.heading());
            for metric in metrics(group.load) {
                let values: Vec<f64> = group.runs.iter().filter_map(|run| figure(&metric, run)).collect();
                if values.is_empty() {
                    continue;
                }
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                let new = || Track { unit: metric.unit, direction: metric.direction, values: Vec::new() };
                tracks
                    .entry((heading.clone(), metric.name.clone()))
                    .or_insert_with(new)
                    .values
                    .push((at, mean));
            }
        }
    }
    let mut out = History::default();
    for ((heading, metric), track) in tracks {
        if track.values.len() < FEWEST {
            out.short += 1;
            continue;
        }
        out.series += 1;
        let values: Vec<f64> = track.values.iter().map(|(_, value)| *value).collect();
        for point in change_points(&values, ALPHA) {
            let rose = point.after > point.before;
            out.shifts.push(Shift {
                heading: heading.clone(),
                metric: metric.clone(),
                unit: track.unit.to_owned(),
                result: track.values[point.index].0,
                before: point.before,
                after: point.after,
                worse: rose == (track.direction == Direction::LowerIsBetter),
                p: point.p,
            });
        }
    }
    out
}
