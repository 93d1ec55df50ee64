//! Reads a run back, from a directory or from a lone `requests.csv`. A torn last line is dropped and counted; anything
//! else that is wrong names the file, the line and the column.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use benchhost_model::Record;
use csv::{ByteRecord, StringRecord};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::layout::Layout;
use super::manifest::{Manifest, SCHEMA_VERSION};
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
    let mut records: Vec<Record> = Vec::new();
    let mut torn = Torn::new(&headers);
    for row in reader.into_byte_records() {
        let row = row.map_err(|e| unreadable(&e))?;
        // The sentinel first: a row may be torn inside a character, and is then no text.
        let whole = row.len() == headers.len() && row.iter().next_back() == Some(SENTINEL.as_bytes());
        let read = if row.iter().any(|cell| cell.contains(&b'\n')) {
            // A row is written as one line. This may even have all its cells, some of them another row's.
            Err(format!("line {}: a quote that does not end takes in the lines after it", line_of(&row)))
        } else if whole {
            record(row, &headers).map(|record| records.push(record))
        } else {
            torn.add(&row, records.last().map_or("", |r| &r.run_id))
        };
        read.map_err(|why| {
            CliError::usage(format!("`{}` holds a row that does not read", path.display())).because(why)
        })?;
    }
    Ok(RowFile { path, records, torn: torn.rows })
}

/// Rows without their end. A crash tears at most the last line of each run, and several runs may share a file; more than
/// that means that the file was edited or cut elsewhere.
struct Torn {
    rows: usize,
    run_column: Option<usize>,
    /// The line at which each run is torn.
    lines: HashMap<Vec<u8>, u64>,
}

impl Torn {
    fn new(headers: &StringRecord) -> Self {
        let run_column = headers.iter().position(|name| name == "run_id");
        Self { rows: 0, run_column, lines: HashMap::new() }
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
        Ok(())
    }
}

fn line_of(row: &ByteRecord) -> u64 {
    row.position().map_or(0, csv::Position::line)
}

/// A whole row as a record; otherwise where it does not read, and why.
fn record(row: ByteRecord, headers: &StringRecord) -> Result<Record, String> {
    let line = line_of(&row);
    let row = StringRecord::from_byte_record(row).map_err(|e| format!("line {line}: {}", e.utf8_error()))?;
    let mut record: Record = row.deserialize(Some(headers)).map_err(|e| match e.kind() {
        csv::ErrorKind::Deserialize { err, .. } => {
            let column = err.field().and_then(|f| headers.get(usize::try_from(f).ok()?)).unwrap_or("?");
            format!("line {line}, column `{column}`: {}", err.kind())
        }
        _ => format!("line {line}: {e}"),
    })?;
    for (name, cell) in headers.iter().zip(row.iter()) {
        if let Some(score) = name.strip_prefix(SCORE_PREFIX).filter(|_| !cell.is_empty()) {
            let value = cell
                .parse()
                .map_err(|_| format!("line {line}, column `{name}`: `{cell}` is not a number"))?;
            record.scores.insert(score.to_owned(), value);
        }
    }
    Ok(record)
}

/// Output events by row; empty when the file is not there.
pub(crate) fn read_events(layout: &Layout) -> CliResult<HashMap<u64, EventsRow>> {
    Ok(read_lines::<EventsRow>(&layout.events())?.into_iter().map(|e| (e.row, e)).collect())
}

/// GPU samples; empty when the file is not there.
pub(crate) fn read_telemetry(layout: &Layout) -> CliResult<Vec<TelemetryRow>> {
    let mut bytes = bytes_if_there(&layout.telemetry())?;
    // A torn last row may read as one with a smaller number in its last cell.
    bytes.truncate(bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1));
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(&bytes[..]);
    // Telemetry is evidence beside the rows, so what reads is used.
    Ok(reader.deserialize().filter_map(Result::ok).collect())
}

/// The manifest of a run's directory.
pub(crate) fn read_manifest(layout: &Layout) -> CliResult<Manifest> {
    #[derive(Deserialize)]
    struct Version {
        schema_version: u32,
    }
    let path = layout.manifest();
    let error = |e: &dyn std::fmt::Display| {
        CliError::usage(format!("cannot read `{}`", path.display()))
            .because(e)
            .hint("give the directory of a run, the one that holds `manifest.json`")
    };
    let text = std::fs::read_to_string(&path).map_err(|e| error(&e))?;
    // Before the rest, which a newer version may have changed.
    let version: Version = serde_json::from_str(&text).map_err(|e| error(&e))?;
    if version.schema_version > SCHEMA_VERSION {
        let newer = format!(
            "its schema version is {}, this program reads up to {SCHEMA_VERSION}",
            version.schema_version
        );
        return Err(CliError::usage(format!("`{}` was written by a newer benchhost", path.display()))
            .because(newer)
            .hint("use that version to read it"));
    }
    serde_json::from_str(&text).map_err(|e| error(&e))
}

/// JSON lines, without a torn last one.
fn read_lines<T: DeserializeOwned>(path: &Path) -> CliResult<Vec<T>> {
    let bytes = bytes_if_there(path)?;
    let mut rows = Vec::new();
    let mut lines = bytes.split(|b| *b == b'\n').enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        match serde_json::from_slice(line) {
            Ok(row) => rows.push(row),
            // What follows the last line feed is nothing, or torn.
            Err(_) if lines.peek().is_none() => {}
            Err(error) => {
                return Err(CliError::usage(format!("`{}` is damaged", path.display()))
                    .because(format!("line {}: {error}", index + 1)));
            }
        }
    }
    Ok(rows)
}

/// The bytes of a file; none if there is no such file. A file that is there and does not open is an error.
fn bytes_if_there(path: &Path) -> CliResult<Vec<u8>> {
    match std::fs::read(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(|e| CliError::usage(format!("cannot read `{}`", path.display())).because(e)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::RunWriter;

    fn reasons(error: &CliError) -> String {
        let details: Vec<_> = error.details().map(|(_, text)| text.to_owned()).collect();
        format!("{error}: {}", details.join("; "))
    }

    /// A run with three rows, whose cells hold characters of several bytes.
    fn run(folder: &Path, run_id: &str) -> Layout {
        let layout = Layout::new(folder.join(run_id));
        let mut writer = RunWriter::create(layout.clone(), vec![], None).unwrap();
        for row in 1..=3 {
            let (run_id, item) = (run_id.to_owned(), "größe 日本 \"q\"".to_owned());
            writer.request(&Record { row, run_id, item, ..Record::blank() }).unwrap();
        }
        layout
    }

    #[test]
    fn a_row_cut_at_every_byte_is_torn_or_whole_and_never_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let layout = run(folder.path(), "r");
        let whole = std::fs::read(layout.requests()).unwrap();
        let last = whole[..whole.len() - 1].iter().rposition(|b| *b == b'\n').unwrap() + 1;
        let full = read_requests(layout.root()).unwrap().records;
        assert_eq!(full.len(), 3);
        for cut in last..=whole.len() {
            std::fs::write(layout.requests(), &whole[..cut]).unwrap();
            let file = read_requests(layout.root()).unwrap();
            let is_whole = cut >= whole.len() - 1;
            assert_eq!(file.torn, usize::from(cut > last && !is_whole), "cut at {cut}");
            assert_eq!(file.records, full[..2 + usize::from(is_whole)], "cut at {cut}");
        }
    }

    #[test]
    fn each_killed_run_of_a_shared_file_may_have_one_torn_row() {
        let folder = tempfile::tempdir().unwrap();
        let text = |id: &str| std::fs::read_to_string(run(folder.path(), id).requests()).unwrap();
        let (a, b) = (text("a"), text("b"));
        let header = a.lines().next().unwrap();
        let rows = |text: &str, cut: usize| {
            let lines: Vec<&str> = text.lines().skip(1).collect();
            format!("{}\n{}\n{}\n", lines[0], lines[1], &lines[2][..cut])
        };
        let shared = folder.path().join("shared.csv");
        for cut in [1, 12] {
            std::fs::write(&shared, format!("{header}\n{}{}", rows(&a, cut), rows(&b, cut))).unwrap();
            let file = read_requests(&shared).unwrap();
            assert_eq!((file.records.len(), file.torn), (4, 2), "cut at {cut}");
            std::fs::write(&shared, format!("{header}\n{}{}", rows(&a, cut), rows(&a, cut))).unwrap();
            let said = reasons(&read_requests(&shared).unwrap_err());
            assert!(said.contains("line 7") && said.contains("second"), "{said}");
        }
    }

    #[test]
    fn a_whole_row_that_is_no_text_is_damage() {
        let folder = tempfile::tempdir().unwrap();
        let layout = run(folder.path(), "r");
        let mut bytes = std::fs::read(layout.requests()).unwrap();
        let umlaut = bytes.iter().position(|b| *b == 0xc3).unwrap();
        bytes[umlaut] = 0xff;
        std::fs::write(layout.requests(), &bytes).unwrap();
        let said = reasons(&read_requests(layout.root()).unwrap_err());
        assert!(said.contains("line 2") && said.contains("utf-8"), "{said}");
    }

    #[test]
    fn a_quote_that_swallows_rows_is_damage() {
        let folder = tempfile::tempdir().unwrap();
        let text = std::fs::read_to_string(run(folder.path(), "r").requests()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let torn = &lines[1][..=lines[1].find('"').unwrap()];
        let file = folder.path().join("swallowed.csv");
        std::fs::write(&file, format!("{}\n{torn}\n{}\n{}\n", lines[0], lines[2], lines[3])).unwrap();
        let said = reasons(&read_requests(&file).unwrap_err());
        assert!(said.contains("line 2") && said.contains("quote"), "{said}");
    }

    #[test]
    fn json_lines_cut_at_every_byte_lose_at_most_the_last() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path());
        let line = |row| format!("{{\"row\":{row},\"t\":[1,2],\"k\":\"aa\",\"s\":\"u\"}}\n");
        let (first, second) = (line(1), line(2));
        for cut in 0..=second.len() {
            std::fs::write(layout.events(), [first.as_bytes(), &second.as_bytes()[..cut]].concat()).unwrap();
            assert_eq!(
                read_events(&layout).unwrap().len(),
                1 + usize::from(cut >= second.len() - 1),
                "{cut}"
            );
        }
        std::fs::write(layout.events(), [first.as_bytes(), b"{\"row\":2,\xe6\x97"].concat()).unwrap();
        assert_eq!(read_events(&layout).unwrap().len(), 1, "torn inside a character");
        std::fs::write(layout.events(), format!("{{\"row\":\n{first}")).unwrap();
        assert!(reasons(&read_events(&layout).unwrap_err()).contains("line 1"));
    }

    #[test]
    fn only_a_missing_file_counts_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path());
        assert!(read_events(&layout).unwrap().is_empty() && read_telemetry(&layout).unwrap().is_empty());
        std::fs::create_dir(layout.events()).unwrap();
        std::fs::create_dir(layout.telemetry()).unwrap();
        assert!(read_events(&layout).unwrap_err().to_string().contains("events"));
        assert!(read_telemetry(&layout).unwrap_err().to_string().contains("telemetry"));
    }

    #[test]
    fn a_torn_telemetry_row_is_not_read_as_a_smaller_number() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path());
        let header = "t_ns,source,memory_used_bytes,utilization_percent,power_milliwatts,energy_millijoules,temperature_celsius";
        std::fs::write(layout.telemetry(), format!("{header}\n1,gpu0,,,,,45\n2,gpu0,,,,,4")).unwrap();
        let rows = read_telemetry(&layout).unwrap();
        assert_eq!(rows.iter().map(|r| r.temperature_celsius).collect::<Vec<_>>(), [Some(45)]);
    }

    #[test]
    fn a_newer_manifest_is_named_as_such() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path());
        std::fs::write(layout.manifest(), r#"{"schema_version": 2, "tool": ["another", "form"]}"#).unwrap();
        let said = reasons(&read_manifest(&layout).unwrap_err());
        assert!(said.contains("newer") && said.contains('2'), "{said}");
    }
}
