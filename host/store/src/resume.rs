//! Going on with a run that was killed or interrupted: which load points are finished, and what belongs to none of them.
//!
//! A point is finished when the journal says so and every row that it names is there. How to go on:
//!
//! 1. [`ResumeState::read`]: refuses a run that another process still writes, and changes nothing. The caller checks the
//!    plan's digest and the seed against `manifest.json`; the run keeps its `run_id`.
//! 2. Skip the points for which [`ResumeState::is_finished`] holds.
//! 3. [`ResumeState::prepare`] mends torn ends and moves everything of unfinished points into `abandoned/`.
//! 4. [`RunWriter::resume`](crate::RunWriter::resume) appends after the finished part.
//!
//! Rows and sessions are numbered after the highest that was ever given, abandoned ones included, and the run's clock goes
//! on after the latest time that was recorded: samples are joined to rows by time, so no moment may come twice.

use std::path::Path;

use benchhost_model::{Nanos, PointFacts, PointKey, Record};
use serde::Deserialize;

use crate::append::RunLock;
use crate::complete::Counts;
use crate::error::StoreError;
use crate::events::{Frames, file_head};
use crate::journal::{Journal, row_range};
use crate::layout::Layout;
use crate::lines::JsonLines;
use crate::mend::{TornFile, mend_locked};
use crate::requests::RequestsReader;
use crate::rows::read_telemetry;

mod split;

use split::{Split, split_csv};

/// What is there of a run that is to go on. Holds the run against other processes.
#[derive(Debug)]
pub struct ResumeState {
    layout: Layout,
    finished: Vec<PointFacts>,
    /// Row ranges of finished points, sorted.
    ranges: Vec<(u64, u64)>,
    seen: Seen,
    unfinished_rows: u64,
    lock: RunLock,
}

/// The highest numbers that were ever given.
#[derive(Debug, Default)]
struct Seen {
    row: u64,
    session: Option<u64>,
    at: u64,
    labels: Option<(String, String)>,
}

/// What was moved aside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Abandoned {
    /// Request rows of unfinished points.
    pub rows: u64,
    /// Their event blocks, damaged blocks included.
    pub event_blocks: u64,
    /// Their answers.
    pub outputs: u64,
    /// Their scores.
    pub scores: u64,
    /// Journal lines of points whose rows are not all there.
    pub points: u64,
}

/// A run that can be appended to.
#[derive(Debug)]
pub struct Prepared {
    /// The number of the next request row.
    pub next_row: u64,
    /// The number of the next session.
    pub next_session: u64,
    /// The latest time that was recorded: the resumed run's clock must start after it.
    pub clock_from: Nanos,
    /// What is kept.
    pub counts: Counts,
    /// What was moved to `abandoned/`.
    pub abandoned: Abandoned,
    /// Torn ends, kept beside their files.
    pub torn: Vec<TornFile>,
    pub(crate) lock: RunLock,
}

impl ResumeState {
    /// Reads what is there. Nothing is changed.
    pub fn read(layout: Layout) -> Result<Self, StoreError> {
        let lock = RunLock::of(layout.root())?;
        if !layout.journal().exists() {
            let why =
                "it has no `journal.jsonl`: an older benchhost wrote it, or it is not a run's directory";
            let path = layout.root().to_path_buf();
            return Err(StoreError::NotResumable { path, source: why.to_owned().into() });
        }
        let mut seen = Seen::default();
        for old in abandoned_requests(&layout)? {
            RequestsReader::open(&old)?.try_for_each(|record| record.map(|r| seen.note(&r)))?;
        }
        let samples = read_telemetry(&layout.telemetry())?;
        seen.at = samples.map(|sample| sample.t_ns).fold(seen.at, u64::max);

        let mut points: Vec<(PointFacts, u64)> =
            Journal::read(&layout)?.points.into_iter().map(|facts| (facts, 0)).collect();
        let mut rows = 0;
        for record in RequestsReader::open(layout.root())? {
            let record = record?;
            seen.note(&record);
            rows += 1;
            let holder = points.iter_mut().find(|(facts, _)| {
                row_range(facts).is_some_and(|(first, last)| (first..=last).contains(&record.row))
            });
            if let Some((_, count)) = holder {
                *count += 1;
            }
        }
        points.retain(|(facts, count)| all_there(facts, *count));
        let kept: u64 = points.iter().map(|(_, count)| count).sum();
        let finished: Vec<PointFacts> = points.into_iter().map(|(facts, _)| facts).collect();
        let mut ranges: Vec<_> = finished.iter().filter_map(row_range).collect();
        ranges.sort_unstable();
        Ok(Self { layout, finished, ranges, seen, unfinished_rows: rows - kept, lock })
    }

    /// The finished points, in the order in which they ended.
    pub fn finished(&self) -> &[PointFacts] {
        &self.finished
    }

    /// Whether the point `key` is finished.
    pub fn is_finished(&self, key: &PointKey) -> bool {
        self.finished.iter().any(|facts| facts.key == *key)
    }

    /// Rows that belong to no finished point.
    pub fn unfinished_rows(&self) -> u64 {
        self.unfinished_rows
    }

    /// `run_id` and `plan_digest` of the rows that are there; `None` when there is no row.
    pub fn labels(&self) -> Option<(&str, &str)> {
        self.seen.labels.as_ref().map(|(run, plan)| (run.as_str(), plan.as_str()))
    }

    /// Mends torn ends, moves what belongs to no finished point into `abandoned/` and takes `COMPLETE` away, likewise. A
    /// kill in the midst of this loses nothing; it is then done again.
    pub fn prepare(self) -> Result<Prepared, StoreError> {
        let mended = mend_locked(&self.layout)?;
        let layout = &self.layout;
        let n = next_number(layout)?;
        let keeps = |row: u64| self.is_kept(row);
        let mut counts = Counts { telemetry: mended.counts.telemetry, ..Counts::default() };
        let mut abandoned = Abandoned::default();
        // Rows last: they say which points are finished.
        (counts.event_blocks, abandoned.event_blocks) = split_events(layout, n, keeps)?;
        (counts.outputs, abandoned.outputs) = split_outputs(layout, n, keeps)?;
        (counts.scores, abandoned.scores) = split_csv(layout, &layout.scores(), n, keeps)?;
        (counts.points, abandoned.points) = self.split_journal(n)?;
        (counts.rows, abandoned.rows) = split_csv(layout, &layout.requests(), n, keeps)?;
        let complete = layout.complete();
        if complete.exists() {
            let aside = layout.set_aside(&complete, n);
            std::fs::create_dir_all(layout.abandoned())
                .and_then(|()| std::fs::rename(&complete, aside))
                .map_err(StoreError::write(&complete))?;
        }
        Ok(Prepared {
            next_row: self.seen.row + 1,
            next_session: self.seen.session.map_or(0, |s| s + 1),
            clock_from: Nanos::new(self.seen.at),
            counts,
            abandoned,
            torn: mended.torn,
            lock: self.lock,
        })
    }

    fn is_kept(&self, row: u64) -> bool {
        let after = self.ranges.partition_point(|(first, _)| *first <= row);
        after.checked_sub(1).is_some_and(|at| row <= self.ranges[at].1)
    }

    fn split_journal(&self, n: u32) -> Result<(u64, u64), StoreError> {
        let path = self.layout.journal();
        let mut lines = JsonLines::<PointFacts>::open(&path)?;
        let mut split = Split::begin(&self.layout, &path, n)?;
        while let Some(facts) = lines.next() {
            let facts = facts?;
            split.put(self.finished.contains(&facts), lines.line())?;
        }
        split.finish()
    }
}

impl Seen {
    fn note(&mut self, record: &Record) {
        self.row = self.row.max(record.row);
        self.session = self.session.max(record.session);
        let times = [Some(record.t_sched_ns), record.t_last_ns, record.t_end_ns];
        self.at = times.into_iter().flatten().map(Nanos::get).fold(self.at, u64::max);
        if self.labels.is_none() {
            self.labels = Some((record.run_id.clone(), record.plan_digest.clone()));
        }
    }
}

/// Whether `count` rows in the point's range are all that it had.
fn all_there(facts: &PointFacts, count: u64) -> bool {
    match (row_range(facts), facts.rows) {
        (Some((first, last)), rows) => count == rows.unwrap_or(last - first + 1),
        (None, rows) => rows == Some(0),
    }
}

fn split_events(layout: &Layout, n: u32, keeps: impl Fn(u64) -> bool) -> Result<(u64, u64), StoreError> {
    let path = layout.events();
    let mut frames = Frames::open(&path)?;
    let mut split = Split::begin(layout, &path, n)?;
    split.both(&file_head())?;
    while let Some(frame) = frames.next_frame() {
        let frame = frame?;
        split.put(frame.block.is_some_and(|block| keeps(block.row)), &frame.bytes)?;
    }
    split.finish()
}

fn split_outputs(layout: &Layout, n: u32, keeps: impl Fn(u64) -> bool) -> Result<(u64, u64), StoreError> {
    #[derive(Deserialize)]
    struct Numbered {
        row: u64,
    }
    let path = layout.outputs();
    let mut lines = JsonLines::<Numbered>::open(&path)?;
    let mut split = Split::begin(layout, &path, n)?;
    while let Some(line) = lines.next() {
        let row = line?.row;
        split.put(keeps(row), lines.line())?;
    }
    split.finish()
}

/// Names of the files in `abandoned/`.
fn abandoned_names(layout: &Layout) -> Result<Vec<String>, StoreError> {
    let folder = layout.abandoned();
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(&folder).map_err(StoreError::read(&folder))?;
    Ok(entries.filter_map(Result::ok).map(|e| e.file_name().to_string_lossy().into_owned()).collect())
}

fn abandoned_requests(layout: &Layout) -> Result<Vec<std::path::PathBuf>, StoreError> {
    let names = abandoned_names(layout)?.into_iter();
    let rows = |name: &String| {
        name.starts_with("requests-") && Path::new(name).extension().is_some_and(|e| e == "csv")
    };
    Ok(names.filter(rows).map(|name| layout.abandoned().join(name)).collect())
}

/// One more than the highest number in `abandoned/`.
fn next_number(layout: &Layout) -> Result<u32, StoreError> {
    let number = |name: &String| -> Option<u32> {
        let stem = name.split('.').next()?;
        stem.rsplit_once('-')?.1.parse().ok()
    };
    Ok(abandoned_names(layout)?.iter().filter_map(number).max().unwrap_or(0) + 1)
}

#[cfg(test)]
mod tests;
