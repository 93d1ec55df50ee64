//! A sentence for each finding.

use benchhost_model::{Advice, Choice, CurveShape, Findings, Goal, Parting, Study};

use crate::lines::clean;
use crate::numbers::{exact, figure, percent};

/// What was found, a sentence each, recommendations first.
pub fn findings_sentences(findings: &Findings) -> Vec<String> {
    let several = |f: &dyn Fn(&str) -> bool| findings.advice.iter().any(|a| f(&a.workload));
    let one = findings.advice.first().map(|a| a.workload.as_str());
    let many = one.is_some_and(|first| several(&|w| w != first));
    let mut said: Vec<String> = findings.advice.iter().map(|a| advice(a, many)).collect();
    said.extend(findings.studies.iter().map(study));
    said.extend(findings.partings.iter().map(parting));
    if findings.invalid_rows > 0 {
        let rows = if findings.invalid_rows == 1 {
            "1 row is".into()
        } else {
            format!("{} rows are", findings.invalid_rows)
        };
        said.push(format!("{rows} INVALID and left out of the findings."));
    }
    said
}

fn advice(a: &Advice, many: bool) -> String {
    let goal = match a.goal {
        Goal::HighestThroughput => "Highest throughput",
        Goal::LowestLatency => "Lowest latency",
        Goal::BestResourceUse => "Best use of resources",
    };
    let of = if many { format!(" for {}", clean(&a.workload)) } else { String::new() };
    let Some(best) = &a.best else {
        let why = match a.goal {
            Goal::BestResourceUse => "no energy, price or GPU memory was recorded",
            _ => "no row has the figure",
        };
        return format!("{goal}{of}: not resolved, {why}.");
    };
    let told = match &a.rival {
        Some(rival) => format!(
            "; not resolved from {}: the runs' intervals overlap, or there are too few runs for one",
            choice(rival)
        ),
        None if a.alone => "; no other configuration was measured".to_owned(),
        None => ", apart from every other configuration by its interval over runs".to_owned(),
    };
    format!("{goal}{of}: {}{told}.", choice(best))
}

fn choice(c: &Choice) -> String {
    format!("{} at {} with {} {}", clean(&c.subject), c.load, figure(c.value), c.unit)
}

fn study(s: &Study) -> String {
    let by = if s.by_goodput { "goodput" } else { "throughput" };
    let run = format!(
        "{}, {}: over {} {} to {}, {} to {} {}; {}",
        clean(&s.subject),
        clean(&s.workload),
        clean(&s.axis),
        exact(s.range[0]),
        exact(s.range[1]),
        figure(s.lowest.value),
        figure(s.highest.value),
        s.unit,
        shape(s.shape),
    );
    let optimal = format!("95 % of the highest {by} from {} on", exact(s.optimal.at));
    let mut parts = vec![run, optimal, bend(s)];
    parts.extend(dents(s));
    parts.join("; ") + "."
}

fn bend(s: &Study) -> String {
    match s.bend {
        Some(b) => format!(
            "from {} to {} a doubling brings {}, below half",
            exact(b.from),
            exact(b.to),
            percent(b.per_doubling)
        ),
        None => "no step brings less than half a doubling's worth".to_owned(),
    }
}

fn dents(s: &Study) -> Option<String> {
    match s.dents.as_deref() {
        None => Some("dents not resolved: each point needs two runs, and three points".to_owned()),
        Some([]) => None,
        Some(dents) => {
            let at: Vec<String> =
                dents.iter().map(|d| format!("{} ({})", exact(d.at), figure(d.value))).collect();
            Some(format!("out of the run of the curve by more than the intervals: {}", at.join(", ")))
        }
    }
}

pub(super) const fn shape(shape: CurveShape) -> &'static str {
    match shape {
        CurveShape::Linear => "linear",
        CurveShape::Bending => "rising, less than in proportion",
        CurveShape::Plateau => "a plateau at the end",
        CurveShape::Falling => "falling at the end",
        CurveShape::NotResolved => "shape not resolved, fewer than three points",
    }
}

fn parting(p: &Parting) -> String {
    let who = format!(
        "{} and {}, {}, {}",
        clean(&p.subjects[0]),
        clean(&p.subjects[1]),
        clean(&p.workload),
        p.figure
    );
    match &p.first {
        Some(first) => format!(
            "{who}: first apart at {}={}, where {} is better with {} against {}.",
            p.axis,
            exact(first.at),
            clean(&first.better),
            figure(first.value),
            figure(first.other)
        ),
        None if p.resolved => format!("{who}: the intervals overlap at every shared {}.", p.axis),
        None => format!("{who}: not resolved, both need two runs at a shared {}.", p.axis),
    }
}
