//! The types of the `engine` interface.

use benchhost_model::{
    BuildInput, Closing, EndRule, Ending, EngineInfo, Event, Framing, Meaning, ModelInfo, ProbeAnswer,
    ProbeKind, ProbeRequest, Prompt, Route, RouteInfo, ServerError, Usage, WireRequest,
};

use crate::bindings::engine::exports::benchhost::plugin::engine as wit;
use crate::text::one_line;

/// Longest note, reason or version that a plugin gives, in bytes.
const LINE_BYTES: usize = 2 << 10;

impl From<wit::Route> for Route {
    fn from(route: wit::Route) -> Self {
        match route {
            wit::Route::Chat => Self::Chat,
            wit::Route::Completions => Self::Completions,
            wit::Route::Native => Self::Native,
        }
    }
}

impl From<Route> for wit::Route {
    fn from(route: Route) -> Self {
        match route {
            Route::Chat => Self::Chat,
            Route::Completions => Self::Completions,
            Route::Native => Self::Native,
        }
    }
}

impl From<wit::ProbeKind> for ProbeKind {
    fn from(kind: wit::ProbeKind) -> Self {
        match kind {
            wit::ProbeKind::Ready => Self::Ready,
            wit::ProbeKind::Version => Self::Version,
            wit::ProbeKind::Models => Self::Models,
            wit::ProbeKind::Metrics => Self::Metrics,
            wit::ProbeKind::CacheReset => Self::CacheReset,
            wit::ProbeKind::Tokenize => Self::Tokenize,
        }
    }
}

impl From<ProbeKind> for wit::ProbeKind {
    fn from(kind: ProbeKind) -> Self {
        match kind {
            ProbeKind::Ready => Self::Ready,
            ProbeKind::Version => Self::Version,
            ProbeKind::Models => Self::Models,
            ProbeKind::Metrics => Self::Metrics,
            ProbeKind::CacheReset => Self::CacheReset,
            ProbeKind::Tokenize => Self::Tokenize,
        }
    }
}

impl From<wit::RouteInfo> for RouteInfo {
    fn from(info: wit::RouteInfo) -> Self {
        Self {
            route: info.route.into(),
            path: info.path,
            exact_output: info.exact_output,
            token_prompts: info.token_prompts,
            cache_bypass: info.cache_bypass,
            counts_per_event: info.counts_per_event,
            reports_usage: info.reports_usage,
        }
    }
}

impl From<wit::Description> for EngineInfo {
    fn from(d: wit::Description) -> Self {
        Self {
            name: d.name,
            version: d.version,
            summary: d.summary,
            tested_with: d.tested_with,
            default_url: d.default_url,
            key_variable: d.key_variable,
            routes: d.routes.into_iter().map(Into::into).collect(),
            probes: d.probes.into_iter().map(Into::into).collect(),
            options: d.options.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<&BuildInput> for wit::BuildInput {
    fn from(input: &BuildInput) -> Self {
        let prompt = match &input.prompt {
            Prompt::Chat(messages) => wit::Prompt::Chat(messages.iter().map(Into::into).collect()),
            Prompt::Text(text) => wit::Prompt::Text(text.clone()),
            Prompt::Tokens(ids) => wit::Prompt::Tokens(ids.clone()),
            Prompt::Raw(body) => wit::Prompt::Raw(body.clone()),
        };
        let s = &input.sampling;
        let sampling = wit::Sampling {
            max_tokens: s.max_tokens,
            exact: s.exact,
            temperature: s.temperature,
            top_p: s.top_p,
            seed: s.seed,
            stop: s.stop.clone(),
            cache_salt: s.cache_salt.clone(),
            extra: String::new(),
        };
        Self {
            prompt,
            sampling,
            route: input.route.into(),
            model: input.model.clone(),
            settings: input.settings.iter().map(Into::into).collect(),
            extra: String::new(),
        }
    }
}

impl From<wit::Request> for WireRequest {
    fn from(request: wit::Request) -> Self {
        let framing = match request.framing {
            wit::Framing::Sse => Framing::Sse,
            wit::Framing::Ndjson => Framing::Ndjson,
            wit::Framing::WholeBody => Framing::WholeBody,
        };
        let end = match request.end {
            wit::EndRule::DoneData(text) => EndRule::DoneData(text),
            wit::EndRule::DoneEvent(name) => EndRule::DoneEvent(name),
            wit::EndRule::FinishReason => EndRule::FinishReason,
            wit::EndRule::EndOfBody => EndRule::EndOfBody,
        };
        Self {
            method: request.method,
            path: request.path,
            headers: request.headers,
            body: request.body,
            framing,
            end,
            ctx: request.ctx,
            notes: request.notes.iter().map(|note| one_line(note, LINE_BYTES)).collect(),
        }
    }
}

impl From<&Event> for wit::Event {
    fn from(event: &Event) -> Self {
        Self { name: event.name.clone(), data: event.data.clone() }
    }
}

impl From<wit::Meaning> for Meaning {
    fn from(m: wit::Meaning) -> Self {
        Self {
            choice: m.choice,
            text: m.text,
            reasoning: m.reasoning,
            tool: m.tool,
            refusal: m.refusal,
            tokens: m.tokens,
            token_ids: m.token_ids,
            usage: m.usage.map(Into::into),
            finish: m.finish.map(Into::into),
            error: m.error.map(Into::into),
            ping: m.ping,
            done: m.done,
            timings: m.timings,
            extra: m.extra,
        }
    }
}

impl From<wit::Usage> for Usage {
    fn from(usage: wit::Usage) -> Self {
        Self {
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
            cached_tokens: usage.cached_tokens,
            reasoning_tokens: usage.reasoning_tokens,
            cumulative: usage.cumulative,
        }
    }
}

impl From<wit::ServerError> for ServerError {
    fn from(error: wit::ServerError) -> Self {
        Self { code: error.code, kind: error.kind, message: error.message, retryable: error.retryable }
    }
}

impl From<Ending> for wit::Ending {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Complete => Self::Complete,
            Ending::Cut => Self::Cut,
            Ending::TimedOut => Self::TimedOut,
            Ending::Cancelled => Self::Cancelled,
        }
    }
}

impl From<wit::Closing> for Closing {
    fn from(closing: wit::Closing) -> Self {
        Self { whole: closing.whole, last: closing.last.map(Into::into) }
    }
}

impl From<wit::ProbeRequest> for ProbeRequest {
    fn from(request: wit::ProbeRequest) -> Self {
        Self {
            method: request.method,
            path: request.path,
            headers: request.headers,
            body: request.body,
            port: request.port,
        }
    }
}

impl From<wit::ProbeAnswer> for ProbeAnswer {
    fn from(answer: wit::ProbeAnswer) -> Self {
        match answer {
            wit::ProbeAnswer::Ready => Self::Ready,
            wit::ProbeAnswer::NotReady(why) => Self::NotReady(one_line(&why, LINE_BYTES)),
            wit::ProbeAnswer::Version(version) => Self::Version(one_line(&version, LINE_BYTES)),
            wit::ProbeAnswer::Models(models) => {
                Self::Models(models.into_iter().map(|m| ModelInfo { id: m.id, context: m.context }).collect())
            }
            wit::ProbeAnswer::TokenIds(ids) => Self::TokenIds(ids),
            wit::ProbeAnswer::TokenCount(count) => Self::TokenCount(count),
            wit::ProbeAnswer::Done => Self::Done,
        }
    }
}
