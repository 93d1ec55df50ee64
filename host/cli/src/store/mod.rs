//! The results of a run as this program sees them: the files are `benchhost_store`'s; here are the manifest, under what a
//! run was made, and the words for what goes wrong with a file.

mod manifest;
mod reader;
mod resume;

pub(crate) use benchhost_store::{
    Completion, EventBlock, Joined, Journal, Layout, Mended, OutputRow, ResumeState, RunWriter,
    SCHEMA_VERSION, Sharing, StampsFrom, TelemetryRow, digest_hex, mend, new_run_id, read_telemetry,
    write_atomic,
};
pub(crate) use manifest::{CalibrationFacts, EngineFacts, Manifest, PluginFacts, WorkloadFacts};
pub(crate) use reader::read_manifest;
pub(crate) use resume::{Resumable, resumable};
