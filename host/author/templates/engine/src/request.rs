//! From a prompt to the bytes of a request. Pure: the same input gives the same bytes.

use benchhost_sdk::{BuildInput, EndRule, Framing, Prompt, Refusal, Request};
use serde_json::{Map, Value, json};

/// Where prompts go. benchhost puts the base URL before it.
pub(crate) const PATH: &str = "/v1/chat/completions";

/// Builds one request, or says why this engine cannot take it.
pub(crate) fn build(input: &BuildInput) -> Result<Request, Refusal> {
    let mut body = match &input.prompt {
        Prompt::Chat(messages) => {
            let messages: Vec<Value> = messages
                .iter()
                .map(|m| json!({"role": m.role, "content": m.content}))
                .collect();
            Map::from_iter([("messages".to_owned(), Value::from(messages))])
        }
        // The user's own body: kept as it is, but for the fields below that make it stream.
        Prompt::Raw(text) => serde_json::from_str(text)
            .map_err(|e| Refusal::Invalid(format!("the raw body is not a JSON object: {e}")))?,
        Prompt::Text(_) | Prompt::Tokens(_) => {
            return Err(Refusal::Unsupported(
                "this engine takes chat messages only; use the route `chat`".into(),
            ));
        }
    };
    let mut notes = Vec::new();
    if !matches!(input.prompt, Prompt::Raw(_)) {
        sampling(input, &mut body, &mut notes)?;
        if input.settings().toggle("reasoning")? {
            body.insert("reasoning".into(), true.into());
        }
    }
    body.insert("stream".into(), true.into());
    body.insert("stream_options".into(), json!({"include_usage": true}));
    Ok(Request {
        method: "POST".into(),
        path: PATH.into(),
        headers: vec![("content-type".into(), "application/json".into())],
        body: Value::from(body).to_string().into_bytes(),
        framing: Framing::Sse,
        end: EndRule::DoneData("[DONE]".into()),
        // Whatever `decode.rs` has to know of this request, as JSON. This dialect needs nothing.
        ctx: String::new(),
        notes,
    })
}

/// Says each value the user asked for, refuses what would change the measurement, and notes what is left out.
fn sampling(
    input: &BuildInput,
    body: &mut Map<String, Value>,
    notes: &mut Vec<String>,
) -> Result<(), Refusal> {
    let asked = &input.sampling;
    if asked.exact {
        return Err(Refusal::Unsupported(
            "this engine cannot generate an exact number of tokens".into(),
        ));
    }
    if asked.cache_salt.is_some() {
        return Err(Refusal::Unsupported(
            "this engine cannot keep a request out of its prefix cache".into(),
        ));
    }
    if !input.model.is_empty() {
        body.insert("model".into(), input.model.as_str().into());
    }
    body.insert("max_tokens".into(), asked.max_tokens.into());
    body.insert("temperature".into(), asked.temperature.into());
    if let Some(top_p) = asked.top_p {
        body.insert("top_p".into(), top_p.into());
    }
    if !asked.stop.is_empty() {
        body.insert("stop".into(), asked.stop.clone().into());
    }
    if asked.seed.is_some() {
        notes.push("the seed was left out: this engine takes none".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use benchhost_sdk::{Message, Sampling};

    use super::*;

    fn input(prompt: Prompt) -> BuildInput {
        let sampling = Sampling {
            max_tokens: 8,
            temperature: 0.5,
            ..Sampling::default()
        };
        BuildInput {
            prompt,
            sampling,
            model: "m".into(),
            ..BuildInput::default()
        }
    }

    fn hello() -> Prompt {
        Prompt::Chat(vec![Message {
            role: "user".into(),
            content: "Hello".into(),
        }])
    }

    #[test]
    fn a_chat_becomes_one_streaming_request() {
        let request = build(&input(hello())).unwrap();
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(
            body,
            json!({
                "messages": [{"role": "user", "content": "Hello"}],
                "model": "m", "max_tokens": 8, "temperature": 0.5,
                "stream": true, "stream_options": {"include_usage": true}
            })
        );
        assert!(request.notes.is_empty());
    }

    #[test]
    fn what_the_engine_cannot_do_is_refused_or_noted_but_never_dropped_in_silence() {
        let mut exact = input(hello());
        exact.sampling.exact = true;
        assert!(matches!(build(&exact), Err(Refusal::Unsupported(_))));
        assert!(matches!(
            build(&input(Prompt::Tokens(vec![1]))),
            Err(Refusal::Unsupported(_))
        ));
        let mut seeded = input(hello());
        seeded.sampling.seed = Some(1);
        assert_eq!(build(&seeded).unwrap().notes.len(), 1);
    }

    #[test]
    fn a_raw_body_is_kept_and_streams() {
        let request = build(&input(Prompt::Raw(r#"{"mine":1}"#.into()))).unwrap();
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(
            (&body["mine"], &body["stream"], &body["max_tokens"]),
            (&json!(1), &json!(true), &Value::Null)
        );
        assert!(matches!(
            build(&input(Prompt::Raw("[".into()))),
            Err(Refusal::Invalid(_))
        ));
    }
}
