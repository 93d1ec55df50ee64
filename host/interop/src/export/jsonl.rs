//! Our own rows as JSON lines: one object a request, its keys the columns of `requests.csv`.

use benchhost_model::Record;
use serde::Serialize;
use std::collections::BTreeMap;

/// A row in this form. An empty cell is null.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    #[serde(flatten)]
    record: &'a Record,
    /// `score_<name>`, as the columns.
    #[serde(flatten)]
    scores: BTreeMap<String, f64>,
    /// Gaps between its output events in nanoseconds; the first event came at `t_first_ns`.
    #[serde(skip_serializing_if = "Option::is_none")]
    gaps_ns: Option<&'a [u64]>,
    exported_by: &'a str,
}

impl<'a> Line<'a> {
    pub(super) fn new(record: &'a Record, gaps_ns: Option<&'a [u64]>, exported_by: &'a str) -> Self {
        let scores = record.scores.iter().map(|(name, value)| (format!("score_{name}"), *value)).collect();
        Self { record, scores, gaps_ns, exported_by }
    }
}
