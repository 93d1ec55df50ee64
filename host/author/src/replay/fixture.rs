//! A recorded answer (`<case>.http`) and what it means (`<case>.json`). Must not know components.

use std::fs;
use std::path::{Path, PathBuf};

use benchhost_framing::Framing;
use benchhost_model::{Closing, Ending, Meaning};
use serde::Deserialize;

/// One recorded answer with the meaning of each event.
#[derive(Debug, Clone)]
pub struct Fixture {
    /// The case: the file's name without ending.
    pub name: String,
    /// HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, chunked framing removed.
    pub body: Vec<u8>,
    /// What the adapter had put into the request's `ctx`.
    pub ctx: String,
    /// How the body is cut: as the request declared, or whole for an error or a JSON answer.
    pub framing: Framing,
    /// How the body ended.
    pub ending: Ending,
    /// One for each event.
    pub meanings: Vec<Meaning>,
    /// What the end means.
    pub closing: Closing,
}

/// A fixture that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("fixture `{}` cannot be used: {cause}", path.display())]
pub struct FixtureError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub cause: String,
}

/// The `.json` file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    #[serde(default)]
    ctx: String,
    framing: StreamFraming,
    #[serde(default = "complete")]
    ending: Ending,
    meanings: Vec<Meaning>,
    closing: Closing,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StreamFraming {
    Sse,
    Ndjson,
    #[serde(alias = "whole-body")]
    WholeBody,
}

const fn complete() -> Ending {
    Ending::Complete
}

impl Fixture {
    /// All fixtures in `dir`, by name. A folder that does not exist has none.
    pub fn read_all(dir: &Path) -> Result<Vec<Self>, FixtureError> {
        let failed = |e: std::io::Error| FixtureError { path: dir.to_owned(), cause: e.to_string() };
        let entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(failed(e)),
        };
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|e| e == "http") {
                paths.push(path);
            }
        }
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }

    /// The fixture at `path` (the `.http` file).
    pub fn read(path: &Path) -> Result<Self, FixtureError> {
        let expected = path.with_extension("json");
        let open = |path: &Path| {
            fs::read(path).map_err(|e| FixtureError { path: path.to_owned(), cause: e.to_string() })
        };
        let name = path.file_stem().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let answer = Answer::parse(&open(path)?)
            .map_err(|cause| FixtureError { path: path.to_owned(), cause: cause.to_owned() })?;
        let expected: Expected = serde_json::from_slice(&open(&expected)?)
            .map_err(|e| FixtureError { path: expected, cause: e.to_string() })?;
        let framing = match expected.framing {
            _ if answer.is_one_document() => Framing::WholeBody,
            StreamFraming::Sse => Framing::Sse,
            StreamFraming::Ndjson => Framing::Ndjson,
            StreamFraming::WholeBody => Framing::WholeBody,
        };
        Ok(Self {
            name,
            status: answer.status,
            headers: answer.headers,
            body: answer.body,
            ctx: expected.ctx,
            framing,
            ending: expected.ending,
            meanings: expected.meanings,
            closing: expected.closing,
        })
    }
}

/// The `.http` file.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    /// Status line, headers, blank line, body. Lines end in LF or CR LF.
    fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let mut rest = bytes;
        let mut line = || {
            let end = rest.iter().position(|b| *b == b'\n').ok_or("its head has no blank line after it")?;
            let text = std::str::from_utf8(&rest[..end]).map_err(|_| "its head is not UTF-8")?;
            rest = &rest[end + 1..];
            Ok(text.trim_end_matches('\r'))
        };
        let status = line()?;
        let status = status
            .strip_prefix("HTTP/")
            .and_then(|s| s.split(' ').nth(1)?.parse().ok())
            .ok_or("it does not begin with a status line such as `HTTP/1.1 200 OK`")?;
        let mut headers = Vec::new();
        loop {
            let text = line()?;
            if text.is_empty() {
                return Ok(Self { status, headers, body: rest.to_vec() });
            }
            let (name, value) = text.split_once(':').ok_or("a header has no colon")?;
            headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    /// An error, or JSON where a stream may have been asked for: never cut into events.
    fn is_one_document(&self) -> bool {
        let media = self.headers.iter().find(|(name, _)| name == "content-type").map_or("", |(_, v)| v);
        let media = media.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        !(200..300).contains(&self.status) || media == "application/json" || media.ends_with("+json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_line_ends_are_read_and_the_body_is_kept_as_it_is() {
        let answer =
            Answer::parse(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: a\r\n\n")
                .unwrap();
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers, [("content-type".to_owned(), "text/event-stream".to_owned())]);
        assert_eq!(answer.body, b"data: a\r\n\n");
        assert_eq!(Answer::parse(b"HTTP/1.1 204 No Content\n\n").unwrap().body, b"");
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for bytes in [
            &b""[..],
            b"HTTP/1.1 200 OK\n",
            b"GET / HTTP/1.1\n\n",
            b"HTTP/1.1 200\nno colon\n\n",
            b"HTTP/1.1 200\na: \xff\n\n",
        ] {
            assert!(Answer::parse(bytes).is_err(), "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn errors_and_json_are_one_document() {
        let one = |status: u16, media: &str| {
            Answer { status, headers: vec![("content-type".into(), media.into())], body: vec![] }
                .is_one_document()
        };
        assert!(one(500, "text/event-stream"));
        assert!(one(200, "application/json; charset=utf-8"));
        assert!(one(200, "application/problem+json"));
        assert!(!one(200, "text/event-stream"));
        assert!(!one(200, "application/x-ndjson"));
    }

    #[test]
    fn a_case_is_two_files_and_a_missing_or_misspelt_one_is_named() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Fixture::read_all(&dir.path().join("none")).unwrap().is_empty());
        fs::write(dir.path().join("a.http"), "HTTP/1.1 200 OK\n\ndata: x\n\n").unwrap();
        let error = Fixture::read_all(dir.path()).unwrap_err().to_string();
        assert!(error.contains("a.json"), "{error}");
        let json = r#"{"framing":"sse","meanings":[{"text":"x"}],"closing":{"whole":false}}"#;
        fs::write(dir.path().join("a.json"), json).unwrap();
        let all = Fixture::read_all(dir.path()).unwrap();
        assert_eq!((all.len(), all[0].name.as_str(), all[0].meanings[0].text.as_str()), (1, "a", "x"));
        fs::write(dir.path().join("a.json"), json.replace("meanings", "meaning")).unwrap();
        assert!(Fixture::read_all(dir.path()).is_err());
    }
}
