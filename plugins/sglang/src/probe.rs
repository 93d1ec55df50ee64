//! SGLang's side endpoints and its metrics (only with `--enable-metrics`).

use benchhost_sdk::openai::{answered, models, ready, token_ids, version};
use benchhost_sdk::prometheus::{self, Metrics};
use benchhost_sdk::{Gauge, HttpAnswer, ProbeAnswer, ProbeInput, ProbeKind, ProbeRequest, Refusal};
use serde_json::json;

pub(crate) const KINDS: [ProbeKind; 6] = [
    ProbeKind::Ready,
    ProbeKind::Version,
    ProbeKind::Models,
    ProbeKind::Metrics,
    ProbeKind::CacheReset,
    ProbeKind::Tokenize,
];

#[expect(clippy::unnecessary_wraps, reason = "the trait's signature; this engine has every endpoint")]
pub(crate) fn ask(kind: ProbeKind, input: &ProbeInput) -> Option<ProbeRequest> {
    Some(match kind {
        // Generates one token, so it answers after a second at the earliest; `/ready` is cheaper but newer.
        ProbeKind::Ready => ProbeRequest::get("/health"),
        ProbeKind::Version => ProbeRequest::get("/server_info"),
        ProbeKind::Models => ProbeRequest::get("/v1/models"),
        ProbeKind::Metrics => ProbeRequest::get("/metrics"),
        ProbeKind::CacheReset => ProbeRequest::post("/flush_cache", ""),
        ProbeKind::Tokenize => {
            let mut body = json!({"prompt": input.text, "add_special_tokens": input.special_tokens});
            if !input.model.is_empty() {
                body["model"] = input.model.as_str().into();
            }
            ProbeRequest::post("/v1/tokenize", body.to_string())
        }
    })
}

pub(crate) fn read(kind: ProbeKind, answer: &HttpAnswer) -> Result<ProbeAnswer, Refusal> {
    match kind {
        ProbeKind::Ready => Ok(ready(answer)),
        ProbeKind::Version => version(answer, "/version"),
        ProbeKind::Models => models(answer),
        // 400 while requests run.
        ProbeKind::CacheReset => answered(answer).map(|_| ProbeAnswer::Done),
        ProbeKind::Tokenize => token_ids(answer),
        ProbeKind::Metrics => Err(Refusal::Internal("metrics are read by `gauges`".into())),
    }
}

/// The scheduler repeats its figures for every tensor and pipeline rank of a replica: one rank of each is kept, then
/// replicas are summed. Replicas need not share a rank's number: with data-parallel attention each has ranks of its own.
const RANKS: [&str; 3] = ["tp_rank", "pp_rank", "moe_ep_rank"];

/// Token counters of the tokenizer side rise only when a request ends, so the live one is taken where it exists.
pub(crate) fn gauges(body: &[u8]) -> Vec<Gauge> {
    let metrics = Metrics::read(body);
    let of = |name: &str| metrics.of(&[name]).without_repeats(&RANKS);
    let live = of("sglang:realtime_tokens").with("mode", "decode").sum();
    let prompt_tokens = of("sglang:prompt_tokens").sum();
    prometheus::gauges([
        ("running", of("sglang:num_running_reqs").sum()),
        ("waiting", of("sglang:num_queue_reqs").sum()),
        ("kv_cache_use", of("sglang:token_usage").mean()),
        ("kv_cache_tokens", of("sglang:num_used_tokens").sum()),
        ("prefix_cache_hits", of("sglang:cached_tokens").sum()),
        ("prefix_cache_queries", prompt_tokens),
        ("prefix_hit_share", of("sglang:cache_hit_rate").mean()),
        ("prompt_tokens", prompt_tokens),
        ("generated_tokens", live.or(of("sglang:generation_tokens").sum())),
        ("preemptions", of("sglang:num_retracted_requests").sum()),
        ("requests_finished", of("sglang:num_requests").sum()),
    ])
}
