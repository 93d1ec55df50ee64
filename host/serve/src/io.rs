//! A tokio socket as hyper wants it, with a limit to its patience. Copies bytes and knows nothing of them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::ReadBufCursor;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// Requests without a body are smaller.
const READ_SIZE: usize = 8 * 1024;

/// A connected socket. A peer that neither asks nor takes its answer is given up, so that it cannot keep others out.
pub(crate) struct Socket {
    stream: TcpStream,
    // An own buffer, since filling hyper's in place would take unsafe code.
    buffer: Box<[u8]>,
    patience: Duration,
    /// An answer is being made: the peer is not to blame for the silence.
    busy: Arc<AtomicBool>,
    /// When a request must be whole: pieces of it do not move the end.
    asked_by: Option<Pin<Box<Sleep>>>,
    /// When the next piece of an answer must be taken.
    taken_by: Option<Pin<Box<Sleep>>>,
}

impl Socket {
    /// Wraps it; a peer has `patience` for each request, and for each piece of an answer.
    pub(crate) fn new(stream: TcpStream, patience: Duration, busy: Arc<AtomicBool>) -> Self {
        let buffer = vec![0; READ_SIZE].into_boxed_slice();
        Self { stream, buffer, patience, busy, asked_by: None, taken_by: None }
    }
}

/// Pending until `end`, which is set now if it is not yet.
fn waiting<T>(
    end: &mut Option<Pin<Box<Sleep>>>,
    patience: Duration,
    cx: &mut Context<'_>,
) -> Poll<io::Result<T>> {
    let end = end.get_or_insert_with(|| Box::pin(sleep(patience)));
    ready!(end.as_mut().poll(cx));
    Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
}

impl hyper::rt::Read for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let own = self.get_mut();
        let room = cursor.remaining().min(own.buffer.len());
        let mut read = ReadBuf::new(&mut own.buffer[..room]);
        match Pin::new(&mut own.stream).poll_read(cx, &mut read) {
            Poll::Ready(done) => {
                done?;
                cursor.put_slice(read.filled());
                Poll::Ready(Ok(()))
            }
            Poll::Pending if own.busy.load(Ordering::Relaxed) => {
                own.asked_by = None;
                Poll::Pending
            }
            Poll::Pending => waiting(&mut own.asked_by, own.patience, cx),
        }
    }
}

impl hyper::rt::Write for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let own = self.get_mut();
        match Pin::new(&mut own.stream).poll_write(cx, bytes) {
            Poll::Ready(done) => {
                (own.asked_by, own.taken_by) = (None, None);
                Poll::Ready(done)
            }
            Poll::Pending => waiting(&mut own.taken_by, own.patience, cx),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let own = self.get_mut();
        // After an answer nobody reads until something comes, so the wait for it is set here.
        if !own.busy.load(Ordering::Relaxed) {
            let _pending: Poll<io::Result<()>> = waiting(&mut own.asked_by, own.patience, cx);
        }
        Pin::new(&mut own.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
