//! What waits for decoding. The load hands answers over without ever waiting; beyond a cap their bodies go to a temporary
//! file, so that a slow adapter costs disk and not memory. Knows nothing of what an answer means.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use benchhost_load::Finished;
use benchhost_model::{Nanos, ReadMark};

/// Bodies and marks beyond this wait on disk.
pub(crate) const CAP_BYTES: u64 = 256 << 20;

/// Bytes of a mark in the file: end, user time, kernel time (all ones: none).
const MARK_BYTES: usize = 24;
const NO_STAMP: u64 = u64::MAX;

/// What waits: the exchange, or where its body is.
struct Held {
    finished: Finished,
    spilled: Option<Spilled>,
    bytes: u64,
}

/// A place in the file.
struct Spilled {
    at: u64,
    body: usize,
    marks: usize,
}

/// The receiving half: takes what the load hands over and puts it in line.
pub(crate) struct Intake {
    done: Receiver<Finished>,
    line: Sender<Held>,
    waiting: Arc<AtomicU64>,
    cap: u64,
    spill: Spill,
}

/// The decoding half.
pub(crate) struct Backlog {
    line: Receiver<Held>,
    waiting: Arc<AtomicU64>,
    file: Arc<std::sync::OnceLock<File>>,
}

/// The file, once something had to go there.
struct Spill {
    path: PathBuf,
    file: Arc<std::sync::OnceLock<File>>,
    end: u64,
    /// The disk refused; from then on memory grows, since nothing may be lost.
    refused: bool,
}

/// A line between the load's channel and decoding; `folder` is where a file may be put. The file has no name once it is
/// open, so that a killed run leaves none behind.
pub(crate) fn backlog(done: Receiver<Finished>, folder: &Path, cap: u64) -> (Intake, Backlog) {
    let (line_in, line_out) = channel();
    let waiting = Arc::new(AtomicU64::new(0));
    let file = Arc::new(std::sync::OnceLock::new());
    let spill =
        Spill { path: folder.join("undecoded.part"), file: Arc::clone(&file), end: 0, refused: false };
    let intake = Intake { done, line: line_in, waiting: Arc::clone(&waiting), cap, spill };
    (intake, Backlog { line: line_out, waiting, file })
}

impl Intake {
    /// Works until the load is over; returns how many bytes went to disk.
    pub(crate) fn run(mut self) -> u64 {
        while let Ok(mut finished) = self.done.recv() {
            let timeline = &finished.timeline;
            let bytes = (timeline.body.len() + timeline.marks.len() * size_of::<ReadMark>()) as u64;
            let over = self.waiting.load(Ordering::Acquire) + bytes > self.cap;
            let spilled = if over && bytes > 0 { self.spill.put(&mut finished) } else { None };
            let bytes = if spilled.is_some() { 0 } else { bytes };
            self.waiting.fetch_add(bytes, Ordering::AcqRel);
            if self.line.send(Held { finished, spilled, bytes }).is_err() {
                // Decoding has given up; the load must not notice.
                while self.done.recv().is_ok() {}
            }
        }
        self.spill.end
    }
}

impl Spill {
    /// Moves body and marks to the file; `None`: it cannot be written, and they stay where they are.
    fn put(&mut self, finished: &mut Finished) -> Option<Spilled> {
        if self.refused {
            return None;
        }
        let timeline = &mut finished.timeline;
        let place = Spilled { at: self.end, body: timeline.body.len(), marks: timeline.marks.len() };
        let mut bytes = Vec::with_capacity(place.marks * MARK_BYTES);
        for mark in &timeline.marks {
            let kernel = mark.kernel.map_or(NO_STAMP, Nanos::get);
            for number in [mark.end, mark.user.get(), kernel] {
                bytes.extend_from_slice(&number.to_le_bytes());
            }
        }
        let written = self.file().and_then(|mut file| {
            file.write_all(&timeline.body)?;
            file.write_all(&bytes)
        });
        if written.is_err() {
            self.refused = true;
            return None;
        }
        self.end += (place.body + bytes.len()) as u64;
        (timeline.body, timeline.marks) = (Vec::new(), Vec::new());
        Some(place)
    }

    fn file(&self) -> io::Result<&File> {
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        let file = OpenOptions::new().read(true).append(true).create_new(true).open(&self.path)?;
        std::fs::remove_file(&self.path)?;
        Ok(self.file.get_or_init(|| file))
    }
}

impl Backlog {
    /// The next exchange in line, whole again. An error of the disk is one of the run: the answer was there and is lost.
    pub(crate) fn next(&self, patience: Duration) -> Result<io::Result<Finished>, RecvTimeoutError> {
        let Held { mut finished, spilled, bytes } = self.line.recv_timeout(patience)?;
        self.waiting.fetch_sub(bytes, Ordering::AcqRel);
        Ok(match spilled {
            None => Ok(finished),
            Some(place) => self.fetch(&place, &mut finished).map(|()| finished),
        })
    }

    fn fetch(&self, place: &Spilled, finished: &mut Finished) -> io::Result<()> {
        let file = self.file.get().ok_or_else(|| io::Error::other("the file of waiting answers is gone"))?;
        let mut body = vec![0; place.body];
        file.read_exact_at(&mut body, place.at)?;
        let mut marks = vec![0; place.marks * MARK_BYTES];
        file.read_exact_at(&mut marks, place.at + place.body as u64)?;
        let number = |bytes: &[u8], index: usize| {
            let eight = bytes.get(index * 8..).and_then(|rest| rest.first_chunk::<8>());
            eight.map_or(NO_STAMP, |eight| u64::from_le_bytes(*eight))
        };
        let mark = |bytes: &[u8]| ReadMark {
            end: number(bytes, 0),
            user: Nanos::new(number(bytes, 1)),
            kernel: Some(number(bytes, 2)).filter(|ns| *ns != NO_STAMP).map(Nanos::new),
        };
        finished.timeline.body = body;
        finished.timeline.marks = marks.chunks_exact(MARK_BYTES).map(mark).collect();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use benchhost_model::{Phase, Timeline};

    use super::*;

    fn finished(id: u64) -> Finished {
        let mut timeline = Timeline::never_sent(Nanos::ZERO, Nanos::ZERO);
        timeline.body = vec![u8::try_from(id % 251).unwrap(); 1000];
        let mark = |end: u64| ReadMark {
            end: end * 10,
            user: Nanos::new(id + end),
            kernel: end.is_multiple_of(2).then(|| Nanos::new(id * 7 + end)),
        };
        timeline.marks = (1..=100).map(mark).collect();
        Finished { id, phase: Phase::Measured, timeline }
    }

    #[test]
    fn what_does_not_fit_into_memory_comes_back_whole_and_in_order() {
        for cap in [0, 9_000, u64::MAX] {
            let folder = tempfile::tempdir().unwrap();
            let (done_in, done_out) = channel();
            let (intake, backlog) = backlog(done_out, folder.path(), cap);
            for id in 0..20 {
                done_in.send(finished(id)).unwrap();
            }
            drop(done_in);
            let spilled = intake.run();
            assert_eq!(spilled == 0, cap == u64::MAX, "{cap}: {spilled}");
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the file has no name");
            for id in 0..20 {
                let back = backlog.next(Duration::ZERO).unwrap().unwrap();
                assert_eq!((back.id, back.timeline), (id, finished(id).timeline));
            }
            assert!(backlog.next(Duration::ZERO).is_err());
            assert_eq!(backlog.waiting.load(Ordering::Acquire), 0);
        }
    }

    #[test]
    fn a_disk_that_refuses_costs_memory_and_no_answer() {
        let (done_in, done_out) = channel();
        let (intake, backlog) = backlog(done_out, Path::new("/no/such/folder"), 0);
        done_in.send(finished(1)).unwrap();
        drop(done_in);
        assert_eq!(intake.run(), 0);
        assert_eq!(backlog.next(Duration::ZERO).unwrap().unwrap().timeline, finished(1).timeline);
    }
}
