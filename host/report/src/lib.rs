//! Tables and pictures from summaries.
//!
//! Text goes in, text and pictures come out: no file is read or written and nothing is printed. The only arithmetic is the
//! mean, the lowest and the highest of repeats; every other figure arrives computed.
//!
//! - [`summary_table`], [`summary_csv`], [`summary_json`]: a run's summary for people, spreadsheets and programs.
//! - [`gallery`]: every figure that rows, requests and samples allow, and why the others are not there; [`render_png`]
//!   makes a bitmap.
//! - [`page`]: `report.html`, one file with charts to use; [`findings_sentences`], [`findings_json`]: what was found, in words.
//! - [`ComparisonTable`]: the form of a comparison, as text, Markdown and JSON.
//!
//! Whatever shows a figure of the built-in simulator says so in words.

#![forbid(unsafe_code)]

mod comparison;
mod error;
mod findings;
mod lines;
mod metric;
mod numbers;
mod page;
mod pictures;
mod series;
mod tables;

pub use comparison::{
    Banded, ChangeFigure, ChangeScale, ComparedGroup, ComparedRow, ComparisonTable, Detail, DetailLatency,
    Distributed, HistoryTable, PromptChanges, PromptRow, RankPlace, RankTable, ShiftLine, ShiftRow, Side,
    Tone, comparison_page,
};
pub use error::ReportError;
pub use findings::{findings_json, findings_sentences};
pub use page::{Page, RunNote, page};
pub use pictures::{
    Caption, Curve, Gallery, Material, Picture, Span, Svg, Throughput, Timeline, bars, difference_pictures,
    gallery, parameter_sweep, pictures, render_png, sweep, timeline,
};
pub use series::{Lane, Lanes, Latencies, LatencyKind, Place, Scored};
pub use tables::{TABLE_WIDTH, TableStyle, summary_columns, summary_csv, summary_json, summary_table};

#[cfg(test)]
mod fixtures;
