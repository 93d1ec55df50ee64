//! Loads plugins: inspect, link, try, check. Everything that can be wrong with a component is found here, before a run
//! depends on it.

use std::path::PathBuf;
use std::sync::Arc;

use wasmtime::component::{HasSelf, Linker};

use crate::bindings::engine::benchhost::plugin::{log, types};
use crate::bindings::workload::benchhost::plugin::{data, tokens};
use crate::bindings::{engine, workload};
use crate::engine_adapter::EnginePlugin;
use crate::error::{Cause, PluginError, Problem};
use crate::identity::{PluginIdentity, PluginKind};
use crate::imports::State;
use crate::inspect::{Inspection, inspect};
use crate::limits::Limits;
use crate::runtime::Runtime;
use crate::source::PluginSource;
use crate::text::one_line;
use crate::workload::WorkloadPlugin;

/// How a host is set up.
#[derive(Debug, Clone, Default)]
pub struct HostConfig {
    /// Where compiled components are kept between runs; `None`: they are compiled every time (50–100 ms each for the
    /// first-party ones, seconds for an interpreter).
    pub cache_dir: Option<PathBuf>,
    /// Limits on every plugin.
    pub limits: Limits,
}

/// Loads plugins; one for each process is enough.
pub struct PluginHost {
    runtime: Runtime,
    engines: Linker<State>,
    workloads: Linker<State>,
}

/// A loaded plugin: checked, described, ready to make instances.
#[derive(Debug, Clone)]
pub enum Plugin {
    /// Adapts one engine.
    Engine(EnginePlugin),
    /// Makes items.
    Workload(WorkloadPlugin),
}

impl Plugin {
    /// Which plugin it is.
    pub fn identity(&self) -> &PluginIdentity {
        match self {
            Self::Engine(plugin) => plugin.identity(),
            Self::Workload(plugin) => plugin.identity(),
        }
    }
}

impl PluginHost {
    /// Starts the engine and its ticking thread, which ends with the last plugin of this host.
    pub fn new(config: &HostConfig) -> Result<Self, PluginError> {
        let runtime = Runtime::new(config.cache_dir.as_deref(), config.limits)?;
        let failed = |e: &wasmtime::Error| PluginError::general(Problem::Runtime(Cause::from_wasm(e)));
        let engines = engine_linker(&runtime).map_err(|e| failed(&e))?;
        let workloads = workload_linker(&runtime).map_err(|e| failed(&e))?;
        Ok(Self { runtime, engines, workloads })
    }

    /// The engine, for tests that make ticks.
    #[cfg(test)]
    pub(crate) fn runtime(&self) -> Runtime {
        self.runtime.clone()
    }

    /// What `source` is, by its outside. Runs none of its code.
    pub fn inspect(&self, source: &PluginSource) -> Result<Inspection, PluginError> {
        inspect(&self.runtime, source).map(|(_, inspection)| inspection)
    }

    /// Loads `source`: inspects it, starts an instance, asks it to describe itself and checks the answer.
    pub fn load(&self, source: &PluginSource) -> Result<Plugin, PluginError> {
        let (component, inspection) = inspect(&self.runtime, source)?;
        let named = |problem| PluginError::new(source.label(), problem);
        let link = |e: wasmtime::Error| named(Problem::Link(Cause::from_wasm(&e)));
        let label: Arc<str> = one_line(&source.label(), 200).into();
        match inspection.kind {
            PluginKind::Engine => {
                let pre = self.engines.instantiate_pre(&component).map_err(link)?;
                let pre = engine::EnginePluginPre::new(pre).map_err(link)?;
                EnginePlugin::try_out(self.runtime.clone(), label, pre, |name, version| {
                    identity(inspection, source, name, version)
                })
                .map(Plugin::Engine)
                .map_err(named)
            }
            PluginKind::Workload => {
                let pre = self.workloads.instantiate_pre(&component).map_err(link)?;
                let pre = workload::WorkloadPluginPre::new(pre).map_err(link)?;
                WorkloadPlugin::try_out(self.runtime.clone(), label, pre, |name, version| {
                    identity(inspection, source, name, version)
                })
                .map(Plugin::Workload)
                .map_err(named)
            }
        }
    }
}

impl std::fmt::Debug for PluginHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PluginHost").field("limits", &self.runtime.limits).finish_non_exhaustive()
    }
}

fn identity(inspection: Inspection, source: &PluginSource, name: &str, version: &str) -> PluginIdentity {
    PluginIdentity {
        name: name.to_owned(),
        version: version.to_owned(),
        digest_sha256: inspection.digest_sha256,
        origin: source.origin(),
        imports: inspection.imports,
        world: inspection.world,
        size: inspection.size,
    }
}

fn engine_linker(runtime: &Runtime) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(&runtime.engine);
    types::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    log::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    Ok(linker)
}

fn workload_linker(runtime: &Runtime) -> wasmtime::Result<Linker<State>> {
    let mut linker = engine_linker(runtime)?;
    data::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    tokens::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    Ok(linker)
}
