//! How each engine speaks: its routes, requests, events, pages and errors.
//!
//! A dialect turns request bytes into a [`Job`] and tokens into bytes. It knows neither sockets nor delays; `server` calls
//! it at the right moments.

mod events;
mod exposition;
mod failure;
mod friendli;
mod llamacpp;
mod openai;
mod request;
mod sglang;
mod tgi;
mod transformers;
mod vllm;
mod wire;

use serde_json::{Map, Value};

pub(crate) use events::{ARRIVAL_KEY, Events, WRITE_KEY};
pub(crate) use failure::Trouble;
pub(crate) use request::{Delivery, Job, object as parse_object};

use crate::answer::Script;
use crate::config::{Dialect, SimulatorConfig};
use crate::engine::{Engine, Step, Tally};
use wire::{OpenaiWire, Quirks};

/// A family of generating routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Api {
    /// Messages in, `chat.completion` out.
    Chat,
    /// Text in, `text_completion` out.
    Completions,
    /// The engine's own.
    Native,
}

/// A request to a page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    /// Whether it is a POST (otherwise a GET).
    pub(crate) post: bool,
    /// Path without query.
    pub(crate) path: &'a str,
    /// The body, empty for GET.
    pub(crate) body: &'a [u8],
}

impl Call<'_> {
    /// The body as a JSON object.
    fn object(&self) -> Result<Map<String, Value>, Trouble> {
        request::object(self.body)
    }
}

/// A complete answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// HTTP status.
    pub(crate) status: u16,
    /// Media type; empty for none.
    pub(crate) content_type: &'static str,
    /// Further headers.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The bytes.
    pub(crate) body: String,
}

impl Reply {
    /// A JSON document.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self { status, content_type: "application/json", headers: Vec::new(), body: body.to_string() }
    }

    /// Text of any media type.
    pub(crate) fn text(status: u16, content_type: &'static str, body: impl Into<String>) -> Self {
        Self { status, content_type, headers: Vec::new(), body: body.into() }
    }

    /// Status 200 and nothing else.
    pub(crate) fn nothing() -> Self {
        Self::text(200, "", "")
    }

    /// A metrics page.
    fn metrics(body: String) -> Self {
        Self::text(200, "text/plain; version=0.0.4; charset=utf-8", body)
    }
}

/// Writes one answer; made for one request.
pub(crate) trait Wire: Send {
    /// What is sent before the engine does anything.
    fn open(&mut self, _events: &mut Events) {}
    /// Tokens that are ready.
    fn step(&mut self, step: &Step, script: &Script, tally: &Tally, events: &mut Events);
    /// The end of a complete stream.
    fn close(&mut self, script: &Script, tally: &Tally, events: &mut Events);
    /// The answer in one piece, for requests that do not stream.
    fn whole(&self, script: &Script, tally: &Tally) -> Reply;
}

/// What makes a dialect. The methods with bodies are the common case.
pub(crate) trait Speak: Sync {
    /// The facts in which engines with the `OpenAI` interface differ.
    fn quirks(&self) -> &'static Quirks;

    /// The generating route behind a path, for POST.
    fn generates(&self, path: &str) -> Option<Api> {
        match path {
            "/v1/chat/completions" => Some(Api::Chat),
            "/v1/completions" => Some(Api::Completions),
            _ => None,
        }
    }

    /// Whether the path needs the key.
    fn guarded(&self, path: &str) -> bool {
        path.starts_with("/v1")
    }

    /// Reads a generating request.
    fn job(
        &self,
        api: Api,
        path: &str,
        body: &Map<String, Value>,
        config: &SimulatorConfig,
    ) -> Result<Job, Trouble>;

    /// Whether errors of such a request come inside a stream with status 200.
    fn fails_in_stream(
        &self,
        _api: Api,
        _path: &str,
        _body: &Map<String, Value>,
        _trouble: &Trouble,
    ) -> bool {
        false
    }

    /// What such an error says.
    fn stream_message(&self, trouble: &Trouble) -> String {
        trouble.message()
    }

    /// The writer of an answer. `number` makes ids unique.
    fn wire(&self, job: &Job, config: &SimulatorConfig, number: u64, created: u64) -> Box<dyn Wire> {
        Box::new(OpenaiWire::new(self.quirks(), job, config, number, created))
    }

    /// Any other page; nothing if the path is unknown.
    fn page(&self, call: &Call<'_>, engine: &Engine) -> Option<Result<Reply, Trouble>>;

    /// An error before any stream.
    fn failure(&self, trouble: &Trouble) -> Reply;

    /// An error inside a stream, and what still follows it.
    fn in_band(&self, api: Api, message: &str, events: &mut Events);

    /// An empty buffer for the events of an answer.
    fn events(&self, _api: Api, stamp: bool) -> Events {
        Events::new("data: ", stamp)
    }

    /// Headers of every response.
    fn headers(&self) -> Vec<(&'static str, String)> {
        vec![("server", "uvicorn".to_owned())]
    }

    /// Headers of streams only.
    fn stream_headers(&self) -> Vec<(&'static str, String)> {
        vec![("content-type", "text/event-stream; charset=utf-8".to_owned())]
    }

    /// Whether the socket closes after each streamed answer in spite of the promise to keep it.
    fn closes_after_stream(&self) -> bool {
        false
    }
}

/// The speaker of a dialect.
pub(crate) fn speaker(dialect: Dialect) -> &'static dyn Speak {
    match dialect {
        Dialect::Openai => &openai::Openai,
        Dialect::Vllm => &vllm::Vllm,
        Dialect::Sglang => &sglang::Sglang,
        Dialect::Tgi => &tgi::Tgi,
        Dialect::Llamacpp => &llamacpp::Llamacpp,
        Dialect::Friendli => &friendli::Friendli,
        Dialect::Transformers => &transformers::Transformers,
    }
}
