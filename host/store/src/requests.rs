//! `requests.csv` as a stream. A torn last line is left out and counted; anything else that is wrong names the file, the
//! line and the column.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use benchhost_model::Record;
use csv::{ByteRecord, StringRecord};

use crate::error::StoreError;
use crate::layout::Layout;
use crate::rows::{RowForm, SCORE_PREFIX, SENTINEL, SENTINEL_COLUMN};

/// The rows of one file, in order. Holds one row at a time. After an error there are no more rows.
#[derive(Debug)]
pub struct RequestsReader {
    path: PathBuf,
    file: Option<csv::Reader<File>>,
    headers: StringRecord,
    /// The columns are those that this version writes, in its order: cells need not be looked up by name.
    ordered: bool,
    /// Columns of scores and their names.
    scores: Vec<(usize, String)>,
    row: ByteRecord,
    torn: Torn,
    /// The run of the last whole row.
    above: String,
}

impl RequestsReader {
    /// Opens `requests.csv`; `path` is the file or the run's directory.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let path = if path.is_dir() { Layout::new(path).requests() } else { path.to_path_buf() };
        let file = File::open(&path).map_err(StoreError::read(&path))?;
        let mut reader =
            csv::ReaderBuilder::new().flexible(true).buffer_capacity(64 * 1024).from_reader(file);
        let headers = reader.headers().map_err(|e| unreadable(&path, e))?.clone();
        if headers.iter().next_back() != Some(SENTINEL_COLUMN) {
            let why = format!("its header does not end with the column `{SENTINEL_COLUMN}`");
            return Err(StoreError::NotRequests { path, source: why.into() });
        }
        let scores = headers
            .iter()
            .enumerate()
            .filter_map(|(at, name)| Some((at, name.strip_prefix(SCORE_PREFIX)?.to_owned())))
            .collect();
        let torn = Torn::new(&headers);
        let own = RowForm::new(Vec::new()).header();
        // All but the sentinel, before which scores stand.
        let ordered = own.len() > 1 && headers.iter().take(own.len() - 1).eq(&own[..own.len() - 1]);
        let row = ByteRecord::new();
        Ok(Self { path, file: Some(reader), headers, ordered, scores, row, torn, above: String::new() })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Scores that the file has columns for, in its order.
    pub fn score_names(&self) -> impl Iterator<Item = &str> {
        self.scores.iter().map(|(_, name)| name.as_str())
    }

    /// Rows left out so far because they were torn.
    pub fn torn(&self) -> u64 {
        self.torn.rows
    }

    /// Where in the file the first torn row begins.
    pub(crate) fn torn_at(&self) -> Option<u64> {
        self.torn.first
    }

    fn step(&mut self) -> Result<Option<Record>, StoreError> {
        while let Some(file) = &mut self.file {
            if !file.read_byte_record(&mut self.row).map_err(|e| unreadable(&self.path, e))? {
                self.file = None;
                break;
            }
            let row = &self.row;
            // The sentinel first: a row may be torn inside a character, and is then no text.
            let whole =
                row.len() == self.headers.len() && row.iter().next_back() == Some(SENTINEL.as_bytes());
            if row.iter().any(|cell| cell.contains(&b'\n')) {
                // A row is written as one line. This may even have all its cells, some of them another row's.
                let why = "a quote that does not end takes in the lines after it";
                return Err(self.bad(format!("line {}: {why}", line_of(row))));
            }
            if whole {
                let record = self.record().map_err(|why| self.bad(why))?;
                if self.above != record.run_id {
                    self.above.clone_from(&record.run_id);
                }
                return Ok(Some(record));
            }
            self.torn.add(row, &self.above).map_err(|why| self.bad(why))?;
        }
        Ok(None)
    }

    fn bad(&self, why: String) -> StoreError {
        StoreError::Row { path: self.path.clone(), source: why.into() }
    }

    /// The row as a record; otherwise where it does not read, and why.
    fn record(&mut self) -> Result<Record, String> {
        let line = line_of(&self.row);
        let row = StringRecord::from_byte_record(std::mem::take(&mut self.row))
            .map_err(|e| format!("line {line}: {}", e.utf8_error()))?;
        let headers = (!self.ordered).then_some(&self.headers);
        let mut record: Record = row.deserialize(headers).map_err(|e| match e.kind() {
            csv::ErrorKind::Deserialize { err, .. } => {
                let column =
                    err.field().and_then(|f| self.headers.get(usize::try_from(f).ok()?)).unwrap_or("?");
                format!("line {line}, column `{column}`: {}", err.kind())
            }
            _ => format!("line {line}: {e}"),
        })?;
        for (at, name) in &self.scores {
            if let Some(cell) = row.get(*at).filter(|cell| !cell.is_empty()) {
                let value = cell.parse().map_err(|_| {
                    format!("line {line}, column `{SCORE_PREFIX}{name}`: `{cell}` is not a number")
                })?;
                record.scores.insert(name.clone(), value);
            }
        }
        // Its memory serves the next row.
        self.row = row.into_byte_record();
        Ok(record)
    }
}

impl Iterator for RequestsReader {
    type Item = Result<Record, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.step();
        if next.is_err() {
            self.file = None;
        }
        next.transpose()
    }
}

fn unreadable(path: &Path, error: csv::Error) -> StoreError {
    let source = match error.into_kind() {
        csv::ErrorKind::Io(source) => source,
        other => io::Error::other(format!("{other:?}")),
    };
    StoreError::Read { path: path.to_path_buf(), source }
}

/// Rows without their end. A crash tears at most the last line of each run, and several runs may share a file; more than
/// that means that the file was edited or cut elsewhere.
#[derive(Debug)]
struct Torn {
    rows: u64,
    first: Option<u64>,
    run_column: Option<usize>,
    /// The line at which each run is torn.
    lines: HashMap<Vec<u8>, u64>,
}

impl Torn {
    fn new(headers: &StringRecord) -> Self {
        let run_column = headers.iter().position(|name| name == "run_id");
        Self { rows: 0, first: None, run_column, lines: HashMap::new() }
    }

    /// Counts a torn row; the reason if no crash explains it. `above` is the run of the last whole row before it.
    fn add(&mut self, row: &ByteRecord, above: &str) -> Result<(), String> {
        // The last cell may be torn itself, so only one with a neighbour names the run.
        let named =
            self.run_column.filter(|column| column + 1 < row.len()).and_then(|column| row.get(column));
        let line = line_of(row);
        if let Some(first) = self.lines.insert(named.unwrap_or(above.as_bytes()).to_vec(), line) {
            return Err(format!(
                "line {line}: a second row of the same run that is not whole, after line {first}"
            ));
        }
        self.rows += 1;
        self.first = self.first.or_else(|| row.position().map(csv::Position::byte));
        Ok(())
    }
}

fn line_of(row: &ByteRecord) -> u64 {
    row.position().map_or(0, csv::Position::line)
}

/// What a failed read says, for tests here.
#[cfg(test)]
pub(crate) fn reasons(error: &impl std::error::Error) -> String {
    let source = error.source().map_or(String::new(), ToString::to_string);
    format!("{error}: {source}")
}

#[cfg(test)]
mod tests;
