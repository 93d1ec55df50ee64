//! The trait of a workload and its nouns. Must not know engines.

use crate::{Finish, Host, Message, OptionSpec, Refusal, Settings};

/// Makes items to send and, where there is a right answer, scores the answers.
pub trait Workload: Sized + 'static {
    /// Who this plugin is, which files and options it takes.
    fn describe() -> WorkloadDescription;

    /// Called once before `item`; again only with other settings. Every random choice comes from `seed`.
    fn open(settings: &Settings, seed: u64, host: &dyn Host) -> Result<Self, Refusal>;

    /// How many different items there are, 1 or more.
    fn count(&self) -> u32;

    /// Item `index`, below `count`. Pure after `open`.
    fn item(&self, index: u32, host: &dyn Host) -> Result<Item, Refusal>;

    /// Scores one answer to item `index`; an empty list: nothing to score.
    fn score(&self, _index: u32, _answer: &Answer) -> Result<Vec<Score>, Refusal> {
        Ok(Vec::new())
    }
}

/// How the host parses a slot's file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SlotFormat {
    /// RFC 4180 with a header row.
    Csv,
    /// One JSON document a line.
    #[default]
    Jsonl,
    /// One JSON document; the JSON Pointer leads to the array of records (empty: the document itself).
    Json(String),
    /// One text a line, no escapes.
    Lines,
}

/// A place for a data file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Slot {
    /// kebab-case; `--data name=path`.
    pub name: String,
    /// How the host parses it.
    pub format: SlotFormat,
    /// Publisher's licence, for people.
    pub licence: String,
    /// Where people get the file.
    pub origin: String,
    /// One sentence.
    pub help: String,
}

/// A score that a workload gives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScoreSpec {
    /// `snake_case`; becomes the column `score_<name>`.
    pub name: String,
    /// Direction.
    pub higher_is_better: bool,
    /// One sentence that says what is measured and by which rule.
    pub help: String,
}

/// Who a workload is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WorkloadDescription {
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
    /// True when the items need a tokenizer.
    pub needs_tokens: bool,
    /// Room to grow, as JSON text.
    pub extra: String,
}

/// What a turn adds to the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TurnInput {
    /// Messages to append.
    Messages(Vec<Message>),
    /// Plain text.
    Text(String),
    /// Token ids.
    Tokens(Vec<u32>),
    /// A whole request body as JSON text.
    Raw(String),
}

impl Default for TurnInput {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

/// One request of an item. The host assembles the history.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Turn {
    /// What this turn adds.
    pub input: TurnInput,
    /// The answer in the data set, fed back instead of the model's when the plan says so.
    pub recorded_answer: Option<String>,
    /// Wait after the previous answer, in milliseconds.
    pub delay_ms: u32,
    /// Hint: the run's own setting wins when the user gave one. `None`: the run's setting.
    pub max_tokens: Option<u32>,
    /// Generate exactly `max_tokens`.
    pub exact: bool,
    /// Texts that end generation.
    pub stop: Vec<String>,
    /// Prompt tokens this turn was made to have, template excluded; `None`: not a matter of this workload.
    pub input_tokens: Option<u32>,
    /// Room to grow, as JSON text.
    pub extra: String,
}

/// One thing to send: one turn, or a conversation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Item {
    /// Stable between runs and machines.
    pub id: String,
    /// One of the declared categories; empty: none.
    pub category: String,
    /// Its requests in order.
    pub turns: Vec<Turn>,
    /// What scoring needs, as JSON text; opaque to the host, kept with the outputs.
    pub reference: String,
    /// For traces: when it is sent, in microseconds from the start.
    pub arrival_us: Option<u64>,
    /// Room to grow, as JSON text.
    pub extra: String,
}

/// What the model answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// The turn it answers, from 0.
    pub turn: u32,
    /// The answer's text.
    pub text: String,
    /// Its thinking.
    pub reasoning: String,
    /// Why generation ended.
    pub finish: Finish,
    /// Room to grow, as JSON text.
    pub extra: String,
}

/// One score of one answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Score {
    /// One of the declared scores.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// Why, for people; may be empty.
    pub note: String,
}
