//! A request that is known to be sendable. Parsed once, before it is due, so that nothing about it can fail on the
//! path that is timed. Knows neither the server's address nor the user's keys.

use benchhost_model::WireRequest;
use bytes::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Uri};

use crate::hang_up::HangUp;

/// What goes over the wire, minus what belongs to the connection: method, path, the dialect's headers, body.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// When the user this request stands for leaves, if before the end of the answer.
    pub hang_up: Option<HangUp>,
}

impl Outgoing {
    /// A request from its parts. `path` is what follows the base URL, query included, and begins with `/`.
    pub fn new(
        method: &str,
        path: &str,
        headers: &[(String, String)],
        body: impl Into<Bytes>,
    ) -> Result<Self, OutgoingError> {
        let parsed = method.parse::<Method>().map_err(|_| OutgoingError::Method(method.to_owned()))?;
        if parsed == Method::CONNECT {
            return Err(OutgoingError::Method(method.to_owned()));
        }
        if !path.starts_with('/') || path.contains('#') || path.parse::<Uri>().is_err() {
            return Err(OutgoingError::Path(path.to_owned()));
        }
        let mut map = HeaderMap::with_capacity(headers.len());
        for (name, value) in headers {
            let (name, value) = parse_header(name, value)?;
            map.append(name, value);
        }
        Ok(Self { method: parsed, path: path.to_owned(), headers: map, body: body.into(), hang_up: None })
    }

    /// `GET path`, no headers, no body.
    pub fn get(path: &str) -> Result<Self, OutgoingError> {
        Self::new("GET", path, &[], Bytes::new())
    }

    /// The method, in upper case.
    pub fn method(&self) -> &str {
        self.method.as_str()
    }

    /// Path and query below the base URL.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The body's length in bytes.
    pub fn body_len(&self) -> usize {
        self.body.len()
    }
}

impl TryFrom<WireRequest> for Outgoing {
    type Error = OutgoingError;

    /// Takes the body without copying it.
    fn try_from(wire: WireRequest) -> Result<Self, Self::Error> {
        Self::new(&wire.method, &wire.path, &wire.headers, wire.body)
    }
}

fn parse_header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), OutgoingError> {
    let bad = || OutgoingError::Header(name.to_owned());
    let parsed: HeaderName = name.parse().map_err(|_| bad())?;
    if is_framing(&parsed) || parsed == header::AUTHORIZATION {
        return Err(OutgoingError::HostHeader(parsed.to_string()));
    }
    Ok((parsed, value.parse().map_err(|_| bad())?))
}

/// Headers that say where a message goes, where it ends, or how its bytes are coded. A wrong one would break the
/// connection, or (`accept-encoding`) let a compressor gather events and so destroy their timing.
pub(crate) fn is_framing(name: &HeaderName) -> bool {
    [
        header::HOST,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::CONNECTION,
        header::TE,
        header::TRAILER,
        header::UPGRADE,
        header::EXPECT,
        header::ACCEPT_ENCODING,
    ]
    .contains(name)
}

/// Why a request cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutgoingError {
    /// Not a method, or one that this client does not speak.
    #[error("`{0}` is not a method this client sends; expected `GET` or `POST`")]
    Method(String),
    /// Not a path.
    #[error("`{0}` is not a path; expected one that begins with `/`, percent-encoded, without `#`")]
    Path(String),
    /// A header that HTTP forbids.
    #[error(
        "header `{0}` has a name or value that HTTP forbids (a space, a line break, a control character)"
    )]
    Header(String),
    /// A header that belongs to the connection or the user.
    #[error("header `{0}` is set by the host; a request must leave it out")]
    HostHeader(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: &str) -> Result<Outgoing, OutgoingError> {
        Outgoing::new("POST", "/x", &[(name.into(), value.into())], "{}")
    }

    #[test]
    fn a_sane_request_is_kept_as_it_is() {
        let out = Outgoing::new("POST", "/v1/x?y=%20", &[("X-A".into(), "b".into())], "body").unwrap();
        assert_eq!((out.method(), out.path(), out.body_len()), ("POST", "/v1/x?y=%20", 4));
        assert_eq!(out.headers.get("x-a").unwrap(), "b");
    }

    #[test]
    fn what_could_smuggle_a_second_request_is_refused() {
        assert_eq!(with("x", "a\r\nb: c").unwrap_err(), OutgoingError::Header("x".into()));
        assert_eq!(with("x y", "a").unwrap_err(), OutgoingError::Header("x y".into()));
        assert!(matches!(Outgoing::get("/a\r\nb"), Err(OutgoingError::Path(_))));
        assert!(matches!(Outgoing::get("/a b"), Err(OutgoingError::Path(_))));
        assert!(matches!(Outgoing::new("GET /", "/", &[], ""), Err(OutgoingError::Method(_))));
    }

    #[test]
    fn headers_of_the_connection_and_of_the_user_are_refused() {
        for name in ["Host", "content-length", "Transfer-Encoding", "authorization", "accept-encoding"] {
            assert_eq!(with(name, "1").unwrap_err(), OutgoingError::HostHeader(name.to_lowercase()));
        }
    }

    #[test]
    fn other_forms_of_target_are_refused() {
        for path in ["", "v1", "http://other/x", "*", "/a#b"] {
            assert_eq!(Outgoing::get(path).unwrap_err(), OutgoingError::Path(path.into()));
        }
        assert!(Outgoing::new("CONNECT", "/", &[], "").is_err());
    }
}
