//! The form of the row files: which cells, in which order. Columns are read by name, so an old file with fewer columns
//! or a newer one with more still reads.

use benchhost_model::Record;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The last cell of every row: a line without it was torn by a crash.
pub(super) const SENTINEL: &str = ".";
/// Its column.
pub(super) const SENTINEL_COLUMN: &str = "eor";
/// Prefix of score columns.
pub(super) const SCORE_PREFIX: &str = "score_";

/// Column names for a run whose workloads declare `scores`, known before there is any row.
pub(super) fn header(scores: &[String]) -> Vec<String> {
    let mut names: Vec<String> = match serde_json::to_value(Record::blank()) {
        Ok(Value::Object(fields)) => fields.keys().cloned().collect(),
        _ => Vec::new(),
    };
    names.extend(scores.iter().map(|s| format!("{SCORE_PREFIX}{s}")));
    names.push(SENTINEL_COLUMN.to_owned());
    names
}

/// One row's cells in the order of [`header`]. What does not exist is empty, never 0. Line breaks inside a cell become
/// spaces: a row is one line, so that a torn row can be told from the next one.
pub(super) fn cells(record: &Record, scores: &[String]) -> Vec<String> {
    let mut cells: Vec<String> = match serde_json::to_value(record) {
        Ok(Value::Object(fields)) => fields.values().map(|v| cell(v).replace(['\n', '\r'], " ")).collect(),
        _ => Vec::new(),
    };
    cells.extend(scores.iter().map(|s| record.scores.get(s).map_or(String::new(), ToString::to_string)));
    cells.push(SENTINEL.to_owned());
    cells
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// One line of `events.jsonl`: the output events of one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EventsRow {
    /// The row of `requests.csv`.
    pub(crate) row: u64,
    /// First stamp from the run's start, then the gap to each next, in nanoseconds.
    pub(crate) t: Vec<u64>,
    /// Kind of each: `a` answer, `r` reasoning, `t` tool, `f` refusal, `n` tokens without text.
    pub(crate) k: String,
    /// Tokens of each event, where all are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) n: Vec<u32>,
    /// Source of the stamps: `k` kernel, `u` user.
    pub(crate) s: char,
}

/// One line of `outputs.jsonl`: what was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OutputRow {
    pub(crate) row: u64,
    pub(crate) item: String,
    pub(crate) turn: u32,
    pub(crate) text: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) reasoning: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) tool: String,
    /// What the workload gave for scoring.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) reference: String,
    /// The server's own timings, as it sent them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) server_timings: String,
    /// For failures: the first bytes of the body.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) raw: String,
}

/// One row of `telemetry.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct TelemetryRow {
    /// On the run's clock.
    pub(crate) t_ns: u64,
    /// `gpu0`, `gpu1`, …
    pub(crate) source: String,
    pub(crate) memory_used_bytes: Option<u64>,
    pub(crate) utilization_percent: Option<u32>,
    pub(crate) power_milliwatts: Option<u32>,
    pub(crate) energy_millijoules: Option<u64>,
    pub(crate) temperature_celsius: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_and_cells_agree_and_a_row_is_one_line() {
        let scores = ["f1".to_owned()];
        let mut record = Record::blank();
        record.item = "two\r\nlines".into();
        record.scores.insert("f1".into(), 0.5);
        let (header, cells) = (header(&scores), cells(&record, &scores));
        assert_eq!(header.len(), cells.len());
        let at = |name: &str| &cells[header.iter().position(|h| h == name).unwrap()];
        assert_eq!(
            (at("item").as_str(), at("score_f1").as_str(), at("eor").as_str()),
            ("two  lines", "0.5", ".")
        );
        assert_eq!((header[0].as_str(), header.last().map(String::as_str)), ("row", Some("eor")));
    }
}
