//! The traits of an engine adapter and its description. Must not know any engine's field names.

use crate::{
    BuildInput, Closing, Ending, Event, Gauge, HttpAnswer, Meaning, OptionSpec, ProbeAnswer, ProbeInput,
    ProbeRequest, Refusal, Request,
};

/// Speaks one server's HTTP dialect: items to request bytes, events to meanings. Never sees a clock or a socket.
pub trait Engine: 'static {
    /// Decodes one response.
    type Decoder: Decode;

    /// Who this plugin is and what its server can do.
    fn describe() -> EngineDescription;

    /// Turns one prompt into one request. Pure: the same input gives the same bytes.
    fn build(input: &BuildInput) -> Result<Request, Refusal>;

    /// The request that answers a question; `None`: this engine has no such endpoint.
    fn probe(_kind: ProbeKind, _input: &ProbeInput) -> Option<ProbeRequest> {
        None
    }

    /// Reads the answer to [`Engine::probe`]. Metrics go to [`Engine::gauges`] instead.
    fn read_probe(kind: ProbeKind, _answer: &HttpAnswer) -> Result<ProbeAnswer, Refusal> {
        Err(Refusal::Unsupported(format!("this adapter reads no {kind:?} answer")))
    }

    /// Reads a metrics body into the names of `wit/gauges.md`.
    fn gauges(_body: &[u8]) -> Vec<Gauge> {
        Vec::new()
    }
}

/// Decodes one response, event by event. State lives in `self`, so fragments may span events.
pub trait Decode: 'static {
    /// Begins with what [`Engine::build`] put into `ctx`, and the answer's status and headers (names in lower case).
    /// A status outside 200–299, or a JSON content type, arrives as one event with the whole body.
    fn start(ctx: &str, status: u16, headers: &[(String, String)]) -> Self;

    /// What one event meant.
    fn event(&mut self, event: &Event) -> Meaning;

    /// Called once, after the last event.
    fn finish(&mut self, ending: Ending) -> Closing;
}

/// Which kind of endpoint a request goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Route {
    /// Messages in, the server applies its chat template.
    #[default]
    Chat,
    /// Text or token ids in, no template.
    Completions,
    /// The engine's own API.
    Native,
}

impl Route {
    /// The word used in plans and in `ctx`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Completions => "completions",
            Self::Native => "native",
        }
    }
}

/// What one route of an engine can do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "five independent capabilities, as the WIT record has them"
)]
pub struct RouteInfo {
    /// Which route.
    pub route: Route,
    /// The path, for people (`/v1/chat/completions`).
    pub path: String,
    /// The server can be made to produce exactly the asked number of tokens.
    pub exact_output: bool,
    /// Prompts may be token ids.
    pub token_prompts: bool,
    /// One request can be kept out of the prefix cache.
    pub cache_bypass: bool,
    /// Events carry token ids or running counts, so tokens per event are known.
    pub counts_per_event: bool,
    /// The answer states how many tokens were generated.
    pub reports_usage: bool,
    /// Room to grow, as JSON text.
    pub extra: String,
}

/// Questions an adapter can put to its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProbeKind {
    /// Is the server ready to generate?
    Ready,
    /// Which version runs?
    Version,
    /// Which models does it serve?
    Models,
    /// Its counters, in Prometheus text or JSON.
    Metrics,
    /// Forget cached prefixes.
    CacheReset,
    /// Count the tokens of a text with the server's own tokenizer.
    Tokenize,
}

/// Who an engine adapter is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EngineDescription {
    /// kebab-case, for instance `vllm`.
    pub name: String,
    /// Semantic version of the plugin.
    pub version: String,
    /// One sentence.
    pub summary: String,
    /// The engine versions this adapter was checked against, for people.
    pub tested_with: String,
    /// Where such a server listens when nobody says otherwise.
    pub default_url: String,
    /// The environment variable in which users keep their API key; empty: no key. The plugin never sees the key.
    pub key_variable: String,
    /// Best route first: it is the default.
    pub routes: Vec<RouteInfo>,
    /// Questions it can ask.
    pub probes: Vec<ProbeKind>,
    /// Its options.
    pub options: Vec<OptionSpec>,
    /// Room to grow, as JSON text.
    pub extra: String,
}
