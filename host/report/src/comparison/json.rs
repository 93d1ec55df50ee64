//! Comparisons for programs.

use serde::Serialize;

use super::{ComparisonTable, HistoryTable, RankTable};

/// Version of the JSON form; raised when a field changes its meaning or goes.
const SCHEMA_VERSION: u32 = 2;

#[derive(Serialize)]
struct One<'a> {
    schema_version: u32,
    #[serde(flatten)]
    table: &'a ComparisonTable,
}

#[derive(Serialize)]
struct Several<'a> {
    schema_version: u32,
    rankings: &'a [RankTable],
    comparisons: &'a [ComparisonTable],
}

#[derive(Serialize)]
struct Series<'a> {
    schema_version: u32,
    #[serde(flatten)]
    table: &'a HistoryTable,
}

impl ComparisonTable {
    /// `{"schema_version": 2, "sentence": …, "exit_code": …, "work": […], "base": {…}, "new": {…}, "groups": […], …}`.
    pub fn to_json(&self) -> String {
        text(&One { schema_version: SCHEMA_VERSION, table: self })
    }

    /// Several against the same base: `{"schema_version": 2, "rankings": […], "comparisons": […]}`.
    pub fn several_to_json(tables: &[Self], rankings: &[RankTable]) -> String {
        text(&Several { schema_version: SCHEMA_VERSION, rankings, comparisons: tables })
    }
}

impl HistoryTable {
    /// `{"schema_version": 2, "results": […], "shifts": […], "notes": […], "sentence": …}`.
    pub fn to_json(&self) -> String {
        text(&Series { schema_version: SCHEMA_VERSION, table: self })
    }
}

/// Numbers that are not finite become null and every key is a text, so this cannot fail.
fn text(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
