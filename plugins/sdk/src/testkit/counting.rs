//! A [`Host`] whose tokenizer is a function, for tests of lengths; files and the log are those of [`FakeHost`]. Must not
//! know any plugin.

use std::cell::Cell;

use super::FakeHost;
use crate::{Host, LogLevel, SlotInfo, TokensSource};

/// A host that counts tokens with a function, and counts how often it is asked.
#[derive(Debug)]
pub struct Counting {
    /// Everything but the counts.
    pub host: FakeHost,
    tokens: fn(&str) -> u32,
    calls: Cell<u32>,
}

impl Counting {
    /// A host without files.
    pub fn new(source: TokensSource, tokens: fn(&str) -> u32) -> Self {
        Self::over(FakeHost::new().with_tokens(source), tokens)
    }

    /// `host` with another counter.
    pub fn over(host: FakeHost, tokens: fn(&str) -> u32) -> Self {
        Self { host, tokens, calls: Cell::new(0) }
    }

    /// Calls of `count_tokens` since the last time this was asked.
    pub fn calls(&self) -> u32 {
        self.calls.replace(0)
    }
}

impl Host for Counting {
    fn log(&self, level: LogLevel, message: &str) {
        self.host.log(level, message);
    }
    fn slot(&self, slot: &str) -> Option<SlotInfo> {
        self.host.slot(slot)
    }
    fn read(&self, slot: &str, offset: u64, len: u32) -> Result<Vec<u8>, String> {
        self.host.read(slot, offset, len)
    }
    fn records(&self, slot: &str) -> Result<u32, String> {
        self.host.records(slot)
    }
    fn record(&self, slot: &str, index: u32) -> Result<String, String> {
        self.host.record(slot, index)
    }
    fn tokens_source(&self) -> TokensSource {
        self.host.tokens_source()
    }
    fn count_tokens(&self, texts: &[String]) -> Result<Vec<u32>, String> {
        self.calls.set(self.calls.get() + 1);
        if texts.len() > 4096 {
            return Err("more than 4096 texts in one call".into());
        }
        Ok(texts.iter().map(|t| (self.tokens)(t)).collect())
    }
    fn encode(&self, text: &str) -> Result<Vec<u32>, String> {
        self.host.encode(text)
    }
}
