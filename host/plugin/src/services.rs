//! What components may import, as traits that the command line implements: lines for people, data files, a tokenizer.
//! Knows no file and no server.

use std::sync::Arc;

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// For the plugin's author.
    Debug,
    /// Worth knowing.
    Info,
    /// Something may be wrong.
    Warn,
    /// Something is wrong.
    Error,
}

/// Takes lines that plugins write.
pub trait Log: Send + Sync {
    /// `message` is one line of at most 8 KiB, free of control characters.
    fn log(&self, plugin: &str, level: LogLevel, message: &str);
}

/// What is in a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotFile {
    /// File name without its folders.
    pub name: String,
    /// Size in bytes after decompression.
    pub bytes: u64,
    /// SHA-256 of the file on disk, in hexadecimal.
    pub digest: String,
}

/// The files the user named, by slot.
pub trait Data: Send + Sync {
    /// `None`: no file was given for this slot.
    fn info(&self, slot: &str) -> Option<SlotFile>;
    /// At most `len` bytes (never more than 1 MiB is asked for) from `offset`; fewer at the end. The error is one line.
    fn read(&self, slot: &str, offset: u64, len: u32) -> Result<Vec<u8>, String>;
    /// Records in the file.
    fn count(&self, slot: &str) -> Result<u32, String>;
    /// Record `index` as JSON text.
    fn record(&self, slot: &str, index: u32) -> Result<String, String>;
}

/// Where token counts come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokensBy {
    /// A `tokenizer.json`.
    File,
    /// The server's own endpoint.
    Server,
    /// An estimate from characters.
    Approximate,
}

/// The target's tokenizer.
pub trait Tokens: Send + Sync {
    /// Where counts come from.
    fn source(&self) -> TokensBy;
    /// Tokens of each text (at most 4096 texts), in order, without special tokens.
    fn count(&self, texts: &[String]) -> Result<Vec<u32>, String>;
    /// Token ids of one text, without special tokens.
    fn encode(&self, text: &str) -> Result<Vec<u32>, String>;
}

/// Drops every line.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Log for Silent {
    fn log(&self, _plugin: &str, _level: LogLevel, _message: &str) {}
}

/// No slot has a file.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoData;

impl Data for NoData {
    fn info(&self, _slot: &str) -> Option<SlotFile> {
        None
    }
    fn read(&self, slot: &str, _offset: u64, _len: u32) -> Result<Vec<u8>, String> {
        Err(no_file(slot))
    }
    fn count(&self, slot: &str) -> Result<u32, String> {
        Err(no_file(slot))
    }
    fn record(&self, slot: &str, _index: u32) -> Result<String, String> {
        Err(no_file(slot))
    }
}

fn no_file(slot: &str) -> String {
    format!("no file was given for slot `{slot}`")
}

/// There is no tokenizer: every count is an error.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoTokens;

impl Tokens for NoTokens {
    fn source(&self) -> TokensBy {
        TokensBy::Approximate
    }
    fn count(&self, _texts: &[String]) -> Result<Vec<u32>, String> {
        Err("there is no tokenizer".to_owned())
    }
    fn encode(&self, _text: &str) -> Result<Vec<u32>, String> {
        Err("there is no tokenizer".to_owned())
    }
}

/// Everything a workload may call.
#[derive(Clone)]
pub struct Imports {
    /// Its data files.
    pub data: Arc<dyn Data>,
    /// The tokenizer.
    pub tokens: Arc<dyn Tokens>,
    /// Where its lines go.
    pub log: Arc<dyn Log>,
}

impl Imports {
    /// No data, no tokenizer: all that an engine adapter gets.
    pub fn only_log(log: Arc<dyn Log>) -> Self {
        Self { data: Arc::new(NoData), tokens: Arc::new(NoTokens), log }
    }
}

impl Default for Imports {
    fn default() -> Self {
        Self::only_log(Arc::new(Silent))
    }
}

impl std::fmt::Debug for Imports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Imports").finish_non_exhaustive()
    }
}
