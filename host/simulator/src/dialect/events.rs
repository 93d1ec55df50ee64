//! A buffer of server-sent events, stamped as they are put in.
//!
//! It knows the framing only; what the events say is the wires' business.

use bytes::Bytes;
use serde_json::Value;

use crate::clock::monotonic_ns;

/// Events that wait to be handed to the socket together.
#[derive(Debug)]
pub(crate) struct Events {
    prefix: &'static str,
    stamp: bool,
    buffer: Vec<u8>,
}

impl Events {
    /// An empty buffer. `prefix` is `data: ` or, for servers that leave out the space, `data:`.
    pub(crate) fn new(prefix: &'static str, stamp: bool) -> Self {
        Self { prefix, stamp, buffer: Vec::new() }
    }

    /// One event with a JSON object.
    pub(crate) fn data(&mut self, mut value: Value) {
        if let (true, Value::Object(object)) = (self.stamp, &mut value) {
            object.insert("sim_write_ns".to_owned(), monotonic_ns().into());
        }
        self.buffer.extend_from_slice(self.prefix.as_bytes());
        if serde_json::to_writer(&mut self.buffer, &value).is_err() {
            // Writing into memory cannot fail; an event without its end would be worse than none.
            self.buffer.extend_from_slice(b"{}");
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

    /// Everything so far; the buffer is empty afterwards.
    pub(crate) fn take(&mut self) -> Bytes {
        Bytes::from(std::mem::take(&mut self.buffer))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Events;

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
}
