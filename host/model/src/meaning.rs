//! What stream events mean. Mirrors `wit/engine.wit`; holds no time: an event is known by its index.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One event of a body, as cut by the declared framing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Event {
    /// SSE event name; empty when the stream gives none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The data.
    pub data: String,
}

/// Why generation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// End of sequence or a stop string.
    Stop,
    /// The token limit.
    Length,
    /// A tool call.
    ToolCalls,
    /// The server's filter.
    ContentFilter,
    /// The server aborted the request.
    Aborted,
    /// The server reports an error.
    Error,
    /// Some other reason.
    Other,
}

impl Finish {
    /// The word used in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
            Self::ContentFilter => "content_filter",
            Self::Aborted => "aborted",
            Self::Error => "error",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Finish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Token counts as the server states them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Prompt tokens.
    pub prompt_tokens: Option<u32>,
    /// Generated tokens, reasoning included.
    pub completion_tokens: Option<u32>,
    /// Prompt tokens found in a cache.
    pub cached_tokens: Option<u32>,
    /// Generated tokens spent on reasoning.
    pub reasoning_tokens: Option<u32>,
    /// Totals so far, or what this event adds.
    pub cumulative: bool,
}

/// What the server says went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ServerError {
    /// The status or code it names; 0 when none.
    pub code: u16,
    /// Its class of error; may be empty.
    pub kind: String,
    /// Its words.
    pub message: String,
    /// Whether a later try may succeed.
    pub retryable: bool,
}

/// What one event meant.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Meaning {
    /// Index of the choice.
    pub choice: u32,
    /// Answer text added.
    pub text: String,
    /// Reasoning added.
    pub reasoning: String,
    /// Tool-call text added.
    pub tool: String,
    /// Refusal text added.
    pub refusal: String,
    /// Tokens carried, where the server says so.
    pub tokens: Option<u32>,
    /// Token ids carried.
    pub token_ids: Vec<u32>,
    /// Usage stated.
    pub usage: Option<Usage>,
    /// Generation ended here.
    pub finish: Option<Finish>,
    /// The server reports a failure.
    pub error: Option<ServerError>,
    /// A keep-alive.
    pub ping: bool,
    /// The end marker.
    pub done: bool,
    /// The server's own timings as JSON text.
    pub timings: String,
    /// Room to grow, as JSON text.
    pub extra: String,
}

impl Meaning {
    /// True when the event carried something the model generated: text on any channel, or tokens known to be there.
    ///
    /// An empty delta without a count is not output (`method.md` §1.2: AIPerf, NIM and MLPerf Endpoints agree).
    pub fn is_output(&self) -> bool {
        !self.text.is_empty()
            || !self.reasoning.is_empty()
            || !self.tool.is_empty()
            || !self.refusal.is_empty()
            || self.token_count().is_some_and(|n| n > 0)
    }

    /// Tokens this event is known to carry.
    pub fn token_count(&self) -> Option<u32> {
        self.tokens.or_else(|| u32::try_from(self.token_ids.len()).ok().filter(|n| *n > 0))
    }
}

/// How a body ended, as the host saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// As HTTP says it should.
    Complete,
    /// The connection closed or broke before that.
    Cut,
    /// The host stopped waiting.
    TimedOut,
    /// The host hung up on purpose.
    Cancelled,
}

/// What is known once the body is over.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Closing {
    /// The stream is whole by its own rule.
    pub whole: bool,
    /// What only the end reveals.
    pub last: Option<Meaning>,
}
