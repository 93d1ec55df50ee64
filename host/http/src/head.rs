//! Reads a response's head: status, headers, and what they say of the body's end (RFC 9112). Does no I/O.

use hyper::Method;

/// Headers of one response at most.
const HEADERS_MAX: usize = 100;

/// How a body's end is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// So many bytes; none for answers that have no body.
    Length(u64),
    Chunked,
    /// When the peer closes.
    ToClose,
}

/// A response's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// Names in lower case, in the order received.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) framing: Framing,
    /// The connection may serve another request after this answer.
    pub(crate) keep_alive: bool,
}

/// Why bytes are no head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HeadError {
    TooLarge,
    Malformed(String),
}

/// Parses the head at the front of `bytes`. `None`: it is not complete. Otherwise its length, and the head unless it was
/// an interim one (1xx), which means nothing to a client that waits for the answer.
pub(crate) fn parse(bytes: &[u8], method: &Method) -> Result<Option<(usize, Option<Head>)>, HeadError> {
    let mut space = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut parsed = httparse::Response::new(&mut space);
    let mut rules = httparse::ParserConfig::default();
    // RFC 9112 section 5.2: who reads a response replaces the folding of a line by blanks.
    rules.allow_obsolete_multiline_headers_in_responses(true);
    let length = match rules.parse_response(&mut parsed, bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(HeadError::TooLarge),
        Err(error) => return Err(HeadError::Malformed(error.to_string())),
    };
    let status = parsed.code.unwrap_or(0);
    if !(100..=999).contains(&status) {
        return Err(HeadError::Malformed(format!("status {status} is none")));
    }
    if status == 101 {
        return Err(HeadError::Malformed("the server changes to another protocol, unasked".to_owned()));
    }
    if status < 200 {
        return Ok(Some((length, None)));
    }
    let newer = parsed.version == Some(1);
    let headers: Vec<(String, String)> = parsed.headers.iter().map(owned).collect();
    let (framing, contradicts) = framing(method, status, newer, &headers)?;
    let keep_alive = persists(newer, &headers) && framing != Framing::ToClose && !contradicts;
    Ok(Some((length, Some(Head { status, headers, framing, keep_alive }))))
}

fn owned(header: &httparse::Header<'_>) -> (String, String) {
    let value = String::from_utf8_lossy(header.value);
    let value = if value.contains(['\r', '\n']) {
        value.split(['\r', '\n']).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    } else {
        value.into_owned()
    };
    (header.name.to_ascii_lowercase(), value)
}

/// RFC 9112 section 6.3, and whether two headers contradict each other so that nothing after this answer can be trusted.
fn framing(
    method: &Method,
    status: u16,
    newer: bool,
    headers: &[(String, String)],
) -> Result<(Framing, bool), HeadError> {
    let malformed = |words: &str| Err(HeadError::Malformed(words.to_owned()));
    let coded = values(headers, "transfer-encoding").last();
    let length = content_length(headers);
    if *method == Method::HEAD || matches!(status, 204 | 304) {
        return Ok((Framing::Length(0), false));
    }
    match (coded, length) {
        (Some(_), _) if !newer => malformed("an HTTP/1.0 response has a transfer coding"),
        (Some(last), length) if last.eq_ignore_ascii_case("chunked") => {
            Ok((Framing::Chunked, length != Ok(None)))
        }
        (Some(_), _) | (None, Ok(None)) => Ok((Framing::ToClose, false)),
        (None, Ok(Some(length))) => Ok((Framing::Length(length), false)),
        (None, Err(())) => malformed("`content-length` is no number, or several that differ"),
    }
}

/// The one length that all `content-length` headers agree on.
fn content_length(headers: &[(String, String)]) -> Result<Option<u64>, ()> {
    let mut agreed = None;
    for value in values(headers, "content-length") {
        if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(());
        }
        let length: u64 = value.parse().map_err(|_| ())?;
        if agreed.is_some_and(|before| before != length) {
            return Err(());
        }
        agreed = Some(length);
    }
    Ok(agreed)
}

/// Whether the connection stays open by the protocol's rules (RFC 9112 section 9.3).
fn persists(newer: bool, headers: &[(String, String)]) -> bool {
    let says = |word: &str| values(headers, "connection").any(|value| value.eq_ignore_ascii_case(word));
    !says("close") && (newer || says("keep-alive"))
}

/// The members of a header that is a list, over all its lines.
fn values<'a>(headers: &'a [(String, String)], name: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = headers.iter().filter(move |(header, _)| header == name);
    lines.flat_map(|(_, value)| value.split(',').map(str::trim))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Head {
        let (length, head) = parse(text.as_bytes(), &Method::POST).unwrap().unwrap();
        assert_eq!(length, text.len());
        head.unwrap()
    }

    fn with(lines: &str) -> Head {
        head(&format!("HTTP/1.1 200 OK\r\n{lines}\r\n"))
    }

    fn refused(lines: &str) -> bool {
        let text = format!("HTTP/1.1 200 OK\r\n{lines}\r\n");
        matches!(parse(text.as_bytes(), &Method::POST), Err(HeadError::Malformed(_)))
    }

    #[test]
    fn no_prefix_of_a_head_is_a_head() {
        let text = "HTTP/1.1 200 OK\r\nA: b\r\ncontent-length: 3\r\n\r\n";
        for cut in 0..text.len() {
            assert_eq!(parse(&text.as_bytes()[..cut], &Method::GET), Ok(None), "cut at {cut}");
        }
        let read = head(text);
        assert_eq!((read.status, read.framing, read.keep_alive), (200, Framing::Length(3), true));
        assert_eq!(read.headers, [("a".into(), "b".into()), ("content-length".into(), "3".into())]);
    }

    #[test]
    fn the_headers_say_where_the_body_ends() {
        for (lines, framing) in [
            ("", Framing::ToClose),
            ("content-length: 0\r\n", Framing::Length(0)),
            ("content-length: 5, 5\r\ncontent-length: 5\r\n", Framing::Length(5)),
            ("transfer-encoding: chunked\r\n", Framing::Chunked),
            ("transfer-encoding: gzip, Chunked\r\n", Framing::Chunked),
            ("transfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n", Framing::Chunked),
            ("transfer-encoding: gzip\r\n", Framing::ToClose),
            ("transfer-encoding: chunked, gzip\r\n", Framing::ToClose),
            ("transfer-encoding: chunked\r\ncontent-length: 5\r\n", Framing::Chunked),
        ] {
            assert_eq!(with(lines).framing, framing, "{lines:?}");
        }
    }

    #[test]
    fn lengths_that_are_none_or_differ_are_refused() {
        for value in ["-1", "+1", "1x", "0x5", "", "5,", "5, 6", "99999999999999999999999", "1 2"] {
            assert!(refused(&format!("content-length: {value}\r\n")), "{value:?}");
        }
        assert!(refused("content-length: 1\r\ncontent-length: 2\r\n"));
    }

    #[test]
    fn answers_without_a_body_have_none_whatever_their_headers_say() {
        for status in ["204 No Content", "304 Not Modified"] {
            let text = format!("HTTP/1.1 {status}\r\ncontent-length: 10\r\n\r\n");
            assert_eq!(head(&text).framing, Framing::Length(0));
        }
        let text = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        let (_, answer) = parse(text, &Method::HEAD).unwrap().unwrap();
        assert_eq!(answer.unwrap().framing, Framing::Length(0));
    }

    #[test]
    fn interim_heads_are_passed_over_and_a_change_of_protocol_is_refused() {
        let text = "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";
        assert_eq!(parse(text.as_bytes(), &Method::GET), Ok(Some((37, None))));
        let error = parse(b"HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n", &Method::GET).unwrap_err();
        assert!(matches!(error, HeadError::Malformed(_)));
    }

    #[test]
    fn a_connection_persists_as_its_version_and_headers_say() {
        let length = "content-length: 1\r\n";
        assert!(with(length).keep_alive);
        assert!(!with("").keep_alive, "the close is the end");
        assert!(!with(&format!("Connection: Close\r\n{length}")).keep_alive);
        assert!(!with(&format!("connection: x, close\r\n{length}")).keep_alive);
        assert!(!with(&format!("transfer-encoding: chunked\r\n{length}")).keep_alive, "two lengths");
        let older = |lines: &str| head(&format!("HTTP/1.0 200 OK\r\n{lines}{length}\r\n"));
        assert!(!older("").keep_alive);
        assert!(older("connection: keep-alive\r\n").keep_alive);
    }

    #[test]
    fn an_older_version_has_no_transfer_coding() {
        let text = b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        assert!(matches!(parse(text, &Method::GET), Err(HeadError::Malformed(_))));
    }

    #[test]
    fn folded_lines_become_one_and_odd_bytes_are_shown_as_such() {
        let read = with("a: one\r\n  two\r\n\tthree\r\nb: \u{e9}\r\ncontent-length: 1\r\n");
        assert_eq!(read.headers[0].1, "one two three");
        assert_eq!(read.headers[1].1, "é");
    }

    #[test]
    fn garbage_and_other_versions_are_malformed_and_too_many_headers_too_large() {
        for text in [
            "\0\0",
            "SSH-2.0-x\r\n\r\n",
            "HTTP/2 200\r\n\r\n",
            "HTTP/1.1 2 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\na b: c\r\n\r\n",
        ] {
            let error = parse(text.as_bytes(), &Method::GET).unwrap_err();
            assert!(matches!(error, HeadError::Malformed(_)), "{text:?}");
        }
        assert!(matches!(parse(b"HTTP/1.1 099 x\r\n\r\n", &Method::GET), Err(HeadError::Malformed(_))));
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(HEADERS_MAX + 1));
        assert_eq!(parse(many.as_bytes(), &Method::GET), Err(HeadError::TooLarge));
    }
}
