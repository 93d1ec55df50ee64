//! Flags as a draft. Parses the small forms that flags have (`NAME=URL`, `k=v`) and nothing else.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::draft::{CountOrTime, Draft, EngineDraft, OptionValue, Simulate, WorkloadDraft, is_path};
use crate::args::RunArgs;
use crate::error::{CliError, CliResult};

/// What the flags say, with flags that reach several engines or workloads kept apart.
#[derive(Debug, Default)]
pub(super) struct Flags {
    pub(super) draft: Draft,
    pub(super) per_engine: PerEngine,
    pub(super) per_workload: PerWorkload,
}

/// Flags given once for all engines or once for each, in order.
#[derive(Debug, Default)]
pub(super) struct PerEngine {
    pub(super) label: Vec<String>,
    pub(super) url: Vec<String>,
    pub(super) model: Vec<String>,
    pub(super) api: Option<String>,
    pub(super) options: BTreeMap<String, OptionValue>,
    pub(super) api_key_env: Option<String>,
    /// In order; a later one of the same name wins.
    pub(super) headers: Vec<(String, String)>,
    pub(super) simulator: BTreeMap<String, OptionValue>,
}

/// Flags that reach every workload that knows them.
#[derive(Debug, Default)]
pub(super) struct PerWorkload {
    pub(super) options: BTreeMap<String, OptionValue>,
    pub(super) data: BTreeMap<String, PathBuf>,
}

/// Reads the flags.
pub(super) fn draft(args: &RunArgs) -> CliResult<Flags> {
    let nonempty = |list: &[u32]| (!list.is_empty()).then(|| list.to_vec());
    let texts = |list: &[String]| (!list.is_empty()).then(|| list.to_vec());
    let draft = Draft {
        profile: args.profile.clone(),
        simulate: args
            .simulate
            .clone()
            .map(|d| if d.is_empty() { Simulate::Switch(true) } else { Simulate::Dialect(d) }),
        concurrency: nonempty(&args.concurrency),
        rate: (!args.rate.is_empty()).then(|| args.rate.clone()),
        batch: nonempty(&args.batch),
        ramp: args.ramp.clone(),
        steps: args.steps.clone(),
        trace_scale: (!args.trace_scale.is_empty()).then(|| args.trace_scale.clone()),
        trace_window: args.trace_window.clone(),
        trace_thin: args.trace_thin,
        arrivals: args.arrivals.clone(),
        max_concurrency: args.max_concurrency,
        think: args.think.clone(),
        hang_up: args.hang_up.clone(),
        requests: args.requests,
        duration: args.duration.clone(),
        until: args.until.clone(),
        max_duration: args.max_duration.clone(),
        warmup: args.warmup.as_deref().map(count_or_time),
        drain: args.drain.clone(),
        sweep: texts(&args.sweep),
        repeats: args.repeats,
        interleave: args.interleave.then_some(true),
        order: args.order.clone(),
        no_anchor: args.no_anchor.then_some(true),
        search: texts(&args.search),
        seed: args.seed,
        slo: texts(&args.slo),
        require: texts(&args.require),
        io_threads: args.io_threads,
        priority: args.priority.clone(),
        no_selfcheck: args.no_selfcheck.then_some(true),
        max_tokens: args.max_tokens,
        temperature: args.temperature,
        top_p: args.top_p,
        history: args.history.clone(),
        timeout: args.timeout.clone(),
        idle_timeout: args.idle_timeout.clone(),
        ready_timeout: args.ready_timeout.clone(),
        tokenizer: args.tokenizer.clone(),
        ca_file: args.ca_file.clone(),
        gpu: args.gpu.clone(),
        gauges: args.gauges.clone(),
        gpu_price: args.gpu_price,
        prompts: args.prompts.as_ref().map(read_prompts).transpose()?,
        engine: args.engine.iter().map(|e| engine(e)).collect(),
        workload: args
            .workload
            .iter()
            .map(|w| WorkloadDraft { plugin: w.clone(), ..WorkloadDraft::default() })
            .collect(),
    };
    let per_engine = PerEngine {
        label: args.label.clone(),
        url: args.url.clone(),
        model: args.model.clone(),
        api: args.api.clone(),
        options: pairs("--engine-option", &args.engine_option)?
            .map(|(k, v)| (k, OptionValue::Text(v)))
            .collect(),
        api_key_env: args.api_key_env.clone(),
        headers: args.header.iter().map(|h| header(h)).collect::<CliResult<_>>()?,
        simulator: pairs("--simulator", &args.simulator)?.map(|(k, v)| (k, OptionValue::Text(v))).collect(),
    };
    let per_workload = PerWorkload {
        options: pairs("--workload-option", &args.workload_option)?
            .map(|(k, v)| (k, OptionValue::Text(v)))
            .collect(),
        data: pairs("--data", &args.data)?.map(|(k, v)| (k, PathBuf::from(v))).collect(),
    };
    Ok(Flags { draft, per_engine, per_workload })
}

/// `NAME|PATH[=URL]`: the `=` before a scheme divides, since a path may hold others; a name has none.
fn engine(text: &str) -> EngineDraft {
    let scheme = |rest: &str| {
        rest.split_once("://").is_some_and(|(s, _)| s.chars().all(|c| c.is_ascii_alphanumeric()))
    };
    let before_url = text.match_indices('=').map(|(at, _)| at).find(|at| scheme(&text[at + 1..]));
    let divide = before_url.or_else(|| text.find('=').filter(|at| *at > 0 && !is_path(text)));
    let (plugin, url) = divide.map_or((text, None), |at| (&text[..at], Some(text[at + 1..].to_owned())));
    EngineDraft { plugin: plugin.to_owned(), url, ..EngineDraft::default() }
}

/// Digits alone are a count.
fn count_or_time(text: &str) -> CountOrTime {
    text.trim().parse().map_or_else(|_| CountOrTime::Time(text.to_owned()), CountOrTime::Count)
}

fn pairs<'a>(flag: &str, list: &'a [String]) -> CliResult<impl Iterator<Item = (String, String)> + use<'a>> {
    if let Some(bad) = list.iter().find(|text| text.split_once('=').is_none_or(|(k, _)| k.is_empty())) {
        return Err(CliError::usage(format!("`{flag} {bad}` is not of the form KEY=VALUE")));
    }
    Ok(list.iter().filter_map(|text| text.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())))
}

fn header(text: &str) -> CliResult<(String, String)> {
    let (name, value) = text
        .split_once(':')
        .filter(|(name, _)| !name.trim().is_empty())
        // The value is not repeated: it may be a secret.
        .ok_or_else(|| CliError::usage("`--header` is not of the form `Name: value`"))?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn read_prompts(path: &PathBuf) -> CliResult<Vec<String>> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| CliError::usage(format!("cannot read the prompts `{}`", path.display())).because(e))?;
    let prompts: Vec<String> =
        text.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect();
    if prompts.is_empty() {
        return Err(
            CliError::usage(format!("`{}` holds no prompts", path.display())).hint("write one prompt a line")
        );
    }
    Ok(prompts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engine_and_url_divide_at_the_right_sign() {
        let parts = |text| {
            let e = engine(text);
            (e.plugin, e.url)
        };
        assert_eq!(parts("vllm"), ("vllm".into(), None));
        assert_eq!(parts("vllm=http://h:1/a=b"), ("vllm".into(), Some("http://h:1/a=b".into())));
        assert_eq!(parts("dir=x/my.wasm"), ("dir=x/my.wasm".into(), None));
        assert_eq!(parts("d=x/my.wasm=https://h"), ("d=x/my.wasm".into(), Some("https://h".into())));
        assert_eq!(parts("vllm=localhost"), ("vllm".into(), Some("localhost".into())));
    }
}
