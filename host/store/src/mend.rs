//! Takes the torn ends off the files of a run that was killed, and keeps their bytes beside them in `*.torn`. Doing it
//! again changes nothing.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use benchhost_model::PointFacts;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::append::RunLock;
use crate::complete::Counts;
use crate::error::StoreError;
use crate::events::{Damage, Frames};
use crate::layout::Layout;
use crate::lines::JsonLines;
use crate::replace::{part_of, settle};
use crate::requests::RequestsReader;
use crate::rows::whole_lines;

/// What was found and done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mended {
    /// What is whole.
    pub counts: Counts,
    /// Ends that were taken off.
    pub torn: Vec<TornFile>,
    /// Rows with output events, whether their blocks are there or not.
    pub rows_with_events: u64,
    /// Event blocks in the middle of the file whose bytes changed; they stay where they are and are passed over.
    pub damaged_blocks: u64,
}

/// The end of a file that a kill tore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TornFile {
    /// The file.
    pub file: PathBuf,
    /// Length of what was taken off.
    pub bytes: u64,
    /// Where it is now.
    pub kept_in: PathBuf,
}

/// Mends the files of a run. A process that still writes them holds them: [`StoreError::Busy`].
pub fn mend(layout: &Layout) -> Result<Mended, StoreError> {
    let _lock = RunLock::of(layout.root())?;
    mend_locked(layout)
}

/// The same for who holds the lock.
pub(crate) fn mend_locked(layout: &Layout) -> Result<Mended, StoreError> {
    let mut mended = Mended::default();
    requests(layout, &mut mended)?;
    let damage = events(layout, &mut mended)?;
    mended.damaged_blocks = damage.blocks;
    mended.counts.outputs = json_lines::<IgnoredAny>(layout, &layout.outputs(), &mut mended)?;
    mended.counts.points = json_lines::<PointFacts>(layout, &layout.journal(), &mut mended)?;
    mended.counts.scores = csv_lines(layout, &layout.scores(), &mut mended)?;
    mended.counts.telemetry = csv_lines(layout, &layout.telemetry(), &mut mended)?;
    Ok(mended)
}

fn requests(layout: &Layout, mended: &mut Mended) -> Result<(), StoreError> {
    let path = layout.requests();
    let mut reader = RequestsReader::open(&path)?;
    for record in &mut reader {
        mended.rows_with_events += u64::from(record?.events > 0);
        mended.counts.rows += 1;
    }
    let lines = length_of_whole_lines(&path)?;
    match reader.torn_at() {
        // A torn row before whole ones is left out by every reader and may stay.
        Some(at) if at >= lines => cut(layout, &path, at, mended),
        _ => close_last_line(&path),
    }
}

fn events(layout: &Layout, mended: &mut Mended) -> Result<Damage, StoreError> {
    let old = layout.old_events();
    if !layout.events().exists() && old.exists() {
        mended.counts.event_blocks = json_lines::<IgnoredAny>(layout, &old, mended)?;
        return Ok(Damage::default());
    }
    let mut frames = Frames::open(&layout.events())?;
    while let Some(frame) = frames.next_frame() {
        mended.counts.event_blocks += u64::from(frame?.block.is_some());
    }
    if frames.damage.torn_bytes + frames.damage.lost_bytes > 0 {
        cut(layout, &layout.events(), frames.whole, mended)?;
    }
    Ok(frames.damage)
}

fn json_lines<T: DeserializeOwned>(
    layout: &Layout,
    path: &Path,
    mended: &mut Mended,
) -> Result<u64, StoreError> {
    let mut lines = JsonLines::<T>::open(path)?;
    let mut count = 0;
    for line in &mut lines {
        line?;
        count += 1;
    }
    if lines.torn_bytes() > 0 {
        cut(layout, path, lines.whole_bytes(), mended)?;
    } else if count > 0 {
        close_last_line(path)?;
    }
    Ok(count)
}

/// Rows below the header. Without a sentinel, a line that lacks its end may read and be wrong.
fn csv_lines(layout: &Layout, path: &Path, mended: &mut Mended) -> Result<u64, StoreError> {
    if !path.exists() {
        return Ok(0);
    }
    let whole = length_of_whole_lines(path)?;
    cut(layout, path, whole, mended)?;
    let counted = || -> io::Result<u64> {
        let mut lines = BufReader::with_capacity(64 * 1024, File::open(path)?);
        let mut count = 0;
        while lines.skip_until(b'\n')? > 0 {
            count += 1;
        }
        Ok(count)
    };
    Ok(counted().map_err(StoreError::read(path))?.saturating_sub(1))
}

fn length_of_whole_lines(path: &Path) -> Result<u64, StoreError> {
    File::open(path).and_then(|file| whole_lines(&file)).map_err(StoreError::read(path))
}

/// Moves what follows `keep` bytes into a file of its own, which is on the device before the file is shortened.
fn cut(layout: &Layout, path: &Path, keep: u64, mended: &mut Mended) -> Result<(), StoreError> {
    let length = std::fs::metadata(path).map_err(StoreError::read(path))?.len();
    if length <= keep {
        return Ok(());
    }
    let mut n = 1;
    while layout.torn(path, n).exists() {
        n += 1;
    }
    let kept_in = layout.torn(path, n);
    let moved = || -> io::Result<()> {
        let mut file = OpenOptions::new().read(true).write(true).open(path)?;
        file.seek(SeekFrom::Start(keep))?;
        let part = part_of(&kept_in);
        let mut end = File::create(&part)?;
        io::copy(&mut file, &mut end)?;
        settle(&end, &part, &kept_in)?;
        file.set_len(keep)?;
        file.sync_all()
    };
    moved().map_err(StoreError::write(path))?;
    mended.torn.push(TornFile { file: path.to_path_buf(), bytes: length - keep, kept_in });
    Ok(())
}

/// Gives a last line that is whole but for its line feed that line feed.
fn close_last_line(path: &Path) -> Result<(), StoreError> {
    let closed = || -> io::Result<()> {
        let mut file = OpenOptions::new().read(true).append(true).open(path)?;
        if file.seek(SeekFrom::End(0))? > 0 {
            file.seek(SeekFrom::End(-1))?;
            let mut last = [0];
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                io::Write::write_all(&mut file, b"\n")?;
            }
        }
        Ok(())
    };
    closed().map_err(StoreError::write(path))
}

#[cfg(test)]
mod tests {
    use benchhost_model::Record;

    use super::*;
    use crate::events::EventBlock;
    use crate::rows::OutputRow;
    use crate::writer::RunWriter;

    fn run(folder: &Path) -> Layout {
        let layout = Layout::new(folder.join("run"));
        let mut writer = RunWriter::create(layout.clone(), vec![], None).unwrap();
        for row in 1..=3 {
            writer.request(&Record { row, item: "ü \"q\"".into(), ..Record::blank() }).unwrap();
            writer.events(&EventBlock { row, gaps: vec![5, 6], ..EventBlock::default() }).unwrap();
            writer.output(&OutputRow { row, text: "日本".into(), ..OutputRow::default() }).unwrap();
        }
        layout
    }

    /// Cuts `file` at every byte of its last line, mends, and says what was kept and lost.
    fn torn_everywhere(file: fn(&Layout) -> PathBuf, last: usize, counted: fn(&Counts) -> u64) {
        let folder = tempfile::tempdir().unwrap();
        let layout = run(folder.path());
        let path = file(&layout);
        let whole = std::fs::read(&path).unwrap();
        for cut in whole.len() - last..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let mended = mend(&layout).unwrap();
            assert_eq!(mend(&layout).unwrap(), Mended { torn: vec![], ..mended.clone() }, "again at {cut}");
            let mut bytes = std::fs::read(&path).unwrap();
            let name = path.display();
            match &mended.torn[..] {
                [] => {
                    // Nothing was torn: all but a line feed was there, or only whole lines were.
                    assert_eq!(bytes, whole[..bytes.len()], "{name} at {cut}");
                    assert!(bytes.len() == whole.len() || cut == whole.len() - last, "{name} at {cut}");
                }
                [torn] => {
                    assert_eq!(bytes.len(), whole.len() - last, "{name} at {cut}");
                    bytes.extend(std::fs::read(&torn.kept_in).unwrap());
                    assert_eq!(bytes, whole[..cut], "no byte is lost");
                    std::fs::remove_file(&torn.kept_in).unwrap();
                }
                many => panic!("{many:?}"),
            }
            let kept = 3 - u64::from(std::fs::metadata(&path).unwrap().len() < whole.len() as u64);
            assert_eq!(counted(&mended.counts), kept, "{name} at {cut}");
        }
    }

    fn last_line(layout: &Layout, file: fn(&Layout) -> PathBuf) -> usize {
        let text = std::fs::read_to_string(file(layout)).unwrap();
        text.lines().last().unwrap().len() + 1
    }

    #[test]
    fn every_kind_of_file_is_mended_at_every_byte_without_losing_one() {
        let folder = tempfile::tempdir().unwrap();
        let layout = run(folder.path());
        torn_everywhere(Layout::requests, last_line(&layout, Layout::requests), |c| c.rows);
        torn_everywhere(Layout::outputs, last_line(&layout, Layout::outputs), |c| c.outputs);
        let block = (std::fs::metadata(layout.events()).unwrap().len() - 16) / 3;
        torn_everywhere(Layout::events, usize::try_from(block).unwrap(), |c| c.event_blocks);
    }

    #[test]
    fn torn_ends_of_two_kills_are_both_kept() {
        let folder = tempfile::tempdir().unwrap();
        let layout = run(folder.path());
        for end in ["4,first", "4,second"] {
            let mut file = OpenOptions::new().append(true).open(layout.requests()).unwrap();
            io::Write::write_all(&mut file, end.as_bytes()).unwrap();
            let mended = mend(&layout).unwrap();
            assert_eq!(std::fs::read_to_string(&mended.torn[0].kept_in).unwrap(), end);
        }
        assert!(layout.root().join("requests.csv.torn").exists());
        assert!(layout.root().join("requests.csv.torn-2").exists());
    }

    #[test]
    fn a_run_that_is_still_written_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path());
        let writer = RunWriter::create(layout.clone(), vec![], None).unwrap();
        assert!(matches!(mend(&layout), Err(StoreError::Busy { .. })));
        drop(writer);
        mend(&layout).unwrap();
    }
}
