//! A request body in the making: the fields that all OpenAI-like servers share, then whatever the adapter adds. Values
//! are always sent explicitly, because servers differ in their defaults. Must not know any engine's extensions.

use serde_json::{Map, Value, json};

use super::stream_options;
use crate::{
    BuildInput, EndRule, Framing, Message, Prompt, Refusal, Request, Route, Sampling, Settings,
    json as reading,
};

/// What a server's body rules are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// `max_tokens`, or `max_completion_tokens`.
    pub max_tokens_field: &'static str,
    /// The server takes `stream_options`.
    pub stream_options: bool,
    /// Ask for a running count in every chunk. Only with `stream_options`.
    pub running_counts: bool,
    /// The field of a completions body that takes token ids; `None`: token prompts are refused.
    pub token_field: Option<&'static str>,
    /// The server takes `top_p` 1; otherwise the whole distribution is said by leaving it out.
    pub top_p_one: bool,
    /// The largest seed the server takes. A larger one is reduced, and noted.
    pub largest_seed: u64,
    /// Most stop texts the server takes; more are refused.
    pub most_stops: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            max_tokens_field: "max_tokens",
            stream_options: true,
            running_counts: false,
            token_field: None,
            top_p_one: true,
            // Seeds are signed 64-bit integers nearly everywhere.
            largest_seed: i64::MAX as u64,
            most_stops: usize::MAX,
        }
    }
}

/// A request body and its notes. After a raw prompt it is closed: `set` and `note` do nothing, because such a body goes
/// out as the user wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    body: Map<String, Value>,
    notes: Vec<String>,
    raw: bool,
}

impl Draft {
    /// An empty body.
    pub fn new() -> Self {
        Self { body: Map::new(), notes: Vec::new(), raw: false }
    }

    /// A body from a raw prompt. Refused unless it is a JSON object.
    pub fn raw(text: &str) -> Result<Self, Refusal> {
        match reading::parse::<Value>(text) {
            Ok(Value::Object(body)) => Ok(Self { body, notes: Vec::new(), raw: true }),
            Ok(_) => Err(Refusal::Invalid("the raw prompt is JSON but not an object".into())),
            Err(fault) => Err(Refusal::Invalid(format!("the raw prompt is not JSON: {fault}"))),
        }
    }

    /// Adds a field, or replaces it.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) {
        if !self.raw {
            self.body.insert(key.to_owned(), value.into());
        }
    }

    /// Adds a field even to a raw body: for what makes the answer a stream.
    pub fn force(&mut self, key: &str, value: impl Into<Value>) {
        self.body.insert(key.to_owned(), value.into());
    }

    /// Takes a field away.
    pub fn unset(&mut self, key: &str) {
        if !self.raw {
            self.body.shift_remove(key);
        }
    }

    /// Adds another draft as an object, its notes with it.
    pub fn nest(&mut self, key: &str, inner: Self) {
        self.set(key, Value::Object(inner.body));
        self.notes.extend(inner.notes);
    }

    /// Says what could not be sent as asked. Without values that differ between requests: the host shows it once.
    pub fn note(&mut self, text: &str) {
        if !self.raw {
            self.notes.push(text.to_owned());
        }
    }

    /// The finished `POST`, with the option `extra-body` merged in.
    pub fn post(
        mut self,
        path: &str,
        end: EndRule,
        ctx: String,
        settings: &Settings,
    ) -> Result<Request, Refusal> {
        match settings.text("extra-body") {
            "" => {}
            text => match reading::parse::<Value>(text) {
                Ok(Value::Object(extra)) => self.body.extend(extra),
                Ok(_) => return Err(Refusal::Invalid("option `extra-body` is not a JSON object".into())),
                Err(fault) => {
                    return Err(Refusal::Invalid(format!("option `extra-body` is not JSON: {fault}")));
                }
            },
        }
        Ok(Request {
            method: "POST".into(),
            path: path.to_owned(),
            headers: vec![("content-type".into(), "application/json".into())],
            body: Value::Object(self.body).to_string().into_bytes(),
            framing: Framing::Sse,
            end,
            ctx,
            notes: self.notes,
        })
    }

    /// Temperature, `top_p`, seed and stop texts, explicit as far as the server takes them. With an exact length stop texts
    /// are left out, because they would end the answer before it.
    pub fn sample(&mut self, sampling: &Sampling, rules: &Rules) -> Result<(), Refusal> {
        self.set("temperature", checked("temperature", sampling.temperature, 0.0..=f64::MAX)?);
        match sampling.top_p {
            Some(top_p) => {
                let top_p = checked("top_p", top_p, f64::MIN_POSITIVE..=1.0)?;
                if top_p < 1.0 || rules.top_p_one {
                    self.set("top_p", top_p);
                } else {
                    self.note("top_p 1 left out: this server rejects it, and takes its absence for the same");
                }
            }
            None if rules.top_p_one => self.set("top_p", 1.0),
            None => {}
        }
        if let Some(seed) = sampling.seed {
            self.set("seed", reduced(seed, rules.largest_seed));
            if seed > rules.largest_seed {
                self.note(&format!(
                    "seeds above {} are reduced to fit: this server takes no larger ones",
                    rules.largest_seed
                ));
            }
        }
        if sampling.stop.is_empty() {
            return Ok(());
        }
        if sampling.exact {
            self.note("stop texts left out: they would end an answer of exact length early");
            return Ok(());
        }
        if sampling.stop.len() > rules.most_stops {
            return Err(Refusal::Unsupported(format!(
                "{} stop texts: this server takes at most {}",
                sampling.stop.len(),
                rules.most_stops
            )));
        }
        self.set("stop", sampling.stop.clone());
        Ok(())
    }
}

impl Default for Draft {
    fn default() -> Self {
        Self::new()
    }
}

/// The shared part of a chat or completions body: prompt, model, length, sampling, stream. Refuses what the route cannot
/// take. `exact` and `cache_salt` are the adapter's, because servers share no field for them.
pub fn draft(input: &BuildInput, rules: &Rules) -> Result<Draft, Refusal> {
    let mut draft = match &input.prompt {
        Prompt::Raw(text) => Draft::raw(text)?,
        _ => Draft::new(),
    };
    if !input.model.is_empty() {
        draft.set("model", input.model.as_str());
    }
    let (key, prompt) = prompt(&input.prompt, input.route, rules)?;
    draft.set(key, prompt);
    draft.set(rules.max_tokens_field, input.sampling.max_tokens);
    draft.sample(&input.sampling, rules)?;
    draft.force("stream", true);
    if rules.stream_options {
        draft.force("stream_options", stream_options(rules.running_counts));
    }
    Ok(draft)
}

fn prompt(prompt: &Prompt, route: Route, rules: &Rules) -> Result<(&'static str, Value), Refusal> {
    match (route, prompt) {
        (_, Prompt::Raw(_)) => Ok(("", Value::Null)),
        (Route::Chat, Prompt::Chat(messages)) => Ok(("messages", messages_json(messages))),
        (Route::Chat, Prompt::Text(text)) => Ok(("messages", messages_json(&[Message::user(text.as_str())]))),
        (Route::Chat, Prompt::Tokens(_)) => {
            Err(Refusal::Unsupported("token ids on route `chat`; use route `completions`".into()))
        }
        (Route::Completions, Prompt::Text(text)) => Ok(("prompt", text.as_str().into())),
        (Route::Completions, Prompt::Tokens(ids)) => match rules.token_field {
            Some(field) => Ok((field, ids.as_slice().into())),
            None => {
                Err(Refusal::Unsupported("token ids: this server takes only text; use text prompts".into()))
            }
        },
        (Route::Completions, Prompt::Chat(_)) => Err(Refusal::Unsupported(
            "messages on route `completions`, which applies no chat template; use route `chat`".into(),
        )),
        (Route::Native, _) => {
            Err(Refusal::Unsupported("this engine has no route `native`; use `chat`".into()))
        }
    }
}

fn messages_json(messages: &[Message]) -> Value {
    messages.iter().map(|m| json!({"role": m.role, "content": m.content})).collect()
}

/// Equal seeds stay equal, which is all a seed is for.
fn reduced(seed: u64, largest: u64) -> u64 {
    largest.checked_add(1).map_or(seed, |modulus| seed % modulus)
}

/// NaN and infinities have no JSON form; they and values out of range are named.
fn checked(name: &str, value: f64, range: std::ops::RangeInclusive<f64>) -> Result<f64, Refusal> {
    if range.contains(&value) {
        Ok(value)
    } else {
        Err(Refusal::Invalid(format!("`{name}` is {value}, which is out of range")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Setting;

    fn input(prompt: Prompt, route: Route) -> BuildInput {
        let sampling = Sampling { max_tokens: 8, ..Sampling::default() };
        BuildInput { prompt, sampling, route, model: "m".into(), ..BuildInput::default() }
    }

    fn body(input: &BuildInput, rules: &Rules) -> String {
        let request =
            draft(input, rules).unwrap().post("/p", EndRule::EndOfBody, String::new(), &input.settings());
        String::from_utf8(request.unwrap().body).unwrap()
    }

    #[test]
    fn sampling_is_explicit_even_when_nothing_was_asked() {
        let got = body(&input(Prompt::Text("hi".into()), Route::Chat), &Rules::default());
        assert_eq!(
            got,
            r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":8,"temperature":0.0,"top_p":1.0,"stream":true,"stream_options":{"include_usage":true}}"#
        );
    }

    #[test]
    fn a_prompt_that_the_route_cannot_take_is_refused_with_the_way_out() {
        let cases = [
            (Prompt::Tokens(vec![1]), Route::Chat),
            (Prompt::Tokens(vec![1]), Route::Completions),
            (Prompt::Chat(vec![]), Route::Completions),
            (Prompt::Text(String::new()), Route::Native),
        ];
        for (prompt, route) in cases {
            let refused = draft(&input(prompt, route), &Rules::default());
            assert!(
                matches!(&refused, Err(Refusal::Unsupported(text)) if text.contains("use ")),
                "{refused:?}"
            );
        }
    }

    #[test]
    fn a_raw_body_is_sent_as_it_is_but_for_the_stream_fields() {
        let raw = Prompt::Raw(r#"{"messages":[],"temperature":2,"stream":false,"n":3}"#.into());
        let mut draft =
            draft(&input(raw, Route::Chat), &Rules { stream_options: false, ..Rules::default() }).unwrap();
        draft.set("ignore_eos", true);
        draft.note("not for raw bodies");
        let request = draft.post("/p", EndRule::EndOfBody, String::new(), &Settings::default()).unwrap();
        assert_eq!(request.body, br#"{"messages":[],"temperature":2,"stream":true,"n":3}"#);
        assert!(request.notes.is_empty());
        for wrong in ["[1]", "{", ""] {
            assert!(matches!(Draft::raw(wrong), Err(Refusal::Invalid(_))), "{wrong}");
        }
    }

    #[test]
    fn numbers_that_are_out_of_range_are_refused_by_name() {
        for (temperature, top_p) in
            [(f64::NAN, None), (-1.0, None), (f64::INFINITY, None), (0.0, Some(0.0)), (0.0, Some(1.1))]
        {
            let mut asked = input(Prompt::Text("x".into()), Route::Chat);
            asked.sampling = Sampling { temperature, top_p, ..asked.sampling };
            assert!(
                matches!(draft(&asked, &Rules::default()), Err(Refusal::Invalid(_))),
                "{temperature} {top_p:?}"
            );
        }
    }

    #[test]
    fn a_seed_that_is_too_large_is_reduced_and_noted_without_its_value() {
        let mut asked = input(Prompt::Text("x".into()), Route::Completions);
        asked.sampling.seed = Some(u64::MAX);
        let drafted = draft(&asked, &Rules::default()).unwrap();
        assert_eq!(drafted.body["seed"], json!(i64::MAX));
        assert_eq!(drafted.notes.len(), 1);
        assert!(!drafted.notes[0].contains(&u64::MAX.to_string()));
        asked.sampling.seed = Some(7);
        assert!(draft(&asked, &Rules::default()).unwrap().notes.is_empty());
    }

    #[test]
    fn extra_body_fields_win_and_a_wrong_one_is_named() {
        let mut asked = input(Prompt::Text("x".into()), Route::Completions);
        let mut with = |value: &str| {
            asked.settings = vec![Setting { name: "extra-body".into(), value: value.into() }];
            let drafted = draft(&asked, &Rules { stream_options: false, ..Rules::default() }).unwrap();
            drafted.post("/p", EndRule::EndOfBody, String::new(), &asked.settings())
        };
        let sent = String::from_utf8(with(r#"{"temperature":1,"n":2}"#).unwrap().body).unwrap();
        assert_eq!(
            sent,
            r#"{"model":"m","prompt":"x","max_tokens":8,"temperature":1,"top_p":1.0,"stream":true,"n":2}"#
        );
        assert!(matches!(with("[]"), Err(Refusal::Invalid(text)) if text.contains("extra-body")));
        assert!(matches!(with("{"), Err(Refusal::Invalid(text)) if text.contains("extra-body")));
    }

    #[test]
    fn stop_texts_give_way_to_an_exact_length_and_are_noted() {
        let mut asked = input(Prompt::Text("x".into()), Route::Chat);
        asked.sampling.stop = vec!["a".into()];
        assert!(body(&asked, &Rules::default()).contains(r#""stop":["a"]"#));
        asked.sampling.exact = true;
        let drafted = draft(&asked, &Rules::default()).unwrap();
        assert!(!drafted.body.contains_key("stop"));
        assert_eq!(drafted.notes, ["stop texts left out: they would end an answer of exact length early"]);
    }

    #[test]
    fn too_many_stop_texts_are_refused() {
        let mut asked = input(Prompt::Text("x".into()), Route::Chat);
        asked.sampling.stop = vec!["a".into(); 5];
        assert!(draft(&asked, &Rules { most_stops: 4, ..Rules::default() }).is_err());
        assert!(draft(&asked, &Rules::default()).is_ok());
    }
}
