//! How throughput runs over each swept axis: loads of one workload, or the number in which a family of workloads differs.

use benchhost_model::{CurveShape, GainStep, Reached, Study, SummaryRow, WorkloadFamily, workload_families};
use benchhost_stats::{CurvePoint, Shape, dents, first_below, gains, shape};

use super::curve::{Configuration, Pick, over_loads, point, throughput};
use super::distinct;

/// Gain per doubling below which a step is said to pay little.
const HALF: f64 = 0.5;
/// Share of the highest throughput that the optimal point has at least.
const NEARLY: f64 = 0.95;

/// One for each configuration, workload and kind of load, then for each configuration and family; in the order of rows.
pub(super) fn studies(rows: &[&SummaryRow]) -> Vec<Study> {
    let all = distinct(rows, Configuration::of);
    let mut found = Vec::new();
    for configuration in &all {
        let own: Vec<&SummaryRow> =
            rows.iter().copied().filter(|r| Configuration::of(r) == *configuration).collect();
        let subject = configuration.title(&all);
        for (workload, kind) in distinct(&own, |r| (r.workload.as_str(), r.load.kind())) {
            let swept: Vec<&SummaryRow> = own
                .iter()
                .copied()
                .filter(|r| (r.workload.as_str(), r.load.kind()) == (workload, kind))
                .collect();
            found.extend(over_load(&swept, &subject, workload, kind));
        }
        for family in workload_families(own.iter().map(|r| r.workload.as_str())) {
            found.extend(over_family(&own, &subject, &family));
        }
    }
    found
}

fn over_load(rows: &[&SummaryRow], subject: &str, workload: &str, kind: &str) -> Option<Study> {
    let (pick, unit) = throughput(rows);
    let curve = over_loads(rows, pick);
    let goodput: Vec<CurvePoint> = if rows.iter().any(|r| r.goodput_req_s.is_some()) {
        over_loads(rows, |r| r.goodput_req_s)
    } else {
        Vec::new()
    };
    study(&curve, &goodput, &Named { subject, workload, axis: kind, unit }, most_repeats(rows))
}

fn most_repeats(rows: &[&SummaryRow]) -> usize {
    let key = |r: &SummaryRow| (r.load.key(), r.workload.clone());
    rows.iter().map(|row| rows.iter().filter(|r| key(r) == key(row)).count()).max().unwrap_or(0)
}

struct Named<'a> {
    subject: &'a str,
    workload: &'a str,
    axis: &'a str,
    unit: &'a str,
}

/// `None` for fewer than two points: nothing was swept.
fn study(curve: &[CurvePoint], goodput: &[CurvePoint], named: &Named<'_>, repeats: usize) -> Option<Study> {
    let by_y = |a: &&CurvePoint, b: &&CurvePoint| a.y.total_cmp(&b.y);
    let (first, last) = (curve.first()?, curve.last().filter(|_| curve.len() > 1)?);
    let (lowest, highest) = (curve.iter().min_by(by_y)?, curve.iter().max_by(by_y)?);
    let steps = gains(curve);
    let bend = first_below(&steps, HALF);
    let by_goodput = goodput.iter().any(|p| p.y > 0.0);
    let judged = if by_goodput { goodput } else { curve };
    let best = judged.iter().max_by(by_y)?;
    let optimal = judged.iter().find(|p| p.y >= NEARLY * best.y).unwrap_or(best);
    let enough = curve.len() > 2 && curve.iter().all(|p| p.interval.is_some());
    Some(Study {
        subject: named.subject.to_owned(),
        workload: named.workload.to_owned(),
        axis: named.axis.to_owned(),
        unit: named.unit.to_owned(),
        points: curve.len(),
        repeats,
        range: [first.x, last.x],
        lowest: reached(lowest),
        highest: reached(highest),
        optimal: reached(optimal),
        by_goodput,
        bend: bend.map(|g| GainStep { from: g.from, to: g.to, per_doubling: g.per_doubling }),
        shape: match shape(&steps) {
            Shape::Linear => CurveShape::Linear,
            Shape::Bending => CurveShape::Bending,
            Shape::Plateau => CurveShape::Plateau,
            Shape::Falling => CurveShape::Falling,
            Shape::Unknown => CurveShape::NotResolved,
        },
        dents: enough.then(|| dents(curve).into_iter().map(|(at, value)| Reached { at, value }).collect()),
    })
}

fn reached(point: &CurvePoint) -> Reached {
    Reached { at: point.x, value: point.y }
}

/// At the load that has the most members; of equals the highest.
fn over_family(rows: &[&SummaryRow], subject: &str, family: &WorkloadFamily) -> Option<Study> {
    let member = |r: &SummaryRow| family.number(&r.workload);
    let of: Vec<&SummaryRow> = rows.iter().copied().filter(|r| member(r).is_some()).collect();
    let count = |load| {
        let at: Vec<&SummaryRow> = of.iter().copied().filter(|r| r.load == load).collect();
        distinct(&at, |r| r.workload.as_str()).len()
    };
    let loads = distinct(&of, |r| r.load);
    let load =
        loads.into_iter().max_by(|a, b| count(*a).cmp(&count(*b)).then(a.value().total_cmp(&b.value())))?;
    let at: Vec<&SummaryRow> = of.iter().copied().filter(|r| r.load == load).collect();
    let (pick, unit): (Pick, _) = throughput(&at);
    let mut places: Vec<f64> = at.iter().filter_map(|r| member(r)).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    let curve: Vec<CurvePoint> = places
        .into_iter()
        .filter_map(|n| {
            let same: Vec<&SummaryRow> = at.iter().copied().filter(|r| member(r) == Some(n)).collect();
            point(&same, n, pick)
        })
        .collect();
    let workload = format!("{} at {load}", family.name);
    study(&curve, &[], &Named { subject, workload: &workload, axis: &family.axis, unit }, most_repeats(&at))
}
