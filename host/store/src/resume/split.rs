//! One file made two: what is kept, and what is moved to `abandoned/`. The part that is moved has its name before the file
//! loses it, so a kill between leaves a piece twice and never nowhere.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::StoreError;
use crate::layout::Layout;
use crate::replace::{part_of, settle};

/// The two parts while they are made.
pub(super) struct Split {
    path: PathBuf,
    aside_path: PathBuf,
    kept: BufWriter<File>,
    aside: BufWriter<File>,
    counts: (u64, u64),
}

impl Split {
    /// Begins to split `path`, as the `n`-th time.
    pub(super) fn begin(layout: &Layout, path: &Path, n: u32) -> Result<Self, StoreError> {
        let aside_path = layout.set_aside(path, n);
        let made = || -> io::Result<Self> {
            std::fs::create_dir_all(layout.abandoned())?;
            Ok(Self {
                kept: BufWriter::with_capacity(64 * 1024, File::create(part_of(path))?),
                aside: BufWriter::with_capacity(64 * 1024, File::create(part_of(&aside_path))?),
                path: path.to_path_buf(),
                aside_path: aside_path.clone(),
                counts: (0, 0),
            })
        };
        made().map_err(StoreError::write(&aside_path))
    }

    /// A head that both parts have.
    pub(super) fn both(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let written = self.kept.write_all(bytes).and_then(|()| self.aside.write_all(bytes));
        written.map_err(StoreError::write(&self.path))
    }

    /// A piece of one of them.
    pub(super) fn put(&mut self, kept: bool, bytes: &[u8]) -> Result<(), StoreError> {
        self.count(kept);
        self.more(kept, bytes)
    }

    fn count(&mut self, kept: bool) {
        let count = if kept { &mut self.counts.0 } else { &mut self.counts.1 };
        *count += 1;
    }

    fn more(&mut self, kept: bool, bytes: &[u8]) -> Result<(), StoreError> {
        let part = if kept { &mut self.kept } else { &mut self.aside };
        part.write_all(bytes).map_err(StoreError::write(&self.path))
    }

    /// Gives the parts their names; pieces kept and moved. Where nothing is to be moved the file stays as it is.
    pub(super) fn finish(self) -> Result<(u64, u64), StoreError> {
        let Self { path, aside_path, kept, aside, counts } = self;
        let (kept_part, aside_part) = (part_of(&path), part_of(&aside_path));
        let finished = || -> io::Result<()> {
            let kept = kept.into_inner().map_err(io::IntoInnerError::into_error)?;
            let aside = aside.into_inner().map_err(io::IntoInnerError::into_error)?;
            if counts.1 == 0 {
                std::fs::remove_file(&kept_part)?;
                std::fs::remove_file(&aside_part)?;
                // Stays where something lies in it.
                let _used = std::fs::remove_dir(aside_path.parent().unwrap_or(&path));
                return Ok(());
            }
            settle(&aside, &aside_part, &aside_path)?;
            settle(&kept, &kept_part, &path)
        };
        finished().map_err(StoreError::write(&path))?;
        Ok(counts)
    }
}

/// Splits a CSV file whose first column is the row's number and whose rows are lines; rows kept and moved. A line that
/// begins with no number belongs to the row before it.
pub(super) fn split_csv(
    layout: &Layout,
    path: &Path,
    n: u32,
    keeps: impl Fn(u64) -> bool,
) -> Result<(u64, u64), StoreError> {
    let file = match File::open(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok((0, 0)),
        opened => opened.map_err(StoreError::read(path))?,
    };
    let mut lines = BufReader::with_capacity(64 * 1024, file);
    let mut split = Split::begin(layout, path, n)?;
    let mut line = Vec::new();
    let mut kept = None;
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line).map_err(StoreError::read(path))? == 0 {
            return split.finish();
        }
        let first = line.split(|b| *b == b',').next().and_then(|cell| std::str::from_utf8(cell).ok());
        match (first.and_then(|cell| cell.parse::<u64>().ok()), kept) {
            (Some(row), _) => {
                let keep = keeps(row);
                kept = Some(keep);
                split.put(keep, &line)?;
            }
            (None, Some(keep)) => split.more(keep, &line)?,
            (None, None) => split.both(&line)?,
        }
    }
}
