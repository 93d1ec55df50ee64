//! What is asked of an adapter, and the request it answers with. Must not know any engine's field names.

use crate::{Message, Route, Setting, Settings};

/// What the model is given.
#[derive(Debug, Clone, PartialEq)]
pub enum Prompt {
    /// Messages; the server applies its template.
    Chat(Vec<Message>),
    /// Plain text.
    Text(String),
    /// Token ids.
    Tokens(Vec<u32>),
    /// A whole request body as JSON text, sent as it is but for the fields that make it stream.
    Raw(String),
}

impl Default for Prompt {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

/// How the answer is to be generated. A value that the engine cannot take is refused, or sent otherwise and noted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sampling {
    /// Upper limit of generated tokens.
    pub max_tokens: u32,
    /// Generate exactly `max_tokens` tokens, ignoring the end of sequence.
    pub exact: bool,
    /// 0 is greedy.
    pub temperature: f64,
    /// Nucleus mass in (0, 1]; `None`: the whole distribution, said explicitly where the engine has another default.
    pub top_p: Option<f64>,
    /// The server's sampling seed.
    pub seed: Option<u64>,
    /// Texts that end generation.
    pub stop: Vec<String>,
    /// Keep this request out of the prefix cache; the text is unique to the request (usable as a salt).
    pub cache_salt: Option<String>,
    /// Room to grow, as JSON text.
    pub extra: String,
}

/// Everything needed to build one request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BuildInput {
    /// What the model is given.
    pub prompt: Prompt,
    /// How to generate.
    pub sampling: Sampling,
    /// Where to send it.
    pub route: Route,
    /// The model to name; empty: the server's only one.
    pub model: String,
    /// Every declared option with its value.
    pub settings: Vec<Setting>,
    /// Room to grow, as JSON text.
    pub extra: String,
}

impl BuildInput {
    /// The settings with typed getters.
    pub fn settings(&self) -> Settings {
        Settings::new(self.settings.clone())
    }
}

/// How the body of the answer is cut into events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Framing {
    /// Server-sent events.
    #[default]
    Sse,
    /// One JSON document a line.
    Ndjson,
    /// The whole body is one event.
    WholeBody,
}

/// How one knows that a stream is whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum EndRule {
    /// An event whose data, trimmed, is this text (`[DONE]`).
    DoneData(String),
    /// An event with this name.
    DoneEvent(String),
    /// A meaning with `finish` or `done` was seen for every choice.
    FinishReason,
    /// The body simply ends.
    #[default]
    EndOfBody,
}

/// One HTTP request. Scheme, host, TLS, key and user headers are the host's.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Request {
    /// `GET` or `POST`.
    pub method: String,
    /// Path and query below the base URL; begins with `/`.
    pub path: String,
    /// Headers of the dialect (`content-type`); never `host`, `content-length`, `authorization`.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
    /// How the answer's body is cut.
    pub framing: Framing,
    /// How the answer ends.
    pub end: EndRule,
    /// Handed back to [`crate::Decode::start`]. At most 64 KiB of JSON text.
    pub ctx: String,
    /// What was asked and could not be sent as asked, one sentence each. Keep them free of per-request values: the host
    /// shows each distinct note once.
    pub notes: Vec<String>,
}
