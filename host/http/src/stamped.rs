//! The socket with a clock on it: when bytes arrived, when they left. Sits below TLS, so a stamp is the time of the
//! socket's read, not of decryption. Knows nothing of HTTP.
//!
//! The stamp is the first thing done after a read returns: one clock read and one relaxed store, which on common
//! machines is a plain move. No lock, no allocation, no text.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};

use benchhost_model::{Nanos, ReadMark};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::clock::RunClock;

/// No stamp yet. The run's epoch itself is a valid stamp, so zero cannot say it.
const NEVER: u64 = u64::MAX;

/// What one connection's socket did, shared between the socket (which writes) and the exchange (which reads). Both run
/// on one thread; the atomics only keep the type free of `unsafe` and let the exchange move between threads.
#[derive(Debug)]
pub(crate) struct Stamps {
    clock: RunClock,
    last_read: AtomicU64,
    closed: AtomicU64,
    first_write: AtomicU64,
    /// Bytes handed up since the last [`Stamps::begin`]: plain text, since a TLS alert is not a response.
    arrived: AtomicU64,
    /// Reads handed up, end of file included.
    handed_up: AtomicU64,
    /// One read may be handed up.
    permit: AtomicBool,
}

impl Stamps {
    pub(crate) fn new(clock: RunClock) -> Self {
        Self {
            clock,
            last_read: AtomicU64::new(NEVER),
            closed: AtomicU64::new(NEVER),
            first_write: AtomicU64::new(NEVER),
            arrived: AtomicU64::new(0),
            handed_up: AtomicU64::new(0),
            permit: AtomicBool::new(false),
        }
    }

    /// A new exchange begins on this connection: what went before no longer counts.
    pub(crate) fn begin(&self) {
        self.last_read.store(NEVER, Relaxed);
        self.closed.store(NEVER, Relaxed);
        self.first_write.store(NEVER, Relaxed);
        self.arrived.store(0, Relaxed);
    }

    /// When the newest bytes arrived.
    pub(crate) fn last_read(&self) -> Option<Nanos> {
        load(&self.last_read)
    }

    /// When the peer closed its side.
    pub(crate) fn closed(&self) -> Option<Nanos> {
        load(&self.closed)
    }

    /// Just before the first byte of this exchange was written. A write that the socket refused is none.
    pub(crate) fn first_write(&self) -> Option<Nanos> {
        load(&self.first_write)
    }

    /// Bytes of the response, head included, that arrived in this exchange.
    pub(crate) fn arrived(&self) -> u64 {
        self.arrived.load(Relaxed)
    }

    /// The mark of a body's bytes up to `end` that the newest read delivered. A kernel stamp, once the socket asks for
    /// one, goes here.
    pub(crate) fn mark(&self, end: u64) -> ReadMark {
        let user = self.last_read().unwrap_or_else(|| self.clock.now());
        ReadMark { end, user, kernel: None }
    }

    pub(crate) fn allow_one_read(&self) {
        self.permit.store(true, Relaxed);
    }

    pub(crate) fn may_read(&self) -> bool {
        self.permit.load(Relaxed)
    }

    pub(crate) fn note_handed_up(&self, bytes: usize) {
        self.permit.store(false, Relaxed);
        self.arrived.store(self.arrived.load(Relaxed) + bytes as u64, Relaxed);
        self.handed_up.store(self.handed_up.load(Relaxed) + 1, Relaxed);
    }

    pub(crate) fn handed_up(&self) -> u64 {
        self.handed_up.load(Relaxed)
    }

    #[inline]
    fn note_read(&self, at: Nanos, bytes: usize) {
        if bytes == 0 {
            self.closed.store(at.get(), Relaxed);
        } else {
            self.last_read.store(at.get(), Relaxed);
        }
    }

    /// Writes, and keeps the time before it if these are the first bytes that the socket takes.
    #[inline]
    fn writing(&self, write: impl FnOnce() -> Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if self.first_write.load(Relaxed) != NEVER {
            return write();
        }
        let at = self.clock.now();
        let written = write();
        if matches!(written, Poll::Ready(Ok(bytes)) if bytes > 0) {
            self.first_write.store(at.get(), Relaxed);
        }
        written
    }
}

fn load(cell: &AtomicU64) -> Option<Nanos> {
    match cell.load(Relaxed) {
        NEVER => None,
        at => Some(Nanos::new(at)),
    }
}

/// A socket whose reads and writes are stamped.
#[derive(Debug)]
pub(crate) struct Stamped<S> {
    inner: S,
    stamps: std::sync::Arc<Stamps>,
}

impl<S> Stamped<S> {
    pub(crate) fn new(inner: S, stamps: std::sync::Arc<Stamps>) -> Self {
        Self { inner, stamps }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stamped<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        match Pin::new(&mut this.inner).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => {
                let at = this.stamps.clock.now();
                this.stamps.note_read(at, buf.filled().len() - before);
                Poll::Ready(Ok(()))
            }
            other => other,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stamped<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let Self { inner, stamps } = self.get_mut();
        stamps.writing(|| Pin::new(inner).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Self { inner, stamps } = self.get_mut();
        stamps.writing(|| Pin::new(inner).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tokio::io::AsyncWriteExt as _;

    /// Refuses the first writes, then takes all.
    struct Reluctant(u32);

    impl AsyncWrite for Reluctant {
        fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
            if self.0 == 0 {
                return Poll::Ready(Ok(buf.len()));
            }
            self.0 -= 1;
            Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn a_write_that_the_socket_refused_is_no_send_time_and_the_first_that_it_took_stays() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let stamps = Arc::new(Stamps::new(RunClock::start()));
            let mut socket = Stamped::new(Reluctant(1), Arc::clone(&stamps));
            assert!(socket.write(b"a").await.is_err());
            assert_eq!(stamps.first_write(), None);
            socket.write_all(b"a").await.unwrap();
            let first = stamps.first_write().unwrap();
            socket.write_all(b"b").await.unwrap();
            assert_eq!(stamps.first_write(), Some(first));
        });
    }
}
