//! The measured point that serves each goal best, and whether the repeats tell it apart from the next configuration's.

use benchhost_model::{Advice, Choice, Goal, LoadPoint, SummaryRow};
use benchhost_stats::CurvePoint;

use super::curve::{Configuration, Pick, point, throughput};
use super::distinct;

/// For each workload, an answer to each goal.
pub(super) fn advice(rows: &[&SummaryRow]) -> Vec<Advice> {
    let all = distinct(rows, Configuration::of);
    let mut found = Vec::new();
    for workload in distinct(rows, |r| r.workload.as_str()) {
        let here: Vec<&SummaryRow> = rows.iter().copied().filter(|r| r.workload == workload).collect();
        for goal in [Goal::HighestThroughput, Goal::LowestLatency, Goal::BestResourceUse] {
            let wish = wish(goal, &here);
            let ranked = wish.map(|w| ranked(&here, &all, &w)).unwrap_or_default();
            found.push(answer(goal, workload, &ranked));
        }
    }
    found
}

/// A figure to be high or low.
struct Wish {
    pick: Pick,
    unit: &'static str,
    higher: bool,
}

/// `None`: no row has a figure for it.
fn wish(goal: Goal, rows: &[&SummaryRow]) -> Option<Wish> {
    let wishes: Vec<Wish> = match goal {
        Goal::HighestThroughput => {
            let (pick, unit) = throughput(rows);
            vec![Wish { pick, unit, higher: true }]
        }
        Goal::LowestLatency => vec![Wish { pick: |r| r.ttft.p50, unit: "ms TTFT p50", higher: false }],
        Goal::BestResourceUse => vec![
            Wish { pick: |r| r.j_per_out_tok, unit: "J per output token", higher: false },
            Wish { pick: |r| r.usd_per_mtok_out, unit: "US$ per million output tokens", higher: false },
            Wish { pick: per_gib, unit: "tokens/s per GiB of GPU memory", higher: true },
        ],
    };
    wishes.into_iter().find(|w| rows.iter().any(|r| (w.pick)(r).is_some_and(f64::is_finite)))
}

fn per_gib(row: &SummaryRow) -> Option<f64> {
    let memory = row.gpu_mem_peak_mib.filter(|m| *m > 0.0)? / 1024.0;
    Some(row.out_tok_s? / memory)
}

/// The best point of each configuration, the best first.
fn ranked(rows: &[&SummaryRow], all: &[Configuration<'_>], wish: &Wish) -> Vec<(Choice, CurvePoint)> {
    let better = |a: &CurvePoint, b: &CurvePoint| {
        if wish.higher { b.y.total_cmp(&a.y) } else { a.y.total_cmp(&b.y) }
    };
    let mut best: Vec<(Choice, CurvePoint)> = distinct(rows, Configuration::of)
        .into_iter()
        .filter_map(|configuration| {
            let own: Vec<&SummaryRow> =
                rows.iter().copied().filter(|r| Configuration::of(r) == configuration).collect();
            let at = |load: LoadPoint| {
                let at: Vec<&SummaryRow> = own.iter().copied().filter(|r| r.load == load).collect();
                point(&at, load.value(), wish.pick)
            };
            let points = distinct(&own, |r| r.load).into_iter().filter_map(|l| Some((l, at(l)?)));
            let (load, point) = points.min_by(|a, b| better(&a.1, &b.1))?;
            let choice = Choice {
                subject: configuration.title(all),
                load: load.to_string(),
                value: point.y,
                unit: wish.unit.to_owned(),
            };
            Some((choice, point))
        })
        .collect();
    best.sort_by(|a, b| better(&a.1, &b.1));
    best
}

fn answer(goal: Goal, workload: &str, ranked: &[(Choice, CurvePoint)]) -> Advice {
    let overlap = |a: &CurvePoint, b: &CurvePoint| match (a.interval, b.interval) {
        (Some(a), Some(b)) => a.low <= b.high && b.low <= a.high,
        _ => true,
    };
    let rival = match ranked {
        [(_, best), rest @ ..] => rest.iter().find(|(_, point)| overlap(best, point)),
        [] => None,
    };
    Advice {
        goal,
        workload: workload.to_owned(),
        best: ranked.first().map(|(choice, _)| choice.clone()),
        rival: rival.map(|(choice, _)| choice.clone()),
        alone: ranked.len() == 1,
    }
}
