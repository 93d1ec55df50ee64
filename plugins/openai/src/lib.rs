//! Engine adapter for any server with an OpenAI-like API. Quirks and what was read are in `README.md`.

mod decode;
mod probe;
mod request;

use benchhost_sdk::openai::{CHAT, COMPLETIONS, StreamDecoder};
use benchhost_sdk::{
    BuildInput, Engine, EngineDescription, HttpAnswer, ProbeAnswer, ProbeInput, ProbeKind, ProbeRequest,
    Refusal, Request, Route, RouteInfo,
};

/// The adapter.
#[derive(Debug)]
pub struct OpenAi;

benchhost_sdk::export_engine!(OpenAi);

impl Engine for OpenAi {
    type Decoder = StreamDecoder<Self>;

    fn describe() -> EngineDescription {
        let route = |route, path: &str| RouteInfo {
            route,
            path: path.into(),
            token_prompts: route == Route::Completions,
            reports_usage: true,
            ..RouteInfo::default()
        };
        EngineDescription {
            name: "openai".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "Any server with an OpenAI-like chat or completions API.".into(),
            tested_with: "OpenAI's published API description; see the README".into(),
            default_url: "http://127.0.0.1:8000".into(),
            key_variable: "OPENAI_API_KEY".into(),
            routes: vec![route(Route::Chat, CHAT), route(Route::Completions, COMPLETIONS)],
            probes: probe::KINDS.to_vec(),
            options: request::options(),
            extra: String::new(),
        }
    }

    fn build(input: &BuildInput) -> Result<Request, Refusal> {
        request::build(input)
    }

    fn probe(kind: ProbeKind, _input: &ProbeInput) -> Option<ProbeRequest> {
        probe::ask(kind)
    }

    fn read_probe(kind: ProbeKind, answer: &HttpAnswer) -> Result<ProbeAnswer, Refusal> {
        probe::read(kind, answer)
    }
}
