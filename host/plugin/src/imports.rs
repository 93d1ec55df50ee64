//! The host's side of what components import: log, data, tokens. Counts every call and its bytes, takes its time out of
//! the plugin's; does no work of its own.

use std::sync::Arc;

use crate::bindings::engine::benchhost::plugin::{log, types};
use crate::bindings::workload::benchhost::plugin::{data, tokens};
use crate::meter::Meter;
use crate::runtime::Ticks;
use crate::services::{Imports, LogLevel, TokensBy};
use crate::text::one_line;

/// A log line is cut here.
const LINE_BYTES: usize = 8 << 10;
/// Most that one `read` gives.
const READ_BYTES: u32 = 1 << 20;
/// Most texts in one `count`.
const COUNT_TEXTS: usize = 4096;

/// What a store holds.
pub(crate) struct State {
    pub(crate) plugin: Arc<str>,
    pub(crate) imports: Imports,
    pub(crate) meter: Meter,
    pub(crate) ticks: Arc<Ticks>,
    /// The last line logged during this call: often a panic's message, which a trap does not carry.
    pub(crate) last_log: Option<String>,
}

impl State {
    pub(crate) fn new(plugin: Arc<str>, imports: Imports, meter: Meter, ticks: Arc<Ticks>) -> Self {
        Self { plugin, imports, meter, ticks, last_log: None }
    }

    /// Runs `work` as a host call that was given `given` bytes and gives back `size` of its result.
    fn host_call<R>(
        &mut self,
        given: usize,
        work: impl FnOnce(&Imports) -> R,
        size: impl FnOnce(&R) -> usize,
    ) -> wasmtime::Result<R> {
        self.meter.enter_host(given, self.ticks.now())?;
        let result = work(&self.imports);
        self.meter.leave_host(size(&result), self.ticks.now())?;
        Ok(result)
    }
}

impl types::Host for State {}

impl log::Host for State {
    fn log(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            log::Level::Debug => LogLevel::Debug,
            log::Level::Info => LogLevel::Info,
            log::Level::Warn => LogLevel::Warn,
            log::Level::Error => LogLevel::Error,
        };
        let line = one_line(&message, LINE_BYTES);
        let (plugin, pass_on) = (Arc::clone(&self.plugin), self.meter.line_allowed());
        self.host_call(
            message.len(),
            |imports| {
                if pass_on {
                    imports.log.log(&plugin, level, &line);
                }
            },
            |()| 0,
        )?;
        self.last_log = Some(line);
        Ok(())
    }
}

impl data::Host for State {
    fn info(&mut self, slot: String) -> wasmtime::Result<Option<data::SlotInfo>> {
        let found = self.host_call(slot.len(), |imports| imports.data.info(&slot), |_| 0)?;
        Ok(found.map(|file| data::SlotInfo { name: file.name, bytes: file.bytes, digest: file.digest }))
    }

    fn read(&mut self, slot: String, offset: u64, len: u32) -> wasmtime::Result<Result<Vec<u8>, String>> {
        let len = len.min(READ_BYTES);
        self.host_call(
            slot.len(),
            |imports| imports.data.read(&slot, offset, len),
            |r| r.as_ref().map_or(0, Vec::len),
        )
    }

    fn count(&mut self, slot: String) -> wasmtime::Result<Result<u32, String>> {
        self.host_call(slot.len(), |imports| imports.data.count(&slot), |_| 4)
    }

    fn record_at(&mut self, slot: String, index: u32) -> wasmtime::Result<Result<String, String>> {
        self.host_call(
            slot.len(),
            |imports| imports.data.record(&slot, index),
            |r| r.as_ref().map_or(0, String::len),
        )
    }
}

impl tokens::Host for State {
    fn source_of(&mut self) -> wasmtime::Result<tokens::Source> {
        let source = self.host_call(0, |imports| imports.tokens.source(), |_| 0)?;
        Ok(match source {
            TokensBy::File => tokens::Source::File,
            TokensBy::Server => tokens::Source::Server,
            TokensBy::Approximate => tokens::Source::Approximate,
        })
    }

    fn count(&mut self, texts: Vec<String>) -> wasmtime::Result<Result<Vec<u32>, String>> {
        if texts.len() > COUNT_TEXTS {
            return Ok(Err(format!("{} texts in one call; at most {COUNT_TEXTS} are counted", texts.len())));
        }
        let given = texts.iter().map(String::len).sum();
        self.host_call(given, |imports| imports.tokens.count(&texts), ids_size)
    }

    fn encode(&mut self, text: String) -> wasmtime::Result<Result<Vec<u32>, String>> {
        self.host_call(text.len(), |imports| imports.tokens.encode(&text), ids_size)
    }
}

fn ids_size(result: &Result<Vec<u32>, String>) -> usize {
    result.as_ref().map_or(0, |ids| ids.len() * 4)
}
