//! What servers say when something went wrong: one reader for all the shapes in use, because proxies and versions mix
//! them. Must not know which engine speaks.
//!
//! Shapes read: `{"error":{message,type,param,code}}` · flat `{"object":"error",message,type,code}` · `{"error":"text"}` ·
//! `{"error":"text","error_type":"…"}` · `{"error":{message,http_status_code}}` · `{"detail":"text"}` ·
//! `{"detail":[{loc,msg,type}]}` · plain text · nothing.

use serde_json::{Map, Value};

use crate::ServerError;

/// Longest text kept, in bytes: an HTML page of a proxy says enough in its beginning.
const LONGEST: usize = 2_000;

/// The error in the body of an answer whose status is not a success.
pub fn of_status(status: u16, body: &str) -> ServerError {
    let parsed = crate::json::parse::<Value>(body).ok().and_then(|value| stated(&value));
    let mut error =
        parsed.unwrap_or_else(|| ServerError { message: cut(body.trim()), ..ServerError::default() });
    if error.message.is_empty() {
        error.message = format!("status {status} without a text");
    }
    // The status is what HTTP says; a body that names another code says less.
    error.code = status;
    error.retryable |= retryable(status, &error);
    error
}

/// The error that an event of a stream, or a body with a good status, states; `None` when it states none.
pub fn in_band(value: &Value) -> Option<ServerError> {
    let mut error = stated(value)?;
    error.retryable |= retryable(error.code, &error);
    Some(error)
}

/// The error in an event that is one by its name, whatever its form.
pub fn by_name(data: &str) -> ServerError {
    crate::json::parse::<Value>(data)
        .ok()
        .and_then(|value| in_band(&value).or_else(|| value.as_object().map(of_object)))
        .unwrap_or_else(|| ServerError { message: cut(data.trim()), ..ServerError::default() })
}

/// An event that a plugin cannot read. `kind` is `decode`, so that the host does not blame the server's model.
pub fn unreadable(fault: &crate::json::Fault, data: &str) -> ServerError {
    let message =
        format!("event is not the JSON expected: {fault}; it begins `{}`", cut_to(data.trim(), 120));
    ServerError { code: 0, kind: "decode".into(), message, retryable: false }
}

/// An event that begins as an error but is not JSON, its message unescaped (transformers serve writes such).
pub fn broken(data: &str) -> ServerError {
    ServerError { message: cut(data.trim()), ..ServerError::default() }
}

fn stated(value: &Value) -> Option<ServerError> {
    let object = value.as_object()?;
    match object.get("error") {
        Some(Value::Object(inner)) => return Some(of_object(inner)),
        Some(Value::String(message)) => {
            let kind = text(object, "error_type").or_else(|| text(object, "type")).unwrap_or_default();
            let code = code(object);
            return Some(ServerError { code, kind, message: cut(message), retryable: false });
        }
        Some(Value::Null) | None => {}
        Some(other) => {
            return Some(ServerError { message: cut(&other.to_string()), ..ServerError::default() });
        }
    }
    if object.get("object").and_then(Value::as_str) == Some("error") {
        return Some(of_object(object));
    }
    object.get("detail").filter(|d| !d.is_null()).map(|detail| ServerError {
        kind: detail[0]["type"].as_str().map(cut).unwrap_or_default(),
        message: cut(&detail_text(detail)),
        ..ServerError::default()
    })
}

fn of_object(object: &Map<String, Value>) -> ServerError {
    let word = object.get("code").and_then(Value::as_str).filter(|c| c.parse::<u16>().is_err());
    let kind =
        text(object, "type").or_else(|| text(object, "error_type")).or_else(|| word.map(str::to_owned));
    let message = text(object, "message")
        .or_else(|| object.get("detail").map(detail_text))
        .unwrap_or_else(|| Value::Object(object.clone()).to_string());
    ServerError {
        code: code(object),
        kind: kind.unwrap_or_default(),
        message: cut(&message),
        retryable: object.get("retryable").and_then(Value::as_bool).unwrap_or(false),
    }
}

/// `FastAPI`'s `detail`: a text, or a list of `{loc, msg, type}`.
fn detail_text(detail: &Value) -> String {
    let one = |entry: &Value| {
        let place: Vec<String> = entry["loc"].as_array().into_iter().flatten().map(plain).collect();
        match (entry["msg"].as_str(), place.is_empty()) {
            (Some(message), true) => message.to_owned(),
            (Some(message), false) => format!("{}: {message}", place.join(".")),
            (None, _) => plain(entry),
        }
    };
    match detail {
        Value::Array(entries) => entries.iter().map(one).collect::<Vec<_>>().join("; "),
        other => plain(other),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn text(object: &Map<String, Value>, key: &str) -> Option<String> {
    object.get(key).and_then(Value::as_str).filter(|t| !t.is_empty()).map(cut)
}

/// `code` as number or digits, else the fields that TGI and SGLang use.
fn code(object: &Map<String, Value>) -> u16 {
    ["code", "http_status_code", "status_code"]
        .iter()
        .filter_map(|key| object.get(*key))
        .find_map(|value| match value {
            Value::Number(n) => n.as_u64().and_then(|n| u16::try_from(n).ok()),
            Value::String(digits) => digits.parse().ok(),
            _ => None,
        })
        .unwrap_or(0)
}

/// Statuses of a passing condition, and the words of servers that state it under another status (TGI says 422 for all).
fn retryable(code: u16, error: &ServerError) -> bool {
    matches!(code, 429 | 502 | 503 | 504)
        || error.kind == "overloaded"
        || error.message.eq_ignore_ascii_case("model is overloaded")
}

fn cut(text: &str) -> String {
    cut_to(text, LONGEST).to_owned()
}

fn cut_to(text: &str, longest: usize) -> &str {
    let end = (0..=longest.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> (u16, String, String, bool) {
        let e = of_status(status, body);
        (e.code, e.kind, e.message, e.retryable)
    }

    fn is(code: u16, kind: &str, message: &str, retryable: bool) -> (u16, String, String, bool) {
        (code, kind.into(), message.into(), retryable)
    }

    #[test]
    fn every_shape_of_an_error_body_is_read() {
        let nested =
            r#"{"error":{"message":"too long","type":"invalid_request_error","param":null,"code":400}}"#;
        assert_eq!(read(400, nested), is(400, "invalid_request_error", "too long", false));
        let word = r#"{"error":{"message":"slow down","type":null,"code":"rate_limit_exceeded"}}"#;
        assert_eq!(read(429, word), is(429, "rate_limit_exceeded", "slow down", true));
        let flat = r#"{"object":"error","message":"no","type":"BadRequest","param":null,"code":400}"#;
        assert_eq!(read(400, flat), is(400, "BadRequest", "no", false));
        assert_eq!(read(401, r#"{"error":"Unauthorized"}"#), is(401, "", "Unauthorized", false));
        let tgi = r#"{"error":"Model is overloaded","error_type":"overloaded"}"#;
        assert_eq!(read(429, tgi), is(429, "overloaded", "Model is overloaded", true));
        assert_eq!(read(404, r#"{"detail":"Not Found"}"#), is(404, "", "Not Found", false));
        let list =
            r#"{"detail":[{"type":"missing","loc":["body","model"],"msg":"Field required"},{"msg":"x"}]}"#;
        assert_eq!(read(422, list), is(422, "missing", "body.model: Field required; x", false));
        assert_eq!(read(502, "<html>Bad Gateway</html>\n"), is(502, "", "<html>Bad Gateway</html>", true));
        assert_eq!(read(503, ""), is(503, "", "status 503 without a text", true));
    }

    #[test]
    fn an_error_inside_a_stream_keeps_the_code_it_names() {
        let value = |json: &str| serde_json::from_str::<Value>(json).unwrap();
        let tgi =
            in_band(&value(r#"{"error":{"message":"Model is overloaded","http_status_code":422}}"#)).unwrap();
        assert_eq!((tgi.code, tgi.retryable), (422, true));
        let sglang =
            in_band(&value(r#"{"error":{"object":"error","message":"m","type":"t","code":"503"}}"#)).unwrap();
        assert_eq!((sglang.code, sglang.retryable), (503, true));
        assert_eq!(in_band(&value(r#"{"error":null,"choices":[]}"#)), None);
        assert_eq!(in_band(&value("[1]")), None);
        assert_eq!(in_band(&value(r#"{"error":7}"#)).unwrap().message, "7");
    }

    #[test]
    fn a_named_error_event_is_an_error_in_any_form() {
        assert_eq!(by_name(r#"{"message":"m","code":500}"#).code, 500);
        assert_eq!(by_name("boom").message, "boom");
        assert_eq!(by_name("{}").message, "{}");
    }

    #[test]
    fn long_bodies_are_cut_between_characters() {
        let message = of_status(500, &"é".repeat(5_000)).message;
        assert_eq!(message.len(), LONGEST);
    }
}
