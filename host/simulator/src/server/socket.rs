//! A connection's socket: when a request arrived, and what hyper wants of a stream.
//!
//! It copies bytes and keeps one stamp; it knows neither requests nor answers.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

use benchhost_os::clock::{Offset, monotonic_ns};
use hyper::rt::ReadBufCursor;
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;

/// Bytes taken from the socket in one read; requests are mostly smaller.
const READ_SIZE: usize = 16 * 1024;

/// What one read delivered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Received {
    /// Bytes; 0 at the end of the stream.
    pub(crate) bytes: usize,
    /// When they arrived, on the monotonic clock: by the kernel's stamp, or when the read returned.
    pub(crate) at: u64,
}

/// A socket that tells when bytes arrived.
#[derive(Debug)]
pub(crate) struct Stamped {
    stream: TcpStream,
    /// From the kernel's clock to ours, where the kernel stamps.
    offset: Option<Offset>,
}

impl Stamped {
    /// Wraps a connected socket. `stamps`: ask the kernel for arrival times.
    pub(crate) fn new(stream: TcpStream, stamps: bool) -> Self {
        let offset = (stamps && kernel::enable(&stream)).then(Offset::measure);
        Self { stream, offset }
    }

    /// The socket itself.
    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Reads what is there, or waits.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<Received>> {
        loop {
            ready!(self.stream.poll_read_ready(cx))?;
            match self.read_now(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return Poll::Ready(read),
            }
        }
    }

    fn read_now(&mut self, buffer: &mut [u8]) -> io::Result<Received> {
        let Some(offset) = &mut self.offset else {
            let bytes = self.stream.try_read(buffer)?;
            return Ok(Received { bytes, at: monotonic_ns() });
        };
        let (bytes, stamp) = kernel::read(&self.stream, buffer)?;
        let now = monotonic_ns();
        offset.refresh(now);
        // A stamp from the future is of a clock that was set meanwhile.
        let at = stamp.and_then(|stamp| offset.monotonic_of(stamp)).filter(|at| *at <= now);
        Ok(Received { bytes, at: at.unwrap_or(now) })
    }
}

#[cfg(target_os = "linux")]
mod kernel {
    use std::io;

    use benchhost_os::stamps;
    use tokio::io::Interest;
    use tokio::net::TcpStream;

    pub(super) fn enable(stream: &TcpStream) -> bool {
        stamps::enable(stream)
    }

    pub(super) fn read(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<(usize, Option<u64>)> {
        let received = stream.try_io(Interest::READABLE, || stamps::recv(stream, buffer))?;
        Ok((received.bytes, received.realtime_ns))
    }
}

#[cfg(not(target_os = "linux"))]
mod kernel {
    use std::io;

    use tokio::net::TcpStream;

    pub(super) fn enable(_: &TcpStream) -> bool {
        false
    }

    pub(super) fn read(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<(usize, Option<u64>)> {
        stream.try_read(buffer).map(|bytes| (bytes, None))
    }
}

/// When the first bytes of the request arrived that is being read.
#[derive(Debug, Default)]
pub(super) struct Arrival(AtomicU64);

impl Arrival {
    /// The arrival of the request that has been read now; the next bytes belong to another.
    pub(super) fn take(&self) -> u64 {
        match self.0.swap(0, Relaxed) {
            0 => monotonic_ns(),
            at => at,
        }
    }

    fn note(&self, received: Received) {
        if received.bytes > 0 && self.0.load(Relaxed) == 0 {
            self.0.store(received.at, Relaxed);
        }
    }
}

/// A socket as hyper wants it.
#[derive(Debug)]
pub(super) struct HyperIo {
    socket: Stamped,
    arrival: Arc<Arrival>,
    // An own buffer, since filling hyper's in place would take unsafe code.
    buffer: Box<[u8]>,
}

impl HyperIo {
    /// Wraps a socket; arrivals of requests are noted in `arrival`.
    pub(super) fn new(socket: Stamped, arrival: Arc<Arrival>) -> Self {
        Self { socket, arrival, buffer: vec![0; READ_SIZE].into_boxed_slice() }
    }
}

impl hyper::rt::Read for HyperIo {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let size = cursor.remaining().min(this.buffer.len());
        let received = ready!(this.socket.poll_read(cx, &mut this.buffer[..size]))?;
        this.arrival.note(received);
        cursor.put_slice(&this.buffer[..received.bytes]);
        Poll::Ready(Ok(()))
    }
}

impl hyper::rt::Write for HyperIo {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().socket.stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().socket.stream).poll_write_vectored(cx, parts)
    }
}
