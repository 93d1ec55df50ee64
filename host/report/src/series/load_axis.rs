//! The tested loads as an axis: their name, unit, and whether they are spread by their logarithm.

use benchhost_model::LoadPoint;

/// Rates that span more than this factor are spread by their logarithm.
const LOG_RATES_FROM: f64 = 8.0;

/// The tested loads.
pub(crate) struct LoadAxis {
    pub(crate) places: Vec<f64>,
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) log: bool,
}

impl LoadAxis {
    /// Of loads of one kind, rising.
    pub(crate) fn of(loads: &[LoadPoint]) -> Self {
        let places: Vec<f64> = loads.iter().map(|l| l.value()).collect();
        let (name, unit, spread) = match loads.first() {
            Some(LoadPoint::Rate(_)) => ("Request rate (requests/s)", "requests/s", LOG_RATES_FROM),
            Some(LoadPoint::Batch(_)) => ("Batch size", "requests in a batch", 1.0),
            Some(LoadPoint::Trace(_)) => ("Speed of the trace (×)", "× the trace's speed", LOG_RATES_FROM),
            _ => ("Concurrent requests", "concurrent", 1.0),
        };
        let log = places.len() > 1 && places[0] > 0.0 && places[places.len() - 1] / places[0] > spread;
        Self { places, name, unit, log }
    }
}
