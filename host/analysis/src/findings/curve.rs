//! From rows to curves: who was measured, over which axis, with which interval. Decides nothing.

use benchhost_model::{SummaryRow, Target};
use benchhost_stats::{Confidence, CurvePoint, Interval, Sample, mean_interval};

/// Engine, variant, model and target: what stays the same over a curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Configuration<'a> {
    engine: &'a str,
    variant: &'a str,
    model: &'a str,
    simulated: bool,
}

impl<'a> Configuration<'a> {
    /// That of a row.
    pub fn of(row: &'a SummaryRow) -> Self {
        let simulated = row.target == Target::Simulated;
        Self { engine: &row.engine, variant: &row.variant, model: &row.model, simulated }
    }

    /// `vllm · fp8`, with the model where those of `all` differ, and the word `simulated` where only some are.
    pub fn title(&self, all: &[Configuration<'_>]) -> String {
        let variant = if self.variant == self.engine { "" } else { self.variant };
        let model = if all.iter().any(|c| c.model != self.model) { self.model } else { "" };
        let parts: Vec<&str> =
            [self.engine, variant, model].into_iter().filter(|p| !p.trim().is_empty()).collect();
        let mixed = self.simulated && all.iter().any(|c| !c.simulated);
        parts.join(" · ") + if mixed { " (simulated)" } else { "" }
    }
}

/// Where a figure stands.
pub(super) type Pick = fn(&SummaryRow) -> Option<f64>;

/// Tokens a second where every row that completed a request has them, else requests a second: curves of different units
/// cannot be set side by side.
pub(super) fn throughput(rows: &[&SummaryRow]) -> (Pick, &'static str) {
    let counted = rows.iter().all(|r| r.out_tok_s.is_some() || r.counts.completed == 0);
    if counted && rows.iter().any(|r| r.out_tok_s.is_some()) {
        (|r| r.out_tok_s, "tokens/s")
    } else {
        (|r| r.req_s, "requests/s")
    }
}

/// Mean of repeats, with a 95 % t interval from two repeats on; `None` where no row has a finite figure.
pub(super) fn point(rows: &[&SummaryRow], x: f64, pick: Pick) -> Option<CurvePoint> {
    let values: Vec<f64> = rows.iter().filter_map(|r| pick(r)).filter(|v| v.is_finite()).collect();
    let sample = Sample::new(values).ok()?;
    let interval: Option<Interval> = mean_interval(&sample, Confidence::P95).ok();
    Some(CurvePoint { x, y: sample.mean(), interval })
}

/// One point for each load of `rows`, in rising order.
pub(super) fn over_loads(rows: &[&SummaryRow], pick: Pick) -> Vec<CurvePoint> {
    let mut loads = super::distinct(rows, |r| r.load);
    loads.sort_by(|a, b| a.value().total_cmp(&b.value()));
    loads
        .into_iter()
        .filter_map(|load| {
            let at: Vec<&SummaryRow> = rows.iter().copied().filter(|r| r.load == load).collect();
            point(&at, load.value(), pick)
        })
        .collect()
}
