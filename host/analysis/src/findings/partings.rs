//! The first load at which two configurations' intervals part, for throughput and for the time to first token.

use benchhost_model::{Parted, Parting, SummaryRow};
use benchhost_stats::{CurvePoint, first_separation};

use super::curve::{Configuration, Pick, over_loads, throughput};
use super::distinct;

/// Pairs beyond these are left out: every configuration is held against the first three.
const HELD_AGAINST: usize = 3;

/// One for each pair, workload, kind of load and figure that both have over the loads they share.
pub(super) fn partings(rows: &[&SummaryRow]) -> Vec<Parting> {
    let all = distinct(rows, Configuration::of);
    let mut found = Vec::new();
    for (workload, axis) in distinct(rows, |r| (r.workload.as_str(), r.load.kind())) {
        let here: Vec<&SummaryRow> = rows
            .iter()
            .copied()
            .filter(|r| (r.workload.as_str(), r.load.kind()) == (workload, axis))
            .collect();
        let present = distinct(&here, Configuration::of);
        let (throughput, unit) = throughput(&here);
        let figures: [(Pick, String, bool); 2] = [
            (throughput, format!("throughput ({unit})"), true),
            (|r| r.ttft.p50, "time to first token, p50 (ms)".to_owned(), false),
        ];
        for (i, one) in present.iter().enumerate().take(HELD_AGAINST) {
            for other in &present[i + 1..] {
                for (pick, figure, higher) in &figures {
                    let curve = |c: &Configuration<'_>| {
                        let own: Vec<&SummaryRow> =
                            here.iter().copied().filter(|r| Configuration::of(r) == *c).collect();
                        over_loads(&own, *pick)
                    };
                    let subjects = [one.title(&all), other.title(&all)];
                    let Some(found_here) = parting([&curve(one), &curve(other)], subjects, *higher) else {
                        continue;
                    };
                    found.push(Parting {
                        workload: workload.to_owned(),
                        axis: axis.to_owned(),
                        figure: figure.clone(),
                        ..found_here
                    });
                }
            }
        }
    }
    found
}

/// `None` when the two share no point.
fn parting(curves: [&[CurvePoint]; 2], subjects: [String; 2], higher: bool) -> Option<Parting> {
    let at = |curve: &[CurvePoint], x: f64| curve.iter().copied().find(|p| p.x.total_cmp(&x).is_eq());
    let shared: Vec<(CurvePoint, CurvePoint)> =
        curves[0].iter().filter_map(|p| Some((*p, at(curves[1], p.x)?))).collect();
    if shared.is_empty() {
        return None;
    }
    let resolved = shared.iter().any(|(a, b)| a.interval.is_some() && b.interval.is_some());
    let first = first_separation(curves[0], curves[1]).and_then(|x| {
        let (a, b) = (at(curves[0], x)?, at(curves[1], x)?);
        let first_leads = (a.y > b.y) == higher;
        let (better, value, other) =
            if first_leads { (&subjects[0], a.y, b.y) } else { (&subjects[1], b.y, a.y) };
        Some(Parted { at: x, better: better.clone(), value, other })
    });
    Some(Parting {
        subjects,
        workload: String::new(),
        axis: String::new(),
        figure: String::new(),
        shared: shared.len(),
        first,
        resolved,
    })
}
