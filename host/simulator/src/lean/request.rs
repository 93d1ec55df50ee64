//! Reads the requests a lean simulator knows, from bytes as they arrive. Pure.

use serde::Deserialize;

use crate::truth;

/// Largest head and largest body that are read.
const LARGEST_HEAD: usize = 64 << 10;
const LARGEST_BODY: usize = 64 << 20;
/// Tokens of an answer whose request does not say.
const USUAL_TOKENS: u32 = 64;

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// A streamed answer of so many tokens.
    Answer {
        /// How many.
        tokens: u32,
    },
    /// What the simulator knows of itself.
    Truth,
    /// Something a lean simulator has not.
    Other,
}

/// What stands at the beginning of the bytes so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parsed {
    /// A request that is complete after `length` bytes.
    Whole {
        /// What it asks for.
        asked: Asked,
        /// Its length in bytes, body included.
        length: usize,
    },
    /// Part of one.
    Partial,
    /// None that could be read on.
    Nonsense,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    stream: bool,
    max_tokens: Option<u32>,
    max_completion_tokens: Option<u32>,
}

/// Reads the first request in `bytes`. Bodies must have a content length.
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return if bytes.len() > LARGEST_HEAD { Parsed::Nonsense } else { Parsed::Partial };
    };
    let (Ok(head), begin) = (std::str::from_utf8(&bytes[..end]), end + 4) else { return Parsed::Nonsense };
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(path), Some("HTTP/1.1")) = (words.next(), words.next(), words.next()) else {
        return Parsed::Nonsense;
    };
    let mut size = 0;
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { return Parsed::Nonsense };
        if name.eq_ignore_ascii_case("transfer-encoding") {
            return Parsed::Nonsense;
        }
        if name.eq_ignore_ascii_case("content-length") {
            match value.trim().parse() {
                Ok(length) if length <= LARGEST_BODY => size = length,
                _ => return Parsed::Nonsense,
            }
        }
    }
    let length = begin + size;
    let Some(body) = bytes.get(begin..length) else { return Parsed::Partial };
    Parsed::Whole { asked: asked(method, path, body), length }
}

fn asked(method: &str, path: &str, body: &[u8]) -> Asked {
    match (method, path) {
        ("POST", "/v1/chat/completions") => match serde_json::from_slice::<Body>(body) {
            Ok(Body { stream: true, max_tokens, max_completion_tokens }) => {
                Asked::Answer { tokens: max_completion_tokens.or(max_tokens).unwrap_or(USUAL_TOKENS) }
            }
            _ => Asked::Other,
        },
        ("GET", truth::PATH) => Asked::Truth,
        _ => Asked::Other,
    }
}

/// A JSON document as a response.
pub(super) fn page(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use super::{Asked, Parsed, parse};

    fn chat(body: &str) -> String {
        format!(
            "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    #[test]
    fn a_request_is_whole_at_its_last_byte_and_not_before() {
        let text = chat(r#"{"model":"m","messages":[],"stream":true,"max_tokens":7}"#);
        for cut in 0..text.len() {
            assert_eq!(parse(&text.as_bytes()[..cut]), Parsed::Partial, "{cut}");
        }
        let whole = Parsed::Whole { asked: Asked::Answer { tokens: 7 }, length: text.len() };
        assert_eq!(parse(text.as_bytes()), whole);
        assert_eq!(parse(format!("{text}GET /").as_bytes()), whole, "what follows is the next one's");
    }

    #[test]
    fn what_it_has_not_is_told_apart_from_what_cannot_be_read() {
        let asked = |text: &str| match parse(text.as_bytes()) {
            Parsed::Whole { asked, .. } => Some(asked),
            _ => None,
        };
        assert_eq!(asked("GET /simulator HTTP/1.1\r\n\r\n"), Some(Asked::Truth));
        assert_eq!(asked("GET /v1/models HTTP/1.1\r\n\r\n"), Some(Asked::Other));
        assert_eq!(asked(&chat(r#"{"max_tokens":7}"#)), Some(Asked::Other), "not a stream");
        assert_eq!(asked(&chat("{")), Some(Asked::Other));
        assert_eq!(asked(&chat(r#"{"stream":true}"#)), Some(Asked::Answer { tokens: 64 }));
        for nonsense in [
            "\r\n\r\n",
            "GET / HTTP/2\r\n\r\n",
            "POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
            "POST / HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nno colon\r\n\r\n",
        ] {
            assert_eq!(parse(nonsense.as_bytes()), Parsed::Nonsense, "{nonsense}");
        }
        assert_eq!(parse(&vec![b'x'; 70_000]), Parsed::Nonsense);
    }
}
