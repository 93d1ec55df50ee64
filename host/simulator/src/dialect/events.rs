//! A buffer of server-sent events, stamped when they are handed over.
//!
//! It knows the framing only; what the events say is the wires' business.

use std::ops::Range;

use bytes::Bytes;
use serde_json::Value;

use benchhost_os::clock::monotonic_ns;

/// The member that holds the time of the write; always an object's last.
pub(crate) const WRITE_KEY: &str = "sim_write_ns";
/// The member that holds the time at which the request arrived; in an answer's first event only.
pub(crate) const ARRIVAL_KEY: &str = "sim_arrival_ns";

/// Events that wait to be handed to the socket together.
#[derive(Debug)]
pub(crate) struct Events {
    prefix: &'static str,
    stamp: bool,
    /// When the request arrived, until it has been told.
    arrival: Option<u64>,
    buffer: Vec<u8>,
    /// Where the digits of the stamps are.
    stamps: Vec<Range<usize>>,
}

impl Events {
    /// An empty buffer. `prefix` is `data: ` or, for servers that leave out the space, `data:`.
    pub(crate) fn new(prefix: &'static str, stamp: bool) -> Self {
        Self { prefix, stamp, arrival: None, buffer: Vec::new(), stamps: Vec::new() }
    }

    /// Tells the request's arrival in the first event that is stamped.
    pub(crate) fn arrived(mut self, at: u64) -> Self {
        self.arrival = Some(at);
        self
    }

    /// One event with a JSON object.
    pub(crate) fn data(&mut self, mut value: Value) {
        let mut digits = 0;
        if let (true, Value::Object(object)) = (self.stamp, &mut value) {
            if let Some(at) = self.arrival.take() {
                object.insert(ARRIVAL_KEY.to_owned(), at.into());
            }
            let now = monotonic_ns();
            digits = now.to_string().len();
            object.insert(WRITE_KEY.to_owned(), now.into());
        }
        self.buffer.extend_from_slice(self.prefix.as_bytes());
        if serde_json::to_writer(&mut self.buffer, &value).is_err() {
            // Writing into memory cannot fail; an event without its end would be worse than none.
            self.buffer.extend_from_slice(b"{}");
        } else if digits > 0 {
            let end = self.buffer.len() - 1;
            self.stamps.push(end - digits..end);
        }
        self.buffer.extend_from_slice(b"\n\n");
    }

    /// One event with any text, unstamped.
    pub(crate) fn raw(&mut self, text: &str) {
        self.buffer.extend_from_slice(self.prefix.as_bytes());
        self.buffer.extend_from_slice(text.as_bytes());
        self.buffer.extend_from_slice(b"\n\n");
    }

    /// The end marker.
    pub(crate) fn done(&mut self) {
        self.raw("[DONE]");
    }

    /// Everything so far, stamped now; the buffer is empty afterwards.
    pub(crate) fn take(&mut self) -> Bytes {
        if !self.stamps.is_empty() {
            let now = monotonic_ns().to_string();
            for digits in self.stamps.drain(..) {
                // When the number has just grown by a digit, the stamp of a moment ago stays.
                if digits.len() == now.len() {
                    self.buffer[digits].copy_from_slice(now.as_bytes());
                }
            }
        }
        Bytes::from(std::mem::take(&mut self.buffer))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Events;
    use benchhost_os::clock::monotonic_ns;

    #[test]
    fn frames_and_stamps() {
        let mut events = Events::new("data:", false);
        events.data(json!({"a": 1}));
        events.done();
        assert_eq!(&events.take()[..], b"data:{\"a\":1}\n\ndata:[DONE]\n\n");
        assert!(events.take().is_empty());

        let mut events = Events::new("data: ", true);
        events.data(json!({"a": 1}));
        let text = String::from_utf8(events.take().to_vec()).unwrap();
        assert!(text.starts_with("data: {\"a\":1,\"sim_write_ns\":"), "{text}");
    }

    #[test]
    fn the_stamp_is_that_of_the_handing_over_and_the_arrival_is_told_once() {
        let mut events = Events::new("data: ", true).arrived(77);
        events.data(json!({"a": 1}));
        events.data(json!({"b": "x"}));
        let made = monotonic_ns();
        let text = String::from_utf8(events.take().to_vec()).unwrap();
        let taken = monotonic_ns();
        let values: Vec<Value> = text
            .split_terminator("\n\n")
            .map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap())
            .collect();
        let stamps: Vec<u64> = values.iter().map(|value| value["sim_write_ns"].as_u64().unwrap()).collect();
        assert!(stamps[0] == stamps[1] && (made..=taken).contains(&stamps[0]), "{stamps:?}");
        assert_eq!(values[0]["sim_arrival_ns"], json!(77));
        assert_eq!(values[1].get("sim_arrival_ns"), None);
    }
}
