//! The flags of `export`. Types only.

use std::path::PathBuf;

use benchhost_model::LoadPoint;
use clap::{ArgGroup, Args, ValueEnum};

/// In which form a run is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportForm {
    /// `vllm bench serve --save-detailed`: one line a load point and repeat
    Vllm,
    /// `profile_export_aiperf.json`: one line a load point and repeat; with `--requests`, one a request
    Aiperf,
    /// `benchmarks.json` of `GuideLLM`
    Guidellm,
    /// One JSON object a request, with all columns
    Jsonl,
    /// One row a request as a Parquet file, with all columns typed
    Parquet,
    /// The summary as an `OpenMetrics` text
    Openmetrics,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("into").required(true).args(["form", "parquet", "jsonl", "openmetrics"])))]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct ExportArgs {
    /// Directory of a run
    pub(crate) run: PathBuf,
    /// In which form; the switches below name some, too [default: none, one must be named]
    #[arg(long = "as", value_enum, value_name = "FORM")]
    form: Option<ExportForm>,
    /// The same as `--as parquet`
    #[arg(long)]
    parquet: bool,
    /// The same as `--as jsonl`
    #[arg(long)]
    jsonl: bool,
    /// The same as `--as openmetrics`
    #[arg(long)]
    openmetrics: bool,
    /// Write to this file [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Take only this load point, as `concurrency=8` [default: all]
    #[arg(long, value_name = "LOAD")]
    pub(crate) load: Option<LoadPoint>,
    /// Take only this repeat [default: all]
    #[arg(long, value_name = "N")]
    pub(crate) repeat: Option<u32>,
    /// Of `aiperf`: one line a request (`profile_export.jsonl`) instead of aggregates
    #[arg(long)]
    pub(crate) requests: bool,
    /// Of `jsonl`: with the gaps between output events
    #[arg(long)]
    pub(crate) gaps: bool,
    /// Of `parquet`: write the output events too, one row each, to this second file [default: none]
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,
}

impl ExportArgs {
    /// The form; the group of flags demands exactly one.
    pub(crate) fn form(&self) -> ExportForm {
        match self.form {
            Some(form) => form,
            None if self.parquet => ExportForm::Parquet,
            None if self.openmetrics => ExportForm::Openmetrics,
            None => ExportForm::Jsonl,
        }
    }
}
