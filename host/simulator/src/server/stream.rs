//! A response body that an async function writes frame by frame, in the task of its connection.
//!
//! No second task stands between the engine and the socket: a frame is stamped, handed over and written in one poll. What
//! the frames hold is `service`'s business.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// The answer is given up: hyper then closes the connection without an end of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Abandoned;

impl fmt::Display for Abandoned {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the answer was given up as the fault plan asks")
    }
}

impl std::error::Error for Abandoned {}

/// Where an async function puts its frames.
#[derive(Debug, Clone, Default)]
pub(super) struct Sink(Arc<Mutex<Option<Bytes>>>);

impl Sink {
    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Bytes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands over one frame and waits until hyper took it. hyper asks for the next frame without being woken.
    pub(super) async fn send(&self, frame: Bytes) {
        if frame.is_empty() {
            return;
        }
        *self.slot() = Some(frame);
        std::future::poll_fn(|_| if self.slot().is_none() { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}

type Writer = Pin<Box<dyn Future<Output = Result<(), Abandoned>> + Send>>;

/// A body: fixed bytes, or written by an async function.
pub(super) enum Paced {
    /// These bytes, with a content length.
    Fixed(Option<Bytes>),
    /// Chunked, as the function gives frames.
    Written {
        /// Where frames appear.
        sink: Sink,
        /// The function; none after its end.
        writer: Option<Writer>,
    },
}

impl Paced {
    /// A body that `write` fills through its sink.
    pub(super) fn written<F>(write: impl FnOnce(Sink) -> F) -> Self
    where
        F: Future<Output = Result<(), Abandoned>> + Send + 'static,
    {
        let sink = Sink::default();
        let writer: Writer = Box::pin(write(sink.clone()));
        Self::Written { sink, writer: Some(writer) }
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = Abandoned;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Abandoned>>> {
        match self.get_mut() {
            Self::Fixed(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Written { sink, writer } => {
                let Some(future) = writer else { return Poll::Ready(None) };
                let ended = future.as_mut().poll(cx);
                if ended.is_ready() {
                    // Dropped now, so that the engine's place is free before the connection goes on.
                    *writer = None;
                }
                match (sink.slot().take(), ended) {
                    (Some(frame), _) => Poll::Ready(Some(Ok(Frame::data(frame)))),
                    (None, Poll::Ready(Ok(()))) => Poll::Ready(None),
                    (None, Poll::Ready(Err(abandoned))) => Poll::Ready(Some(Err(abandoned))),
                    (None, Poll::Pending) => Poll::Pending,
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Fixed(bytes) => bytes.is_none(),
            Self::Written { writer, .. } => writer.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Fixed(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Written { .. } => SizeHint::new(),
        }
    }
}
