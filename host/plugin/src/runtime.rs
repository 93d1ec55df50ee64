//! The wasmtime engine of a host: compiler settings, compile cache, epoch ticks, and stores armed with limits. Knows no
//! world and no plugin's functions.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use wasmtime::{Cache, CacheConfig, Config, Engine, EngineWeak, Store, UpdateDeadline};

use crate::error::{Cause, PluginError, Problem};
use crate::imports::State;
use crate::limits::Limits;
use crate::meter::{Meter, TICK};
use crate::services::Imports;

/// Compiled plugins kept on disk, in bytes; the oldest go first.
const CACHE_BYTES: u64 = 512 << 20;

/// Epoch ticks since the engine began: the clock of time limits, read without a system call.
#[derive(Debug, Default)]
pub(crate) struct Ticks(AtomicU64);

impl Ticks {
    pub(crate) fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// One tick: the count first, so that a deadline that strikes sees it.
    pub(crate) fn advance(&self, engine: &Engine) {
        self.0.fetch_add(1, Ordering::Relaxed);
        engine.increment_epoch();
    }
}

/// What all plugins of a host share.
#[derive(Clone)]
pub(crate) struct Runtime {
    pub(crate) engine: Engine,
    pub(crate) ticks: Arc<Ticks>,
    pub(crate) limits: Limits,
}

impl Runtime {
    pub(crate) fn new(cache_dir: Option<&Path>, limits: Limits) -> Result<Self, PluginError> {
        let mut config = Config::new();
        config.epoch_interruption(true);
        // A plugin without clock and randomness is a pure function of its input on every machine, NaN bits included.
        config.cranelift_nan_canonicalization(true);
        config.relaxed_simd_deterministic(true);
        if let Some(dir) = cache_dir {
            config.cache(Some(cache(dir)?));
        }
        let failed = |e: &wasmtime::Error| PluginError::general(Problem::Runtime(Cause::from_wasm(e)));
        let engine = Engine::new(&config).map_err(|e| failed(&e))?;
        let ticks = Arc::new(Ticks::default());
        let (weak, counter) = (engine.weak(), Arc::clone(&ticks));
        thread::Builder::new()
            .name("plugin-epoch".to_owned())
            .spawn(move || tick(&weak, &counter))
            .map_err(|e| PluginError::general(Problem::Runtime(Cause::from_error(&e))))?;
        Ok(Self { engine, ticks, limits })
    }

    /// A store without an instance; every limit is in force, the time limit once [`Self::arm`] was called.
    pub(crate) fn store(&self, plugin: Arc<str>, imports: Imports) -> Store<State> {
        let meter = Meter::new(self.limits);
        let mut store = Store::new(&self.engine, State::new(plugin, imports, meter, Arc::clone(&self.ticks)));
        store.limiter(|state| &mut state.meter);
        store.set_hostcall_fuel(self.limits.answer_bytes);
        // At a deadline the time that went into host calls is given back; only what is left of it ends the call.
        store.epoch_deadline_callback(|store| {
            let state = store.data();
            Ok(UpdateDeadline::Continue(state.meter.remaining(state.ticks.now())?))
        });
        store
    }

    /// Begins a call: resets the counters and sets the deadline.
    pub(crate) fn arm(&self, store: &mut Store<State>, budget: Duration) {
        let now = self.ticks.now();
        let state = store.data_mut();
        state.meter.begin(budget, now);
        state.last_log = None;
        store.set_epoch_deadline(Meter::ticks(budget));
    }
}

/// Advances the epoch until the engine is gone.
fn tick(engine: &EngineWeak, ticks: &Ticks) {
    loop {
        thread::sleep(TICK);
        match engine.upgrade() {
            Some(engine) => ticks.advance(&engine),
            None => return,
        }
    }
}

fn cache(dir: &Path) -> Result<Cache, PluginError> {
    let failed = |cause| PluginError::general(Problem::Cache { dir: dir.to_owned(), cause });
    let absolute = std::path::absolute(dir).map_err(|e| failed(Cause::from_error(&e)))?;
    let mut config = CacheConfig::new();
    config.with_directory(absolute).with_files_total_size_soft_limit(CACHE_BYTES);
    Cache::new(config).map_err(|e| failed(Cause::from_wasm(&e)))
}
