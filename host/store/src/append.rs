//! One append-only file. Whole lines are handed to it and go to the file in one `write` where the disk takes them so; what
//! the disk did not take is kept and tried again. A line that an earlier kill tore is closed before the next one. Knows
//! nothing of what the lines mean.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::error::StoreError;
use crate::rows::csv_line;

/// How far back from the end a torn line's beginning is looked for; rows are far shorter.
const TAIL_BYTES: u64 = 1 << 20;

/// The file and what is known of its state.
#[derive(Debug)]
pub(crate) struct Appender {
    path: PathBuf,
    file: File,
    /// It did not exist before.
    created: bool,
    /// There is nothing in it yet.
    empty: bool,
    /// Handed over and not yet in the file: empty unless the disk refused.
    waiting: Vec<u8>,
    /// Written since the last sync.
    dirty: bool,
}

impl Appender {
    /// Opens for appending; creates the file, but no folder, where there is none. Writes nothing.
    pub(crate) fn open(path: PathBuf) -> Result<Self, StoreError> {
        let mut options = OpenOptions::new();
        options.read(true).append(true);
        let (opened, created) = match options.clone().create_new(true).open(&path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => (options.open(&path), false),
            opened => (opened, true),
        };
        let file = opened.map_err(StoreError::write(&path))?;
        let empty = file.metadata().map_or(true, |m| m.len() == 0);
        Ok(Self { path, file, created, empty, waiting: Vec::new(), dirty: false })
    }

    /// Nothing has been written yet, now or before.
    pub(crate) fn is_empty(&self) -> bool {
        self.empty
    }

    /// Written since the last sync.
    pub(crate) fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// A second handle on the same file, for syncing it from another thread.
    pub(crate) fn handle(&self) -> Result<File, StoreError> {
        self.file.try_clone().map_err(StoreError::append(&self.path))
    }

    /// Refuses a file that already has other columns.
    pub(crate) fn demand_header(&self, header: &[String]) -> Result<(), StoreError> {
        if self.empty {
            return Ok(());
        }
        let there = csv::Reader::from_path(&self.path).and_then(|mut r| r.headers().cloned());
        if there.is_ok_and(|h| h.iter().eq(header.iter().map(String::as_str))) {
            return Ok(());
        }
        Err(StoreError::OtherColumns { path: self.path.clone() })
    }

    /// Makes the file ready for rows: the header where there is none, and the end of a line that a killed run tore.
    pub(crate) fn begin(&mut self, header: &[String]) -> Result<(), StoreError> {
        if self.empty {
            return self.append(&csv_line(header));
        }
        let closing = self.closing().map_err(StoreError::append(&self.path))?;
        self.append(closing)
    }

    /// What ends the last line: nothing if it is whole, a line feed if it was torn, and before that a quote if it was
    /// torn inside a quoted cell, which would else take in the rows that follow.
    fn closing(&mut self) -> io::Result<&'static [u8]> {
        let length = self.file.seek(SeekFrom::End(0))?;
        self.file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut tail = Vec::new();
        self.file.read_to_end(&mut tail)?;
        let last = tail.rsplit(|b| *b == b'\n').next().unwrap_or_default();
        let inside_quotes = last.iter().fold(false, |inside, b| inside != (*b == b'"'));
        Ok(match (last.is_empty(), inside_quotes) {
            (true, _) => b"",
            (false, false) => b"\n",
            (false, true) => b"\"\n",
        })
    }

    /// Appends whole lines. When the disk refuses, what it did not take stays here and goes first the next time, so a
    /// refusal neither loses a byte nor tears a line for good.
    pub(crate) fn append(&mut self, lines: &[u8]) -> Result<(), StoreError> {
        self.empty &= lines.is_empty();
        if self.waiting.is_empty() {
            let (taken, result) = self.write(lines);
            self.waiting.extend_from_slice(&lines[taken..]);
            return result.map_err(StoreError::append(&self.path));
        }
        self.waiting.extend_from_slice(lines);
        let mut waiting = std::mem::take(&mut self.waiting);
        let (taken, result) = self.write(&waiting);
        waiting.drain(..taken);
        self.waiting = waiting;
        result.map_err(StoreError::append(&self.path))
    }

    /// How many bytes the file took, and what stopped it.
    fn write(&mut self, bytes: &[u8]) -> (usize, io::Result<()>) {
        let mut taken = 0;
        while taken < bytes.len() {
            match self.file.write(&bytes[taken..]) {
                Ok(0) => return (taken, Err(io::ErrorKind::WriteZero.into())),
                Ok(n) => {
                    taken += n;
                    self.dirty = true;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return (taken, Err(e)),
            }
        }
        (taken, Ok(()))
    }

    /// Waits until the device has what was written, where the file is on one and something was.
    pub(crate) fn sync(&mut self) -> Result<(), StoreError> {
        if std::mem::take(&mut self.dirty) {
            sync(&self.file).map_err(StoreError::append(&self.path))?;
        }
        Ok(())
    }

    /// Takes back the creation of a file that is still empty; a file that was there before stays.
    pub(crate) fn abandon(self) {
        if self.created && self.empty {
            let _already_gone = std::fs::remove_file(&self.path);
        }
    }
}

/// A run's directory, held against other processes until this is dropped; the kernel lets go of it when the process dies.
#[derive(Debug)]
pub(crate) struct RunLock {
    _held: Option<File>,
}

impl RunLock {
    /// [`StoreError::Busy`] when someone holds it. Where folders cannot be locked nothing is held.
    pub(crate) fn of(run: &Path) -> Result<Self, StoreError> {
        let Ok(folder) = File::open(run) else { return Ok(Self { _held: None }) };
        match folder.try_lock() {
            Err(TryLockError::WouldBlock) => Err(StoreError::Busy { path: run.to_path_buf() }),
            Ok(()) => Ok(Self { _held: Some(folder) }),
            Err(TryLockError::Error(_)) => Ok(Self { _held: None }),
        }
    }
}

/// Waits for the device; pipes and some file systems know no such thing.
pub(crate) fn sync(file: &File) -> io::Result<()> {
    match file.sync_data() {
        Err(e) if !matches!(e.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Err(e),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_refused_until_the_first_lets_go() {
        let folder = tempfile::tempdir().unwrap();
        let first = RunLock::of(folder.path()).unwrap();
        assert!(matches!(RunLock::of(folder.path()), Err(StoreError::Busy { .. })));
        drop(first);
        RunLock::of(folder.path()).unwrap();
    }

    /// A pipe that takes only so much stands for a disk that is full for a while.
    #[cfg(target_os = "linux")]
    #[test]
    fn what_was_refused_goes_first_the_next_time_and_nothing_is_lost_or_twice() {
        use std::os::fd::AsRawFd;
        use std::os::unix::fs::OpenOptionsExt;

        const O_NONBLOCK: i32 = 0o4000;
        let (mut reader, writer) = io::pipe().unwrap();
        let path = PathBuf::from(format!("/proc/self/fd/{}", writer.as_raw_fd()));
        let file = OpenOptions::new().append(true).custom_flags(O_NONBLOCK).open(&path).unwrap();
        drop(writer);
        let mut appender =
            Appender { path, file, created: false, empty: true, waiting: Vec::new(), dirty: false };
        let mut handed = Vec::new();
        let mut read = Vec::new();
        let (mut refusals, mut number) = (0, 0);
        while refusals < 3 {
            let line = format!("{number}: {}\n", "x".repeat(3001)).into_bytes();
            number += 1;
            handed.extend_from_slice(&line);
            let Err(_refused) = appender.append(&line) else { continue };
            refusals += 1;
            let mut some = vec![0; 20_000];
            let n = reader.read(&mut some).unwrap();
            read.extend_from_slice(&some[..n]);
        }
        while appender.append(&[]).is_err() {
            let mut some = vec![0; 20_000];
            let n = reader.read(&mut some).unwrap();
            read.extend_from_slice(&some[..n]);
        }
        drop(appender);
        reader.read_to_end(&mut read).unwrap();
        assert!(read == handed, "{} bytes of {}", read.len(), handed.len());
    }
}
