//! What can be wrong with a request, in words; each dialect gives it a shape.

use serde_json::{Value, json};

use super::Reply;

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The body is no JSON.
    BadJson(String),
    /// A required field is absent.
    Missing(&'static str),
    /// A field has a value the engine refuses.
    Invalid(String),
    /// Fields the engine does not know.
    Unexpected(Vec<String>),
    /// Another model than the one served.
    UnknownModel(String),
    /// Prompt, or prompt and answer, do not fit.
    TooLong {
        /// Tokens of the prompt.
        prompt: u32,
        /// Tokens asked for, if any were.
        asked: Option<u32>,
        /// Tokens there is room for.
        context: u32,
    },
    /// No key or a wrong one.
    Unauthorized,
    /// No such path.
    UnknownRoute,
    /// The path exists for another method.
    WrongMethod,
    /// The body is larger than the server accepts.
    TooLarge,
    /// A fault was asked for: this status.
    Fault(u16),
}

impl Trouble {
    /// The status most engines give; `FastAPI`'s engines turn 400 of validation into 422 themselves.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::BadJson(_)
            | Self::Missing(_)
            | Self::Invalid(_)
            | Self::Unexpected(_)
            | Self::TooLong { .. } => 400,
            Self::UnknownModel(_) | Self::UnknownRoute => 404,
            Self::Unauthorized => 401,
            Self::WrongMethod => 405,
            Self::TooLarge => 413,
            Self::Fault(status) => *status,
        }
    }

    /// The message of the `OpenAI`-like servers.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::BadJson(cause) => format!("Invalid JSON: {cause}"),
            Self::Missing(field) => {
                format!("[{{'type': 'missing', 'loc': ('body', '{field}'), 'msg': 'Field required'}}]")
            }
            Self::Invalid(message) => message.clone(),
            Self::Unexpected(fields) => format!("Unexpected fields in the request: {}", set_of(fields)),
            Self::UnknownModel(model) => format!("The model `{model}` does not exist."),
            Self::TooLong { prompt, asked: None, context } => format!(
                "This model's maximum context length is {context} tokens. However, your request has {prompt} input \
                 tokens. Please reduce the length of the input messages."
            ),
            Self::TooLong { prompt, asked: Some(asked), context } => format!(
                "This model's maximum context length is {context} tokens. However, you requested {asked} output tokens \
                 and your prompt contains {prompt} input tokens, for a total of {} tokens.",
                u64::from(*prompt) + u64::from(*asked)
            ),
            Self::Unauthorized => "Unauthorized".to_owned(),
            Self::UnknownRoute => "Not Found".to_owned(),
            Self::WrongMethod => "Method Not Allowed".to_owned(),
            Self::TooLarge => "Request body too large".to_owned(),
            Self::Fault(429) => "Too many requests".to_owned(),
            Self::Fault(503) => "The server is overloaded".to_owned(),
            Self::Fault(status) => format!("Simulated error {status}"),
        }
    }

    /// `{"error":{"message","type","param","code"}}`.
    pub(crate) fn nested(&self, kind: &str) -> Reply {
        let (status, param) = (self.status(), self.param());
        let body =
            json!({"error": {"message": self.message(), "type": kind, "param": param, "code": status}});
        Reply::json(status, &body)
    }

    /// The field at fault where it is certain.
    pub(crate) fn param(&self) -> Option<&'static str> {
        match self {
            Self::UnknownModel(_) => Some("model"),
            Self::Missing(field) => Some(field),
            _ => None,
        }
    }

    /// `{"detail":…}` as `FastAPI`'s own validation writes it, status 422 for the body's faults.
    pub(crate) fn detail(&self) -> Reply {
        let (status, detail) = match self {
            Self::BadJson(cause) => (
                422,
                json!([{"type": "json_invalid", "loc": ["body", 0], "msg": "JSON decode error", "input": {},
                    "ctx": {"error": cause}}]),
            ),
            Self::Missing(field) => (
                422,
                json!([{"type": "missing", "loc": ["body", field], "msg": "Field required", "input": {}}]),
            ),
            Self::Invalid(_) | Self::Unexpected(_) => (422, Value::String(self.message())),
            other => (other.status(), Value::String(other.message())),
        };
        Reply::json(status, &json!({"detail": detail}))
    }
}

/// A set as Python prints one.
fn set_of(fields: &[String]) -> String {
    let quoted: Vec<String> = fields.iter().map(|field| format!("'{field}'")).collect();
    format!("{{{}}}", quoted.join(", "))
}
