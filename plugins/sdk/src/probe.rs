//! Questions to a server, their answers, and its gauges. Must not know any engine's paths.

use crate::{Setting, Settings};

/// What a question is about.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProbeInput {
    /// The model to name; empty: the server's only one.
    pub model: String,
    /// The text of `tokenize`; empty for the others.
    pub text: String,
    /// Add the special tokens that a request would add.
    pub special_tokens: bool,
    /// Every declared option with its value.
    pub settings: Vec<Setting>,
}

impl ProbeInput {
    /// The settings with typed getters.
    pub fn settings(&self) -> Settings {
        Settings::new(self.settings.clone())
    }
}

/// The request that asks it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProbeRequest {
    /// `GET` or `POST`.
    pub method: String,
    /// Path and query below the base URL.
    pub path: String,
    /// Headers of the dialect.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
    /// Another port of the same host; `None`: the same.
    pub port: Option<u16>,
}

impl ProbeRequest {
    /// A `GET` without body.
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: "GET".into(), path: path.into(), ..Self::default() }
    }

    /// A `POST` with a JSON body; an empty body is sent without content type.
    pub fn post(path: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let headers =
            if body.is_empty() { vec![] } else { vec![("content-type".into(), "application/json".into())] };
        Self { method: "POST".into(), path: path.into(), headers, body, port: None }
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HttpAnswer {
    /// HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl HttpAnswer {
    /// The status says success.
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// A model the server offers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModelInfo {
    /// Its name.
    pub id: String,
    /// Longest context in tokens, where the server says.
    pub context: Option<u32>,
    /// Room to grow, as JSON text.
    pub extra: String,
}

/// What the server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeAnswer {
    /// Ready to generate.
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
    /// Done, nothing to say (cache reset).
    Done,
}

/// One figure of the engine at one moment, under a canonical name of `wit/gauges.md`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Gauge {
    /// The canonical name.
    pub name: String,
    /// Its value.
    pub value: f64,
}
