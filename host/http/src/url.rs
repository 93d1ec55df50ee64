//! The address of a server: scheme, host, port and an optional path prefix. Does no I/O and resolves nothing.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use hyper::Uri;

/// How the bytes travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain TCP.
    Http,
    /// TLS.
    Https,
}

impl Scheme {
    const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    /// `http` or `https`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// A server's base URL. Holds no secret: a URL with a user name, a query or a fragment is refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    scheme: Scheme,
    /// Without brackets.
    host: String,
    port: u16,
    /// Empty, or `/` and what follows, without a `/` at its end.
    prefix: String,
}

impl BaseUrl {
    /// How the bytes travel.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Name or address, an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, given or the scheme's.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The same server on another port.
    #[must_use]
    pub fn with_port(&self, port: u16) -> Self {
        Self { port, ..self.clone() }
    }

    /// The path to ask for: the base's prefix, then `path` (with its query), joined by exactly one `/`.
    pub fn join(&self, path: &str) -> String {
        format!("{}/{}", self.prefix, path.strip_prefix('/').unwrap_or(path))
    }

    /// `host`, or `host:port` when the port is not the scheme's own; as the `host` header wants it.
    pub fn authority(&self) -> String {
        let bare = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == self.scheme.default_port() { bare } else { format!("{bare}:{}", self.port) }
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme.as_str(), self.authority(), self.prefix)
    }
}

/// Why a text is no base URL. Shows the text only where it cannot hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// No `http://` or `https://` in front.
    #[error("a server's URL begins with `http://` or `https://`, as in `http://localhost:8000`")]
    Scheme,
    /// `user:password@`.
    #[error("the URL holds a user name or password before `@`; give the key by its own option instead")]
    UserInfo,
    /// `?…` or `#…`.
    #[error("the URL holds a `{0}` part; give scheme, host, port and path only")]
    Extra(char),
    /// Nothing between `//` and the port or path.
    #[error("the URL names no host, expected one as in `http://localhost:8000`")]
    NoHost,
    /// The host is neither a name nor an address.
    #[error(
        "`{0}` is neither a host name nor an address; an IPv6 address stands in brackets, as in `http://[::1]:8000`"
    )]
    Host(String),
    /// The port is not 1 to 65535.
    #[error("`{0}` is not a port; expected 1 to 65535")]
    Port(String),
    /// The path holds what a request line cannot carry.
    #[error(
        "the path `{0}` is too long, or holds a space, `<`, `>` or a character outside ASCII; write such percent-encoded"
    )]
    Path(String),
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) = split_scheme(text.trim())?;
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(BaseUrlError::UserInfo);
        }
        if let Some(mark) = path.chars().find(|c| matches!(c, '?' | '#')) {
            return Err(BaseUrlError::Extra(mark));
        }
        let sendable = path.is_empty() || path.parse::<Uri>().is_ok();
        if !sendable || !path.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(BaseUrlError::Path(path.to_owned()));
        }
        let (host, port) = split_authority(authority)?;
        Ok(Self {
            scheme,
            host,
            port: port.unwrap_or(scheme.default_port()),
            prefix: path.trim_end_matches('/').to_owned(),
        })
    }
}

fn split_scheme(text: &str) -> Result<(Scheme, &str), BaseUrlError> {
    let (word, rest) = text.split_once("://").ok_or(BaseUrlError::Scheme)?;
    let scheme = match word.to_ascii_lowercase().as_str() {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        _ => return Err(BaseUrlError::Scheme),
    };
    Ok((scheme, rest))
}

fn split_authority(authority: &str) -> Result<(String, Option<u16>), BaseUrlError> {
    let bad_host = || BaseUrlError::Host(authority.to_owned());
    let (host, port) = if let Some(bracketed) = authority.strip_prefix('[') {
        let (address, after) = bracketed.split_once(']').ok_or_else(bad_host)?;
        let address: Ipv6Addr = address.parse().map_err(|_| bad_host())?;
        let port = match after {
            "" => None,
            _ => Some(after.strip_prefix(':').ok_or_else(bad_host)?),
        };
        (address.to_string(), port)
    } else {
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        if host.is_empty() {
            return Err(BaseUrlError::NoHost);
        }
        let named = host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
        if !named || port.is_some_and(|p| p.contains(':')) {
            return Err(bad_host());
        }
        (host.to_ascii_lowercase(), port)
    };
    let port = port.map(parse_port).transpose()?;
    Ok((host, port))
}

fn parse_port(text: &str) -> Result<u16, BaseUrlError> {
    let bad = || BaseUrlError::Port(text.to_owned());
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(bad());
    }
    text.parse().ok().filter(|port| *port > 0).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> BaseUrl {
        text.parse().unwrap()
    }

    #[test]
    fn parts_are_read_and_shown_in_one_form() {
        for (text, shown, host, port) in [
            ("http://localhost:8000", "http://localhost:8000", "localhost", 8000),
            (" HTTPS://Api.Example.COM/ ", "https://api.example.com", "api.example.com", 443),
            ("http://10.0.0.1:80/v1/", "http://10.0.0.1/v1", "10.0.0.1", 80),
            ("http://[::1]:9", "http://[::1]:9", "::1", 9),
            ("https://[2001:db8::1]/a//", "https://[2001:db8::1]/a", "2001:db8::1", 443),
            ("http://my_pod-1:1", "http://my_pod-1:1", "my_pod-1", 1),
        ] {
            let parsed = url(text);
            assert_eq!(parsed.to_string(), shown, "{text}");
            assert_eq!((parsed.host(), parsed.port()), (host, port), "{text}");
            assert_eq!(url(&parsed.to_string()), parsed);
        }
    }

    #[test]
    fn paths_join_with_exactly_one_slash() {
        assert_eq!(url("http://h").join("/v1/chat?x=1"), "/v1/chat?x=1");
        assert_eq!(url("http://h/").join("v1"), "/v1");
        assert_eq!(url("http://h/serve/a/").join("/v1"), "/serve/a/v1");
        assert_eq!(url("http://h:1").with_port(9090).to_string(), "http://h:9090");
    }

    #[test]
    fn what_could_hold_a_secret_is_refused_and_not_repeated() {
        let error = "http://alice:hunter2@host/".parse::<BaseUrl>().unwrap_err();
        assert_eq!(error, BaseUrlError::UserInfo);
        assert!(!error.to_string().contains("hunter2"));
        assert_eq!("http://h/?key=1".parse::<BaseUrl>(), Err(BaseUrlError::Extra('?')));
        assert_eq!("http://h#f".parse::<BaseUrl>(), Err(BaseUrlError::Extra('#')));
    }

    #[test]
    fn each_mistake_has_its_own_error() {
        use BaseUrlError as E;
        type Expected = fn(&E) -> bool;
        let cases: [(&str, Expected); 14] = [
            ("", |e| matches!(e, E::Scheme)),
            ("localhost:8000", |e| matches!(e, E::Scheme)),
            ("ftp://h", |e| matches!(e, E::Scheme)),
            ("http://", |e| matches!(e, E::NoHost)),
            ("http://:80", |e| matches!(e, E::NoHost)),
            ("http://::1", |e| matches!(e, E::Host(_) | E::NoHost)),
            ("http://fe80::1:80", |e| matches!(e, E::Host(_))),
            ("http://[::1", |e| matches!(e, E::Host(_))),
            ("http://[zz]:1", |e| matches!(e, E::Host(_))),
            ("http://h:0", |e| matches!(e, E::Port(_))),
            ("http://h:65536", |e| matches!(e, E::Port(_))),
            ("http://h:+80", |e| matches!(e, E::Port(_))),
            ("http://h/a b", |e| matches!(e, E::Path(_))),
            ("http://h/a<b", |e| matches!(e, E::Path(_))),
        ];
        for (text, expected) in cases {
            let error = text.parse::<BaseUrl>().unwrap_err();
            assert!(expected(&error), "{text}: {error:?}");
        }
        assert!("http://bücher.example".parse::<BaseUrl>().is_err());
    }
}
