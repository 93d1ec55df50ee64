//! JSON lines as a stream: one value at a time, a torn last line left out and counted.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::error::StoreError;

/// The values of a file; none if there is no such file. A file that is there and does not open is an error, and so is a
/// line that does not read and is not the last.
#[derive(Debug)]
pub struct JsonLines<T> {
    path: PathBuf,
    file: Option<BufReader<File>>,
    line: Vec<u8>,
    number: u64,
    torn_bytes: u64,
    whole: u64,
    of: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> JsonLines<T> {
    /// Opens the file.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let file = match File::open(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            opened => Some(BufReader::with_capacity(64 * 1024, opened.map_err(StoreError::read(path))?)),
        };
        Ok(Self {
            path: path.to_path_buf(),
            file,
            line: Vec::new(),
            number: 0,
            torn_bytes: 0,
            whole: 0,
            of: PhantomData,
        })
    }

    /// Length of the torn last line; 0 until the stream has ended.
    pub fn torn_bytes(&self) -> u64 {
        self.torn_bytes
    }

    /// Length of the file without it.
    pub(crate) fn whole_bytes(&self) -> u64 {
        self.whole
    }

    /// The line of the last value, with its line feed where it has one.
    pub(crate) fn line(&self) -> &[u8] {
        &self.line
    }

    fn step(&mut self) -> Result<Option<T>, StoreError> {
        let Some(file) = &mut self.file else { return Ok(None) };
        self.line.clear();
        file.read_until(b'\n', &mut self.line).map_err(StoreError::read(&self.path))?;
        self.number += 1;
        let ended = self.line.last() == Some(&b'\n');
        match serde_json::from_slice(&self.line) {
            Ok(value) => {
                self.whole += self.line.len() as u64;
                Ok(Some(value))
            }
            // What follows the last line feed is nothing, or torn.
            Err(_) if !ended => {
                self.torn_bytes = self.line.len() as u64;
                self.file = None;
                Ok(None)
            }
            Err(error) => Err(StoreError::damaged(&self.path, format!("line {}: {error}", self.number))),
        }
    }
}

impl<T: DeserializeOwned> Iterator for JsonLines<T> {
    type Item = Result<T, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.step();
        if next.is_err() {
            self.file = None;
        }
        next.transpose()
    }
}
