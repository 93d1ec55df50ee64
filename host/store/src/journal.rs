//! `journal.jsonl`: one line for each finished load point, written when all its rows are on the device. It holds what rows
//! do not tell (the window, the harness's health) and says which points a resumed run need not measure again.

use benchhost_model::PointFacts;

use crate::error::StoreError;
use crate::layout::Layout;
use crate::lines::JsonLines;

/// The finished load points of a run, in the order in which they ended.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Journal {
    /// Their facts.
    pub points: Vec<PointFacts>,
    /// Length of a last line that a kill tore; it is left out.
    pub torn_bytes: u64,
}

impl Journal {
    /// Reads it; a run of schema 1 has none, and so none of its points has facts.
    pub fn read(layout: &Layout) -> Result<Self, StoreError> {
        let mut lines = JsonLines::open(&layout.journal())?;
        let points = lines.by_ref().collect::<Result<_, _>>()?;
        Ok(Self { points, torn_bytes: lines.torn_bytes() })
    }
}

/// The rows of a point, first and last; `None` where the line does not tell or the point has none.
pub(crate) fn row_range(facts: &PointFacts) -> Option<(u64, u64)> {
    facts.first_row.zip(facts.last_row).filter(|(first, last)| first <= last)
}
