//! Chunks and answers of the `OpenAI`-like interfaces; one writer, and a table of the facts in which engines differ.
//!
//! It knows no route and no error.

use serde_json::{Map, Value, json};

use super::request::{Delivery, Job, UsageWish};
use super::{Api, Events, Reply, Wire};
use crate::answer::{Finish, Pieces, Script};
use crate::config::SimulatorConfig;
use crate::engine::{Step, Tally};
use crate::tokens;

/// When and how the role is told in chat streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// In a chunk of its own before the first token, with this content.
    Apart(Content),
    /// In a chunk of its own that is sent before the engine does anything.
    AtOnce,
    /// In the chunk of the first token.
    WithFirst,
    /// In every chunk.
    Everywhere,
}

/// What a role chunk says of the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// `content:""`.
    Empty,
    /// `content:null`.
    Null,
}

/// Where usage goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UsageAt {
    /// In a chunk with `choices:[]`, if the request asks.
    Asked,
    /// In the chunk with the finish reason, always.
    Finish,
}

/// Whether chunks without usage say `usage:null`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UsageNull {
    /// The key is absent.
    Never,
    /// Only if usage is asked for.
    Asked,
    /// Always.
    Always,
}

/// The facts in which engines differ.
#[derive(Debug)]
pub(crate) struct Quirks {
    /// The role in chat streams.
    pub(crate) role: Role,
    /// Whether the finish reason has a chunk without token of its own: chat, completions.
    pub(crate) finish_apart: (bool, bool),
    /// `finish_reason` of an unfinished chunk: chat, completions. None: the key is absent.
    pub(crate) unfinished: (Option<Value>, Option<Value>),
    /// Usage: chat, completions.
    pub(crate) usage: (UsageAt, UsageAt),
    /// `usage:null` in other chunks.
    pub(crate) usage_null: UsageNull,
    /// Whether `[DONE]` ends the stream.
    pub(crate) done: bool,
    /// Key of the reasoning channel.
    pub(crate) reasoning: &'static str,
    /// Whether tokens that are ready together share a chunk.
    pub(crate) merges: bool,
    /// Whether choices carry `logprobs:null`.
    pub(crate) logprobs: bool,
    /// `system_fingerprint`: chat, completions. None: the key is absent.
    pub(crate) fingerprint: (Option<&'static str>, Option<&'static str>),
    /// Appended to the model's name in answers.
    pub(crate) model_suffix: &'static str,
    /// Object name of text answers in chunks.
    pub(crate) text_object: &'static str,
    /// Makes an id.
    pub(crate) id: fn(Api, u64) -> String,
    /// Names a reason to end.
    pub(crate) finish: fn(Api, &Finish) -> &'static str,
    /// Adds what else the engine writes into a choice.
    pub(crate) dress: fn(&mut Map<String, Value>, &Dress<'_>),
    /// The usage object.
    pub(crate) usage_object: fn(&Tally) -> Value,
    /// Timings in the last chunk and in whole answers.
    pub(crate) timings: Option<fn(&Tally) -> Value>,
}

/// What the extras of a choice may depend on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dress<'a> {
    /// The route.
    pub(crate) api: Api,
    /// Whether the request asked for token ids.
    pub(crate) wants_ids: bool,
    /// The tokens' ids; empty in chunks without tokens.
    pub(crate) ids: &'a [u32],
    /// How the answer ended, in the chunk that tells it.
    pub(crate) finish: Option<&'a Finish>,
    /// Whether this is a chunk of a stream.
    pub(crate) streamed: bool,
}

/// `stop` or `length`, as most engines say it.
pub(crate) fn stop_or_length(_api: Api, finish: &Finish) -> &'static str {
    if *finish == Finish::Length { "length" } else { "stop" }
}

/// The three counts every engine gives.
pub(crate) fn plain_usage(tally: &Tally) -> Value {
    let total = u64::from(tally.prompt) + u64::from(tally.written);
    json!({"prompt_tokens": tally.prompt, "total_tokens": total, "completion_tokens": tally.written})
}

/// `chatcmpl-…` and `cmpl-…`.
pub(crate) fn plain_id(api: Api, number: u64) -> String {
    let kind = if api == Api::Chat { "chatcmpl" } else { "cmpl" };
    format!("{kind}-sim{number:08x}")
}

/// The writer of one answer.
pub(crate) struct OpenaiWire {
    quirks: &'static Quirks,
    job: Job,
    id: String,
    created: u64,
    model: String,
    role_told: bool,
    opened: bool,
}

impl OpenaiWire {
    /// A writer for one request.
    pub(crate) fn new(
        quirks: &'static Quirks,
        job: &Job,
        config: &SimulatorConfig,
        number: u64,
        created: u64,
    ) -> Self {
        Self {
            quirks,
            job: job.clone(),
            id: (quirks.id)(job.api, number),
            created,
            model: format!("{}{}", config.model, quirks.model_suffix),
            role_told: false,
            opened: false,
        }
    }

    fn chat(&self) -> bool {
        self.job.api == Api::Chat
    }

    /// The member of a pair that belongs to this route: chat first.
    fn mine<'a, T>(&self, pair: &'a (T, T)) -> &'a T {
        if self.chat() { &pair.0 } else { &pair.1 }
    }

    /// A chunk with these choices.
    fn chunk(&mut self, choices: Value, usage: Option<Value>) -> Value {
        let object = if self.chat() { "chat.completion.chunk" } else { self.quirks.text_object };
        let mut chunk = Map::new();
        chunk.insert("id".to_owned(), self.id.as_str().into());
        chunk.insert("object".to_owned(), object.into());
        chunk.insert("created".to_owned(), self.created.into());
        chunk.insert("model".to_owned(), self.model.as_str().into());
        if let Some(fingerprint) = self.mine(&self.quirks.fingerprint) {
            chunk.insert("system_fingerprint".to_owned(), (*fingerprint).into());
        }
        chunk.insert("choices".to_owned(), choices);
        if self.job.token_ids && self.job.delivery == Delivery::Events && !self.opened {
            chunk.insert("prompt_token_ids".to_owned(), self.job.prompt.token_ids().into());
        }
        self.opened = true;
        let null = match self.quirks.usage_null {
            UsageNull::Never => false,
            UsageNull::Asked => self.job.usage != UsageWish::None,
            UsageNull::Always => true,
        };
        match usage {
            Some(usage) => {
                chunk.insert("usage".to_owned(), usage);
            }
            None if null => {
                chunk.insert("usage".to_owned(), Value::Null);
            }
            None => {}
        }
        Value::Object(chunk)
    }

    /// The usage so far, if every chunk has to carry it.
    fn running_usage(&self, tally: &Tally) -> Option<Value> {
        (self.job.usage == UsageWish::Always).then(|| (self.quirks.usage_object)(tally))
    }

    /// A choice of a chunk: `body` is a delta (chat) or text.
    fn choice(&self, body: Value, ids: &[u32], finish: Option<&Finish>) -> Value {
        let mut choice = Map::new();
        choice.insert("index".to_owned(), 0.into());
        choice.insert((if self.chat() { "delta" } else { "text" }).to_owned(), body);
        if self.quirks.logprobs {
            choice.insert("logprobs".to_owned(), Value::Null);
        }
        let reason = match finish {
            Some(finish) => Some((self.quirks.finish)(self.job.api, finish).into()),
            None => self.mine(&self.quirks.unfinished).clone(),
        };
        if let Some(reason) = reason {
            choice.insert("finish_reason".to_owned(), reason);
        }
        let dress = Dress { api: self.job.api, wants_ids: self.job.token_ids, ids, finish, streamed: true };
        (self.quirks.dress)(&mut choice, &dress);
        Value::Array(vec![Value::Object(choice)])
    }

    /// Tells the role in a chunk of its own, once.
    fn tell_role(&mut self, tally: &Tally, events: &mut Events) {
        if self.role_told || !self.chat() {
            return;
        }
        let delta = match self.quirks.role {
            Role::Apart(Content::Empty) => json!({"role": "assistant", "content": ""}),
            Role::Apart(Content::Null) => json!({"role": "assistant", "content": null}),
            Role::AtOnce => json!({"role": "assistant"}),
            Role::WithFirst | Role::Everywhere => return,
        };
        self.role_told = true;
        let choices = self.choice(delta, &[], None);
        let usage = self.running_usage(&Tally { written: 0, reasoning: 0, ..*tally });
        let chunk = self.chunk(choices, usage);
        events.data(chunk);
    }

    /// One chunk with text.
    fn tell_text(&mut self, part: &Part<'_>, tally: &Tally, events: &mut Events) {
        let body = if self.chat() {
            let mut delta = Map::new();
            let first = self.quirks.role == Role::WithFirst && !self.role_told;
            if first || self.quirks.role == Role::Everywhere {
                self.role_told = true;
                delta.insert("role".to_owned(), "assistant".into());
            }
            let key = if part.reasoning { self.quirks.reasoning } else { "content" };
            delta.insert(key.to_owned(), part.text.into());
            Value::Object(delta)
        } else {
            part.text.into()
        };
        let ids = tokens::ids(part.text);
        let choices = self.choice(body, &ids, part.finish);
        let at_finish = part.finish.is_some() && *self.mine(&self.quirks.usage) == UsageAt::Finish;
        let usage =
            if at_finish { Some((self.quirks.usage_object)(tally)) } else { self.running_usage(tally) };
        let mut chunk = self.chunk(choices, usage);
        if let (true, Some(timings)) = (self.job.details, self.quirks.timings) {
            chunk["timings"] = timings(tally);
        }
        events.data(chunk);
    }

    /// The chunk that only tells the end.
    fn finish_chunk(&mut self, finish: &Finish, tally: &Tally) -> Value {
        let body = if !self.chat() {
            "".into()
        } else if self.quirks.role == Role::Everywhere {
            json!({"role": "assistant", "content": ""})
        } else if self.mine(&self.quirks.finish_apart) == &true {
            json!({})
        } else {
            json!({"content": ""})
        };
        let choices = self.choice(body, &[], Some(finish));
        let at_finish = *self.mine(&self.quirks.usage) == UsageAt::Finish;
        let usage =
            if at_finish { Some((self.quirks.usage_object)(tally)) } else { self.running_usage(tally) };
        self.chunk(choices, usage)
    }
}

/// A piece of text to write.
struct Part<'a> {
    reasoning: bool,
    text: &'a str,
    finish: Option<&'a Finish>,
}

/// The channel a step belongs to.
fn channel(script: &Script, reasoning: bool) -> &Pieces {
    if reasoning { &script.reasoning } else { &script.answer }
}

impl Wire for OpenaiWire {
    fn open(&mut self, events: &mut Events) {
        if self.quirks.role == Role::AtOnce {
            self.tell_role(&Tally::default(), events);
        }
    }

    fn step(&mut self, step: &Step, script: &Script, tally: &Tally, events: &mut Events) {
        self.tell_role(tally, events);
        let with_token = !*self.mine(&self.quirks.finish_apart);
        let width = if self.quirks.merges { step.range.len() } else { 1 };
        let mut begin = step.range.start;
        while begin < step.range.end {
            let end = (begin + width).min(step.range.end);
            let finish = (with_token && step.last && end == step.range.end).then_some(&script.finish);
            let text = channel(script, step.reasoning).slice(begin..end);
            let pending = u32::try_from(step.range.end - end).unwrap_or(0);
            let tally = Tally { written: step.written - pending, ..*tally };
            self.tell_text(&Part { reasoning: step.reasoning, text, finish }, &tally, events);
            begin = end;
        }
    }

    fn close(&mut self, script: &Script, tally: &Tally, events: &mut Events) {
        // An answer without a token still tells role and end.
        self.tell_role(tally, events);
        let mut chunks = Vec::new();
        if *self.mine(&self.quirks.finish_apart) || script.len() == 0 {
            chunks.push(self.finish_chunk(&script.finish, tally));
        }
        if *self.mine(&self.quirks.usage) == UsageAt::Asked && self.job.usage != UsageWish::None {
            let usage = (self.quirks.usage_object)(tally);
            chunks.push(self.chunk(json!([]), Some(usage)));
        }
        if let (Some(timings), Some(last)) = (self.quirks.timings, chunks.last_mut()) {
            last["timings"] = timings(tally);
        }
        for chunk in chunks {
            events.data(chunk);
        }
        if self.quirks.done {
            events.done();
        }
    }

    fn whole(&self, script: &Script, tally: &Tally) -> Reply {
        let mut choice = Map::new();
        choice.insert("index".to_owned(), 0.into());
        if self.chat() {
            let mut message = json!({"role": "assistant", "content": script.answer.text()});
            if script.reasoning.len() > 0 {
                message[self.quirks.reasoning] = script.reasoning.text().into();
            }
            choice.insert("message".to_owned(), message);
        } else {
            choice.insert(
                "text".to_owned(),
                format!("{}{}", script.reasoning.text(), script.answer.text()).into(),
            );
        }
        if self.quirks.logprobs {
            choice.insert("logprobs".to_owned(), Value::Null);
        }
        let reason = (self.quirks.finish)(self.job.api, &script.finish);
        choice.insert("finish_reason".to_owned(), reason.into());
        let mut ids = tokens::ids(script.reasoning.text());
        ids.extend(tokens::ids(script.answer.text()));
        let dress = Dress {
            api: self.job.api,
            wants_ids: self.job.token_ids,
            ids: &ids,
            finish: Some(&script.finish),
            streamed: false,
        };
        (self.quirks.dress)(&mut choice, &dress);
        let object = if self.chat() { "chat.completion" } else { "text_completion" };
        let mut body = json!({
            "id": self.id, "object": object, "created": self.created, "model": self.model,
            "choices": [choice], "usage": (self.quirks.usage_object)(tally),
        });
        if let Some(fingerprint) = self.mine(&self.quirks.fingerprint) {
            body["system_fingerprint"] = (*fingerprint).into();
        }
        if self.job.token_ids {
            body["prompt_token_ids"] = self.job.prompt.token_ids().into();
        }
        if let Some(timings) = self.quirks.timings {
            body["timings"] = timings(tally);
        }
        Reply::json(200, &body)
    }
}
