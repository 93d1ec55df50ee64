//! Friendli's container.
//!
//! The real container has its metrics on port 8281; here they are on the one port there is.

use serde_json::{Map, Value, json};

use super::exposition::Exposition;
use super::openai::{Limits, job, job_with, models};
use super::request::{Fields, Overflow, Prompt};
use super::wire::{Dress, Quirks, Role, UsageAt, UsageNull, plain_id, plain_usage, stop_or_length};
use super::{Api, Call, Events, Job, Reply, Speak, Trouble};
use crate::config::SimulatorConfig;
use crate::engine::{Engine, Tally};
use crate::tokens;

/// Friendli.
pub(super) struct Friendli;

/// Its summaries are in nanoseconds.
const NANOSECONDS: f64 = 1e9;

static QUIRKS: Quirks = Quirks {
    role: Role::WithFirst,
    finish_apart: (true, true),
    unfinished: (Some(Value::Null), Some(Value::Null)),
    usage: (UsageAt::Asked, UsageAt::Asked),
    usage_null: UsageNull::Always,
    done: true,
    reasoning: "reasoning_content",
    merges: false,
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
    if dress.api != Api::Completions {
        return;
    }
    if !dress.streamed {
        choice.insert("tokens".to_owned(), dress.ids.into());
    } else if let [id] = dress.ids {
        choice.insert("token".to_owned(), (*id).into());
    }
}

fn usage(tally: &Tally) -> Value {
    let mut usage = plain_usage(tally);
    usage["prompt_tokens_details"] = json!({"cached_tokens": tally.cached});
    usage
}

fn metrics(engine: &Engine) -> String {
    let load = engine.load();
    let totals = engine.totals();
    let mut page = Exposition::new("");
    page.counter("friendli_requests_total", totals.requests);
    page.counter("friendli_responses_total", totals.stopped + totals.at_limit);
    page.counter("friendli_items_total", totals.requests);
    page.counter("friendli_failure_by_cancel", totals.aborted);
    page.counter("friendli_failure_by_reject", totals.refused);
    page.gauge("friendli_current_requests", load.running + load.waiting);
    page.gauge("friendli_current_items", load.running + load.waiting);
    page.gauge("friendli_current_assigned_items", load.running);
    page.gauge("friendli_current_waiting_items", load.waiting);
    page.family("friendli_engine_version", "gauge", &[("version=\"simulated\"", 1)]);
    page.histogram("friendli_input_lengths", &totals.prompt_lengths);
    page.histogram("friendli_output_lengths", &totals.answer_lengths);
    page.summary("friendli_requests_latencies", &totals.whole, NANOSECONDS);
    page.summary("friendli_requests_ttft", &totals.first_token, NANOSECONDS);
    page.summary("friendli_requests_queueing_delays", &totals.queue, NANOSECONDS);
    page.finish()
}

fn tokenize(call: &Call<'_>) -> Result<Reply, Trouble> {
    let body = call.object()?;
    let ids = tokens::ids(Fields::of(&body).text("prompt")?.ok_or(Trouble::Missing("prompt"))?);
    Ok(Reply::json(200, &json!({"tokens": ids})))
}

impl Speak for Friendli {
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
        let limits = Limits {
            most: &["max_tokens"],
            default_completions: None,
            least: true,
            ignore_end: false,
            overflow: Overflow::Total,
        };
        match (api, Fields::of(body).get("tokens")) {
            (Api::Completions, Some(ids)) => job_with(api, Prompt::any(ids)?, body, config, &limits),
            _ => job(api, body, config, &limits),
        }
    }

    fn page(&self, call: &Call<'_>, engine: &Engine) -> Option<Result<Reply, Trouble>> {
        Some(Ok(match (call.post, call.path) {
            (false, "/health") => Reply::nothing(),
            (false, "/metrics") => Reply::metrics(metrics(engine)),
            (false, "/v1/models") => models(&engine.config, engine.started_unix(), "friendli", &json!({})),
            (true, "/v1/tokenize") => return Some(tokenize(call)),
            _ => return None,
        }))
    }

    fn failure(&self, trouble: &Trouble) -> Reply {
        trouble.detail()
    }

    fn in_band(&self, _api: Api, message: &str, events: &mut Events) {
        events.data(json!({"error": {"message": message, "type": "internal_server_error", "code": 500}}));
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}
