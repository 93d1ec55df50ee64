//! What is sent: the flags' workloads and prompts, else the file's, else the profile's, else the built-in one.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::{Draft, WorkloadDraft};
use super::flags::PerWorkload;
use super::load::{Lists, has_load};
use super::resolve::Layers;
use super::sweep::{self, Sweep};
use super::{ItemSource, Origin, Origins, Sourced, WorkloadChoice, name_of, printable};
use crate::error::{CliError, CliResult};

/// The `workload` cell of the user's own prompts.
const PROMPTS_LABEL: &str = "prompts";

/// The workloads in the order in which they are sent. Prompts and workloads of one layer stand side by side; both hide
/// those of the layers below.
pub(super) fn workloads(layers: &Layers, flags: &PerWorkload) -> CliResult<Vec<WorkloadChoice>> {
    let chosen = layers.pick(|d| {
        let some = d.prompts.is_some() || !d.workload.is_empty();
        some.then(|| (d.prompts.clone(), d.workload.clone()))
    });
    let (sweeps, swept) = sweeps(layers)?;
    // Lengths can be swept only where there are some.
    let plugin = if sweep::set_a_length(&sweeps) { "synthetic" } else { "empathetic" };
    let built_in = || (None, vec![WorkloadDraft { plugin: plugin.into(), ..WorkloadDraft::default() }]);
    let Sourced { value: (own, drafts), origin } =
        chosen.unwrap_or_else(|| Sourced { value: built_in(), origin: Origin::Default });
    let mut choices = Vec::new();
    if let Some(own) = own {
        choices.push(prompts(own, origin)?);
    }
    if drafts.is_empty() {
        reaches_nothing(flags)?;
    }
    for draft in &drafts {
        choices.push(workload(draft, origin, flags, &layers.flags)?);
    }
    let choices = sweep::expand(choices, &sweeps, swept)?;
    tell_apart(&choices)?;
    Ok(choices)
}

/// The sweeps, and who asked for them. What a sweep sets may not be set beside it, nor above.
fn sweeps(layers: &Layers) -> CliResult<(Vec<Sweep>, Origin)> {
    let Some(Sourced { value: texts, origin }) = layers.pick(|d| d.sweep.clone()) else {
        return Ok((Vec::new(), Origin::Default));
    };
    let sweeps = texts.iter().map(|text| Sweep::parse(text)).collect::<CliResult<Vec<_>>>()?;
    let over = [(Origin::Flag, &layers.flags), (Origin::File, &layers.file)];
    let over: Vec<&Draft> = over
        .into_iter()
        .filter(|(o, _)| origin == Origin::File || *o == Origin::Flag)
        .map(|(_, d)| d)
        .collect();
    let also = |set: fn(&Draft) -> bool| over.iter().any(|d| set(d));
    if sweep::set_the_load(&sweeps) && also(has_load) {
        return Err(CliError::usage("`sweep` sets the load, and another key does too")
            .hint("leave one of them out; `sweep` makes a grid of its load and its other axes"));
    }
    if sweep::set_the_requests(&sweeps)
        && also(|d| d.requests.is_some() || d.duration.is_some() || d.until.is_some())
    {
        return Err(CliError::usage(
            "`sweep` sets the number of requests, and another key says how much is sent",
        ));
    }
    Ok((sweeps, origin))
}

fn prompts(list: Vec<String>, origin: Origin) -> CliResult<WorkloadChoice> {
    if list.is_empty() {
        return Err(CliError::usage("`prompts` is an empty list")
            .hint("write one text or more, or leave the key out"));
    }
    if let Some(at) = list.iter().position(|p| p.trim().is_empty()) {
        return Err(CliError::usage(format!("prompt {} of `prompts` is empty", at + 1))
            .hint("leave it out, or give it a text"));
    }
    let mut origins = Origins::default();
    origins.note("plugin", origin);
    Ok(WorkloadChoice {
        source: ItemSource::Prompts(list),
        label: None,
        options: Vec::new(),
        data: Vec::new(),
        requests: None,
        ladder: None,
        origins,
    })
}

fn reaches_nothing(flags: &PerWorkload) -> CliResult<()> {
    let flag = match (flags.options.is_empty(), flags.data.is_empty()) {
        (true, true) => return Ok(()),
        (false, _) => "--workload-option",
        (true, false) => "--data",
    };
    Err(CliError::usage(format!(
        "`{flag}` reaches nothing: only prompts are sent, and they take no options and no data"
    ))
    .hint(format!("add `--workload NAME`, or leave `{flag}` out")))
}

/// A ladder or an amount among the flags holds for every workload, so it hides those of the file's tables.
fn workload(
    draft: &WorkloadDraft,
    origin: Origin,
    flags: &PerWorkload,
    over: &Draft,
) -> CliResult<WorkloadChoice> {
    let mut origins = Origins::default();
    origins.note("plugin", origin);
    let mut options = BTreeMap::new();
    for (list, origin) in [(&draft.options, origin), (&flags.options, Origin::Flag)] {
        for (name, value) in list {
            origins.note(format!("options.{name}"), origin);
            options.insert(name.clone(), value.to_text());
        }
    }
    let mut data = BTreeMap::new();
    for (list, origin) in [(&draft.data, origin), (&flags.data, Origin::Flag)] {
        for (slot, path) in list {
            origins.note(format!("data.{slot}"), origin);
            data.insert(slot.clone(), path.clone());
        }
    }
    let of = |key: &str| format!("{key} of workload `{}`", draft.plugin);
    let lists = Lists::from(draft);
    if lists.count() > 1 {
        return Err(CliError::usage(format!("workload `{}` has two kinds of load", draft.plugin))
            .hint("`concurrency`, `rate`, `batch` and `trace-scale` exclude each other"));
    }
    let ladder = lists.points(of).transpose()?;
    if draft.requests == Some(0) {
        return Err(CliError::usage("`requests` of a workload must be 1 or more"));
    }
    let ladder = ladder.filter(|_| !has_load(over));
    let hidden = over.requests.is_some() || over.duration.is_some() || over.until.is_some();
    let requests = draft.requests.filter(|_| !hidden);
    if draft.label.as_ref().is_some_and(String::is_empty) {
        return Err(CliError::usage(format!("the label of workload `{}` is empty", draft.plugin))
            .hint("leave the key out for the component's name"));
    }
    let label = origins.first("label", [(draft.label.clone(), origin)]);
    printable("the label", label.as_deref().unwrap_or_default())?;
    Ok(WorkloadChoice {
        source: ItemSource::Plugin(draft.plugin.clone()),
        label,
        options: options.into_iter().collect(),
        data: data.into_iter().collect(),
        requests: origins.first("requests", [(requests, origin)]),
        ladder: origins.first("load", [(ladder, origin)]),
        origins,
    })
}

/// Rows are told apart by the label; a component without one is expected to call itself as its file is called.
fn tell_apart(choices: &[WorkloadChoice]) -> CliResult<()> {
    let mut seen = BTreeSet::new();
    for choice in choices {
        let label = match (&choice.label, &choice.source) {
            (Some(label), _) => label,
            (None, ItemSource::Plugin(plugin)) => name_of(plugin),
            (None, ItemSource::Prompts(_)) => PROMPTS_LABEL,
        };
        if !seen.insert(label) {
            return Err(CliError::usage(format!(
                "two workloads would have the label `{label}` in every row"
            ))
            .hint("tell them apart with `label = \"…\"` in their [[workload]] tables of a plan file"));
        }
    }
    Ok(())
}
