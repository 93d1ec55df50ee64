//! The form of a comparison: a sentence, two sides, groups of figures with a word for each, what differs, what is to be
//! known. Every number and every verdict arrives decided; this module only writes them down, as text, Markdown, JSON and
//! for GitHub. Signs and words carry the meaning, never colour.

mod detail;
mod evidence;
mod github;
mod json;
mod page;
mod render;
mod series;

use benchhost_model::LoadPoint;
use serde::Serialize;

pub(crate) use detail::percentile;
pub use detail::{Banded, Detail, DetailLatency, Distributed, PromptChanges, PromptRow, ShiftRow};
pub use page::comparison_page;
pub use series::{HistoryTable, RankPlace, RankTable, ShiftLine};

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Side {
    /// What people call it.
    pub label: String,
    /// Any of its figures came from the built-in simulator.
    pub simulated: bool,
    /// Independent runs behind each figure.
    pub runs: u32,
}

/// What a verdict asks of a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// Something got worse.
    Bad,
    /// Something got better.
    Good,
    /// Decided, and nothing to do.
    Calm,
    /// Not decided.
    Open,
}

/// In what a change and its margin are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeScale {
    /// A share of the base; 0.02 is 2 %.
    Relative,
    /// Percentage points.
    Points,
    /// The figure's own unit.
    Own,
}

/// A change from base to new.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ChangeFigure {
    /// In the row's scale.
    pub estimate: f64,
    /// Interval of it, lower end first.
    pub interval: Option<(f64, f64)>,
}

/// One figure of one group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComparedRow {
    /// Name without unit.
    pub metric: String,
    /// Unit; may be empty.
    pub unit: String,
    /// Direction.
    pub higher_is_better: bool,
    /// Whether it decides the exit code.
    pub gates: bool,
    /// Figure of the base side.
    pub base: Option<f64>,
    /// Figure of the new side.
    pub new: Option<f64>,
    /// Of change and margin.
    pub scale: ChangeScale,
    /// The change.
    pub change: Option<ChangeFigure>,
    /// The smallest change that matters; 0: none was set.
    pub margin: f64,
    /// Runs of base and new.
    pub runs: (u32, u32),
    /// What the interval rests on, in words; empty: on the spread between runs.
    pub basis: String,
    /// p-value.
    pub p: Option<f64>,
    /// Adjusted p-value: Holm's where the figure gates, Benjamini and Hochberg's q elsewhere.
    pub adjusted: Option<f64>,
    /// What it means, in a word or two.
    pub verdict: String,
    /// What that asks of a reader.
    pub tone: Tone,
    /// What there is to add; may be empty.
    pub note: String,
}

/// Figures that were compared under the same conditions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComparedGroup {
    /// Workload and load.
    pub heading: String,
    /// Workload and load apart, where both are known; for pictures.
    #[serde(skip)]
    pub place: Option<(String, LoadPoint)>,
    /// In the order to print, gating ones first.
    pub rows: Vec<ComparedRow>,
    /// What stands behind them; `None`: it was not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<Detail>,
}

/// A comparison, ready to be written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComparisonTable {
    /// The result in plain words.
    pub sentence: String,
    /// Exit code that goes with it.
    pub exit_code: u8,
    /// Where the sides did not do the same work; said above everything.
    pub work: Vec<String>,
    /// What the other is held against.
    pub base: Side,
    /// What is judged.
    pub new: Side,
    /// In the order to print.
    pub groups: Vec<ComparedGroup>,
    /// What differs in how they were made.
    pub differences: Vec<String>,
    /// What could not be checked.
    pub unchecked: Vec<String>,
    /// What is to be known of the measurements.
    pub health: Vec<String>,
    /// Method and remarks.
    pub notes: Vec<String>,
}
