//! Tables and pictures from summaries.
//!
//! Text goes in, text and pictures come out: no file is read or written and nothing is printed. The only arithmetic is the
//! mean, the lowest and the highest of repeats; every other figure arrives computed.
//!
//! - [`summary_table`], [`summary_csv`], [`summary_json`]: a run's summary for people, spreadsheets and programs.
//! - [`pictures`]: every figure the rows allow ([`sweep`], [`bars`], [`parameter_sweep`]); [`timeline`]: what servers and
//!   GPUs held over the run; [`render_png`] makes a bitmap.
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
    ChangeFigure, ChangeScale, ComparedGroup, ComparedRow, ComparisonTable, HistoryTable, RankPlace,
    RankTable, ShiftLine, Side, Tone,
};
pub use error::ReportError;
pub use findings::{findings_json, findings_sentences};
pub use page::{Lane, Lanes, Latencies, LatencyKind, Page, Place, RunNote, page};
pub use pictures::{
    Caption, Curve, Picture, Span, Svg, Timeline, bars, parameter_sweep, pictures, render_png, sweep,
    timeline,
};
pub use tables::{TABLE_WIDTH, TableStyle, summary_columns, summary_csv, summary_json, summary_table};

#[cfg(test)]
mod fixtures;
