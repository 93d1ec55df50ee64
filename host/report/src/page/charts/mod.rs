//! Which charts the rows allow, as the data that `page.js` draws: one module a family of charts. A chart without data is
//! left out, and its reason is told.

mod bars;
mod compare;
mod form;
mod grid;
mod latency;
mod memory;
mod sweep;

use benchhost_model::{SummaryRow, WorkloadFamily, workload_families};
use serde::Serialize;

use super::Page;
use crate::pictures::look::{self, Colour};
use crate::series::{Series, distinct, series_of};
pub(super) use form::{Chart, Kind, Line, Panel, Point, View};

/// What the script reads.
#[derive(Debug, Serialize)]
pub(super) struct Data {
    series: Vec<Dress>,
    pub(super) charts: Vec<Chart>,
}

/// Name, colours and mark of a series.
#[derive(Debug, Serialize)]
struct Dress {
    #[serde(rename = "n")]
    name: String,
    /// On white.
    #[serde(rename = "l")]
    light: String,
    /// On the dark page.
    #[serde(rename = "d")]
    dark: String,
    #[serde(rename = "m")]
    mark: usize,
}

/// Charts in the order they are shown, and why the others are not.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) data: Data,
    pub(super) left_out: Vec<String>,
}

/// What every chart is made from.
pub(super) struct Source<'a> {
    pub(super) page: &'a Page<'a>,
    /// The rows of the plan's points; those measured against drift or to search are told in the table.
    pub(super) rows: Vec<&'a SummaryRow>,
    pub(super) series: Vec<Series<'a>>,
    /// Workloads that differ in a number.
    families: Vec<WorkloadFamily>,
}

impl<'a> Source<'a> {
    pub(super) fn of(page: &'a Page<'a>) -> Self {
        let planned = page.rows.iter().any(|r| r.role.is_empty());
        let rows: Vec<&SummaryRow> = page.rows.iter().filter(|r| !planned || r.role.is_empty()).collect();
        let series = series_of(&rows);
        let families = workload_families(rows.iter().map(|r| r.workload.as_str()));
        Self { page, rows, series, families }
    }

    /// The rows of a workload and a kind of load, in the order of the first of each.
    fn swept(&self) -> Vec<(&'a str, &'static str, Vec<&'a SummaryRow>)> {
        let key = |r: &'a SummaryRow| (r.workload.as_str(), r.load.kind());
        let of = |k: (&str, &str)| self.rows.iter().copied().filter(|r| key(r) == k).collect();
        distinct(&self.rows, key).into_iter().map(|k| (k.0, k.1, of(k))).collect()
    }

    /// One of several workloads that differ in a number.
    fn member(&self, workload: &str) -> bool {
        self.families.iter().any(|family| family.number(workload).is_some())
    }

    pub(super) fn simulated(&self) -> bool {
        self.series.iter().any(|s| s.simulated)
    }
}

/// All charts.
pub(super) fn charts(source: &Source<'_>) -> Chosen {
    let mut left_out = Vec::new();
    let mut charts = sweep::charts(source);
    charts.extend(bars::charts(source, &mut left_out));
    charts.extend(latency::charts(source, &mut left_out));
    charts.extend(grid::ablations(source, &mut left_out));
    charts.extend(grid::heats(source, &mut left_out));
    charts.extend(compare::pareto(source, &mut left_out));
    charts.extend(compare::cost(source, &mut left_out));
    let mut dresses = dresses(source);
    charts.extend(memory::charts(source, &mut left_out, &mut |label| {
        let place = dresses.len();
        let look = look::in_order(place);
        dresses.push(dress(label, look.colour, place));
        place
    }));
    charts.extend(super::lanes::charts(source, &mut left_out));
    for (i, chart) in charts.iter_mut().enumerate() {
        chart.id = format!("{i}");
    }
    Chosen { data: Data { series: dresses, charts }, left_out }
}

fn dresses(source: &Source<'_>) -> Vec<Dress> {
    let looks = look::looks(&source.series, source.page.colours);
    source.series.iter().zip(looks).enumerate().map(|(i, (s, l))| dress(&s.label, l.colour, i)).collect()
}

fn dress(label: &str, colour: Colour, place: usize) -> Dress {
    Dress {
        name: crate::lines::clean(label),
        light: hex(colour),
        dark: hex(look::on_dark(colour)),
        mark: place % 5,
    }
}

fn hex(Colour(r, g, b): Colour) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}
