//! From the events of an answer to their meanings. One meaning for each event, in order; an event that says nothing
//! means nothing. Text goes into the meaning of the event that brought it: benchhost knows when that event came.

use benchhost_sdk::{Closing, Decode, Ending, Event, Finish, Meaning, ServerError, Usage};
use serde_json::Value;

/// One answer. What must be remembered between events lives here.
pub struct Decoder {
    status: u16,
    done: bool,
}

impl Decode for Decoder {
    fn start(_ctx: &str, status: u16, _headers: &[(String, String)]) -> Self {
        Self {
            status,
            done: false,
        }
    }

    fn event(&mut self, event: &Event) -> Meaning {
        let data = event.data.trim();
        // Another status than 200–299: benchhost hands over the whole body as one event.
        if !(200..300).contains(&self.status) {
            return Meaning {
                error: Some(failure(self.status, data)),
                ..Meaning::default()
            };
        }
        if data == "[DONE]" {
            self.done = true;
            return Meaning {
                done: true,
                ..Meaning::default()
            };
        }
        match serde_json::from_str::<Value>(data) {
            // Servers report errors inside streams that began well: such an answer is no success.
            Ok(json) if json.get("error").is_some_and(|e| !e.is_null()) => Meaning {
                error: Some(failure(0, data)),
                ..Meaning::default()
            },
            Ok(json) => chunk(&json),
            Err(_) => Meaning::default(),
        }
    }

    fn finish(&mut self, ending: Ending) -> Closing {
        // Whole by this dialect's own rule: the end marker was seen.
        Closing {
            whole: self.done && ending == Ending::Complete,
            last: None,
        }
    }
}

/// `{"choices":[{"index":0,"delta":{"content":"…"},"finish_reason":null}],"usage":{…}}`. Indexing a `Value` with what is
/// not there gives `Null`, so a chunk of any other shape means nothing and cannot stop the adapter.
fn chunk(json: &Value) -> Meaning {
    let choice = &json["choices"][0];
    let delta = &choice["delta"];
    Meaning {
        choice: number(&choice["index"]).unwrap_or(0),
        text: text(&delta["content"]),
        reasoning: text(&delta["reasoning_content"]),
        usage: json["usage"].as_object().map(|usage| Usage {
            prompt_tokens: usage.get("prompt_tokens").and_then(number),
            completion_tokens: usage.get("completion_tokens").and_then(number),
            cumulative: true,
            ..Usage::default()
        }),
        finish: choice["finish_reason"].as_str().map(finish),
        ..Meaning::default()
    }
}

fn finish(reason: &str) -> Finish {
    match reason {
        "stop" => Finish::Stop,
        "length" => Finish::Length,
        "tool_calls" => Finish::ToolCalls,
        "content_filter" => Finish::ContentFilter,
        _ => Finish::Other,
    }
}

/// `{"error":{"message":"…","type":"…"}}`, or any other text, in the server's own words.
fn failure(status: u16, body: &str) -> ServerError {
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    let error = &json["error"];
    let message = error["message"].as_str().or(error.as_str()).unwrap_or(body);
    ServerError {
        code: status,
        kind: text(&error["type"]),
        message: message.chars().take(500).collect(),
        retryable: matches!(status, 429 | 503),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|n| u32::try_from(n).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(data: &str) -> Event {
        Event {
            data: data.into(),
            ..Event::default()
        }
    }

    #[test]
    fn garbage_means_nothing_and_stops_nothing() {
        let mut decoder = Decoder::start("", 200, &[]);
        for data in [
            "",
            "{",
            "null",
            "[]",
            "17",
            r#"{"choices":"no"}"#,
            r#"{"choices":[{"index":-1}]}"#,
        ] {
            assert_eq!(decoder.event(&event(data)), Meaning::default(), "{data}");
        }
        assert!(!decoder.finish(Ending::Complete).whole);
    }

    #[test]
    fn an_answer_that_was_cut_is_not_whole() {
        let mut decoder = Decoder::start("", 200, &[]);
        decoder.event(&event("[DONE]"));
        assert!(!decoder.finish(Ending::Cut).whole);
        assert!(decoder.finish(Ending::Complete).whole);
    }
}
