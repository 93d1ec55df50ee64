//! The files of a run that is being made.
//!
//! A request row is written to `requests.csv` by the thread that hands it over, one `write` a row, before
//! [`RunWriter::request`] returns: from then on it is the kernel's, and no kill of the process can lose it. Two other ways
//! were weighed. A queue alone loses what sits in it. A queue whose producer waits for the writer thread keeps the promise
//! but pays two context switches a row, and a row then waits behind whatever that thread does, a sync of a slow disk
//! included; the plain `write` takes a few microseconds of the decoding thread, which is no I/O thread.
//!
//! Everything else goes to one writer thread (`queue`): a kill may cost the last 250 ms of events, answers, scores and
//! samples, never a row. That thread also syncs the rows.

use std::path::Path;

use benchhost_model::{PointFacts, Record, Score};
use serde::Serialize;

use crate::append::{Appender, RunLock};
use crate::complete::{Completion, Counts};
use crate::error::StoreError;
use crate::events::{EventBlock, file_head, framed};
use crate::layout::Layout;
use crate::queue::Queue;
use crate::replace::sync_folder;
use crate::resume::Prepared;
use crate::rows::{OutputRow, RowForm, TelemetryRow, csv_line};

// Numbers of the writer thread's files.
const EVENTS: usize = 0;
const OUTPUTS: usize = 1;
const SCORES: usize = 2;
const TELEMETRY: usize = 3;
const JOURNAL: usize = 4;
const ALSO: usize = 5;

/// The open files of a run. Dropping it writes what still waits.
#[derive(Debug)]
pub struct RunWriter {
    layout: Layout,
    form: RowForm,
    requests: Appender,
    queue: Queue,
    /// A copy of each row goes to another file.
    also: bool,
    next_row: u64,
    counts: Counts,
    scores_begun: bool,
    telemetry_begun: bool,
    line: Vec<u8>,
    /// Let go of last, after the queue has written what waits.
    _lock: RunLock,
}

impl RunWriter {
    /// Creates the directory, which must be new or empty, opens its files, writes the header of `requests.csv` and holds
    /// the directory against other processes. `scores` are the declared scores of all workloads: they fix the columns. `also`
    /// is a CSV file that gets a copy of every request row; one that cannot be written or has other columns is refused
    /// before anything is created.
    pub fn create(layout: Layout, scores: Vec<String>, also: Option<&Path>) -> Result<Self, StoreError> {
        let root = layout.root();
        if root.read_dir().is_ok_and(|mut d| d.next().is_some()) {
            return Err(StoreError::NotEmpty { path: root.to_path_buf() });
        }
        let form = RowForm::new(scores);
        let header = form.header();
        let also = also.map(|p| Appender::open(p.to_path_buf())).transpose()?;
        also.as_ref().map_or(Ok(()), |file| file.demand_header(&header))?;
        let made = std::fs::create_dir_all(root).map_err(StoreError::create(root));
        let opened = made.and_then(|()| Ok((RunLock::of(root)?, Files::open(&layout)?)));
        match opened {
            Ok((lock, files)) => {
                let mut also = also;
                also.as_mut().map_or(Ok(()), |file| file.begin(&header))?;
                Self::over(layout, form, files, also, lock)
            }
            Err(error) => {
                also.into_iter().for_each(Appender::abandon);
                Err(error)
            }
        }
    }

    /// Goes on with a run that was killed or interrupted, after [`ResumeState::prepare`](crate::ResumeState::prepare).
    /// Row numbers go on after the highest that was ever given. The columns must be those of the rows that are there.
    pub fn resume(layout: Layout, scores: Vec<String>, prepared: Prepared) -> Result<Self, StoreError> {
        let form = RowForm::new(scores);
        let files = Files::open(&layout)?;
        files.requests.demand_header(&form.header())?;
        let mut writer = Self::over(layout, form, files, None, prepared.lock)?;
        writer.next_row = prepared.next_row;
        writer.counts = prepared.counts;
        Ok(writer)
    }

    fn over(
        layout: Layout,
        form: RowForm,
        files: Files,
        also: Option<Appender>,
        lock: RunLock,
    ) -> Result<Self, StoreError> {
        let Files { mut requests, mut others } = files;
        requests.begin(&form.header())?;
        if others[EVENTS].is_empty() {
            others[EVENTS].append(&file_head())?;
        }
        let (scores_begun, telemetry_begun) = (!others[SCORES].is_empty(), !others[TELEMETRY].is_empty());
        let with_copy = also.is_some();
        others.extend(also);
        let queue = Queue::start(others, requests.handle()?, layout.root())?;
        sync_folder(Some(layout.root()));
        Ok(Self {
            layout,
            form,
            requests,
            queue,
            also: with_copy,
            next_row: 1,
            counts: Counts::default(),
            scores_begun,
            telemetry_begun,
            line: Vec::new(),
            _lock: lock,
        })
    }

    /// The number that the next request row has.
    pub fn next_row(&self) -> u64 {
        self.next_row
    }

    /// What was handed over so far, finished parts of a resumed run included.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Appends one request. When this returns without an error the row survives a kill of the process; after one, the
    /// part of the row that the disk did not take is kept and goes first at the next call.
    pub fn request(&mut self, record: &Record) -> Result<(), StoreError> {
        self.line.clear();
        self.form.row(record, &mut self.line);
        self.counts.rows += 1;
        self.next_row = self.next_row.max(record.row) + 1;
        let written = self.requests.append(&self.line);
        let copied = if self.also { self.queue.push(ALSO, &self.line) } else { Ok(()) };
        // The row first: a failure elsewhere must not lose it.
        written.and(copied).and_then(|()| self.queue.rows_written())
    }

    /// Appends the output events of a request. Under pressure they are dropped and counted, and so is a block whose lists
    /// do not fit together.
    pub fn events(&mut self, block: &EventBlock) -> Result<(), StoreError> {
        self.line.clear();
        let fits = framed(block, &mut self.line);
        let kept = fits && self.queue.offer(EVENTS, &self.line)?;
        if kept {
            self.counts.event_blocks += 1;
        } else {
            self.counts.event_blocks_dropped += 1;
        }
        Ok(())
    }

    /// Appends an answer.
    pub fn output(&mut self, row: &OutputRow) -> Result<(), StoreError> {
        self.counts.outputs += 1;
        self.json(OUTPUTS, row)
    }

    /// Appends the scores of a request.
    pub fn scores(&mut self, row: u64, item: &str, scores: &[Score]) -> Result<(), StoreError> {
        self.line.clear();
        if !std::mem::replace(&mut self.scores_begun, true) {
            self.line = csv_line(&["row", "item", "score", "value", "note"]);
        }
        for score in scores {
            let cells = [&row.to_string(), item, &score.name, &score.value.to_string(), &score.note];
            // One line each, so that a torn one can be told.
            self.line.extend(csv_line(&cells.map(|cell| cell.replace(['\n', '\r'], " "))));
            self.counts.scores += 1;
        }
        self.queue.push(SCORES, &self.line)
    }

    /// Appends a sample.
    pub fn telemetry(&mut self, row: &TelemetryRow) -> Result<(), StoreError> {
        self.line.clear();
        row.line(!std::mem::replace(&mut self.telemetry_begun, true), &mut self.line);
        self.counts.telemetry += 1;
        self.queue.push(TELEMETRY, &self.line)
    }

    /// Marks a load point as finished: brings its rows to the device, then the line that says so. A point that was cut
    /// short must not be marked, so that a resumed run measures it again.
    pub fn finish_point(&mut self, facts: &PointFacts) -> Result<(), StoreError> {
        self.flush()?;
        self.counts.points += 1;
        self.json(JOURNAL, facts)?;
        self.queue.flush()
    }

    fn json(&mut self, file: usize, row: &impl Serialize) -> Result<(), StoreError> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, row)
            .map_err(|e| StoreError::Append { path: self.layout.root().to_path_buf(), source: e.into() })?;
        self.line.push(b'\n');
        self.queue.push(file, &self.line)
    }

    /// Returns when everything handed over is on the device. A kill loses no row without it, a power cut may lose a second.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        // What the disk refused before is tried again.
        let rows = self.requests.append(&[]);
        rows.and(self.queue.flush())
    }

    /// Marks the run as ended by itself, as `complete` or `interrupted`: everything is on the device, `COMPLETE` says how
    /// much and has the digest of every recorded file. To be called last, after other files of the run were written.
    pub fn complete(&mut self, interrupted: bool) -> Result<(), StoreError> {
        self.flush()?;
        let ended = if interrupted { "interrupted" } else { "complete" };
        Completion::of(&self.layout, ended, self.counts)?.write(&self.layout)
    }
}

/// The files of the run's directory: that of the rows, and those of the writer thread by number.
struct Files {
    requests: Appender,
    others: Vec<Appender>,
}

impl Files {
    fn open(layout: &Layout) -> Result<Self, StoreError> {
        let others =
            [layout.events(), layout.outputs(), layout.scores(), layout.telemetry(), layout.journal()];
        Ok(Self {
            requests: Appender::open(layout.requests())?,
            others: others.into_iter().map(Appender::open).collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
mod tests;
