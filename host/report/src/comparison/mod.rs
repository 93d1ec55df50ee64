//! The form of a comparison: two sides, groups of metrics, a word for each. Every number and every verdict arrives decided;
//! this module only writes them down, as text, Markdown and JSON. Signs and words carry the meaning, never colour.

mod render;

use serde::Serialize;

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

/// What a difference means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// Shown, by at least the margin.
    Better,
    /// Shown, by at least the margin.
    Worse,
    /// Shown to be within the margin.
    Same,
    /// The data allow more than one of the others.
    Unclear,
    /// Points this way, on too few runs to show it.
    IndicativeBetter,
    /// Points this way, on too few runs to show it.
    IndicativeWorse,
    /// Not compared, and why.
    Missing(String),
}

impl Word {
    /// One word for people: the same in text, Markdown and (with a low line for the space) JSON.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Same => "same",
            Self::Unclear => "unclear",
            Self::IndicativeBetter => "indicative better",
            Self::IndicativeWorse => "indicative worse",
            Self::Missing(_) => "missing",
        }
    }
}

/// A change in a unit of its own, for shares and scores whose base may be 0.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// new − base.
    pub estimate: f64,
    /// Interval of it, lower bound first.
    pub interval: Option<(f64, f64)>,
    /// Unit of both, for instance `pt` for percentage points; may be empty.
    pub unit: String,
}

/// One metric of one group.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparedRow {
    /// Name without unit.
    pub metric: String,
    /// Unit; may be empty.
    pub unit: String,
    /// Direction.
    pub higher_is_better: bool,
    /// Figure of the base side.
    pub base: Option<f64>,
    /// Figure of the new side.
    pub new: Option<f64>,
    /// (new − base) / base.
    pub relative: Option<f64>,
    /// Interval of the relative change, lower bound first.
    pub interval: Option<(f64, f64)>,
    /// Where the metric is judged by its difference: that, shown instead of the relative change.
    pub difference: Option<Difference>,
    /// What it means.
    pub verdict: Word,
}

/// Metrics that were compared under the same conditions.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparedGroup {
    /// Workload, model and load.
    pub heading: String,
    /// In the order to print.
    pub rows: Vec<ComparedRow>,
}

/// A comparison, ready to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparisonTable {
    /// What the other is held against.
    pub base: Side,
    /// What is judged.
    pub new: Side,
    /// In the order to print.
    pub groups: Vec<ComparedGroup>,
    /// What a reader must know: method, confidence, margins, warnings.
    pub notes: Vec<String>,
    /// The result in a sentence or two.
    pub conclusion: String,
}
