//! From flags and a plan file to a [`Plan`] that can be run: layering, defaults, checks, and where each value came from.
//!
//! `draft` is what one source says (a file, the flags, a profile) and `mistakes` words what is wrong with it; `resolve`
//! merges drafts, with a room each for `engines`, `workloads` and `load`; `write` makes the stored plan and `show` prints
//! values with origins. Nothing here touches a server or a component.

mod draft;
mod duration;
mod engines;
mod flags;
mod load;
mod mistakes;
mod profile;
mod resolve;
mod show;
mod workloads;
mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use benchhost_model::{LoadPoint, Route};
use serde::Serialize;

use crate::args::RunArgs;
use crate::error::{CliError, CliResult};

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

/// Where each value of one engine or workload came from, by key; an option's key is `options.NAME`, and likewise for
/// `headers` and `data`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Origins(BTreeMap<String, Origin>);

impl Origins {
    /// Of one key; a key that nobody set is built in.
    pub(crate) fn of(&self, key: &str) -> Origin {
        self.0.get(key).copied().unwrap_or(Origin::Default)
    }

    fn note(&mut self, key: impl Into<String>, origin: Origin) {
        self.0.insert(key.into(), origin);
    }

    /// Takes the first layer that has a value and notes which one it was.
    fn first<T, const N: usize>(&mut self, key: &str, layers: [(Option<T>, Origin); N]) -> Option<T> {
        let (value, origin) = layers.into_iter().find_map(|(value, origin)| Some((value?, origin)))?;
        self.note(key, origin);
        Some(value)
    }
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
    /// Who said so.
    pub(crate) origins: Origins,
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
    /// Who said so.
    pub(crate) origins: Origins,
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
    pub(crate) workloads: Vec<WorkloadChoice>,
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
    /// Of the choice to simulate or not to.
    pub(crate) simulate_origin: Origin,
    pub(crate) gpu: Sourced<bool>,
    pub(crate) gpu_price: Option<Sourced<f64>>,
    /// The plan as a file that repeats the run, without secrets.
    pub(crate) as_file: String,
}

impl Plan {
    /// Reads the plan file, if any, lays the flags over it and checks the whole.
    pub(crate) fn from_args(args: &RunArgs) -> CliResult<Self> {
        let file = args.plan.as_deref().map(|path| read(path, args)).transpose()?;
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
                LoadPoint::Batch(b) => b.saturating_mul(4).max(40).next_multiple_of(b.max(1)),
                LoadPoint::Rate(r) | LoadPoint::Trace(r) => whole(r * 20.0).max(40),
            }),
        }
    }

    /// Warm-up requests at `point`: one turnover, or one second of arrivals.
    pub(crate) fn warmup_at(&self, point: LoadPoint) -> u32 {
        self.warmup.value.unwrap_or(match point {
            LoadPoint::Concurrency(c) | LoadPoint::Batch(c) => c,
            LoadPoint::Rate(r) | LoadPoint::Trace(r) => whole(r).max(1),
        })
    }

    /// The ladder of one workload.
    pub(crate) fn ladder_of<'a>(&'a self, workload: &'a WorkloadChoice) -> &'a [LoadPoint] {
        workload.ladder.as_deref().unwrap_or(&self.ladder.value)
    }
}

/// Reads a plan file. A word that stands where a file should is often the value of the flag before it.
fn read(path: &Path, args: &RunArgs) -> CliResult<draft::Draft> {
    draft::Draft::read(path).map_err(|error| {
        let word = path.to_str().unwrap_or_default();
        if path.exists() || word.parse::<benchhost_simulator::Dialect>().is_err() {
            error
        } else if args.simulate.as_ref().is_some_and(String::is_empty) {
            error.hint(format!("the dialect to imitate follows an `=`: `--simulate={word}`"))
        } else {
            error.hint(format!("an adapter is named by a flag: `--engine {word}`"))
        }
    })
}

/// The name that results probably have for a plugin: a component's file name without its ending, or the name itself.
fn name_of(plugin: &str) -> &str {
    if !draft::is_path(plugin) {
        return plugin;
    }
    Path::new(plugin).file_stem().and_then(|stem| stem.to_str()).unwrap_or(plugin)
}

/// Labels and model names become cells, file names and lines for people.
fn printable(what: &str, text: &str) -> CliResult<()> {
    if text.chars().any(char::is_control) {
        return Err(CliError::usage(format!("{what} `{}` has control characters", text.escape_debug()))
            .hint("use printable characters; it becomes a cell of every row"));
    }
    Ok(())
}

/// A non-negative count rounded up; values beyond `u32` are held at its end.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of u32 just before"
)]
fn whole(value: f64) -> u32 {
    value.ceil().clamp(0.0, f64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests;
