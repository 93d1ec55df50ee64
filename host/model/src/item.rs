//! What a workload makes: items of one or more turns, and scores of their answers. Mirrors `wit/workload.wit`.

use serde::{Deserialize, Serialize};

use crate::{Finish, Message};

/// What a turn adds to the conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnInput {
    /// Messages to append.
    Messages(Vec<Message>),
    /// Plain text.
    Text(String),
    /// Token ids.
    Tokens(Vec<u32>),
    /// A request body as JSON text.
    Raw(String),
}

/// One request of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// What it adds.
    pub input: TurnInput,
    /// The answer in the data set, if any.
    pub recorded_answer: Option<String>,
    /// Wait after the previous answer, in milliseconds.
    pub delay_ms: u32,
    /// Hint; the user's own setting wins.
    pub max_tokens: Option<u32>,
    /// Generate exactly `max_tokens`.
    pub exact: bool,
    /// Texts that end generation.
    pub stop: Vec<String>,
    /// Prompt tokens this turn was made to have, template excluded.
    pub input_tokens: Option<u32>,
}

/// One unit of a workload: a question, a dialogue, a synthetic prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Stable between runs and machines.
    pub id: String,
    /// One of the declared categories; empty: none.
    pub category: String,
    /// At least one.
    pub turns: Vec<Turn>,
    /// What scoring needs, as JSON text.
    pub reference: String,
    /// For traces: microseconds from the start.
    pub arrival_us: Option<u64>,
}

/// A model's answer, as handed to scoring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The turn it answers, from 0.
    pub turn: u32,
    /// The answer's text.
    pub text: String,
    /// Its reasoning, if it came on a channel of its own.
    pub reasoning: String,
    /// Why it ended.
    pub finish: Finish,
}

/// One figure of quality.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// One of the declared scores.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// Why, for people.
    pub note: String,
}
