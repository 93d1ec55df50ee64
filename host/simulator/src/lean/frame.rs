//! Prepared bytes of a lean answer, and the digits in them that change with every write. Pure.
//!
//! The events have the shape and about the length of vLLM's, each in a chunk of its own.

use std::fmt::Write as _;
use std::ops::Range;

use crate::dialect::{ARRIVAL_KEY, WRITE_KEY};

/// What is sent when a request has been read.
pub(super) const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n";
/// The body of an answer without a token.
pub(super) const NOTHING: &[u8] = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n";

/// Where a frame stands in its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Neither first nor last: the same for all answers.
    Middle,
    /// First, last or both.
    Edge {
        /// The first tells when the request arrived.
        arrival: Option<u64>,
        /// The last tells the number of tokens, and ends the body.
        end: Option<u32>,
    },
}

/// The bytes of one write.
#[derive(Debug)]
pub(super) struct Frame {
    model: String,
    events: u32,
    kind: Kind,
    bytes: Vec<u8>,
    /// Where the digits of each event's stamp are; all of one length.
    stamps: Vec<Range<usize>>,
}

impl Frame {
    /// A write of `events` events.
    pub(super) fn new(model: &str, events: u32, kind: Kind) -> Self {
        Self { model: model.to_owned(), events, kind, bytes: Vec::new(), stamps: Vec::new() }
    }

    /// Whether another answer can take it.
    pub(super) fn is_middle(&self) -> bool {
        self.kind == Kind::Middle
    }

    /// The bytes with this time in all events.
    pub(super) fn stamped(&mut self, at: u64) -> &[u8] {
        let digits = at.checked_ilog10().unwrap_or(0) as usize + 1;
        if self.stamps.first().is_none_or(|stamp| stamp.len() != digits) {
            self.prepare(digits);
        }
        for stamp in self.stamps.clone() {
            let mut rest = at;
            for digit in self.bytes[stamp].iter_mut().rev() {
                *digit = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
        }
        &self.bytes
    }

    fn prepare(&mut self, digits: usize) {
        self.bytes.clear();
        self.stamps.clear();
        let (arrival, end) = match self.kind {
            Kind::Middle => (None, None),
            Kind::Edge { arrival, end } => (arrival, end),
        };
        for event in 0..self.events {
            let finish = if end.is_some() && event + 1 == self.events { "\"length\"" } else { "null" };
            let choices = format!(
                "[{{\"index\":0,\"delta\":{{\"content\":\" token\"}},\"logprobs\":null,\"finish_reason\":{finish}}}]"
            );
            let mut data = self.data(&choices);
            if let (0, Some(at)) = (event, arrival) {
                let _ = write!(data, ",\"{ARRIVAL_KEY}\":{at}");
            }
            let _ = write!(data, ",\"{WRITE_KEY}\":{}}}", "0".repeat(digits));
            self.chunk(&data);
            // From the end: brace, blank line, the chunk's own line end.
            let end = self.bytes.len() - "}\n\n\r\n".len();
            self.stamps.push(end - digits..end);
        }
        if let Some(tokens) = end {
            let usage = format!(
                "{},\"usage\":{{\"prompt_tokens\":1,\"total_tokens\":{},\"completion_tokens\":{tokens}}}}}",
                self.data("[]"),
                u64::from(tokens) + 1
            );
            self.chunk(&usage);
            self.bytes.extend_from_slice(NOTHING);
        }
    }

    /// A JSON object without its closing brace.
    fn data(&self, choices: &str) -> String {
        format!(
            "{{\"id\":\"chatcmpl-sim00000000000000\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\
             \"model\":{},\"choices\":{choices}",
            serde_json::Value::from(self.model.as_str())
        )
    }

    fn chunk(&mut self, data: &str) {
        let text = format!("{:x}\r\ndata: {data}\n\n\r\n", "data: \n\n".len() + data.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{Frame, Kind};

    /// The bodies of the chunks, each with the length it claims; and whether the body ends.
    fn chunks(mut bytes: &[u8]) -> (Vec<String>, bool) {
        let mut found = Vec::new();
        while !bytes.is_empty() {
            let line = bytes.windows(2).position(|window| window == b"\r\n").unwrap();
            let size = usize::from_str_radix(std::str::from_utf8(&bytes[..line]).unwrap(), 16).unwrap();
            let body = &bytes[line + 2..line + 2 + size];
            assert_eq!(&bytes[line + 2 + size..line + 4 + size], b"\r\n");
            bytes = &bytes[line + 4 + size..];
            if size == 0 {
                return (found, true);
            }
            found.push(String::from_utf8(body.to_vec()).unwrap());
        }
        (found, false)
    }

    fn json(event: &str) -> Value {
        serde_json::from_str(event.strip_prefix("data: ").unwrap().strip_suffix("\n\n").unwrap()).unwrap()
    }

    #[test]
    fn every_event_of_a_write_carries_its_time_also_when_the_number_grows() {
        let mut frame = Frame::new("a \"model\"", 3, Kind::Middle);
        for at in [999_u64, 1000, 12_345_678_901_234, 7, 0] {
            let (events, ended) = chunks(frame.stamped(at));
            assert_eq!((events.len(), ended), (3, false));
            for event in &events {
                assert_eq!(
                    (json(event)["sim_write_ns"].as_u64(), json(event)["model"].as_str()),
                    (Some(at), Some("a \"model\""))
                );
            }
        }
    }

    #[test]
    fn the_first_tells_the_arrival_once_and_the_last_ends_the_body() {
        let mut only = Frame::new("m", 2, Kind::Edge { arrival: Some(41), end: Some(2) });
        let (events, ended) = chunks(only.stamped(55));
        assert!(ended);
        assert_eq!(json(&events[0])["sim_arrival_ns"].as_u64(), Some(41));
        assert_eq!(json(&events[1]).get("sim_arrival_ns"), None);
        assert_eq!(json(&events[0])["choices"][0]["finish_reason"], Value::Null);
        assert_eq!(json(&events[1])["choices"][0]["finish_reason"], "length");
        assert_eq!(json(&events[2])["usage"]["completion_tokens"].as_u64(), Some(2));
        assert_eq!(events[3], "data: [DONE]\n\n");
    }
}
