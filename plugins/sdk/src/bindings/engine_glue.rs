//! From the generated engine bindings to [`Engine`] and [`Decode`], and back. Moves texts, copies nothing it can move.

use std::cell::RefCell;
use std::marker::PhantomData;

use super::engine::benchhost::plugin::log;
use super::engine::exports::benchhost::plugin::engine as wit;
use super::{all, panic};
use crate::{
    BuildInput, Decode, EndRule, Ending, Engine, Event, Framing, HttpAnswer, Meaning, ProbeAnswer,
    ProbeInput, ProbeKind, ProbeRequest, Prompt, Request, Route, RouteInfo, Sampling,
};

super::shared_conversions!(engine);

/// Exports an [`Engine`].
#[derive(Debug)]
pub struct EngineExport<E>(PhantomData<E>);

fn ready() {
    panic::report_through(|line| log::log(log::Level::Error, line));
}

impl<E: Engine> wit::Guest for EngineExport<E> {
    type Decoder = DecoderExport<E::Decoder>;

    fn describe() -> wit::Description {
        ready();
        let d = E::describe();
        wit::Description {
            name: d.name,
            version: d.version,
            summary: d.summary,
            tested_with: d.tested_with,
            default_url: d.default_url,
            key_variable: d.key_variable,
            routes: all(d.routes, route_info),
            probes: all(d.probes, probe_kind),
            options: all(d.options, option),
            extra: d.extra,
        }
    }

    fn build(input: wit::BuildInput) -> Result<wit::Request, wit::Refusal> {
        ready();
        E::build(&build_input(input)).map(request).map_err(refusal)
    }

    fn probe(kind: wit::ProbeKind, input: wit::ProbeInput) -> Option<wit::ProbeRequest> {
        ready();
        let input = ProbeInput {
            model: input.model,
            text: input.text,
            special_tokens: input.special_tokens,
            settings: all(input.settings, setting),
        };
        E::probe(probe_kind_in(kind), &input).map(probe_request)
    }

    fn read_probe(
        kind: wit::ProbeKind,
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    ) -> Result<wit::ProbeAnswer, wit::Refusal> {
        ready();
        E::read_probe(probe_kind_in(kind), &HttpAnswer { status, headers, body })
            .map(probe_answer)
            .map_err(refusal)
    }

    fn gauges(body: Vec<u8>) -> Vec<wit::Gauge> {
        ready();
        all(E::gauges(&body), |g| wit::Gauge { name: g.name, value: g.value })
    }
}

/// Exports a [`Decode`].
#[derive(Debug)]
pub struct DecoderExport<D>(RefCell<D>);

impl<D: Decode> wit::GuestDecoder for DecoderExport<D> {
    fn start(ctx: String, status: u16, headers: Vec<(String, String)>) -> wit::Decoder {
        ready();
        wit::Decoder::new(Self(RefCell::new(D::start(&ctx, status, &headers))))
    }

    fn feed(&self, events: Vec<wit::Event>) -> Vec<wit::Meaning> {
        let mut decoder = self.0.borrow_mut();
        all(events, |e| meaning(decoder.event(&Event { name: e.name, data: e.data })))
    }

    fn finish(&self, how: wit::Ending) -> wit::Closing {
        let how = match how {
            wit::Ending::Complete => Ending::Complete,
            wit::Ending::Cut => Ending::Cut,
            wit::Ending::TimedOut => Ending::TimedOut,
            wit::Ending::Cancelled => Ending::Cancelled,
        };
        let closing = self.0.borrow_mut().finish(how);
        wit::Closing { whole: closing.whole, last: closing.last.map(meaning) }
    }
}

fn route_info(info: RouteInfo) -> wit::RouteInfo {
    wit::RouteInfo {
        route: match info.route {
            Route::Chat => wit::Route::Chat,
            Route::Completions => wit::Route::Completions,
            Route::Native => wit::Route::Native,
        },
        path: info.path,
        exact_output: info.exact_output,
        token_prompts: info.token_prompts,
        cache_bypass: info.cache_bypass,
        counts_per_event: info.counts_per_event,
        reports_usage: info.reports_usage,
        extra: info.extra,
    }
}

fn probe_kind(kind: ProbeKind) -> wit::ProbeKind {
    match kind {
        ProbeKind::Ready => wit::ProbeKind::Ready,
        ProbeKind::Version => wit::ProbeKind::Version,
        ProbeKind::Models => wit::ProbeKind::Models,
        ProbeKind::Metrics => wit::ProbeKind::Metrics,
        ProbeKind::CacheReset => wit::ProbeKind::CacheReset,
        ProbeKind::Tokenize => wit::ProbeKind::Tokenize,
    }
}

fn probe_kind_in(kind: wit::ProbeKind) -> ProbeKind {
    match kind {
        wit::ProbeKind::Ready => ProbeKind::Ready,
        wit::ProbeKind::Version => ProbeKind::Version,
        wit::ProbeKind::Models => ProbeKind::Models,
        wit::ProbeKind::Metrics => ProbeKind::Metrics,
        wit::ProbeKind::CacheReset => ProbeKind::CacheReset,
        wit::ProbeKind::Tokenize => ProbeKind::Tokenize,
    }
}

fn build_input(input: wit::BuildInput) -> BuildInput {
    BuildInput {
        prompt: match input.prompt {
            wit::Prompt::Chat(messages) => {
                Prompt::Chat(all(messages, |m| Message { role: m.role, content: m.content }))
            }
            wit::Prompt::Text(text) => Prompt::Text(text),
            wit::Prompt::Tokens(ids) => Prompt::Tokens(ids),
            wit::Prompt::Raw(json) => Prompt::Raw(json),
        },
        sampling: Sampling {
            max_tokens: input.sampling.max_tokens,
            exact: input.sampling.exact,
            temperature: input.sampling.temperature,
            top_p: input.sampling.top_p,
            seed: input.sampling.seed,
            stop: input.sampling.stop,
            cache_salt: input.sampling.cache_salt,
            extra: input.sampling.extra,
        },
        route: match input.route {
            wit::Route::Chat => Route::Chat,
            wit::Route::Completions => Route::Completions,
            wit::Route::Native => Route::Native,
        },
        model: input.model,
        settings: all(input.settings, setting),
        extra: input.extra,
    }
}

fn request(request: Request) -> wit::Request {
    wit::Request {
        method: request.method,
        path: request.path,
        headers: request.headers,
        body: request.body,
        framing: match request.framing {
            Framing::Sse => wit::Framing::Sse,
            Framing::Ndjson => wit::Framing::Ndjson,
            Framing::WholeBody => wit::Framing::WholeBody,
        },
        end: match request.end {
            EndRule::DoneData(text) => wit::EndRule::DoneData(text),
            EndRule::DoneEvent(name) => wit::EndRule::DoneEvent(name),
            EndRule::FinishReason => wit::EndRule::FinishReason,
            EndRule::EndOfBody => wit::EndRule::EndOfBody,
        },
        ctx: request.ctx,
        notes: request.notes,
    }
}

fn meaning(m: Meaning) -> wit::Meaning {
    wit::Meaning {
        choice: m.choice,
        text: m.text,
        reasoning: m.reasoning,
        tool: m.tool,
        refusal: m.refusal,
        tokens: m.tokens,
        token_ids: m.token_ids,
        usage: m.usage.map(|u| wit::Usage {
            prompt_tokens: u.prompt_tokens,
            completion_tokens: u.completion_tokens,
            cached_tokens: u.cached_tokens,
            reasoning_tokens: u.reasoning_tokens,
            cumulative: u.cumulative,
        }),
        finish: m.finish.map(finish),
        error: m.error.map(|e| wit::ServerError {
            code: e.code,
            kind: e.kind,
            message: e.message,
            retryable: e.retryable,
        }),
        ping: m.ping,
        done: m.done,
        timings: m.timings,
        extra: m.extra,
    }
}

fn finish(finish: Finish) -> wit::Finish {
    match finish {
        Finish::Stop => wit::Finish::Stop,
        Finish::Length => wit::Finish::Length,
        Finish::ToolCalls => wit::Finish::ToolCalls,
        Finish::ContentFilter => wit::Finish::ContentFilter,
        Finish::Aborted => wit::Finish::Aborted,
        Finish::Error => wit::Finish::Error,
        Finish::Other => wit::Finish::Other,
    }
}

fn probe_request(request: ProbeRequest) -> wit::ProbeRequest {
    wit::ProbeRequest {
        method: request.method,
        path: request.path,
        headers: request.headers,
        body: request.body,
        port: request.port,
    }
}

fn probe_answer(answer: ProbeAnswer) -> wit::ProbeAnswer {
    match answer {
        ProbeAnswer::Ready => wit::ProbeAnswer::Ready,
        ProbeAnswer::NotReady(why) => wit::ProbeAnswer::NotReady(why),
        ProbeAnswer::Version(text) => wit::ProbeAnswer::Version(text),
        ProbeAnswer::Models(models) => wit::ProbeAnswer::Models(all(models, |m| wit::ModelInfo {
            id: m.id,
            context: m.context,
            extra: m.extra,
        })),
        ProbeAnswer::TokenIds(ids) => wit::ProbeAnswer::TokenIds(ids),
        ProbeAnswer::TokenCount(n) => wit::ProbeAnswer::TokenCount(n),
        ProbeAnswer::Done => wit::ProbeAnswer::Done,
    }
}
