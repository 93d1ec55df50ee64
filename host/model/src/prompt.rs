//! What is asked of a model: prompts, sampling, routes. Mirrors `wit/engine.wit`; knows no engine's field names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Setting;

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// `system`, `user`, `assistant`, or what the server calls its own.
    pub role: String,
    /// The text.
    pub content: String,
}

/// What the model is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    /// Messages; the server applies its template.
    Chat(Vec<Message>),
    /// Plain text.
    Text(String),
    /// Token ids.
    Tokens(Vec<u32>),
    /// A request body as JSON text.
    Raw(String),
}

/// Which kind of endpoint a request goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// Messages in.
    Chat,
    /// Text or token ids in.
    Completions,
    /// The engine's own API.
    Native,
}

impl Route {
    /// The word used in flags, plans and files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Completions => "completions",
            Self::Native => "native",
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A route that is none of the three words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseRouteError(String);

impl fmt::Display for ParseRouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a route; use `chat`, `completions` or `native`", self.0)
    }
}

impl std::error::Error for ParseRouteError {}

impl FromStr for Route {
    type Err = ParseRouteError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "chat" => Ok(Self::Chat),
            "completions" => Ok(Self::Completions),
            "native" => Ok(Self::Native),
            other => Err(ParseRouteError(other.to_owned())),
        }
    }
}

/// How an answer is to be generated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sampling {
    /// Upper limit of generated tokens.
    pub max_tokens: u32,
    /// Generate exactly `max_tokens`.
    pub exact: bool,
    /// 0 is greedy.
    pub temperature: f64,
    /// Nucleus mass in (0, 1]; `None`: the whole distribution.
    pub top_p: Option<f64>,
    /// The server's sampling seed.
    pub seed: Option<u64>,
    /// Texts that end generation.
    pub stop: Vec<String>,
    /// Keep the request out of the prefix cache, with this text as salt.
    pub cache_salt: Option<String>,
}

/// Everything an adapter needs to build one request.
#[derive(Debug, Clone, PartialEq)]
pub struct BuildInput {
    /// The prompt in the form that `route` takes.
    pub prompt: Prompt,
    /// How to generate.
    pub sampling: Sampling,
    /// Where to send it.
    pub route: Route,
    /// The model to name; empty: the server's only one.
    pub model: String,
    /// Every declared option of the adapter with its value.
    pub settings: Vec<Setting>,
}

/// Why a plugin cannot do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// This engine, route or workload cannot do it.
    Unsupported(String),
    /// An option, a data file or an item is wrong.
    Invalid(String),
    /// A bug in the plugin.
    Internal(String),
    /// Anything else.
    Other(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported(text) => write!(f, "unsupported: {text}"),
            Self::Invalid(text) => write!(f, "invalid: {text}"),
            Self::Internal(text) => write!(f, "bug in the plugin: {text}"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Refusal {}
