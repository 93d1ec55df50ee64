//! What a study found: decisions over summary rows, as numbers. The report puts them into words.
//!
//! The unit of evidence is the run: an interval stands on repeats, never on the requests of one. Rows that are INVALID, or
//! that were measured for another purpose than the plan's points, are left out.

mod advice;
mod curve;
mod partings;
mod studies;

#[cfg(test)]
mod tests;

use benchhost_model::{Findings, SummaryRow, Verdict};

pub use curve::Configuration;

/// Everything that `rows` allow to say.
pub fn findings(rows: &[SummaryRow]) -> Findings {
    let planned = rows.iter().any(|r| r.role.is_empty());
    let asked: Vec<&SummaryRow> = rows.iter().filter(|r| !planned || r.role.is_empty()).collect();
    let sound: Vec<&SummaryRow> =
        asked.iter().copied().filter(|r| r.verdict != Some(Verdict::Invalid)).collect();
    let invalid = asked.len() - sound.len();
    Findings {
        studies: studies::studies(&sound),
        partings: partings::partings(&sound),
        advice: advice::advice(&sound),
        invalid_rows: u64::try_from(invalid).unwrap_or(u64::MAX),
    }
}

/// The different values of `key`, in order of appearance.
fn distinct<'a, T: PartialEq>(rows: &[&'a SummaryRow], key: impl Fn(&'a SummaryRow) -> T) -> Vec<T> {
    let mut seen = Vec::new();
    for &row in rows {
        let value = key(row);
        if !seen.contains(&value) {
            seen.push(value);
        }
    }
    seen
}
