//! Request rows with their events, as one stream. Both files are in the order of rows, so one of each is held at a time.

use benchhost_model::Record;

use crate::error::StoreError;
use crate::events::{Damage, EventBlock, EventsReader};
use crate::layout::Layout;
use crate::requests::RequestsReader;

/// Every whole row of a run, and its events where they were kept.
#[derive(Debug)]
pub struct Joined {
    requests: RequestsReader,
    events: EventsReader,
    /// The first block that no row has taken yet.
    next: Option<EventBlock>,
    counts: (u64, u64),
}

impl Joined {
    /// Opens the run.
    pub fn open(layout: &Layout) -> Result<Self, StoreError> {
        let requests = RequestsReader::open(layout.root())?;
        let events = EventsReader::open(layout)?;
        Ok(Self { requests, events, next: None, counts: (0, 0) })
    }

    /// Scores that the request rows have columns for.
    pub fn score_names(&self) -> impl Iterator<Item = &str> {
        self.requests.score_names()
    }

    /// Torn request rows left out so far.
    pub fn torn(&self) -> u64 {
        self.requests.torn()
    }

    /// Damage of the events found so far; all of it once the stream has ended.
    pub fn damage(&self) -> Damage {
        self.events.damage()
    }

    /// Rows and event blocks read so far.
    pub const fn read(&self) -> (u64, u64) {
        self.counts
    }

    /// The block of `row`; blocks of rows that are not there are passed over.
    fn block(&mut self, row: u64) -> Result<Option<EventBlock>, StoreError> {
        loop {
            if self.next.is_none() {
                self.next = self.events.next().transpose()?;
                self.counts.1 += u64::from(self.next.is_some());
            }
            match self.next.take() {
                Some(block) if block.row < row => {}
                Some(block) if block.row == row => return Ok(Some(block)),
                later => {
                    self.next = later;
                    return Ok(None);
                }
            }
        }
    }

    fn pair(&mut self, record: Record) -> Result<(Record, Option<EventBlock>), StoreError> {
        let block = self.block(record.row)?;
        self.counts.0 += 1;
        Ok((record, block))
    }
}

impl Iterator for Joined {
    type Item = Result<(Record, Option<EventBlock>), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(record) = self.requests.next() {
            return Some(record.and_then(|record| self.pair(record)));
        }
        // Counts and damage are of the whole file.
        for block in self.events.by_ref() {
            match block {
                Ok(_) => self.counts.1 += 1,
                Err(error) => return Some(Err(error)),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::writer::RunWriter;

    #[test]
    fn a_row_gets_its_own_events_whichever_others_are_missing() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path().join("r"));
        let mut writer = RunWriter::create(layout.clone(), vec![], None).unwrap();
        for row in 1..=6 {
            writer.request(&Record { row, ..Record::blank() }).unwrap();
            if row % 2 == 0 {
                writer.events(&EventBlock { row, gaps: vec![row], ..EventBlock::default() }).unwrap();
            }
        }
        // A block whose row was torn.
        writer.events(&EventBlock { row: 7, gaps: vec![7], ..EventBlock::default() }).unwrap();
        writer.flush().unwrap();
        let mut joined = Joined::open(&layout).unwrap();
        let pairs: Vec<_> = joined.by_ref().map(Result::unwrap).collect();
        let events: Vec<_> = pairs.iter().map(|(_, block)| block.as_ref().map(|b| b.gaps[0])).collect();
        assert_eq!(events, [None, Some(2), None, Some(4), None, Some(6)]);
        assert_eq!((joined.read(), joined.damage().any()), ((6, 4), false));
    }
}
