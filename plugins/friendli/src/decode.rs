//! Friendli's streams: OpenAI chunks that end with `[DONE]`; the first chat chunk holds the role and a token's text at
//! once, and completions chunks hold one token's id each.
//!
//! Engines of 2024 send completions differently: events `{"event":"token_sampled",…}` with flat fields, then
//! `{"event":"complete",…}` which repeats the whole text and states the usage, and no `[DONE]`.

use benchhost_sdk::Meaning;
use benchhost_sdk::chunks::{Chunks, Ends};
use benchhost_sdk::json::{self, Fault};
use benchhost_sdk::openai::{Dialect, OpenAiChunks};
use serde::Deserialize;

/// Chunks of either age.
#[derive(Debug)]
pub struct FriendliChunks {
    chunks: OpenAiChunks,
    /// The stream is of the old form, as its first event shows.
    old: Option<bool>,
}

impl Chunks for FriendliChunks {
    fn start(ctx: &str) -> Self {
        Self { chunks: OpenAiChunks::new(Dialect::STRICT, ctx), old: None }
    }

    fn ends(&self) -> Ends {
        self.chunks.ends()
    }

    fn read(&mut self, data: &str, whole: bool) -> Result<Meaning, Fault> {
        // Only the old form has the key; answer text cannot look so, because its quotes are escaped.
        if !*self.old.get_or_insert_with(|| data.contains("\"event\":")) {
            return self.chunks.read(data, whole);
        }
        let old: OldEvent = json::parse(data)?;
        match old.event.as_str() {
            "complete" => {
                let said = self.chunks.read(data, true)?;
                Ok(Meaning { usage: said.usage, error: said.error, done: true, ..Meaning::default() })
            }
            "" => self.chunks.read(data, whole),
            _ => Ok(Meaning {
                choice: old.index.unwrap_or(0),
                text: old.text,
                tokens: old.token.map(|_| 1),
                token_ids: old.token.into_iter().collect(),
                ..Meaning::default()
            }),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct OldEvent {
    #[serde(deserialize_with = "json::text")]
    event: String,
    #[serde(deserialize_with = "json::count")]
    index: Option<u32>,
    #[serde(deserialize_with = "json::text")]
    text: String,
    #[serde(deserialize_with = "json::count")]
    token: Option<u32>,
}
