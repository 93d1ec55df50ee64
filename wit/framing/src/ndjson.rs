//! One document a line. Must not know what a document is.

use crate::{Framed, text, without_bom};

/// State between two pushes.
#[derive(Debug, Default)]
pub(crate) struct Ndjson {
    line: Vec<u8>,
    past_first: bool,
}

impl Ndjson {
    pub(crate) fn push(&mut self, bytes: &[u8], offset: u64, out: &mut Vec<Framed>) {
        let mut at = 0;
        while let Some(length) = bytes[at..].iter().position(|b| *b == b'\n') {
            self.line.extend_from_slice(&bytes[at..at + length]);
            at += length + 1;
            self.end_line(offset + at as u64, out);
        }
        self.line.extend_from_slice(&bytes[at..]);
    }

    /// Answers whether the last line lacked its end. Its document was emitted: NDJSON lets the last line go without.
    pub(crate) fn finish(mut self, end: u64, out: &mut Vec<Framed>) -> bool {
        let before = out.len();
        self.end_line(end, out);
        out.len() > before
    }

    fn end_line(&mut self, end: u64, out: &mut Vec<Framed>) {
        let line = if self.past_first { &self.line[..] } else { without_bom(&self.line) };
        self.past_first = true;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !line.iter().all(u8::is_ascii_whitespace) {
            out.push(Framed { name: String::new(), data: text(line), end });
        }
        self.line.clear();
    }
}
