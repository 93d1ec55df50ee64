//! Under what a run was made, beyond what its rows tell: read from `manifest.json` and `plan.toml` beside them. A lone CSV
//! file has no such facts, and that is no error.

use std::path::Path;

use benchhost_store::Layout;

use super::reader::read_manifest;

/// Facts that two runs should share for their figures to be set side by side; empty where a file does not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Conditions {
    /// Name and value, in the order to print.
    pub(crate) facts: Vec<(&'static str, String)>,
}

/// The conditions of the configuration `engine` with label `variant` in the run whose rows are at `requests`. `None` when
/// that file is not a run's own `requests.csv`, or its neighbours do not read.
pub(crate) fn read_conditions(requests: &Path, engine: &str, variant: &str) -> Option<Conditions> {
    let layout = Layout::new(requests.parent()?);
    if requests.file_name() != layout.requests().file_name() {
        return None;
    }
    let manifest = read_manifest(&layout).ok()?;
    let plan: toml::Table = std::fs::read_to_string(layout.plan()).ok()?.parse().ok()?;
    let of_plan = |key: &str| plan.get(key).map_or("not set".to_owned(), plain);
    let engine = manifest.engines.iter().find(|e| e.plugin.name == engine && e.variant == variant);
    let mut facts = vec![
        ("temperature", of_plan("temperature")),
        ("top-p", of_plan("top-p")),
        ("history", of_plan("history")),
    ];
    if let Some(engine) = engine {
        facts.insert(0, ("route", engine.route.clone()));
    }
    Some(Conditions { facts })
}

fn plain(value: &toml::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Conditions {
    /// What differs: name, value here, value there. A fact that only one side has is not compared.
    pub(crate) fn differences<'a>(&'a self, other: &'a Self) -> Vec<(&'static str, &'a str, &'a str)> {
        let there =
            |name: &str| other.facts.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str());
        self.facts
            .iter()
            .filter_map(|(name, here)| Some((*name, here.as_str(), there(name)?)))
            .filter(|(_, here, there)| here != there)
            .collect()
    }
}
