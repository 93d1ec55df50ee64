//! What a foreign result holds, in our terms. Plain data.

use std::fmt;

use benchhost_model::{LoadPoint, Record};
use serde::Serialize;

/// The program that wrote a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tool {
    /// `vllm bench serve`, the Python and the Rust one; they write the same keys.
    VllmBench,
    /// NVIDIA `AIPerf`.
    Aiperf,
    /// `GuideLLM`.
    Guidellm,
    /// `SGLang`'s `bench_serving`, the Python and the Rust one.
    Sglang,
    /// The Kubernetes project's `inference-perf`.
    InferencePerf,
}

impl Tool {
    /// What people call it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::VllmBench => "vLLM bench",
            Self::Aiperf => "AIPerf",
            Self::Guidellm => "GuideLLM",
            Self::Sglang => "SGLang bench_serving",
            Self::InferencePerf => "inference-perf",
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

/// Which number of a distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// One value for the whole run.
    Total,
    /// Arithmetic mean.
    Mean,
    /// Median.
    P50,
    /// 90th percentile.
    P90,
    /// 95th percentile.
    P95,
    /// 99th percentile.
    P99,
}

impl Statistic {
    /// As columns spell it; empty for [`Statistic::Total`].
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Total => "",
            Self::Mean => "mean",
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P95 => "p95",
            Self::P99 => "p99",
        }
    }
}

/// One number, under our name for what it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// Our metric: `ttft`, `tpot_n1`, `req_s_makespan`, …
    pub metric: &'static str,
    /// Which number of it.
    pub statistic: Statistic,
    /// In the unit of our metric: milliseconds for latencies, a second for rates.
    pub value: f64,
    /// The name in their file.
    pub theirs: String,
    /// How it still differs from ours, if it does.
    pub note: Option<&'static str>,
}

/// A number of theirs that is none of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unmapped {
    /// The name in their file.
    pub theirs: String,
    /// Why it is left out.
    pub why: &'static str,
}

/// One request, where the file keeps them.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedRequest {
    /// Our row; cells their file does not tell are empty. Times are from the first request's start.
    pub record: Record,
    /// Gaps between output chunks in milliseconds, where kept.
    pub gaps_ms: Vec<f64>,
}

/// One run (or one load point of one).
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedRun {
    /// The engine or backend, as their file names it; empty when it does not.
    pub engine: String,
    /// The model.
    pub model: String,
    /// The load, where it is one that we have a name for.
    pub load: Option<LoadPoint>,
    /// Requests that succeeded and failed.
    pub completed: Option<u64>,
    /// Requests that failed.
    pub failed: Option<u64>,
    /// Aggregates.
    pub figures: Vec<Figure>,
    /// What could not be mapped.
    pub unmapped: Vec<Unmapped>,
    /// Requests, in order of start; empty when the file has only aggregates.
    pub requests: Vec<ImportedRequest>,
}

/// A foreign result.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// Who wrote it.
    pub tool: Tool,
    /// Its version, where the file says.
    pub version: Option<String>,
    /// Its runs, in the file's order.
    pub runs: Vec<ImportedRun>,
    /// What a reader of the figures must know, once a file.
    pub remarks: Vec<&'static str>,
}

impl ImportedRun {
    /// A run of which nothing is known yet.
    pub(crate) fn blank() -> Self {
        Self {
            engine: String::new(),
            model: String::new(),
            load: None,
            completed: None,
            failed: None,
            figures: Vec::new(),
            unmapped: Vec::new(),
            requests: Vec::new(),
        }
    }

    /// A figure by our names.
    pub fn figure(&self, metric: &str, statistic: Statistic) -> Option<&Figure> {
        self.figures.iter().find(|f| f.metric == metric && f.statistic == statistic)
    }
}
