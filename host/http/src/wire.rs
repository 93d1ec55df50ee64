//! One HTTP/1.1 connection, driven by whoever uses it: writes a request, reads a head, reads a body. Decides nothing
//! about reuse, time limits or what a failure is called.
//!
//! Why not a library's client: what is read here is thousands of streams of small events. Measured with
//! `benches/receive.rs` on two shared cores, over hyper's client (without kernel stamps) and over this file (with them):
//! at 1024 streams and 100 000 events a second 1.39 to 1.44 times the CPU of a bare reader against 1.02 to 1.19, and
//! hyper did not keep up (65 000 to 79 000 a second were read); at 512 streams 1.04 to 1.14 against 1.02 to 1.14; with 64
//! events a write 531 to 547 ns an event against 269 to 320; 10.3 KiB an open stream against 5.4. hyper hands every
//! frame to a second party, which it wakes, and counts references to each. Here a read, its stamp, the decoding and the
//! copy into the record are one call with no allocation of its own. The price is this file, `head.rs` and `chunked.rs`;
//! heads are parsed by `httparse`, as in hyper.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use hyper::Method;

use crate::chunked::Chunked;
use crate::head::{self, Framing, Head, HeadError};
use crate::recorder::Recorder;
use crate::request::Request;
use crate::stamps::Stamps;
use crate::stream::Stream;

/// Most bytes of one read. A larger buffer would let more events share a stamp where the client is behind.
const READ_MAX: usize = 16 * 1024;
/// Most bytes of a response's head, interim ones included.
const HEAD_MAX: usize = 64 * 1024;

thread_local! {
    /// One buffer a thread serves all its connections, so an open stream costs none.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_MAX].into_boxed_slice());
}

/// Why there is no answer, or no more of it.
#[derive(Debug)]
pub(crate) enum WireError {
    /// The connection ended, in order or with an error.
    Gone(Option<io::Error>),
    /// The head is larger than [`HEAD_MAX`] or has too many headers.
    HeadTooLarge,
    /// What came is no HTTP/1 response.
    NotHttp(String),
    /// The body breaks the rules of its framing.
    Framing(&'static str),
}

/// How reading a body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyEnd {
    /// As HTTP says.
    Whole,
    /// The record's cap is reached.
    Full,
    /// The user this request stands for has seen enough.
    Enough,
}

/// What is left of a body.
enum Body {
    Length(u64),
    Chunked(Chunked),
    ToClose,
}

impl Body {
    fn is_over(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunked(chunks) => chunks.is_over(),
            Self::ToClose => false,
        }
    }
}

/// A request on its way.
struct Sending {
    head: Bytes,
    body: Bytes,
    written: usize,
}

/// A connection.
pub(crate) struct Wire {
    stream: Stream,
    sending: Option<Sending>,
    /// Why the request could not be written to its end. An answer may still come.
    write_error: Option<io::Error>,
    /// Read and not yet understood: a head in the making, or what of the body came with its head.
    pending: Vec<u8>,
    body: Body,
    /// Bytes of plain text in this exchange.
    arrived: u64,
    /// The peer and the protocol allow another request.
    keep: bool,
}

impl Wire {
    /// A connection over a fresh stream.
    pub(crate) fn over(stream: Stream) -> Self {
        Self {
            stream,
            sending: None,
            write_error: None,
            pending: Vec::new(),
            body: Body::Length(0),
            arrived: 0,
            keep: true,
        }
    }

    /// The socket's stamps.
    pub(crate) fn stamps(&self) -> &Stamps {
        self.stream.stamps()
    }

    /// Bytes of the response, head included, that arrived in this exchange. Plain text: a TLS alert is no response.
    pub(crate) fn arrived(&self) -> u64 {
        self.arrived
    }

    /// Sends the request and waits for the response's head. When this returns, the newest stamp is that of the read
    /// that completed the head.
    pub(crate) async fn head(&mut self, request: &Request) -> Result<Head, WireError> {
        self.stream.stamps_mut().begin();
        self.arrived = 0;
        self.sending = Some(Sending { head: request.head.clone(), body: request.body.clone(), written: 0 });
        let mut interim = 0;
        poll_fn(|cx| self.poll_head(cx, &request.method, &mut interim)).await
    }

    fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        method: &Method,
        interim: &mut usize,
    ) -> Poll<Result<Head, WireError>> {
        self.poll_send(cx);
        loop {
            let read = SCRATCH.with_borrow_mut(|scratch| {
                let read = self.stream.poll_read(cx, scratch);
                if let Poll::Ready(Ok(bytes)) = read {
                    self.pending.extend_from_slice(scratch.get(..bytes).unwrap_or_default());
                }
                read
            });
            let bytes = ready!(read).map_err(|error| self.gone(Some(error)))?;
            if bytes == 0 {
                return Poll::Ready(Err(self.gone(None)));
            }
            self.arrived += bytes as u64;
            if let Some(head) = self.take_head(method, interim)? {
                return Poll::Ready(Ok(head));
            }
        }
    }

    /// Takes a whole head off what was read.
    fn take_head(&mut self, method: &Method, interim: &mut usize) -> Result<Option<Head>, WireError> {
        loop {
            let parsed = head::parse(&self.pending, method).map_err(|error| match error {
                HeadError::TooLarge => WireError::HeadTooLarge,
                HeadError::Malformed(words) => WireError::NotHttp(words),
            })?;
            let length = parsed.as_ref().map_or(self.pending.len(), |(length, _)| *length);
            if *interim + length > HEAD_MAX {
                return Err(WireError::HeadTooLarge);
            }
            let Some((length, head)) = parsed else { return Ok(None) };
            self.pending.drain(..length);
            if let Some(head) = head {
                self.keep = self.keep && head.keep_alive;
                self.body = match head.framing {
                    Framing::Length(length) => Body::Length(length),
                    Framing::Chunked => Body::Chunked(Chunked::new()),
                    Framing::ToClose => Body::ToClose,
                };
                return Ok(Some(head));
            }
            *interim += length;
        }
    }

    /// Reads the body into `record` until it ends or nothing more is there. Every read leaves its own mark.
    pub(crate) fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        record: &mut Recorder,
    ) -> Poll<Result<BodyEnd, WireError>> {
        self.poll_send(cx);
        if self.body.is_over() || !self.pending.is_empty() {
            let with_head = std::mem::take(&mut self.pending);
            if let Some(end) = self.take_body(&with_head, record)? {
                return Poll::Ready(Ok(end));
            }
        }
        loop {
            let taken = SCRATCH.with_borrow_mut(|scratch| {
                self.stream.poll_read(cx, scratch).map(|read| match read {
                    Ok(0) if matches!(self.body, Body::ToClose) => Ok(Some(BodyEnd::Whole)),
                    Ok(0) => Err(self.gone(None)),
                    Ok(bytes) => self.take_body(scratch.get(..bytes).unwrap_or_default(), record),
                    Err(error) => Err(self.gone(Some(error))),
                })
            });
            if let Some(end) = ready!(taken)? {
                return Poll::Ready(Ok(end));
            }
        }
    }

    /// Decodes what one read brought. Says how the body ended if it did.
    fn take_body(&mut self, bytes: &[u8], record: &mut Recorder) -> Result<Option<BodyEnd>, WireError> {
        let mut has_room = true;
        let taken = match &mut self.body {
            Body::Length(left) => {
                let here = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                has_room = record.push(bytes.get(..here).unwrap_or_default());
                *left -= here as u64;
                Ok(here)
            }
            Body::Chunked(chunks) => chunks.feed(bytes, |data| has_room &= record.push(data)),
            Body::ToClose => {
                has_room = record.push(bytes);
                Ok(bytes.len())
            }
        };
        let has_enough = record.mark(self.stream.stamps());
        // What follows the answer belongs to no request.
        self.keep = self.keep && taken == Ok(bytes.len());
        taken.map_err(WireError::Framing)?;
        Ok(if !has_room {
            Some(BodyEnd::Full)
        } else if self.body.is_over() {
            Some(BodyEnd::Whole)
        } else {
            has_enough.then_some(BodyEnd::Enough)
        })
    }

    /// Writes what is left of the request, as far as the socket takes it.
    #[inline]
    fn poll_send(&mut self, cx: &mut Context<'_>) {
        if self.sending.is_some() {
            self.write_on(cx);
        }
    }

    fn write_on(&mut self, cx: &mut Context<'_>) {
        while let Some(sending) = &mut self.sending {
            let (head, body) = (&sending.head, &sending.body);
            let in_body = sending.written.saturating_sub(head.len());
            let rest =
                [head.get(sending.written..).unwrap_or_default(), body.get(in_body..).unwrap_or_default()];
            let step = if rest.iter().all(|part| part.is_empty()) {
                self.stream.poll_flush(cx).map_ok(|()| None)
            } else {
                self.stream.poll_write(cx, &rest.map(io::IoSlice::new)).map_ok(Some)
            };
            match step {
                Poll::Pending => return,
                Poll::Ready(Ok(None)) => self.sending = None,
                Poll::Ready(Ok(Some(0))) => self.refused(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(Some(bytes))) => sending.written += bytes,
                Poll::Ready(Err(error)) => self.refused(error),
            }
        }
    }

    fn refused(&mut self, error: io::Error) {
        self.sending = None;
        self.write_error = Some(error);
        self.keep = false;
    }

    /// The end of the connection. An error of writing says more than the end of reading that follows it.
    fn gone(&mut self, read: Option<io::Error>) -> WireError {
        self.keep = false;
        WireError::Gone(read.or_else(|| self.write_error.take()))
    }

    /// Whether another request can be sent: the last exchange is over, and the peer has neither closed nor said anything
    /// more, as far as the runtime knows.
    pub(crate) fn is_idle(&mut self) -> bool {
        if !self.keep || self.sending.is_some() || !self.body.is_over() || !self.pending.is_empty() {
            return false;
        }
        self.stream.poll_read(&mut Context::from_waker(Waker::noop()), &mut [0; 64]).is_pending()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::TcpListener;
    use std::sync::Arc;

    use benchhost_model::{Ending, Nanos, Timeline};

    use super::*;
    use crate::clock::RunClock;
    use crate::socket::Socket;

    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

    /// Writes the head in these parts, then parts of the body, each when the client has seen the one before; a part of
    /// the body comes with the body's length after it. Returns the times before each write, when the head was read, and
    /// the record.
    fn receive(head: &[&[u8]], parts: &[(&[u8], usize)]) -> (Vec<Nanos>, Nanos, Timeline) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let near = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let mut far = listener.accept().unwrap().0;
            let clock = RunClock::start();
            let mut wire = Wire::over(Stream::Plain(Socket::new(near, clock, Arc::default())));
            let mut record = Recorder::new(clock.now(), clock, (usize::MAX, Arc::default()), None);
            let request =
                Request { method: Method::GET, head: Bytes::from_static(b"GET"), body: Bytes::new() };
            let mut times = Vec::new();
            let (read, ()) = tokio::join!(wire.head(&request), async {
                for part in head {
                    times.push(clock.now());
                    far.write_all(part).unwrap();
                    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                }
            });
            read.unwrap();
            let headers_at = wire.stamps().last_read().unwrap();
            for (part, length) in parts {
                times.push(clock.now());
                far.write_all(part).unwrap();
                poll_fn(|cx| match wire.poll_body(cx, &mut record) {
                    Poll::Ready(end) => {
                        assert_eq!(end.unwrap(), BodyEnd::Whole);
                        Poll::Ready(())
                    }
                    Poll::Pending if record.body_len() >= *length => Poll::Ready(()),
                    Poll::Pending => Poll::Pending,
                })
                .await;
                assert_eq!(record.body_len(), *length);
            }
            assert!(wire.is_idle());
            (times, headers_at, record.finish(Ending::Complete, None, clock.now()))
        })
    }

    #[test]
    fn a_piece_of_the_body_has_the_stamp_of_the_read_that_completed_it() {
        let parts: [(&[u8], usize); 3] =
            [(b"2\r\nab\r\n2\r\ncd\r\n2", 4), (b"\r\nef\r\n", 6), (b"2\r\ngh\r\n0\r\n\r\n", 8)];
        let (times, headers_at, timeline) = receive(&[HEAD], &parts);
        assert_eq!(timeline.body, b"abcdefgh");
        let ends: Vec<u64> = timeline.marks.iter().map(|mark| mark.end).collect();
        assert_eq!(ends, [4, 6, 8]);
        let user: Vec<Nanos> = timeline.marks.iter().map(|mark| mark.user).collect();
        assert!(times[0] <= headers_at && headers_at <= times[1], "{times:?} {headers_at}");
        assert!(times[1] <= user[0] && user[0] <= times[2], "{times:?} {user:?}");
        assert!(times[2] <= user[1] && user[1] <= times[3] && times[3] <= user[2], "{times:?} {user:?}");
    }

    #[test]
    fn the_heads_stamp_is_that_of_its_last_byte() {
        let head: [&[u8]; 2] = [b"HTTP/1.1 200 OK\r\ncontent-le", b"ngth: 4\r\n\r\nab"];
        let (times, headers_at, timeline) = receive(&head, &[(b"cd", 4)]);
        assert!(times[1] <= headers_at);
        // What came with the head has its stamp.
        assert_eq!((timeline.marks[0].end, timeline.marks[0].user), (2, headers_at));
        assert!(times[2] <= timeline.marks[1].user);
    }

    #[test]
    fn several_reads_that_are_ready_together_are_told_apart() {
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 40000\r\n\r\n";
        let (_, _, timeline) = receive(&[head], &[(&[b'x'; 40_000], 40_000)]);
        assert!(timeline.marks.len() >= 3);
        let mut before = 0;
        for mark in &timeline.marks {
            assert!(mark.end - before <= READ_MAX as u64);
            before = mark.end;
        }
        assert!(timeline.marks.is_sorted_by_key(|mark| mark.user));
    }
}
