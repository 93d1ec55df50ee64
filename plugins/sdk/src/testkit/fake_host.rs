//! A [`Host`] in memory: slots from texts, a token counter that counts words. Must not know any plugin.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::{Host, LogLevel, SlotInfo, TokensSource};

/// A host for native tests.
///
/// Its tokenizer is made up and stable: each run of letters and digits is one token, each other visible character is one,
/// white space is none. The id of a token is a digest of its text.
#[derive(Debug, Default)]
pub struct FakeHost {
    slots: BTreeMap<String, Slot>,
    source: TokensSource,
    log: RefCell<Vec<(LogLevel, String)>>,
}

#[derive(Debug, Default)]
struct Slot {
    name: String,
    bytes: Vec<u8>,
    records: Vec<String>,
}

impl FakeHost {
    /// A host without files that counts tokens approximately.
    pub fn new() -> Self {
        Self::default()
    }

    /// Fills a slot with records as the host would hand them over: one JSON text each. The slot's bytes are the records
    /// with a line feed after each.
    #[must_use]
    pub fn with_records<S: Into<String>>(mut self, slot: &str, records: impl IntoIterator<Item = S>) -> Self {
        let records: Vec<String> = records.into_iter().map(Into::into).collect();
        let bytes = records.iter().flat_map(|r| r.bytes().chain([b'\n'])).collect();
        self.slots.insert(slot.into(), Slot { name: format!("{slot}.jsonl"), bytes, records });
        self
    }

    /// Fills a slot with bytes that have no records.
    #[must_use]
    pub fn with_file(mut self, slot: &str, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.slots.insert(slot.into(), Slot { name: name.into(), bytes: bytes.into(), records: vec![] });
        self
    }

    /// Says where counts come from. With [`TokensSource::Approximate`] (the default) `encode` fails, as on the real host.
    #[must_use]
    pub fn with_tokens(mut self, source: TokensSource) -> Self {
        self.source = source;
        self
    }

    /// What was logged.
    pub fn logged(&self) -> Vec<(LogLevel, String)> {
        self.log.borrow().clone()
    }

    fn filled(&self, slot: &str) -> Result<&Slot, String> {
        self.slots
            .get(slot)
            .ok_or_else(|| format!("no file for slot `{slot}`; name one with `--data {slot}=PATH`"))
    }
}

impl Host for FakeHost {
    fn log(&self, level: LogLevel, message: &str) {
        self.log.borrow_mut().push((level, message.to_owned()));
    }

    fn slot(&self, slot: &str) -> Option<SlotInfo> {
        let file = self.slots.get(slot)?;
        Some(SlotInfo { name: file.name.clone(), bytes: file.bytes.len() as u64, digest: "0".repeat(64) })
    }

    fn read(&self, slot: &str, offset: u64, len: u32) -> Result<Vec<u8>, String> {
        let bytes = &self.filled(slot)?.bytes;
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let end = start.saturating_add(len.min(1 << 20) as usize).min(bytes.len());
        Ok(bytes[start..end].to_vec())
    }

    fn records(&self, slot: &str) -> Result<u32, String> {
        u32::try_from(self.filled(slot)?.records.len()).map_err(|e| e.to_string())
    }

    fn record(&self, slot: &str, index: u32) -> Result<String, String> {
        let records = &self.filled(slot)?.records;
        records
            .get(index as usize)
            .cloned()
            .ok_or_else(|| format!("slot `{slot}` has {} records; there is no record {index}", records.len()))
    }

    fn tokens_source(&self) -> TokensSource {
        self.source
    }

    fn count_tokens(&self, texts: &[String]) -> Result<Vec<u32>, String> {
        if texts.len() > 4096 {
            return Err("more than 4096 texts in one call".into());
        }
        texts.iter().map(|t| u32::try_from(tokens(t).len()).map_err(|e| e.to_string())).collect()
    }

    fn encode(&self, text: &str) -> Result<Vec<u32>, String> {
        if self.source == TokensSource::Approximate {
            return Err("token ids need a tokenizer; only counts are known".into());
        }
        Ok(tokens(text).into_iter().map(id).collect())
    }
}

/// Runs of letters and digits, and every other visible character by itself.
fn tokens(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut word: Option<usize> = None;
    for (at, c) in text.char_indices() {
        if c.is_alphanumeric() {
            word.get_or_insert(at);
            continue;
        }
        out.extend(word.take().map(|start| &text[start..at]));
        if !c.is_whitespace() {
            out.push(&text[at..at + c.len_utf8()]);
        }
    }
    out.extend(word.map(|start| &text[start..]));
    out
}

/// FNV-1a, cut to the size of a large vocabulary.
fn id(token: &str) -> u32 {
    token.bytes().fold(0x811C_9DC5_u32, |hash, b| (hash ^ u32::from(b)).wrapping_mul(0x0100_0193)) % 150_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_signs_are_tokens() {
        let host = FakeHost::new().with_tokens(TokensSource::File);
        assert_eq!(host.count_tokens(&["Hello, big world!".into(), String::new()]), Ok(vec![5, 0]));
        assert_eq!(host.encode("a b").unwrap().len(), 2);
        assert!(FakeHost::new().encode("a").is_err());
    }

    #[test]
    fn slots_answer_as_the_host_does() {
        let host = FakeHost::new().with_records("d", ["{\"a\":1}", "{\"a\":2}"]);
        assert_eq!(host.records("d"), Ok(2));
        assert_eq!(host.record("d", 1).unwrap(), "{\"a\":2}");
        assert!(host.record("d", 2).is_err() && host.records("x").is_err());
        assert_eq!(host.read("d", 8, 3).unwrap(), b"{\"a");
        assert_eq!(host.read("d", 900, 3).unwrap(), b"");
        assert_eq!(host.slot("d").unwrap().bytes, 16);
    }
}
