//! What a run is held against after it: the requirements of its plan, and the drift that its anchors show. Works on
//! summary rows alone, so that `report` comes to the same.

use benchhost_model::{LoadPoint, SummaryRow, Verdict};

use crate::plan::Requirement;

/// Drift of an anchor that is worth a word, as a share.
const DRIFT_TOLD: f64 = 0.02;
/// Drift that makes load points measured at different times incomparable.
const DRIFT_TOO_MUCH: f64 = 0.05;
/// Standard errors beyond which a difference is not chance.
const STANDARD_ERRORS: f64 = 3.0;

/// For each load point and requirement that is missed, a sentence. Anchors and what a search tried are not held
/// against them.
pub(super) fn missed(rows: &[SummaryRow], requirements: &[Requirement]) -> Vec<String> {
    let counted = rows.iter().filter(|r| matches!(r.role.as_str(), "" | "confirm"));
    let each = counted.flat_map(|row| requirements.iter().map(move |r| (row, r)));
    each.filter_map(|(row, requirement)| {
        let why = shortfall(row, requirement)?;
        Some(format!("{}: the requirement {requirement} is missed: {why}", title(row)))
    })
    .collect()
}

/// Why it is not reached; `None`: it is.
fn shortfall(row: &SummaryRow, requirement: &Requirement) -> Option<String> {
    match requirement {
        Requirement::Attainment(share) => match row.slo_attainment {
            Some(found) if found >= *share => None,
            Some(found) => Some(format!("{:.1} % of the requests are good", found * 100.0)),
            None => Some("the share of good requests is not known".into()),
        },
        Requirement::Goodput(rate) => match row.goodput_req_s {
            Some(found) if found >= *rate => None,
            Some(found) => Some(format!("{found:.2} good requests a second")),
            None => Some("the goodput is not known".into()),
        },
        Requirement::Figure(bound) => {
            let at_most = bound.at_most.as_secs_f64() * 1e3;
            let latency = bound.figure.metric.under(row.load);
            let Some(kept) = latency.over(row) else {
                return Some(format!(
                    "the summary keeps no `{}`; `--slo` judges each request by it",
                    latency.name()
                ));
            };
            match kept.percentile(bound.figure.percent) {
                Some(found) if found <= at_most => None,
                Some(found) => Some(format!("it is {found:.1} ms")),
                None => Some("the sample does not support the figure; measure more requests".into()),
            }
        }
    }
}

/// How far apart measurements of one load point lie that should be the same.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Drift {
    /// Which.
    pub(super) title: String,
    /// Between the lowest and the highest mean, as a share of the lowest.
    pub(super) share: f64,
    /// What it makes of the run.
    pub(super) verdict: Verdict,
}

impl Drift {
    /// For people.
    pub(super) fn sentence(&self) -> String {
        let what = match self.verdict {
            Verdict::Invalid => {
                "load points measured at different times cannot be set side by side (INVALID)"
            }
            _ => "differences between load points of this size may be drift (SUSPECT)",
        };
        format!(
            "{}: its end-to-end latency drifted by {:.1} % over the run; {what}",
            self.title,
            self.share * 100.0
        )
    }
}

/// The drift of each anchor that is more than chance.
pub(super) fn drifts(rows: &[SummaryRow]) -> Vec<Drift> {
    let mut found: Vec<Drift> = Vec::new();
    for anchor in rows.iter().filter(|r| r.role == "anchor") {
        let same = |r: &&SummaryRow| {
            r.load.key() == anchor.load.key()
                && (&r.engine, &r.variant, &r.workload) == (&anchor.engine, &anchor.variant, &anchor.workload)
                && matches!(r.role.as_str(), "" | "anchor")
        };
        let title = title(anchor);
        if found.iter().all(|d| d.title != title) {
            found.extend(
                spread(&rows.iter().filter(same).collect::<Vec<_>>()).map(|(share, verdict)| Drift {
                    title,
                    share,
                    verdict,
                }),
            );
        }
    }
    found
}

/// The widest difference of means among measurements, if it is large and not chance.
fn spread(rows: &[&SummaryRow]) -> Option<(f64, Verdict)> {
    let means = rows.iter().filter_map(|r| {
        let d = &r.e2e;
        // Requests of one batch are slow or fast together.
        let together = if let LoadPoint::Batch(size) = r.load { f64::from(size.max(1)) } else { 1.0 };
        let n = d.n_eff.unwrap_or(d.n) as f64 / together;
        Some((d.mean?, d.sd.unwrap_or(0.0) / n.max(1.0).sqrt()))
    });
    let means: Vec<(f64, f64)> = means.collect();
    let low = means.iter().copied().min_by(|a, b| a.0.total_cmp(&b.0))?;
    let high = means.iter().copied().max_by(|a, b| a.0.total_cmp(&b.0))?;
    let difference = high.0 - low.0;
    let share = difference / low.0;
    let error = low.1.hypot(high.1);
    if !(share.is_finite() && share > DRIFT_TOLD && difference > STANDARD_ERRORS * error) {
        return None;
    }
    Some((share, if share > DRIFT_TOO_MUCH { Verdict::Invalid } else { Verdict::Suspect }))
}

fn title(row: &SummaryRow) -> String {
    let label = if row.variant.is_empty() { String::new() } else { format!(" · {}", row.variant) };
    format!("{}{label} · {} · {}", row.engine, row.workload, row.load)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use benchhost_analysis::Metric;
    use benchhost_model::Distribution;

    use super::*;
    use crate::plan::{Bound, Figure};

    fn row(role: &str, mean: f64) -> SummaryRow {
        let e2e = Distribution {
            n: 100,
            mean: Some(mean),
            sd: Some(mean / 10.0),
            p99: Some(mean * 1.2),
            ..Distribution::default()
        };
        SummaryRow { role: role.into(), e2e, ..SummaryRow::blank(LoadPoint::Concurrency(4)) }
    }

    #[test]
    fn a_requirement_is_held_against_every_point_of_the_plan() {
        let bound = |ms| {
            let figure = Figure { metric: Metric::E2e, percent: 99.0 };
            Requirement::Figure(Bound { figure, at_most: Duration::from_millis(ms) })
        };
        let rows = [row("", 100.0), row("anchor", 900.0), row("probe", 900.0)];
        assert!(missed(&rows, &[bound(120)]).is_empty());
        assert_eq!(missed(&rows, &[bound(119)]).len(), 1);
        let good = SummaryRow { slo_attainment: Some(0.94), goodput_req_s: Some(4.0), ..row("", 1.0) };
        for (requirement, count) in [
            (Requirement::Attainment(0.94), 0),
            (Requirement::Attainment(0.95), 1),
            (Requirement::Goodput(4.0), 0),
            (Requirement::Goodput(4.1), 1),
        ] {
            assert_eq!(missed(std::slice::from_ref(&good), &[requirement]).len(), count, "{requirement}");
        }
        assert_eq!(missed(&rows, &[Requirement::Attainment(0.1)]).len(), 1, "unknown is not reached");
    }

    #[test]
    fn drift_counts_where_it_is_large_and_not_chance() {
        let verdict = |means: [f64; 3]| {
            let rows = [row("anchor", means[0]), row("", means[1]), row("anchor", means[2])];
            drifts(&rows).first().map(|d| d.verdict)
        };
        // A standard error is 1 % of a mean here.
        assert_eq!(verdict([100.0, 101.0, 102.0]), None);
        assert_eq!(verdict([100.0, 101.0, 104.8]), Some(Verdict::Suspect));
        assert_eq!(verdict([110.0, 101.0, 100.0]), Some(Verdict::Invalid));
        let other = SummaryRow { load: LoadPoint::Concurrency(8), ..row("", 500.0) };
        assert!(drifts(&[row("anchor", 100.0), other, row("anchor", 100.0)]).is_empty());
    }
}
