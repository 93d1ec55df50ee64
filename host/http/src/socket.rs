//! The TCP socket with clocks on it: when bytes arrived, when they left. Sits below TLS, so a stamp is the time of the
//! socket's read, not of decryption. Knows nothing of HTTP.
//!
//! The program's stamp is the first thing done after a read returns, inside the call that made it. A read that did not
//! fill its buffer has emptied the socket, so the runtime is told at once that nothing is left; asking the kernel again
//! would double the system calls of a stream whose events come one by one.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::clock::RunClock;
use crate::stamps::{FaultCounts, Stamps};

/// A TCP connection whose reads and writes are stamped.
#[derive(Debug)]
pub(crate) struct Socket {
    inner: TcpStream,
    stamps: Stamps,
}

impl Socket {
    /// Takes over a connection and asks the kernel for receive stamps; without them the program's own remain.
    pub(crate) fn new(inner: TcpStream, clock: RunClock, faults: Arc<FaultCounts>) -> Self {
        ask_for_stamps(&inner);
        Self { inner, stamps: Stamps::new(clock, faults) }
    }

    pub(crate) fn stamps(&self) -> &Stamps {
        &self.stamps
    }

    pub(crate) fn stamps_mut(&mut self) -> &mut Stamps {
        &mut self.stamps
    }

    /// Reads once into `buf`. Zero bytes: the peer closed its side.
    pub(crate) fn poll_receive(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let Self { inner, stamps } = self;
        receive(inner, stamps, cx, buf)
    }
}

#[cfg(target_os = "linux")]
fn ask_for_stamps(socket: &TcpStream) {
    benchhost_os::stamps::enable(socket);
}

#[cfg(not(target_os = "linux"))]
fn ask_for_stamps(_socket: &TcpStream) {}

#[cfg(target_os = "linux")]
fn receive(
    socket: &TcpStream,
    stamps: &mut Stamps,
    cx: &mut Context<'_>,
    buf: &mut [u8],
) -> Poll<io::Result<usize>> {
    loop {
        match socket.poll_read_ready(cx) {
            Poll::Ready(ready) => ready?,
            Poll::Pending => return Poll::Pending,
        }
        let mut got = None;
        let told = socket.try_io(tokio::io::Interest::READABLE, || {
            let received = benchhost_os::stamps::recv(socket, buf)?;
            let user = stamps.now();
            got = Some((received, user));
            let emptied = received.bytes > 0 && received.bytes < buf.len();
            // The runtime's word for «wait for the next arrival»; the outcome is in `got`.
            if emptied { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
        });
        if let Some((received, user)) = got {
            stamps.note_read(user, received.bytes, received.realtime_ns);
            return Poll::Ready(Ok(received.bytes));
        }
        match told {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Poll::Ready(Err(error)),
            _ => {}
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn receive(
    socket: &mut TcpStream,
    stamps: &mut Stamps,
    cx: &mut Context<'_>,
    buf: &mut [u8],
) -> Poll<io::Result<usize>> {
    let mut read = ReadBuf::new(buf);
    match Pin::new(socket).poll_read(cx, &mut read) {
        Poll::Ready(Ok(())) => {
            let user = stamps.now();
            stamps.note_read(user, read.filled().len(), None);
            Poll::Ready(Ok(read.filled().len()))
        }
        Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        Poll::Pending => Poll::Pending,
    }
}

/// For TLS, which reads through tokio's trait.
impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = self.get_mut().poll_receive(cx, buf.initialize_unfilled());
        read.map_ok(|bytes| buf.advance(bytes))
    }
}

impl AsyncWrite for Socket {
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
