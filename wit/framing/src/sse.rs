//! Server-sent events, byte by byte. Knows the line rules of WHATWG HTML §9.2.6; must not know what the data mean.

use crate::{Framed, text, without_bom};

/// State between two pushes.
#[derive(Debug, Default)]
pub(crate) struct Sse {
    /// The line being read, without its end.
    line: Vec<u8>,
    /// A line ended in CR: a line feed that follows belongs to that end.
    after_cr: bool,
    /// The first line is past; only it may begin with a byte order mark.
    past_first: bool,
    /// `data` lines of the event so far, joined.
    data: Vec<u8>,
    /// At least one `data` line was seen: an empty one still makes an event.
    has_data: bool,
    name: String,
    comments: u64,
}

impl Sse {
    pub(crate) fn comments(&self) -> u64 {
        self.comments
    }

    pub(crate) fn push(&mut self, bytes: &[u8], offset: u64, out: &mut Vec<Framed>) {
        let mut at = 0;
        while at < bytes.len() {
            if self.after_cr {
                self.after_cr = false;
                if bytes[at] == b'\n' {
                    at += 1;
                    continue;
                }
            }
            let rest = &bytes[at..];
            let Some(length) = rest.iter().position(|b| matches!(b, b'\n' | b'\r')) else {
                self.line.extend_from_slice(rest);
                return;
            };
            self.line.extend_from_slice(&rest[..length]);
            self.after_cr = rest[length] == b'\r';
            at += length + 1;
            self.end_line(offset + at as u64, out);
        }
    }

    /// Answers whether the body ended inside an event.
    pub(crate) fn finish(mut self, end: u64, out: &mut Vec<Framed>) -> bool {
        let torn_line = !self.line.is_empty() && !self.line.starts_with(b":");
        if !self.line.is_empty() {
            self.end_line(end, out);
        }
        let unterminated = torn_line || self.has_data;
        self.dispatch(end, out);
        unterminated
    }

    fn end_line(&mut self, end: u64, out: &mut Vec<Framed>) {
        let taken = std::mem::take(&mut self.line);
        let line = if self.past_first { &taken[..] } else { without_bom(&taken) };
        self.past_first = true;
        if line.is_empty() {
            self.dispatch(end, out);
        } else {
            self.field(line);
        }
        // Keeps the allocation for the next line.
        self.line = taken;
        self.line.clear();
    }

    fn field(&mut self, line: &[u8]) {
        let (name, value) = match line.iter().position(|b| *b == b':') {
            Some(0) => {
                self.comments += 1;
                return;
            }
            Some(colon) => {
                let value = &line[colon + 1..];
                (&line[..colon], value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line, &line[line.len()..]),
        };
        match name {
            b"data" => {
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.has_data = true;
                self.data.extend_from_slice(value);
            }
            b"event" => self.name = text(value),
            // `id` and `retry` steer reconnection, which a benchmark never does; unknown fields are ignored by the standard.
            _ => {}
        }
    }

    fn dispatch(&mut self, end: u64, out: &mut Vec<Framed>) {
        let name = std::mem::take(&mut self.name);
        if self.has_data {
            out.push(Framed { name, data: text(&self.data), end });
        }
        self.has_data = false;
        self.data.clear();
    }
}
