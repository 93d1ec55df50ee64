//! What a reader must know of the measurements behind a comparison: verdicts of the harness, errors, correlation, drift.
//! Knows the groups that were compared.

use benchhost_model::{HarnessError, Steadiness, SummaryRow, Verdict};

use crate::gather::{Group, Run};
use crate::judge::lost;
use crate::pair::Pair;

/// Drift of an anchor that is worth a word, as a share.
const DRIFT: f64 = 0.05;
/// Below this share of independent requests the correlation is worth a word.
const CORRELATED: f64 = 0.5;

/// The flags, in words, and whether any run is INVALID.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Health {
    pub(crate) flags: Vec<String>,
    pub(crate) invalid: bool,
}

/// Looks at every group of both sides.
pub(crate) fn health(pairs: &[Pair<'_>]) -> Health {
    let mut health = Health::default();
    for pair in pairs {
        for (side, group) in [("base", pair.base), ("new", pair.new)] {
            look(&format!("{side}, {}", group.heading()), group, &mut health);
        }
    }
    for (side, groups) in [
        ("base", pairs.iter().map(|p| p.base).collect::<Vec<_>>()),
        ("new", pairs.iter().map(|p| p.new).collect()),
    ] {
        health.flags.push(bounds(side, &groups));
    }
    health
}

fn look(place: &str, group: &Group, health: &mut Health) {
    let runs = group.runs.len();
    let with = |verdict| group.runs.iter().filter(move |r| r.summary.verdict == Some(verdict));
    for verdict in [Verdict::Invalid, Verdict::Suspect] {
        let count = with(verdict).count();
        health.invalid |= verdict == Verdict::Invalid && count > 0;
        if let Some(first) = with(verdict).next() {
            let why = first.summary.reasons.first().map_or("", |r| r.text.as_str());
            health.flags.push(format!("{place}: {count} of {runs} runs {verdict}: {why}"));
        }
    }
    for (steadiness, word) in
        [(Steadiness::Saturated, "saturated"), (Steadiness::NotStationary, "not stationary")]
    {
        let found: Vec<&Run> = group.runs.iter().filter(|r| r.summary.steady.verdict == steadiness).collect();
        if let Some(first) = found.first() {
            health.flags.push(format!(
                "{place}: {} of {runs} runs {word}: {}",
                found.len(),
                first.summary.steady.why
            ));
        }
    }
    let (wrong, asked) =
        group.runs.iter().map(|r| lost(&r.summary)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    if wrong > 0 {
        health.flags.push(format!(
            "{place}: {wrong} of {asked} requests did not complete; latencies are of those that did"
        ));
    }
    let sizes = group.runs.iter().filter_map(|r| Some((r.summary.ttft.n, r.summary.ttft.n_eff?)));
    let (n, n_eff) = sizes.fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    if (n_eff as f64) < n as f64 * CORRELATED {
        health.flags.push(format!("{place}: {n} times to first token are worth {n_eff} independent ones"));
    }
    health.flags.extend(drift(place, group));
}

/// How far the point measured again stands from the runs of the plan.
fn drift(place: &str, group: &Group) -> Option<String> {
    let rate = |s: &SummaryRow| s.out_tok_s.or(s.req_s);
    let runs: Vec<f64> = group.runs.iter().filter_map(|r| rate(&r.summary)).collect();
    let mean = runs.iter().sum::<f64>() / runs.len() as f64;
    let worst = group.anchors.iter().filter_map(rate).map(|v| v / mean - 1.0).filter(|d| d.is_finite());
    let worst = worst.max_by(|a, b| a.abs().total_cmp(&b.abs()))?;
    (worst.abs() > DRIFT).then(|| {
        format!(
            "{place}: the same point at the beginning or end of the run differs by {:+.1} %: drift",
            worst * 100.0
        )
    })
}

/// How far the measuring program may have bent latencies, at most over all groups of a side.
fn bounds(side: &str, groups: &[&Group]) -> String {
    let errors = || groups.iter().flat_map(|g| &g.runs).map(|r| &r.summary.harness);
    let largest = |of: fn(&HarnessError) -> Option<f64>| errors().filter_map(of).max_by(f64::total_cmp);
    let named: Vec<String> = [
        ("ttft", largest(|e| e.ttft.as_ref().map(|b| b.ms))),
        ("tpot", largest(|e| e.tpot.as_ref().map(|b| b.ms))),
        ("e2e", largest(|e| e.e2e.as_ref().map(|b| b.ms))),
    ]
    .into_iter()
    .filter_map(|(name, ms)| Some(format!("{name} {:.3} ms", ms?)))
    .collect();
    if named.is_empty() {
        format!("{side}: how far the measuring program bent latencies is not known")
    } else {
        format!("{side}: the measuring program may have bent {} at most", named.join(", "))
    }
}
