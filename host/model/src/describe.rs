//! How plugins describe themselves. Mirrors the `description` records of `wit/`.

use serde::{Deserialize, Serialize};

use crate::{ProbeKind, Route};

/// What an option accepts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptionKind {
    /// Any text.
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

impl OptionKind {
    /// Checks a value; the error says what is accepted.
    pub fn check(&self, value: &str) -> Result<(), String> {
        let ok = match self {
            Self::Text => true,
            Self::Count => value.parse::<u64>().is_ok(),
            Self::Number => value.parse::<f64>().is_ok_and(f64::is_finite),
            Self::Toggle => matches!(value, "true" | "false"),
            Self::Choice(words) => words.iter().any(|w| w == value),
        };
        if ok { Ok(()) } else { Err(format!("`{value}` is not {}", self.accepts())) }
    }

    /// What is accepted, for people.
    pub fn accepts(&self) -> String {
        match self {
            Self::Text => "a text".into(),
            Self::Count => "a whole number".into(),
            Self::Number => "a number".into(),
            Self::Toggle => "`true` or `false`".into(),
            Self::Choice(words) => format!("one of `{}`", words.join("`, `")),
        }
    }
}

/// One option of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionSpec {
    /// kebab-case.
    pub name: String,
    /// What it accepts.
    pub kind: OptionKind,
    /// Used when the user sets none; empty: unset.
    pub default: String,
    /// One sentence.
    pub help: String,
}

/// An option's name and its value in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// The option.
    pub name: String,
    /// Its value as text.
    pub value: String,
}

/// What one route of an engine can do.
#[expect(
    clippy::struct_excessive_bools,
    reason = "five independent capabilities, each named where it is asked for"
)]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteInfo {
    /// Which route.
    pub route: Route,
    /// Its path, for people.
    pub path: String,
    /// Exactly the asked number of tokens can be forced.
    pub exact_output: bool,
    /// Prompts may be token ids.
    pub token_prompts: bool,
    /// A request can be kept out of the prefix cache.
    pub cache_bypass: bool,
    /// Tokens per event are known.
    pub counts_per_event: bool,
    /// The answer states its token counts.
    pub reports_usage: bool,
}

/// An engine adapter's description of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineInfo {
    /// kebab-case.
    pub name: String,
    /// Semantic version.
    pub version: String,
    /// One sentence.
    pub summary: String,
    /// Engine versions it was checked against.
    pub tested_with: String,
    /// Default base URL.
    pub default_url: String,
    /// Environment variable with the API key; empty: none.
    pub key_variable: String,
    /// Best route first.
    pub routes: Vec<RouteInfo>,
    /// Questions it can ask.
    pub probes: Vec<ProbeKind>,
    /// Its options.
    pub options: Vec<OptionSpec>,
}

impl EngineInfo {
    /// The description of `route`, if the engine has it.
    pub fn route(&self, route: Route) -> Option<&RouteInfo> {
        self.routes.iter().find(|r| r.route == route)
    }
}

/// How a slot's file is parsed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlotFormat {
    /// RFC 4180 with a header row.
    Csv,
    /// One JSON document a line.
    Jsonl,
    /// One JSON document; the pointer leads to the array of records.
    Json(String),
    /// One text a line.
    Lines,
}

/// A place for a data file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// kebab-case.
    pub name: String,
    /// How it is parsed.
    pub format: SlotFormat,
    /// Publisher's licence.
    pub licence: String,
    /// Where people get it.
    pub origin: String,
    /// One sentence.
    pub help: String,
}

/// A score that a workload gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreSpec {
    /// `snake_case`.
    pub name: String,
    /// Direction.
    pub higher_is_better: bool,
    /// What is measured, by which rule.
    pub help: String,
}

/// A workload's description of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadInfo {
    /// kebab-case.
    pub name: String,
    /// Semantic version.
    pub version: String,
    /// One sentence.
    pub summary: String,
    /// Categories of items.
    pub categories: Vec<String>,
    /// Data files it can read.
    pub slots: Vec<Slot>,
    /// Its options.
    pub options: Vec<OptionSpec>,
    /// Scores it gives.
    pub scores: Vec<ScoreSpec>,
    /// Its items need a tokenizer.
    pub needs_tokens: bool,
}
