//! Engine adapter for Hugging Face Text Generation Inference. Quirks and the version read are in `README.md`.

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
pub struct Tgi;

benchhost_sdk::export_engine!(Tgi);

impl Engine for Tgi {
    type Decoder = ChunkDecoder<decode::TgiChunks>;

    fn describe() -> EngineDescription {
        let route = |route, path: &str| RouteInfo {
            route,
            path: path.into(),
            counts_per_event: true,
            reports_usage: true,
            ..RouteInfo::default()
        };
        EngineDescription {
            name: "tgi".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "Hugging Face Text Generation Inference.".into(),
            tested_with: "TGI 3.3.6-dev0 (source)".into(),
            default_url: "http://127.0.0.1:3000".into(),
            // Not HF_TOKEN, which many have set to download models: it must not go to every server that runs TGI.
            key_variable: "TGI_API_KEY".into(),
            routes: vec![
                route(Route::Chat, CHAT),
                route(Route::Completions, COMPLETIONS),
                route(Route::Native, request::GENERATE_STREAM),
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
