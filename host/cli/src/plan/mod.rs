//! From flags and a plan file to a [`Plan`] that can be run: layering, defaults, checks, and where each value came from.
//!
//! `draft` is what one source says (a file, the flags, a profile) and `mistakes` words what is wrong with it; `resolve`
//! merges drafts, with a room each for `engines`, `workloads`, `sweep` and `load`, and `check` judges what the values say
//! together; `arrivals`, `leaving`, `phases` and `slo` have the small forms of their keys; `write` makes the stored plan
//! and `show` prints values with origins. Nothing here touches a server or a component.

mod arrivals;
mod check;
mod draft;
mod duration;
mod engines;
mod flags;
mod leaving;
mod load;
mod mistakes;
mod phases;
mod profile;
mod resolve;
mod share;
mod show;
mod slo;
mod sweep;
mod workloads;
mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use benchhost_analysis::Objective;
use benchhost_load::Process;
use benchhost_model::{LoadPoint, Route};

use crate::args::RunArgs;
use crate::error::{CliError, CliResult};

pub(crate) use arrivals::{Shape, Thinking, Window};
pub(crate) use leaving::{Leaving, Patience};
pub(crate) use phases::{Drain, PointOrder, Priority, Warmup};
pub(crate) use show::show;
pub(crate) use slo::{Bound, Figure, Requirement, Until};

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
    /// How the simulator behaves in this engine's place, in the words of `benchhost simulate`.
    pub(crate) simulator: Vec<(String, String)>,
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

/// What later turns see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum History {
    /// The model's own answers.
    Model,
    /// The data set's.
    Recorded,
}

/// How much is sent at a load point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Amount {
    /// By the rule in [`Plan::requests_at`].
    Automatic,
    /// This many requests.
    Requests(u32),
    /// For this long.
    For(Duration),
    /// Until a figure is known well enough.
    Until(Until),
}

/// How much of something there is at a load point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// So many items.
    Items(u32),
    /// What fits into this time.
    For(Duration),
    /// All that the trace has.
    Whole,
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Items(n) => write!(f, "{n}"),
            Self::For(span) => f.write_str(&duration::format(*span)),
            Self::Whole => f.write_str("all of the trace"),
        }
    }
}

/// Longest time of a load point that ends by a stop rule.
const LONGEST_UNTIL: Duration = Duration::from_mins(10);
/// Longest time at one rate of a search.
const LONGEST_PROBE: Duration = Duration::from_mins(2);
/// Items of a trace's workload sent before the trace: enough to open connections and to wake the server.
const TRACE_WARMUP: u32 = 4;

/// A checked plan.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) engines: Vec<EngineChoice>,
    pub(crate) workloads: Vec<WorkloadChoice>,
    pub(crate) profile: Option<Sourced<String>>,
    pub(crate) ladder: Sourced<Vec<LoadPoint>>,
    /// Of the ladder's only point, where its rate changes; a workload with a ladder of its own has none.
    pub(crate) shape: Option<Sourced<Shape>>,
    pub(crate) arrivals: Sourced<Process>,
    pub(crate) trace_window: Option<Sourced<Window>>,
    pub(crate) trace_thin: Option<Sourced<f64>>,
    pub(crate) max_concurrency: Option<Sourced<u32>>,
    pub(crate) think: Option<Sourced<Thinking>>,
    pub(crate) hang_up: Option<Sourced<Leaving>>,
    pub(crate) amount: Sourced<Amount>,
    pub(crate) max_duration: Option<Sourced<Duration>>,
    pub(crate) warmup: Sourced<Warmup>,
    pub(crate) drain: Sourced<Drain>,
    pub(crate) repeats: Sourced<u32>,
    pub(crate) interleave: Sourced<bool>,
    pub(crate) order: Sourced<PointOrder>,
    pub(crate) anchor: Sourced<bool>,
    /// Bounds that the highest rate must keep.
    pub(crate) search: Option<Sourced<Vec<Bound>>>,
    pub(crate) slo: Sourced<Vec<Objective>>,
    pub(crate) require: Sourced<Vec<Requirement>>,
    pub(crate) io_threads: Sourced<u32>,
    pub(crate) priority: Sourced<Priority>,
    pub(crate) selfcheck: Sourced<bool>,
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
    pub(crate) gauges: Sourced<bool>,
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

    /// Measured requests at `point` of `workload`; `None`: as many as fit into the time, or as the trace has.
    ///
    /// Automatic: four turnovers and at least 40 in a closed loop (a p90 needs 36 values), 20 s of arrivals (at least 40)
    /// in an open one.
    pub(crate) fn requests_at(&self, workload: &WorkloadChoice, point: LoadPoint) -> Option<u32> {
        if let Some(n) = workload.requests {
            return Some(n);
        }
        let timed = self.search.is_some() || self.shape_of(workload).is_some();
        match self.amount.value {
            Amount::Requests(n) => Some(n),
            Amount::For(_) | Amount::Until(_) => None,
            Amount::Automatic if timed => None,
            Amount::Automatic => match point {
                LoadPoint::Concurrency(c) => Some(c.saturating_mul(4).max(40)),
                LoadPoint::Batch(b) => Some(b.saturating_mul(4).max(40).next_multiple_of(b.max(1))),
                LoadPoint::Rate(r) => Some(whole(r * 20.0).max(40)),
                LoadPoint::Trace(_) => None,
            },
        }
    }

    /// How much is measured at `point` of `workload`.
    pub(crate) fn measured_at(&self, workload: &WorkloadChoice, point: LoadPoint) -> Extent {
        if let Some(n) = self.requests_at(workload, point) {
            return Extent::Items(n);
        }
        let longest = self.max_duration.as_ref().map(|d| d.value);
        match (self.amount.value, self.shape_of(workload)) {
            (Amount::For(span), _) => Extent::For(span),
            (Amount::Until(_), _) => Extent::For(longest.unwrap_or(LONGEST_UNTIL)),
            _ if self.search.is_some() => Extent::For(longest.unwrap_or(LONGEST_PROBE)),
            (_, Some(shape)) => Extent::For(shape.length()),
            _ => Extent::Whole,
        }
    }

    /// What is sent before: one turnover, or one second of arrivals. A rate that changes begins with its first arrival.
    pub(crate) fn warmup_at(&self, workload: &WorkloadChoice, point: LoadPoint) -> Extent {
        match self.warmup.value {
            Warmup::Items(n) => Extent::Items(n),
            Warmup::For(span) => Extent::For(span),
            Warmup::Automatic => Extent::Items(match point {
                LoadPoint::Concurrency(c) | LoadPoint::Batch(c) => c,
                LoadPoint::Rate(_) if self.shape_of(workload).is_some() => 0,
                LoadPoint::Rate(r) => whole(r).max(1),
                LoadPoint::Trace(_) => TRACE_WARMUP,
            }),
        }
    }

    /// The shape of a rate that changes, which the ladder of the plan may have and that of a workload never has.
    pub(crate) fn shape_of(&self, workload: &WorkloadChoice) -> Option<&Shape> {
        self.shape.as_ref().map(|s| &s.value).filter(|_| workload.ladder.is_none())
    }

    /// The load points of all workloads.
    pub(crate) fn all_points(&self) -> impl Iterator<Item = LoadPoint> + '_ {
        self.workloads.iter().flat_map(|w| self.ladder_of(w).iter().copied())
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
