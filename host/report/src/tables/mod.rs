//! A run's summary as tables for people ([`summary_table`]), as CSV and as JSON. The columns of the files are described
//! in `COLUMNS.md`.

mod beside;
mod columns;
mod files;
pub(crate) mod grid;
mod objectives;
mod remarks;
mod summary;
mod trust;

pub use files::{summary_columns, summary_csv, summary_json};
pub use grid::{TABLE_WIDTH, TableStyle};
pub use summary::summary_table;
