//! Turns what hyper and the socket report into the failure classes of a record, with words for people.

use std::error::Error as _;
use std::io;

use benchhost_model::{Failure, TransportFailure};

/// A failure with its cause.
pub(crate) fn failure(class: Failure, detail: impl Into<String>) -> TransportFailure {
    TransportFailure { failure: class, detail: detail.into() }
}

/// Why there is no response head. `arrived`: bytes of it that had come.
pub(crate) fn without_head(error: &hyper::Error, arrived: u64) -> TransportFailure {
    if error.is_parse_too_large() {
        return failure(
            Failure::Protocol,
            "the response's head is larger than this client reads (64 KiB, 100 headers)",
        );
    }
    if error.is_parse() {
        return failure(Failure::Protocol, format!("what came is not an HTTP/1 response: {}", words(error)));
    }
    let gone = is_gone(error);
    match (gone, arrived) {
        (true, 0) => failure(
            Failure::Closed,
            format!("the server closed the connection without a response ({})", words(error)),
        ),
        (true, _) => failure(
            Failure::Closed,
            format!(
                "the server closed the connection inside the response's head, after {arrived} bytes ({})",
                words(error)
            ),
        ),
        (false, _) => failure(Failure::Protocol, words(error)),
    }
}

/// Why a body that had begun did not end. `kept`: its bytes that had come.
pub(crate) fn inside_body(error: &hyper::Error, kept: usize) -> TransportFailure {
    if is_gone(error) {
        failure(
            Failure::Truncated,
            format!("the connection ended inside the body, after {kept} bytes ({})", words(error)),
        )
    } else {
        failure(Failure::Protocol, format!("the body's framing broke after {kept} bytes: {}", words(error)))
    }
}

/// The peer went away, as opposed to sending something wrong.
fn is_gone(error: &hyper::Error) -> bool {
    if error.is_incomplete_message()
        || error.is_canceled()
        || error.is_closed()
        || error.is_body_write_aborted()
    {
        return true;
    }
    match io_cause(error) {
        Some(cause) => matches!(
            cause.kind(),
            io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::NotConnected
                | io::ErrorKind::TimedOut
        ),
        // hyper's word for «the connection broke, and the cause went elsewhere».
        None => !error.is_parse() && !error.is_user(),
    }
}

fn io_cause(error: &hyper::Error) -> Option<&io::Error> {
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return Some(io);
        }
        next = cause.source();
    }
    None
}

/// The error and its causes in one line.
fn words(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let more = cause.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        next = cause.source();
    }
    text
}
