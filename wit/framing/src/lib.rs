//! Cuts a response body into events: server-sent events, NDJSON, or the whole body as one event.
//!
//! This is the reference for `framing` of `wit/engine.wit`: the host runs it on recorded bodies, and the adapters'
//! tests run it on fixtures, so both see the same events. It works on bytes, pushed in pieces of any size, and knows
//! neither JSON nor HTTP nor time.

mod ndjson;
mod sse;

use ndjson::Ndjson;
use sse::Sse;

/// How a body is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Framing {
    /// Server-sent events (WHATWG HTML §9.2.6): comments dropped, `data` lines joined with a line feed.
    Sse,
    /// One document a line; blank lines dropped.
    Ndjson,
    /// The whole body is one event; an empty body is none.
    WholeBody,
}

/// One event of a body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Framed {
    /// SSE event name; empty when the stream gives none, and for the other framings.
    pub name: String,
    /// The data; bytes that are not UTF-8 become U+FFFD.
    pub data: String,
    /// Offset in the body, in bytes, one past the byte that completed the event.
    pub end: u64,
}

/// What the end of a body revealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tail {
    /// The body ended inside an event. If that event had data, it was emitted as the last one all the same: some servers
    /// leave out the last blank line, and only a reader of the data can tell such an event from one that was cut.
    pub unterminated: bool,
    /// Bytes in the body.
    pub bytes: u64,
    /// Comment lines seen (SSE keep-alives).
    pub comments: u64,
}

/// Incremental cutter: `push` as bytes arrive, `finish` once. How the bytes are divided among the pushes does not matter.
#[derive(Debug)]
pub struct Framer {
    offset: u64,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Sse(Sse),
    Ndjson(Ndjson),
    Whole(Vec<u8>),
}

impl Framer {
    /// A cutter at the start of a body.
    pub fn new(framing: Framing) -> Self {
        let kind = match framing {
            Framing::Sse => Kind::Sse(Sse::default()),
            Framing::Ndjson => Kind::Ndjson(Ndjson::default()),
            Framing::WholeBody => Kind::Whole(Vec::new()),
        };
        Self { offset: 0, kind }
    }

    /// Takes the next bytes and appends the events they complete to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<Framed>) {
        match &mut self.kind {
            Kind::Sse(sse) => sse.push(bytes, self.offset, out),
            Kind::Ndjson(lines) => lines.push(bytes, self.offset, out),
            Kind::Whole(body) => body.extend_from_slice(bytes),
        }
        self.offset += bytes.len() as u64;
    }

    /// Ends the body and appends what was held back.
    pub fn finish(self, out: &mut Vec<Framed>) -> Tail {
        let comments = self.comments();
        let end = self.offset;
        let unterminated = match self.kind {
            Kind::Sse(sse) => sse.finish(end, out),
            Kind::Ndjson(lines) => lines.finish(end, out),
            Kind::Whole(body) => {
                let body = without_bom(&body);
                if !body.is_empty() {
                    out.push(Framed { name: String::new(), data: text(body), end });
                }
                false
            }
        };
        Tail { unterminated, bytes: end, comments }
    }

    /// Comment lines so far.
    pub fn comments(&self) -> u64 {
        match &self.kind {
            Kind::Sse(sse) => sse.comments(),
            Kind::Ndjson(_) | Kind::Whole(_) => 0,
        }
    }
}

/// Drops one leading byte order mark.
fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

/// Bytes as text, wrong ones replaced. Only ever called on whole lines or bodies, so no character is torn by a read.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
