//! What is sent: the flags' workloads and prompts, else the file's, else the profile's, else the built-in one.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::{Draft, WorkloadDraft};
use super::flags::PerWorkload;
use super::load::{concurrency_points, rate_points};
use super::resolve::Layers;
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
    let built_in = || (None, vec![WorkloadDraft { plugin: "empathetic".into(), ..WorkloadDraft::default() }]);
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
    tell_apart(&choices)?;
    Ok(choices)
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
    let ladder = match (&draft.concurrency, &draft.rate) {
        (Some(c), None) => Some(concurrency_points(&of("concurrency"), c)?),
        (None, Some(r)) => Some(rate_points(&of("rate"), r)?),
        (None, None) => None,
        (Some(_), Some(_)) => {
            return Err(CliError::usage(format!(
                "workload `{}` has both `concurrency` and `rate`",
                draft.plugin
            )));
        }
    };
    if draft.requests == Some(0) {
        return Err(CliError::usage("`requests` of a workload must be 1 or more"));
    }
    let ladder = ladder.filter(|_| over.concurrency.is_none() && over.rate.is_none());
    let requests = draft.requests.filter(|_| over.requests.is_none() && over.duration.is_none());
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
