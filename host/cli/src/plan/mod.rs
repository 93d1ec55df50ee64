//! From flags and a plan file to a [`Plan`] that can be run: layering, defaults, checks, and where each value came from.
//!
//! `draft` is what one source says (a file, the flags, a profile); `resolve` merges drafts and checks the result;
//! `show` prints it with origins. Nothing here touches a server or a component.

mod draft;
mod duration;
mod flags;
mod resolve;
mod show;

use std::path::PathBuf;
use std::time::Duration;

use benchhost_model::{LoadPoint, Route};
use serde::Serialize;

use crate::args::RunArgs;
use crate::error::CliResult;

pub(crate) use show::show;

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A flag.
    Flag,
    /// The plan file.
    File,
    /// A named preset.
    Profile,
    /// Built in.
    Default,
}

/// A value and its origin.
#[derive(Debug, Clone)]
pub(crate) struct Sourced<T> {
    /// The value in force.
    pub(crate) value: T,
    /// Who said so.
    pub(crate) origin: Origin,
}

/// One engine to measure.
#[derive(Debug, Clone)]
pub(crate) struct EngineChoice {
    /// Embedded name or path of a component.
    pub(crate) plugin: String,
    /// Base URL; `None`: the adapter's default.
    pub(crate) url: Option<String>,
    /// The `variant` column.
    pub(crate) label: String,
    /// `None`: ask the server.
    pub(crate) model: Option<String>,
    /// `None`: the adapter's first.
    pub(crate) route: Option<Route>,
    /// Options the user set.
    pub(crate) options: Vec<(String, String)>,
    /// Variable with the API key.
    pub(crate) api_key_env: Option<String>,
    /// Further headers.
    pub(crate) headers: Vec<(String, HeaderValue)>,
}

/// A header value: a secret may stand in a variable, and literals never reach a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HeaderValue {
    /// Read from the environment when the run starts.
    Variable(String),
    /// Given on the command line.
    Literal(String),
}

/// Where items come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ItemSource {
    /// A workload component: embedded name or path.
    Plugin(String),
    /// Prompts the user wrote.
    Prompts(Vec<String>),
}

/// One workload to send.
#[derive(Debug, Clone)]
pub(crate) struct WorkloadChoice {
    /// Items.
    pub(crate) source: ItemSource,
    /// The `workload` column; `None`: the component's name.
    pub(crate) label: Option<String>,
    /// Options the user set.
    pub(crate) options: Vec<(String, String)>,
    /// Data files by slot.
    pub(crate) data: Vec<(String, PathBuf)>,
    /// Requests per load point for this workload alone.
    pub(crate) requests: Option<u32>,
    /// A ladder for this workload alone.
    pub(crate) ladder: Option<Vec<LoadPoint>>,
}

/// Arrival process of the open loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Arrivals {
    /// Evenly spaced.
    Constant,
    /// Exponential gaps.
    Poisson,
}

/// What later turns see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum History {
    /// The model's own answers.
    Model,
    /// The data set's.
    Recorded,
}

/// How much is sent at a load point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Amount {
    /// By the rule in [`Plan::requests_at`].
    Automatic,
    /// This many requests.
    Requests(u32),
    /// For this long.
    For(Duration),
}

/// A checked plan.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) engines: Vec<EngineChoice>,
    pub(crate) engines_origin: Origin,
    pub(crate) workloads: Vec<WorkloadChoice>,
    pub(crate) workloads_origin: Origin,
    pub(crate) profile: Option<Sourced<String>>,
    pub(crate) ladder: Sourced<Vec<LoadPoint>>,
    pub(crate) arrivals: Sourced<Arrivals>,
    pub(crate) amount: Sourced<Amount>,
    pub(crate) warmup: Sourced<Option<u32>>,
    pub(crate) repeats: Sourced<u32>,
    pub(crate) seed: Sourced<u64>,
    pub(crate) max_tokens: Sourced<Option<u32>>,
    pub(crate) temperature: Sourced<f64>,
    pub(crate) top_p: Sourced<Option<f64>>,
    pub(crate) history: Sourced<History>,
    pub(crate) timeout: Sourced<Duration>,
    pub(crate) idle_timeout: Sourced<Duration>,
    pub(crate) ready_timeout: Sourced<Duration>,
    pub(crate) tokenizer: Option<Sourced<PathBuf>>,
    pub(crate) ca_file: Option<Sourced<PathBuf>>,
    /// `Some("")`: the adapter's own dialect.
    pub(crate) simulate: Option<Sourced<String>>,
    pub(crate) gpu: Sourced<bool>,
    pub(crate) gpu_price: Option<Sourced<f64>>,
    /// The plan as a file that repeats the run, without secrets.
    pub(crate) as_file: String,
}

impl Plan {
    /// Reads the plan file, if any, lays the flags over it and checks the whole.
    pub(crate) fn from_args(args: &RunArgs) -> CliResult<Self> {
        let file = args.plan.as_deref().map(draft::Draft::read).transpose()?;
        resolve::resolve(flags::draft(args)?, file)
    }

    /// Measured requests at `point` of `workload`; `None`: as many as fit into the duration.
    ///
    /// Automatic: four turnovers and at least 40 in a closed loop (a p90 needs 36 values), 20 s of arrivals (at least 40) in an open one.
    pub(crate) fn requests_at(&self, workload: &WorkloadChoice, point: LoadPoint) -> Option<u32> {
        if let Some(n) = workload.requests {
            return Some(n);
        }
        match self.amount.value {
            Amount::Requests(n) => Some(n),
            Amount::For(_) => None,
            Amount::Automatic => Some(match point {
                LoadPoint::Concurrency(c) => c.saturating_mul(4).max(40),
                LoadPoint::Rate(r) => whole(r * 20.0).max(40),
            }),
        }
    }

    /// Warm-up requests at `point`: one turnover, or one second of arrivals.
    pub(crate) fn warmup_at(&self, point: LoadPoint) -> u32 {
        self.warmup.value.unwrap_or(match point {
            LoadPoint::Concurrency(c) => c,
            LoadPoint::Rate(r) => whole(r).max(1),
        })
    }

    /// The ladder of one workload.
    pub(crate) fn ladder_of<'a>(&'a self, workload: &'a WorkloadChoice) -> &'a [LoadPoint] {
        workload.ladder.as_deref().unwrap_or(&self.ladder.value)
    }
}

/// A non-negative count rounded up; values beyond `u32` are held at its end.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range of u32 just before")]
fn whole(value: f64) -> u32 {
    value.ceil().clamp(0.0, f64::from(u32::MAX)) as u32
}
