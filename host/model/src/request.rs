//! A request as bytes, ready to be sent. Knows neither the socket nor the plugin that made it.

use serde::{Deserialize, Serialize};

/// How the answer's body is cut into events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// Server-sent events.
    Sse,
    /// One JSON document a line.
    Ndjson,
    /// The whole body is one event.
    WholeBody,
}

/// How one knows that a stream is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndRule {
    /// An event whose trimmed data is this text.
    DoneData(String),
    /// An event with this name.
    DoneEvent(String),
    /// A finish reason was seen.
    FinishReason,
    /// The body ends.
    EndOfBody,
}

/// One HTTP request, as an adapter built it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireRequest {
    /// `GET` or `POST`.
    pub method: String,
    /// Path and query below the base URL.
    pub path: String,
    /// Headers of the dialect.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
    /// How the answer is framed.
    pub framing: Framing,
    /// How the answer ends.
    pub end: EndRule,
    /// Handed back when decoding starts.
    pub ctx: String,
    /// What could not be sent as asked, for people.
    pub notes: Vec<String>,
}
