//! Engine adapters: one method for each function of the `engine` interface, each answer checked. Knows no HTTP and no
//! time: events in, meanings out.

use std::fmt;
use std::sync::Arc;

use benchhost_model::{
    BuildInput, Closing, Ending, EngineInfo, Event, Meaning, ProbeAnswer, ProbeKind, ProbeRequest, Setting,
    WireRequest,
};
use wasmtime::component::ResourceAny;

use crate::bindings::engine::exports::benchhost::plugin::engine as wit;
use crate::bindings::engine::{EnginePlugin as Exports, EnginePluginPre};
use crate::call_error::CallError;
use crate::cell::Cell;
use crate::check::{self, Checked};
use crate::error::Problem;
use crate::identity::PluginIdentity;
use crate::imports::State;
use crate::limits::Limits;
use crate::runtime::Runtime;
use crate::services::{Imports, Log};

/// Most events, and most bytes of them, in one call of `decoder.feed`: large enough that the boundary costs nothing,
/// small enough that the plugin's memory is of no concern. A single larger event goes alone.
const BATCH_EVENTS: usize = 1024;
const BATCH_BYTES: usize = 1 << 20;

/// A loaded adapter. Cheap to clone; makes one instance for each worker thread.
#[derive(Clone)]
pub struct EnginePlugin {
    shared: Arc<Shared>,
}

struct Shared {
    runtime: Runtime,
    pre: EnginePluginPre<State>,
    info: EngineInfo,
    identity: PluginIdentity,
}

impl EnginePlugin {
    /// Starts an instance, asks who it is and checks the answer.
    pub(crate) fn try_out(
        runtime: Runtime,
        label: Arc<str>,
        pre: EnginePluginPre<State>,
        identity: impl FnOnce(&str, &str) -> PluginIdentity,
    ) -> Result<Self, Problem> {
        let mut cell: Cell<Exports> = Cell::try_start(runtime.clone(), label, pre.clone())?;
        let description = cell
            .call("describe", runtime.limits.describe, |store, exports| {
                exports.benchhost_plugin_engine().call_describe(store)
            })
            .map_err(Problem::Start)?;
        let info = EngineInfo::from(description);
        check::description::engine(&info).map_err(Problem::Description)?;
        let identity = identity(&info.name, &info.version);
        Ok(Self { shared: Arc::new(Shared { runtime, pre, info, identity }) })
    }

    /// What it says about itself.
    pub fn info(&self) -> &EngineInfo {
        &self.shared.info
    }

    /// Which plugin it is.
    pub fn identity(&self) -> &PluginIdentity {
        &self.shared.identity
    }

    /// A fresh instance, for one thread at a time.
    pub fn instance(&self, log: Arc<dyn Log>) -> Result<EngineInstance, CallError> {
        let runtime = self.shared.runtime.clone();
        let limits = runtime.limits;
        let name: Arc<str> = self.shared.info.name.as_str().into();
        let cell = Cell::start(runtime, name, Imports::only_log(log), self.shared.pre.clone())?;
        Ok(EngineInstance { cell, limits, batch: BATCH_EVENTS })
    }
}

impl fmt::Debug for EnginePlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnginePlugin").field("identity", &self.shared.identity).finish_non_exhaustive()
    }
}

/// One response to decode.
#[derive(Debug, Clone, Copy)]
pub struct DecodeInput<'a> {
    /// What `build` gave with the request.
    pub ctx: &'a str,
    /// The response's status.
    pub status: u16,
    /// Its headers, names in lower case.
    pub headers: &'a [(String, String)],
    /// The body, cut into events.
    pub events: &'a [Event],
    /// How the body ended.
    pub ending: Ending,
}

/// What a response meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// One for each event, in order.
    pub meanings: Vec<Meaning>,
    /// What the end revealed.
    pub closing: Closing,
}

/// An instance of an adapter. After a failure it goes on with a fresh one by itself.
pub struct EngineInstance {
    cell: Cell<Exports>,
    limits: Limits,
    batch: usize,
}

impl EngineInstance {
    /// Feeds at most `events` (at least 1) events a call. Meanings do not depend on it; tests prove that.
    #[must_use]
    pub fn with_batch(mut self, events: usize) -> Self {
        self.batch = events.max(1);
        self
    }

    /// Turns one prompt into one request.
    pub fn build(&mut self, input: &BuildInput) -> Result<WireRequest, CallError> {
        let input = wit::BuildInput::from(input);
        let answer = self.cell.call("build", self.limits.build, |store, exports| {
            exports.benchhost_plugin_engine().call_build(store, &input)
        })?;
        let request = WireRequest::from(answer.map_err(|refusal| CallError::Refused(refusal.into()))?);
        self.checked("build", check::request::wire_request(&request))?;
        Ok(request)
    }

    /// Decodes one whole response.
    pub fn decode(&mut self, input: &DecodeInput<'_>) -> Result<Decoded, CallError> {
        let ctx = input.ctx.to_owned();
        let decoder = self.cell.call("decoder.start", self.limits.decode, |store, exports| {
            exports.benchhost_plugin_engine().decoder().call_start(store, &ctx, input.status, input.headers)
        })?;
        let mut meanings = Vec::with_capacity(input.events.len());
        let mut rest = input.events;
        while !rest.is_empty() {
            let (batch, later) = rest.split_at(batch_len(rest, self.batch));
            self.feed(decoder, batch, &mut meanings)?;
            rest = later;
        }
        let closing = self.finish(decoder, input.ending)?;
        Ok(Decoded { meanings, closing })
    }

    fn feed(
        &mut self,
        decoder: ResourceAny,
        events: &[Event],
        meanings: &mut Vec<Meaning>,
    ) -> Result<(), CallError> {
        let batch: Vec<wit::Event> = events.iter().map(Into::into).collect();
        let answer = self.cell.call("decoder.feed", self.limits.decode, |store, exports| {
            exports.benchhost_plugin_engine().decoder().call_feed(store, decoder, &batch)
        })?;
        if answer.len() != events.len() {
            let what = format!("{} meanings for {} events", answer.len(), events.len());
            return Err(self.cell.misbehaved("decoder.feed", what));
        }
        for (index, meaning) in answer.into_iter().enumerate() {
            let meaning = Meaning::from(meaning);
            let checked =
                check::meaning::meaning(&meaning).map_err(|e| format!("meaning {index} of a batch: {e}"));
            self.checked("decoder.feed", checked)?;
            meanings.push(meaning);
        }
        Ok(())
    }

    fn finish(&mut self, decoder: ResourceAny, ending: Ending) -> Result<Closing, CallError> {
        let answer = self.cell.call("decoder.finish", self.limits.decode, |store, exports| {
            exports.benchhost_plugin_engine().decoder().call_finish(store, decoder, ending.into())
        })?;
        let closing = Closing::from(answer);
        self.checked("decoder.finish", check::meaning::closing(&closing))?;
        // Dropping the handle runs the guest's destructor, so it is a call like any other.
        self.cell.call("decoder.drop", self.limits.decode, |store, _| decoder.resource_drop(store))?;
        Ok(closing)
    }

    /// The request that asks `kind`; `None`: the engine has no such endpoint. `text` and `special_tokens` belong to
    /// [`ProbeKind::Tokenize`].
    pub fn probe(
        &mut self,
        kind: ProbeKind,
        model: &str,
        text: &str,
        special_tokens: bool,
        settings: &[Setting],
    ) -> Result<Option<ProbeRequest>, CallError> {
        let input = wit::ProbeInput {
            model: model.to_owned(),
            text: text.to_owned(),
            special_tokens,
            settings: settings.iter().map(Into::into).collect(),
        };
        let answer = self.cell.call("probe", self.limits.probe, |store, exports| {
            exports.benchhost_plugin_engine().call_probe(store, kind.into(), &input)
        })?;
        let request = answer.map(ProbeRequest::from);
        self.checked("probe", request.as_ref().map_or(Ok(()), check::request::probe_request))?;
        Ok(request)
    }

    /// Reads the answer to a probe; a body of [`ProbeKind::Metrics`] goes to [`Self::gauges`] instead.
    pub fn read_probe(
        &mut self,
        kind: ProbeKind,
        status: u16,
        headers: &[(String, String)],
        body: &[u8],
    ) -> Result<ProbeAnswer, CallError> {
        let answer = self.cell.call("read-probe", self.limits.probe, |store, exports| {
            exports.benchhost_plugin_engine().call_read_probe(store, kind.into(), status, headers, body)
        })?;
        let answer = ProbeAnswer::from(answer.map_err(|refusal| CallError::Refused(refusal.into()))?);
        self.checked("read-probe", check::probe::answer(kind, &answer))?;
        Ok(answer)
    }

    /// The canonical figures of a metrics body.
    pub fn gauges(&mut self, body: &[u8]) -> Result<Vec<(String, f64)>, CallError> {
        let answer = self.cell.call("gauges", self.limits.probe, |store, exports| {
            exports.benchhost_plugin_engine().call_gauges(store, body)
        })?;
        let gauges: Vec<(String, f64)> = answer.into_iter().map(|gauge| (gauge.name, gauge.value)).collect();
        self.checked("gauges", check::meaning::gauges(&gauges))?;
        Ok(gauges)
    }

    fn checked(&mut self, function: &'static str, checked: Checked) -> Result<(), CallError> {
        checked.map_err(|what| self.cell.misbehaved(function, what))
    }
}

impl fmt::Debug for EngineInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineInstance").field("live", &self.cell.is_live()).finish_non_exhaustive()
    }
}

/// How many of `events` go into one call: at least one.
fn batch_len(events: &[Event], most: usize) -> usize {
    let mut bytes = 0;
    let fitting = events.iter().take(most).take_while(|event| {
        bytes += event.data.len() + event.name.len();
        bytes <= BATCH_BYTES
    });
    fitting.count().max(1).min(events.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_bounded_by_events_and_by_bytes_and_never_empty() {
        let event = |bytes: usize| Event { name: String::new(), data: "x".repeat(bytes) };
        assert_eq!(batch_len(&vec![event(10); 2000], BATCH_EVENTS), 1024);
        assert_eq!(batch_len(&vec![event(400_000); 5], BATCH_EVENTS), 2);
        assert_eq!(batch_len(&[event(5 << 20), event(1)], BATCH_EVENTS), 1);
        assert_eq!(batch_len(&[event(1), event(5 << 20)], BATCH_EVENTS), 1);
        assert_eq!(batch_len(&[event(1)], 1), 1);
    }
}
