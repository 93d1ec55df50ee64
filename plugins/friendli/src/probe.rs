//! Friendli's side endpoints. The container answers health on its own port and metrics on 8281; the hosted services have
//! neither, and only the serverless one lists models.

use benchhost_sdk::openai::{answered, models, ready, token_ids};
use benchhost_sdk::prometheus::{self, Metrics};
use benchhost_sdk::{Gauge, HttpAnswer, ProbeAnswer, ProbeInput, ProbeKind, ProbeRequest, Refusal};
use serde_json::json;

use crate::request::{prefix, team};

pub(crate) const KINDS: [ProbeKind; 5] =
    [ProbeKind::Ready, ProbeKind::Version, ProbeKind::Models, ProbeKind::Metrics, ProbeKind::Tokenize];

/// The container's metrics port (`--metrics-port`).
const METRICS_PORT: u16 = 8281;

pub(crate) fn ask(kind: ProbeKind, input: &ProbeInput) -> Option<ProbeRequest> {
    let settings = input.settings();
    let prefix = prefix(&settings);
    let list = || ProbeRequest::get(format!("{prefix}/v1/models"));
    let mut request = match (kind, prefix) {
        (ProbeKind::Ready, "") => ProbeRequest::get("/health"),
        (ProbeKind::Ready, "/serverless") | (ProbeKind::Models, "" | "/serverless") => list(),
        (ProbeKind::Metrics | ProbeKind::Version, "") => {
            ProbeRequest { port: Some(METRICS_PORT), ..ProbeRequest::get("/metrics") }
        }
        (ProbeKind::Tokenize, _) => {
            let mut body = json!({"prompt": input.text});
            if !input.model.is_empty() {
                body["model"] = input.model.as_str().into();
            }
            ProbeRequest::post(format!("{prefix}/v1/tokenize"), body.to_string())
        }
        _ => return None,
    };
    request.headers.extend(team(&settings));
    Some(request)
}

pub(crate) fn read(kind: ProbeKind, answer: &HttpAnswer) -> Result<ProbeAnswer, Refusal> {
    match kind {
        ProbeKind::Ready => Ok(ready(answer)),
        ProbeKind::Version => version(answer),
        ProbeKind::Models => models(answer),
        ProbeKind::Tokenize => token_ids(answer),
        other => Err(Refusal::Internal(format!("{other:?} was never asked"))),
    }
}

/// The version is a label of a gauge.
fn version(answer: &HttpAnswer) -> Result<ProbeAnswer, Refusal> {
    let metrics = Metrics::read(answered(answer)?.as_bytes());
    let sample = metrics.of(&["friendli_engine_version"]).first();
    match sample.and_then(|s| s.label("version")) {
        Some(version) => Ok(ProbeAnswer::Version(version.to_owned())),
        None => Err(Refusal::Other("the metrics have no `friendli_engine_version`".into())),
    }
}

/// Token totals are sums of histograms, so they rise when a request ends. There is no figure for the KV cache.
pub(crate) fn gauges(body: &[u8]) -> Vec<Gauge> {
    let metrics = Metrics::read(body);
    let sum = |name: &str| metrics.of(&[name]).sum();
    let hits = sum("friendli_tcache_hit_ratio_sum").zip(sum("friendli_tcache_hit_ratio_count"));
    prometheus::gauges([
        ("running", sum("friendli_current_assigned_items")),
        ("waiting", sum("friendli_current_waiting_items")),
        (
            "prefix_hit_share",
            hits.filter(|(_, requests)| *requests > 0.0).map(|(shares, requests)| shares / requests),
        ),
        ("prompt_tokens", sum("friendli_input_lengths_sum")),
        ("generated_tokens", sum("friendli_output_lengths_sum")),
        ("requests_finished", sum("friendli_responses")),
    ])
}
