//! One row of `summary.csv`: the figures of one engine, variant, workload, load point and repeat. A figure the data
//! cannot support is `None`, never 0.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{LoadPoint, Target};

/// How many scheduled requests came to which end. Warm-up is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OutcomeCounts {
    /// All of them.
    pub scheduled: u64,
    /// Whole answers.
    pub completed: u64,
    /// Went wrong.
    pub failed: u64,
    /// Cut off when the run stopped.
    pub cut: u64,
    /// Never sent.
    pub shed: u64,
    /// Could not be built.
    pub unbuildable: u64,
}

/// A latency's distribution over completed requests (for ITL: over tokens), in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Distribution {
    /// Observations.
    pub n: u64,
    /// Arithmetic mean.
    pub mean: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 90th percentile, type 7.
    pub p90: Option<f64>,
    /// 99th percentile, type 7; `None` when the sample cannot support it.
    pub p99: Option<f64>,
}

/// The figures of one point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SummaryRow {
    /// The run.
    pub run_id: String,
    /// Adapter.
    pub engine: String,
    /// Label.
    pub variant: String,
    /// Model.
    pub model: String,
    /// Real or simulated.
    pub target: Target,
    /// Workload.
    pub workload: String,
    /// Load point.
    pub load: LoadPoint,
    /// Repeat, from 1.
    pub repeat: u32,
    /// Outcomes.
    pub counts: OutcomeCounts,
    /// Failures by kind (`http_503`: 3).
    pub failures: BTreeMap<String, u64>,
    /// First message of each kind of failure.
    pub failure_examples: BTreeMap<String, String>,
    /// First send to last output event of the measured requests, in seconds (the makespan).
    pub duration_s: Option<f64>,
    /// Completed requests a second over the makespan.
    pub req_s: Option<f64>,
    /// Output tokens of completed requests a second over the makespan.
    pub out_tok_s: Option<f64>,
    /// Input and output tokens a second over the makespan.
    pub total_tok_s: Option<f64>,
    /// Sum over completed requests; `None` if any is unknown.
    pub input_tokens: Option<u64>,
    /// Sum over completed requests; `None` if any is unknown.
    pub output_tokens: Option<u64>,
    /// Time to first token.
    pub ttft: Distribution,
    /// Time to first token from the scheduled time.
    pub ttft_sched: Distribution,
    /// Time per output token after the first event.
    pub tpot: Distribution,
    /// Inter-token latency over tokens.
    pub itl: Distribution,
    /// End-to-end latency.
    pub e2e: Distribution,
    /// Median of tokens / (e2e − ttft), in tokens a second.
    pub decode_tok_s_p50: Option<f64>,
    /// Requests whose answer arrived on a second connection.
    pub retried: u64,
    /// Completed requests whose exact length was asked for and not met.
    pub length_mismatches: u64,
    /// Peak GPU memory, summed over GPUs, in MiB.
    pub gpu_mem_peak_mib: Option<f64>,
    /// Mean GPU power, summed over GPUs, in watts.
    pub gpu_power_mean_w: Option<f64>,
    /// GPU energy of the point in joules.
    pub gpu_energy_j: Option<f64>,
    /// US dollars per million output tokens at the price given.
    pub usd_per_mtok_out: Option<f64>,
    /// Mean of each score over scored requests.
    pub scores: BTreeMap<String, f64>,
}
