//! Engine adapter for `transformers serve`. Quirks and the versions read are in `README.md`.

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
pub struct Transformers;

benchhost_sdk::export_engine!(Transformers);

impl Engine for Transformers {
    type Decoder = StreamDecoder<Self>;

    fn describe() -> EngineDescription {
        let route = |route, path: &str| RouteInfo {
            route,
            path: path.into(),
            exact_output: true,
            reports_usage: true,
            ..RouteInfo::default()
        };
        EngineDescription {
            name: "transformers".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "Hugging Face's `transformers serve`.".into(),
            tested_with: "transformers 5.23.0 (recorded and source), 4.57.1 (source)".into(),
            default_url: "http://127.0.0.1:8000".into(),
            key_variable: String::new(),
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
