//! Reading the answers to the usual questions. Must not know paths beyond the model list's form.

use serde_json::Value;

use crate::{HttpAnswer, ModelInfo, ProbeAnswer, Refusal, json, server_error};

/// The body of a good answer; otherwise what the server said, as a refusal.
pub fn answered(answer: &HttpAnswer) -> Result<String, Refusal> {
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    if answer.is_ok() {
        return Ok(body);
    }
    let error = server_error::of_status(answer.status, &body);
    Err(Refusal::Other(format!("the server answered {}: {}", error.code, error.message)))
}

/// Ready when the status is a success; otherwise the reason.
pub fn ready(answer: &HttpAnswer) -> ProbeAnswer {
    if answer.is_ok() {
        return ProbeAnswer::Ready;
    }
    let error = server_error::of_status(answer.status, &String::from_utf8_lossy(&answer.body));
    let hint = if matches!(answer.status, 401 | 403) { "; it wants an API key" } else { "" };
    ProbeAnswer::NotReady(format!("{}: {}{hint}", answer.status, error.message))
}

/// The text at a JSON Pointer.
pub fn version(answer: &HttpAnswer, pointer: &str) -> Result<ProbeAnswer, Refusal> {
    match parsed(answer)?.pointer(pointer).and_then(Value::as_str) {
        Some(version) => Ok(ProbeAnswer::Version(version.to_owned())),
        None => Err(Refusal::Other(format!("the answer has no text at `{pointer}`"))),
    }
}

/// The list of `GET /v1/models`. The context length stands in `max_model_len` (vLLM, SGLang), `meta.n_ctx` (llama.cpp) or
/// `context_length` (hosted catalogues).
pub fn models(answer: &HttpAnswer) -> Result<ProbeAnswer, Refusal> {
    let list = parsed(answer)?;
    let entries = list.get("data").unwrap_or(&list).as_array().cloned().unwrap_or_default();
    let model = |entry: &Value| {
        let context = ["/max_model_len", "/meta/n_ctx", "/context_length"]
            .iter()
            .find_map(|pointer| entry.pointer(pointer)?.as_u64())
            .and_then(|n| u32::try_from(n).ok());
        Some(ModelInfo { id: entry.get("id")?.as_str()?.to_owned(), context, extra: String::new() })
    };
    Ok(ProbeAnswer::Models(entries.iter().filter_map(model).collect()))
}

/// The parsed body of a good answer.
fn parsed(answer: &HttpAnswer) -> Result<Value, Refusal> {
    json::parse(&answered(answer)?)
        .map_err(|fault| Refusal::Other(format!("the answer is not the JSON expected: {fault}")))
}

/// Token ids under one of the usual keys: `tokens` (a list of ids), or a list of objects with an `id` (TGI).
pub fn token_ids(answer: &HttpAnswer) -> Result<ProbeAnswer, Refusal> {
    let body = parsed(answer)?;
    let list = body.get("tokens").unwrap_or(&body).as_array();
    let id = |entry: &Value| entry.get("id").unwrap_or(entry).as_u64().and_then(|id| u32::try_from(id).ok());
    let ids = list.and_then(|list| list.iter().map(id).collect::<Option<Vec<u32>>>());
    match (ids, body.get("count").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok())) {
        (Some(ids), _) => Ok(ProbeAnswer::TokenIds(ids)),
        (None, Some(count)) => Ok(ProbeAnswer::TokenCount(count)),
        (None, None) => Err(Refusal::Other("the answer has neither token ids nor a count".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> HttpAnswer {
        HttpAnswer { status, headers: vec![], body: body.into() }
    }

    #[test]
    fn the_context_length_is_found_wherever_it_stands() {
        let body = r#"{"object":"list","data":[{"id":"a","max_model_len":8192},{"id":"b","meta":{"n_ctx":1024}},{"id":"c"},{}]}"#;
        let Ok(ProbeAnswer::Models(models)) = models(&answer(200, body)) else { panic!("models") };
        let got: Vec<_> = models.iter().map(|m| (m.id.as_str(), m.context)).collect();
        assert_eq!(got, [("a", Some(8192)), ("b", Some(1024)), ("c", None)]);
    }

    #[test]
    fn a_refused_question_says_what_the_server_said() {
        let no = answer(401, r#"{"error":"Unauthorized"}"#);
        assert_eq!(ready(&no), ProbeAnswer::NotReady("401: Unauthorized; it wants an API key".into()));
        assert_eq!(models(&no), Err(Refusal::Other("the server answered 401: Unauthorized".into())));
        assert_eq!(ready(&answer(200, "")), ProbeAnswer::Ready);
        assert!(version(&answer(200, "<html>"), "/version").is_err());
        assert!(version(&answer(200, "{}"), "/version").is_err());
    }

    #[test]
    fn token_ids_are_read_in_each_form_and_a_count_is_better_than_nothing() {
        let ids = Ok(ProbeAnswer::TokenIds(vec![1, 2]));
        assert_eq!(token_ids(&answer(200, r#"{"count":2,"tokens":[1,2]}"#)), ids);
        assert_eq!(token_ids(&answer(200, r#"[{"id":1,"text":"a"},{"id":2}]"#)), ids);
        assert_eq!(token_ids(&answer(200, r#"{"count":2,"tokens":null}"#)), Ok(ProbeAnswer::TokenCount(2)));
        assert!(token_ids(&answer(200, r#"{"tokens":["a"]}"#)).is_err());
    }
}
