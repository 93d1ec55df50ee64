//! llama-server's streams. The OpenAI routes end with `[DONE]`, but after an error in the stream nothing follows; the
//! native route ends with the event whose `stop` is true. Text that ends inside a character is held back and merged into
//! the next event, so an event may stand for several tokens: the server's running counts tell how many.

use benchhost_sdk::chunks::{Chunks, Ends};
use benchhost_sdk::json::{self, Fault};
use benchhost_sdk::openai::{self, Dialect, OpenAiChunks};
use benchhost_sdk::{Meaning, Route, Usage, server_error};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

/// Chunks of the route that the request went to.
#[derive(Debug)]
pub enum LlamaChunks {
    /// `/v1/…`
    OpenAi(OpenAiChunks),
    /// `/completion`, and the tokens counted so far.
    Native(u32),
}

impl Chunks for LlamaChunks {
    fn start(ctx: &str) -> Self {
        match openai::route_of(ctx) {
            Route::Native => Self::Native(0),
            Route::Chat | Route::Completions => Self::OpenAi(OpenAiChunks::new(Dialect::STRICT, ctx)),
        }
    }

    fn ends(&self) -> Ends {
        match self {
            Self::OpenAi(chunks) => chunks.ends(),
            Self::Native(_) => Ends::FinishReason,
        }
    }

    fn read(&mut self, data: &str, whole: bool) -> Result<Meaning, Fault> {
        match self {
            Self::OpenAi(chunks) => chunks.read(data, whole),
            Self::Native(counted) => native(counted, data, whole),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct NativeEvent {
    #[serde(deserialize_with = "json::count")]
    index: Option<u32>,
    #[serde(deserialize_with = "json::text")]
    content: String,
    #[serde(deserialize_with = "json::ids")]
    tokens: Vec<u32>,
    #[serde(deserialize_with = "json::flag")]
    stop: bool,
    #[serde(deserialize_with = "json::text")]
    stop_type: String,
    /// Generated so far.
    #[serde(deserialize_with = "json::count")]
    tokens_predicted: Option<u32>,
    /// Prompt tokens, cached ones included.
    #[serde(deserialize_with = "json::count")]
    tokens_evaluated: Option<u32>,
    #[serde(deserialize_with = "json::maybe_object")]
    timings: Option<Timings>,
    error: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Timings {
    /// Prompt tokens found in the cache.
    #[serde(deserialize_with = "json::count")]
    cache_n: Option<u32>,
}

fn native(counted: &mut u32, data: &str, whole: bool) -> Result<Meaning, Fault> {
    let event: NativeEvent = json::parse(data)?;
    if event.error.is_some() {
        let error = server_error::in_band(&json::parse::<Value>(data)?);
        return Ok(Meaning { error, ..Meaning::default() });
    }
    let mut meaning = Meaning {
        choice: event.index.unwrap_or(0),
        text: event.content,
        token_ids: event.tokens,
        ..Meaning::default()
    };
    if let (Some(total), false) = (event.tokens_predicted, whole) {
        meaning.tokens = Some(total.saturating_sub(*counted));
        *counted = total.max(*counted);
    }
    if event.stop {
        meaning.finish_word(match event.stop_type.as_str() {
            "word" => "stop",
            "limit" => "length",
            // An event that stops has ended, whatever it calls the reason.
            "" => "unknown",
            other => other,
        });
        meaning.usage = Some(Usage {
            prompt_tokens: event.tokens_evaluated,
            completion_tokens: event.tokens_predicted,
            cached_tokens: event.timings.as_ref().and_then(|t| t.cache_n),
            reasoning_tokens: None,
            cumulative: true,
        });
        if event.timings.is_some() {
            // As the server wrote them, for the one event that sums up.
            meaning.timings = json::parse::<Value>(data)?["timings"].to_string();
        }
    }
    Ok(meaning)
}
