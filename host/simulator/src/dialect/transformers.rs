//! `transformers serve` 5.

use serde_json::{Map, Value, json};

use super::request::{Fields, Overflow, Prompt, object, room};
use super::wire::{Dress, Quirks, Role, UsageAt, UsageNull, plain_usage, stop_or_length};
use super::{Api, Call, Events, Job, Reply, Speak, Trouble};
use crate::answer::Length;
use crate::config::SimulatorConfig;
use crate::engine::Engine;

/// `transformers serve`.
pub(super) struct Transformers;

/// Length of answers that name no limit.
const DEFAULT_LENGTH: u32 = 1024;

/// Every field it accepts, those it then ignores included.
const KNOWN: [&str; 27] = [
    "messages",
    "prompt",
    "model",
    "stream",
    "max_completion_tokens",
    "max_tokens",
    "temperature",
    "top_p",
    "seed",
    "stop",
    "frequency_penalty",
    "logit_bias",
    "tools",
    "chat_template_kwargs",
    "generation_config",
    "n",
    "logprobs",
    "top_logprobs",
    "presence_penalty",
    "stream_options",
    "response_format",
    "tool_choice",
    "reasoning_effort",
    "user",
    "parallel_tool_calls",
    "service_tier",
    "request_id",
];

static QUIRKS: Quirks = Quirks {
    role: Role::AtOnce,
    finish_apart: (true, true),
    unfinished: (None, None),
    usage: (UsageAt::Finish, UsageAt::Finish),
    usage_null: UsageNull::Never,
    done: false,
    reasoning: "reasoning_content",
    merges: false,
    logprobs: false,
    fingerprint: (Some(""), None),
    model_suffix: "@main",
    text_object: "text_completion",
    id: |_, number| format!("00000000-0000-4000-8000-{number:012x}"),
    finish: stop_or_length,
    dress: |_: &mut Map<String, Value>, _: &Dress<'_>| {},
    usage_object: plain_usage,
    timings: None,
};

/// Limits from the JSON text in `generation_config`: upper and lower.
fn configured(fields: Fields<'_>) -> Result<(Option<u32>, u32), Trouble> {
    let Some(text) = fields.text("generation_config")? else { return Ok((None, 0)) };
    let config = object(text.as_bytes())
        .map_err(|_| Trouble::Invalid("generation_config must be a JSON text".to_owned()))?;
    let config = Fields::of(&config);
    Ok((config.count("max_new_tokens")?, config.count("min_new_tokens")?.unwrap_or(0)))
}

impl Speak for Transformers {
    fn quirks(&self) -> &'static Quirks {
        &QUIRKS
    }

    fn guarded(&self, _path: &str) -> bool {
        false
    }

    fn job(
        &self,
        api: Api,
        _path: &str,
        body: &Map<String, Value>,
        config: &SimulatorConfig,
    ) -> Result<Job, Trouble> {
        let fields = Fields::of(body);
        let unknown: Vec<String> =
            fields.names().filter(|name| !KNOWN.contains(&name.as_str())).cloned().collect();
        if !unknown.is_empty() {
            return Err(Trouble::Unexpected(unknown));
        }
        if let Some(model) = fields.text("model")?
            && model != config.model
        {
            return Err(Trouble::UnknownModel(model.to_owned()));
        }
        let prompt = if api == Api::Chat {
            Prompt::chat(fields)?
        } else {
            Prompt::text(fields.text("prompt")?.ok_or(Trouble::Missing("prompt"))?)
        };
        let (configured_most, least) = configured(fields)?;
        let most = fields.first_count(&["max_completion_tokens", "max_tokens"])?.or(configured_most);
        let length = Length {
            most: room(
                prompt.tokens,
                Some(most.unwrap_or(DEFAULT_LENGTH)),
                config.context_tokens,
                Overflow::Never,
            )?,
            least,
            ignore_end: false,
            stops: fields.texts("stop")?,
        };
        Job::new(api, prompt, length, fields)
    }

    fn page(&self, call: &Call<'_>, engine: &Engine) -> Option<Result<Reply, Trouble>> {
        Some(Ok(match (call.post, call.path) {
            (false, "/health") => Reply::json(200, &json!({"status": "ok"})),
            (false, "/v1/models") => {
                let entry = json!({"id": engine.config.model, "object": "model", "created": engine.started_unix(),
                    "owned_by": ""});
                Reply::json(200, &json!({"object": "list", "data": [entry]}))
            }
            (true, "/reset") => {
                engine.reset_cache();
                Reply::json(200, &json!({"status": "ok"}))
            }
            _ => return None,
        }))
    }

    fn failure(&self, trouble: &Trouble) -> Reply {
        match trouble {
            // The real server raises an unhandled KeyError.
            Trouble::Missing(_) => Reply::text(500, "text/plain; charset=utf-8", "Internal Server Error"),
            Trouble::UnknownModel(model) => Reply::json(
                400,
                &json!({"detail": format!("Server is pinned to another model; requested '{model}'.")}),
            ),
            other => other.detail(),
        }
    }

    /// The message goes in unescaped, so that quotes in it make the event invalid JSON; nothing follows.
    fn in_band(&self, _api: Api, message: &str, events: &mut Events) {
        events.raw(&format!("{{\"error\": \"CUDA error in \"generate\": {message}\"}}"));
    }
}
