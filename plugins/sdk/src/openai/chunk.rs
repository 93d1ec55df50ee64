//! One chunk of a chat or completions stream, or a whole answer. Accepts every field place and name seen in the servers
//! read; what differs in meaning is in [`Dialect`]. Must not keep text: a chunk adds what it says.

use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::chunks::{ChunkDecoder, Chunks, Ends};
use crate::json::{self, Fault};
use crate::{Meaning, Usage, server_error};

/// In what a server's stream differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// How the stream ends.
    pub ends: Ends,
    /// Every chunk with a choice and without a tool call is exactly one token, its text empty for special tokens (TGI).
    pub one_token_a_chunk: bool,
}

impl Dialect {
    /// Ends with `[DONE]`; a chunk's tokens are unknown unless it says them.
    pub const STRICT: Self = Self { ends: Ends::DoneMarker, one_token_a_chunk: false };
}

/// Names the dialect that an adapter decodes, so that [`StreamDecoder`] can be its decoder without further code.
pub trait Speaks: 'static {
    /// The differences.
    const DIALECT: Dialect;
}

/// The decoder of an adapter that has only OpenAI routes.
pub type StreamDecoder<S> = ChunkDecoder<Spoken<S>>;

/// [`OpenAiChunks`] in the dialect of `S`.
#[derive(Debug)]
pub struct Spoken<S>(OpenAiChunks, PhantomData<S>);

impl<S: Speaks> Chunks for Spoken<S> {
    fn start(ctx: &str) -> Self {
        Self(OpenAiChunks::new(S::DIALECT, ctx), PhantomData)
    }
    fn ends(&self) -> Ends {
        self.0.ends()
    }
    fn read(&mut self, data: &str, whole: bool) -> Result<Meaning, Fault> {
        self.0.read(data, whole)
    }
}

/// Reads OpenAI chunks. The only state is the running count, where the request asked for one.
#[derive(Debug)]
pub struct OpenAiChunks {
    dialect: Dialect,
    running: Option<Running>,
}

/// The running count, where the request asked that every chunk state it.
#[derive(Debug, Clone, Copy, Default)]
struct Running {
    tokens: u32,
    /// A chunk before has stated it. A server that ignores the wish states one total in the chunk that finishes: those
    /// are not that chunk's tokens.
    seen: bool,
}

impl OpenAiChunks {
    /// Begins with the `ctx` that [`super::ctx`] wrote.
    pub fn new(dialect: Dialect, ctx: &str) -> Self {
        let counts = json::parse::<Value>(ctx).unwrap_or_default()["running_counts"].as_bool();
        Self { dialect, running: counts.unwrap_or(false).then(Running::default) }
    }

    /// How the stream ends.
    pub const fn ends(&self) -> Ends {
        self.dialect.ends
    }

    /// What a chunk, or a whole answer, means.
    pub fn read(&mut self, data: &str, whole: bool) -> Result<Meaning, Fault> {
        let chunk: Chunk = json::parse(data)?;
        let mut meaning = Meaning { usage: chunk.usage(), ..Meaning::default() };
        let total = meaning.usage.and_then(|u| u.completion_tokens).or(chunk.predicted());
        let (has_choice, has_timings, may_be_error) =
            (!chunk.choices.is_empty(), chunk.has_timings(), chunk.may_be_error());
        for (position, choice) in chunk.choices.into_iter().enumerate() {
            if position == 0 {
                meaning.choice = choice.index.unwrap_or(0);
            }
            choice.add_to(&mut meaning);
        }
        if has_choice && !whole {
            meaning.tokens = self.tokens(total, &meaning);
        }
        let last = whole || meaning.finish.is_some() || meaning.usage.is_some();
        if may_be_error || (last && has_timings) {
            // A second reading, for the few chunks that hold what has no fixed form.
            let value = json::parse::<Value>(data)?;
            meaning.error = may_be_error.then(|| server_error::in_band(&value)).flatten();
            meaning.timings = if last { timings(&value) } else { String::new() };
        }
        Ok(meaning)
    }

    /// Tokens of this chunk by the running count, or by the dialect's rule.
    fn tokens(&mut self, total: Option<u32>, meaning: &Meaning) -> Option<u32> {
        if let Some(running) = &mut self.running {
            let total = total?;
            let before = std::mem::replace(running, Running { tokens: total, seen: true });
            return (before.seen || meaning.finish.is_none()).then(|| total.saturating_sub(before.tokens));
        }
        (self.dialect.one_token_a_chunk && meaning.tool.is_empty()).then_some(1)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct Chunk {
    #[serde(deserialize_with = "json::objects")]
    choices: Vec<Choice>,
    #[serde(deserialize_with = "json::maybe_object")]
    usage: Option<Box<RawUsage>>,
    error: Option<IgnoredAny>,
    /// llama.cpp.
    #[serde(deserialize_with = "json::maybe_object")]
    timings: Option<Timings>,
    /// vLLM with per-request metrics.
    #[serde(deserialize_with = "json::maybe_object")]
    metrics: Option<IgnoredAny>,
}

/// Where llama.cpp states its running count.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Timings {
    #[serde(deserialize_with = "json::count")]
    predicted_n: Option<u32>,
}

impl Chunk {
    /// States an error, or nothing that is known here: errors in other forms (`detail`, the flat one) look so.
    fn may_be_error(&self) -> bool {
        self.error.is_some() || (self.choices.is_empty() && self.usage().is_none())
    }

    fn usage(&self) -> Option<Usage> {
        self.usage.as_ref().and_then(|usage| usage.read())
    }

    fn has_timings(&self) -> bool {
        self.timings.is_some() || self.metrics.is_some()
    }

    fn predicted(&self) -> Option<u32> {
        self.timings.as_ref().and_then(|t| t.predicted_n)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Choice {
    #[serde(deserialize_with = "json::count")]
    index: Option<u32>,
    /// Chat stream.
    #[serde(deserialize_with = "json::object")]
    delta: Delta,
    /// Chat, whole answer. Boxed, as whatever most chunks lack: what is read is moved about, and size costs time.
    #[serde(deserialize_with = "json::maybe_object")]
    message: Option<Box<Delta>>,
    /// Completions.
    #[serde(deserialize_with = "json::text")]
    text: String,
    #[serde(deserialize_with = "json::text")]
    finish_reason: String,
    /// vLLM, SGLang completions.
    #[serde(deserialize_with = "json::ids")]
    token_ids: Vec<u32>,
    /// Friendli completions: one id.
    #[serde(deserialize_with = "json::count")]
    token: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Delta {
    #[serde(deserialize_with = "json::text")]
    content: String,
    #[serde(deserialize_with = "json::text")]
    reasoning: String,
    /// The older and still more common name.
    #[serde(deserialize_with = "json::text")]
    reasoning_content: String,
    #[serde(deserialize_with = "json::text")]
    refusal: String,
    #[serde(deserialize_with = "json::objects")]
    tool_calls: Vec<ToolCall>,
    /// The form before `tool_calls`.
    #[serde(deserialize_with = "json::maybe_object")]
    function_call: Option<Box<Function>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ToolCall {
    #[serde(deserialize_with = "json::object")]
    function: Function,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Function {
    #[serde(deserialize_with = "json::text")]
    name: String,
    #[serde(deserialize_with = "json::text")]
    arguments: String,
}

impl Choice {
    fn add_to(self, meaning: &mut Meaning) {
        add(&mut meaning.text, self.text);
        self.delta.add_to(meaning);
        if let Some(message) = self.message {
            message.add_to(meaning);
        }
        meaning.finish_word(&self.finish_reason);
        meaning.token_ids.extend(self.token_ids);
        meaning.token_ids.extend(self.token);
    }
}

impl Delta {
    fn add_to(self, meaning: &mut Meaning) {
        add(&mut meaning.text, self.content);
        // Some servers send the same thought under both names.
        let thought = if self.reasoning.is_empty() { self.reasoning_content } else { self.reasoning };
        add(&mut meaning.reasoning, thought);
        add(&mut meaning.refusal, self.refusal);
        let calls = self.tool_calls.into_iter().map(|call| call.function);
        for function in calls.chain(self.function_call.map(|function| *function)) {
            add(&mut meaning.tool, function.name);
            add(&mut meaning.tool, function.arguments);
        }
    }
}

/// Moves a text where it can: nearly every chunk has one.
fn add(to: &mut String, text: String) {
    if to.is_empty() {
        *to = text;
    } else {
        to.push_str(&text);
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawUsage {
    #[serde(deserialize_with = "json::count")]
    prompt_tokens: Option<u32>,
    #[serde(deserialize_with = "json::count")]
    completion_tokens: Option<u32>,
    #[serde(deserialize_with = "json::object")]
    prompt_tokens_details: PromptDetails,
    #[serde(deserialize_with = "json::object")]
    completion_tokens_details: CompletionDetails,
    /// SGLang states it here.
    #[serde(deserialize_with = "json::count")]
    reasoning_tokens: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PromptDetails {
    #[serde(deserialize_with = "json::count")]
    cached_tokens: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CompletionDetails {
    #[serde(deserialize_with = "json::count")]
    reasoning_tokens: Option<u32>,
}

impl RawUsage {
    fn read(&self) -> Option<Usage> {
        let usage = Usage {
            prompt_tokens: self.prompt_tokens,
            completion_tokens: self.completion_tokens,
            cached_tokens: self.prompt_tokens_details.cached_tokens,
            reasoning_tokens: self.completion_tokens_details.reasoning_tokens.or(self.reasoning_tokens),
            cumulative: true,
        };
        (usage != Usage { cumulative: true, ..Usage::default() }).then_some(usage)
    }
}

/// The server's own timings as it wrote them: llama.cpp's `timings` or vLLM's `metrics`.
fn timings(chunk: &Value) -> String {
    let stated = ["timings", "metrics"].iter().filter_map(|key| chunk.get(key)).find(|v| v.is_object());
    stated.map(Value::to_string).unwrap_or_default()
}
