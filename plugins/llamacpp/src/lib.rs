//! Engine adapter for llama.cpp's `llama-server`. Quirks and the versions read are in `README.md`.

mod decode;
mod probe;
mod request;

use benchhost_sdk::chunks::ChunkDecoder;
use benchhost_sdk::openai::{CHAT, COMPLETIONS};
use benchhost_sdk::{
    BuildInput, Engine, EngineDescription, Gauge, HttpAnswer, ProbeAnswer, ProbeInput, ProbeKind,
    ProbeRequest, Refusal, Request, Route, RouteInfo,
};

/// The adapter.
#[derive(Debug)]
pub struct LlamaCpp;

benchhost_sdk::export_engine!(LlamaCpp);

impl Engine for LlamaCpp {
    type Decoder = ChunkDecoder<decode::LlamaChunks>;

    fn describe() -> EngineDescription {
        let route = |route, path: &str| RouteInfo {
            route,
            path: path.into(),
            exact_output: true,
            token_prompts: route != Route::Chat,
            cache_bypass: true,
            counts_per_event: true,
            reports_usage: true,
            extra: String::new(),
        };
        EngineDescription {
            name: "llamacpp".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "llama.cpp's `llama-server`.".into(),
            tested_with: "llama.cpp of October 2026 (recorded), 0c1e57098 and c392e509 (sources)".into(),
            default_url: "http://127.0.0.1:8080".into(),
            key_variable: "LLAMA_API_KEY".into(),
            routes: vec![
                route(Route::Chat, CHAT),
                route(Route::Completions, COMPLETIONS),
                route(Route::Native, request::COMPLETION),
            ],
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
