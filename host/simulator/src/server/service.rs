//! From a request to a response: key, route, fault, job, engine, answer.
//!
//! The shapes of everything come from the dialect; here is the order of events.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, Response};
use tokio::sync::Notify;

use super::socket::Arrival;
use super::stream::{Abandoned, Paced};
use super::telling::Telling;
use crate::answer::{self, Script};
use crate::dialect::{Api, Call, Delivery, Job, Reply, Speak, Trouble, parse_object, speaker};
use crate::engine::Engine;
use crate::fault::Fault;
use crate::truth;

/// Largest request body that is read: 64 MiB.
const LARGEST_REQUEST: usize = 64 << 20;
/// What a proxy or a wrong port answers.
const PAGE: &str =
    "<!DOCTYPE html>\n<html><head><title>Welcome</title></head>\n<body><h1>It works</h1></body></html>\n";

/// What the parts of one exchange share.
struct Exchange {
    engine: Arc<Engine>,
    close: Arc<Notify>,
    speak: &'static dyn Speak,
}

/// Answers one request; an error closes the connection without a response.
pub(super) async fn respond(
    engine: Arc<Engine>,
    close: Arc<Notify>,
    arrival: Arc<Arrival>,
    request: Request<Incoming>,
) -> Result<Response<Paced>, Abandoned> {
    let speak = speaker(engine.config.dialect);
    let exchange = Exchange { engine, close, speak };
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    if speak.guarded(path) && !exchange.key_fits(&head.headers) {
        return exchange.refuse(&Trouble::Unauthorized);
    }
    let post = head.method == Method::POST;
    if !post && head.method != Method::GET {
        return exchange.refuse(&Trouble::WrongMethod);
    }
    let body = if post {
        match Limited::new(body, LARGEST_REQUEST).collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => return exchange.refuse(&Trouble::TooLarge),
        }
    } else {
        Bytes::new()
    };
    let arrival = arrival.take();
    if let (true, Some(api)) = (post, speak.generates(path)) {
        return exchange.generate(api, path, &body, arrival).await;
    }
    if !post && path == truth::PATH {
        return exchange.send(&Reply::json(200, &exchange.engine.truth_page()));
    }
    let call = Call { post, path, body: &body };
    match speak.page(&call, &exchange.engine) {
        Some(Ok(reply)) => exchange.send(&reply),
        Some(Err(trouble)) => exchange.refuse(&trouble),
        None => {
            let other = Call { post: !post, path, body: b"{}" };
            let known =
                speak.generates(path).is_some() || (post && speak.page(&other, &exchange.engine).is_some());
            exchange.refuse(if known { &Trouble::WrongMethod } else { &Trouble::UnknownRoute })
        }
    }
}

impl Exchange {
    /// Whether the request brings the key, if there is one.
    fn key_fits(&self, headers: &hyper::HeaderMap) -> bool {
        let Some(key) = &self.engine.config.api_key else { return true };
        let bearer = headers.get("authorization").and_then(|value| value.to_str().ok());
        let brought = bearer.and_then(|value| {
            let (scheme, key) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
        });
        let bare = headers.get("x-api-key").and_then(|value| value.to_str().ok());
        brought.or(bare) == Some(key)
    }

    fn refuse(&self, trouble: &Trouble) -> Result<Response<Paced>, Abandoned> {
        self.engine.totals().refused += 1;
        self.send(&self.speak.failure(trouble))
    }

    fn send(&self, reply: &Reply) -> Result<Response<Paced>, Abandoned> {
        let body = Paced::Fixed(Some(Bytes::copy_from_slice(reply.body.as_bytes())));
        self.response(reply, body)
    }

    /// A response with the dialect's headers.
    fn response(&self, reply: &Reply, body: Paced) -> Result<Response<Paced>, Abandoned> {
        let mut response = Response::builder().status(reply.status);
        for (name, value) in self.speak.headers().iter().chain(&reply.headers) {
            response = response.header(*name, value);
        }
        if !reply.content_type.is_empty() {
            response = response.header("content-type", reply.content_type);
        }
        // Names and values are the dialects' constants; one that hyper refuses costs this connection.
        response.body(body).map_err(|_| Abandoned)
    }

    /// Answers a generating request.
    async fn generate(
        self,
        api: Api,
        path: &str,
        body: &[u8],
        arrival: u64,
    ) -> Result<Response<Paced>, Abandoned> {
        let number = self.engine.arrive();
        let fault = self.engine.config.fault.pick(self.engine.config.seed, number);
        match fault {
            Some(Fault::HttpError(status)) => return self.refuse(&Trouble::Fault(status)),
            Some(Fault::CloseBeforeResponse) => return Err(Abandoned),
            Some(Fault::Hang) => return std::future::pending().await,
            Some(Fault::Html) => return self.send(&Reply::text(200, "text/html; charset=utf-8", PAGE)),
            Some(Fault::Redirect) => {
                let location = ("location", "/moved/elsewhere".to_owned());
                return self.send(&Reply { headers: vec![location], ..Reply::text(302, "", "") });
            }
            _ => {}
        }
        let fields = match parse_object(body) {
            Ok(fields) => fields,
            Err(trouble) => return self.refuse(&trouble),
        };
        let job = match self.speak.job(api, path, &fields, &self.engine.config) {
            Ok(job) => job,
            Err(trouble) if self.speak.fails_in_stream(api, path, &fields, &trouble) => {
                return self.refuse_in_stream(api, &trouble);
            }
            Err(trouble) => return self.refuse(&trouble),
        };
        let telling = Telling { arrival, ..self.begin(&job, number, fault) };
        if job.delivery == Delivery::Events { self.stream(telling) } else { self.whole(telling).await }
    }

    /// Hands the job to the engine.
    fn begin(&self, job: &Job, number: u64, fault: Option<Fault>) -> Telling {
        let config = &self.engine.config;
        // Only chats have a channel for it.
        let reasoning = if job.api == Api::Chat { config.reasoning_tokens } else { 0 };
        let script = if fault == Some(Fault::Empty) {
            Script::empty()
        } else {
            let style = answer::Style {
                reasoning,
                unicode: config.unicode,
                wrong: config.wrong,
                length: config.answer_length,
            };
            answer::write(&job.prompt.asked, &job.length, config.seed, style)
        };
        let cached = job.cache_key.map_or(0, |key| self.engine.cached_tokens(key, job.prompt.tokens));
        Telling {
            api: job.api,
            generation: self.engine.accept(number, script, job.prompt.tokens, cached),
            wire: self.speak.wire(job, config, number, unix_seconds()),
            speak: self.speak,
            fault,
            stamp: config.stamp_writes,
            arrival: 0,
            seed: config.seed ^ number,
        }
    }

    /// A stream that is refused after its status.
    fn refuse_in_stream(&self, api: Api, trouble: &Trouble) -> Result<Response<Paced>, Abandoned> {
        self.engine.totals().refused += 1;
        let mut events = self.speak.events(api, self.engine.config.stamp_writes);
        self.speak.in_band(api, &self.speak.stream_message(trouble), &mut events);
        let reply = Reply { headers: self.speak.stream_headers(), ..Reply::nothing() };
        let frame = events.take();
        self.response(
            &reply,
            Paced::written(async move |sink| {
                sink.send(frame).await;
                Ok(())
            }),
        )
    }

    fn stream(self, telling: Telling) -> Result<Response<Paced>, Abandoned> {
        let mut reply = Reply { headers: self.speak.stream_headers(), ..Reply::nothing() };
        let asked = telling.fault == Some(Fault::CloseAfterStream);
        if asked && !self.speak.closes_after_stream() {
            reply.headers.push(("keep-alive", "timeout=5, max=100".to_owned()));
        }
        let close = (asked || self.speak.closes_after_stream()).then(|| Arc::clone(&self.close));
        self.response(
            &reply,
            Paced::written(async move |sink| {
                if let Some(close) = close {
                    // The headers are out by now, so that hyper cannot take the promise back.
                    close.notify_one();
                }
                telling.stream(sink).await
            }),
        )
    }

    async fn whole(self, telling: Telling) -> Result<Response<Paced>, Abandoned> {
        let (reply, body) = telling.whole().await;
        self.response(&reply, body)
    }
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
