//! One append-only file. A line is one `write` straight to the file, so a kill loses at most the line being written; a
//! line that an earlier kill tore is closed before the next one. Knows nothing of what the lines mean.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use serde::Serialize;

use crate::error::{CliError, CliResult};

/// How far back from the end a torn line's beginning is looked for; rows are far shorter.
const TAIL_BYTES: u64 = 1 << 20;

/// The file and what is known of its state.
#[derive(Debug)]
pub(super) struct Appender {
    path: PathBuf,
    file: File,
    /// It did not exist before.
    created: bool,
    /// There is nothing in it yet.
    empty: bool,
}

impl Appender {
    /// Opens for appending; creates the file, but no folder, where there is none. Writes nothing.
    pub(super) fn open(path: PathBuf) -> CliResult<Self> {
        let mut options = OpenOptions::new();
        options.read(true).append(true);
        let (opened, created) = match options.clone().create_new(true).open(&path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => (options.open(&path), false),
            opened => (opened, true),
        };
        let file =
            opened.map_err(|e| CliError::usage(format!("cannot write `{}`", path.display())).because(e))?;
        let empty = file.metadata().map_or(true, |m| m.len() == 0);
        Ok(Self { path, file, created, empty })
    }

    /// Nothing has been written yet, now or before.
    pub(super) fn is_empty(&self) -> bool {
        self.empty
    }

    /// Refuses a file that already has other columns.
    pub(super) fn demand_header(&self, header: &[String]) -> CliResult<()> {
        if self.empty {
            return Ok(());
        }
        let there = csv::Reader::from_path(&self.path).and_then(|mut r| r.headers().cloned());
        if there.is_ok_and(|h| h.iter().eq(header.iter().map(String::as_str))) {
            return Ok(());
        }
        Err(CliError::usage(format!("`{}` has other columns than this run", self.path.display()))
            .hint("name another file with `--out`; runs with the same workloads share a file"))
    }

    /// Makes the file ready for rows: the header where there is none, and the end of a line that a killed run tore.
    pub(super) fn begin(&mut self, header: &[String]) -> CliResult<()> {
        if self.empty {
            return self.csv(header);
        }
        let closing = self.closing().map_err(|e| self.broken(e))?;
        self.append(closing)
    }

    /// What ends the last line: nothing if it is whole, a line feed if it was torn, and before that a quote if it was
    /// torn inside a quoted cell, which would else take in the rows that follow.
    fn closing(&mut self) -> io::Result<&'static [u8]> {
        let length = self.file.seek(SeekFrom::End(0))?;
        self.file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut tail = Vec::new();
        self.file.read_to_end(&mut tail)?;
        let last = tail.rsplit(|b| *b == b'\n').next().unwrap_or_default();
        let inside_quotes = last.iter().fold(false, |inside, b| inside != (*b == b'"'));
        Ok(match (last.is_empty(), inside_quotes) {
            (true, _) => b"",
            (false, false) => b"\n",
            (false, true) => b"\"\n",
        })
    }

    /// Appends one row.
    pub(super) fn csv<S: AsRef<str>>(&mut self, cells: &[S]) -> CliResult<()> {
        let mut line = csv::Writer::from_writer(Vec::new());
        let bytes = line
            .write_record(cells.iter().map(|c| c.as_ref().as_bytes()))
            .map_err(|e| self.broken(e))
            .and_then(|()| line.into_inner().map_err(|e| self.broken(e.to_string())))?;
        self.append(&bytes)
    }

    /// Appends one row of a struct, after its field names in an empty file.
    pub(super) fn serialized(&mut self, row: &impl Serialize) -> CliResult<()> {
        let mut line = csv::WriterBuilder::new().has_headers(self.empty).from_writer(Vec::new());
        let bytes = line
            .serialize(row)
            .map_err(|e| self.broken(e))
            .and_then(|()| line.into_inner().map_err(|e| self.broken(e.to_string())))?;
        self.append(&bytes)
    }

    /// Appends one JSON line.
    pub(super) fn json(&mut self, row: &impl Serialize) -> CliResult<()> {
        let mut line = serde_json::to_vec(row).map_err(|e| self.broken(e))?;
        line.push(b'\n');
        self.append(&line)
    }

    fn append(&mut self, line: &[u8]) -> CliResult<()> {
        self.empty = self.empty && line.is_empty();
        self.file.write_all(line).map_err(|e| self.broken(e))
    }

    /// Waits until the device has what was written, where the file is on one.
    pub(super) fn sync(&self) -> CliResult<()> {
        match self.file.sync_data() {
            // Pipes and some file systems know no such thing.
            Err(e) if !matches!(e.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
                Err(self.broken(e))
            }
            _ => Ok(()),
        }
    }

    /// Takes back the creation of a file that is still empty; a file that was there before stays.
    pub(super) fn abandon(self) {
        if self.created && self.empty {
            let _already_gone = std::fs::remove_file(&self.path);
        }
    }

    fn broken(&self, cause: impl std::fmt::Display) -> CliError {
        CliError::internal(format!("cannot append to `{}`", self.path.display()))
            .because(cause)
            .hint("rows written before this are kept; `benchhost report` reads them")
    }
}
