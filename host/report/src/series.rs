//! Which rows belong together: one series for each configuration, one point for all repeats of a load. The only
//! arithmetic is the mean, the lowest and the highest of repeats. Below: what the pictures and the page both draw.

mod family;
mod latency;
mod load_axis;
mod place;
mod requests;
mod scored;
mod trade;

use std::cmp::Ordering;

use benchhost_model::{LoadPoint, SummaryRow, Target};

use crate::lines::clean;

pub(crate) use family::{Family, FamilyCell, NO_GRID, families};
pub use latency::{Latencies, LatencyKind};
pub(crate) use latency::{NO_LATENCIES, wants_log};
pub(crate) use load_axis::LoadAxis;
pub use place::Place;
pub(crate) use requests::NO_LANES;
pub use requests::{Lane, Lanes};
pub(crate) use scored::NO_SCORES;
pub use scored::Scored;
pub(crate) use trade::{NO_PRICE, NO_TRADE, Trade, front, trades};

/// The rows of one configuration: engine, variant, model and target.
#[derive(Debug)]
pub(crate) struct Series<'a> {
    /// What people call it; tells every series of a figure apart.
    pub(crate) label: String,
    /// The simulator answered.
    pub(crate) simulated: bool,
    rows: Vec<&'a SummaryRow>,
}

/// The repeats of one figure at one point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    /// Mean of the repeats that have the figure.
    pub(crate) mean: f64,
    /// Lowest.
    pub(crate) low: f64,
    /// Highest.
    pub(crate) high: f64,
}

impl Spread {
    /// The repeats' spread; `None` when no repeat has a finite value.
    pub(crate) fn of(values: impl IntoIterator<Item = Option<f64>>) -> Option<Self> {
        let (mut n, mut sum, mut low, mut high) = (0_u32, 0.0, f64::INFINITY, f64::NEG_INFINITY);
        for value in values.into_iter().flatten().filter(|v| v.is_finite()) {
            n += 1;
            sum += value;
            low = value.min(low);
            high = value.max(high);
        }
        (n > 0).then(|| Self { mean: sum / f64::from(n), low, high })
    }
}

impl<'a> Series<'a> {
    /// The rows at `load`, one for each repeat.
    pub(crate) fn at(&self, load: LoadPoint) -> impl Iterator<Item = &'a SummaryRow> {
        self.rows.iter().copied().filter(move |r| r.load == load)
    }

    /// The repeats of `pick` at `load`.
    pub(crate) fn spread(
        &self,
        load: LoadPoint,
        pick: impl Fn(&SummaryRow) -> Option<f64>,
    ) -> Option<Spread> {
        Spread::of(self.at(load).map(pick))
    }

    /// All rows.
    pub(crate) fn rows(&self) -> &[&'a SummaryRow] {
        &self.rows
    }
}

/// The rows that tables and pictures are made of: those the plan asked for. A point measured again to see drift would
/// weigh its load twice; of a search's rates the confirming run has the say.
pub(crate) fn headline(rows: &[SummaryRow]) -> Vec<&SummaryRow> {
    let planned = rows.iter().any(|r| r.role.is_empty());
    let confirmed = |row: &SummaryRow| {
        rows.iter().any(|r| {
            r.role == "confirm"
                && r.load == row.load
                && same_configuration(r, row)
                && r.workload == row.workload
        })
    };
    rows.iter()
        .filter(|r| if planned { r.role.is_empty() } else { r.role == "confirm" || !confirmed(r) })
        .collect()
}

/// The series of `rows` in the order of their first row.
pub(crate) fn series_of<'a>(rows: &[&'a SummaryRow]) -> Vec<Series<'a>> {
    let mut groups: Vec<Vec<&'a SummaryRow>> = Vec::new();
    for &row in rows {
        match groups.iter_mut().find(|g| same_configuration(g[0], row)) {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    let first: Vec<&SummaryRow> = groups.iter().map(|g| g[0]).collect();
    let with_model = first.iter().any(|r| r.model != first[0].model);
    let with_target = first.iter().any(|r| r.target != first[0].target);
    groups
        .into_iter()
        .map(|rows| {
            let simulated = rows[0].target == Target::Simulated;
            let mut label = configuration(rows[0]);
            if with_model {
                label = join(&[&label, &rows[0].model]);
            }
            if with_target && simulated {
                label.push_str(" (simulated)");
            }
            Series { label, simulated, rows }
        })
        .collect()
}

fn same_configuration(a: &SummaryRow, b: &SummaryRow) -> bool {
    (&a.engine, &a.variant, &a.model, a.target) == (&b.engine, &b.variant, &b.model, b.target)
}

/// `vllm · fp8`; the variant once when it repeats the engine's name.
fn configuration(row: &SummaryRow) -> String {
    let variant = if row.variant == row.engine { "" } else { &row.variant };
    join(&[&row.engine, variant])
}

/// The parts that are not empty, with ` · ` between them.
pub(crate) fn join(parts: &[&str]) -> String {
    let parts: Vec<String> = parts.iter().filter(|p| !p.trim().is_empty()).map(|p| clean(p)).collect();
    parts.join(" · ")
}

/// The different values of `key`, in the order they first appear.
pub(crate) fn distinct<'a, T: PartialEq>(
    rows: &[&'a SummaryRow],
    key: impl Fn(&'a SummaryRow) -> T,
) -> Vec<T> {
    let mut seen = Vec::new();
    for &row in rows {
        let value = key(row);
        if !seen.contains(&value) {
            seen.push(value);
        }
    }
    seen
}

/// The different loads, concurrency before rate, each in rising order.
pub(crate) fn loads(rows: &[&SummaryRow]) -> Vec<LoadPoint> {
    let mut loads = distinct(rows, |r| r.load);
    loads.sort_by(|a, b| by_load(*a, *b));
    loads
}

/// Concurrency before rate, then by value.
pub(crate) fn by_load(a: LoadPoint, b: LoadPoint) -> Ordering {
    a.kind().cmp(b.kind()).then(a.value().total_cmp(&b.value()))
}

/// The shape of a rate that changes, as the `arrivals` column tells it: `ramp 1..20:60s`, `steps 2:30s,8:30s`.
pub(crate) fn profile(row: &SummaryRow) -> Option<&str> {
    let at = [" ramp ", " steps "].iter().find_map(|key| row.arrivals.find(key))?;
    row.arrivals.get(at + 1..)
}

/// The most repeats any point of any series has.
pub(crate) fn most_repeats(series: &[Series<'_>]) -> usize {
    let at_most = |s: &Series<'_>| {
        let workloads = distinct(s.rows(), |r| r.workload.as_str());
        let points = loads(s.rows());
        let repeats = |w: &str, l: LoadPoint| s.at(l).filter(|r| r.workload == w).count();
        workloads.iter().flat_map(|w| points.iter().map(|l| repeats(w, *l))).max().unwrap_or(0)
    };
    series.iter().map(at_most).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::row;

    #[test]
    fn configurations_differ_by_engine_variant_model_and_target() {
        let a = row("vllm", "fp16", 1);
        let mut b = row("vllm", "fp16", 1);
        b.target = Target::Simulated;
        let mut c = row("vllm", "fp16", 2);
        c.repeat = 2;
        let all = [&a, &b, &c];
        let series = series_of(&all);
        let labels: Vec<&str> = series.iter().map(|s| s.label.as_str()).collect();
        assert_eq!(labels, ["vllm · fp16", "vllm · fp16 (simulated)"]);
        assert_eq!(series[0].rows().len(), 2);
    }

    #[test]
    fn models_are_named_only_when_they_differ() {
        let a = row("vllm", "vllm", 1);
        let mut b = row("vllm", "vllm", 1);
        b.model = "other".into();
        assert_eq!(series_of(&[&a])[0].label, "vllm");
        assert_eq!(series_of(&[&a, &b])[1].label, "vllm · other");
    }

    #[test]
    fn a_spread_ignores_what_is_missing_or_not_finite() {
        let spread = Spread::of([Some(1.0), None, Some(3.0), Some(f64::NAN)]);
        assert_eq!(spread, Some(Spread { mean: 2.0, low: 1.0, high: 3.0 }));
        assert_eq!(Spread::of([None]), None);
    }

    #[test]
    fn loads_rise_and_kinds_stay_apart() {
        let mut a = row("vllm", "x", 16);
        let b = row("vllm", "x", 2);
        a.load = LoadPoint::Rate(0.5);
        let c = row("vllm", "x", 4);
        assert_eq!(
            loads(&[&a, &c, &b, &c]),
            [LoadPoint::Concurrency(2), LoadPoint::Concurrency(4), LoadPoint::Rate(0.5)]
        );
    }

    #[test]
    fn drift_points_and_probes_do_not_weigh_a_load_twice() {
        let row = |role: &str, rate: f64| SummaryRow {
            role: role.into(),
            ..SummaryRow::blank(LoadPoint::Rate(rate))
        };
        let planned = [row("", 4.0), row("anchor", 4.0), row("", 8.0)];
        assert_eq!(headline(&planned).len(), 2);
        let searched = [row("probe", 4.0), row("probe", 8.0), row("confirm", 4.0)];
        let shown: Vec<(&str, f64)> =
            headline(&searched).iter().map(|r| (r.role.as_str(), r.load.value())).collect();
        assert_eq!(shown, [("probe", 8.0), ("confirm", 4.0)]);
    }
}
