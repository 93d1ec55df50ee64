//! The form of the row files: which cells, in which order. Columns are read by name, so an old file with fewer columns
//! or a newer one with more still reads.

use std::io;
use std::path::Path;

use benchhost_model::Record;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::StoreError;

/// The last cell of every request row: a line without it was torn by a crash.
pub(crate) const SENTINEL: &str = ".";
/// Its column.
pub(crate) const SENTINEL_COLUMN: &str = "eor";
/// Prefix of score columns.
pub(crate) const SCORE_PREFIX: &str = "score_";

/// How request rows of one run are written.
#[derive(Debug)]
pub(crate) struct RowForm {
    /// Declared scores of all workloads, sorted: they fix the columns.
    scores: Vec<String>,
}

impl RowForm {
    /// For workloads that declare `scores`.
    pub(crate) fn new(mut scores: Vec<String>) -> Self {
        scores.sort();
        scores.dedup();
        Self { scores }
    }

    /// Column names, known before there is any row.
    pub(crate) fn header(&self) -> Vec<String> {
        let mut names: Vec<String> = match serde_json::to_value(Record::blank()) {
            Ok(Value::Object(fields)) => fields.keys().cloned().collect(),
            _ => Vec::new(),
        };
        names.extend(self.scores.iter().map(|s| format!("{SCORE_PREFIX}{s}")));
        names.push(SENTINEL_COLUMN.to_owned());
        names
    }

    /// One row in the order of [`Self::header`], appended to `line`. What does not exist is empty, never 0. Line breaks
    /// inside a cell become spaces: a row is one line, so that a torn row can be told from the next one.
    pub(crate) fn row(&self, record: &Record, line: &mut Vec<u8>) {
        let from = line.len();
        let scores: Vec<Option<f64>> =
            self.scores.iter().map(|s| record.scores.get(s).copied().filter(|v| v.is_finite())).collect();
        serialized(&(record, scores, SENTINEL), line);
        let end = line.len().saturating_sub(1);
        for byte in line.get_mut(from..end).unwrap_or_default() {
            if matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
    }
}

/// Appends one CSV row of anything flat. The columns of a struct are its fields in order.
fn serialized(row: &impl Serialize, line: &mut Vec<u8>) {
    let mut writer = csv::WriterBuilder::new().has_headers(false).buffer_capacity(1024).from_writer(line);
    // A vector takes every byte, and no row here holds a map.
    let _infallible = writer.serialize(row);
    let _infallible = writer.flush();
}

/// One CSV line of these cells.
pub(crate) fn csv_line<S: AsRef<str>>(cells: &[S]) -> Vec<u8> {
    let mut line = Vec::new();
    let mut writer = csv::WriterBuilder::new().from_writer(&mut line);
    let _infallible = writer.write_record(cells.iter().map(|c| c.as_ref().as_bytes()));
    drop(writer);
    line
}

/// One line of `outputs.jsonl`: what was answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputRow {
    /// The row of `requests.csv`.
    pub row: u64,
    /// The item's id.
    pub item: String,
    /// The turn, from 0.
    pub turn: u32,
    /// The answer.
    pub text: String,
    /// What was thought before it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reasoning: String,
    /// Tool calls.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tool: String,
    /// What the workload gave for scoring.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reference: String,
    /// The server's own timings, as it sent them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub server_timings: String,
    /// For failures: the first bytes of the body.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub raw: String,
}

/// One row of `telemetry.csv`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TelemetryRow {
    /// On the run's clock.
    pub t_ns: u64,
    /// `gpu0`, `gpu1`, …; `engine:vllm` for what an engine tells of itself
    pub source: String,
    /// Memory in use.
    pub memory_used_bytes: Option<u64>,
    /// Share of the last period in which a kernel ran, 0 to 100.
    pub utilization_percent: Option<u32>,
    /// Power drawn.
    pub power_milliwatts: Option<u32>,
    /// Energy since the driver was loaded.
    pub energy_millijoules: Option<u64>,
    /// Of the chip.
    pub temperature_celsius: Option<u32>,
    /// How long the reading took, in nanoseconds; engines only, as is what follows.
    pub took_ns: Option<u64>,
    /// Requests being generated.
    pub running: Option<f64>,
    /// Requests accepted, not yet running.
    pub waiting: Option<f64>,
    /// Share of the KV cache in use, 0 to 1.
    pub kv_cache_use: Option<f64>,
    /// Tokens held in the KV cache.
    pub kv_cache_tokens: Option<f64>,
    /// Counter: prompt tokens found in the prefix cache.
    pub prefix_cache_hits: Option<f64>,
    /// Counter: prompt tokens looked up in the prefix cache.
    pub prefix_cache_queries: Option<f64>,
    /// Share of prompt tokens found, as the server gives it.
    pub prefix_hit_share: Option<f64>,
    /// Counter: prompt tokens processed.
    pub prompt_tokens: Option<f64>,
    /// Counter: tokens generated.
    pub generated_tokens: Option<f64>,
    /// Counter: requests evicted and started again.
    pub preemptions: Option<f64>,
    /// Counter: requests ended.
    pub requests_finished: Option<f64>,
    /// Counter: tokens proposed by speculative decoding.
    pub draft_tokens: Option<f64>,
    /// Counter: of those, accepted.
    pub draft_tokens_accepted: Option<f64>,
}

impl TelemetryRow {
    /// Its line; after the column names if it is the first.
    pub(crate) fn line(&self, first: bool, line: &mut Vec<u8>) {
        let mut writer = csv::WriterBuilder::new().has_headers(first).buffer_capacity(256).from_writer(line);
        let _infallible = writer.serialize(self);
        let _infallible = writer.flush();
    }
}

/// Samples, one at a time; none when the file is not there. A torn last row may read as one with a smaller number in its
/// last cell, so a line without its end is left out. Telemetry is evidence beside the rows: what reads is used.
pub fn read_telemetry(path: &Path) -> Result<impl Iterator<Item = TelemetryRow> + use<>, StoreError> {
    let file = match std::fs::File::open(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        opened => {
            let opened = opened.map_err(StoreError::read(path))?;
            let whole = whole_lines(&opened).map_err(StoreError::read(path))?;
            Some(io::Read::take(opened, whole))
        }
    };
    let rows = file.map(|f| csv::ReaderBuilder::new().flexible(true).from_reader(f).into_deserialize());
    Ok(rows.into_iter().flatten().filter_map(Result::ok))
}

/// Length of a file up to its last line feed, that one included; the position is at the beginning afterwards.
pub(crate) fn whole_lines(mut file: &std::fs::File) -> io::Result<u64> {
    use io::{Read, Seek, SeekFrom};
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut block = vec![0; 64 * 1024];
    let whole = loop {
        let from = end.saturating_sub(block.len() as u64);
        let size = usize::try_from(end - from).unwrap_or(block.len());
        file.seek(SeekFrom::Start(from))?;
        file.read_exact(&mut block[..size])?;
        if let Some(at) = block[..size].iter().rposition(|b| *b == b'\n') {
            break from + at as u64 + 1;
        }
        if from == 0 {
            break 0;
        }
        end = from;
    };
    file.seek(SeekFrom::Start(0))?;
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_and_cells_agree_and_a_row_is_one_line() {
        let form = RowForm::new(vec!["f1".to_owned()]);
        let mut record = Record::blank();
        record.item = "two\r\nlines".into();
        record.scores.insert("f1".into(), 0.5);
        let header = form.header();
        let mut line = Vec::new();
        form.row(&record, &mut line);
        assert_eq!(line.split(|b| *b == b'\n').count(), 2);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&line[..]);
        let cells = reader.records().next().unwrap().unwrap();
        assert_eq!(header.len(), cells.len());
        let at = |name: &str| &cells[header.iter().position(|h| h == name).unwrap()];
        assert_eq!((at("item"), at("score_f1"), at("eor"), at("status")), ("two  lines", "0.5", ".", ""));
        assert_eq!((header[0].as_str(), header.last().map(String::as_str)), ("row", Some("eor")));
    }

    #[test]
    fn whole_lines_end_at_the_last_line_feed_however_long_the_rest_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        for (text, whole) in [("", 0), ("a", 0), ("a\n", 2), ("a\nb\nc", 4)] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(whole_lines(&std::fs::File::open(&path).unwrap()).unwrap(), whole, "{text:?}");
        }
        std::fs::write(&path, format!("a\n{}", "b".repeat(200_000))).unwrap();
        assert_eq!(whole_lines(&std::fs::File::open(&path).unwrap()).unwrap(), 2);
    }

    #[test]
    fn a_torn_telemetry_row_is_not_read_as_a_smaller_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("telemetry.csv");
        let header = "t_ns,source,memory_used_bytes,utilization_percent,power_milliwatts,energy_millijoules,temperature_celsius";
        std::fs::write(&path, format!("{header}\n1,gpu0,,,,,45\n2,gpu0,,,,,4")).unwrap();
        let rows: Vec<_> = read_telemetry(&path).unwrap().collect();
        assert_eq!(rows.iter().map(|r| r.temperature_celsius).collect::<Vec<_>>(), [Some(45)]);
    }

    #[test]
    fn only_a_missing_telemetry_file_counts_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("telemetry.csv");
        assert_eq!(read_telemetry(&path).unwrap().count(), 0);
        std::fs::create_dir(&path).unwrap();
        assert!(read_telemetry(&path).err().unwrap().to_string().contains("telemetry"));
    }
}
