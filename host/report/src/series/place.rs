//! Which load point the detail of a chart belongs to.

use benchhost_model::{LoadPoint, SummaryRow, Target};

use super::Series;

/// A load point of one configuration, all repeats together.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Engine, variant and model, as in rows.
    pub engine: String,
    /// Label.
    pub variant: String,
    /// Model.
    pub model: String,
    /// The simulator answered.
    pub simulated: bool,
    /// Workload.
    pub workload: String,
    /// Load.
    pub load: LoadPoint,
}

impl Place {
    /// Its place among `series`; `None`: no row is of this configuration.
    pub(crate) fn among(&self, series: &[Series<'_>]) -> Option<usize> {
        series.iter().position(|s| s.rows().first().is_some_and(|r| self.configured_as(r)))
    }

    fn configured_as(&self, row: &SummaryRow) -> bool {
        self.simulated == (row.target == Target::Simulated)
            && (&row.engine, &row.variant, &row.model) == (&self.engine, &self.variant, &self.model)
    }
}
