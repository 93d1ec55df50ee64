//! `benchhost plugin check`: holds a component to the contract. Each promise of `wit/` that can be tried without a server
//! is one item of the report.

mod corpus;
mod engine;
mod workload;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use benchhost_plugin::{Data, NoData, Plugin, PluginError, PluginHost, PluginKind, PluginSource, Tokens};

pub use workload::WordTokens;

/// A component to check.
#[derive(Clone)]
pub struct CheckRequest {
    /// A file, or an embedded name.
    pub source: PluginSource,
    /// Recorded answers to replay; none: `fixtures` or `<name>/fixtures` beside the file, if there is one.
    pub fixtures: Option<PathBuf>,
    /// Data files for a workload.
    pub data: Arc<dyn Data>,
    /// The tokenizer for a workload.
    pub tokens: Arc<dyn Tokens>,
}

impl CheckRequest {
    /// A check without data files, with a tokenizer that takes words for tokens.
    pub fn new(source: PluginSource) -> Self {
        Self { source, fixtures: None, data: Arc::new(NoData), tokens: Arc::new(WordTokens) }
    }

    /// The folder of recorded answers, if there is one.
    fn fixtures_dir(&self) -> Option<PathBuf> {
        if self.fixtures.is_some() {
            return self.fixtures.clone();
        }
        let PluginSource::File(file) = &self.source else { return None };
        let parent = file.parent().unwrap_or(Path::new(""));
        let stem = file.file_stem().unwrap_or_default();
        [parent.join(stem).join("fixtures"), parent.join("fixtures")].into_iter().find(|d| d.is_dir())
    }
}

impl std::fmt::Debug for CheckRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CheckRequest").field("source", &self.source).finish_non_exhaustive()
    }
}

/// How one promise fared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Kept.
    Pass,
    /// Broken, and how.
    Fail(String),
    /// Not tried, and why.
    Skip(String),
}

impl From<Result<(), String>> for Outcome {
    fn from(result: Result<(), String>) -> Self {
        match result {
            Ok(()) => Self::Pass,
            Err(reason) => Self::Fail(reason),
        }
    }
}

/// One promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The promise, as a statement.
    pub name: &'static str,
    /// How it fared.
    pub outcome: Outcome,
}

/// All of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckReport {
    /// What the component is; none when it does not load.
    pub kind: Option<PluginKind>,
    /// Its own name and version; empty when it does not load.
    pub title: String,
    /// In the order they were tried.
    pub items: Vec<Check>,
}

impl CheckReport {
    /// No promise was broken.
    pub fn passed(&self) -> bool {
        !self.items.iter().any(|i| matches!(i.outcome, Outcome::Fail(_)))
    }

    fn add(&mut self, name: &'static str, outcome: impl Into<Outcome>) {
        self.items.push(Check { name, outcome: outcome.into() });
    }
}

/// Checks a component. A broken component gives a report with failures; this function itself does not fail.
pub fn check(request: &CheckRequest, host: &PluginHost) -> CheckReport {
    let mut report = CheckReport::default();
    // One step for the host: format, world, version, imports, limits and a first `describe`, each with its own message.
    let loaded = host.load(&request.source);
    report.add("it is a component of a benchhost world and imports nothing else", outcome(&loaded));
    match loaded {
        Ok(Plugin::Engine(plugin)) => {
            report.kind = Some(PluginKind::Engine);
            report.title = format!("{} {}", plugin.info().name, plugin.info().version);
            engine::check(&plugin, request.fixtures_dir().as_deref(), &mut report);
        }
        Ok(Plugin::Workload(plugin)) => {
            report.kind = Some(PluginKind::Workload);
            report.title = format!("{} {}", plugin.info().name, plugin.info().version);
            workload::check(&plugin, request, &mut report);
        }
        Err(_) => {}
    }
    report
}

fn outcome<T>(result: &Result<T, PluginError>) -> Outcome {
    match result {
        Ok(_) => Outcome::Pass,
        Err(error) => Outcome::Fail(error.to_string()),
    }
}
