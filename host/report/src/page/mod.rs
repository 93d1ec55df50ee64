//! `report.html`: one file that needs no network, from rows and what else is known of the runs.
//!
//! The page allows itself exactly two things by hash, its own script and its own style; whatever a server or a plan said
//! arrives as escaped text or as JSON. Charts are chosen in `charts`, drawn by `assets/page.js`, and repeated as tables.

mod charts;
mod document;
pub(crate) mod escape;
mod headlines;
mod lanes;
mod points;

#[cfg(test)]
mod tests;

use benchhost_model::{Findings, SummaryRow};
use serde_json::Value;

use crate::pictures::{Picture, Timeline};
use crate::series::{Lanes, Latencies};

pub use document::page;
pub(crate) use document::style;

/// Everything the page shows.
#[derive(Debug, Default)]
pub struct Page<'a> {
    /// Rows of all runs.
    pub rows: &'a [SummaryRow],
    /// The runs, in the order given.
    pub runs: Vec<RunNote>,
    /// What was found in the rows.
    pub findings: Findings,
    /// Distributions, thinned.
    pub latencies: Vec<Latencies>,
    /// Single requests, a few a point.
    pub lanes: Vec<Lanes>,
    /// What servers and GPUs held: one a run that has any.
    pub timelines: Vec<(String, Timeline)>,
    /// Objectives as given: name of the latency (`ttft`) and its bound in ms.
    pub objectives: Vec<(String, f64)>,
    /// Colours by engine, or by `engine/variant`.
    pub colours: &'a [(String, [u8; 3])],
    /// Static figures for readers without scripts; the first that fit are taken.
    pub pictures: &'a [Picture],
}

/// One run, for the head and the folded environment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunNote {
    /// Its id.
    pub run_id: String,
    /// When it started, in words.
    pub started: String,
    /// What measured: `benchhost 0.1.0`.
    pub tool: String,
    /// The machine: GPUs, or the processor.
    pub machine: String,
    /// What a reader must know: that it broke off, for instance.
    pub warnings: Vec<String>,
    /// Its manifest.
    pub manifest: Value,
}
