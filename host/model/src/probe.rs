//! Questions to a server and their answers. Mirrors `wit/engine.wit`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A question an adapter can put to its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeKind {
    /// Ready to generate?
    Ready,
    /// Which version?
    Version,
    /// Which models?
    Models,
    /// Its counters.
    Metrics,
    /// Forget cached prefixes.
    CacheReset,
    /// Count a text's tokens.
    Tokenize,
}

impl fmt::Display for ProbeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready => "ready",
            Self::Version => "version",
            Self::Models => "models",
            Self::Metrics => "metrics",
            Self::CacheReset => "cache-reset",
            Self::Tokenize => "tokenize",
        })
    }
}

/// The request that asks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeRequest {
    /// `GET` or `POST`.
    pub method: String,
    /// Path below the base URL.
    pub path: String,
    /// Headers of the dialect.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Another port of the same host.
    pub port: Option<u16>,
}

/// A model the server offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// Its name.
    pub id: String,
    /// Longest context in tokens.
    pub context: Option<u32>,
}

/// What the server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeAnswer {
    /// Ready.
    Ready,
    /// Not ready, and why.
    NotReady(String),
    /// Its version.
    Version(String),
    /// Its models.
    Models(Vec<ModelInfo>),
    /// Ids of the text's tokens.
    TokenIds(Vec<u32>),
    /// How many tokens the text has.
    TokenCount(u32),
    /// Done.
    Done,
}
