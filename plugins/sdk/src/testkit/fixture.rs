//! Replays recorded answers through an adapter: `<case>.http` is status line, headers, blank line and the body without
//! transfer coding; `<case>.json` says how it was asked for and what its events mean. Must not know any engine.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use benchhost_framing::{Framed, Framer, Framing};
use serde::{Deserialize, Serialize};

use crate::{Closing, Decode, Ending, Engine, Event, Meaning};

/// The `.json` beside a recorded answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Expected {
    /// What `build` handed over.
    ctx: String,
    /// `sse`, `ndjson` or `whole_body`: what `build` asked for. An error status or a JSON content type overrides it.
    framing: String,
    #[serde(default)]
    ending: Ending,
    meanings: Vec<Meaning>,
    closing: Closing,
}

/// A recorded answer.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// Replays every fixture in a folder and answers their names in order.
///
/// For each: the body is cut at every byte, and the events must be the same; their meanings and the closing must be those
/// of the `.json`; and no prefix of the body may make the adapter panic or change the meaning of an event before it.
/// With the environment variable `BLESS=1` the expectations are written instead: read them before you commit them.
///
/// # Panics
/// When a fixture is not as expected, naming it, and when the folder has none.
pub fn replay<E: Engine>(folder: impl AsRef<Path>) -> Vec<String> {
    let mut recordings: Vec<PathBuf> = fs::read_dir(folder.as_ref())
        .unwrap_or_else(|e| panic!("{}: {e}", folder.as_ref().display()))
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|e| e == "http"))
        .collect();
    recordings.sort();
    assert!(!recordings.is_empty(), "no fixture in {}", folder.as_ref().display());
    recordings
        .iter()
        .map(|path| {
            let case = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            replay_one::<E>(&case, path);
            case
        })
        .collect()
}

fn replay_one<E: Engine>(case: &str, path: &Path) {
    let answer = read_answer(case, &fs::read(path).expect("a readable fixture"));
    let json = path.with_extension("json");
    let bless = asked_to_write();
    let expected = read_expected(case, &json, bless);
    let framing = framing(&answer, &expected.framing);
    let events = frame(framing, &[&answer.body]);
    for at in 0..=answer.body.len() {
        let (before, after) = answer.body.split_at(at);
        assert!(frame(framing, &[before, after]) == events, "{case}: cut at byte {at}, other events");
    }
    let (meanings, closing) = decode::<E>(&expected.ctx, &answer, &events, expected.ending);
    check_prefixes::<E>(case, &expected.ctx, &answer, framing, &meanings);
    if bless {
        fs::write(&json, write_expected(&Expected { meanings, closing, ..expected }))
            .expect("a writable folder");
        return;
    }
    for (at, (got, wanted)) in meanings.iter().zip(&expected.meanings).enumerate() {
        assert_eq!(got, wanted, "{case}: event {at}: {}", events[at].data);
    }
    assert_eq!(meanings.len(), expected.meanings.len(), "{case}: number of events");
    assert_eq!(closing, expected.closing, "{case}: closing");
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test has no other way to be told; the program never runs this"
)]
fn asked_to_write() -> bool {
    std::env::var("BLESS").is_ok_and(|v| v == "1")
}

fn read_expected(case: &str, path: &Path, bless: bool) -> Expected {
    match fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text).unwrap_or_else(|e| panic!("{case}.json: {e}")),
        Err(e) => {
            assert!(bless, "{}: {e}; write it with BLESS=1", path.display());
            let route = case.split('-').next().unwrap_or_default();
            let ctx = format!("{{\"route\":\"{route}\"}}");
            let (ending, framing) = (Ending::Complete, "sse".to_owned());
            Expected { ctx, framing, ending, meanings: vec![], closing: Closing::default() }
        }
    }
}

/// One meaning a line, so that a person can read it against the body.
fn write_expected(expected: &Expected) -> String {
    let json = |value: serde_json::Result<String>| value.expect("plain data");
    let mut out = String::from("{\n");
    let _ = writeln!(out, "  \"ctx\": {},", json(serde_json::to_string(&expected.ctx)));
    let _ = writeln!(out, "  \"framing\": {},", json(serde_json::to_string(&expected.framing)));
    let _ = writeln!(out, "  \"ending\": {},", json(serde_json::to_string(&expected.ending)));
    out.push_str("  \"meanings\": [");
    for (at, meaning) in expected.meanings.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(out, "{comma}\n    {}", json(serde_json::to_string(meaning)));
    }
    let _ = write!(out, "\n  ],\n  \"closing\": {}\n}}\n", json(serde_json::to_string(&expected.closing)));
    out
}

fn read_answer(case: &str, bytes: &[u8]) -> Answer {
    let end = bytes
        .windows(4)
        .position(|w| w == b"\r\n\r\n")
        .unwrap_or_else(|| panic!("{case}.http: no blank line (CR LF) after the headers"));
    let head = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|l| l.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    Answer {
        status: status.unwrap_or_else(|| panic!("{case}.http: no status in the first line")),
        headers: lines.filter_map(header).collect(),
        body: bytes[end + 4..].to_vec(),
    }
}

/// The host's rule: an error status or a JSON content type is a whole body, whatever was asked for.
fn framing(answer: &Answer, asked: &str) -> Framing {
    let json = answer.headers.iter().any(|(name, value)| {
        let media = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        name == "content-type" && (media == "application/json" || media.ends_with("+json"))
    });
    match asked {
        _ if json || !(200..300).contains(&answer.status) => Framing::WholeBody,
        "sse" => Framing::Sse,
        "ndjson" => Framing::Ndjson,
        "whole_body" => Framing::WholeBody,
        other => panic!("framing `{other}` is none of `sse`, `ndjson`, `whole_body`"),
    }
}

fn frame(framing: Framing, pieces: &[&[u8]]) -> Vec<Framed> {
    let mut events = Vec::new();
    let mut framer = Framer::new(framing);
    for piece in pieces {
        framer.push(piece, &mut events);
    }
    framer.finish(&mut events);
    events
}

fn decode<E: Engine>(
    ctx: &str,
    answer: &Answer,
    events: &[Framed],
    ending: Ending,
) -> (Vec<Meaning>, Closing) {
    let mut decoder = E::Decoder::start(ctx, answer.status, &answer.headers);
    let meanings =
        events.iter().map(|e| decoder.event(&Event { name: e.name.clone(), data: e.data.clone() })).collect();
    (meanings, decoder.finish(ending))
}

/// A stream that breaks off means, up to there, what the whole one means. The last event may be torn, so it is left out.
fn check_prefixes<E: Engine>(case: &str, ctx: &str, answer: &Answer, framing: Framing, meanings: &[Meaning]) {
    // Every byte of a short body, about 500 places of a long one.
    let step = answer.body.len() / 500 + 1;
    for at in (0..answer.body.len()).step_by(step) {
        let events = frame(framing, &[&answer.body[..at]]);
        let (got, _) = decode::<E>(ctx, answer, &events, Ending::Cut);
        let sure = got.len().saturating_sub(1);
        assert!(
            got[..sure] == meanings[..sure],
            "{case}: cut after byte {at}, the events before mean something else"
        );
    }
}
