//! `benchhost export --as parquet`: rows, and with `--events` their output events, as tables. One row is held beside the
//! row group that is being filled.

use std::fs::File;
use std::io::{BufWriter, Write};

use benchhost_columnar::{About, ColumnarError, Ending, Event, EventsFile, RequestsFile};
use benchhost_interop::Origin;
use benchhost_store::{EventBlock, Sharing};

use super::part::Part;
use super::{Stopped, wanted};
use crate::args::ExportArgs;
use crate::cmd::report;
use crate::error::CliError;
use crate::store::{Joined, Layout, Manifest};
use crate::ui::{Printer, plural};

/// Writes the run's rows to `out`; how many.
pub(super) fn rows(
    args: &ExportArgs,
    layout: &Layout,
    manifest: &Manifest,
    origin: &Origin,
    out: impl Write + Send,
    printer: &Printer,
) -> Result<u64, Stopped> {
    let about = About {
        exported_by: origin.exported_by.clone(),
        run_id: manifest.run_id.clone(),
        schema_version: manifest.schema_version,
        started_unix_s: manifest.started_unix_s,
    };
    let events = args.events.as_deref().map(Part::create).transpose()?;
    let (part, file) = events.unzip();
    let written = both(args, layout, &about, (out, file), printer);
    if let Some(part) = part {
        part.end(matches!(written, Ok(n) if n > 0)).map_err(Stopped::Write)?;
    }
    written
}

fn both(
    args: &ExportArgs,
    layout: &Layout,
    about: &About,
    (out, events): (impl Write + Send, Option<File>),
    printer: &Printer,
) -> Result<u64, Stopped> {
    let mut joined = Joined::open(layout)?;
    let scores: Vec<String> = joined.score_names().map(str::to_owned).collect();
    let mut requests = RequestsFile::create(out, about, &scores)?;
    let events = events.map(|file| BufWriter::with_capacity(256 * 1024, file));
    let mut events = events.map(|file| EventsFile::create(file, about)).transpose()?;
    let (mut rows, mut instants) = (0_u64, 0_u64);
    for pair in joined.by_ref() {
        let (record, block) = pair?;
        if !wanted(args, record.load, record.repeat) {
            continue;
        }
        requests.push(&record)?;
        rows += 1;
        if let (Some(events), Some(block)) = (&mut events, &block) {
            events.push(&record, events_of(block))?;
            instants += block.len() as u64;
        }
    }
    report::warn_damaged(layout, &joined, printer)?;
    let ending = Ending { rows_torn: joined.torn() };
    requests.finish(ending)?;
    let with =
        if events.is_some() { format!(" and {}", plural(instants, "output event")) } else { String::new() };
    if let Some(events) = events {
        events.finish(ending)?;
    }
    printer.status(&format!("exported {}{with}", plural(rows, "request")));
    Ok(rows)
}

fn events_of(block: &EventBlock) -> impl Iterator<Item = Event> {
    block.stamps_ns().enumerate().map(|(at, t_ns)| Event {
        t_ns,
        kind: block.kinds.as_bytes().get(at).map_or("", |letter| kind(*letter)),
        tokens: block.tokens.get(at).copied(),
        lag_ns: block.lags.get(at).copied().flatten(),
        sharing: match block.sharing.get(at).copied().unwrap_or_default() {
            Sharing::Alone => "alone",
            Sharing::Together => "together",
            Sharing::Censored => "censored",
            Sharing::Unknown => "unknown",
        },
    })
}

/// The word of a letter in `events.bin`.
const fn kind(letter: u8) -> &'static str {
    match letter {
        b'a' => "answer",
        b'r' => "reasoning",
        b't' => "tool_call",
        b'f' => "refusal",
        b'n' => "tokens",
        _ => "",
    }
}

impl From<ColumnarError> for Stopped {
    fn from(error: ColumnarError) -> Self {
        match error {
            ColumnarError::Write(cause) => Self::Write(cause),
            other => Self::Told(CliError::internal("cannot export").caused_by(&other)),
        }
    }
}
