//! A minimal HTTP/1.1 client that shows the bytes as they are.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use benchhost_simulator::{Delay, Dialect, SimulatorConfig, SimulatorHandle, spawn_thread};
use serde_json::{Value, json};

/// A server without delays.
pub(crate) fn start(dialect: Dialect, change: impl FnOnce(&mut SimulatorConfig)) -> SimulatorHandle {
    let mut config = SimulatorConfig::new(dialect);
    "m".clone_into(&mut config.model);
    config.ttft = Delay::NONE;
    config.itl = Delay::NONE;
    change(&mut config);
    spawn_thread(config).unwrap()
}

/// One response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the body came to its end.
    pub(crate) complete: bool,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The data of all events; every event must end with a blank line.
    pub(crate) fn data(&self) -> Vec<String> {
        let text = self.text();
        assert!(text.is_empty() || text.ends_with("\n\n"), "{text}");
        text.split_terminator("\n\n")
            .map(|event| {
                let data = event.strip_prefix("data:").unwrap_or_else(|| panic!("no data event: {event}"));
                data.strip_prefix(' ').unwrap_or(data).to_owned()
            })
            .collect()
    }

    /// All events but the end marker, and whether there was one.
    pub(crate) fn events(&self) -> (Vec<Value>, bool) {
        let mut data = self.data();
        let done = data.last().is_some_and(|last| last == "[DONE]");
        if done {
            data.pop();
        }
        (data.iter().map(|event| serde_json::from_str(event).unwrap()).collect(), done)
    }
}

/// One connection.
pub(crate) struct Client {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        // A guard against a test that never ends; no test measures with it.
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, read: Vec::new() }
    }

    pub(crate) fn send(&mut self, method: &str, path: &str, headers: &str, body: &str) {
        let length = body.len();
        let request =
            format!("{method} {path} HTTP/1.1\r\nhost: x\r\n{headers}content-length: {length}\r\n\r\n{body}");
        self.stream.write_all(request.as_bytes()).unwrap();
    }

    /// Reads more; false at the end.
    fn more(&mut self) -> bool {
        let mut buffer = vec![0; 65536];
        match self.stream.read(&mut buffer) {
            Ok(0) => false,
            Ok(count) => {
                self.read.extend_from_slice(&buffer[..count]);
                true
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => false,
            Err(error) => panic!("{error}"),
        }
    }

    fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.read.len() < count {
            if !self.more() {
                return None;
            }
        }
        Some(self.read.drain(..count).collect())
    }

    fn line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.read.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.take(at + 2)?;
                return Some(String::from_utf8(line[..at].to_vec()).unwrap());
            }
            if !self.more() {
                return None;
            }
        }
    }

    /// Reads until the server closes; returns whatever was left.
    pub(crate) fn rest(mut self) -> Vec<u8> {
        while self.more() {}
        self.read
    }

    /// The first bytes of the body of a response that is not read to its end.
    pub(crate) fn peek(&mut self, count: usize) -> Vec<u8> {
        self.take(count).unwrap()
    }

    /// Whether this text comes before the end of the connection.
    pub(crate) fn reads(&mut self, text: &str) -> bool {
        while !self.read.windows(text.len()).any(|window| window == text.as_bytes()) {
            if !self.more() {
                return false;
            }
        }
        true
    }

    /// The next response; none if the connection ended before it.
    pub(crate) fn receive(&mut self) -> Option<Answer> {
        let status = self.line()?;
        let status = status.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer { status, headers: Vec::new(), body: Vec::new(), complete: true };
        loop {
            let line = self.line().unwrap();
            let Some((name, value)) = line.split_once(':') else { break };
            answer.headers.push((name.to_owned(), value.trim().to_owned()));
        }
        if answer.header("transfer-encoding") == Some("chunked") {
            answer.complete = self.chunks(&mut answer.body);
        } else {
            let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
            match self.take(length) {
                Some(body) => answer.body = body,
                None => answer.complete = false,
            }
        }
        Some(answer)
    }

    fn chunks(&mut self, body: &mut Vec<u8>) -> bool {
        loop {
            let Some(size) = self.line() else { return false };
            let size = usize::from_str_radix(&size, 16).unwrap();
            let Some(chunk) = self.take(size + 2) else { return false };
            if size == 0 {
                return true;
            }
            body.extend_from_slice(&chunk[..size]);
        }
    }
}

/// One exchange on a fresh connection.
pub(crate) fn call(server: &SimulatorHandle, method: &str, path: &str, body: &str) -> Answer {
    let mut client = Client::connect(server.addr());
    client.send(method, path, "", body);
    client.receive().unwrap()
}

pub(crate) fn get(server: &SimulatorHandle, path: &str) -> Answer {
    call(server, "GET", path, "")
}

pub(crate) fn post(server: &SimulatorHandle, path: &str, body: &Value) -> Answer {
    call(server, "POST", path, &body.to_string())
}

/// A streamed chat with usage asked for; `more` adds fields.
pub(crate) fn chat(server: &SimulatorHandle, more: &Value) -> Answer {
    post(server, "/v1/chat/completions", &chat_body(more))
}

pub(crate) fn chat_body(more: &Value) -> Value {
    let mut body = json!({
        "model": "m", "stream": true, "stream_options": {"include_usage": true}, "max_tokens": 12,
        "messages": [{"role": "user", "content": "Write one sentence about the sea."}],
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// A streamed completion with usage asked for.
pub(crate) fn completion(server: &SimulatorHandle, more: &Value) -> Answer {
    let mut body = json!({
        "model": "m", "stream": true, "stream_options": {"include_usage": true}, "max_tokens": 12,
        "prompt": "The capital of France is",
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    post(server, "/v1/completions", &body)
}

/// All text of a chat or completion stream, both channels.
pub(crate) fn text_of(events: &[Value]) -> String {
    let mut text = String::new();
    for choice in events.iter().filter_map(|event| event["choices"].get(0)) {
        for part in [
            &choice["delta"]["reasoning"],
            &choice["delta"]["reasoning_content"],
            &choice["delta"]["content"],
            &choice["text"],
        ] {
            text.push_str(part.as_str().unwrap_or_default());
        }
    }
    text
}

/// The last usage of a stream.
pub(crate) fn usage_of(events: &[Value]) -> &Value {
    events.iter().rev().map(|event| &event["usage"]).find(|usage| usage.is_object()).expect("no usage")
}
