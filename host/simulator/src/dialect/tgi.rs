//! Hugging Face Text Generation Inference 3.3.

use serde_json::{Map, Value, json};

use super::exposition::Exposition;
use super::openai::{Limits, job, models};
use super::request::{Delivery, Fields, Overflow, Prompt, room};
use super::wire::{Dress, OpenaiWire, Quirks, Role, UsageAt, UsageNull, plain_usage};
use super::{Api, Call, Events, Job, Reply, Speak, Trouble, Wire};
use crate::answer::{Finish, Length, Script};
use crate::config::SimulatorConfig;
use crate::engine::{Engine, Step, Tally};
use crate::tokens;

/// Text Generation Inference.
pub(super) struct Tgi;

const VERSION: &str = "3.3.5";
const MOST_STOPS: usize = 4;

static QUIRKS: Quirks = Quirks {
    role: Role::Everywhere,
    finish_apart: (false, false),
    // An unfinished text chunk says "", not null.
    unfinished: (Some(Value::Null), Some(Value::String(String::new()))),
    usage: (UsageAt::Asked, UsageAt::Finish),
    usage_null: UsageNull::Always,
    done: true,
    reasoning: "reasoning_content",
    merges: false,
    logprobs: true,
    fingerprint: (Some("3.3.5-sha-simulated"), Some("3.3.5-sha-simulated")),
    model_suffix: "",
    text_object: "text_completion",
    id: |_, _| String::new(),
    finish: finish_name,
    dress: |_: &mut Map<String, Value>, _: &Dress<'_>| {},
    usage_object: plain_usage,
    timings: None,
};

fn finish_name(api: Api, finish: &Finish) -> &'static str {
    match (api, finish) {
        (_, Finish::Length) => "length",
        (Api::Chat, Finish::End) => "stop",
        (_, Finish::End) => "eos_token",
        (_, Finish::StopText(_)) => "stop_sequence",
    }
}

/// Reads `/generate` and `/generate_stream` with the validations of the router.
fn native_job(path: &str, body: &Map<String, Value>, config: &SimulatorConfig) -> Result<Job, Trouble> {
    let fields = Fields::of(body);
    let inputs = fields.text("inputs")?.ok_or(Trouble::Missing("inputs"))?;
    if inputs.is_empty() {
        return Err(Trouble::Invalid("`inputs` cannot be empty".to_owned()));
    }
    let parameters = fields.object("parameters")?;
    check_sampling(parameters)?;
    let asked = parameters.count("max_new_tokens")?;
    if asked == Some(0) {
        return Err(Trouble::Invalid("`max_new_tokens` must be strictly positive".to_owned()));
    }
    let prompt = Prompt::text(inputs);
    let length = Length {
        most: room(prompt.tokens, asked, config.context_tokens, Overflow::Total)?,
        stops: parameters.texts("stop")?,
        ..Length::default()
    };
    if length.stops.len() > MOST_STOPS {
        return Err(Trouble::Invalid(format!("`stop` supports up to {MOST_STOPS} stop sequences")));
    }
    let mut job = Job::new(Api::Native, prompt, length, fields)?;
    job.delivery = match (path, job.delivery) {
        ("/generate_stream", _) | ("/", Delivery::Events) => Delivery::Events,
        ("/", _) => Delivery::WholeInArray,
        _ => Delivery::Whole,
    };
    job.details = parameters.flag("details")?;
    Ok(job)
}

fn check_sampling(parameters: Fields<'_>) -> Result<(), Trouble> {
    let refuse = |message: &str| Err(Trouble::Invalid(message.to_owned()));
    if parameters.number("temperature")?.is_some_and(|value| value <= 0.0) {
        return refuse("`temperature` must be strictly positive");
    }
    if parameters.number("top_p")?.is_some_and(|value| value <= 0.0 || value >= 1.0) {
        return refuse("`top_p` must be > 0.0 and < 1.0");
    }
    if parameters.signed("top_k")?.is_some_and(|value| value <= 0) {
        return refuse("`top_k` must be strictly positive");
    }
    Ok(())
}

/// Events of `/generate_stream` and answers of `/generate`.
struct NativeWire {
    details: bool,
    in_array: bool,
}

impl NativeWire {
    fn details(&self, script: &Script, tally: &Tally) -> Value {
        if !self.details {
            return Value::Null;
        }
        json!({
            "finish_reason": finish_name(Api::Native, &script.finish), "generated_tokens": tally.written,
            "seed": null, "input_length": tally.prompt,
        })
    }
}

fn text(script: &Script) -> String {
    format!("{}{}", script.reasoning.text(), script.answer.text())
}

impl Wire for NativeWire {
    fn step(&mut self, step: &Step, script: &Script, tally: &Tally, events: &mut Events) {
        let channel = if step.reasoning { &script.reasoning } else { &script.answer };
        for at in step.range.clone() {
            let piece = channel.slice(at..at + 1);
            let over = step.last && at + 1 == step.range.end;
            let pending = step.range.end - at - 1;
            events.data(json!({
                "index": (step.written as usize).saturating_sub(pending),
                "token": {"id": tokens::id(piece), "text": piece, "logprob": -0.25, "special": false},
                "generated_text": over.then(|| text(script)),
                "details": if over { self.details(script, tally) } else { Value::Null },
            }));
        }
    }

    fn close(&mut self, script: &Script, tally: &Tally, events: &mut Events) {
        if script.len() == 0 {
            events.data(json!({
                "index": 1, "token": {"id": tokens::EOS_ID, "text": "</s>", "logprob": -0.25, "special": true},
                "generated_text": "", "details": self.details(script, tally),
            }));
        }
    }

    fn whole(&self, script: &Script, tally: &Tally) -> Reply {
        let mut answer = json!({"generated_text": text(script)});
        if self.details {
            answer["details"] = self.details(script, tally);
            answer["details"]["prefill"] = json!([]);
            answer["details"]["tokens"] = tokens::split(&text(script))
                .into_iter()
                .map(|piece| json!({"id": tokens::id(piece), "text": piece, "logprob": -0.25, "special": false}))
                .collect();
        }
        let answer = if self.in_array { json!([answer]) } else { answer };
        let mut reply = Reply::json(200, &answer);
        let total = tally.before_first + tally.after_first;
        let each = total.as_millis() / u128::from(tally.written.max(1));
        reply.headers = vec![
            ("x-compute-type", "gpu+optimized".to_owned()),
            ("x-total-time", total.as_millis().to_string()),
            ("x-validation-time", "0".to_owned()),
            ("x-queue-time", "0".to_owned()),
            ("x-inference-time", total.as_millis().to_string()),
            ("x-time-per-token", each.to_string()),
            ("x-prompt-tokens", tally.prompt.to_string()),
            ("x-generated-tokens", tally.written.to_string()),
        ];
        reply
    }
}

fn metrics(engine: &Engine) -> String {
    let load = engine.load();
    let totals = engine.totals();
    let mut page = Exposition::new("");
    page.gauge("tgi_queue_size", load.waiting);
    page.gauge("tgi_batch_current_size", load.running);
    page.gauge("tgi_batch_current_max_tokens", engine.held_tokens());
    page.counter("tgi_request_count", totals.requests);
    page.counter("tgi_request_success", totals.stopped + totals.at_limit);
    let failures = [("err=\"validation\"", totals.refused), ("err=\"dropped\"", totals.aborted)];
    page.family("tgi_request_failure", "counter", &failures);
    page.histogram("tgi_request_duration", &totals.whole);
    page.histogram("tgi_request_queue_duration", &totals.queue);
    page.histogram("tgi_request_inference_duration", &totals.whole);
    page.histogram("tgi_request_mean_time_per_token_duration", &totals.between);
    page.histogram("tgi_request_generated_tokens", &totals.answer_lengths);
    page.histogram("tgi_request_input_length", &totals.prompt_lengths);
    page.finish()
}

fn info(config: &SimulatorConfig) -> Value {
    json!({
        "model_id": config.model, "model_sha": null, "model_pipeline_tag": "text-generation",
        "max_concurrent_requests": 128, "max_best_of": 2, "max_stop_sequences": MOST_STOPS,
        "max_input_tokens": config.context_tokens.saturating_sub(1), "max_total_tokens": config.context_tokens,
        "validation_workers": 2, "max_client_batch_size": 4, "router": "text-generation-router",
        "version": VERSION, "sha": null, "docker_label": "simulated",
    })
}

/// Tokens with their offsets in characters.
fn tokenized(text: &str) -> Value {
    let mut start = 0;
    tokens::split(text)
        .into_iter()
        .map(|piece| {
            let stop = start + piece.chars().count();
            let token = json!({"id": tokens::id(piece), "text": piece, "start": start, "stop": stop});
            start = stop;
            token
        })
        .collect()
}

fn tokenize(call: &Call<'_>) -> Result<Reply, Trouble> {
    let body = call.object()?;
    let text = Fields::of(&body).text("inputs")?.ok_or(Trouble::Missing("inputs"))?;
    Ok(Reply::json(200, &tokenized(text)))
}

fn chat_tokenize(call: &Call<'_>) -> Result<Reply, Trouble> {
    let prompt = Prompt::chat(Fields::of(&call.object()?))?;
    let text = prompt.asked.all;
    Ok(Reply::json(200, &json!({"tokenize_response": tokenized(&text), "templated_text": text})))
}

/// `error_type` of a refused request.
fn error_type(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::Fault(429) => "overloaded",
        Trouble::Fault(503) => "healthcheck",
        Trouble::Fault(_) => "generation",
        _ => "validation",
    }
}

/// What the router says of a refused request.
fn message(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Fault(429) => "Model is overloaded".to_owned(),
        Trouble::Fault(_) => trouble.message(),
        Trouble::TooLong { prompt, asked, context } => format!(
            "Input validation error: `inputs` tokens + `max_new_tokens` must be <= {context}. Given: {prompt} `inputs` \
             tokens and {} `max_new_tokens`",
            asked.unwrap_or(0)
        ),
        other => format!("Input validation error: {}", other.message()),
    }
}

impl Speak for Tgi {
    fn quirks(&self) -> &'static Quirks {
        &QUIRKS
    }

    fn generates(&self, path: &str) -> Option<Api> {
        match path {
            "/v1/chat/completions" => Some(Api::Chat),
            "/v1/completions" => Some(Api::Completions),
            "/generate" | "/generate_stream" | "/" => Some(Api::Native),
            _ => None,
        }
    }

    fn guarded(&self, path: &str) -> bool {
        self.generates(path).is_some() || path == "/tokenize"
    }

    fn job(
        &self,
        api: Api,
        path: &str,
        body: &Map<String, Value>,
        config: &SimulatorConfig,
    ) -> Result<Job, Trouble> {
        if api == Api::Native {
            return native_job(path, body, config);
        }
        if let Some(model) = Fields::of(body).text("model")?
            && model != "tgi"
            && model != config.model
        {
            // Any other name is taken for an adapter, which is not there.
            return Err(Trouble::Invalid(format!("Model adapter `{model}` is not loaded")));
        }
        let limits = Limits {
            most: &["max_tokens", "max_completion_tokens"],
            default_completions: None,
            least: false,
            ignore_end: false,
            overflow: Overflow::Total,
        };
        let mut body = body.clone();
        // Accepted and ignored.
        body.remove("n");
        job(api, &body, config, &limits)
    }

    fn fails_in_stream(&self, api: Api, path: &str, body: &Map<String, Value>, trouble: &Trouble) -> bool {
        if let Trouble::Missing(_) = trouble {
            // Such a body is refused before the handler sees it.
            return false;
        }
        let stream = body.get("stream").and_then(Value::as_bool).unwrap_or(false);
        match api {
            Api::Native => path == "/generate_stream" || (path == "/" && stream),
            Api::Chat | Api::Completions => stream,
        }
    }

    fn stream_message(&self, trouble: &Trouble) -> String {
        message(trouble)
    }

    fn wire(&self, job: &Job, config: &SimulatorConfig, number: u64, created: u64) -> Box<dyn Wire> {
        match job.api {
            Api::Native => Box::new(NativeWire {
                details: job.details,
                in_array: job.delivery == Delivery::WholeInArray,
            }),
            Api::Chat | Api::Completions => Box::new(OpenaiWire::new(&QUIRKS, job, config, number, created)),
        }
    }

    fn page(&self, call: &Call<'_>, engine: &Engine) -> Option<Result<Reply, Trouble>> {
        Some(Ok(match (call.post, call.path) {
            (false, "/health" | "/ping" | "/") => Reply::nothing(),
            (false, "/info") => Reply::json(200, &info(&engine.config)),
            (false, "/v1/models") => models(&engine.config, 0, &engine.config.model, &json!({})),
            (false, "/metrics") => Reply::metrics(metrics(engine)),
            (true, "/tokenize") => return Some(tokenize(call)),
            (true, "/chat_tokenize") => return Some(chat_tokenize(call)),
            _ => return None,
        }))
    }

    fn failure(&self, trouble: &Trouble) -> Reply {
        let plain = "text/plain; charset=utf-8";
        match trouble {
            Trouble::Unauthorized | Trouble::UnknownRoute | Trouble::WrongMethod | Trouble::TooLarge => {
                Reply::text(trouble.status(), "", "")
            }
            Trouble::BadJson(cause) => {
                Reply::text(400, plain, format!("Failed to parse the request body as JSON: {cause}"))
            }
            Trouble::Missing(field) => Reply::text(
                422,
                plain,
                format!("Failed to deserialize the JSON body into the target type: missing field `{field}`"),
            ),
            other => {
                let status = if let Trouble::Fault(status) = other { *status } else { 422 };
                Reply::json(status, &json!({"error": message(other), "error_type": error_type(other)}))
            }
        }
    }

    fn in_band(&self, api: Api, message: &str, events: &mut Events) {
        if api == Api::Native {
            let kind = if message.contains("validation") { "validation" } else { "generation" };
            events.data(json!({"error": message, "error_type": kind}));
        } else {
            events.data(json!({"error": {"message": message, "http_status_code": 422}}));
            events.done();
        }
    }

    fn events(&self, api: Api, stamp: bool) -> Events {
        // The native stream leaves out the space after the colon.
        Events::new(if api == Api::Native { "data:" } else { "data: " }, stamp)
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn stream_headers(&self) -> Vec<(&'static str, String)> {
        vec![
            ("content-type", "text/event-stream".to_owned()),
            ("cache-control", "no-cache".to_owned()),
            ("x-accel-buffering", "no".to_owned()),
            ("x-compute-type", "gpu+optimized".to_owned()),
        ]
    }
}
