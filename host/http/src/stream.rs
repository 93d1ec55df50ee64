//! A connection's bytes in plain text, over TCP or TLS, always over a stamped socket. Knows nothing of HTTP.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio_rustls::client::TlsStream;

use crate::socket::Socket;
use crate::stamps::Stamps;

/// Plain or encrypted. Two cases known by name, so that a plain read is a direct call.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(Socket),
    Secure(Box<TlsStream<Socket>>),
}

impl Stream {
    /// The stamps of the socket at the bottom.
    pub(crate) fn stamps(&self) -> &Stamps {
        match self {
            Self::Plain(socket) => socket.stamps(),
            Self::Secure(tls) => tls.get_ref().0.stamps(),
        }
    }

    pub(crate) fn stamps_mut(&mut self) -> &mut Stamps {
        match self {
            Self::Plain(socket) => socket.stamps_mut(),
            Self::Secure(tls) => tls.get_mut().0.stamps_mut(),
        }
    }

    /// Plain text into `buf`; zero bytes are the end. What TLS decrypts at a time stems from the newest read of the
    /// socket: the library reads again only when it has handed out all text.
    #[inline]
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(socket) => socket.poll_receive(cx, buf),
            Self::Secure(tls) => {
                let mut read = ReadBuf::new(buf);
                Pin::new(tls).poll_read(cx, &mut read).map_ok(|()| read.filled().len())
            }
        }
    }

    /// Writes some of `bufs`, in order.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(socket) => Pin::new(socket).poll_write_vectored(cx, bufs),
            Self::Secure(tls) => Pin::new(tls).poll_write_vectored(cx, bufs),
        }
    }

    /// Hands what was written to the socket.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(_) => Poll::Ready(Ok(())),
            Self::Secure(tls) => Pin::new(tls).poll_flush(cx),
        }
    }
}
