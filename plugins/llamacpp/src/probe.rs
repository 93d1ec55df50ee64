//! llama-server's side endpoints and its metrics (only with `--metrics`).

use benchhost_sdk::openai::{models, ready, token_ids, version};
use benchhost_sdk::prometheus::{self, Metrics};
use benchhost_sdk::{Gauge, HttpAnswer, ProbeAnswer, ProbeInput, ProbeKind, ProbeRequest, Refusal};
use serde_json::json;

pub(crate) const KINDS: [ProbeKind; 5] =
    [ProbeKind::Ready, ProbeKind::Version, ProbeKind::Models, ProbeKind::Metrics, ProbeKind::Tokenize];

pub(crate) fn ask(kind: ProbeKind, input: &ProbeInput) -> Option<ProbeRequest> {
    match kind {
        // 503 while the model loads, on this path as on every other.
        ProbeKind::Ready => Some(ProbeRequest::get("/health")),
        ProbeKind::Version => Some(ProbeRequest::get("/props")),
        ProbeKind::Models => Some(ProbeRequest::get("/v1/models")),
        ProbeKind::Metrics => Some(ProbeRequest::get("/metrics")),
        ProbeKind::Tokenize => {
            let body =
                json!({"content": input.text, "add_special": input.special_tokens, "parse_special": true});
            Some(ProbeRequest::post("/tokenize", body.to_string()))
        }
        // `/slots/N?action=erase` exists only with a slot directory; `cache_prompt` false on each request does the same.
        ProbeKind::CacheReset => None,
    }
}

pub(crate) fn read(kind: ProbeKind, answer: &HttpAnswer) -> Result<ProbeAnswer, Refusal> {
    match kind {
        ProbeKind::Ready => Ok(ready(answer)),
        ProbeKind::Version => version(answer, "/build_info"),
        ProbeKind::Models => models(answer),
        ProbeKind::Tokenize => token_ids(answer),
        other => Err(Refusal::Internal(format!("{other:?} was never asked"))),
    }
}

/// The KV gauges exist only in builds of early 2025 and before.
pub(crate) fn gauges(body: &[u8]) -> Vec<Gauge> {
    let metrics = Metrics::read(body);
    let sum = |name: &str| metrics.of(&[name]).sum();
    let prompt = sum("llamacpp:prompt_tokens");
    let cached = sum("llamacpp:prompt_tokens_cached");
    prometheus::gauges([
        ("running", sum("llamacpp:requests_processing")),
        ("waiting", sum("llamacpp:requests_deferred")),
        ("kv_cache_use", metrics.of(&["llamacpp:kv_cache_usage_ratio"]).mean()),
        ("kv_cache_tokens", sum("llamacpp:kv_cache_tokens")),
        ("prefix_cache_hits", cached),
        ("prefix_cache_queries", cached.zip(prompt).map(|(cached, prompt)| cached + prompt)),
        ("prompt_tokens", prompt),
        ("generated_tokens", sum("llamacpp:tokens_predicted")),
        ("draft_tokens", sum("llamacpp:spec_decode_num_draft_tokens")),
        ("draft_tokens_accepted", sum("llamacpp:spec_decode_num_accepted_tokens")),
    ])
}
