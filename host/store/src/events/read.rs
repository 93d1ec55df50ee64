//! The events of a run as a stream, in the order of their rows. A torn end and damaged blocks are left out and counted.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use super::block::EventBlock;
use super::frame::{self, FILE_HEAD, FRAME_HEAD, VERSION};
use super::old::OldEvents;
use crate::error::StoreError;
use crate::layout::Layout;
use crate::lines::JsonLines;

/// What could not be read of a file of events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Damage {
    /// Blocks whose bytes changed after they were written; those after them were read.
    pub blocks: u64,
    /// Bytes of the block at the end that a kill tore.
    pub torn_bytes: u64,
    /// Bytes after a damaged length, which hides where the next block begins.
    pub lost_bytes: u64,
}

impl Damage {
    /// Something is missing.
    pub fn any(self) -> bool {
        self != Self::default()
    }
}

/// Blocks of `events.bin`, or of `events.jsonl` in a run of schema 1; none when neither is there.
#[derive(Debug)]
pub struct EventsReader(Form);

#[derive(Debug)]
enum Form {
    Framed(Frames),
    Lines(JsonLines<OldEvents>),
}

impl EventsReader {
    /// Opens the events of a run.
    pub fn open(layout: &Layout) -> Result<Self, StoreError> {
        let framed = layout.events();
        Ok(Self(if !framed.exists() && layout.old_events().exists() {
            Form::Lines(JsonLines::open(&layout.old_events())?)
        } else {
            Form::Framed(Frames::open(&framed)?)
        }))
    }

    /// What was left out so far; all of it once the stream has ended.
    pub fn damage(&self) -> Damage {
        match &self.0 {
            Form::Framed(frames) => frames.damage,
            Form::Lines(lines) => Damage { torn_bytes: lines.torn_bytes(), ..Damage::default() },
        }
    }
}

impl Iterator for EventsReader {
    type Item = Result<EventBlock, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Form::Framed(frames) => frames.next_block(),
            Form::Lines(lines) => lines.next().map(|line| line.map(OldEvents::block)),
        }
    }
}

/// A whole frame.
#[derive(Debug)]
pub(crate) struct Frame {
    /// `None`: its bytes changed after they were written.
    pub(crate) block: Option<EventBlock>,
    /// Its bytes, with what is around the block.
    pub(crate) bytes: Vec<u8>,
}

/// The frames of one file.
#[derive(Debug)]
pub(crate) struct Frames {
    path: PathBuf,
    file: Option<BufReader<File>>,
    pub(crate) damage: Damage,
    /// Everything before this offset is whole frames, damaged bodies among them; what follows is torn or lost.
    pub(crate) whole: u64,
}

impl Frames {
    /// Opens the file and checks its head; a missing file has no frames.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let mut frames = Self { path: path.to_path_buf(), file: None, damage: Damage::default(), whole: 0 };
        let file = match File::open(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(frames),
            opened => opened.map_err(StoreError::read(path))?,
        };
        let mut file = BufReader::with_capacity(64 * 1024, file);
        let mut head = Vec::new();
        file.by_ref().take(FILE_HEAD as u64).read_to_end(&mut head).map_err(StoreError::read(path))?;
        if head.len() < FILE_HEAD && frame::file_head().starts_with(&head) {
            frames.damage.torn_bytes = head.len() as u64;
            return Ok(frames);
        }
        match head.try_into().ok().and_then(frame::version_in) {
            Some(VERSION) => {}
            Some(newer) => {
                let why = format!("its events have version {newer}, this program reads version {VERSION}");
                return Err(StoreError::Newer { path: path.to_path_buf(), source: why.into() });
            }
            None => {
                return Err(StoreError::damaged(path, "its first 16 bytes are not those of an events file"));
            }
        }
        frames.whole = FILE_HEAD as u64;
        frames.file = Some(file);
        Ok(frames)
    }

    /// The next whole frame, damaged ones included.
    pub(crate) fn next_frame(&mut self) -> Option<Result<Frame, StoreError>> {
        let frame = self.step();
        if frame.is_err() {
            self.file = None;
        }
        frame.map_err(StoreError::read(&self.path)).transpose()
    }

    /// The next block that reads.
    fn next_block(&mut self) -> Option<Result<EventBlock, StoreError>> {
        loop {
            match self.next_frame()? {
                Ok(Frame { block: Some(block), .. }) => return Some(Ok(block)),
                Ok(Frame { block: None, .. }) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }

    fn step(&mut self) -> io::Result<Option<Frame>> {
        let Some(file) = &mut self.file else { return Ok(None) };
        let mut bytes = Vec::new();
        file.by_ref().take(FRAME_HEAD as u64).read_to_end(&mut bytes)?;
        let Ok(head) = <[u8; FRAME_HEAD]>::try_from(&bytes[..]) else {
            self.damage.torn_bytes = bytes.len() as u64;
            self.file = None;
            return Ok(None);
        };
        let Some((length, check)) = frame::frame_head(head) else {
            self.damage.lost_bytes = FRAME_HEAD as u64 + io::copy(file, &mut io::sink())?;
            self.file = None;
            return Ok(None);
        };
        // Grows with what is there, not with what the length claims.
        file.by_ref().take(u64::from(length)).read_to_end(&mut bytes)?;
        let body = &bytes[FRAME_HEAD..];
        if body.len() as u64 != u64::from(length) {
            self.damage.torn_bytes = bytes.len() as u64;
            self.file = None;
            return Ok(None);
        }
        self.whole += bytes.len() as u64;
        let block = frame::block_in(body, check);
        self.damage.blocks += u64::from(block.is_none());
        Ok(Some(Frame { block, bytes }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{Sharing, StampsFrom, file_head, framed};

    fn blocks() -> Vec<EventBlock> {
        (1..=3)
            .map(|row| EventBlock {
                row,
                gaps: vec![row * 1_000_000_000, 20_000_000, 31, 0],
                kinds: "rraa".into(),
                tokens: vec![1, 1, 4, 1],
                lags: vec![Some(15_000), Some(0), None, Some(u32::MAX)],
                sharing: vec![Sharing::Alone, Sharing::Censored, Sharing::Together, Sharing::Alone],
                stamps: StampsFrom::Mixed,
            })
            .collect()
    }

    fn file_of(blocks: &[EventBlock]) -> (Vec<u8>, Vec<usize>) {
        let mut bytes = file_head().to_vec();
        let mut ends = vec![bytes.len()];
        for block in blocks {
            assert!(framed(block, &mut bytes));
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    fn read(folder: &Path, bytes: &[u8]) -> Result<(Vec<EventBlock>, Damage), StoreError> {
        let layout = Layout::new(folder);
        std::fs::write(layout.events(), bytes).unwrap();
        let mut reader = EventsReader::open(&layout)?;
        let blocks = reader.by_ref().collect::<Result<_, _>>()?;
        Ok((blocks, reader.damage()))
    }

    #[test]
    fn a_file_cut_at_every_byte_keeps_every_whole_block() {
        let folder = tempfile::tempdir().unwrap();
        let blocks = blocks();
        let (bytes, ends) = file_of(&blocks);
        for cut in 0..=bytes.len() {
            let (kept, damage) = read(folder.path(), &bytes[..cut]).unwrap();
            let whole = ends.iter().filter(|end| **end <= cut).count();
            assert_eq!(kept, blocks[..whole.saturating_sub(1)], "cut at {cut}");
            let before = whole.checked_sub(1).map_or(0, |at| ends[at]);
            assert_eq!(damage, Damage { torn_bytes: (cut - before) as u64, ..Damage::default() }, "{cut}");
        }
    }

    #[test]
    fn any_flipped_byte_is_seen_and_every_block_before_it_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let blocks = blocks();
        let (bytes, ends) = file_of(&blocks);
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[at] ^= flip;
                let hit = ends.iter().filter(|end| **end <= at).count();
                match read(folder.path(), &changed) {
                    Err(error) => assert!(at < FILE_HEAD, "byte {at}: {error}"),
                    Ok((kept, damage)) => {
                        assert!(damage.any(), "byte {at} ^ {flip:#x} was not seen");
                        assert_eq!(kept[..hit - 1], blocks[..hit - 1], "byte {at}");
                        assert!(!kept.contains(&blocks[hit - 1]), "byte {at}: the changed block was kept");
                        if at >= ends[hit - 1] + FRAME_HEAD {
                            assert_eq!((kept.len(), damage.blocks), (2, 1), "byte {at}: blocks after it");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_length_that_lies_costs_no_memory() {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = file_head().to_vec();
        bytes.extend_from_slice(&u32::MAX.to_le_bytes());
        let [low, high, ..] = crc32fast::hash(&u32::MAX.to_le_bytes()).to_le_bytes();
        bytes.extend_from_slice(&[low, high, 0, 0, 0, 0, 1, 2, 3]);
        let (kept, damage) = read(folder.path(), &bytes).unwrap();
        assert_eq!((kept.len(), damage.torn_bytes), (0, 13));
        // What a file system leaves behind a power cut.
        let mut zeros = file_of(&blocks()).0;
        zeros.extend_from_slice(&[0; 4096]);
        let (kept, damage) = read(folder.path(), &zeros).unwrap();
        assert_eq!((kept.len(), damage.lost_bytes), (3, 4096));
    }

    #[test]
    fn another_version_or_another_file_is_named_as_such() {
        let folder = tempfile::tempdir().unwrap();
        let mut head = file_head();
        head[8] = 9;
        let check = crc32fast::hash(&head[..12]);
        head[12..].copy_from_slice(&check.to_le_bytes());
        assert!(matches!(read(folder.path(), &head), Err(StoreError::Newer { .. })));
        assert!(matches!(read(folder.path(), b"{\"row\":1}"), Err(StoreError::Damaged { .. })));
    }

    #[test]
    fn lines_of_schema_1_still_read_and_lose_at_most_the_last() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path());
        let line = |row| format!("{{\"row\":{row},\"t\":[5,2],\"k\":\"ar\",\"s\":\"k\"}}\n");
        let (first, second) = (line(1), line(2));
        let count = |bytes: Vec<u8>| {
            std::fs::write(layout.old_events(), bytes).unwrap();
            let mut reader = EventsReader::open(&layout).unwrap();
            let blocks: Result<Vec<_>, _> = reader.by_ref().collect();
            (blocks, reader.damage().torn_bytes)
        };
        for cut in 0..=second.len() {
            let (blocks, torn) = count([first.as_bytes(), &second.as_bytes()[..cut]].concat());
            let whole = cut >= second.len() - 1;
            assert_eq!(blocks.unwrap().len(), 1 + usize::from(whole), "{cut}");
            assert_eq!(torn, if whole { 0 } else { cut as u64 });
        }
        let (blocks, _) = count(first.clone().into_bytes());
        let block = blocks.unwrap().remove(0);
        assert_eq!((block.kinds.as_str(), block.stamps), ("ar", StampsFrom::Kernel));
        assert_eq!(block.stamps_ns().collect::<Vec<_>>(), [5, 7]);
        let (blocks, _) = count([first.as_bytes(), b"{\"row\":2,\xe6\x97"].concat());
        assert_eq!(blocks.unwrap().len(), 1, "torn inside a character");
        let (blocks, _) = count(format!("{{\"row\":\n{first}").into_bytes());
        let error = blocks.unwrap_err();
        assert!(std::error::Error::source(&error).unwrap().to_string().contains("line 1"));
    }

    #[test]
    fn only_a_missing_file_counts_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path());
        assert_eq!(EventsReader::open(&layout).unwrap().count(), 0);
        std::fs::create_dir(layout.events()).unwrap();
        let error = EventsReader::open(&layout).unwrap_err();
        assert!(error.to_string().contains("events.bin"), "{error}");
    }
}
