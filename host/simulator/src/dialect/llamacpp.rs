//! The server of llama.cpp, builds of 2026.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::exposition::Exposition;
use super::request::{Fields, Overflow, Prompt, room};
use super::wire::{
    Content, Dress, OpenaiWire, Quirks, Role, UsageAt, UsageNull, plain_id, plain_usage, stop_or_length,
};
use super::{Api, Call, Events, Job, Reply, Speak, Trouble, Wire};
use crate::answer::{Finish, Length, Script};
use crate::config::SimulatorConfig;
use crate::engine::{Engine, Step, Tally};
use crate::tokens;

/// llama.cpp.
pub(super) struct Llamacpp;

const BUILD: &str = "b0-simulated";
/// Slots reported where no limit of running requests is set.
const DEFAULT_SLOTS: u32 = 4;

static QUIRKS: Quirks = Quirks {
    role: Role::Apart(Content::Null),
    finish_apart: (true, true),
    unfinished: (Some(Value::Null), Some(Value::Null)),
    usage: (UsageAt::Asked, UsageAt::Finish),
    usage_null: UsageNull::Never,
    done: true,
    reasoning: "reasoning_content",
    merges: false,
    logprobs: false,
    fingerprint: (Some(BUILD), Some(BUILD)),
    model_suffix: "",
    text_object: "text_completion",
    // Text answers carry the same kind of id.
    id: |_, number| plain_id(Api::Chat, number),
    finish: stop_or_length,
    dress,
    usage_object: usage,
    timings: Some(timings),
};

fn dress(choice: &mut Map<String, Value>, dress: &Dress<'_>) {
    if dress.api == Api::Completions && dress.streamed {
        choice.insert("logprobs".to_owned(), Value::Null);
    }
}

fn usage(tally: &Tally) -> Value {
    let mut usage = plain_usage(tally);
    usage["prompt_tokens_details"] = json!({"cached_tokens": tally.cached});
    usage
}

/// Counts and rates of the two phases; cached prompt tokens are not counted as processed.
fn timings(tally: &Tally) -> Value {
    let processed = tally.prompt.saturating_sub(tally.cached);
    let phase = |tokens: u32, time: Duration| {
        let (tokens, ms) = (f64::from(tokens), time.as_secs_f64() * 1e3);
        let rate = if ms > 0.0 { tokens / ms * 1e3 } else { 0.0 };
        (ms, if tokens > 0.0 { ms / tokens } else { 0.0 }, rate)
    };
    let prompt = phase(processed, tally.before_first);
    let predicted = phase(tally.written, tally.after_first);
    json!({
        "cache_n": tally.cached,
        "prompt_n": processed, "prompt_ms": prompt.0, "prompt_per_token_ms": prompt.1, "prompt_per_second": prompt.2,
        "predicted_n": tally.written, "predicted_ms": predicted.0, "predicted_per_token_ms": predicted.1,
        "predicted_per_second": predicted.2,
    })
}

/// Reads any generating request: the three interfaces share one set of fields.
fn read(api: Api, body: &Map<String, Value>, config: &SimulatorConfig) -> Result<Job, Trouble> {
    let fields = Fields::of(body);
    let prompt = match (api, fields.get("prompt")) {
        (Api::Chat, _) => Prompt::chat(fields)?,
        (_, Some(prompt)) => Prompt::any(prompt)?,
        (_, None) => return Err(Trouble::Missing("prompt")),
    };
    let limit = ["n_predict", "max_tokens", "max_completion_tokens"]
        .into_iter()
        .find_map(|name| fields.signed(name).transpose())
        .transpose()?;
    // Negative means no limit.
    let asked = limit.and_then(|limit| u32::try_from(limit).ok());
    let length = Length {
        most: room(prompt.tokens, asked, config.context_tokens, Overflow::Prompt)?,
        least: 0,
        ignore_end: fields.flag("ignore_eos")?,
        stops: fields.texts("stop")?,
    };
    let mut job = Job::new(api, prompt, length, fields)?;
    job.details = fields.flag("timings_per_token")?;
    job.token_ids = api == Api::Native && fields.flag("return_tokens")?;
    if fields.get("cache_prompt") == Some(&Value::Bool(false)) {
        job.cache_key = None;
    }
    Ok(job)
}

/// Events and answers of `/completion`.
struct NativeWire {
    model: String,
    prompt: String,
    limit: u32,
    ids_in_whole: bool,
    timings: bool,
}

impl NativeWire {
    fn last(&self, script: &Script, tally: &Tally, content: &str, ids: &[u32]) -> Value {
        let (stop, word) = match &script.finish {
            Finish::End => ("eos", ""),
            Finish::Length => ("limit", ""),
            Finish::StopText(word) => ("word", word.as_str()),
        };
        json!({
            "index": 0, "content": content, "tokens": ids, "id_slot": 0, "stop": true, "model": self.model,
            "tokens_predicted": tally.written, "tokens_evaluated": tally.prompt,
            "generation_settings": {"n_predict": self.limit}, "prompt": self.prompt,
            "has_new_line": script.answer.text().contains('\n'), "truncated": false, "stop_type": stop,
            "stopping_word": word, "tokens_cached": u64::from(tally.prompt) + u64::from(tally.written),
            "timings": timings(tally),
        })
    }
}

impl Wire for NativeWire {
    fn step(&mut self, step: &Step, script: &Script, tally: &Tally, events: &mut Events) {
        let channel = if step.reasoning { &script.reasoning } else { &script.answer };
        for at in step.range.clone() {
            let piece = channel.slice(at..at + 1);
            let written = (step.written as usize).saturating_sub(step.range.end - at - 1);
            let mut event = json!({
                "index": 0, "content": piece, "tokens": [tokens::id(piece)], "stop": false, "id_slot": -1,
                "tokens_predicted": written, "tokens_evaluated": tally.prompt,
            });
            if self.timings {
                event["timings"] = timings(tally);
            }
            events.data(event);
        }
    }

    fn close(&mut self, script: &Script, tally: &Tally, events: &mut Events) {
        events.data(self.last(script, tally, "", &[]));
    }

    fn whole(&self, script: &Script, tally: &Tally) -> Reply {
        let text = format!("{}{}", script.reasoning.text(), script.answer.text());
        let ids = if self.ids_in_whole { tokens::ids(&text) } else { Vec::new() };
        Reply::json(200, &self.last(script, tally, &text, &ids))
    }
}

fn slots(config: &SimulatorConfig) -> u32 {
    config.max_running.unwrap_or(DEFAULT_SLOTS).max(1)
}

fn props(config: &SimulatorConfig) -> Value {
    json!({
        "default_generation_settings": {"n_ctx": config.context_tokens,
            "params": {"temperature": 0.8, "top_k": 40, "top_p": 0.95, "min_p": 0.05, "n_predict": -1}},
        "total_slots": slots(config), "model_alias": config.model, "model_ftype": "simulated",
        "model_path": config.model, "endpoint_slots": true, "endpoint_props": false, "endpoint_metrics": true,
        "chat_template": "simulated", "bos_token": "<s>", "eos_token": "</s>", "build_info": BUILD,
        "is_sleeping": false,
    })
}

fn slot_list(engine: &Engine) -> Value {
    let running = engine.load().running;
    let held = engine.held_tokens();
    (0..slots(&engine.config))
        .map(|slot| {
            let busy = slot < running;
            let tokens = if busy { held / u64::from(running.max(1)) } else { 0 };
            json!({"id": slot, "n_ctx": engine.config.context_tokens, "speculative": false, "is_processing": busy,
                "n_prompt_tokens": tokens})
        })
        .collect()
}

fn model_list(engine: &Engine) -> Value {
    let config = &engine.config;
    let meta = json!({"vocab_type": 1, "n_vocab": 128_000, "n_ctx": config.context_tokens,
        "n_ctx_train": config.context_tokens, "n_embd": 0, "n_params": 0, "size": 0, "ftype": "simulated"});
    json!({
        "models": [{"name": config.model, "model": config.model, "type": "model", "capabilities": ["completion"]}],
        "object": "list",
        "data": [{"id": config.model, "aliases": [config.model], "tags": [], "object": "model",
            "created": engine.started_unix(), "owned_by": "llamacpp", "meta": meta}],
    })
}

fn metrics(engine: &Engine) -> String {
    let load = engine.load();
    let totals = engine.totals();
    let mut page = Exposition::new("");
    let rate = |tokens: u64, seconds: f64| if seconds > 0.0 { tokens as f64 / seconds } else { 0.0 };
    let computed = totals.prompt_tokens - totals.cached_tokens;
    page.counter("llamacpp:prompt_tokens_total", computed);
    page.counter("llamacpp:prompt_tokens_cached_total", totals.cached_tokens);
    page.counter("llamacpp:prompt_seconds_total", totals.prompt_seconds);
    page.counter("llamacpp:tokens_predicted_total", totals.generated_tokens);
    page.counter("llamacpp:tokens_predicted_seconds_total", totals.decode_seconds);
    page.counter("llamacpp:n_decode_total", totals.steps);
    page.counter("llamacpp:n_tokens_max", totals.longest);
    page.gauge("llamacpp:prompt_tokens_seconds", rate(computed, totals.prompt_seconds));
    page.gauge("llamacpp:predicted_tokens_seconds", rate(totals.generated_tokens, totals.decode_seconds));
    page.gauge("llamacpp:requests_processing", load.running);
    page.gauge("llamacpp:requests_deferred", load.waiting);
    page.gauge("llamacpp:n_busy_slots_per_decode", load.running.min(slots(&engine.config)));
    page.finish()
}

fn tokenize(call: &Call<'_>) -> Result<Reply, Trouble> {
    let body = call.object()?;
    let fields = Fields::of(&body);
    let text = fields.text("content")?.unwrap_or_default();
    let list: Value = if fields.flag("with_pieces")? {
        tokens::split(text)
            .into_iter()
            .map(|piece| json!({"id": tokens::id(piece), "piece": piece}))
            .collect()
    } else {
        tokens::ids(text).into()
    };
    Ok(Reply::json(200, &json!({"tokens": list})))
}

impl Speak for Llamacpp {
    fn quirks(&self) -> &'static Quirks {
        &QUIRKS
    }

    fn generates(&self, path: &str) -> Option<Api> {
        match path {
            "/v1/chat/completions" | "/chat/completions" => Some(Api::Chat),
            "/v1/completions" => Some(Api::Completions),
            // The bare plural is the native interface too.
            "/completion" | "/completions" => Some(Api::Native),
            _ => None,
        }
    }

    fn guarded(&self, path: &str) -> bool {
        !["/health", "/v1/health", "/"].contains(&path)
    }

    fn job(
        &self,
        api: Api,
        _path: &str,
        body: &Map<String, Value>,
        config: &SimulatorConfig,
    ) -> Result<Job, Trouble> {
        read(api, body, config)
    }

    fn wire(&self, job: &Job, config: &SimulatorConfig, number: u64, created: u64) -> Box<dyn Wire> {
        match job.api {
            Api::Native => Box::new(NativeWire {
                model: config.model.clone(),
                prompt: job.prompt.asked.all.clone(),
                limit: job.length.most,
                ids_in_whole: job.token_ids,
                timings: job.details,
            }),
            Api::Chat | Api::Completions => Box::new(OpenaiWire::new(&QUIRKS, job, config, number, created)),
        }
    }

    fn page(&self, call: &Call<'_>, engine: &Engine) -> Option<Result<Reply, Trouble>> {
        let mut reply = match (call.post, call.path) {
            (false, "/health" | "/v1/health") => Reply::json(200, &json!({"status": "ok"})),
            (false, "/props") => Reply::json(200, &props(&engine.config)),
            (false, "/slots") => Reply::json(200, &slot_list(engine)),
            (false, "/v1/models" | "/models") => Reply::json(200, &model_list(engine)),
            (false, "/metrics") => {
                let started = ("process-start-time-unix", engine.started_unix().to_string());
                let page = Reply::text(200, "text/plain; version=0.0.4", metrics(engine));
                return Some(Ok(Reply { headers: vec![started], ..page }));
            }
            (true, "/tokenize") => match tokenize(call) {
                Ok(reply) => reply,
                Err(trouble) => return Some(Err(trouble)),
            },
            (true, path) if path.starts_with("/slots/") => {
                let Ok(slot) = path["/slots/".len()..].parse::<u32>() else {
                    return Some(Err(Trouble::Invalid("Invalid slot ID".to_owned())));
                };
                engine.reset_cache();
                Reply::json(200, &json!({"id_slot": slot, "n_erased": 0}))
            }
            _ => return None,
        };
        reply.content_type = "application/json; charset=utf-8";
        Some(Ok(reply))
    }

    fn failure(&self, trouble: &Trouble) -> Reply {
        // The server knows one way to say that nothing serves method and path.
        let (status, kind) = match trouble {
            Trouble::Unauthorized => (401, "authentication_error"),
            Trouble::UnknownRoute | Trouble::WrongMethod => (404, "not_found_error"),
            Trouble::TooLong { .. } => (400, "exceed_context_size_error"),
            Trouble::Fault(503) => (503, "unavailable_error"),
            Trouble::Fault(status) => (*status, "server_error"),
            other => (other.status(), "invalid_request_error"),
        };
        let message = match trouble {
            Trouble::Unauthorized => "Invalid API Key".to_owned(),
            Trouble::UnknownRoute | Trouble::WrongMethod => "File Not Found".to_owned(),
            Trouble::Missing(field) => format!("'{field}' is required"),
            Trouble::BadJson(cause) => format!("[json.exception.parse_error.101] parse error: {cause}"),
            Trouble::TooLong { prompt, context, .. } => format!(
                "request ({prompt} tokens) exceeds the available context size ({context} tokens), try increasing it"
            ),
            Trouble::Fault(503) => "Loading model".to_owned(),
            other => other.message(),
        };
        let mut error = json!({"code": status, "message": message, "type": kind});
        if let Trouble::TooLong { prompt, context, .. } = trouble {
            error["n_prompt_tokens"] = (*prompt).into();
            error["n_ctx"] = (*context).into();
        }
        let mut reply = Reply::json(status, &json!({"error": error}));
        reply.content_type = "application/json; charset=utf-8";
        reply
    }

    /// The stream ends without a marker.
    fn in_band(&self, _api: Api, message: &str, events: &mut Events) {
        events.data(json!({"error": {"code": 500, "message": message, "type": "server_error"}}));
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        vec![
            ("server", "llama.cpp".to_owned()),
            ("access-control-allow-origin", String::new()),
            ("keep-alive", "timeout=5, max=100".to_owned()),
        ]
    }

    fn stream_headers(&self) -> Vec<(&'static str, String)> {
        vec![("content-type", "text/event-stream".to_owned()), ("x-accel-buffering", "no".to_owned())]
    }

    fn closes_after_stream(&self) -> bool {
        true
    }
}
