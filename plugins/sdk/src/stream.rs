//! What stream events mean. Holds no time: an event is known by its position, and the host knows when it came.
//!
//! The serde forms are those of fixture files: only the fields that say something are written.

use serde::{Deserialize, Serialize};

use crate::Finish;

/// One event of a body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    /// SSE event name; empty when the stream gives none.
    pub name: String,
    /// The data as text; bytes that are not UTF-8 arrive as U+FFFD.
    pub data: String,
}

/// Token counts as the server states them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Prompt tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<u32>,
    /// Generated tokens, reasoning included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_tokens: Option<u32>,
    /// Prompt tokens found in a cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached_tokens: Option<u32>,
    /// Generated tokens spent on reasoning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_tokens: Option<u32>,
    /// True: totals so far (the usual case). False: what this event adds.
    pub cumulative: bool,
}

/// What the server says went wrong, in its own words.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ServerError {
    /// The status or code it names; 0 when it names none.
    pub code: u16,
    /// Its type or class of error; may be empty.
    pub kind: String,
    /// Its words.
    pub message: String,
    /// Whether a later try may succeed.
    pub retryable: bool,
}

/// What one event meant. Several fields may be filled at once; an event that says nothing leaves all of them empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Meaning {
    /// Index of the choice this is about.
    #[serde(skip_serializing_if = "is_zero")]
    pub choice: u32,
    /// Answer text that this event adds.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Thinking that this event adds.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reasoning: String,
    /// Tool-call text (name or argument fragments) that this event adds.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tool: String,
    /// Refusal text that this event adds.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub refusal: String,
    /// Tokens this event carries, where the server says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u32>,
    /// Ids of the tokens this event carries.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub token_ids: Vec<u32>,
    /// Usage stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Generation ended here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish: Option<Finish>,
    /// The server reports a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ServerError>,
    /// A keep-alive that carries nothing.
    #[serde(skip_serializing_if = "is_false")]
    pub ping: bool,
    /// The end marker of the stream.
    #[serde(skip_serializing_if = "is_false")]
    pub done: bool,
    /// The server's own timings as JSON text; empty when none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub timings: String,
    /// Room to grow, as JSON text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub extra: String,
}

impl Meaning {
    /// Generation ended for a reason in the server's own word; a word that [`Finish`] lacks goes into `extra`. Empty, and
    /// the text `null` that Friendli sends, mean that it has not ended.
    pub fn finish_word(&mut self, word: &str) {
        let finish = match word {
            "" | "null" => return,
            "stop" | "eos_token" | "stop_sequence" | "eos" => Finish::Stop,
            "length" | "max_tokens" => Finish::Length,
            "tool_calls" | "function_call" => Finish::ToolCalls,
            "content_filter" => Finish::ContentFilter,
            "abort" | "aborted" | "cancelled" => Finish::Aborted,
            "error" => Finish::Error,
            _ => Finish::Other,
        };
        self.finish = Some(finish);
        if finish == Finish::Other {
            self.extra = serde_json::json!({"finish_reason": word}).to_string();
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes the field by reference")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes the field by reference")]
fn is_false(b: &bool) -> bool {
    !*b
}

/// How the body ended, as the host saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// As HTTP says it should.
    #[default]
    Complete,
    /// The connection closed or broke before that.
    Cut,
    /// The host stopped waiting.
    TimedOut,
    /// The host hung up on purpose.
    Cancelled,
}

/// What is known once the body is over.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Closing {
    /// The stream is whole by its own rule. False with [`Ending::Complete`] means truncated.
    pub whole: bool,
    /// Held-back text, usage or an error that only the end reveals.
    pub last: Option<Meaning>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_without_a_name_here_keeps_its_word_and_no_reason_is_none() {
        let read = |word: &str| {
            let mut meaning = Meaning::default();
            meaning.finish_word(word);
            (meaning.finish, meaning.extra)
        };
        assert_eq!(read("eos_token"), (Some(Finish::Stop), String::new()));
        assert_eq!(read("repetition"), (Some(Finish::Other), r#"{"finish_reason":"repetition"}"#.to_owned()));
        for unfinished in ["", "null"] {
            assert_eq!(read(unfinished), (None, String::new()));
        }
    }
}
