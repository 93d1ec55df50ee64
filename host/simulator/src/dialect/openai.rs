//! The plain `OpenAI` interface, as its published specification describes it, without any engine's extensions.

use serde_json::{Map, Value, json};

use super::request::{Fields, Overflow, Prompt, room};
use super::wire::{Content, Dress, Quirks, Role, UsageAt, UsageNull, plain_id, plain_usage, stop_or_length};
use super::{Api, Call, Events, Job, Reply, Speak, Trouble};
use crate::answer::Length;
use crate::config::SimulatorConfig;
use crate::engine::{Engine, Tally};

/// The plain interface.
pub(super) struct Openai;

static QUIRKS: Quirks = Quirks {
    role: Role::Apart(Content::Empty),
    finish_apart: (true, true),
    unfinished: (Some(Value::Null), Some(Value::Null)),
    usage: (UsageAt::Asked, UsageAt::Asked),
    usage_null: UsageNull::Asked,
    done: true,
    reasoning: "reasoning_content",
    merges: true,
    logprobs: true,
    fingerprint: (Some("fp_simulated"), None),
    model_suffix: "",
    text_object: "text_completion",
    id: plain_id,
    finish: stop_or_length,
    dress: |_: &mut Map<String, Value>, _: &Dress<'_>| {},
    usage_object: usage,
    timings: None,
};

/// Usage with both details.
fn usage(tally: &Tally) -> Value {
    let mut usage = plain_usage(tally);
    usage["prompt_tokens_details"] = json!({"cached_tokens": tally.cached});
    usage["completion_tokens_details"] = json!({"reasoning_tokens": tally.reasoning});
    usage
}

/// Names of the fields that limit an answer, and what holds without them.
pub(super) struct Limits {
    /// Names of the upper limit, the stronger first.
    pub(super) most: &'static [&'static str],
    /// Upper limit of completions that name none.
    pub(super) default_completions: Option<u32>,
    /// Whether `min_tokens` is known.
    pub(super) least: bool,
    /// Whether `ignore_eos` is known.
    pub(super) ignore_end: bool,
    /// What is too long.
    pub(super) overflow: Overflow,
}

/// Reads the common fields of chat and completions.
pub(super) fn job(
    api: Api,
    body: &Map<String, Value>,
    config: &SimulatorConfig,
    limits: &Limits,
) -> Result<Job, Trouble> {
    let fields = Fields::of(body);
    let prompt = match (api, fields.get("prompt")) {
        (Api::Chat, _) => Prompt::chat(fields)?,
        (_, Some(prompt)) => Prompt::any(prompt)?,
        (_, None) => return Err(Trouble::Missing("prompt")),
    };
    job_with(api, prompt, body, config, limits)
}

/// Reads the common fields other than the prompt.
pub(super) fn job_with(
    api: Api,
    prompt: Prompt,
    body: &Map<String, Value>,
    config: &SimulatorConfig,
    limits: &Limits,
) -> Result<Job, Trouble> {
    let fields = Fields::of(body);
    if fields.count("n")?.is_some_and(|n| n != 1) {
        return Err(Trouble::Invalid("n: this simulator gives one choice".to_owned()));
    }
    let asked = match fields.first_count(limits.most)? {
        None if api == Api::Completions => limits.default_completions,
        asked => asked,
    };
    let least = if limits.least { fields.count("min_tokens")?.unwrap_or(0) } else { 0 };
    if asked.is_some_and(|most| least > most) {
        return Err(Trouble::Invalid(format!(
            "min_tokens must be less than or equal to max_tokens, got {least}."
        )));
    }
    let length = Length {
        most: room(prompt.tokens, asked, config.context_tokens, limits.overflow)?,
        least,
        ignore_end: limits.ignore_end && fields.flag("ignore_eos")?,
        stops: fields.texts("stop")?,
    };
    Job::new(api, prompt, length, fields)
}

/// The model list of one entry that most engines share.
pub(super) fn models(config: &SimulatorConfig, created: u64, owner: &str, extra: &Value) -> Reply {
    let mut entry = json!({"id": config.model, "object": "model", "created": created, "owned_by": owner});
    if let (Some(entry), Some(extra)) = (entry.as_object_mut(), extra.as_object()) {
        entry.extend(extra.clone());
    }
    Reply::json(200, &json!({"object": "list", "data": [entry]}))
}

/// Refuses any model but the served one; absent is accepted.
pub(super) fn served_model(body: &Map<String, Value>, config: &SimulatorConfig) -> Result<(), Trouble> {
    match Fields::of(body).text("model")? {
        Some(model) if model != config.model => Err(Trouble::UnknownModel(model.to_owned())),
        _ => Ok(()),
    }
}

impl Speak for Openai {
    fn quirks(&self) -> &'static Quirks {
        &QUIRKS
    }

    fn job(
        &self,
        api: Api,
        _path: &str,
        body: &Map<String, Value>,
        config: &SimulatorConfig,
    ) -> Result<Job, Trouble> {
        if !body.contains_key("model") {
            return Err(Trouble::Missing("model"));
        }
        served_model(body, config)?;
        let limits = Limits {
            most: &["max_completion_tokens", "max_tokens"],
            default_completions: Some(16),
            least: false,
            ignore_end: false,
            overflow: Overflow::Total,
        };
        job(api, body, config, &limits)
    }

    fn page(&self, call: &Call<'_>, engine: &Engine) -> Option<Result<Reply, Trouble>> {
        (call.path == "/v1/models" && !call.post)
            .then(|| Ok(models(&engine.config, engine.started_unix(), "benchhost", &json!({}))))
    }

    fn failure(&self, trouble: &Trouble) -> Reply {
        let (kind, code) = match trouble {
            Trouble::UnknownModel(_) => ("invalid_request_error", "model_not_found".into()),
            Trouble::TooLong { .. } => ("invalid_request_error", "context_length_exceeded".into()),
            Trouble::Unauthorized => ("invalid_request_error", "invalid_api_key".into()),
            Trouble::Fault(429) => ("requests", "rate_limit_exceeded".into()),
            Trouble::Fault(_) => ("server_error", Value::Null),
            _ => ("invalid_request_error", Value::Null),
        };
        let error =
            json!({"message": trouble.message(), "type": kind, "param": trouble.param(), "code": code});
        Reply::json(trouble.status(), &json!({"error": error}))
    }

    fn in_band(&self, _api: Api, message: &str, events: &mut Events) {
        events.data(
            json!({"error": {"message": message, "type": "server_error", "param": null, "code": null}}),
        );
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}
