//! The frame around every JSON stream decoder: error statuses, whole-body answers, the end marker, errors by name, cut
//! events, and whether the stream was whole. What a chunk means is left to a [`Chunks`].

use std::collections::BTreeSet;

use crate::json::Fault;
use crate::{Closing, Decode, Ending, Event, Meaning, server_error};

/// How a stream shows that it is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// `data: [DONE]` must come.
    DoneMarker,
    /// Every choice that was seen must have said why it ended; a `[DONE]` is understood but not asked for.
    FinishReason,
}

/// Reads one engine's chunks.
pub trait Chunks: 'static {
    /// Begins with the `ctx` of the request.
    fn start(ctx: &str) -> Self;

    /// How this stream ends.
    fn ends(&self) -> Ends;

    /// What a chunk means. `whole` is true when it is a whole-body answer to a request that asked for a stream.
    fn read(&mut self, data: &str, whole: bool) -> Result<Meaning, Fault>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The status is not a success: the body is an error.
    Refused(u16),
    /// One JSON document instead of a stream.
    Whole,
    Stream,
}

/// A [`Decode`] for JSON chunks.
#[derive(Debug)]
pub struct ChunkDecoder<C> {
    chunks: C,
    form: Form,
    /// The `[DONE]` marker, or the meaning that stands for it.
    done: bool,
    /// Some chunk was read.
    read: bool,
    /// The server stated an error: it has said all it had to say, so nothing is missing.
    errored: bool,
    open: BTreeSet<u32>,
    finished: BTreeSet<u32>,
    /// An event that ended before its JSON did. The last one of a cut body looks so, and then the body's end tells; with
    /// an event after it, it was broken by itself and is reported there.
    torn: Option<crate::ServerError>,
}

impl<C: Chunks> ChunkDecoder<C> {
    fn stream(&mut self, event: &Event) -> Meaning {
        let data = event.data.trim();
        if self.done {
            // Data after the end marker is drained, never read.
            return Meaning::default();
        }
        if event.name == "error" {
            self.errored = true;
            return Meaning { error: Some(server_error::by_name(data)), ..Meaning::default() };
        }
        if data.is_empty() {
            return Meaning { ping: true, ..Meaning::default() };
        }
        if data == "[DONE]" {
            self.done = true;
            return Meaning { done: true, ..Meaning::default() };
        }
        match self.chunks.read(data, self.form == Form::Whole) {
            Ok(meaning) => {
                self.note(&meaning);
                meaning
            }
            Err(_) if data.starts_with("{\"error\"") => {
                self.errored = true;
                Meaning { error: Some(server_error::broken(data)), ..Meaning::default() }
            }
            Err(fault) if fault.incomplete => {
                self.torn = Some(server_error::unreadable(&fault, data));
                Meaning::default()
            }
            Err(fault) => {
                Meaning { error: Some(server_error::unreadable(&fault, data)), ..Meaning::default() }
            }
        }
    }

    /// Remembers what the end of the stream will be judged by.
    fn note(&mut self, meaning: &Meaning) {
        self.read = true;
        self.errored |= meaning.error.is_some();
        self.done |= meaning.done;
        if meaning.finish.is_some() {
            self.finished.insert(meaning.choice);
        } else if says_something(meaning) {
            self.open.insert(meaning.choice);
        }
    }

    fn is_whole(&self) -> bool {
        let finished = !self.finished.is_empty() && self.open.is_subset(&self.finished);
        match (self.form, self.chunks.ends()) {
            (Form::Refused(_), _) => true,
            (Form::Whole, _) => self.read,
            (Form::Stream, Ends::DoneMarker) => self.done || self.errored,
            (Form::Stream, Ends::FinishReason) => self.done || self.errored || finished,
        }
    }
}

impl<C: Chunks> Decode for ChunkDecoder<C> {
    fn start(ctx: &str, status: u16, headers: &[(String, String)]) -> Self {
        let form = match status {
            200..300 if is_json(headers) => Form::Whole,
            200..300 => Form::Stream,
            refused => Form::Refused(refused),
        };
        Self {
            chunks: C::start(ctx),
            form,
            done: false,
            read: false,
            errored: false,
            open: BTreeSet::new(),
            finished: BTreeSet::new(),
            torn: None,
        }
    }

    fn event(&mut self, event: &Event) -> Meaning {
        if let Form::Refused(status) = self.form {
            self.read = true;
            return Meaning {
                error: Some(server_error::of_status(status, &event.data)),
                ..Meaning::default()
            };
        }
        let torn = self.torn.take();
        let mut meaning = self.stream(event);
        if meaning.error.is_none() && !self.is_late(&meaning) {
            meaning.error = torn;
        }
        meaning
    }

    fn finish(&mut self, _ending: Ending) -> Closing {
        // A refusal without a body had no event to carry the error.
        let silent = match self.form {
            Form::Refused(status) if !self.read => {
                Some(Meaning { error: Some(server_error::of_status(status, "")), ..Meaning::default() })
            }
            _ => None,
        };
        Closing { whole: self.is_whole(), last: silent }
    }
}

impl<C: Chunks> ChunkDecoder<C> {
    /// An event after the end marker, which is drained and must not carry anything.
    fn is_late(&self, meaning: &Meaning) -> bool {
        self.done && !meaning.done
    }
}

/// The chunk carries output of its choice. Chunks without a choice (usage, extensions) must not open choice 0.
fn says_something(meaning: &Meaning) -> bool {
    let texts = [&meaning.text, &meaning.reasoning, &meaning.tool, &meaning.refusal];
    texts.iter().any(|text| !text.is_empty()) || !meaning.token_ids.is_empty()
}

/// A JSON content type, parameters ignored. NDJSON is a stream.
fn is_json(headers: &[(String, String)]) -> bool {
    headers.iter().filter(|(name, _)| name == "content-type").any(|(_, value)| {
        let media = value.split(';').next().unwrap_or_default().trim();
        media.eq_ignore_ascii_case("application/json") || media.to_ascii_lowercase().ends_with("+json")
    })
}
