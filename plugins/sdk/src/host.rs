//! What a workload may ask of the host. The Wasm imports implement it, and `testkit::FakeHost` natively.

/// How grave a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum LogLevel {
    /// For the plugin's author.
    Debug,
    /// For the user.
    #[default]
    Info,
    /// Something is not as asked.
    Warn,
    /// Something failed.
    Error,
}

/// What is in a slot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SlotInfo {
    /// File name without its folders.
    pub name: String,
    /// Size in bytes after decompression.
    pub bytes: u64,
    /// SHA-256 of the file as it is on disk, in hexadecimal.
    pub digest: String,
}

/// Where token counts come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TokensSource {
    /// A `tokenizer.json` named by the user.
    File,
    /// The server's own tokenize endpoint.
    Server,
    /// An estimate from characters: every row says so.
    #[default]
    Approximate,
}

/// The host's side of a workload: files by slot, the target's tokenizer, a log. Errors are the host's own words.
pub trait Host {
    /// A line for people; cut at 8 KiB.
    fn log(&self, level: LogLevel, message: &str);
    /// What is in a slot; `None`: the user gave no file for it.
    fn slot(&self, slot: &str) -> Option<SlotInfo>;
    /// At most `len` bytes (1 MiB a call) from `offset`; fewer at the end of the file.
    fn read(&self, slot: &str, offset: u64, len: u32) -> Result<Vec<u8>, String>;
    /// Records in the slot's file, parsed by its declared format.
    fn records(&self, slot: &str) -> Result<u32, String>;
    /// Record `index` as JSON text: an object for CSV and JSONL, an element for JSON arrays, a string for lines.
    fn record(&self, slot: &str, index: u32) -> Result<String, String>;
    /// Where token counts come from.
    fn tokens_source(&self) -> TokensSource;
    /// Tokens of each text, without special tokens, in order. At most 4096 texts a call.
    fn count_tokens(&self, texts: &[String]) -> Result<Vec<u32>, String>;
    /// Token ids of one text, without special tokens; an error where only counts are known.
    fn encode(&self, text: &str) -> Result<Vec<u32>, String>;
}
