//! Engine adapter for Friendli's engine. Quirks and what was read are in `README.md`.

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
pub struct Friendli;

benchhost_sdk::export_engine!(Friendli);

impl Engine for Friendli {
    type Decoder = ChunkDecoder<decode::FriendliChunks>;

    fn describe() -> EngineDescription {
        let route = |route, path: &str| RouteInfo {
            route,
            path: path.into(),
            exact_output: true,
            token_prompts: route == Route::Completions,
            // Completions events hold a token's id; chat events hold none.
            counts_per_event: route == Route::Completions,
            reports_usage: true,
            ..RouteInfo::default()
        };
        EngineDescription {
            name: "friendli".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "Friendli's engine: container, serverless or dedicated endpoints.".into(),
            tested_with:
                "friendli 0.16.5 and friendli-client 1.5.8 (sources), the published OpenAPI and documentation"
                    .into(),
            default_url: "http://127.0.0.1:8000".into(),
            key_variable: "FRIENDLI_TOKEN".into(),
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
