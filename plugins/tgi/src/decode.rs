//! TGI's streams. Every event is exactly one token, speculated ones and the end token included; special tokens have no
//! text. The OpenAI routes end with `[DONE]`; the native one ends with the event that holds `generated_text`.

use benchhost_sdk::chunks::{Chunks, Ends};
use benchhost_sdk::json::{self, Fault};
use benchhost_sdk::openai::{self, Dialect, OpenAiChunks};
use benchhost_sdk::{Meaning, Route, Usage, server_error};
use serde::Deserialize;
use serde_json::Value;

const DIALECT: Dialect = Dialect { ends: Ends::DoneMarker, one_token_a_chunk: true };

/// Chunks of the route that the request went to.
#[derive(Debug)]
pub enum TgiChunks {
    /// `/v1/…`
    OpenAi(OpenAiChunks),
    /// `/generate_stream`
    Native,
}

impl Chunks for TgiChunks {
    fn start(ctx: &str) -> Self {
        match openai::route_of(ctx) {
            Route::Native => Self::Native,
            Route::Chat | Route::Completions => Self::OpenAi(OpenAiChunks::new(DIALECT, ctx)),
        }
    }

    fn ends(&self) -> Ends {
        match self {
            Self::OpenAi(chunks) => chunks.ends(),
            Self::Native => Ends::FinishReason,
        }
    }

    fn read(&mut self, data: &str, whole: bool) -> Result<Meaning, Fault> {
        match self {
            Self::OpenAi(chunks) => chunks.read(data, whole),
            Self::Native => native(data, whole),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct NativeEvent {
    #[serde(deserialize_with = "json::object")]
    token: Token,
    /// The whole text again, in the last event: a snapshot, so it gives no text in a stream.
    generated_text: Option<Value>,
    #[serde(deserialize_with = "json::object")]
    details: Details,
    error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Token {
    #[serde(deserialize_with = "json::count")]
    id: Option<u32>,
    #[serde(deserialize_with = "json::text")]
    text: String,
    #[serde(deserialize_with = "json::flag")]
    special: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Details {
    #[serde(deserialize_with = "json::text")]
    finish_reason: String,
    #[serde(deserialize_with = "json::count")]
    generated_tokens: Option<u32>,
    #[serde(deserialize_with = "json::count")]
    input_length: Option<u32>,
}

fn native(data: &str, whole: bool) -> Result<Meaning, Fault> {
    // `/generate` and `/` answer an object or a list of one.
    let event: NativeEvent = if whole && data.starts_with('[') {
        json::parse::<Vec<NativeEvent>>(data)?.into_iter().next().unwrap_or_default()
    } else {
        json::parse(data)?
    };
    let mut meaning = Meaning::default();
    if event.error.is_some() {
        meaning.error = server_error::in_band(&json::parse::<Value>(data)?);
        return Ok(meaning);
    }
    if let Some(id) = event.token.id {
        meaning.tokens = Some(1);
        meaning.token_ids.push(id);
        // The end token's text (`</s>`) is not part of the answer.
        if !event.token.special {
            meaning.text = event.token.text;
        }
    }
    if let Some(text) = event.generated_text.as_ref().and_then(Value::as_str) {
        meaning.done = true;
        if whole {
            text.clone_into(&mut meaning.text);
        }
    }
    meaning.finish_word(&event.details.finish_reason);
    if event.details.generated_tokens.is_some() {
        meaning.usage = Some(Usage {
            prompt_tokens: event.details.input_length,
            completion_tokens: event.details.generated_tokens,
            cumulative: true,
            ..Usage::default()
        });
    }
    Ok(meaning)
}
