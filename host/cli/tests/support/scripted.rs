//! A server that answers what a test wrote, byte for byte, and keeps what it was asked. HTTP/1.1 with content lengths,
//! nothing more.

#![allow(dead_code, unreachable_pub, reason = "each test file is a crate of its own and uses its part")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// One request.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    pub path: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: String,
    /// Place among the requests of its connection, from 0.
    pub on_connection: usize,
}

impl Seen {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("a JSON body")
    }
}

/// What becomes of a request.
pub enum Reply {
    /// These bytes, head included; the connection stays.
    Answer(Vec<u8>),
    /// These bytes, and the connection closes although nobody said so.
    Close(Vec<u8>),
    /// The connection closes without a byte.
    HangUp,
    /// Nobody listens any more from before this answer on, and it says that its connection closes.
    Last(Vec<u8>),
}

type Script = dyn Fn(&Seen) -> Reply + Send + Sync;

struct Shared {
    script: Box<Script>,
    seen: Mutex<Vec<Seen>>,
    stopped: AtomicBool,
    address: SocketAddr,
    listening: Mutex<Option<JoinHandle<()>>>,
}

/// The server; it stops listening when dropped.
pub struct Scripted {
    shared: Arc<Shared>,
}

impl Scripted {
    /// Listens on `listener` and answers by `script`.
    pub fn start(listener: TcpListener, script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let shared = Arc::new(Shared {
            script: Box::new(script),
            seen: Mutex::default(),
            stopped: AtomicBool::new(false),
            address: listener.local_addr().expect("an address"),
            listening: Mutex::new(None),
        });
        let host = Arc::clone(&shared);
        let accepting = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if host.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(stream), host) = (stream, Arc::clone(&host)) else { continue };
                std::thread::spawn(move || host.serve(&stream));
            }
        });
        *shared.listening.lock().expect("a lock") = Some(accepting);
        Self { shared }
    }

    /// On a free port, with the models `one` and `two` and `script` for everything that is posted. The script gets the
    /// number of posts before.
    pub fn openai(script: impl Fn(usize, &Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        Self::openai_on(listener, script)
    }

    /// As [`Scripted::openai`], on a port of the test's choice.
    pub fn openai_on(
        listener: TcpListener,
        script: impl Fn(usize, &Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let posts = AtomicUsize::new(0);
        Self::start(listener, move |seen| match (seen.method.as_str(), seen.path.as_str()) {
            ("GET", "/v1/models") => {
                Reply::Answer(json(r#"{"object":"list","data":[{"id":"one"},{"id":"two"}]}"#))
            }
            ("POST", _) => script(posts.fetch_add(1, Ordering::SeqCst), seen),
            _ => Reply::Answer(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec()),
        })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.shared.address)
    }

    /// What was posted so far.
    pub fn posts(&self) -> Vec<Seen> {
        let seen = self.shared.seen.lock().expect("a lock");
        seen.iter().filter(|s| s.method == "POST").cloned().collect()
    }

    /// Everything that was asked so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().expect("a lock").clone()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

impl Shared {
    /// Returns when the port is closed.
    fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        let accepting = self.listening.lock().expect("a lock").take();
        if let Some(accepting) = accepting {
            // A connection of our own wakes the thread that waits for one.
            drop(TcpStream::connect(self.address));
            drop(accepting.join());
        }
    }

    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        let mut writer = stream;
        for on_connection in 0.. {
            let Some(seen) = read(&mut reader, on_connection) else { return };
            self.seen.lock().expect("a lock").push(seen.clone());
            let (bytes, last) = match (self.script)(&seen) {
                Reply::HangUp => return,
                Reply::Answer(bytes) => (bytes, false),
                Reply::Close(bytes) => (bytes, true),
                Reply::Last(mut bytes) => {
                    self.stop();
                    let status_line = bytes.iter().position(|b| *b == b'\n').expect("a head") + 1;
                    bytes.splice(status_line..status_line, b"connection: close\r\n".iter().copied());
                    (bytes, true)
                }
            };
            if writer.write_all(&bytes).is_err() || last {
                return;
            }
        }
    }
}

/// The next request; `None` when the other side is gone.
fn read(reader: &mut impl BufRead, on_connection: usize) -> Option<Seen> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or(0, |n| n.parse().expect("a length"));
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Seen { method, path, headers, body: String::from_utf8(body).expect("text"), on_connection })
}

/// A JSON answer.
pub fn json(body: &str) -> Vec<u8> {
    with_type("application/json", body.as_bytes())
}

/// A stream of events, one for each of `data`.
pub fn stream(data: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let mut body = Vec::new();
    for event in data {
        body.extend_from_slice(b"data: ");
        body.extend_from_slice(event.as_ref());
        body.extend_from_slice(b"\n\n");
    }
    with_type("text/event-stream", &body)
}

fn with_type(kind: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes =
        format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n", body.len())
            .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// The event that adds `content`, a JSON string with its quotes, to a chat answer.
pub fn delta(content: &str) -> String {
    format!(r#"{{"choices":[{{"index":0,"delta":{{"content":{content}}},"finish_reason":null}}]}}"#)
}

/// The last events of a chat answer.
pub fn end(prompt_tokens: u64, completion_tokens: u64) -> [String; 3] {
    let total = prompt_tokens + completion_tokens;
    [
        r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#.to_owned(),
        format!(
            r#"{{"choices":[],"usage":{{"prompt_tokens":{prompt_tokens},"completion_tokens":{completion_tokens},"total_tokens":{total}}}}}"#
        ),
        "[DONE]".to_owned(),
    ]
}

/// A whole, ordinary chat answer.
pub fn chat(text: &str) -> Vec<u8> {
    let mut events = vec![delta(&serde_json::Value::from(text).to_string())];
    events.extend(end(5, 1));
    stream(&events)
}
