//! `manifest.json`: what was measured with what. Written before the first request, rewritten once at the end.

use std::collections::BTreeMap;

use benchhost_model::Target;
use serde::{Deserialize, Serialize};

/// Everything that must be known to read or repeat a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) schema_version: u32,
    pub(crate) tool: String,
    pub(crate) run_id: String,
    /// Seconds since 1970 at the run's start.
    pub(crate) started_unix_s: u64,
    pub(crate) target: Target,
    /// Of `plan.toml`.
    pub(crate) plan_digest: String,
    pub(crate) seed: u64,
    pub(crate) engines: Vec<EngineFacts>,
    pub(crate) workloads: Vec<WorkloadFacts>,
    pub(crate) gpus: Vec<String>,
    /// Why there are no GPU figures; empty when there are.
    pub(crate) gpu_note: String,
    pub(crate) gpu_price_usd_per_hour: Option<f64>,
    /// Facts of the machine that ran benchhost, as the telemetry crate gives them.
    pub(crate) host: serde_json::Value,
    /// What could not be sent as asked, and similar; each once.
    #[serde(default)]
    pub(crate) notes: Vec<String>,
    /// Template overhead, by engine and workload.
    #[serde(default)]
    pub(crate) calibration: Vec<CalibrationFacts>,
    /// `complete`, `interrupted`, `failed`, `recovered`, or empty while running and after a kill.
    #[serde(default)]
    pub(crate) ended: String,
}

/// A component, as loaded.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PluginFacts {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) sha256: String,
    /// `embedded` or a path.
    pub(crate) origin: String,
}

/// One engine, as found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EngineFacts {
    pub(crate) plugin: PluginFacts,
    pub(crate) variant: String,
    pub(crate) url: String,
    pub(crate) route: String,
    pub(crate) model: String,
    /// The server's own word; empty when it has none.
    pub(crate) server_version: String,
    pub(crate) models_served: Vec<String>,
    pub(crate) options: BTreeMap<String, String>,
    /// Names only: values may be secrets.
    pub(crate) header_names: Vec<String>,
    /// The variable that held the key; empty: none was sent.
    pub(crate) api_key_from: String,
}

/// One workload, as opened.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct WorkloadFacts {
    /// `None` for prompts of the user's own.
    pub(crate) plugin: Option<PluginFacts>,
    pub(crate) label: String,
    pub(crate) items: u32,
    pub(crate) options: BTreeMap<String, String>,
    /// Slot to file name and SHA-256.
    pub(crate) data: BTreeMap<String, (String, String)>,
    /// Direction of each score: higher is better.
    pub(crate) scores: BTreeMap<String, bool>,
}

/// What one untimed request told about the prompt template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct CalibrationFacts {
    pub(crate) engine: String,
    pub(crate) variant: String,
    pub(crate) workload: String,
    /// Prompt tokens the server counted.
    pub(crate) server_tokens: u32,
    /// Prompt tokens the workload made.
    pub(crate) made_tokens: u32,
}
