//! Tables and pictures from summaries.
//!
//! Text goes in, text and pictures come out: no file is read or written and nothing is printed. The only arithmetic is the
//! mean, the lowest and the highest of repeats; every other figure arrives computed.
//!
//! - [`summary_table`], [`summary_csv`], [`summary_json`]: a run's summary for people, spreadsheets and programs.
//! - [`pictures`]: every figure the rows allow ([`sweep`], [`bars`], [`parameter_sweep`]); [`timeline`]: what servers and
//!   GPUs held over the run; [`render_png`] makes a bitmap.
//! - [`ComparisonTable`]: the form of a comparison, as text, Markdown and JSON.
//!
//! Whatever shows a figure of the built-in simulator says so in words.

#![forbid(unsafe_code)]

mod comparison;
mod error;
mod lines;
mod metric;
mod numbers;
mod pictures;
mod series;
mod tables;

pub use comparison::{ComparedGroup, ComparedRow, ComparisonTable, Difference, Side, Word};
pub use error::ReportError;
pub use pictures::{
    Caption, Curve, Picture, Span, Svg, Timeline, bars, parameter_sweep, pictures, render_png, sweep, timeline,
};
pub use tables::{TABLE_WIDTH, TableStyle, summary_columns, summary_csv, summary_json, summary_table};

#[cfg(test)]
mod fixtures;
