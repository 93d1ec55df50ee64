//! Result files of other benchmarks: read into our named definitions, and our results written in their forms. Knows the
//! nouns and JSON; does not open files, compare or print.
//!
//! The same word is different numbers in different tools. Each reader therefore says, figure by figure, which of *our*
//! definitions a number of theirs is, and for every number that is none of them, why.

#![forbid(unsafe_code)]

mod export;
mod figure;
mod import;

pub use export::{Exporter, Form, Origin, openmetrics};
pub use figure::{Figure, Imported, ImportedRequest, ImportedRun, Statistic, Tool, Unmapped};
pub use import::{InteropError, looks_foreign, read};
