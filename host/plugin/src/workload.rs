//! Workloads: one method for each function of the `workload` interface, each answer checked. Knows no plan: settings and
//! seed come from outside.

use std::fmt;
use std::sync::Arc;

use benchhost_model::{Answer, Item, Refusal, Score, Setting, WorkloadInfo};

use crate::bindings::engine::benchhost::plugin::types;
use crate::bindings::workload::exports::benchhost::plugin::workload as wit;
use crate::bindings::workload::{WorkloadPlugin as Exports, WorkloadPluginPre};
use crate::call_error::CallError;
use crate::cell::Cell;
use crate::check::{self, Checked};
use crate::error::Problem;
use crate::identity::PluginIdentity;
use crate::imports::State;
use crate::runtime::Runtime;
use crate::services::Imports;

/// A loaded workload. Cheap to clone.
#[derive(Clone)]
pub struct WorkloadPlugin {
    shared: Arc<Shared>,
}

struct Shared {
    runtime: Runtime,
    pre: WorkloadPluginPre<State>,
    info: WorkloadInfo,
    identity: PluginIdentity,
}

impl WorkloadPlugin {
    /// Starts an instance, asks who it is and checks the answer.
    pub(crate) fn try_out(
        runtime: Runtime,
        label: Arc<str>,
        pre: WorkloadPluginPre<State>,
        identity: impl FnOnce(&str, &str) -> PluginIdentity,
    ) -> Result<Self, Problem> {
        let mut cell: Cell<Exports> = Cell::try_start(runtime.clone(), label, pre.clone())?;
        let description = cell
            .call("describe", runtime.limits.describe, |store, exports| {
                exports.benchhost_plugin_workload().call_describe(store)
            })
            .map_err(Problem::Start)?;
        let info = WorkloadInfo::from(description);
        check::description::workload(&info).map_err(Problem::Description)?;
        let identity = identity(&info.name, &info.version);
        Ok(Self { shared: Arc::new(Shared { runtime, pre, info, identity }) })
    }

    /// What it says about itself.
    pub fn info(&self) -> &WorkloadInfo {
        &self.shared.info
    }

    /// Which plugin it is.
    pub fn identity(&self) -> &PluginIdentity {
        &self.shared.identity
    }

    /// A fresh instance, for one thread at a time; [`WorkloadInstance::open`] it first.
    pub fn instance(&self, imports: Imports) -> Result<WorkloadInstance, CallError> {
        let name: Arc<str> = self.shared.info.name.as_str().into();
        let cell = Cell::start(self.shared.runtime.clone(), name, imports, self.shared.pre.clone())?;
        Ok(WorkloadInstance { cell, shared: Arc::clone(&self.shared), opened: None })
    }
}

impl fmt::Debug for WorkloadPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkloadPlugin").field("identity", &self.shared.identity).finish_non_exhaustive()
    }
}

/// What `open` was called with, to repeat it after an instance was replaced.
struct Opened {
    settings: Vec<types::Setting>,
    seed: u64,
    count: u32,
}

/// An instance of a workload. After a failure it goes on with a fresh one, opened in the same way, by itself.
pub struct WorkloadInstance {
    cell: Cell<Exports>,
    shared: Arc<Shared>,
    opened: Option<Opened>,
}

impl WorkloadInstance {
    /// Prepares the items; answers how many different ones there are, at least 1.
    pub fn open(&mut self, settings: &[Setting], seed: u64) -> Result<u32, CallError> {
        self.opened = None;
        let settings: Vec<types::Setting> = settings.iter().map(Into::into).collect();
        let count = self.call_open(&settings, seed)?;
        self.opened = Some(Opened { settings, seed, count });
        Ok(count)
    }

    fn call_open(&mut self, settings: &[types::Setting], seed: u64) -> Result<u32, CallError> {
        let answer = self.cell.call("open", self.shared.runtime.limits.open, |store, exports| {
            exports.benchhost_plugin_workload().call_open(store, settings, seed)
        })?;
        let count = answer.map_err(|refusal| CallError::Refused(refusal.into()))?;
        self.checked("open", check::ensure(count > 0, || "it has 0 items".to_owned()))?;
        Ok(count)
    }

    /// Item `index`, below the count of `open`.
    pub fn item(&mut self, index: u32) -> Result<Item, CallError> {
        self.ready(index)?;
        let answer = self.cell.call("item-at", self.shared.runtime.limits.item, |store, exports| {
            exports.benchhost_plugin_workload().call_item_at(store, index)
        })?;
        let item = Item::from(answer.map_err(|refusal| CallError::Refused(refusal.into()))?);
        let checked = check::item::item(&item, &self.shared.info).map_err(|e| format!("item {index}: {e}"));
        self.checked("item-at", checked)?;
        Ok(item)
    }

    /// Scores one answer to item `index`; empty: nothing to score.
    pub fn score(&mut self, index: u32, answer: &Answer) -> Result<Vec<Score>, CallError> {
        self.ready(index)?;
        let answer = wit::Answer::from(answer);
        let answer = self.cell.call("score-answer", self.shared.runtime.limits.score, |store, exports| {
            exports.benchhost_plugin_workload().call_score_answer(store, index, &answer)
        })?;
        let scores = answer.map_err(|refusal| CallError::Refused(refusal.into()))?;
        let scores: Vec<Score> = scores.into_iter().map(Into::into).collect();
        self.checked("score-answer", check::item::scores(&scores, &self.shared.info))?;
        Ok(scores)
    }

    /// Opens a replaced instance again, and refuses an index that does not exist.
    fn ready(&mut self, index: u32) -> Result<(), CallError> {
        let Some(opened) = self.opened.take() else {
            return Err(CallError::Refused(Refusal::Other("the workload was not opened".to_owned())));
        };
        let reopened = if self.cell.is_live() {
            Ok(opened.count)
        } else {
            // An instance that refused this time is alive but holds nothing: the next call must open again.
            self.call_open(&opened.settings, opened.seed).inspect_err(|_| self.cell.discard())
        };
        let expected = opened.count;
        self.opened = Some(opened);
        let count = reopened?;
        let same = check::ensure(count == expected, || {
            format!("{count} items with the settings that gave {expected}")
        });
        self.checked("open", same)?;
        if index >= expected {
            let text = format!("item {index} of {expected}: the first is 0");
            return Err(CallError::Refused(Refusal::Invalid(text)));
        }
        Ok(())
    }

    fn checked(&mut self, function: &'static str, checked: Checked) -> Result<(), CallError> {
        checked.map_err(|what| self.cell.misbehaved(function, what))
    }
}

impl fmt::Debug for WorkloadInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkloadInstance").field("live", &self.cell.is_live()).finish_non_exhaustive()
    }
}
