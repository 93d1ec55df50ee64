//! The writer thread and what waits for it. Whole lines gather in memory, a buffer a file, and go out together when
//! 64 KiB are ready or 250 ms have passed; what was written is brought to the device once a second and on request. The
//! queue is bounded in bytes: who hands over more than the disk takes waits. Knows nothing of what the lines mean.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{io, thread};

use crate::append::{Appender, sync};
use crate::error::StoreError;

/// Bytes that may wait for the writer thread.
pub(crate) const BOUND: usize = 8 << 20;
/// From here on what may be dropped is dropped, so that what may not still finds room.
const PRESSURE: usize = BOUND / 2;
/// An append this large is worth a system call at once.
const READY: usize = 64 << 10;
/// No line waits longer than this.
const PATIENCE: Duration = Duration::from_millis(250);
/// A power cut loses at most this much.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// The producer's end.
#[derive(Debug)]
pub(crate) struct Queue {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    root: PathBuf,
    state: Mutex<State>,
    /// Something to do for the writer thread.
    work: Condvar,
    /// Something was done: there is room, or a flush has ended.
    done: Condvar,
    /// Rows were written by another thread since the last sync.
    rows_dirty: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    /// Whole lines for each file.
    waiting: Vec<Vec<u8>>,
    bytes: usize,
    /// Since when the oldest of them waits.
    since: Option<Instant>,
    flush_asked: u64,
    flush_done: u64,
    fault: Option<Fault>,
    stop: bool,
    gone: bool,
}

/// The first failure, to be told at every call from then on.
#[derive(Debug, Clone)]
struct Fault {
    path: PathBuf,
    kind: io::ErrorKind,
    text: String,
}

impl Queue {
    /// Starts the writer thread for `files`; `rows` is a file that another thread writes and this one syncs.
    pub(crate) fn start(files: Vec<Appender>, rows: File, root: &Path) -> Result<Self, StoreError> {
        let waiting = files.iter().map(|_| Vec::new()).collect();
        let state = Mutex::new(State { waiting, ..State::default() });
        let shared = Arc::new(Shared {
            root: root.to_path_buf(),
            state,
            work: Condvar::new(),
            done: Condvar::new(),
            rows_dirty: AtomicBool::new(false),
        });
        let back =
            Back { shared: shared.clone(), hand: files.iter().map(|_| Vec::new()).collect(), files, rows };
        let thread = thread::Builder::new()
            .name("writer".into())
            .spawn(move || back.run())
            .map_err(StoreError::create(root))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Hands over whole lines for file number `file`, waiting for room. An earlier failure of the writer thread is told
    /// here, after the lines were taken: they are tried again.
    pub(crate) fn push(&self, file: usize, lines: &[u8]) -> Result<(), StoreError> {
        let mut state = self.shared.lock();
        while state.bytes >= BOUND && state.fault.is_none() && !state.gone {
            state = self.shared.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        self.take(&mut state, file, lines);
        state.check(&self.shared)
    }

    /// Hands over lines that may be dropped; `false` if the disk cannot keep up and they were.
    pub(crate) fn offer(&self, file: usize, lines: &[u8]) -> Result<bool, StoreError> {
        let mut state = self.shared.lock();
        let room = state.bytes < PRESSURE;
        if room {
            self.take(&mut state, file, lines);
        }
        state.check(&self.shared).map(|()| room)
    }

    fn take(&self, state: &mut State, file: usize, lines: &[u8]) {
        state.waiting[file].extend_from_slice(lines);
        let first = state.bytes == 0;
        let was_ready = state.bytes >= READY;
        state.bytes += lines.len();
        if first {
            state.since = Some(Instant::now());
        }
        if first || (!was_ready && state.bytes >= READY) {
            self.shared.work.notify_one();
        }
    }

    /// Says that the file of rows has something to sync, and tells an earlier failure.
    pub(crate) fn rows_written(&self) -> Result<(), StoreError> {
        self.shared.rows_dirty.store(true, Ordering::Release);
        self.shared.lock().check(&self.shared)
    }

    /// Returns when everything handed over before is on the device.
    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        let mut state = self.shared.lock();
        state.flush_asked += 1;
        let mine = state.flush_asked;
        self.shared.work.notify_one();
        while state.flush_done < mine && !state.gone {
            state = self.shared.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.check(&self.shared)
    }

    /// Writes what waits and ends the thread.
    pub(crate) fn stop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.work.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic there was told at the last call.
            let _told = thread.join();
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn check(&self, shared: &Shared) -> Result<(), StoreError> {
        match &self.fault {
            Some(Fault { path, kind, text }) => {
                Err(StoreError::Append { path: path.clone(), source: io::Error::new(*kind, text.clone()) })
            }
            None if self.gone => Err(StoreError::WriterGone { path: shared.root.clone() }),
            None => Ok(()),
        }
    }
}

/// The writer thread's end.
struct Back {
    shared: Arc<Shared>,
    files: Vec<Appender>,
    /// Buffers that were swapped out, to be swapped in again empty.
    hand: Vec<Vec<u8>>,
    rows: File,
}

/// What the writer thread is to do now.
struct Task {
    flush: u64,
    sync: bool,
    stop: bool,
}

impl Back {
    fn run(mut self) {
        let guard = Gone(self.shared.clone());
        let mut synced = Instant::now();
        loop {
            let task = self.wait(synced);
            self.write();
            if task.sync {
                self.sync();
                synced = Instant::now();
            }
            let mut state = self.shared.lock();
            state.flush_done = state.flush_done.max(task.flush);
            drop(state);
            self.shared.done.notify_all();
            if task.stop {
                break;
            }
        }
        drop(guard);
    }

    /// Waits until there is something to do and takes what is there.
    fn wait(&mut self, synced: Instant) -> Task {
        let shared = self.shared.clone();
        let mut state = shared.lock();
        loop {
            let waited = state.since.map(|since| since.elapsed());
            let flush = state.flush_asked > state.flush_done;
            let ready = state.bytes >= READY || waited.is_some_and(|w| w >= PATIENCE);
            let sync = synced.elapsed() >= SYNC_EVERY && self.is_dirty();
            if flush || ready || sync || state.stop {
                std::mem::swap(&mut state.waiting, &mut self.hand);
                state.bytes = 0;
                state.since = None;
                shared.done.notify_all();
                let stop = state.stop;
                return Task { flush: state.flush_asked, sync: sync || flush || stop, stop };
            }
            let nap = waited.map_or(SYNC_EVERY, |w| PATIENCE.saturating_sub(w));
            state = shared.work.wait_timeout(state, nap).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn is_dirty(&self) -> bool {
        self.shared.rows_dirty.load(Ordering::Acquire) || self.files.iter().any(Appender::is_dirty)
    }

    fn write(&mut self) {
        for (file, lines) in self.files.iter_mut().zip(&mut self.hand) {
            // Without lines too: what the disk refused before is tried again.
            let written = file.append(lines);
            lines.clear();
            self.shared.note(written);
        }
    }

    fn sync(&mut self) {
        if self.shared.rows_dirty.swap(false, Ordering::AcqRel) {
            let path = self.shared.root.join("requests.csv");
            self.shared.note(sync(&self.rows).map_err(StoreError::append(&path)));
        }
        for file in &mut self.files {
            self.shared.note(file.sync());
        }
    }
}

impl Shared {
    /// Keeps the first failure.
    fn note(&self, result: Result<(), StoreError>) {
        if let Err(StoreError::Append { path, source }) = result {
            let fault = Fault { path, kind: source.kind(), text: source.to_string() };
            self.lock().fault.get_or_insert(fault);
        }
    }
}

/// Lets nobody wait for a thread that is gone, also when it panicked.
struct Gone(Arc<Shared>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.lock().gone = true;
        self.0.done.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(folder: &Path) -> (Queue, PathBuf) {
        let path = folder.join("lines");
        let rows = File::create(folder.join("requests.csv")).unwrap();
        (Queue::start(vec![Appender::open(path.clone()).unwrap()], rows, folder).unwrap(), path)
    }

    #[test]
    fn many_times_the_bound_goes_through_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let (queue, path) = queue(folder.path());
        let line = [b"x".repeat(999), b"\n".to_vec()].concat();
        let count = 3 * BOUND / line.len();
        (0..count).for_each(|_| queue.push(0, &line).unwrap());
        queue.flush().unwrap();
        assert_eq!(std::fs::metadata(path).unwrap().len(), (count * line.len()) as u64);
    }

    #[test]
    fn what_may_be_dropped_is_dropped_only_under_pressure_and_the_rest_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (queue, path) = queue(folder.path());
        let mut state = queue.shared.lock();
        // As if the disk had not taken anything for a while: nothing is swapped out while the lock is held.
        queue.take(&mut state, 0, &vec![b'.'; PRESSURE]);
        let room = state.bytes < PRESSURE;
        drop(state);
        assert!(!room);
        queue.push(0, b"kept\n").unwrap();
        queue.flush().unwrap();
        assert!(queue.offer(0, b"taken\n").unwrap());
        drop(queue);
        let text = std::fs::read(path).unwrap();
        assert_eq!(&text[PRESSURE..], b"kept\ntaken\n");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_told_at_the_next_call_and_every_one_after() {
        let folder = tempfile::tempdir().unwrap();
        let rows = File::create(folder.path().join("requests.csv")).unwrap();
        let full = Appender::open(PathBuf::from("/dev/full")).unwrap();
        let good = Appender::open(folder.path().join("good")).unwrap();
        let queue = Queue::start(vec![full, good], rows, folder.path()).unwrap();
        queue.push(0, b"lost?\n").unwrap();
        assert!(queue.flush().unwrap_err().to_string().contains("/dev/full"));
        assert!(queue.rows_written().is_err() && queue.offer(0, b"x\n").is_err());
        // What goes to other files is kept all the same.
        assert!(queue.push(1, b"kept\n").is_err());
        drop(queue);
        assert_eq!(std::fs::read(folder.path().join("good")).unwrap(), b"kept\n");
    }
}
