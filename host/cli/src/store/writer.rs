//! The files of a run that is being made. A failed write names the file and stops the run, with what is already there
//! left as it is.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use benchhost_model::{Record, Score};

use super::append::Appender;
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
}

impl RunWriter {
    /// Creates the directory, which must be new or empty, opens its files and writes the header of `requests.csv`.
    /// `scores` are the declared scores of all workloads: they fix the columns. `also` is a CSV file that gets a copy
    /// of every request row; one that cannot be written or has other columns is refused before anything is created.
    pub(crate) fn create(layout: Layout, mut scores: Vec<String>, also: Option<&Path>) -> CliResult<Self> {
        let root = layout.root();
        if root.read_dir().is_ok_and(|mut d| d.next().is_some()) {
            return Err(CliError::usage(format!("`{}` is not empty", root.display()))
                .hint("name a new directory with `--out`; a result is never written over"));
        }
        scores.sort();
        scores.dedup();
        let header = rows::header(&scores);
        let also = also.map(|p| Appender::open(p.to_path_buf())).transpose()?;
        also.as_ref().map_or(Ok(()), |file| file.demand_header(&header))?;
        match Self::open_all(layout, scores, &header) {
            Ok(mut writer) => {
                writer.also = also;
                writer.also.as_mut().map_or(Ok(()), |file| file.begin(&header))?;
                Ok(writer)
            }
            Err(error) => {
                also.into_iter().for_each(Appender::abandon);
                Err(error)
            }
        }
    }

    /// The directory and everything in it.
    fn open_all(layout: Layout, scores: Vec<String>, header: &[String]) -> CliResult<Self> {
        let root = layout.root();
        std::fs::create_dir_all(root)
            .map_err(|e| CliError::usage(format!("cannot create `{}`", root.display())).because(e))?;
        let mut requests = Appender::open(layout.requests())?;
        requests.begin(header)?;
        Ok(Self {
            requests,
            also: None,
            events: Appender::open(layout.events())?,
            outputs: Appender::open(layout.outputs())?,
            score_rows: Appender::open(layout.scores())?,
            telemetry: Appender::open(layout.telemetry())?,
            layout,
            scores,
            rows: 0,
        })
    }

    /// Rows written so far; the next row has this number plus one.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Appends one request.
    pub(crate) fn request(&mut self, record: &Record) -> CliResult<()> {
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
        if self.score_rows.is_empty() {
            self.score_rows.csv(&["row", "item", "score", "value", "note"])?;
        }
        for score in scores {
            self.score_rows.csv(&[
                &row.to_string(),
                item,
                &score.name,
                &score.value.to_string(),
                &score.note,
            ])?;
        }
        Ok(())
    }

    /// Appends a GPU sample.
    pub(crate) fn telemetry(&mut self, row: &TelemetryRow) -> CliResult<()> {
        self.telemetry.serialized(row)
    }

    /// Brings the rows to the device; called between load points. A kill loses nothing without it, a power cut may.
    pub(crate) fn flush(&mut self) -> CliResult<()> {
        let own = [&self.requests, &self.events, &self.outputs, &self.score_rows, &self.telemetry];
        own.into_iter().chain(&self.also).try_for_each(Appender::sync)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::read_requests;

    fn record(row: u64, run: &str) -> Record {
        Record { row, run_id: run.into(), failure_detail: "a \"word\", quoted".into(), ..Record::blank() }
    }

    fn run_into(folder: &Path, name: &str, also: &Path) -> CliResult<()> {
        let mut writer = RunWriter::create(Layout::new(folder.join(name)), vec!["f1".into()], Some(also))?;
        writer.request(&record(1, name))?;
        writer.request(&record(2, name))
    }

    #[test]
    fn a_run_without_rows_has_a_readable_file() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("run");
        RunWriter::create(Layout::new(&root), vec![], None).unwrap();
        assert!(read_requests(&root).unwrap().records.is_empty());
    }

    #[test]
    fn a_shared_file_torn_at_any_byte_takes_the_next_run_whole() {
        let folder = tempfile::tempdir().unwrap();
        let shared = folder.path().join("l.csv");
        run_into(folder.path(), "first", &shared).unwrap();
        let whole = std::fs::read(&shared).unwrap();
        let last = whole[..whole.len() - 1].iter().rposition(|b| *b == b'\n').unwrap() + 1;
        for cut in last..=whole.len() {
            std::fs::write(&shared, &whole[..cut]).unwrap();
            run_into(folder.path(), &format!("next-{cut}"), &shared).unwrap();
            let read = read_requests(&shared).unwrap();
            let kept = 1 + usize::from(cut >= whole.len() - 1);
            let torn = usize::from(cut > last && cut < whole.len() - 1);
            assert_eq!((read.records.len(), read.torn), (kept + 2, torn), "cut at {cut} of {}", whole.len());
        }
    }

    #[test]
    fn a_copy_that_cannot_be_written_stops_the_run_before_anything_is_created() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("results/run");
        let create = |also: &Path| RunWriter::create(Layout::new(&root), vec![], Some(also)).unwrap_err();
        create(&folder.path().join("nodir/l.csv"));
        let other = folder.path().join("other.csv");
        std::fs::write(&other, "a,b\n1,2").unwrap();
        assert!(create(&other).to_string().contains("other columns"));
        assert_eq!(std::fs::read(&other).unwrap(), b"a,b\n1,2");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_that_cannot_be_created_leaves_no_copy_behind() {
        let folder = tempfile::tempdir().unwrap();
        let blocked = folder.path().join("results");
        std::fs::write(&blocked, "a file").unwrap();
        let also = folder.path().join("l.csv");
        RunWriter::create(Layout::new(blocked.join("run")), vec![], Some(&also)).unwrap_err();
        assert!(!also.exists());
        std::fs::write(&also, "").unwrap();
        RunWriter::create(Layout::new(blocked.join("run")), vec![], Some(&also)).unwrap_err();
        assert!(also.exists(), "a file of the user's is not removed");
    }
}
