//! Engine adapter for vLLM. Quirks and the versions read are in `README.md`.

mod decode;
mod probe;
mod request;

use benchhost_sdk::openai::{CHAT, COMPLETIONS, StreamDecoder};
use benchhost_sdk::{
    BuildInput, Engine, EngineDescription, Gauge, HttpAnswer, ProbeAnswer, ProbeInput, ProbeKind,
    ProbeRequest, Refusal, Request, Route, RouteInfo,
};

/// The adapter.
#[derive(Debug)]
pub struct Vllm;

benchhost_sdk::export_engine!(Vllm);

impl Engine for Vllm {
    type Decoder = StreamDecoder<Self>;

    fn describe() -> EngineDescription {
        let route = |route, path: &str| RouteInfo {
            route,
            path: path.into(),
            exact_output: true,
            token_prompts: route == Route::Completions,
            cache_bypass: true,
            counts_per_event: true,
            reports_usage: true,
            extra: String::new(),
        };
        EngineDescription {
            name: "vllm".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "vLLM's OpenAI-compatible server.".into(),
            tested_with: "vLLM 0.6.6, 0.8.5, 0.11.0, 0.33.0 (sources)".into(),
            default_url: "http://127.0.0.1:8000".into(),
            key_variable: "VLLM_API_KEY".into(),
            routes: vec![route(Route::Chat, CHAT), route(Route::Completions, COMPLETIONS)],
            probes: probe::KINDS.to_vec(),
            options: request::options(),
            extra: String::new(),
        }
    }

    fn build(input: &BuildInput) -> Result<Request, Refusal> {
        request::build(input)
    }

    fn probe(kind: ProbeKind, input: &ProbeInput) -> Option<ProbeRequest> {
        probe::ask(kind, input)
    }

    fn read_probe(kind: ProbeKind, answer: &HttpAnswer) -> Result<ProbeAnswer, Refusal> {
        probe::read(kind, answer)
    }

    fn gauges(body: &[u8]) -> Vec<Gauge> {
        probe::gauges(body)
    }
}
