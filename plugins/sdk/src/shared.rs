//! Nouns of both worlds, as `wit/types.wit` has them. Must not know the bindings.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What an option of a plugin accepts. The host checks the value before the plugin sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum OptionKind {
    /// Any text.
    #[default]
    Text,
    /// A whole number, 0 or more.
    Count,
    /// A decimal number.
    Number,
    /// `true` or `false`.
    Toggle,
    /// One of these words.
    Choice(Vec<String>),
}

/// One option, set with `--engine-option name=value` or `--workload-option name=value`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OptionSpec {
    /// kebab-case, unique within the plugin.
    pub name: String,
    /// What it accepts.
    pub kind: OptionKind,
    /// Used when the user sets none; must itself satisfy `kind`. Empty text: unset.
    pub default_value: String,
    /// One sentence for people.
    pub help: String,
}

impl OptionSpec {
    /// An option that takes any text; empty: unset.
    pub fn text(name: &str, default: &str, help: &str) -> Self {
        Self::of(name, OptionKind::Text, default, help)
    }

    /// An option that takes a whole number.
    pub fn count(name: &str, default: u64, help: &str) -> Self {
        Self::of(name, OptionKind::Count, &default.to_string(), help)
    }

    /// An option that takes a decimal number.
    pub fn number(name: &str, default: f64, help: &str) -> Self {
        Self::of(name, OptionKind::Number, &default.to_string(), help)
    }

    /// An option that is `true` or `false`.
    pub fn toggle(name: &str, default: bool, help: &str) -> Self {
        Self::of(name, OptionKind::Toggle, if default { "true" } else { "false" }, help)
    }

    /// An option that is one of some words; the first is the default.
    pub fn choice(name: &str, words: &[&str], help: &str) -> Self {
        let kind = OptionKind::Choice(words.iter().map(|w| (*w).to_owned()).collect());
        Self::of(name, kind, words.first().copied().unwrap_or_default(), help)
    }

    fn of(name: &str, kind: OptionKind, default: &str, help: &str) -> Self {
        Self { name: name.into(), kind, default_value: default.into(), help: help.into() }
    }
}

/// A name and the value in force (the user's, or the default), as text. The host sends every declared option.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Setting {
    /// The option's name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Message {
    /// `system`, `user`, `assistant` or what the server calls its own.
    pub role: String,
    /// The text.
    pub content: String,
}

impl Message {
    /// A message of this role.
    pub fn new(role: &str, content: impl Into<String>) -> Self {
        Self { role: role.into(), content: content.into() }
    }

    /// What the user says.
    pub fn user(content: impl Into<String>) -> Self {
        Self::new("user", content)
    }
}

/// Why generation ended, as the engine says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// An end-of-sequence token or a stop string.
    #[default]
    Stop,
    /// The token limit.
    Length,
    /// The model called a tool.
    ToolCalls,
    /// The server's filter cut the answer.
    ContentFilter,
    /// The server aborted the request.
    Aborted,
    /// The server reports an error as the reason.
    Error,
    /// A reason this list does not have; the word itself goes into `extra`.
    Other,
}

/// Why a plugin cannot do what it was asked. None of these is retried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// This engine, route or workload cannot do it: the text says what and what to use instead.
    Unsupported(String),
    /// An option, a data file or an item is wrong: the text names it.
    Invalid(String),
    /// A bug in the plugin, told apart so that it is reported as one.
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
