//! Every figure that the data allow, and why the others are not there.

use benchhost_model::SummaryRow;

use super::{
    Caption, Picture, Timeline, bars, cost, heat, lanes, parameter_sweep, quality, spread, sweep, timeline,
    tradeoff,
};
use crate::series::{
    Family, Lanes, Latencies, NO_GRID, NO_LANES, NO_LATENCIES, NO_PRICE, NO_SCORES, NO_TRADE, Scored,
    families, headline,
};

/// What figures are made of.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// Rows of all runs.
    pub rows: &'a [SummaryRow],
    /// Distributions, thinned.
    pub latencies: &'a [Latencies],
    /// Single requests, a few a point.
    pub lanes: &'a [Lanes],
    /// Scores with their intervals.
    pub scored: &'a [Scored],
    /// What servers and GPUs held.
    pub timeline: &'a Timeline,
}

/// Figures, and the reasons of those that are missing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gallery {
    /// All names differ.
    pub pictures: Vec<Picture>,
    /// `name: reason`, one line each.
    pub left_out: Vec<String>,
}

/// Draws everything. The members of a family of workloads are points of its own figures and get few of their own.
pub fn gallery(material: &Material<'_>, caption: &Caption) -> Gallery {
    let rows = headline(material.rows);
    let alone = alone(&rows);
    let mut made = Gallery { pictures: pictures(material.rows, caption), left_out: Vec::new() };
    let mut add = |figures: Vec<Picture>, reason: &str| {
        if figures.is_empty() {
            made.left_out.push(reason.to_owned());
        }
        made.pictures.extend(figures);
    };
    add(spread::spreads(&alone, material.latencies, caption), NO_LATENCIES);
    add(tradeoff::tradeoffs(&alone, caption), NO_TRADE);
    add(cost::costs(&alone, caption), NO_PRICE);
    add(heat::heats(&rows, caption), NO_GRID);
    add(quality::qualities(&alone, material.scored, caption), NO_SCORES);
    add(lanes::lanes(&alone, material.lanes, caption), NO_LANES);
    let over_time = "what servers held over time: neither engines nor GPUs told of it";
    add(timeline(material.timeline, caption).into_iter().collect(), over_time);
    made
}

/// The figures of rows alone: [`sweep`] and [`bars`] of each workload, and [`parameter_sweep`] of each family of
/// workloads. The members of a family are points of its figure: they get no bars of their own, and a sweep only over
/// several loads. Empty for no rows.
pub fn pictures(rows: &[SummaryRow], caption: &Caption) -> Vec<Picture> {
    let all = headline(rows);
    let families = families(&all);
    let member = |r: &&SummaryRow| is_member(&families, r);
    let swept = |r: &&SummaryRow| all.iter().any(|o| o.workload == r.workload && o.load != r.load);
    let of = |keep: &dyn Fn(&&SummaryRow) -> bool| -> Vec<SummaryRow> {
        all.iter().copied().filter(keep).cloned().collect()
    };
    let mut made = sweep(&of(&|r| !member(r) || swept(r)), caption);
    made.extend(bars(&of(&|r| !member(r)), caption));
    made.extend(parameter_sweep(rows, caption));
    made
}

fn is_member(families: &[Family<'_>], row: &SummaryRow) -> bool {
    families.iter().any(|f| f.of.number(&row.workload).is_some())
}

/// Rows of workloads that are no members of a family; where every workload is one, those of each family's last member:
/// the most work.
fn alone<'a>(rows: &[&'a SummaryRow]) -> Vec<&'a SummaryRow> {
    let families = families(rows);
    let alone: Vec<&SummaryRow> = rows.iter().copied().filter(|r| !is_member(&families, r)).collect();
    if !alone.is_empty() {
        return alone;
    }
    let last: Vec<&str> =
        families.iter().filter_map(|f| f.of.members.last()).map(|(_, label)| label.as_str()).collect();
    rows.iter().copied().filter(|r| last.contains(&r.workload.as_str())).collect()
}
