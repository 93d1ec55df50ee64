//! The title, the boxes and the first sentences, computed from rows and findings.

use std::collections::BTreeSet;

use benchhost_model::{Advice, Goal, Verdict};

use super::Page;
use super::charts::Source;
use crate::lines::clean;
use crate::numbers::{count, figure};

/// `vllm against sglang`, or what was measured.
pub(super) fn title(source: &Source<'_>) -> String {
    match source.series.as_slice() {
        [] => "Nothing was measured".to_owned(),
        [one] => one.label.clone(),
        [a, b] => format!("{} against {}", a.label, b.label),
        all => {
            let engines: BTreeSet<&str> = source.rows.iter().map(|r| r.engine.as_str()).collect();
            let engines: Vec<String> = engines.into_iter().map(clean).collect();
            format!("{} configurations of {}", all.len(), engines.join(", "))
        }
    }
}

/// Models, machines, workloads.
pub(super) fn subtitle(page: &Page<'_>) -> String {
    let set = |of: &dyn Fn(&benchhost_model::SummaryRow) -> String| {
        let all: BTreeSet<String> = page.rows.iter().map(of).filter(|t| !t.is_empty()).collect();
        let more = if all.len() > 4 { format!(" and {} more", all.len() - 4) } else { String::new() };
        all.into_iter().take(4).collect::<Vec<_>>().join(", ") + &more
    };
    let machines: BTreeSet<String> = page.runs.iter().map(|r| clean(&r.machine)).collect();
    let machines: Vec<String> = machines.into_iter().filter(|m| !m.is_empty()).collect();
    let started = page.runs.first().map_or("", |r| r.started.as_str());
    let parts =
        [set(&|r| clean(&r.model)), machines.join(", "), set(&|r| clean(&r.workload)), clean(started)];
    parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// Big figures, each with what it is.
pub(super) fn boxes(page: &Page<'_>) -> Vec<(String, String)> {
    let mut boxes = Vec::new();
    let best = |goal: Goal, better: &dyn Fn(f64, f64) -> bool| {
        let choices = page
            .findings
            .advice
            .iter()
            .filter(|a| a.goal == goal)
            .filter_map(|a| Some((a, a.best.as_ref()?)));
        choices.reduce(|a, b| if better(b.1.value, a.1.value) { b } else { a })
    };
    if let Some((advice, choice)) = best(Goal::HighestThroughput, &|a, b| a > b) {
        boxes.push((
            format!("{} {}", figure(choice.value), choice.unit),
            place(advice, "highest throughput ↑"),
        ));
    }
    if let Some((advice, choice)) = best(Goal::LowestLatency, &|a, b| a < b) {
        boxes.push((format!("{} ms", figure(choice.value)), place(advice, "lowest TTFT p50 ↓")));
    }
    let counts = page.rows.iter().fold((0, 0), |(c, s), r| (c + r.counts.completed, s + r.counts.scheduled));
    boxes.push((
        format!("{} of {}", count(counts.0), count(counts.1)),
        "measured requests completed".to_owned(),
    ));
    let valid = page.rows.iter().filter(|r| r.verdict == Some(Verdict::Valid)).count();
    boxes.push((
        format!("{valid} of {}", page.rows.len()),
        "points VALID: the program kept its own limits".to_owned(),
    ));
    boxes
}

fn place(advice: &Advice, what: &str) -> String {
    let choice = advice.best.as_ref();
    choice.map_or(String::new(), |c| {
        let rival = advice.rival.as_ref();
        let rival = rival.map_or(String::new(), |r| format!("; not told apart from {}", clean(&r.subject)));
        format!("{what}: {}, {}, {}{rival}", clean(&c.subject), clean(&advice.workload), c.load)
    })
}
