//! Appends rows as they come. A row is one `write`; a failed write names the file and stops the run, with what is
//! already there left as it is.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use benchhost_model::{Record, Score};
use serde::Serialize;

use super::layout::Layout;
use super::rows::{self, EventsRow, OutputRow, TelemetryRow};
use crate::error::{CliError, CliResult};

/// The open files of a run.
#[derive(Debug)]
pub(crate) struct RunWriter {
    layout: Layout,
    scores: Vec<String>,
    requests: Appender,
    also: Option<Appender>,
    events: Appender,
    outputs: Appender,
    score_rows: Appender,
    telemetry: Appender,
    rows: u64,
    header_written: bool,
}

impl RunWriter {
    /// Creates the directory, which must be new or empty, and opens its files. `scores` are the declared scores of all
    /// workloads: they fix the columns. `also` is a CSV file that gets a copy of every request row.
    pub(crate) fn create(layout: Layout, mut scores: Vec<String>, also: Option<&Path>) -> CliResult<Self> {
        let root = layout.root();
        if root.read_dir().is_ok_and(|mut d| d.next().is_some()) {
            return Err(CliError::usage(format!("`{}` is not empty", root.display()))
                .hint("name a new directory with `--out`; a result is never written over"));
        }
        std::fs::create_dir_all(root)
            .map_err(|e| CliError::usage(format!("cannot create `{}`", root.display())).because(e))?;
        scores.sort();
        scores.dedup();
        let open = |path: PathBuf| Appender::open(path);
        Ok(Self {
            requests: open(layout.requests())?,
            also: also.map(|p| open(p.to_path_buf())).transpose()?,
            events: open(layout.events())?,
            outputs: open(layout.outputs())?,
            score_rows: open(layout.scores())?,
            telemetry: open(layout.telemetry())?,
            layout,
            scores,
            rows: 0,
            header_written: false,
        })
    }


    /// Rows written so far; the next row has this number plus one.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Appends one request.
    pub(crate) fn request(&mut self, record: &Record) -> CliResult<()> {
        if !self.header_written {
            let header = rows::header(record, &self.scores);
            self.requests.csv(&header)?;
            if let Some(also) = &mut self.also {
                also.header(&header)?;
            }
            self.header_written = true;
        }
        let cells = rows::cells(record, &self.scores);
        self.requests.csv(&cells)?;
        if let Some(also) = &mut self.also {
            also.csv(&cells)?;
        }
        self.rows += 1;
        Ok(())
    }

    /// Appends the output events of a request.
    pub(crate) fn events(&mut self, row: &EventsRow) -> CliResult<()> {
        self.events.json(row)
    }

    /// Appends an answer.
    pub(crate) fn output(&mut self, row: &OutputRow) -> CliResult<()> {
        self.outputs.json(row)
    }

    /// Appends the scores of a request.
    pub(crate) fn scores(&mut self, row: u64, item: &str, scores: &[Score]) -> CliResult<()> {
        if self.score_rows.is_new() {
            self.score_rows.csv(&["row", "item", "score", "value", "note"])?;
        }
        for score in scores {
            self.score_rows.csv(&[&row.to_string(), item, &score.name, &score.value.to_string(), &score.note])?;
        }
        Ok(())
    }

    /// Appends a GPU sample.
    pub(crate) fn telemetry(&mut self, row: &TelemetryRow) -> CliResult<()> {
        self.telemetry.serialized(row)
    }

    /// Hands everything to the operating system; called between load points.
    pub(crate) fn flush(&mut self) -> CliResult<()> {
        for file in [&mut self.requests, &mut self.events, &mut self.outputs, &mut self.score_rows, &mut self.telemetry] {
            file.flush()?;
        }
        self.also.as_mut().map_or(Ok(()), Appender::flush)
    }

    /// Marks the run as ended by itself.
    pub(crate) fn complete(&mut self, interrupted: bool) -> CliResult<()> {
        self.flush()?;
        let mut facts = BTreeMap::from([("rows", self.rows.to_string())]);
        facts.insert("ended", if interrupted { "interrupted".into() } else { "complete".into() });
        let text = serde_json::to_string_pretty(&facts)
            .map_err(|e| CliError::internal("cannot write `COMPLETE`").because(e))?;
        write_atomic(&self.layout.complete(), text.as_bytes())
    }
}

/// Writes a whole file under another name and renames it, so that readers see all of it or none.
pub(crate) fn write_atomic(path: &Path, bytes: &[u8]) -> CliResult<()> {
    let error = |e: io::Error| CliError::internal(format!("cannot write `{}`", path.display())).because(e);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(error)?;
    }
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    std::fs::write(&part, bytes).and_then(|()| std::fs::rename(&part, path)).map_err(error)
}

/// One append-only file.
#[derive(Debug)]
struct Appender {
    path: PathBuf,
    file: BufWriter<File>,
    new: bool,
}

impl Appender {
    fn open(path: PathBuf) -> CliResult<Self> {
        let opened = OpenOptions::new().create(true).append(true).open(&path);
        let file = opened.map_err(|e| CliError::usage(format!("cannot write `{}`", path.display())).because(e))?;
        let new = file.metadata().map_or(true, |m| m.len() == 0);
        Ok(Self { path, file: BufWriter::new(file), new })
    }

    fn is_new(&self) -> bool {
        self.new
    }

    /// Writes the header into a new file; refuses a file that has another one.
    fn header(&mut self, header: &[String]) -> CliResult<()> {
        if self.new {
            return self.csv(header);
        }
        let there = csv::Reader::from_path(&self.path).and_then(|mut r| r.headers().cloned());
        if there.is_ok_and(|h| h.iter().eq(header.iter().map(String::as_str))) {
            return Ok(());
        }
        Err(CliError::usage(format!("`{}` has other columns than this run", self.path.display()))
            .hint("name another file with `--out`; runs with the same workloads share a file"))
    }

    fn csv<S: AsRef<str>>(&mut self, cells: &[S]) -> CliResult<()> {
        let mut line = csv::Writer::from_writer(Vec::new());
        let bytes = line
            .write_record(cells.iter().map(|c| c.as_ref().as_bytes()))
            .map_err(|e| self.broken(e))
            .and_then(|()| line.into_inner().map_err(|e| self.broken(e.to_string())))?;
        self.append(&bytes)
    }

    fn serialized(&mut self, row: &impl Serialize) -> CliResult<()> {
        let mut line = csv::WriterBuilder::new().has_headers(self.new).from_writer(Vec::new());
        let bytes = line
            .serialize(row)
            .map_err(|e| self.broken(e))
            .and_then(|()| line.into_inner().map_err(|e| self.broken(e.to_string())))?;
        self.append(&bytes)
    }

    fn json(&mut self, row: &impl Serialize) -> CliResult<()> {
        let mut line = serde_json::to_vec(row).map_err(|e| self.broken(e))?;
        line.push(b'\n');
        self.append(&line)
    }

    /// One whole line, flushed, so that a kill loses at most the line being written.
    fn append(&mut self, line: &[u8]) -> CliResult<()> {
        self.new = false;
        self.file.write_all(line).and_then(|()| self.file.flush()).map_err(|e| self.broken(e))
    }

    fn flush(&mut self) -> CliResult<()> {
        self.file.flush().map_err(|e| self.broken(e))
    }

    fn broken(&self, cause: impl std::fmt::Display) -> CliError {
        CliError::internal(format!("cannot append to `{}`", self.path.display()))
            .because(cause)
            .hint("rows written before this are kept; `benchhost report` reads them")
    }
}
