//! vLLM 0.33.

use serde_json::{Map, Value, json};

use super::exposition::{Exposition, escaped};
use super::openai::{Limits, job, models, served_model};
use super::request::{Delivery, Fields, Overflow, Prompt};
use super::wire::{Content, Dress, Quirks, Role, UsageAt, UsageNull, plain_id, plain_usage, stop_or_length};
use super::{Api, Call, Events, Job, Reply, Speak, Trouble};
use crate::answer::Finish;
use crate::config::SimulatorConfig;
use crate::engine::{Engine, Tally};
use crate::tokens;

/// vLLM.
pub(super) struct Vllm;

const VERSION: &str = "0.33.0";

static QUIRKS: Quirks = Quirks {
    role: Role::Apart(Content::Empty),
    finish_apart: (false, false),
    unfinished: (Some(Value::Null), Some(Value::Null)),
    usage: (UsageAt::Asked, UsageAt::Asked),
    usage_null: UsageNull::Never,
    done: true,
    reasoning: "reasoning",
    merges: true,
    logprobs: true,
    fingerprint: (None, None),
    model_suffix: "",
    text_object: "text_completion",
    id: plain_id,
    finish: stop_or_length,
    dress,
    usage_object: usage,
    timings: None,
};

fn dress(choice: &mut Map<String, Value>, dress: &Dress<'_>) {
    if let Some(finish) = dress.finish {
        let reason = if let Finish::StopText(text) = finish { text.as_str().into() } else { Value::Null };
        choice.insert("stop_reason".to_owned(), reason);
    }
    if dress.wants_ids {
        let ids = if dress.ids.is_empty() { Value::Null } else { dress.ids.into() };
        choice.insert("token_ids".to_owned(), ids);
    }
}

fn usage(tally: &Tally) -> Value {
    let mut usage = plain_usage(tally);
    usage["prompt_tokens_details"] = json!({"cached_tokens": tally.cached});
    if tally.reasoning > 0 {
        usage["completion_tokens_details"] = json!({"reasoning_tokens": tally.reasoning});
    }
    usage
}

/// Type names of vLLM's errors.
fn kind(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::UnknownModel(_) => "NotFoundError",
        Trouble::UnknownRoute => "Not Found",
        Trouble::WrongMethod => "Method Not Allowed",
        Trouble::Fault(503) => "ServiceUnavailableError",
        Trouble::Fault(429) => "RateLimitError",
        Trouble::Fault(_) => "InternalServerError",
        _ => "BadRequestError",
    }
}

fn tokenize(call: &Call<'_>, config: &SimulatorConfig) -> Result<Reply, Trouble> {
    let body = call.object()?;
    let fields = Fields::of(&body);
    let prompt = if fields.get("messages").is_some() {
        Prompt::chat(fields)?
    } else {
        Prompt::text(fields.text("prompt")?.ok_or(Trouble::Missing("prompt"))?)
    };
    let ids = prompt.token_ids();
    let strings = fields.flag("return_token_strs")?.then(|| tokens::split(&prompt.asked.all));
    let answer = json!({
        "count": ids.len(), "max_model_len": config.context_tokens, "tokens": ids, "token_strs": strings,
    });
    Ok(Reply::json(200, &answer))
}

fn metrics(engine: &Engine) -> String {
    let load = engine.load();
    let totals = engine.totals();
    let mut page = Exposition::new(format!("model_name=\"{}\",engine=\"0\"", escaped(&engine.config.model)));
    page.gauge("vllm:num_requests_running", load.running);
    page.gauge("vllm:num_requests_waiting", load.waiting);
    page.gauge("vllm:kv_cache_usage_perc", engine.memory_use());
    page.counter("vllm:prefix_cache_queries_total", totals.prompt_tokens);
    page.counter("vllm:prefix_cache_hits_total", totals.cached_tokens);
    page.counter("vllm:prompt_tokens_total", totals.prompt_tokens);
    page.counter("vllm:prompt_tokens_cached_total", totals.cached_tokens);
    page.counter("vllm:generation_tokens_total", totals.generated_tokens);
    page.counter("vllm:num_preemptions_total", 0);
    let finished = [
        ("finished_reason=\"stop\"", totals.stopped),
        ("finished_reason=\"length\"", totals.at_limit),
        ("finished_reason=\"abort\"", totals.aborted),
    ];
    page.family("vllm:request_success_total", "counter", &finished);
    page.histogram("vllm:time_to_first_token_seconds", &totals.first_token);
    page.histogram("vllm:inter_token_latency_seconds", &totals.between);
    page.histogram("vllm:e2e_request_latency_seconds", &totals.whole);
    page.histogram("vllm:request_queue_time_seconds", &totals.queue);
    page.histogram("vllm:request_prompt_tokens", &totals.prompt_lengths);
    page.histogram("vllm:request_generation_tokens", &totals.answer_lengths);
    page.finish()
}

impl Speak for Vllm {
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
        served_model(body, config)?;
        let fields = Fields::of(body);
        let limits = Limits {
            most: if api == Api::Chat { &["max_completion_tokens", "max_tokens"] } else { &["max_tokens"] },
            default_completions: Some(16),
            least: true,
            ignore_end: true,
            overflow: Overflow::Total,
        };
        let mut job = job(api, body, config, &limits)?;
        if fields.get("stream_options").is_some() && job.delivery != Delivery::Events {
            return Err(Trouble::Invalid(
                "Stream options can only be defined when `stream=True`.".to_owned(),
            ));
        }
        job.token_ids = fields.flag("return_token_ids")?;
        Ok(job)
    }

    fn page(&self, call: &Call<'_>, engine: &Engine) -> Option<Result<Reply, Trouble>> {
        let config = &engine.config;
        Some(Ok(match (call.post, call.path) {
            (false, "/v1/models") => {
                let extra = json!({"root": config.model, "parent": null, "max_model_len": config.context_tokens,
                    "permission": []});
                models(config, engine.started_unix(), "vllm", &extra)
            }
            (false, "/health") | (_, "/ping") => Reply::nothing(),
            (false, "/version") => Reply::json(200, &json!({"version": VERSION})),
            (false, "/metrics") => Reply::metrics(metrics(engine)),
            (false, "/load") => {
                Reply::json(200, &json!({"server_load": engine.load().running + engine.load().waiting}))
            }
            (true, "/tokenize") => return Some(tokenize(call, config)),
            (true, "/reset_prefix_cache") => {
                let free = engine.load().running == 0;
                if free {
                    engine.reset_cache();
                }
                Reply::json(200, &json!({"success": free}))
            }
            _ => return None,
        }))
    }

    fn failure(&self, trouble: &Trouble) -> Reply {
        match trouble {
            Trouble::Unauthorized => Reply::json(401, &json!({"error": "Unauthorized"})),
            other => other.nested(kind(other)),
        }
    }

    fn in_band(&self, _api: Api, message: &str, events: &mut Events) {
        let error = json!({"message": message, "type": "InternalServerError", "param": null, "code": 500});
        events.data(json!({"error": error}));
        events.done();
    }
}
