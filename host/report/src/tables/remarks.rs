//! The lines around a summary table: what became of the requests, and what a reader must know. Every line fits a terminal.

use std::collections::BTreeMap;

use benchhost_model::{LoadPoint, Steadiness, SummaryRow, Target, WindowKind};

use super::beside::{Basis, basis};
use super::grid::{TABLE_WIDTH, TableStyle, escaped};
use super::summary::{Figure, Group, HARNESS, PROFILE};
use crate::lines::{clean, columns, cut, wrap};
use crate::numbers::{NOTHING, count};
use crate::series::{distinct, loads, profile};

/// A count of a row.
type Count = fn(&SummaryRow) -> u64;

/// Outcomes of all loads and repeats of a group, and the first message of each kind of failure.
pub(super) fn outcomes(style: TableStyle, group: &Group<'_>) -> String {
    let sum = |pick: fn(&SummaryRow) -> u64| group.rows().iter().map(|r| pick(r)).sum::<u64>();
    let kinds: [(&str, Count); 6] = [
        ("completed", |r| r.counts.completed),
        ("failed", |r| r.counts.failed),
        ("hung up as planned", |r| r.counts.hung_up),
        ("cut off", |r| r.counts.cut),
        ("never sent", |r| r.counts.shed),
        ("not built", |r| r.counts.unbuildable),
    ];
    let parts: Vec<String> = kinds
        .iter()
        .map(|(word, pick)| (*word, sum(*pick)))
        .filter(|(word, n)| *n > 0 || *word == "completed")
        .map(|(word, n)| format!("{} {word}", count(n)))
        .collect();
    let mut lines = vec![format!("{} scheduled: {}", count(sum(|r| r.counts.scheduled)), parts.join(", "))];
    let mut failures: BTreeMap<&str, (u64, &str)> = BTreeMap::new();
    for row in group.rows() {
        for (kind, n) in &row.failures {
            let seen = failures.entry(kind).or_default();
            seen.0 += n;
            if seen.1.is_empty() {
                seen.1 = row.failure_examples.get(kind).map_or("", String::as_str);
            }
        }
    }
    lines.extend(failures.into_iter().map(|(kind, (n, example))| {
        let example = if example.is_empty() { String::new() } else { format!(": {}", clean(example)) };
        format!("  {} ×{}{example}", clean(kind), count(n))
    }));
    let rare: [(u64, &str); 2] = [
        (sum(|r| r.retried), "answered on a second connection"),
        (sum(|r| r.length_mismatches), "completed with another length than the exact one asked for"),
    ];
    lines.extend(rare.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", count(*n))));
    let lines = lines.into_iter().map(|l| match style {
        TableStyle::Plain => cut(&l, TABLE_WIDTH),
        TableStyle::Markdown => escaped(l.trim_start()) + "  ",
    });
    lines.collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

/// What the table needs to be read: dashes, repeats, simulation, definitions.
pub(super) fn notes(rows: &[&SummaryRow], groups: &[Group<'_>], figures: &[Figure<'_>]) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(dashes(groups, figures));
    notes.extend(profiles(rows));
    let repeats =
        groups.iter().flat_map(|g| loads(g.rows()).into_iter().map(|l| g.series.at(l).count())).max();
    if let Some(repeats) = repeats.filter(|n| *n > 1) {
        notes.push(format!(
            "Up to {repeats} repeats a load: figures are means over repeats, requests are sums."
        ));
    }
    notes.extend(intervals(groups, figures));
    match rows.iter().filter(|r| r.target == Target::Simulated).count() {
        0 => {}
        n if n == rows.len() => {
            notes.push("SIMULATED: the built-in simulator answered, no real server was measured.".into());
        }
        _ => {
            notes.push("SIMULATED: where marked, the built-in simulator answered, not a real server.".into());
        }
    }
    if figures.iter().any(|f| f.name == HARNESS) {
        notes.push("harness ≤: how far this program may have bent TTFT, at most.".to_owned());
    }
    if let Some(over) = rates_over(rows) {
        notes.push(over);
    }
    let per_token = if figures.iter().any(|f| f.over.starts_with("ITL")) {
        "ITL: gap between tokens"
    } else {
        "TPOT: time per later token"
    };
    notes.push(format!("TTFT: send to first output · {per_token} · e2e: send to last"));
    notes
}

/// Why there are dashes.
fn dashes(groups: &[Group<'_>], figures: &[Figure<'_>]) -> Option<String> {
    let missing = |f: &&Figure<'_>| {
        groups.iter().any(|g| {
            loads(g.rows())
                .iter()
                .any(|l| !all_saturated(g, *l) && g.series.spread(*l, |r| (f.pick)(r)).is_none())
        })
    };
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for figure in figures.iter().filter(missing) {
        let name = format!("{} {}", figure.over.trim_end_matches(" ms"), figure.name).trim_start().to_owned();
        match reasons.iter_mut().find(|(reason, _)| *reason == figure.missing) {
            Some((_, names)) => names.push(name),
            None => reasons.push((figure.missing, vec![name])),
        }
    }
    let reasons: Vec<String> =
        reasons.into_iter().map(|(reason, names)| format!("{} ({reason})", names.join(", "))).collect();
    (!reasons.is_empty()).then(|| format!("{NOTHING} not supported by the data: {}.", reasons.join("; ")))
}

/// Shapes of a rate that the load column had to cut.
fn profiles(rows: &[&SummaryRow]) -> Option<String> {
    let long = |r: &&&SummaryRow| {
        profile(r).and_then(|p| p.split_once(' ')).is_some_and(|(_, p)| columns(p) > PROFILE)
    };
    let cut: Vec<&SummaryRow> = rows.iter().filter(long).copied().collect();
    let shapes = distinct(&cut, |r| profile(r)).into_iter().flatten().map(clean).collect::<Vec<_>>();
    (!shapes.is_empty()).then(|| format!("rate/s over time, in full: {}.", shapes.join("; ")))
}

/// What stands beside figures.
fn intervals(groups: &[Group<'_>], figures: &[Figure<'_>]) -> Option<String> {
    let bases = || {
        groups.iter().flat_map(move |g| {
            loads(g.rows()).into_iter().flat_map(move |load| {
                let repeats: Vec<&SummaryRow> = g.series.at(load).collect();
                figures.iter().filter_map(|f| basis(f, &repeats)).collect::<Vec<_>>()
            })
        })
    };
    let run = "of one run the farther end of the 95 % interval of its requests, if they support one";
    let repeats = "of repeats the one farthest from their mean";
    match (bases().any(|b| b == Basis::Repeats), bases().any(|b| b == Basis::Run)) {
        (true, true) => Some(format!("±: {repeats}, {run}.")),
        (true, false) => Some(format!("±: {repeats}.")),
        (false, true) => Some(format!("±: {run}.")),
        (false, false) => None,
    }
}

/// Its dashes have another reason than a lack of data.
fn all_saturated(group: &Group<'_>, load: LoadPoint) -> bool {
    group.series.at(load).all(|r| r.steady.verdict == Steadiness::Saturated)
}

/// Rates over the whole run hold its beginning and its end, and so depend on its length.
fn rates_over(rows: &[&SummaryRow]) -> Option<String> {
    let makespan = |r: &&&SummaryRow| r.window == WindowKind::Makespan && r.req_s.is_some();
    match rows.iter().filter(makespan).count() {
        0 => None,
        n if n == rows.len() => {
            Some("req/s, tok/s: over the makespan, first send to last output.".to_owned())
        }
        n => Some(format!(
            "req/s, tok/s: {n} of {} load points are over the makespan, as their window was too short.",
            rows.len()
        )),
    }
}

/// A note in either style.
pub(super) fn note(style: TableStyle, text: &str) -> String {
    match style {
        TableStyle::Plain => wrap(text, TABLE_WIDTH, 2).join("\n"),
        TableStyle::Markdown => format!("- {text}"),
    }
}
