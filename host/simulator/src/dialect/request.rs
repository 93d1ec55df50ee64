//! Reads generating requests: fields with types, prompts, limits.
//!
//! What the fields are called and which are refused is told by each dialect.

use serde_json::{Map, Value};

use super::{Api, Trouble};
use crate::answer::{Asked, Length};
use crate::tokens;

/// Tokens a chat template adds for each message.
const PER_MESSAGE: u32 = 4;
/// Tokens a chat template adds for the answer's opening.
const PER_CHAT: u32 = 3;
/// The id of the tokens a chat template adds.
const TEMPLATE_ID: u32 = 1;

/// A prompt.
#[derive(Debug, Clone, Default)]
pub(crate) struct Prompt {
    /// Its text; token-id prompts have their ids written out.
    pub(crate) asked: Asked,
    /// Its length in tokens, template included.
    pub(crate) tokens: u32,
    /// The ids, if it came as ids.
    given: Option<Vec<u32>>,
}

impl Prompt {
    /// The prompt of a chat.
    pub(crate) fn chat(fields: Fields<'_>) -> Result<Self, Trouble> {
        let messages = match fields.get("messages") {
            None => return Err(Trouble::Missing("messages")),
            Some(Value::Array(messages)) if !messages.is_empty() => messages,
            Some(_) => return Err(Trouble::Invalid("messages must be a list that is not empty".to_owned())),
        };
        let mut prompt = Self { tokens: PER_CHAT, ..Self::default() };
        for message in messages {
            let Some(role) = message.get("role").and_then(Value::as_str) else {
                return Err(Trouble::Invalid("each message needs a role".to_owned()));
            };
            let content = content(message)?;
            prompt.tokens = prompt.tokens.saturating_add(PER_MESSAGE).saturating_add(tokens::count(&content));
            prompt.asked.all.push_str(&content);
            prompt.asked.all.push('\n');
            if role == "user" {
                prompt.asked.last = content;
            }
        }
        Ok(prompt)
    }

    /// A prompt of text.
    pub(crate) fn text(text: &str) -> Self {
        let asked = Asked { all: text.to_owned(), last: text.to_owned() };
        Self { tokens: tokens::count(text), asked, given: None }
    }

    /// A prompt of token ids.
    pub(crate) fn ids(ids: Vec<u32>) -> Self {
        let text: Vec<String> = ids.iter().map(u32::to_string).collect();
        let mut prompt = Self::text(&text.join(" "));
        prompt.tokens = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        prompt.given = Some(ids);
        prompt
    }

    /// Text, a list of ids, or a list with one of either.
    pub(crate) fn any(value: &Value) -> Result<Self, Trouble> {
        match value {
            Value::String(text) => Ok(Self::text(text)),
            Value::Array(list) if !list.is_empty() && list.iter().all(Value::is_u64) => {
                Ok(Self::ids(ids(list)?))
            }
            Value::Array(list) if list.len() == 1 && !list[0].is_u64() => Self::any(&list[0]),
            Value::Array(list) if list.len() > 1 => Err(Trouble::Invalid("one prompt at a time".to_owned())),
            _ => Err(Trouble::Invalid("prompt must be text or a list of token ids".to_owned())),
        }
    }

    /// The ids of the whole prompt, as many as it has tokens.
    pub(crate) fn token_ids(&self) -> Vec<u32> {
        if let Some(given) = &self.given {
            return given.clone();
        }
        let mut ids = vec![TEMPLATE_ID; self.tokens as usize];
        let text = tokens::ids(&self.asked.all);
        let spare = ids.len().saturating_sub(text.len());
        for (slot, id) in ids[spare..].iter_mut().zip(text) {
            *slot = id;
        }
        ids
    }
}

/// The content of a message: text, or the text parts of a list.
fn content(message: &Value) -> Result<String, Trouble> {
    match message.get("content") {
        Some(Value::String(text)) => Ok(text.clone()),
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::Array(parts)) => {
            Ok(parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect())
        }
        Some(_) => Err(Trouble::Invalid("content must be text or a list of parts".to_owned())),
    }
}

fn ids(list: &[Value]) -> Result<Vec<u32>, Trouble> {
    list.iter()
        .map(|id| id.as_u64().and_then(|id| u32::try_from(id).ok()))
        .collect::<Option<Vec<u32>>>()
        .ok_or_else(|| Trouble::Invalid("token ids must be below 4294967296".to_owned()))
}

/// How an answer is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// As a stream of events.
    Events,
    /// As one JSON document.
    Whole,
    /// As one JSON document inside an array, as on TGI's route `/`.
    WholeInArray,
}

/// Which chunks of a stream have to carry usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UsageWish {
    /// None, but for engines that always tell it.
    None,
    /// One at the end.
    AtEnd,
    /// All, with the counts so far.
    Always,
}

/// A generating request, understood.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// Its route.
    pub(crate) api: Api,
    /// What is asked.
    pub(crate) prompt: Prompt,
    /// How long the answer has to be.
    pub(crate) length: Length,
    /// How the answer is delivered.
    pub(crate) delivery: Delivery,
    /// Which chunks of a stream have to carry usage.
    pub(crate) usage: UsageWish,
    /// Whether token ids are wanted.
    pub(crate) token_ids: bool,
    /// Whether details are wanted: timings in every event of llama.cpp, `details` of TGI.
    pub(crate) details: bool,
    /// Tells prompts apart in the prefix cache; none if the cache must not be read.
    pub(crate) cache_key: Option<u64>,
}

impl Job {
    /// A job with no special wishes.
    pub(crate) fn new(api: Api, prompt: Prompt, length: Length, fields: Fields<'_>) -> Result<Self, Trouble> {
        let options = fields.object("stream_options")?;
        let usage = match (options.flag("include_usage")?, options.flag("continuous_usage_stats")?) {
            (true, true) => UsageWish::Always,
            (true, false) => UsageWish::AtEnd,
            // Engines ignore the second wish without the first.
            (false, _) => UsageWish::None,
        };
        let salt = match fields.text("cache_salt")? {
            None => fields.text("extra_key")?,
            salt => salt,
        };
        let key =
            tokens::hash(prompt.asked.all.as_bytes()) ^ tokens::hash(salt.unwrap_or_default().as_bytes());
        Ok(Self {
            api,
            prompt,
            length,
            delivery: if fields.flag("stream")? { Delivery::Events } else { Delivery::Whole },
            usage,
            token_ids: false,
            details: false,
            cache_key: Some(key),
        })
    }
}

/// When a request is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overflow {
    /// Prompt and wanted answer must fit together.
    Total,
    /// The prompt must leave room for one token; the answer is cut at the end of the context.
    Prompt,
    /// Nothing is checked.
    Never,
}

/// Tokens the answer may have: the wish, or what the context leaves.
pub(crate) fn room(prompt: u32, asked: Option<u32>, context: u32, rule: Overflow) -> Result<u32, Trouble> {
    let left = context.saturating_sub(prompt);
    let too_long = match rule {
        Overflow::Never => return Ok(asked.unwrap_or(left)),
        Overflow::Prompt => left == 0,
        Overflow::Total => left == 0 || asked.is_some_and(|asked| asked > left),
    };
    if too_long {
        return Err(Trouble::TooLong { prompt, asked, context });
    }
    Ok(asked.unwrap_or(left).min(left))
}

/// Parses a body that must be a JSON object.
pub(crate) fn object(body: &[u8]) -> Result<Map<String, Value>, Trouble> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Trouble::Invalid("the body must be a JSON object".to_owned())),
        Err(cause) => Err(Trouble::BadJson(cause.to_string())),
    }
}

/// Typed access to the fields of a body; null counts as absent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a>(Option<&'a Map<String, Value>>);

impl<'a> Fields<'a> {
    /// The fields of this object.
    pub(crate) fn of(object: &'a Map<String, Value>) -> Self {
        Self(Some(object))
    }

    /// The value, if it is there.
    pub(crate) fn get(self, key: &str) -> Option<&'a Value> {
        self.0?.get(key).filter(|value| !value.is_null())
    }

    /// A number of tokens, 0 or more.
    pub(crate) fn count(self, key: &str) -> Result<Option<u32>, Trouble> {
        self.typed(key, "a whole number from 0", |value| value.as_u64().and_then(|n| u32::try_from(n).ok()))
    }

    /// The first of several names that is there.
    pub(crate) fn first_count(self, keys: &[&str]) -> Result<Option<u32>, Trouble> {
        keys.iter().find(|key| self.get(key).is_some()).map_or(Ok(None), |key| self.count(key))
    }

    /// A whole number of either sign.
    pub(crate) fn signed(self, key: &str) -> Result<Option<i64>, Trouble> {
        self.typed(key, "a whole number", Value::as_i64)
    }

    /// Any number.
    pub(crate) fn number(self, key: &str) -> Result<Option<f64>, Trouble> {
        self.typed(key, "a number", Value::as_f64)
    }

    /// True or false; absent is false.
    pub(crate) fn flag(self, key: &str) -> Result<bool, Trouble> {
        Ok(self.typed(key, "true or false", Value::as_bool)?.unwrap_or(false))
    }

    /// Text.
    pub(crate) fn text(self, key: &str) -> Result<Option<&'a str>, Trouble> {
        self.typed(key, "text", Value::as_str)
    }

    /// The fields of an object inside; absent is empty.
    pub(crate) fn object(self, key: &str) -> Result<Self, Trouble> {
        Ok(Self(self.typed(key, "an object", Value::as_object)?))
    }

    /// A text or a list of texts.
    pub(crate) fn texts(self, key: &str) -> Result<Vec<String>, Trouble> {
        let list = self.typed(key, "text or a list of texts", |value| match value {
            Value::String(text) => Some(vec![text.clone()]),
            Value::Array(list) => list.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
            _ => None,
        })?;
        Ok(list.unwrap_or_default())
    }

    /// Names of all fields.
    pub(crate) fn names(self) -> impl Iterator<Item = &'a String> {
        self.0.into_iter().flat_map(Map::keys)
    }

    fn typed<T>(
        self,
        key: &str,
        what: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Trouble> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => read(value)
                .map(Some)
                .ok_or_else(|| Trouble::Invalid(format!("{key}: Input should be {what}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{Fields, Overflow, Prompt, room};
    use crate::dialect::Trouble;

    fn map(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_chat_counts_its_template() {
        let body = map(&json!({"messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Hi there"}]},
        ]}));
        let prompt = Prompt::chat(Fields::of(&body)).unwrap();
        assert_eq!(prompt.tokens, 3 + (4 + 3) + (4 + 2));
        assert_eq!(prompt.asked.last, "Hi there");
        assert_eq!(prompt.token_ids().len(), 16);
    }

    #[test]
    fn prompts_of_ids_keep_their_length() {
        let prompt = Prompt::any(&json!([[5, 6, 7]])).unwrap();
        assert_eq!((prompt.tokens, prompt.token_ids()), (3, vec![5, 6, 7]));
        for refused in
            [json!([]), json!({}), json!(["a", "b"]), json!([[1], [2]]), json!([1, 99_999_999_999u64])]
        {
            assert!(Prompt::any(&refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn messages_of_any_wrong_shape_are_refused() {
        for body in [json!({}), json!({"messages": []}), json!({"messages": [1]}), json!({"messages": "x"})] {
            assert!(Prompt::chat(Fields::of(&map(&body))).is_err(), "{body}");
        }
    }

    #[test]
    fn room_follows_the_rule() {
        assert_eq!(room(10, None, 100, Overflow::Total), Ok(90));
        assert_eq!(room(10, Some(90), 100, Overflow::Total), Ok(90));
        assert!(matches!(room(10, Some(91), 100, Overflow::Total), Err(Trouble::TooLong { .. })));
        assert_eq!(room(10, Some(91), 100, Overflow::Prompt), Ok(90));
        assert!(room(100, Some(1), 100, Overflow::Prompt).is_err());
        assert_eq!(room(100, Some(5), 100, Overflow::Never), Ok(5));
    }

    #[test]
    fn wrong_types_name_the_field() {
        let body = map(&json!({"max_tokens": "many", "stream": 1, "gone": null}));
        let fields = Fields::of(&body);
        assert!(
            matches!(fields.count("max_tokens"), Err(Trouble::Invalid(message)) if message.starts_with("max_tokens"))
        );
        assert!(fields.flag("stream").is_err());
        assert_eq!(fields.count("gone"), Ok(None));
    }
}
