//! One directory per run: append-only while running, readable after a crash at any byte.
//!
//! `layout` names the files, `rows` is the form of `requests.csv`, `writer` appends, `reader` reads back and drops torn
//! tails. Nothing here computes a figure.

mod layout;
mod manifest;
mod reader;
mod rows;
mod writer;

pub(crate) use layout::{Layout, new_run_id};
pub(crate) use manifest::{
    CalibrationFacts, EngineFacts, Manifest, PluginFacts, SCHEMA_VERSION, WorkloadFacts, digest_hex,
};
pub(crate) use reader::{RowFile, read_events, read_manifest, read_requests, read_telemetry};
pub(crate) use rows::{EventsRow, OutputRow, TelemetryRow};
pub(crate) use writer::{RunWriter, write_atomic};
