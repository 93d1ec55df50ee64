//! llama-server's streams. The OpenAI routes end with `[DONE]`, but after an error in the stream nothing follows; the
//! native route ends with the event whose `stop` is true. Text that ends inside a character is held back and merged into
//! the next event, so an event may stand for several tokens: the server's running counts tell how many.

use benchhost_sdk::chunks::{Chunks, Ends};
use benchhost_sdk::json::{self, Fault};
use benchhost_sdk::openai::{self, Dialect, OpenAiChunks};
use benchhost_sdk::{Finish, Meaning, Route, Usage, server_error};
use serde::Deserialize;
use serde_json::Value;

/// Chunks of the route that the request went to, and the tokens counted so far.
#[derive(Debug)]
pub struct LlamaChunks {
    /// `None`: the native route.
    openai: Option<OpenAiChunks>,
    /// The request asked for `timings_per_token`.
    timed: bool,
    /// An event before had timings. A build that ignores the wish states the total in the last event alone: those are
    /// not that event's tokens.
    seen: bool,
    counted: u32,
}

impl Chunks for LlamaChunks {
    fn start(ctx: &str) -> Self {
        let native = openai::route_of(ctx) == Route::Native;
        let timed = json::parse::<Value>(ctx).unwrap_or_default()["timed"].as_bool().unwrap_or(false);
        let openai = (!native).then(|| OpenAiChunks::new(Dialect::STRICT, ctx));
        Self { openai, timed, seen: false, counted: 0 }
    }

    fn ends(&self) -> Ends {
        self.openai.as_ref().map_or(Ends::FinishReason, OpenAiChunks::ends)
    }

    fn read(&mut self, data: &str, whole: bool) -> Result<Meaning, Fault> {
        match &mut self.openai {
            Some(chunks) => {
                let meaning = chunks.read(data, whole)?;
                Ok(self.count_by_timings(meaning, whole))
            }
            None => self.native(data, whole),
        }
    }
}

impl LlamaChunks {
    /// With `timings_per_token` every event has `timings.predicted_n`. Only the last timings are kept: those in between
    /// are running figures that the host's own clock states better.
    fn count_by_timings(&mut self, mut meaning: Meaning, whole: bool) -> Meaning {
        let total = json::parse::<Timings>(&meaning.timings).ok().and_then(|t| t.predicted_n);
        let finishing = meaning.finish.is_some();
        // The usage event after the finish carries timings too, and no tokens.
        let usage_only = meaning.usage.is_some() && !finishing;
        if let (Some(total), true, false, false) = (total, self.timed, whole, usage_only) {
            let new = self.advance(total);
            meaning.tokens = (self.seen || !finishing).then_some(new);
            self.seen = true;
        }
        if !finishing && !usage_only {
            meaning.timings.clear();
        }
        meaning
    }

    /// Tokens since the count before.
    fn advance(&mut self, total: u32) -> u32 {
        let new = total.saturating_sub(self.counted);
        self.counted = self.counted.max(total);
        new
    }

    fn native(&mut self, data: &str, whole: bool) -> Result<Meaning, Fault> {
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
        if !whole {
            meaning.tokens = event.tokens_predicted.map(|total| self.advance(total));
        }
        if event.stop {
            meaning.finish = Some(finish(&event.stop_type));
            meaning.usage = Some(Usage {
                prompt_tokens: event.tokens_evaluated,
                completion_tokens: event.tokens_predicted,
                cached_tokens: event.timings.as_ref().and_then(|t| t["cache_n"].as_u64()?.try_into().ok()),
                reasoning_tokens: None,
                cumulative: true,
            });
            meaning.timings =
                event.timings.filter(Value::is_object).map(|t| t.to_string()).unwrap_or_default();
        }
        Ok(meaning)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Timings {
    #[serde(deserialize_with = "json::count")]
    predicted_n: Option<u32>,
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
    timings: Option<Value>,
    error: Option<Value>,
}

fn finish(stop_type: &str) -> Finish {
    match stop_type {
        "eos" | "word" => Finish::Stop,
        "limit" => Finish::Length,
        _ => Finish::Other,
    }
}
