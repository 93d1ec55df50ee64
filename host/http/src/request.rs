//! A request as bytes: the parts that belong to the server and the user joined with those of the dialect. Does no I/O.

use bytes::Bytes;
use hyper::Method;
use hyper::header::{self, HeaderMap, HeaderValue};

use crate::exchange::Target;
use crate::outgoing::Outgoing;

/// Longer addresses are refused before they reach a server.
const ADDRESS_MAX: usize = 64 * 1024 - 2;

const USER_AGENT: &str = concat!("benchhost/", env!("CARGO_PKG_VERSION"));

/// What is written to a connection. Cheap to clone: a second attempt sends the same bytes.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) head: Bytes,
    pub(crate) body: Bytes,
}

impl Request {
    /// Everything in it was parsed before; `None` only if the base's path and the request's are too long together.
    pub(crate) fn new(out: &Outgoing, target: &Target) -> Option<Self> {
        let address = target.base.join(&out.path);
        if address.len() > ADDRESS_MAX {
            return None;
        }
        let mut head = Vec::with_capacity(512);
        for part in [out.method.as_str(), " ", &address, " HTTP/1.1\r\n"] {
            head.extend_from_slice(part.as_bytes());
        }
        for (name, value) in &headers(out, target) {
            for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                head.extend_from_slice(part);
            }
        }
        head.extend_from_slice(b"\r\n");
        Some(Self { method: out.method.clone(), head: head.into(), body: out.body.clone() })
    }
}

/// The user's headers replace the dialect's of the same name.
fn headers(out: &Outgoing, target: &Target) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(out.headers.len() + target.headers.len() + 4);
    // An authority is made of letters, digits, `.-_:[]`, so the fallback is never reached.
    let authority = HeaderValue::try_from(target.base.authority())
        .unwrap_or_else(|_| HeaderValue::from_static("localhost"));
    headers.insert(header::HOST, authority);
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    // A compressor would gather events and so destroy their timing.
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if !out.body.is_empty() || matches!(out.method, Method::POST | Method::PUT | Method::PATCH) {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(out.body.len()));
    }
    headers.extend(out.headers.clone());
    for secret in &target.headers {
        headers.insert(secret.name.clone(), secret.value.clone());
    }
    headers
}
