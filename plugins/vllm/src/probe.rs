//! vLLM's side endpoints and its metrics.

use benchhost_sdk::openai::{answered, models, ready, token_ids, version};
use benchhost_sdk::prometheus::{self, Metrics};
use benchhost_sdk::{Gauge, HttpAnswer, ProbeAnswer, ProbeInput, ProbeKind, ProbeRequest, Refusal, json};
use serde_json::{Value, json};

pub(crate) const KINDS: [ProbeKind; 6] = [
    ProbeKind::Ready,
    ProbeKind::Version,
    ProbeKind::Models,
    ProbeKind::Metrics,
    ProbeKind::CacheReset,
    ProbeKind::Tokenize,
];

// A `match` that always answers: the signature is the trait's, where other engines lack endpoints.
#[expect(clippy::unnecessary_wraps, reason = "the trait's signature; this engine has every endpoint")]
pub(crate) fn ask(kind: ProbeKind, input: &ProbeInput) -> Option<ProbeRequest> {
    Some(match kind {
        ProbeKind::Ready => ProbeRequest::get("/health"),
        ProbeKind::Version => ProbeRequest::get("/version"),
        ProbeKind::Models => ProbeRequest::get("/v1/models"),
        ProbeKind::Metrics => ProbeRequest::get("/metrics"),
        // Only with VLLM_SERVER_DEV_MODE=1 on the server.
        ProbeKind::CacheReset => ProbeRequest::post("/reset_prefix_cache", ""),
        ProbeKind::Tokenize => {
            let mut body = json!({"prompt": input.text, "add_special_tokens": input.special_tokens});
            if !input.model.is_empty() {
                body["model"] = input.model.as_str().into();
            }
            ProbeRequest::post("/tokenize", body.to_string())
        }
    })
}

pub(crate) fn read(kind: ProbeKind, answer: &HttpAnswer) -> Result<ProbeAnswer, Refusal> {
    match kind {
        ProbeKind::Ready => Ok(ready(answer)),
        ProbeKind::Version => version(answer, "/version"),
        ProbeKind::Models => models(answer),
        ProbeKind::CacheReset => reset(answer),
        ProbeKind::Tokenize => token_ids(answer),
        ProbeKind::Metrics => Err(Refusal::Internal("metrics are read by `gauges`".into())),
    }
}

/// `{"success":false}` while blocks are held; older versions answer nothing.
fn reset(answer: &HttpAnswer) -> Result<ProbeAnswer, Refusal> {
    if answer.status == 404 {
        let why = "no cache reset; start the server with VLLM_SERVER_DEV_MODE=1";
        return Err(Refusal::Unsupported(why.into()));
    }
    let body = answered(answer)?;
    match json::parse::<Value>(&body).unwrap_or_default()["success"].as_bool() {
        Some(false) => {
            Err(Refusal::Other("the cache was not reset: blocks are held by running requests".into()))
        }
        _ => Ok(ProbeAnswer::Done),
    }
}

/// Counts are summed over engines (data-parallel replicas), shares averaged.
pub(crate) fn gauges(body: &[u8]) -> Vec<Gauge> {
    let metrics = Metrics::read(body);
    let of = |names: &[&str]| metrics.of(names);
    prometheus::gauges([
        ("running", of(&["vllm:num_requests_running"]).sum()),
        ("waiting", of(&["vllm:num_requests_waiting"]).sum()),
        ("kv_cache_use", of(&["vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"]).mean()),
        ("prefix_cache_hits", of(&["vllm:prefix_cache_hits", "vllm:gpu_prefix_cache_hits"]).sum()),
        ("prefix_cache_queries", of(&["vllm:prefix_cache_queries", "vllm:gpu_prefix_cache_queries"]).sum()),
        ("prefix_hit_share", of(&["vllm:gpu_prefix_cache_hit_rate"]).mean()),
        ("prompt_tokens", of(&["vllm:prompt_tokens"]).sum()),
        ("generated_tokens", of(&["vllm:generation_tokens"]).sum()),
        ("preemptions", of(&["vllm:num_preemptions"]).sum()),
        ("requests_finished", of(&["vllm:request_success"]).sum()),
        ("draft_tokens", of(&["vllm:spec_decode_num_draft_tokens"]).sum()),
        ("draft_tokens_accepted", of(&["vllm:spec_decode_num_accepted_tokens"]).sum()),
    ])
}
