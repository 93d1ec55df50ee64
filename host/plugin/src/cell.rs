//! One store for one instance. After a trap, a limit or an answer against the contract the instance is thrown away; the
//! next call starts a fresh one, which costs microseconds. Knows worlds only as something that can be instantiated.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::{Store, Trap};

use crate::bindings::engine::{EnginePlugin, EnginePluginPre};
use crate::bindings::workload::{WorkloadPlugin, WorkloadPluginPre};
use crate::call_error::CallError;
use crate::error::{Cause, Problem};
use crate::imports::State;
use crate::meter::Breach;
use crate::runtime::Runtime;
use crate::services::Imports;

/// A generated world.
pub(crate) trait World: Sized {
    /// The component, linked.
    type Pre: Clone;
    fn instantiate(pre: &Self::Pre, store: &mut Store<State>) -> wasmtime::Result<Self>;
}

impl World for EnginePlugin {
    type Pre = EnginePluginPre<State>;
    fn instantiate(pre: &Self::Pre, store: &mut Store<State>) -> wasmtime::Result<Self> {
        pre.instantiate(store)
    }
}

impl World for WorkloadPlugin {
    type Pre = WorkloadPluginPre<State>;
    fn instantiate(pre: &Self::Pre, store: &mut Store<State>) -> wasmtime::Result<Self> {
        pre.instantiate(store)
    }
}

/// An instance and what it takes to make another.
pub(crate) struct Cell<W: World> {
    runtime: Runtime,
    plugin: Arc<str>,
    imports: Imports,
    pre: W::Pre,
    live: Option<(Store<State>, W)>,
}

impl<W: World> Cell<W> {
    /// Starts the first instance.
    pub(crate) fn start(
        runtime: Runtime,
        plugin: Arc<str>,
        imports: Imports,
        pre: W::Pre,
    ) -> Result<Self, CallError> {
        let mut cell = Self { runtime, plugin, imports, pre, live: None };
        cell.live = Some(cell.fresh()?);
        Ok(cell)
    }

    /// Starts the first instance of a component that was never started. wasmtime compares the types of exported
    /// functions only here, so an error that is no trap and no limit means another text of the contract.
    pub(crate) fn try_start(runtime: Runtime, plugin: Arc<str>, pre: W::Pre) -> Result<Self, Problem> {
        let mut cell = Self { runtime, plugin, imports: Imports::default(), pre, live: None };
        match cell.instantiate() {
            Ok(live) => cell.live = Some(live),
            Err((error, store)) => {
                let traps = error.is::<Trap>() || error.is::<Breach>();
                return Err(if traps {
                    Problem::Start(cell.failure("instantiate", &error, store))
                } else {
                    Problem::Link(Cause::from_wasm(&error))
                });
            }
        }
        Ok(cell)
    }

    /// False after a failure: the next call meets an instance that remembers nothing.
    pub(crate) fn is_live(&self) -> bool {
        self.live.is_some()
    }

    /// Throws the instance away although no call failed: its state is not what the host takes it for.
    pub(crate) fn discard(&mut self) {
        self.live = None;
    }

    /// Calls `function` within `budget` of the plugin's own time.
    pub(crate) fn call<R>(
        &mut self,
        function: &'static str,
        budget: Duration,
        work: impl FnOnce(&mut Store<State>, &W) -> wasmtime::Result<R>,
    ) -> Result<R, CallError> {
        let (mut store, world) = match self.live.take() {
            Some(live) => live,
            None => self.fresh()?,
        };
        self.runtime.arm(&mut store, budget);
        match work(&mut store, &world) {
            Ok(answer) => {
                self.live = Some((store, world));
                Ok(answer)
            }
            Err(error) => Err(self.failure(function, &error, store)),
        }
    }

    /// The answer of the last call was against the contract: throws the instance away.
    pub(crate) fn misbehaved(&mut self, function: &'static str, what: String) -> CallError {
        let last_log = self.live.take().and_then(|(store, _)| store.into_data().last_log);
        CallError::Misbehaved { plugin: Arc::clone(&self.plugin), function, what, last_log }
    }

    fn fresh(&self) -> Result<(Store<State>, W), CallError> {
        self.instantiate().map_err(|(error, store)| self.failure("instantiate", &error, store))
    }

    fn instantiate(&self) -> Result<(Store<State>, W), (wasmtime::Error, Store<State>)> {
        let mut store = self.runtime.store(Arc::clone(&self.plugin), self.imports.clone());
        self.runtime.arm(&mut store, self.runtime.limits.instantiate);
        match W::instantiate(&self.pre, &mut store) {
            Ok(world) => Ok((store, world)),
            Err(error) => Err((error, store)),
        }
    }

    fn failure(&self, function: &'static str, error: &wasmtime::Error, store: Store<State>) -> CallError {
        let last_log = store.into_data().last_log;
        CallError::from_wasm(&self.plugin, function, error, last_log, &self.runtime.limits)
    }
}
