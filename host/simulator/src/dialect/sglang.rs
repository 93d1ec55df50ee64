//! `SGLang` 0.5.

use serde_json::{Map, Value, json};

use super::exposition::{Exposition, escaped};
use super::openai::{Limits, job, job_with, models};
use super::request::{Delivery, Fields, Overflow, Prompt, room};
use super::wire::{Content, Dress, Quirks, Role, UsageAt, UsageNull, plain_usage, stop_or_length};
use super::{Api, Call, Events, Job, Reply, Speak, Trouble, Wire};
use crate::answer::{Finish, Length, Script};
use crate::config::SimulatorConfig;
use crate::engine::{Engine, Step, Tally};
use crate::tokens;

/// `SGLang`.
pub(super) struct Sglang;

const VERSION: &str = "0.5.23";

static QUIRKS: Quirks = Quirks {
    role: Role::Apart(Content::Empty),
    finish_apart: (true, false),
    unfinished: (Some(Value::Null), Some(Value::Null)),
    usage: (UsageAt::Asked, UsageAt::Asked),
    usage_null: UsageNull::Never,
    done: true,
    reasoning: "reasoning_content",
    merges: true,
    logprobs: true,
    fingerprint: (None, None),
    model_suffix: "",
    text_object: "text_completion",
    id: |_, number| id(number),
    finish: stop_or_length,
    dress,
    usage_object: usage,
    timings: None,
};

fn id(number: u64) -> String {
    format!("{number:032x}")
}

fn dress(choice: &mut Map<String, Value>, dress: &Dress<'_>) {
    let matched = match dress.finish {
        Some(Finish::StopText(text)) => text.as_str().into(),
        Some(Finish::End) => tokens::EOS_ID.into(),
        _ => Value::Null,
    };
    choice.insert("matched_stop".to_owned(), matched);
    // The key is always there in chat, null where there is no reasoning.
    for part in ["delta", "message"] {
        if let Some(Value::Object(part)) = choice.get_mut(part) {
            part.entry("reasoning_content").or_insert(Value::Null);
        }
    }
    if dress.wants_ids && dress.api == Api::Completions {
        choice.insert("token_ids".to_owned(), dress.ids.into());
    }
}

fn usage(tally: &Tally) -> Value {
    let mut usage = plain_usage(tally);
    usage["prompt_tokens_details"] = json!({"cached_tokens": tally.cached});
    usage["reasoning_tokens"] = tally.reasoning.into();
    usage["completion_tokens_details"] = Value::Null;
    usage
}

/// The flat error object.
fn error(message: &str, status: u16) -> Value {
    let kind = if status < 500 { "BadRequestError" } else { "InternalServerError" };
    json!({"object": "error", "message": message, "type": kind, "param": null, "code": status})
}

/// Reads `/generate`: text or ids, and limits inside `sampling_params`.
fn native_job(body: &Map<String, Value>, config: &SimulatorConfig) -> Result<Job, Trouble> {
    let fields = Fields::of(body);
    let prompt = match (fields.get("text"), fields.get("input_ids")) {
        (Some(prompt), _) | (None, Some(prompt)) => Prompt::any(prompt)?,
        (None, None) => {
            return Err(Trouble::Invalid(
                "Either text, input_ids or input_embeds should be provided.".to_owned(),
            ));
        }
    };
    let sampling = fields.object("sampling_params")?;
    let asked = sampling.count("max_new_tokens")?.unwrap_or(128);
    let length = Length {
        most: room(prompt.tokens, Some(asked), config.context_tokens, Overflow::Total)?,
        least: sampling.count("min_new_tokens")?.unwrap_or(0),
        ignore_end: sampling.flag("ignore_eos")?,
        stops: sampling.texts("stop")?,
    };
    Job::new(Api::Native, prompt, length, fields)
}

/// Events of `/generate`: text and ids are cumulative.
struct NativeWire {
    id: String,
}

impl NativeWire {
    fn event(&self, script: &Script, tally: &Tally, over: bool) -> Value {
        let written = tally.written as usize;
        let thoughts = script.reasoning.len();
        let text = format!(
            "{}{}",
            script.reasoning.slice(0..written),
            script.answer.slice(0..written.saturating_sub(thoughts))
        );
        let finish = over.then(|| match &script.finish {
            Finish::Length => json!({"type": "length", "length": tally.written}),
            Finish::End => json!({"type": "stop", "matched": tokens::EOS_ID}),
            Finish::StopText(text) => json!({"type": "stop", "matched": text}),
        });
        let mut ids = tokens::ids(script.reasoning.slice(0..written));
        ids.extend(tokens::ids(script.answer.slice(0..written.saturating_sub(thoughts))));
        let mut meta = json!({
            "id": self.id, "finish_reason": finish, "prompt_tokens": tally.prompt, "weight_version": "default",
            "num_retractions": 0, "reasoning_tokens": 0, "completion_tokens": tally.written,
            "cached_tokens": tally.cached,
        });
        if over {
            meta["e2e_latency"] = (tally.before_first + tally.after_first).as_secs_f64().into();
        }
        json!({"text": text, "output_ids": ids, "meta_info": meta})
    }
}

impl Wire for NativeWire {
    fn step(&mut self, step: &Step, script: &Script, tally: &Tally, events: &mut Events) {
        events.data(self.event(script, tally, step.last));
    }

    fn close(&mut self, script: &Script, tally: &Tally, events: &mut Events) {
        if script.len() == 0 {
            events.data(self.event(script, tally, true));
        }
        events.done();
    }

    fn whole(&self, script: &Script, tally: &Tally) -> Reply {
        Reply::json(200, &self.event(script, tally, true))
    }
}

fn metrics(engine: &Engine) -> String {
    let load = engine.load();
    let totals = engine.totals();
    let model = escaped(&engine.config.model);
    let mut page = Exposition::new(format!("model_name=\"{model}\",engine_type=\"unified\""));
    page.gauge("sglang:num_running_reqs", load.running);
    page.gauge("sglang:num_queue_reqs", load.waiting);
    page.gauge("sglang:token_usage", engine.memory_use());
    page.gauge("sglang:num_used_tokens", engine.held_tokens());
    page.gauge("sglang:max_total_num_tokens", engine.token_capacity());
    page.gauge("sglang:cache_hit_rate", totals.cached_tokens as f64 / (totals.prompt_tokens.max(1)) as f64);
    page.counter("sglang:cached_tokens_total", totals.cached_tokens);
    // These two rise when a request ends; the live count is the third.
    page.counter("sglang:prompt_tokens_total", totals.prompt_lengths.sum());
    page.counter("sglang:generation_tokens_total", totals.answer_lengths.sum());
    let live = [
        ("mode=\"prefill_compute\"", totals.prompt_tokens - totals.cached_tokens),
        ("mode=\"prefill_cache\"", totals.cached_tokens),
        ("mode=\"decode\"", totals.generated_tokens),
    ];
    page.family("sglang:realtime_tokens_total", "counter", &live);
    page.counter("sglang:num_requests_total", totals.stopped + totals.at_limit);
    page.counter("sglang:num_aborted_requests_total", totals.aborted);
    page.histogram("sglang:time_to_first_token_seconds", &totals.first_token);
    page.histogram("sglang:inter_token_latency_seconds", &totals.between);
    page.histogram("sglang:e2e_request_latency_seconds", &totals.whole);
    page.histogram("sglang:queue_time_seconds", &totals.queue);
    page.finish()
}

fn server_info(engine: &Engine) -> Value {
    json!({
        "model_path": engine.config.model, "served_model_name": engine.config.model, "version": VERSION,
        "context_length": engine.config.context_tokens, "max_running_requests": engine.config.max_running,
        "internal_states": [{"max_total_num_tokens": engine.token_capacity()}],
    })
}

fn tokenize(call: &Call<'_>, config: &SimulatorConfig) -> Result<Reply, Trouble> {
    let body = call.object()?;
    let ids = tokens::ids(Fields::of(&body).text("prompt")?.ok_or(Trouble::Missing("prompt"))?);
    Ok(Reply::json(200, &json!({"tokens": ids, "count": ids.len(), "max_model_len": config.context_tokens})))
}

impl Speak for Sglang {
    fn quirks(&self) -> &'static Quirks {
        &QUIRKS
    }

    fn generates(&self, path: &str) -> Option<Api> {
        match path {
            "/v1/chat/completions" => Some(Api::Chat),
            "/v1/completions" => Some(Api::Completions),
            "/generate" => Some(Api::Native),
            _ => None,
        }
    }

    fn guarded(&self, path: &str) -> bool {
        !["/health", "/ready", "/metrics"].iter().any(|open| path.starts_with(open))
    }

    fn job(
        &self,
        api: Api,
        _path: &str,
        body: &Map<String, Value>,
        config: &SimulatorConfig,
    ) -> Result<Job, Trouble> {
        if api == Api::Native {
            return native_job(body, config);
        }
        let fields = Fields::of(body);
        let limits = Limits {
            most: &["max_completion_tokens", "max_tokens"],
            default_completions: Some(16),
            least: true,
            ignore_end: true,
            overflow: Overflow::Total,
        };
        let mut job = match (api, fields.get("input_ids")) {
            (Api::Chat, Some(ids)) => job_with(api, Prompt::any(ids)?, body, config, &limits)?,
            _ => job(api, body, config, &limits)?,
        };
        job.token_ids = fields.flag("return_token_ids")?;
        if job.token_ids && job.delivery == Delivery::Events && api == Api::Chat {
            return Err(Trouble::Invalid(
                "return_token_ids is not supported with stream in chat completions".to_owned(),
            ));
        }
        job.token_ids &= api == Api::Completions;
        Ok(job)
    }

    fn wire(&self, job: &Job, config: &SimulatorConfig, number: u64, created: u64) -> Box<dyn Wire> {
        if job.api == Api::Native {
            return Box::new(NativeWire { id: id(number) });
        }
        Box::new(super::OpenaiWire::new(&QUIRKS, job, config, number, created))
    }

    fn page(&self, call: &Call<'_>, engine: &Engine) -> Option<Result<Reply, Trouble>> {
        let config = &engine.config;
        Some(Ok(match (call.post, call.path) {
            (false, "/v1/models") => {
                let extra =
                    json!({"root": config.model, "parent": null, "max_model_len": config.context_tokens});
                models(config, engine.started_unix(), "sglang", &extra)
            }
            (false, "/health" | "/health_generate" | "/ready") | (_, "/ping") => Reply::nothing(),
            (false, "/server_info" | "/get_server_info") => Reply::json(200, &server_info(engine)),
            (false, "/model_info" | "/get_model_info") => {
                Reply::json(200, &json!({"model_path": config.model, "is_generation": true}))
            }
            (false, "/metrics") => Reply::metrics(metrics(engine)),
            (true, "/tokenize" | "/v1/tokenize") => return Some(tokenize(call, config)),
            (_, "/flush_cache") if engine.load().running > 0 => {
                Reply::text(400, "text/plain; charset=utf-8", "Flush cache failed.\n")
            }
            (_, "/flush_cache") => {
                engine.reset_cache();
                Reply::text(200, "text/plain; charset=utf-8", "Cache flushed.\n")
            }
            _ => return None,
        }))
    }

    fn failure(&self, trouble: &Trouble) -> Reply {
        match trouble {
            Trouble::Unauthorized => Reply::json(401, &json!({"error": "Unauthorized"})),
            Trouble::UnknownRoute | Trouble::WrongMethod => trouble.detail(),
            other => Reply::json(other.status(), &error(&other.message(), other.status())),
        }
    }

    fn in_band(&self, api: Api, message: &str, events: &mut Events) {
        if api == Api::Native {
            let error =
                json!({"message": message, "type": "invalid_request_error", "code": 400, "retryable": false});
            events.data(json!({"error": error}));
        } else {
            events.data(json!({"error": error(message, 500)}));
        }
        events.done();
    }
}
