//! TGI's side endpoints and its metrics.

use benchhost_sdk::openai::{models, ready, token_ids, version};
use benchhost_sdk::prometheus::{self, Metrics};
use benchhost_sdk::{Gauge, HttpAnswer, ProbeAnswer, ProbeInput, ProbeKind, ProbeRequest, Refusal};
use serde_json::json;

pub(crate) const KINDS: [ProbeKind; 5] =
    [ProbeKind::Ready, ProbeKind::Version, ProbeKind::Models, ProbeKind::Metrics, ProbeKind::Tokenize];

pub(crate) fn ask(kind: ProbeKind, input: &ProbeInput) -> Option<ProbeRequest> {
    match kind {
        ProbeKind::Ready => Some(ProbeRequest::get("/health")),
        ProbeKind::Version => Some(ProbeRequest::get("/info")),
        ProbeKind::Models => Some(ProbeRequest::get("/v1/models")),
        ProbeKind::Metrics => Some(ProbeRequest::get("/metrics")),
        // Always with the special tokens that a request would add; there is no field to leave them out.
        ProbeKind::Tokenize => {
            Some(ProbeRequest::post("/tokenize", json!({"inputs": input.text}).to_string()))
        }
        ProbeKind::CacheReset => None,
    }
}

pub(crate) fn read(kind: ProbeKind, answer: &HttpAnswer) -> Result<ProbeAnswer, Refusal> {
    match kind {
        ProbeKind::Ready => Ok(ready(answer)),
        ProbeKind::Version => version(answer, "/version"),
        ProbeKind::Models => models(answer),
        ProbeKind::Tokenize => token_ids(answer),
        other => Err(Refusal::Internal(format!("{other:?} was never asked"))),
    }
}

/// Token totals are sums of histograms, so they rise only when a request ends. There is no figure for the KV cache.
pub(crate) fn gauges(body: &[u8]) -> Vec<Gauge> {
    let metrics = Metrics::read(body);
    let sum = |name: &str| metrics.of(&[name]).sum();
    let finished = match (sum("tgi_request_success"), sum("tgi_request_failure")) {
        (None, None) => None,
        (good, bad) => Some(good.unwrap_or(0.0) + bad.unwrap_or(0.0)),
    };
    prometheus::gauges([
        ("running", sum("tgi_batch_current_size")),
        ("waiting", sum("tgi_queue_size")),
        ("prompt_tokens", sum("tgi_request_input_length_sum")),
        ("generated_tokens", sum("tgi_request_generated_tokens_sum")),
        ("requests_finished", finished),
    ])
}
