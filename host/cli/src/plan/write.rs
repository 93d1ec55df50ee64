//! The resolved plan as a file that repeats the run from any folder. Secrets are variables or are left out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use benchhost_model::LoadPoint;

use super::arrivals::Shape;
use super::draft::{CountOrTime, Draft, EngineDraft, OptionValue, Simulate, WorkloadDraft, is_path};
use super::engines::NOT_STORED;
use super::phases::{Warmup, Words as _};
use super::{Amount, EngineChoice, HeaderValue, ItemSource, Plan, Sourced, WorkloadChoice, duration};
use crate::error::{CliError, CliResult};

/// The plan as TOML.
pub(super) fn write(plan: &Plan) -> CliResult<String> {
    let path = |p: &Option<Sourced<PathBuf>>| p.as_ref().map(|p| absolute(&p.value)).transpose();
    let shape = |key: &str| {
        let of_key = plan.shape.as_ref().filter(|s| Shape::key(&s.value) == key);
        of_key.map(|s| s.value.to_string())
    };
    let file = Draft {
        profile: None,
        simulate: plan.simulate.as_ref().map(|s| {
            if s.value.is_empty() { Simulate::Switch(true) } else { Simulate::Dialect(s.value.clone()) }
        }),
        concurrency: concurrency(&plan.ladder.value),
        rate: rate(&plan.ladder.value).filter(|_| plan.shape.is_none()),
        batch: batch(&plan.ladder.value),
        trace_scale: trace(&plan.ladder.value),
        ramp: shape("ramp"),
        steps: shape("steps"),
        trace_window: plan.trace_window.as_ref().map(|w| w.value.to_string()),
        trace_thin: plan.trace_thin.as_ref().map(|p| p.value),
        max_concurrency: plan.max_concurrency.as_ref().map(|c| c.value),
        think: plan.think.as_ref().map(|t| t.value.to_string()),
        hang_up: plan.hang_up.as_ref().map(|h| h.value.to_string()),
        until: if let Amount::Until(u) = plan.amount.value { Some(u.to_string()) } else { None },
        max_duration: plan.max_duration.as_ref().map(|d| duration::format(d.value)),
        drain: Some(plan.drain.value.word().into()),
        sweep: None,
        interleave: Some(true).filter(|_| plan.interleave.value),
        order: Some(plan.order.value.word().into()),
        no_anchor: Some(true).filter(|_| !plan.anchor.value),
        search: plan.search.as_ref().map(|s| words(&s.value)),
        slo: Some(words(&plan.slo.value)).filter(|list| !list.is_empty()),
        require: Some(words(&plan.require.value)).filter(|list| !list.is_empty()),
        io_threads: Some(plan.io_threads.value),
        priority: Some(plan.priority.value.word().into()),
        no_selfcheck: Some(true).filter(|_| !plan.selfcheck.value),
        arrivals: Some(plan.arrivals.value.to_string()),
        requests: if let Amount::Requests(n) = plan.amount.value { Some(n) } else { None },
        duration: if let Amount::For(d) = plan.amount.value { Some(duration::format(d)) } else { None },
        warmup: match plan.warmup.value {
            Warmup::Automatic => None,
            Warmup::Items(n) => Some(CountOrTime::Count(n)),
            Warmup::For(span) => Some(CountOrTime::Time(duration::format(span))),
        },
        repeats: Some(plan.repeats.value),
        seed: Some(plan.seed.value),
        max_tokens: plan.max_tokens.value,
        temperature: Some(plan.temperature.value),
        top_p: plan.top_p.value,
        history: Some(plan.history.value.word().into()),
        timeout: Some(duration::format(plan.timeout.value)),
        idle_timeout: Some(duration::format(plan.idle_timeout.value)),
        ready_timeout: Some(duration::format(plan.ready_timeout.value)),
        tokenizer: path(&plan.tokenizer)?,
        ca_file: path(&plan.ca_file)?,
        gpu: Some(if plan.gpu.value { "auto".into() } else { "off".into() }),
        gauges: Some(if plan.gauges.value { "auto".into() } else { "off".into() }),
        gpu_price: plan.gpu_price.as_ref().map(|p| p.value),
        prompts: plan.workloads.iter().find_map(|w| match &w.source {
            ItemSource::Prompts(p) => Some(p.clone()),
            ItemSource::Plugin(_) => None,
        }),
        engine: plan.engines.iter().map(engine).collect::<CliResult<_>>()?,
        workload: plan.workloads.iter().filter_map(|w| workload(w).transpose()).collect::<CliResult<_>>()?,
    };
    toml::to_string(&file).map_err(|e| CliError::internal("cannot write the resolved plan").because(e))
}

fn concurrency(points: &[LoadPoint]) -> Option<Vec<u32>> {
    points.iter().map(|p| if let LoadPoint::Concurrency(c) = p { Some(*c) } else { None }).collect()
}

fn rate(points: &[LoadPoint]) -> Option<Vec<f64>> {
    points.iter().map(|p| if let LoadPoint::Rate(r) = p { Some(*r) } else { None }).collect()
}

fn batch(points: &[LoadPoint]) -> Option<Vec<u32>> {
    points.iter().map(|p| if let LoadPoint::Batch(b) = p { Some(*b) } else { None }).collect()
}

fn trace(points: &[LoadPoint]) -> Option<Vec<f64>> {
    points.iter().map(|p| if let LoadPoint::Trace(s) = p { Some(*s) } else { None }).collect()
}

fn words(list: &[impl ToString]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

fn texts(list: &[(String, String)]) -> BTreeMap<String, OptionValue> {
    list.iter().map(|(k, v)| (k.clone(), OptionValue::Text(v.clone()))).collect()
}

fn engine(e: &EngineChoice) -> CliResult<EngineDraft> {
    let header = |value: &HeaderValue| match value {
        HeaderValue::Variable(v) => format!("env:{v}"),
        HeaderValue::Literal(_) => NOT_STORED.to_owned(),
    };
    Ok(EngineDraft {
        plugin: component(&e.plugin)?,
        url: e.url.clone(),
        label: Some(e.label.clone()).filter(|l| !l.is_empty()),
        model: e.model.clone(),
        api: e.route.map(|r| r.to_string()),
        api_key_env: e.api_key_env.clone(),
        options: texts(&e.options),
        headers: e.headers.iter().map(|(name, value)| (name.clone(), header(value))).collect(),
        simulator: texts(&e.simulator),
    })
}

fn workload(w: &WorkloadChoice) -> CliResult<Option<WorkloadDraft>> {
    let ItemSource::Plugin(plugin) = &w.source else { return Ok(None) };
    Ok(Some(WorkloadDraft {
        plugin: component(plugin)?,
        label: w.label.clone(),
        requests: w.requests,
        concurrency: w.ladder.as_deref().and_then(concurrency),
        rate: w.ladder.as_deref().and_then(rate),
        batch: w.ladder.as_deref().and_then(batch),
        trace_scale: w.ladder.as_deref().and_then(trace),
        options: texts(&w.options),
        data: w
            .data
            .iter()
            .map(|(slot, path)| Ok((slot.clone(), absolute(path)?)))
            .collect::<CliResult<_>>()?,
    }))
}

/// An embedded name as it is, a component's file by its absolute path.
fn component(plugin: &str) -> CliResult<String> {
    // A path without a file may stand for an embedded component, and that holds in every folder.
    if !is_path(plugin) || !Path::new(plugin).exists() {
        return Ok(plugin.to_owned());
    }
    Ok(absolute(Path::new(plugin))?.display().to_string())
}

/// Canonical where the file is there; otherwise from the current folder.
fn absolute(path: &Path) -> CliResult<PathBuf> {
    let whole =
        path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned());
    if whole.to_str().is_none() {
        return Err(CliError::usage(format!(
            "the path `{}` is not UTF-8 and cannot be kept in a plan",
            whole.display()
        ))
        .hint("rename the file, or reach it through a link with another name"));
    }
    Ok(whole)
}
