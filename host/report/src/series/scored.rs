//! Scores of answers: one figure for each score of a load point, all repeats together.

use super::Place;

/// Why there is no figure of quality.
pub(crate) const NO_SCORES: &str = "quality: no answer was scored";

/// One score at one load point.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// The point.
    pub place: Place,
    /// Name of the score.
    pub name: String,
    /// Mean over requests.
    pub mean: f64,
    /// 95 % interval of the mean, with items as the unit: one that was asked several times is one piece of evidence. `None`:
    /// fewer than two items.
    pub interval: Option<[f64; 2]>,
    /// Different items.
    pub items: u64,
}
