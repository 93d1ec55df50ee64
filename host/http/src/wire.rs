//! One HTTP/1.1 connection, driven by whoever uses it. Knows hyper; decides nothing about reuse, time limits or what a
//! failure is called.
//!
//! hyper splits a connection into a sender and a future that does the I/O. Usually that future becomes a task of its
//! own. Here the exchange polls it in place: a read and the frames it yields are handled in one go, dropping the
//! exchange hangs up at once, and an idle connection costs no task.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body as _, Frame, Incoming};
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper::{Request, Response};

use crate::adapter::{HyperIo, Stream};
use crate::stamped::Stamps;

/// Most bytes hyper buffers for one connection; also the largest response head.
const BUFFER_MAX: usize = 64 * 1024;

/// A connection: hyper's two halves and the socket's stamps.
pub(crate) struct Wire {
    sender: SendRequest<Full<Bytes>>,
    link: Link,
    /// The newest turn brought a head, and nobody has looked for a frame since.
    head_came: bool,
}

struct Link {
    connection: Box<Connection<HyperIo, Full<Bytes>>>,
    stamps: Arc<Stamps>,
    over: bool,
}

impl Link {
    /// Lets hyper write what it can and read at most once. Says whether anything changed that may allow more.
    fn turn(&mut self, cx: &mut Context<'_>) -> bool {
        if self.over {
            return false;
        }
        self.stamps.allow_one_read();
        let before = self.stamps.handed_up();
        // An error reaches the response or the body, whichever is open; here it only means the end.
        if Pin::new(&mut *self.connection).poll(cx).is_ready() {
            self.over = true;
            return true;
        }
        self.stamps.handed_up() != before
    }
}

impl Wire {
    /// Speaks HTTP/1.1 over a fresh stream.
    pub(crate) async fn over(stream: Box<dyn Stream>, stamps: Arc<Stamps>) -> hyper::Result<Self> {
        let io = HyperIo::new(stream, Arc::clone(&stamps));
        let (sender, connection) = http1::Builder::new().max_buf_size(BUFFER_MAX).handshake(io).await?;
        Ok(Self {
            sender,
            link: Link { connection: Box::new(connection), stamps, over: false },
            head_came: false,
        })
    }

    /// The socket's stamps.
    pub(crate) fn stamps(&self) -> &Arc<Stamps> {
        &self.link.stamps
    }

    /// Sends the request and waits for the response's head. When this returns, the newest stamp is that of the read
    /// that completed the head.
    pub(crate) async fn head(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Response<Incoming>> {
        self.head_came = true;
        let link = &mut self.link;
        let mut reply = pin!(self.sender.send_request(request));
        poll_fn(|cx| {
            loop {
                let moved = link.turn(cx);
                if let Poll::Ready(head) = reply.as_mut().poll(cx) {
                    return Poll::Ready(head);
                }
                if !moved {
                    return Poll::Pending;
                }
            }
        })
        .await
    }

    /// The body's next frame, or its end. When a frame comes, the newest stamp is that of the read that delivered its
    /// last byte.
    pub(crate) fn poll_frame(
        &mut self,
        body: &mut Incoming,
        cx: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        // The turn that brought the head may have brought a frame as well. Later every turn is followed by a look, so
        // the body is only looked at when there may be something: a look in vain would cost a wake-up.
        let mut moved = std::mem::take(&mut self.head_came) || self.link.turn(cx);
        loop {
            if let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(cx) {
                return Poll::Ready(frame);
            }
            if !moved {
                return Poll::Pending;
            }
            moved = self.link.turn(cx);
        }
    }

    /// Whether another request can be sent: the last exchange is over, and the peer has not closed as far as this
    /// machine knows.
    pub(crate) async fn is_idle(&mut self) -> bool {
        poll_fn(|cx| {
            self.link.turn(cx);
            Poll::Ready(!self.link.over && self.sender.is_ready())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::RunClock;
    use crate::stamped::Stamped;
    use benchhost_model::Nanos;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

    /// Writes each part, lets the client see it, and returns a time after that and before the next part.
    async fn serve(mut side: DuplexStream, parts: Vec<&'static [u8]>, clock: RunClock) -> Vec<Nanos> {
        let mut request = [0; 1024];
        let _ = side.read(&mut request).await.unwrap();
        let mut times = Vec::new();
        for part in parts {
            side.write_all(part).await.unwrap();
            // One thread, two tasks, a stream in memory: after a few yields the other task has nothing left to read.
            for _ in 0..16 {
                tokio::task::yield_now().await;
            }
            times.push(clock.now());
        }
        times
    }

    /// The head's stamp, and each frame with its stamp.
    async fn receive(side: DuplexStream, clock: RunClock) -> (Nanos, Vec<(Bytes, Nanos)>) {
        let stamps = Arc::new(Stamps::new(clock));
        let socket = Stamped::new(side, Arc::clone(&stamps));
        let mut wire = Wire::over(Box::new(socket), Arc::clone(&stamps)).await.unwrap();
        let head = wire.head(Request::new(Full::new(Bytes::new()))).await.unwrap();
        let headers_at = stamps.last_read().unwrap();
        let mut body = head.into_body();
        let mut frames = Vec::new();
        while let Some(frame) = poll_fn(|cx| wire.poll_frame(&mut body, cx)).await {
            frames.push((frame.unwrap().into_data().unwrap(), stamps.last_read().unwrap()));
        }
        assert!(wire.is_idle().await);
        (headers_at, frames)
    }

    fn run(parts: Vec<&'static [u8]>) -> (Vec<Nanos>, Nanos, Vec<(Bytes, Nanos)>) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (near, far) = tokio::io::duplex(64 * 1024);
            let clock = RunClock::start();
            let server = tokio::spawn(serve(far, parts, clock));
            let (headers_at, frames) = receive(near, clock).await;
            (server.await.unwrap(), headers_at, frames)
        })
    }

    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

    #[test]
    fn a_frame_has_the_stamp_of_the_read_that_completed_it() {
        let (times, headers_at, frames) =
            run(vec![HEAD, b"2\r\nab\r\n2\r\ncd\r\n2", b"\r\nef\r\n", b"2\r\ngh\r\n0\r\n\r\n"]);
        let [t0, t1, t2, _] = times[..] else { panic!("{times:?}") };
        assert!(headers_at <= t0);
        let text: Vec<&[u8]> = frames.iter().map(|(data, _)| &data[..]).collect();
        assert_eq!(text, [b"ab", b"cd", b"ef", b"gh"]);
        let at: Vec<Nanos> = frames.iter().map(|(_, at)| *at).collect();
        assert!(t0 <= at[0] && at[0] == at[1] && at[1] <= t1, "{times:?} {at:?}");
        assert!(t1 <= at[2] && at[2] <= t2, "{times:?} {at:?}");
        assert!(t2 <= at[3], "{times:?} {at:?}");
    }

    #[test]
    fn the_heads_stamp_is_that_of_its_last_byte_even_when_a_body_follows_at_once() {
        let (times, headers_at, frames) =
            run(vec![b"HTTP/1.1 200 OK\r\ncontent-le", b"ngth: 2\r\n\r\n", b"ab"]);
        assert!(times[0] <= headers_at && headers_at <= times[1]);
        assert!(times[1] <= frames[0].1);
    }

    #[test]
    fn several_reads_that_are_ready_together_are_told_apart() {
        // 16 KiB a read: the head and the first frame come out of the first, the rest out of later ones.
        let big: &'static [u8] = Box::leak(
            [b"HTTP/1.1 200 OK\r\ncontent-length: 40000\r\n\r\n".to_vec(), vec![b'x'; 40_000]]
                .concat()
                .into_boxed_slice(),
        );
        let (times, headers_at, frames) = run(vec![big]);
        assert!(frames.len() >= 3);
        assert!(headers_at <= frames[0].1 && frames[0].1 < frames[2].1 && frames[2].1 <= times[0]);
        assert!(frames.windows(2).all(|pair| pair[0].1 <= pair[1].1));
        assert_eq!(frames.iter().map(|(data, _)| data.len()).sum::<usize>(), 40_000);
    }
}
