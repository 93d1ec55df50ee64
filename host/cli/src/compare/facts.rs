//! Under what a run was made, beyond what its rows tell: from `manifest.json` and `plan.toml` beside them. A lone CSV file
//! has no such facts, and that is no error.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use benchhost_compare::{Aspect, Config, Fact};
use serde_json::Value;

use super::source::layout_of;
use crate::store::{Manifest, read_manifest};

/// Keys of the plan that must agree, and what they are part of.
const PLAN: [(&str, Aspect); 6] = [
    ("temperature", Aspect::Sampling),
    ("top-p", Aspect::Sampling),
    ("history", Aspect::History),
    ("slo", Aspect::Slo),
    ("warmup", Aspect::Setup),
    ("think-time", Aspect::Load),
];

/// Facts of the configuration in the run whose rows are at `requests`; none where nothing stands beside them.
pub(super) fn of(requests: &Path, config: &Config) -> Vec<Fact> {
    let Some(layout) = layout_of(requests) else { return Vec::new() };
    let Ok(manifest) = read_manifest(&layout) else { return Vec::new() };
    let plan = plan_of(requests);
    let mut facts = Vec::new();
    if let Some(plan) = plan {
        let of_plan = |key: &str| plan.get(key).map_or("not set".to_owned(), plain);
        facts.extend(PLAN.iter().map(|(key, aspect)| fact(*aspect, key, of_plan(key))));
    }
    facts.extend(of_manifest(&manifest, config));
    facts
}

fn of_manifest(manifest: &Manifest, config: &Config) -> Vec<Fact> {
    let mut facts = vec![
        fact(Aspect::Version, "major version of benchhost", major(&manifest.tool)),
        fact(Aspect::Setup, "benchhost", manifest.tool.clone()),
        fact(Aspect::Setup, "seed", manifest.seed.to_string()),
    ];
    let engines = manifest.engines.iter();
    if let Some(engine) =
        engines.clone().find(|e| e.plugin.name == config.engine && e.variant == config.variant)
    {
        let options: Vec<String> = engine.options.iter().map(|(k, v)| format!("{k}={v}")).collect();
        facts.extend([
            fact(Aspect::Route, "route", engine.route.clone()),
            fact(Aspect::Setup, "server version", engine.server_version.clone()),
            fact(
                Aspect::Setup,
                "adapter",
                format!("{} {}", engine.plugin.version, &engine.plugin.sha256.get(..12).unwrap_or_default()),
            ),
            fact(Aspect::Setup, "engine options", options.join(" ")),
        ]);
    }
    for workload in &manifest.workloads {
        let options: Vec<String> = workload.options.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let name = |what: &str| format!("{what} of {}", workload.label);
        facts.push(fact(Aspect::Workload, &name("options"), options.join(" ")));
        // A copy under another name is the same data.
        for (slot, (_, digest)) in &workload.data {
            let short = digest.get(..12).unwrap_or(digest);
            facts.push(fact(Aspect::Data, &name(&format!("data `{slot}`")), short.to_owned()));
        }
    }
    for (key, name) in
        [("cpu_model", "processor"), ("logical_cores", "cores"), ("kernel", "kernel"), ("os", "system")]
    {
        if let Some(value) = manifest.host.get(key) {
            facts.push(fact(Aspect::Hardware, name, plain_json(value)));
        }
    }
    facts.push(fact(Aspect::Hardware, "GPUs", manifest.gpus.join(", ")));
    facts
}

fn fact(aspect: Aspect, name: &str, value: String) -> Fact {
    Fact { aspect, name: name.to_owned(), value }
}

/// `1` of `benchhost 1.4.2`; below 1 the minor version breaks, so it counts.
fn major(tool: &str) -> String {
    let version = tool.rsplit(' ').next().unwrap_or(tool);
    let mut parts = version.split('.');
    match (parts.next(), parts.next()) {
        (Some("0"), Some(minor)) => format!("0.{minor}"),
        (Some(major), _) => major.to_owned(),
        _ => version.to_owned(),
    }
}

fn plain_json(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Direction of each score by the manifests: higher is better.
pub(super) fn directions<'a>(files: impl Iterator<Item = &'a PathBuf>) -> BTreeMap<String, bool> {
    let manifests = files.filter_map(|path| read_manifest(&layout_of(path)?).ok());
    manifests.flat_map(|m| m.workloads.into_iter().flat_map(|w| w.scores)).collect()
}

/// Whether the run measured its engines in turn.
pub(super) fn interleaved(requests: &Path) -> bool {
    plan_of(requests).and_then(|p| p.get("interleave").and_then(toml::Value::as_bool)).unwrap_or(false)
}

/// The plan beside the rows.
pub(super) fn plan_of(requests: &Path) -> Option<toml::Table> {
    std::fs::read_to_string(layout_of(requests)?.plan()).ok()?.parse().ok()
}

pub(super) fn plain(value: &toml::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
