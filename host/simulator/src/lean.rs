//! The lean way of serving: chat answers made of one prepared event, written by hand.
//!
//! Beside the write itself an event costs a timer entry, a clock reading and the digits of a stamp. There are no faults, no
//! queue and no dialects here; whoever wants those takes the other way. What it writes is described in `frame`.

mod frame;
mod request;

use std::future::poll_fn;
use std::io;
use std::sync::Arc;

use benchhost_os::clock::monotonic_ns;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tokio::net::TcpStream;

use crate::config::SimulatorConfig;
use crate::engine::{Engine, next_due};
use crate::metronome::nanos;
use crate::server::Stamped;
use crate::truth;
use frame::{Frame, Kind};
use request::{Asked, Parsed};

/// Bytes taken from the socket in one read.
const READ_SIZE: usize = 4096;

/// Serves one connection to its end.
pub(crate) async fn serve(socket: Stamped, engine: Arc<Engine>) {
    // Errors of a connection concern nobody else: clients see them as broken answers.
    let _ = Connection { socket, engine, unread: Vec::new(), arrival: 0, next: None }.run().await;
}

struct Connection {
    socket: Stamped,
    engine: Arc<Engine>,
    unread: Vec<u8>,
    /// When the first of the unread bytes arrived.
    arrival: u64,
    /// The event that all answers of this connection share.
    next: Option<Frame>,
}

impl Connection {
    async fn run(mut self) -> io::Result<()> {
        while let Some(asked) = self.read_request().await? {
            match asked {
                Asked::Answer { tokens } => self.answer(tokens).await?,
                Asked::Truth => {
                    let page = self.engine.truth_page().to_string();
                    self.send(request::page("200 OK", &page).as_bytes()).await?;
                }
                Asked::Other => {
                    let words = format!(
                        "{{\"error\":\"a lean simulator serves POST /v1/chat/completions with stream:true, and GET {}\"}}",
                        truth::PATH
                    );
                    self.send(request::page("404 Not Found", &words).as_bytes()).await?;
                }
            }
        }
        Ok(())
    }

    /// The next request; nothing when the client is gone or speaks something else.
    async fn read_request(&mut self) -> io::Result<Option<Asked>> {
        let mut buffer = [0; READ_SIZE];
        loop {
            match request::parse(&self.unread) {
                Parsed::Whole { asked, length } => {
                    self.unread.drain(..length);
                    return Ok(Some(asked));
                }
                Parsed::Nonsense => return Ok(None),
                Parsed::Partial => {}
            }
            let received = poll_fn(|cx| self.socket.poll_read(cx, &mut buffer)).await?;
            if received.bytes == 0 {
                return Ok(None);
            }
            if self.unread.is_empty() {
                self.arrival = received.at;
            }
            self.unread.extend_from_slice(&buffer[..received.bytes]);
        }
    }

    async fn answer(&mut self, tokens: u32) -> io::Result<()> {
        let engine = Arc::clone(&self.engine);
        let config = &engine.config;
        let mut random = ChaCha8Rng::seed_from_u64(config.seed);
        random.set_stream(engine.arrive());
        self.send(frame::HEAD).await?;
        let width = config.tokens_per_event.max(1);
        let mut due = monotonic_ns().saturating_add(nanos(config.ttft.draw(&mut random)));
        let mut left = tokens;
        while left > 0 {
            let events = left.min(width);
            engine.metronome.sleep_until(due).await;
            self.write(events, tokens, left, due).await?;
            left -= events;
            let delay = (0..left.min(width)).map(|_| nanos(config.itl.draw(&mut random))).sum::<u64>();
            due = next_due(due, monotonic_ns()).saturating_add(delay);
        }
        if tokens == 0 { self.send(frame::NOTHING).await } else { Ok(()) }
    }

    /// One write: `events` events, of `left` that are left of `tokens`.
    async fn write(&mut self, events: u32, tokens: u32, left: u32, due: u64) -> io::Result<()> {
        let model = &self.engine.config.model;
        let arrival = (left == tokens).then_some(self.arrival);
        let end = (left == events).then_some(tokens);
        let mut frame = if arrival.is_none() && end.is_none() {
            self.next.take().unwrap_or_else(|| Frame::new(model, events, Kind::Middle))
        } else {
            Frame::new(model, events, Kind::Edge { arrival, end })
        };
        // The last thing before the bytes go to the socket.
        let at = monotonic_ns();
        let sent = self.send(frame.stamped(at)).await;
        self.engine.truth.wrote(u64::from(events), due, at);
        if frame.is_middle() {
            self.next = Some(frame);
        }
        sent
    }

    async fn send(&self, mut bytes: &[u8]) -> io::Result<()> {
        let stream: &TcpStream = self.socket.stream();
        while !bytes.is_empty() {
            match stream.try_write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.engine.truth.blocked();
                    stream.writable().await?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// What of the settings a lean simulator cannot honour, in words; nothing if all is well.
pub(crate) fn refuses(config: &SimulatorConfig) -> Option<&'static str> {
    if !config.fault.rules.is_empty() {
        Some("it makes no faults")
    } else if config.max_running.is_some() {
        Some("it has no queue")
    } else if config.reasoning_tokens > 0 {
        Some("it does not reason")
    } else if config.wrong > 0.0 || config.answer_length < 1.0 {
        Some("it has one text for all answers")
    } else if config.api_key.is_some() {
        Some("it asks for no key")
    } else {
        None
    }
}
