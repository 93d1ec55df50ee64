//! Reads a run back, from a directory or from a lone `requests.csv`. A torn last line is dropped and counted; anything
//! else that is wrong names the file, the line and the column.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use benchhost_model::Record;
use serde::de::DeserializeOwned;

use super::layout::Layout;
use super::manifest::Manifest;
use super::rows::{EventsRow, SCORE_PREFIX, SENTINEL, SENTINEL_COLUMN, TelemetryRow};
use crate::error::{CliError, CliResult};

/// The rows of one file.
#[derive(Debug)]
pub(crate) struct RowFile {
    /// Where they were read.
    pub(crate) path: PathBuf,
    /// Whole rows.
    pub(crate) records: Vec<Record>,
    /// Lines dropped because they were torn.
    pub(crate) torn: usize,
}

/// Reads `requests.csv`; `path` is the file or the run's directory.
pub(crate) fn read_requests(path: &Path) -> CliResult<RowFile> {
    let path = if path.is_dir() { Layout::new(path).requests() } else { path.to_path_buf() };
    let unreadable = |e: &dyn std::fmt::Display| {
        CliError::usage(format!("cannot read `{}`", path.display()))
            .because(e)
            .hint("give a `requests.csv` or the directory of a run")
    };
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(&path).map_err(|e| unreadable(&e))?;
    let headers = reader.headers().map_err(|e| unreadable(&e))?.clone();
    if headers.iter().next_back() != Some(SENTINEL_COLUMN) {
        return Err(CliError::usage(format!("`{}` is not a benchhost requests file", path.display()))
            .because(format!("its header does not end with the column `{SENTINEL_COLUMN}`")));
    }
    let mut file = RowFile { path: path.clone(), records: Vec::new(), torn: 0 };
    let mut torn_at = None;
    for row in reader.records() {
        let row = row.map_err(|e| unreadable(&e))?;
        let line = row.position().map_or(0, csv::Position::line);
        if row.len() != headers.len() || row.iter().next_back() != Some(SENTINEL) {
            file.torn += 1;
            torn_at.get_or_insert(line);
            continue;
        }
        let mut record: Record = row.deserialize(Some(&headers)).map_err(|e| {
            let place = match e.kind() {
                csv::ErrorKind::Deserialize { err, .. } => {
                    let column = err.field().and_then(|f| headers.get(usize::try_from(f).ok()?)).unwrap_or("?");
                    format!("line {line}, column `{column}`: {}", err.kind())
                }
                _ => format!("line {line}: {e}"),
            };
            CliError::usage(format!("`{}` holds a row that does not read", path.display())).because(place)
        })?;
        for (name, cell) in headers.iter().zip(row.iter()) {
            if let Some(score) = name.strip_prefix(SCORE_PREFIX).filter(|_| !cell.is_empty()) {
                let value = cell.parse().map_err(|_| {
                    CliError::usage(format!("`{}` holds a row that does not read", path.display()))
                        .because(format!("line {line}, column `{name}`: `{cell}` is not a number"))
                })?;
                record.scores.insert(score.to_owned(), value);
            }
        }
        file.records.push(record);
    }
    // A crash tears at most the last line of each writer; more means that the file was edited or cut elsewhere.
    if file.torn > 1 {
        let line = torn_at.unwrap_or(0);
        return Err(CliError::usage(format!("`{}` is damaged", path.display()))
            .because(format!("{} rows are not whole, the first at line {line}", file.torn)));
    }
    Ok(file)
}

/// Output events by row; empty when the file is not there.
pub(crate) fn read_events(layout: &Layout) -> CliResult<HashMap<u64, EventsRow>> {
    Ok(read_lines::<EventsRow>(&layout.events())?.into_iter().map(|e| (e.row, e)).collect())
}

/// GPU samples; empty when the file is not there.
pub(crate) fn read_telemetry(layout: &Layout) -> CliResult<Vec<TelemetryRow>> {
    let path = layout.telemetry();
    if !path.exists() {
        return Ok(Vec::new());
    }
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_path(&path)
        .map_err(|e| CliError::usage(format!("cannot read `{}`", path.display())).because(e))?;
    // The last line may be torn; telemetry is evidence beside the rows, so what reads is used.
    Ok(reader.deserialize().filter_map(Result::ok).collect())
}

/// The manifest of a run's directory.
pub(crate) fn read_manifest(layout: &Layout) -> CliResult<Manifest> {
    let path = layout.manifest();
    let error = |e: &dyn std::fmt::Display| {
        CliError::usage(format!("cannot read `{}`", path.display()))
            .because(e)
            .hint("give the directory of a run, the one that holds `manifest.json`")
    };
    let text = std::fs::read_to_string(&path).map_err(|e| error(&e))?;
    serde_json::from_str(&text).map_err(|e| error(&e))
}

/// JSON lines, without a torn last one.
fn read_lines<T: DeserializeOwned>(path: &Path) -> CliResult<Vec<T>> {
    let Ok(file) = std::fs::File::open(path) else { return Ok(Vec::new()) };
    let mut rows = Vec::new();
    let mut pending: Option<(usize, serde_json::Error)> = None;
    for (index, line) in BufReader::new(file).lines().enumerate() {
        let damaged = |line: usize, e: &dyn std::fmt::Display| {
            CliError::usage(format!("`{}` is damaged", path.display())).because(format!("line {line}: {e}"))
        };
        if let Some((line, error)) = pending {
            return Err(damaged(line, &error));
        }
        let line = line.map_err(|e| damaged(index + 1, &e))?;
        pending = match serde_json::from_str(&line) {
            Ok(row) => {
                rows.push(row);
                None
            }
            Err(error) => Some((index + 1, error)),
        };
    }
    Ok(rows)
}
