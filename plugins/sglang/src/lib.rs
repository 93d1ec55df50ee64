//! Engine adapter for SGLang. Quirks and the versions read are in `README.md`.

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
pub struct Sglang;

benchhost_sdk::export_engine!(Sglang);

impl Engine for Sglang {
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
            name: "sglang".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "SGLang's OpenAI-compatible server.".into(),
            tested_with: "SGLang 0.5.23 (source)".into(),
            default_url: "http://127.0.0.1:30000".into(),
            key_variable: "SGLANG_API_KEY".into(),
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
