//! One directory per run: append-only while running, readable after a crash at any byte.
//!
//! `layout` names the files, `rows` is the form of `requests.csv`, `append` owns one append-only file and `writer` all of
//! a run's, `reader` reads back and drops torn tails, `conditions` finds under what a run was made. Nothing here computes
//! a figure.

mod append;
mod conditions;
mod layout;
mod manifest;
mod reader;
mod rows;
mod writer;

pub(crate) use conditions::read_conditions;
pub(crate) use layout::{Layout, new_run_id};
pub(crate) use manifest::{
    CalibrationFacts, EngineFacts, Manifest, PluginFacts, SCHEMA_VERSION, WorkloadFacts, digest_hex,
};
pub(crate) use reader::{RowFile, read_events, read_manifest, read_requests, read_telemetry};
pub(crate) use rows::{EventsRow, OutputRow, TelemetryRow};
pub(crate) use writer::{RunWriter, write_atomic};
