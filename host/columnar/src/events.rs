//! Output events as a table: one row an event, joined to the requests by `row`. Knows no form of ours.

use std::io::Write;

use benchhost_model::Record;

use crate::column::{AnyColumn, maybe_whole, text, whole, word};
use crate::table::{About, ColumnarError, Ending, Table};

/// An output event of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Its time from the run's start in nanoseconds.
    pub t_ns: u64,
    /// What it brought: `answer`, `reasoning`, `tool_call`, `refusal`, `tokens` (without text); empty where not known.
    pub kind: &'static str,
    /// Tokens in it, where known.
    pub tokens: Option<u32>,
    /// How much later than the kernel the program saw it, in nanoseconds, where the kernel stamped it.
    pub lag_ns: Option<u32>,
    /// Whether it shared a read with a later one: `alone`, `together`, `censored`, `unknown`.
    pub sharing: &'static str,
}

/// An event of a request, with its place.
struct Placed {
    row: u64,
    event: u64,
    of: Event,
}

/// `events.parquet` in the making.
pub struct EventsFile<W: Write + Send>(Table<Placed, W>);

impl<W: Write + Send> std::fmt::Debug for EventsFile<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventsFile").finish_non_exhaustive()
    }
}

impl<W: Write + Send> EventsFile<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn create(out: W, about: &About) -> Result<Self, ColumnarError> {
        Table::create("events", columns(), out, about).map(Self)
    }

    /// Takes the events of a request in their order.
    ///
    /// # Errors
    /// When `out` cannot be written, or a time does not fit.
    pub fn push(
        &mut self,
        record: &Record,
        events: impl IntoIterator<Item = Event>,
    ) -> Result<(), ColumnarError> {
        self.0.note(record);
        for (event, of) in (0..).zip(events) {
            self.0.push(&Placed { row: record.row, event, of })?;
        }
        Ok(())
    }

    /// Ends the file. Without this there is none.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn finish(self, ending: Ending) -> Result<(), ColumnarError> {
        self.0.finish(ending)
    }
}

fn columns() -> Vec<AnyColumn<Placed>> {
    vec![
        whole("row", |e: &Placed| e.row),
        whole("event", |e: &Placed| e.event),
        whole("t_ns", |e: &Placed| e.of.t_ns),
        text("kind", |e: &Placed| e.of.kind.into()),
        maybe_whole("tokens", |e: &Placed| e.of.tokens.map(u64::from)),
        maybe_whole("lag_ns", |e: &Placed| e.of.lag_ns.map(u64::from)),
        word("sharing", |e: &Placed| e.of.sharing.into()),
    ]
}
