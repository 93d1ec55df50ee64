//! The nouns of both worlds.

use benchhost_model::{Finish, Message, OptionKind, OptionSpec, Refusal, Setting};

use crate::bindings::engine::benchhost::plugin::types as wit;
use crate::text::one_line;

/// Longest refusal, in bytes; it becomes part of a one-line message.
const REFUSAL_BYTES: usize = 2 << 10;

impl From<&Setting> for wit::Setting {
    fn from(setting: &Setting) -> Self {
        Self { name: setting.name.clone(), value: setting.value.clone() }
    }
}

impl From<&Message> for wit::Message {
    fn from(message: &Message) -> Self {
        Self { role: message.role.clone(), content: message.content.clone() }
    }
}

impl From<wit::Message> for Message {
    fn from(message: wit::Message) -> Self {
        Self { role: message.role, content: message.content }
    }
}

impl From<wit::Refusal> for Refusal {
    fn from(refusal: wit::Refusal) -> Self {
        let line = |text: String| one_line(&text, REFUSAL_BYTES);
        match refusal {
            wit::Refusal::Unsupported(text) => Self::Unsupported(line(text)),
            wit::Refusal::Invalid(text) => Self::Invalid(line(text)),
            wit::Refusal::Internal(text) => Self::Internal(line(text)),
            wit::Refusal::Other(text) => Self::Other(line(text)),
        }
    }
}

impl From<wit::OptionSpec> for OptionSpec {
    fn from(spec: wit::OptionSpec) -> Self {
        let kind = match spec.kind {
            wit::OptionKind::Text => OptionKind::Text,
            wit::OptionKind::Count => OptionKind::Count,
            wit::OptionKind::Number => OptionKind::Number,
            wit::OptionKind::Toggle => OptionKind::Toggle,
            wit::OptionKind::Choice(words) => OptionKind::Choice(words),
        };
        Self { name: spec.name, kind, default: spec.default_value, help: spec.help }
    }
}

impl From<wit::Finish> for Finish {
    fn from(finish: wit::Finish) -> Self {
        match finish {
            wit::Finish::Stop => Self::Stop,
            wit::Finish::Length => Self::Length,
            wit::Finish::ToolCalls => Self::ToolCalls,
            wit::Finish::ContentFilter => Self::ContentFilter,
            wit::Finish::Aborted => Self::Aborted,
            wit::Finish::Error => Self::Error,
            wit::Finish::Other => Self::Other,
        }
    }
}

impl From<Finish> for wit::Finish {
    fn from(finish: Finish) -> Self {
        match finish {
            Finish::Stop => Self::Stop,
            Finish::Length => Self::Length,
            Finish::ToolCalls => Self::ToolCalls,
            Finish::ContentFilter => Self::ContentFilter,
            Finish::Aborted => Self::Aborted,
            Finish::Error => Self::Error,
            Finish::Other => Self::Other,
        }
    }
}
