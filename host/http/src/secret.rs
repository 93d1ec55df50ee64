//! Headers whose value must not reach a log, an error or a file.

use std::fmt;

use hyper::header::{HeaderName, HeaderValue};

use crate::outgoing::is_framing;

/// A request header with a value that is never shown: an API key, or any header the user added.
#[derive(Clone)]
pub struct SecretHeader {
    pub(crate) name: HeaderName,
    pub(crate) value: HeaderValue,
}

impl SecretHeader {
    /// A header from its name and value. Refuses what HTTP forbids and what frames the message (`host`,
    /// `content-length`, …), which the exchange sets itself.
    pub fn new(name: &str, value: &str) -> Result<Self, SecretHeaderError> {
        let parsed: HeaderName = name.trim().parse().map_err(|_| SecretHeaderError::Name(name.to_owned()))?;
        if is_framing(&parsed) {
            return Err(SecretHeaderError::Framing(parsed.to_string()));
        }
        let mut value: HeaderValue =
            value.trim().parse().map_err(|_| SecretHeaderError::Value(parsed.to_string()))?;
        value.set_sensitive(true);
        Ok(Self { name: parsed, value })
    }

    /// `authorization: Bearer <token>`.
    pub fn bearer(token: &str) -> Result<Self, SecretHeaderError> {
        Self::new("authorization", &format!("Bearer {}", token.trim()))
    }

    /// The header's name, in lower case.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }
}

impl fmt::Debug for SecretHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretHeader({self})")
    }
}

impl fmt::Display for SecretHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ***", self.name)
    }
}

/// Why a header was refused. Never shows the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretHeaderError {
    /// The name is not a header name.
    #[error("`{0}` is not a header name; expected letters, digits and `-`")]
    Name(String),
    /// The value has bytes that no header may carry.
    #[error("the value of header `{0}` has a line break or a control character; check how it was read")]
    Value(String),
    /// The header frames the message.
    #[error("header `{0}` is set by the program; leave it out")]
    Framing(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_is_in_neither_display_nor_debug() {
        let header = SecretHeader::bearer("sk-very-secret").unwrap();
        for shown in [format!("{header}"), format!("{header:?}"), format!("{:?}", Some(&header))] {
            assert!(!shown.contains("very-secret"), "{shown}");
            assert!(shown.contains("authorization"), "{shown}");
        }
    }

    #[test]
    fn errors_do_not_show_the_value() {
        let error = SecretHeader::new("x-key", "abc\r\ndef").unwrap_err();
        assert_eq!(error, SecretHeaderError::Value("x-key".into()));
        assert!(!error.to_string().contains("abc"));
    }

    #[test]
    fn framing_headers_and_bad_names_are_refused() {
        assert!(matches!(SecretHeader::new("Host", "a"), Err(SecretHeaderError::Framing(_))));
        assert!(matches!(
            SecretHeader::new("transfer-encoding", "chunked"),
            Err(SecretHeaderError::Framing(_))
        ));
        assert!(matches!(SecretHeader::new("a b", "c"), Err(SecretHeaderError::Name(_))));
    }
}
