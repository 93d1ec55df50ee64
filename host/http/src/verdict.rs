//! Turns what the connection reports into the failure classes of a record, with words for people.

use std::io;

use benchhost_model::{Failure, TransportFailure};

use crate::wire::WireError;

/// A failure with its cause.
pub(crate) fn failure(class: Failure, detail: impl Into<String>) -> TransportFailure {
    TransportFailure { failure: class, detail: detail.into() }
}

/// Why there is no response head. `arrived`: bytes of it that had come.
pub(crate) fn without_head(error: &WireError, arrived: u64) -> TransportFailure {
    match error {
        WireError::HeadTooLarge => failure(
            Failure::Protocol,
            "the response's head is larger than this client reads (64 KiB, 100 headers)",
        ),
        WireError::NotHttp(words) => {
            failure(Failure::Protocol, format!("what came is not an HTTP/1 response: {words}"))
        }
        WireError::Framing(words) => failure(Failure::Protocol, *words),
        WireError::Gone(Some(cause)) if !is_gone(cause) => failure(Failure::Protocol, cause.to_string()),
        WireError::Gone(cause) => {
            let how = if arrived == 0 {
                "without a response".to_owned()
            } else {
                format!("inside the response's head, after {arrived} bytes")
            };
            failure(
                Failure::Closed,
                format!("the server closed the connection {how}{}", because(cause.as_ref())),
            )
        }
    }
}

/// Why a body that had begun did not end. `kept`: its bytes that had come.
pub(crate) fn inside_body(error: &WireError, kept: usize) -> TransportFailure {
    let broke = |words: &str| {
        failure(Failure::Protocol, format!("the body's framing broke after {kept} bytes: {words}"))
    };
    match error {
        WireError::Gone(Some(cause)) if !is_gone(cause) => broke(&cause.to_string()),
        WireError::Gone(cause) => failure(
            Failure::Truncated,
            format!("the connection ended inside the body, after {kept} bytes{}", because(cause.as_ref())),
        ),
        WireError::Framing(words) => broke(words),
        WireError::NotHttp(words) => broke(words),
        WireError::HeadTooLarge => broke("a head inside the body is too large"),
    }
}

/// The peer went away, as opposed to sending something wrong (which TLS reports as an error of the socket).
fn is_gone(error: &io::Error) -> bool {
    !matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other)
}

fn because(cause: Option<&io::Error>) -> String {
    cause.map(|error| format!(" ({error})")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_left_and_a_peer_that_is_wrong_are_told_apart() {
        let gone = |kind: Option<io::ErrorKind>| WireError::Gone(kind.map(io::Error::from));
        for kind in [None, Some(io::ErrorKind::ConnectionReset), Some(io::ErrorKind::UnexpectedEof)] {
            assert_eq!(without_head(&gone(kind), 0).failure, Failure::Closed);
            assert_eq!(inside_body(&gone(kind), 0).failure, Failure::Truncated);
        }
        let wrong = gone(Some(io::ErrorKind::InvalidData));
        assert_eq!(without_head(&wrong, 3).failure, Failure::Protocol);
        assert_eq!(inside_body(&wrong, 3).failure, Failure::Protocol);
    }
}
