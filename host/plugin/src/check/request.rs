//! Requests that adapters build: what may be put on the wire.

use benchhost_model::{EndRule, ProbeRequest, WireRequest};

use crate::check::names::quoted;
use crate::check::{Checked, ensure};
use crate::text::bytes;

/// Largest body, in bytes.
const BODY_BYTES: usize = 16 << 20;
/// Largest `ctx`, in bytes.
const CTX_BYTES: usize = 64 << 10;
/// Longest path with query, in bytes.
const PATH_BYTES: usize = 8 << 10;
/// Largest sum of header names and values, in bytes.
const HEADER_BYTES: usize = 16 << 10;
/// Most notes, and the longest of them in bytes.
const NOTES: usize = 32;
const NOTE_BYTES: usize = 1 << 10;

/// Headers that belong to the host: who is spoken to, with which key, and how the message is framed.
const OF_THE_HOST: &[&str] = &[
    "host",
    "content-length",
    "authorization",
    "proxy-authorization",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "upgrade",
    "te",
    "trailer",
    "expect",
];

/// Checks what `build` answered.
pub(crate) fn wire_request(request: &WireRequest) -> Checked {
    line(&request.method, &request.path)?;
    headers(&request.headers)?;
    body(&request.body)?;
    ensure(request.ctx.len() <= CTX_BYTES, || {
        format!("ctx has {}; at most {} are kept", bytes(request.ctx.len() as u64), bytes(CTX_BYTES as u64))
    })?;
    match &request.end {
        EndRule::DoneData(text) | EndRule::DoneEvent(text) => {
            ensure(!text.trim().is_empty(), || "the end rule names no text".to_owned())?;
        }
        EndRule::FinishReason | EndRule::EndOfBody => {}
    }
    ensure(request.notes.len() <= NOTES, || format!("there are more than {NOTES} notes"))?;
    ensure(request.notes.iter().all(|n| n.len() <= NOTE_BYTES), || {
        format!("a note is longer than {NOTE_BYTES} bytes")
    })
}

/// Checks what `probe` answered.
pub(crate) fn probe_request(request: &ProbeRequest) -> Checked {
    line(&request.method, &request.path)?;
    headers(&request.headers)?;
    body(&request.body)?;
    ensure(request.port != Some(0), || "port 0 is no port".to_owned())
}

fn line(method: &str, path: &str) -> Checked {
    ensure(matches!(method, "GET" | "POST"), || {
        format!("method {} is neither `GET` nor `POST`", quoted(method))
    })?;
    ensure(path.starts_with('/') && !path.starts_with("//"), || {
        format!("path {} does not begin with one `/`", quoted(path))
    })?;
    ensure(path.len() <= PATH_BYTES, || format!("path is longer than {PATH_BYTES} bytes"))?;
    ensure(path.bytes().all(|b| b.is_ascii_graphic() && b != b'#'), || {
        format!("path {} has characters that must be percent-encoded", quoted(path))
    })
}

fn headers(headers: &[(String, String)]) -> Checked {
    let size: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    ensure(size <= HEADER_BYTES, || format!("headers have more than {}", bytes(HEADER_BYTES as u64)))?;
    for (name, value) in headers {
        ensure(is_token(name), || format!("{} is not a header name", quoted(name)))?;
        ensure(!OF_THE_HOST.contains(&name.to_ascii_lowercase().as_str()), || {
            format!("header {} is set by the host", quoted(name))
        })?;
        ensure(value.bytes().all(|b| b.is_ascii_graphic() || b == b' ' || b == b'\t'), || {
            format!("the value of header {} has illegal characters", quoted(name))
        })?;
    }
    Ok(())
}

/// RFC 9110 §5.6.2.
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

fn body(body: &[u8]) -> Checked {
    ensure(body.len() <= BODY_BYTES, || {
        format!("the body has {}; at most {} are sent", bytes(body.len() as u64), bytes(BODY_BYTES as u64))
    })
}

#[cfg(test)]
mod tests {
    use benchhost_model::Framing;

    use super::*;

    fn good() -> WireRequest {
        WireRequest {
            method: "POST".into(),
            path: "/v1/chat/completions?x=1".into(),
            headers: vec![("content-type".into(), "application/json".into())],
            body: b"{}".to_vec(),
            framing: Framing::Sse,
            end: EndRule::DoneData("[DONE]".into()),
            ctx: "{}".into(),
            notes: vec![],
        }
    }

    #[test]
    fn an_ordinary_request_passes() {
        assert_eq!(wire_request(&good()), Ok(()));
    }

    #[test]
    fn each_broken_rule_is_named() {
        let header = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        let cases: Vec<(&str, WireRequest)> = vec![
            ("method `DELETE`", WireRequest { method: "DELETE".into(), ..good() }),
            ("does not begin with one `/`", WireRequest { path: "v1".into(), ..good() }),
            ("does not begin with one `/`", WireRequest { path: "//evil.example/".into(), ..good() }),
            ("percent-encoded", WireRequest { path: "/ HTTP/1.1\r\nhost: x".into(), ..good() }),
            ("header `Host` is set by the host", WireRequest { headers: header("Host", "x"), ..good() }),
            ("header `Authorization`", WireRequest { headers: header("Authorization", "x"), ..good() }),
            ("header `content-length`", WireRequest { headers: header("content-length", "1"), ..good() }),
            ("is not a header name", WireRequest { headers: header("a b", "x"), ..good() }),
            ("is not a header name", WireRequest { headers: header("", "x"), ..good() }),
            ("illegal characters", WireRequest { headers: header("x", "a\r\nb: c"), ..good() }),
            ("the body has 16 MiB", WireRequest { body: vec![0; BODY_BYTES + 1], ..good() }),
            ("ctx has 64", WireRequest { ctx: " ".repeat(CTX_BYTES + 1), ..good() }),
            ("end rule", WireRequest { end: EndRule::DoneEvent(" ".into()), ..good() }),
            ("notes", WireRequest { notes: vec![String::new(); NOTES + 1], ..good() }),
        ];
        for (message, request) in cases {
            let error = wire_request(&request).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }
}
