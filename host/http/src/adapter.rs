//! Joins a tokio stream to hyper's I/O traits, and hands hyper one read at a time.
//!
//! hyper reads on while its buffer has room. Were it free to, the response's head and the first body frame could come
//! out of two reads before anyone looked at the stamp of the first. With a permit for a single read, what hyper yields
//! next always stems from the newest read.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::stamped::Stamps;

/// Bytes a single read can deliver: a full TLS record, and more than a loopback segment.
const READ_MAX: usize = 16 * 1024;

thread_local! {
    /// hyper's buffer may be uninitialised memory, which safe code fills only by copying. One buffer a thread serves
    /// all its connections, so an open stream costs none.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_MAX].into_boxed_slice());
}

/// A connection's stream, plain or encrypted, always over a stamped socket. One virtual call a read is lost in the
/// system call below it.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// What hyper reads from and writes to.
pub(crate) struct HyperIo {
    stream: Box<dyn Stream>,
    stamps: Arc<Stamps>,
}

impl HyperIo {
    pub(crate) fn new(stream: Box<dyn Stream>, stamps: Arc<Stamps>) -> Self {
        Self { stream, stamps }
    }

    fn read_into(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut [u8],
        cursor: &mut hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let room = scratch.len().min(cursor.remaining());
        let mut buf = ReadBuf::new(scratch.get_mut(..room).unwrap_or_default());
        let polled = Pin::new(&mut self.stream).poll_read(cx, &mut buf);
        if let Poll::Ready(Ok(())) = polled {
            self.stamps.note_handed_up(buf.filled().len());
            cursor.put_slice(buf.filled());
        }
        polled
    }
}

impl hyper::rt::Read for HyperIo {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut cursor: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // No waker is kept: whoever granted the last permit sees that it was used and polls again.
        if !this.stamps.may_read() {
            return Poll::Pending;
        }
        SCRATCH.with(|scratch| match scratch.try_borrow_mut() {
            Ok(mut scratch) => this.read_into(cx, &mut scratch, &mut cursor),
            // Reached only if a read began inside another read of this thread, which no stream here does.
            Err(_) => this.read_into(cx, &mut [0; 1024], &mut cursor),
        })
    }
}

impl hyper::rt::Write for HyperIo {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, bufs)
    }
}
