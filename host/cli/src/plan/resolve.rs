//! Lays drafts over one another (flag > file > profile > default) and checks every value.

use std::time::Duration;

use benchhost_analysis::ParseObjectiveError;
use benchhost_load::Process;
use benchhost_load::schedule::WordsError;
use benchhost_model::LoadPoint;

use super::arrivals::{Thinking, Window};
use super::check::check;
use super::draft::{CountOrTime, Draft, Simulate};
use super::engines::engines;
use super::flags::Flags;
use super::leaving::Leaving;
use super::load::{Ladder, amount, ladder};
use super::phases::{Drain, PointOrder, Priority, Warmup, Words as _};
use super::profile::profile;
use super::slo::{Bound, Requirement};
use super::workloads::workloads;
use super::write::write;
use super::{History, Origin, Plan, Sourced, duration};
use crate::error::{CliError, CliResult};

/// Where a search begins when no rate is named, in requests a second.
const FIRST_RATE: f64 = 1.0;

/// The drafts in order of precedence.
pub(super) struct Layers {
    pub(super) flags: Draft,
    pub(super) file: Draft,
    pub(super) profile: Draft,
}

impl Layers {
    /// The first layer that has the value.
    pub(super) fn pick<T>(&self, get: impl Fn(&Draft) -> Option<T>) -> Option<Sourced<T>> {
        [(&self.flags, Origin::Flag), (&self.file, Origin::File), (&self.profile, Origin::Profile)]
            .into_iter()
            .find_map(|(draft, origin)| get(draft).map(|value| Sourced { value, origin }))
    }

    fn or<T>(&self, get: impl Fn(&Draft) -> Option<T>, default: T) -> Sourced<T> {
        self.pick(get).unwrap_or(Sourced { value: default, origin: Origin::Default })
    }

    fn parsed<T>(
        &self,
        key: &str,
        get: impl Fn(&Draft) -> Option<String>,
        parse: impl Fn(&str) -> Result<T, String>,
        default: T,
    ) -> CliResult<Sourced<T>> {
        let Some(text) = self.pick(get) else {
            return Ok(Sourced { value: default, origin: Origin::Default });
        };
        let value = parse(&text.value).map_err(|why| CliError::usage(format!("`{key}`: {why}")))?;
        Ok(Sourced { value, origin: text.origin })
    }

    fn parsed_opt<T>(
        &self,
        key: &str,
        get: impl Fn(&Draft) -> Option<String>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> CliResult<Option<Sourced<T>>> {
        let parsed = self.parsed(key, get, |text| parse(text).map(Some), None)?;
        Ok(parsed.value.map(|value| Sourced { value, origin: parsed.origin }))
    }

    fn parsed_list<T>(
        &self,
        key: &str,
        get: impl Fn(&Draft) -> Option<Vec<String>>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> CliResult<Sourced<Vec<T>>> {
        let Some(texts) = self.pick(get) else {
            return Ok(Sourced { value: Vec::new(), origin: Origin::Default });
        };
        let value = texts.value.iter().map(|t| parse(t)).collect::<Result<_, _>>();
        let value = value.map_err(|why| CliError::usage(format!("`{key}`: {why}")))?;
        Ok(Sourced { value, origin: texts.origin })
    }
}

/// Merges and checks.
pub(super) fn resolve(flags: Flags, file: Option<Draft>) -> CliResult<Plan> {
    let file = file.unwrap_or_default();
    let profile = match flags.draft.profile.as_ref().or(file.profile.as_ref()) {
        Some(name) => profile(name)?,
        None => Draft::default(),
    };
    let Flags { draft, per_engine, per_workload } = flags;
    let layers = Layers { flags: draft, file, profile };
    let (simulate, simulate_origin) = simulate(&layers);
    let Ladder { points: mut ladder, shape } = ladder(&layers)?;
    let search = layers.parsed_list("search", |d| d.search.clone(), Bound::parse)?;
    let search = Some(search).filter(|s| !s.value.is_empty());
    if search.is_some() && ladder.origin == Origin::Default {
        ladder.value = vec![LoadPoint::Rate(FIRST_RATE)];
    }
    let mut plan = Plan {
        engines: engines(&layers, &per_engine)?,
        workloads: workloads(&layers, &per_workload)?,
        profile: layers.pick(|d| d.profile.clone()),
        ladder,
        shape,
        arrivals: layers.parsed(
            "arrivals",
            |d| d.arrivals.clone(),
            |text| text.parse().map_err(|e: WordsError| e.to_string()),
            Process::Poisson,
        )?,
        trace_window: layers.parsed_opt("trace-window", |d| d.trace_window.clone(), Window::parse)?,
        trace_thin: layers.pick(|d| d.trace_thin),
        max_concurrency: layers.pick(|d| d.max_concurrency),
        think: layers.parsed_opt("think", |d| d.think.clone(), Thinking::parse)?,
        hang_up: layers.parsed_opt("hang-up", |d| d.hang_up.clone(), Leaving::parse)?,
        amount: amount(&layers)?,
        max_duration: layers.parsed_opt("max-duration", |d| d.max_duration.clone(), duration::parse)?,
        warmup: warmup(&layers)?,
        drain: layers.parsed("drain", |d| d.drain.clone(), Drain::from_word, Drain::Loaded)?,
        repeats: layers.or(|d| d.repeats, 1),
        interleave: layers.or(|d| d.interleave, false),
        order: layers.parsed("order", |d| d.order.clone(), PointOrder::from_word, PointOrder::Random)?,
        anchor: layers.or(|d| d.no_anchor.map(|no| !no), true),
        search,
        slo: layers.parsed_list(
            "slo",
            |d| d.slo.clone(),
            |text| text.parse().map_err(|e: ParseObjectiveError| e.to_string()),
        )?,
        require: layers.parsed_list("require", |d| d.require.clone(), Requirement::parse)?,
        io_threads: layers.or(|d| d.io_threads, 1),
        priority: layers.parsed("priority", |d| d.priority.clone(), Priority::from_word, Priority::Auto)?,
        selfcheck: layers.or(|d| d.no_selfcheck.map(|no| !no), true),
        seed: layers.or(|d| d.seed, 42),
        max_tokens: layers.or(|d| d.max_tokens.map(Some), None),
        temperature: layers.or(|d| d.temperature, 0.0),
        top_p: layers.or(|d| d.top_p.map(Some), None),
        history: layers.parsed("history", |d| d.history.clone(), History::from_word, History::Model)?,
        timeout: layers.parsed("timeout", |d| d.timeout.clone(), duration::parse, Duration::from_mins(2))?,
        idle_timeout: layers.parsed(
            "idle-timeout",
            |d| d.idle_timeout.clone(),
            duration::parse,
            Duration::from_mins(1),
        )?,
        ready_timeout: layers.parsed(
            "ready-timeout",
            |d| d.ready_timeout.clone(),
            duration::parse,
            Duration::from_secs(10),
        )?,
        tokenizer: layers.pick(|d| d.tokenizer.clone()),
        ca_file: layers.pick(|d| d.ca_file.clone()),
        simulate,
        simulate_origin,
        gpu: layers.parsed("gpu", |d| d.gpu.clone(), parse_auto, true)?,
        gauges: layers.parsed("gauges", |d| d.gauges.clone(), parse_auto, true)?,
        gpu_price: layers.pick(|d| d.gpu_price),
        as_file: String::new(),
    };
    check(&plan)?;
    plan.as_file = write(&plan)?;
    Ok(plan)
}

/// The dialect, empty for the adapter's own, and who decided whether to simulate.
fn simulate(layers: &Layers) -> (Option<Sourced<String>>, Origin) {
    let Some(Sourced { value, origin }) = layers.pick(|d| d.simulate.clone()) else {
        return (None, Origin::Default);
    };
    let dialect = match value {
        Simulate::Switch(false) => None,
        Simulate::Switch(true) => Some(String::new()),
        Simulate::Dialect(name) => Some(name),
    };
    (dialect.map(|value| Sourced { value, origin }), origin)
}

fn warmup(layers: &Layers) -> CliResult<Sourced<Warmup>> {
    let Some(Sourced { value, origin }) = layers.pick(|d| d.warmup.clone()) else {
        return Ok(Sourced { value: Warmup::Automatic, origin: Origin::Default });
    };
    let value = match value {
        CountOrTime::Count(n) => Warmup::Items(n),
        CountOrTime::Time(text) => duration::parse(&text).map(Warmup::For).map_err(|why| {
            CliError::usage(format!("`warmup` is neither a number of items nor a time: {why}"))
        })?,
    };
    Ok(Sourced { value, origin })
}

fn parse_auto(text: &str) -> Result<bool, String> {
    match text {
        "auto" => Ok(true),
        "off" => Ok(false),
        _ => Err(format!("`{text}` is not `auto` or `off`")),
    }
}
