//! Lays drafts over one another (flag > file > profile > default), checks every value, and writes the result as a plan
//! that repeats the run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use benchhost_http::BaseUrl;
use benchhost_model::{LoadPoint, Route};

use super::draft::{Draft, EngineDraft, OptionValue, Simulate, WorkloadDraft};
use super::flags::{Flags, PerEngine, PerWorkload};
use super::{
    Amount, Arrivals, EngineChoice, HeaderValue, History, ItemSource, Origin, Plan, Sourced, WorkloadChoice, duration,
};
use crate::error::{CliError, CliResult};

const DEFAULT_LADDER: [u32; 6] = [1, 2, 4, 8, 16, 32];

/// The drafts in order of precedence.
struct Layers {
    flags: Draft,
    file: Draft,
    profile: Draft,
}

impl Layers {
    /// The first layer that has the value.
    fn pick<T>(&self, get: impl Fn(&Draft) -> Option<T>) -> Option<Sourced<T>> {
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
        let Some(text) = self.pick(get) else { return Ok(Sourced { value: default, origin: Origin::Default }) };
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
    let (engines, engines_origin) = engines(&layers, &per_engine)?;
    let (workloads, workloads_origin) = workloads(&layers, &per_workload)?;
    let mut plan = Plan {
        engines,
        engines_origin,
        workloads,
        workloads_origin,
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
        idle_timeout: layers.parsed("idle-timeout", |d| d.idle_timeout.clone(), duration::parse, Duration::from_mins(1))?,
        ready_timeout: layers.parsed(
            "ready-timeout",
            |d| d.ready_timeout.clone(),
            duration::parse,
            Duration::from_secs(10),
        )?,
        tokenizer: layers.pick(|d| d.tokenizer.clone()),
        ca_file: layers.pick(|d| d.ca_file.clone()),
        simulate: simulate(&layers),
        gpu: layers.parsed("gpu", |d| d.gpu.clone(), parse_gpu, true)?,
        gpu_price: layers.pick(|d| d.gpu_price),
        as_file: String::new(),
    };
    check(&plan)?;
    plan.as_file = write(&plan)?;
    Ok(plan)
}

/// The presets of the studies that benchhost replaces.
fn profile(name: &str) -> CliResult<Draft> {
    let synthetic = |input: &str, output: &str| WorkloadDraft {
        plugin: "synthetic".into(),
        options: [("input-tokens", input), ("output-tokens", output)]
            .map(|(k, v)| (k.to_owned(), OptionValue::Text(v.to_owned())))
            .into(),
        ..WorkloadDraft::default()
    };
    match name {
        // One user at a time: what a single reader feels.
        "latency-bound" => Ok(Draft {
            concurrency: Some(vec![1]),
            requests: Some(50),
            max_tokens: Some(64),
            ..Draft::default()
        }),
        // Many users, longer answers: what the machine can carry.
        "throughput-bound" => Ok(Draft {
            concurrency: Some(vec![8, 16, 32, 64]),
            requests: Some(256),
            max_tokens: Some(256),
            ..Draft::default()
        }),
        // Long prompts and answers on the completions route, 100 requests, 8 in flight.
        "load-2048x1024" => Ok(Draft {
            concurrency: Some(vec![8]),
            requests: Some(100),
            temperature: Some(0.0),
            workload: vec![synthetic("2048", "1024")],
            engine: vec![EngineDraft { api: Some("completions".into()), ..EngineDraft::default() }],
            ..Draft::default()
        }),
        other => Err(CliError::usage(format!("there is no profile `{other}`"))
            .hint("use `latency-bound`, `throughput-bound` or `load-2048x1024`")),
    }
}

fn engines(layers: &Layers, flags: &PerEngine) -> CliResult<(Vec<EngineChoice>, Origin)> {
    let (drafts, origin) = match (&layers.flags.engine[..], &layers.file.engine[..]) {
        ([], []) => {
            return Err(CliError::usage("no engine is named")
                .hint("add `--engine vllm`, or `--engine vllm --simulate` to try without a server")
                .hint("`benchhost plugin list` shows the adapters"));
        }
        ([], file) => (file, Origin::File),
        (flags, _) => (flags, Origin::Flag),
    };
    let count = drafts.len();
    let once_or_each = |flag: &str, list: &[String]| {
        if list.len() <= 1 || list.len() == count {
            return Ok(());
        }
        Err(CliError::usage(format!("`{flag}` is given {} times for {count} engine(s)", list.len()))
            .hint("give it once for all engines, or once for each in order"))
    };
    once_or_each("--label", &flags.label)?;
    once_or_each("--model", &flags.model)?;
    if flags.url.len() > count || (flags.url.len() == 1 && count > 1) {
        return Err(CliError::usage(format!("`--url` is given {} times for {count} engine(s)", flags.url.len()))
            .hint("write `--engine NAME=URL` for each"));
    }
    let preset = layers.profile.engine.first();
    let engines: CliResult<Vec<_>> =
        drafts.iter().enumerate().map(|(i, d)| engine(i, d, flags, preset)).collect();
    let engines = engines?;
    for (i, e) in engines.iter().enumerate() {
        if engines[..i].iter().any(|o| o.plugin == e.plugin && o.label == e.label) {
            return Err(CliError::usage(format!("engine `{}` appears twice with the same label", e.plugin))
                .hint("tell them apart with `--label`, once per engine in order"));
        }
    }
    Ok((engines, origin))
}

fn engine(index: usize, draft: &EngineDraft, flags: &PerEngine, preset: Option<&EngineDraft>) -> CliResult<EngineChoice> {
    let of = |list: &[String]| list.get(index).or(if list.len() == 1 { list.first() } else { None }).cloned();
    let url = flags.url.get(index).cloned().or_else(|| draft.url.clone());
    if let Some(url) = &url {
        url.parse::<BaseUrl>().map_err(|e| CliError::usage(format!("the URL of `{}` is not sound", draft.plugin)).caused_by(&e))?;
    }
    let api = flags.api.clone().or_else(|| draft.api.clone()).or_else(|| preset.and_then(|p| p.api.clone()));
    let route: Option<Route> =
        api.map(|a| a.parse()).transpose().map_err(|e: benchhost_model::ParseRouteError| CliError::usage(e.to_string()))?;
    let mut options = draft.options.clone();
    options.extend(flags.options.iter().map(|(k, v)| (k.clone(), v.clone())));
    let mut headers: Vec<(String, HeaderValue)> = Vec::new();
    for (name, value) in draft.headers.iter().chain(&flags.headers) {
        headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        headers.push((name.clone(), header_value(name, value)?));
    }
    Ok(EngineChoice {
        plugin: draft.plugin.clone(),
        url,
        label: of(&flags.label).or_else(|| draft.label.clone()).unwrap_or_default(),
        model: of(&flags.model).or_else(|| draft.model.clone()),
        route,
        options: options.into_iter().map(|(k, v)| (k, v.to_text())).collect(),
        api_key_env: flags.api_key_env.clone().or_else(|| draft.api_key_env.clone()),
        headers,
    })
}

/// What a stored plan holds in place of a literal header value.
const NOT_STORED: &str = "(given on the command line, not stored)";

fn header_value(name: &str, value: &str) -> CliResult<HeaderValue> {
    if value == NOT_STORED {
        return Err(CliError::usage(format!("the value of header `{name}` was not stored with the plan"))
            .hint(format!("pass it again: `--header '{name}: …'`, or keep it in a variable: `--header '{name}: env:VARIABLE'`")));
    }
    Ok(match value.strip_prefix("env:") {
        Some(variable) => HeaderValue::Variable(variable.to_owned()),
        None => HeaderValue::Literal(value.to_owned()),
    })
}

fn workloads(layers: &Layers, flags: &PerWorkload) -> CliResult<(Vec<WorkloadChoice>, Origin)> {
    let prompts = layers.pick(|d| d.prompts.clone());
    let drafts = layers.pick(|d| (!d.workload.is_empty()).then(|| d.workload.clone()));
    let mut choices = Vec::new();
    let mut origin = Origin::Default;
    if let Some(prompts) = prompts {
        origin = prompts.origin;
        choices.push(WorkloadChoice {
            source: ItemSource::Prompts(prompts.value),
            label: None,
            options: Vec::new(),
            data: Vec::new(),
            requests: None,
            ladder: None,
        });
    }
    if let Some(drafts) = drafts {
        origin = drafts.origin;
        for draft in &drafts.value {
            choices.push(workload(draft, flags)?);
        }
    }
    if choices.is_empty() {
        let empathetic = WorkloadDraft { plugin: "empathetic".into(), ..WorkloadDraft::default() };
        choices.push(workload(&empathetic, flags)?);
    }
    Ok((choices, origin))
}

fn workload(draft: &WorkloadDraft, flags: &PerWorkload) -> CliResult<WorkloadChoice> {
    let mut options = draft.options.clone();
    options.extend(flags.options.iter().map(|(k, v)| (k.clone(), v.clone())));
    let mut data: BTreeMap<String, PathBuf> = draft.data.clone();
    data.extend(flags.data.clone());
    let place = format!("concurrency of workload `{}`", draft.plugin);
    let ladder = match (&draft.concurrency, &draft.rate) {
        (Some(c), None) => Some(concurrency_points(&place, c)?),
        (None, Some(r)) => Some(rate_points(r)?),
        (None, None) => None,
        (Some(_), Some(_)) => {
            return Err(CliError::usage(format!("workload `{}` has both `concurrency` and `rate`", draft.plugin)));
        }
    };
    Ok(WorkloadChoice {
        source: ItemSource::Plugin(draft.plugin.clone()),
        label: draft.label.clone(),
        options: options.into_iter().map(|(k, v)| (k, v.to_text())).collect(),
        data: data.into_iter().collect(),
        requests: draft.requests,
        ladder,
    })
}

fn concurrency_points(place: &str, list: &[u32]) -> CliResult<Vec<LoadPoint>> {
    if list.is_empty() || list.contains(&0) {
        return Err(CliError::usage(format!("`{place}` must be a list of whole numbers above 0")));
    }
    Ok(list.iter().map(|c| LoadPoint::Concurrency(*c)).collect())
}

fn rate_points(list: &[f64]) -> CliResult<Vec<LoadPoint>> {
    if list.is_empty() || list.iter().any(|r| !r.is_finite() || *r <= 0.0) {
        return Err(CliError::usage("`rate` must be a list of numbers above 0 (requests a second)"));
    }
    Ok(list.iter().map(|r| LoadPoint::Rate(*r)).collect())
}

/// A flag for one kind of load hides the file's list of the other kind.
fn ladder(layers: &Layers) -> CliResult<Sourced<Vec<LoadPoint>>> {
    let both = |d: &Draft| d.concurrency.is_some() && d.rate.is_some();
    if both(&layers.flags) || both(&layers.file) {
        return Err(CliError::usage("`concurrency` and `rate` exclude each other")
            .hint("a closed loop has a concurrency, an open loop a rate; make two runs"));
    }
    let lists = layers.pick(|d| {
        d.concurrency.as_ref().map(|c| concurrency_points("concurrency", c)).or_else(|| d.rate.as_ref().map(|r| rate_points(r)))
    });
    match lists {
        Some(Sourced { value, origin }) => Ok(Sourced { value: value?, origin }),
        None => Ok(Sourced {
            value: DEFAULT_LADDER.into_iter().map(LoadPoint::Concurrency).collect(),
            origin: Origin::Default,
        }),
    }
}

fn amount(layers: &Layers) -> CliResult<Sourced<Amount>> {
    let both = |d: &Draft| d.requests.is_some() && d.duration.is_some();
    if both(&layers.flags) || both(&layers.file) {
        return Err(CliError::usage("`requests` and `duration` exclude each other"));
    }
    let picked = layers.pick(|d| {
        let span = |text: &String| duration::parse(text).map(Amount::For).map_err(|w| CliError::usage(format!("`duration`: {w}")));
        d.requests.map(|n| Ok(Amount::Requests(n))).or_else(|| d.duration.as_ref().map(span))
    });
    Ok(match picked {
        Some(Sourced { value, origin }) => Sourced { value: value?, origin },
        None => Sourced { value: Amount::Automatic, origin: Origin::Default },
    })
}

fn simulate(layers: &Layers) -> Option<Sourced<String>> {
    let chosen = layers.pick(|d| d.simulate.clone())?;
    match chosen.value {
        Simulate::Switch(false) => None,
        Simulate::Switch(true) => Some(Sourced { value: String::new(), origin: chosen.origin }),
        Simulate::Dialect(name) => Some(Sourced { value: name, origin: chosen.origin }),
    }
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
    demand(plan.amount.value != Amount::Requests(0), "`requests` must be 1 or more")?;
    demand(plan.workloads.iter().all(|w| w.requests != Some(0)), "`requests` of a workload must be 1 or more")
}

/// The plan as TOML. Secrets are variables or are left out.
fn write(plan: &Plan) -> CliResult<String> {
    let concurrency = |points: &[LoadPoint]| {
        points.iter().map(|p| if let LoadPoint::Concurrency(c) = p { Some(*c) } else { None }).collect::<Option<Vec<_>>>()
    };
    let rate = |points: &[LoadPoint]| {
        points.iter().map(|p| if let LoadPoint::Rate(r) = p { Some(*r) } else { None }).collect::<Option<Vec<_>>>()
    };
    let texts = |list: &[(String, String)]| -> BTreeMap<String, OptionValue> {
        list.iter().map(|(k, v)| (k.clone(), OptionValue::Text(v.clone()))).collect()
    };
    let file = Draft {
        profile: None,
        simulate: plan.simulate.as_ref().map(|s| {
            if s.value.is_empty() { Simulate::Switch(true) } else { Simulate::Dialect(s.value.clone()) }
        }),
        concurrency: concurrency(&plan.ladder.value),
        rate: rate(&plan.ladder.value),
        arrivals: Some(match plan.arrivals.value {
            Arrivals::Constant => "constant".into(),
            Arrivals::Poisson => "poisson".into(),
        }),
        requests: if let Amount::Requests(n) = plan.amount.value { Some(n) } else { None },
        duration: if let Amount::For(d) = plan.amount.value { Some(duration::format(d)) } else { None },
        warmup: plan.warmup.value,
        repeats: Some(plan.repeats.value),
        seed: Some(plan.seed.value),
        max_tokens: plan.max_tokens.value,
        temperature: Some(plan.temperature.value),
        top_p: plan.top_p.value,
        history: Some(if plan.history.value == History::Model { "model".into() } else { "recorded".into() }),
        timeout: Some(duration::format(plan.timeout.value)),
        idle_timeout: Some(duration::format(plan.idle_timeout.value)),
        ready_timeout: Some(duration::format(plan.ready_timeout.value)),
        tokenizer: plan.tokenizer.as_ref().map(|t| t.value.clone()),
        ca_file: plan.ca_file.as_ref().map(|t| t.value.clone()),
        gpu: Some(if plan.gpu.value { "auto".into() } else { "off".into() }),
        gpu_price: plan.gpu_price.as_ref().map(|p| p.value),
        prompts: plan.workloads.iter().find_map(|w| match &w.source {
            ItemSource::Prompts(p) => Some(p.clone()),
            ItemSource::Plugin(_) => None,
        }),
        engine: plan.engines.iter().map(|e| engine_draft(e, &texts)).collect(),
        workload: plan
            .workloads
            .iter()
            .filter_map(|w| match &w.source {
                ItemSource::Plugin(name) => Some(WorkloadDraft {
                    plugin: name.clone(),
                    label: w.label.clone(),
                    requests: w.requests,
                    concurrency: w.ladder.as_deref().and_then(concurrency),
                    rate: w.ladder.as_deref().and_then(rate),
                    options: texts(&w.options),
                    data: w.data.iter().cloned().collect(),
                }),
                ItemSource::Prompts(_) => None,
            })
            .collect(),
    };
    toml::to_string(&file).map_err(|e| CliError::internal("cannot write the resolved plan").because(e))
}

fn engine_draft(e: &EngineChoice, texts: &impl Fn(&[(String, String)]) -> BTreeMap<String, OptionValue>) -> EngineDraft {
    EngineDraft {
        plugin: e.plugin.clone(),
        url: e.url.clone(),
        label: Some(e.label.clone()).filter(|l| !l.is_empty()),
        model: e.model.clone(),
        api: e.route.map(|r| r.to_string()),
        api_key_env: e.api_key_env.clone(),
        options: texts(&e.options),
        headers: e
            .headers
            .iter()
            .map(|(name, value)| {
                let stored = match value {
                    HeaderValue::Variable(v) => format!("env:{v}"),
                    HeaderValue::Literal(_) => NOT_STORED.to_owned(),
                };
                (name.clone(), stored)
            })
            .collect(),
    }
}
