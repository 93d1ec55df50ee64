//! Lays drafts over one another (flag > file > profile > default) and checks every value.

use std::time::Duration;

use super::draft::{Draft, Simulate};
use super::engines::engines;
use super::flags::Flags;
use super::load::{amount, ladder};
use super::profile::profile;
use super::workloads::workloads;
use super::write::write;
use super::{Amount, Arrivals, History, Origin, Plan, Sourced, duration};
use crate::error::{CliError, CliResult};

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
    let mut plan = Plan {
        engines: engines(&layers, &per_engine)?,
        workloads: workloads(&layers, &per_workload)?,
        profile: layers.pick(|d| d.profile.clone()),
        ladder: ladder(&layers)?,
        arrivals: layers.parsed("arrivals", |d| d.arrivals.clone(), parse_arrivals, Arrivals::Poisson)?,
        amount: amount(&layers)?,
        warmup: layers.or(|d| d.warmup.map(Some), None),
        repeats: layers.or(|d| d.repeats, 1),
        seed: layers.or(|d| d.seed, 42),
        max_tokens: layers.or(|d| d.max_tokens.map(Some), None),
        temperature: layers.or(|d| d.temperature, 0.0),
        top_p: layers.or(|d| d.top_p.map(Some), None),
        history: layers.parsed("history", |d| d.history.clone(), parse_history, History::Model)?,
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
        gpu: layers.parsed("gpu", |d| d.gpu.clone(), parse_gpu, true)?,
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

fn parse_arrivals(text: &str) -> Result<Arrivals, String> {
    match text {
        "constant" => Ok(Arrivals::Constant),
        "poisson" => Ok(Arrivals::Poisson),
        _ => Err(format!("`{text}` is not `constant` or `poisson`")),
    }
}

fn parse_history(text: &str) -> Result<History, String> {
    match text {
        "model" => Ok(History::Model),
        "recorded" => Ok(History::Recorded),
        _ => Err(format!("`{text}` is not `model` or `recorded`")),
    }
}

fn parse_gpu(text: &str) -> Result<bool, String> {
    match text {
        "auto" => Ok(true),
        "off" => Ok(false),
        _ => Err(format!("`{text}` is not `auto` or `off`")),
    }
}

fn check(plan: &Plan) -> CliResult<()> {
    let demand = |ok: bool, what: &str| if ok { Ok(()) } else { Err(CliError::usage(what.to_owned())) };
    demand(plan.repeats.value >= 1, "`repeats` must be 1 or more")?;
    demand(plan.max_tokens.value != Some(0), "`max-tokens` must be 1 or more")?;
    demand(
        plan.temperature.value.is_finite() && (0.0..=10.0).contains(&plan.temperature.value),
        "`temperature` must be between 0 and 10",
    )?;
    demand(plan.top_p.value.is_none_or(|p| p > 0.0 && p <= 1.0), "`top-p` must be above 0 and at most 1")?;
    demand(
        plan.gpu_price.as_ref().is_none_or(|p| p.value.is_finite() && p.value >= 0.0),
        "`gpu-price` must be a number of US dollars an hour, 0 or more",
    )?;
    demand(plan.amount.value != Amount::Requests(0), "`requests` must be 1 or more")
}
