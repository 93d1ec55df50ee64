//! A benchhost adapter for one engine: who it is, and which function answers what.
//!
//! An adapter turns a prompt into the bytes of a request (`request.rs`) and the events of an answer into their meanings
//! (`decode.rs`). It has no clock, no network and no files: benchhost sends the request, takes the times, and asks the
//! adapter afterwards what each event was. So all of it is plain functions, and `cargo test` runs them natively.
//!
//! This one speaks a small chat dialect: `POST /v1/chat/completions`, answered by server-sent events. Change what your
//! server does differently. `benchhost_sdk::openai` has the whole OpenAI dialect, if yours differs by a few fields only.

mod decode;
mod request;

use benchhost_sdk::{
    BuildInput, Engine, EngineDescription, HttpAnswer, ModelInfo, OptionSpec, ProbeAnswer,
    ProbeInput, ProbeKind, ProbeRequest, Refusal, Request, Route, RouteInfo,
};

/// The adapter. It holds nothing: whatever decoding has to know of a request travels in the request's `ctx`.
pub struct MyEngine;

impl Engine for MyEngine {
    type Decoder = decode::Decoder;

    fn describe() -> EngineDescription {
        EngineDescription {
            name: "my-engine".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "Adapter for my-engine.".into(),
            tested_with: "nothing yet".into(),
            default_url: "http://127.0.0.1:8000".into(),
            // benchhost reads this variable and adds the header; the adapter never sees the key.
            key_variable: String::new(),
            // Promise only what the server does: benchhost plans by these words. The first route is the default.
            routes: vec![RouteInfo {
                route: Route::Chat,
                path: request::PATH.into(),
                reports_usage: true,
                ..RouteInfo::default()
            }],
            probes: vec![ProbeKind::Ready, ProbeKind::Models],
            // Users set these with `--engine-option name=value`; benchhost checks the value against the kind.
            options: vec![OptionSpec::toggle(
                "reasoning",
                false,
                "Ask the server to think before it answers.",
            )],
            extra: String::new(),
        }
    }

    fn build(input: &BuildInput) -> Result<Request, Refusal> {
        request::build(input)
    }

    /// Questions benchhost may ask the server. Return `None` for what the server cannot answer.
    fn probe(kind: ProbeKind, _input: &ProbeInput) -> Option<ProbeRequest> {
        match kind {
            ProbeKind::Ready | ProbeKind::Models => Some(ProbeRequest::get("/v1/models")),
            _ => None,
        }
    }

    fn read_probe(kind: ProbeKind, answer: &HttpAnswer) -> Result<ProbeAnswer, Refusal> {
        match kind {
            ProbeKind::Ready if answer.is_ok() => Ok(ProbeAnswer::Ready),
            ProbeKind::Ready => Ok(ProbeAnswer::NotReady(format!("status {}", answer.status))),
            ProbeKind::Models if answer.is_ok() => models(&answer.body).map(ProbeAnswer::Models),
            _ => Err(Refusal::Unsupported(format!(
                "no {kind:?} in an answer with status {}",
                answer.status
            ))),
        }
    }
}

/// `{"data":[{"id":"…"}]}`. What comes from a server is never trusted: wrong JSON is refused, not unwrapped.
fn models(body: &[u8]) -> Result<Vec<ModelInfo>, Refusal> {
    let json: serde_json::Value = serde_json::from_slice(body)
        .map_err(|e| Refusal::Other(format!("the list of models is not JSON: {e}")))?;
    let list = json["data"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let ids = list.iter().filter_map(|model| model["id"].as_str());
    Ok(ids
        .map(|id| ModelInfo {
            id: id.into(),
            ..ModelInfo::default()
        })
        .collect())
}

// Makes the component's exports. Once per crate.
benchhost_sdk::export_engine!(MyEngine);
