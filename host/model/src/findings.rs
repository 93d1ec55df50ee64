//! What a study found, as decided numbers: how throughput runs over each swept axis, where configurations part, and what
//! to choose. Words are the report's, decisions the analysis's.

use serde::Serialize;

/// Everything that was found in the rows of one or more runs.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Findings {
    /// One for each configuration, workload and swept axis.
    pub studies: Vec<Study>,
    /// One for each pair of configurations, workload, axis and figure.
    pub partings: Vec<Parting>,
    /// What to choose.
    pub advice: Vec<Advice>,
    /// Rows left out because their verdict is INVALID.
    pub invalid_rows: u64,
}

/// A point of an axis and the figure there.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Reached {
    /// Place on the axis.
    pub at: f64,
    /// Mean of the repeats there.
    pub value: f64,
}

/// One step along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct GainStep {
    /// Before.
    pub from: f64,
    /// After.
    pub to: f64,
    /// Relative gain per doubling: 1 doubles with the axis, 0 stays, below 0 falls.
    pub per_doubling: f64,
}

/// How throughput runs over an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CurveShape {
    /// In proportion, or nearly.
    Linear,
    /// Still rising at its end, less than in proportion.
    Bending,
    /// Flat at its end.
    Plateau,
    /// Falling at its end.
    Falling,
    /// Fewer than three points.
    NotResolved,
}

/// One configuration over one axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Study {
    /// The configuration: `vllm · fp8`.
    pub subject: String,
    /// The workload, or the family of workloads that differ in the axis.
    pub workload: String,
    /// What was swept: `concurrency`, `rate`, `batch`, `trace`, or the name of a family's parameter.
    pub axis: String,
    /// The figure: `tokens/s` or `requests/s`.
    pub unit: String,
    /// Number of points.
    pub points: usize,
    /// Most repeats of a point.
    pub repeats: usize,
    /// First and last place on the axis.
    pub range: [f64; 2],
    /// Lowest throughput.
    pub lowest: Reached,
    /// Highest throughput.
    pub highest: Reached,
    /// The first point with at least 95 % of the highest throughput, or of the highest goodput where objectives were given.
    pub optimal: Reached,
    /// The optimal point is that of goodput.
    pub by_goodput: bool,
    /// The first step that gains less than half per doubling; `None`: no step does.
    pub bend: Option<GainStep>,
    /// The run of the curve.
    pub shape: CurveShape,
    /// Points that stand out of the run of the curve by more than their intervals; `None`: too few repeats to say.
    pub dents: Option<Vec<Reached>>,
}

/// Where two configurations part.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Parting {
    /// The one, and the other.
    pub subjects: [String; 2],
    /// The workload.
    pub workload: String,
    /// What was swept.
    pub axis: String,
    /// The figure compared, with its unit.
    pub figure: String,
    /// Points that both have.
    pub shared: usize,
    /// The first place where their intervals are apart, and who has the better figure there; `None`: nowhere.
    pub first: Option<Parted>,
    /// Both have intervals at some shared point; otherwise nothing can be said.
    pub resolved: bool,
}

/// The first place where intervals are apart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Parted {
    /// Place on the axis.
    pub at: f64,
    /// Who has the better figure.
    pub better: String,
    /// Its figure.
    pub value: f64,
    /// The other's.
    pub other: f64,
}

/// What somebody may want.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// Most output in the same time.
    HighestThroughput,
    /// The shortest wait for the first token.
    LowestLatency,
    /// The least energy, money or memory for the same output.
    BestResourceUse,
}

/// The measured point that serves a goal best.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Advice {
    /// What is wanted.
    pub goal: Goal,
    /// The workload.
    pub workload: String,
    /// The best point; `None`: no row has the figure.
    pub best: Option<Choice>,
    /// The best point of another configuration whose interval overlaps, or that has no interval: not told apart.
    pub rival: Option<Choice>,
    /// Only one configuration was measured, so there is nothing to tell apart.
    pub alone: bool,
}

/// A point that can be chosen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Choice {
    /// The configuration.
    pub subject: String,
    /// The load, as in files: `concurrency=8`.
    pub load: String,
    /// Mean of the repeats.
    pub value: f64,
    /// Of the value.
    pub unit: String,
}
