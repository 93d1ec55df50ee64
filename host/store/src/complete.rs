//! `COMPLETE`: the mark that a run ended by itself or was recovered, with how much was recorded and the digest of every
//! recorded file. What `report` makes from those files at any time is not in it.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};

use crate::SCHEMA_VERSION;
use crate::error::StoreError;
use crate::layout::Layout;
use crate::replace::write_atomic;

/// How much was recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows of `requests.csv`. Text in schema 1.
    #[serde(default, deserialize_with = "number")]
    pub rows: u64,
    /// Blocks of `events.bin`.
    #[serde(default)]
    pub event_blocks: u64,
    /// Requests whose events were dropped because the disk could not keep up.
    #[serde(default)]
    pub event_blocks_dropped: u64,
    /// Lines of `outputs.jsonl`.
    #[serde(default)]
    pub outputs: u64,
    /// Rows of `scores.csv`.
    #[serde(default)]
    pub scores: u64,
    /// Rows of `telemetry.csv`.
    #[serde(default)]
    pub telemetry: u64,
    /// Lines of `journal.jsonl`: finished load points.
    #[serde(default)]
    pub points: u64,
}

fn number<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u64),
        Text(String),
    }
    match Either::deserialize(from)? {
        Either::Number(n) => Ok(n),
        Either::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}

/// One recorded file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// Its length.
    pub bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

/// The content of `COMPLETE`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    /// Version of the files' form; 1 where it does not say.
    #[serde(default = "first_version")]
    pub schema_version: u32,
    /// `complete`, `interrupted` or `recovered`.
    pub ended: String,
    /// How much there is.
    #[serde(flatten)]
    pub counts: Counts,
    /// Every recorded file by its path below the run's directory, with `/` between folders. Empty in schema 1.
    #[serde(default)]
    pub files: BTreeMap<String, FileFacts>,
}

fn first_version() -> u32 {
    1
}

/// Something that is not as `COMPLETE` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// What: a file's path below the run's directory.
    pub file: String,
    /// How it differs, in words.
    pub what: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.file, self.what)
    }
}

impl Completion {
    /// Reads every recorded file of the run, a block at a time, and takes its digest.
    pub fn of(layout: &Layout, ended: &str, counts: Counts) -> Result<Self, StoreError> {
        let mut files = BTreeMap::new();
        for relative in recorded(layout.root())? {
            let (bytes, sha256) = digest_file(&layout.root().join(&relative))?;
            files.insert(name_of(&relative), FileFacts { bytes, sha256 });
        }
        Ok(Self { schema_version: SCHEMA_VERSION, ended: ended.to_owned(), counts, files })
    }

    /// Reads `COMPLETE`; `None` when there is none.
    pub fn read(layout: &Layout) -> Result<Option<Self>, StoreError> {
        let path = layout.complete();
        match std::fs::read(&path) {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            read => {
                let bytes = read.map_err(StoreError::read(&path))?;
                let read: Result<Self, _> = serde_json::from_slice(&bytes);
                read.map(Some).map_err(|e| StoreError::damaged(&path, e.to_string()))
            }
        }
    }

    /// Writes it, whole or not at all.
    pub fn write(&self, layout: &Layout) -> Result<(), StoreError> {
        let path = layout.complete();
        let text = serde_json::to_string_pretty(self)
            .map_err(|e| StoreError::Write { path: path.clone(), source: e.into() })?;
        write_atomic(&path, text.as_bytes())
    }

    /// What a reader that found `rows` and `event_blocks` misses, and files whose length is another one. Costs no reading.
    pub fn check(&self, layout: &Layout, rows: u64, event_blocks: u64) -> Vec<Mismatch> {
        let mut found = Vec::new();
        let mut count = |file: &str, there: u64, said: u64, what: &str| {
            if there != said {
                let what = format!("holds {there} whole {what}; `COMPLETE` says {said}");
                found.push(Mismatch { file: file.to_owned(), what });
            }
        };
        count("requests.csv", rows, self.counts.rows, "rows");
        if self.schema_version > 1 {
            count("events.bin", event_blocks, self.counts.event_blocks, "blocks");
        }
        for (name, facts) in &self.files {
            let what = match std::fs::metadata(layout.root().join(name)) {
                Err(_) => "is missing".to_owned(),
                Ok(there) if there.len() == facts.bytes => continue,
                Ok(there) => format!("has {} bytes; `COMPLETE` says {}", there.len(), facts.bytes),
            };
            if !found.iter().any(|m| m.file == *name) {
                found.push(Mismatch { file: name.clone(), what });
            }
        }
        found
    }

    /// Files that are missing or whose bytes are not those that were recorded, read in full. Files that were added since
    /// harm nothing and are not told.
    pub fn check_digests(&self, layout: &Layout) -> Result<Vec<Mismatch>, StoreError> {
        let mut found = Vec::new();
        for (name, facts) in &self.files {
            let path = layout.root().join(name);
            let what = if path.exists() {
                let (bytes, sha256) = digest_file(&path)?;
                if (bytes, &sha256) == (facts.bytes, &facts.sha256) {
                    continue;
                }
                "changed after it was recorded: its SHA-256 is another one"
            } else {
                "is missing"
            };
            found.push(Mismatch { file: name.clone(), what: what.to_owned() });
        }
        Ok(found)
    }
}

/// Every file below `root` that is not made from others, relative to it, sorted.
fn recorded(root: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let path = root.join(&folder);
        for entry in std::fs::read_dir(&path).map_err(StoreError::read(&path))? {
            let entry = entry.map_err(StoreError::read(&path))?;
            let relative = folder.join(entry.file_name());
            if Layout::is_derived(&relative) {
                continue;
            }
            if entry.file_type().map_err(StoreError::read(&path))?.is_dir() {
                folders.push(relative);
            } else {
                found.push(relative);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn name_of(relative: &Path) -> String {
    let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// Length and SHA-256 of a file, read a block at a time.
pub fn digest_file(path: &Path) -> Result<(u64, String), StoreError> {
    let digested = || -> io::Result<(u64, String)> {
        let mut file = File::open(path)?;
        let (mut digest, mut length) = (Sha256::new(), 0);
        let mut block = vec![0; 256 * 1024];
        loop {
            match file.read(&mut block)? {
                0 => return Ok((length, hex(&digest.finalize()))),
                n => {
                    digest.update(&block[..n]);
                    length += n as u64;
                }
            }
        }
    };
    digested().map_err(StoreError::read(path))
}

/// SHA-256 of bytes, in hexadecimal.
pub fn digest_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(digest: &[u8]) -> String {
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use benchhost_model::Record;

    use super::*;
    use crate::writer::RunWriter;

    fn run(folder: &Path) -> Layout {
        let layout = Layout::new(folder.join("run"));
        let mut writer = RunWriter::create(layout.clone(), vec![], None).unwrap();
        for row in 1..=3 {
            writer.request(&Record { row, ..Record::blank() }).unwrap();
        }
        std::fs::write(layout.plan(), "seed = 1").unwrap();
        writer.complete(false).unwrap();
        layout
    }

    #[test]
    fn it_counts_rows_and_digests_every_recorded_file() {
        let folder = tempfile::tempdir().unwrap();
        let layout = run(folder.path());
        let completion = Completion::read(&layout).unwrap().unwrap();
        assert_eq!((completion.ended.as_str(), completion.counts.rows), ("complete", 3));
        let names: Vec<&str> = completion.files.keys().map(String::as_str).collect();
        let all = [
            "events.bin",
            "journal.jsonl",
            "outputs.jsonl",
            "plan.toml",
            "requests.csv",
            "scores.csv",
            "telemetry.csv",
        ];
        assert_eq!(names, all);
        assert_eq!(completion.files["plan.toml"].sha256, digest_hex(b"seed = 1"));
        // What `report` writes later changes nothing.
        write_atomic(&layout.summary_csv(), b"a").unwrap();
        write_atomic(&layout.plots().join("a.svg"), b"a").unwrap();
        assert_eq!(completion.check(&layout, 3, 0), []);
        assert_eq!(completion.check_digests(&layout).unwrap(), []);
    }

    #[test]
    fn every_change_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let layout = run(folder.path());
        let completion = Completion::read(&layout).unwrap().unwrap();
        assert!(completion.check(&layout, 2, 0)[0].to_string().contains("holds 2 whole rows"));
        assert!(completion.check(&layout, 3, 1)[0].to_string().contains("events.bin"));
        // As long as before, so only the digest tells.
        std::fs::write(layout.plan(), "seed = 2").unwrap();
        assert_eq!(completion.check(&layout, 3, 0), []);
        let found = completion.check_digests(&layout).unwrap();
        assert_eq!((found.len(), found[0].file.as_str()), (1, "plan.toml"));
        std::fs::remove_file(layout.plan()).unwrap();
        assert_eq!(completion.check(&layout, 3, 0)[0].what, "is missing");
        let found = completion.check_digests(&layout).unwrap();
        assert_eq!(found, [Mismatch { file: "plan.toml".into(), what: "is missing".into() }]);
    }

    #[test]
    fn the_mark_of_schema_1_still_reads() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path());
        assert_eq!(Completion::read(&layout).unwrap(), None);
        std::fs::write(layout.complete(), r#"{"ended": "complete", "rows": "12"}"#).unwrap();
        let completion = Completion::read(&layout).unwrap().unwrap();
        assert_eq!((completion.schema_version, completion.counts.rows), (1, 12));
        assert_eq!(completion.check(&layout, 12, 9), []);
        std::fs::write(layout.complete(), "{").unwrap();
        assert!(matches!(Completion::read(&layout), Err(StoreError::Damaged { .. })));
    }
}
