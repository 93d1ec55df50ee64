//! `events.jsonl` of schema 1: one JSON object a line. Read only.

use serde::Deserialize;

use super::block::{EventBlock, StampsFrom};

/// One line.
#[derive(Debug, Deserialize)]
pub(super) struct OldEvents {
    row: u64,
    /// First stamp from the run's start, then the gap to each next, in nanoseconds.
    t: Vec<u64>,
    /// Kind of each, a letter.
    #[serde(default)]
    k: String,
    /// Tokens of each, where all are known.
    #[serde(default)]
    n: Vec<u32>,
    /// Source of the stamps: `k` kernel, `u` user.
    s: char,
}

impl OldEvents {
    /// As it would be kept now.
    pub(super) fn block(self) -> EventBlock {
        EventBlock {
            row: self.row,
            gaps: self.t,
            kinds: self.k,
            tokens: self.n,
            stamps: if self.s == 'k' { StampsFrom::Kernel } else { StampsFrom::User },
            ..EventBlock::default()
        }
    }
}
