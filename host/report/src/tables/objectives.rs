//! Columns for goodput: what share of the requests kept all objectives and each of them. Only where some were given.

use benchhost_model::SummaryRow;

use super::summary::Figure;
use crate::lines::{clean, cut};
use crate::numbers::{NOTHING, figure};

/// Objectives that have columns of their own; more would not fit a terminal.
const MOST: usize = 4;

/// The columns; none where no objective was given.
pub(super) fn figures<'a>(rows: &[&'a SummaryRow]) -> Vec<Figure<'a>> {
    let Some(first) = rows.iter().find(|r| !r.objectives.is_empty()) else { return Vec::new() };
    let mut figures = vec![
        column("all kept", "%", |r| r.slo_attainment.map(|share| 100.0 * share)),
        column("goodput", "req/s", |r| r.goodput_req_s),
        column("goodput", "tok/s", |r| r.goodput_tok_s),
    ];
    figures.extend(first.objectives.iter().take(MOST).map(|o| {
        let (name, bound) = o.objective.split_once('=').unwrap_or((&o.objective, ""));
        Figure {
            over: cut(&clean(name), 10),
            name: cut(&format!("≤{} %", clean(bound)), 10),
            pick: Box::new(move |r: &SummaryRow| share(r, &o.objective)),
            missing: "",
            ends: None,
        }
    }));
    figures
}

/// The objectives that have no column, with the lowest share of requests that kept each; `None`: all have one.
pub(super) fn without_column(rows: &[&SummaryRow]) -> Option<String> {
    let given = rows.iter().find(|r| !r.objectives.is_empty())?;
    let others: Vec<String> = given
        .objectives
        .iter()
        .skip(MOST)
        .map(|o| {
            let lowest = rows.iter().filter_map(|r| share(r, &o.objective)).reduce(f64::min);
            let kept = lowest.map_or(NOTHING.to_owned(), |s| format!("{} %", figure(s)));
            format!("{} (kept by {kept} or more)", clean(&o.objective))
        })
        .collect();
    (!others.is_empty()).then(|| {
        format!("objectives: {MOST} have a column; the others are in summary.json: {}.", others.join(", "))
    })
}

fn column(over: &str, name: &str, pick: fn(&SummaryRow) -> Option<f64>) -> Figure<'static> {
    Figure { over: over.to_owned(), name: name.to_owned(), pick: Box::new(pick), missing: "", ends: None }
}

/// Requests that met an objective or cannot have its latency, in per cent.
fn share(row: &SummaryRow, objective: &str) -> Option<f64> {
    let o = row.objectives.iter().find(|o| o.objective == objective)?;
    let (kept, all) = (o.met + o.vacuous, o.met + o.vacuous + o.missed + o.lost);
    (all > 0).then(|| 100.0 * kept as f64 / all as f64)
}

#[cfg(test)]
mod tests {
    use crate::fixtures::row;
    use crate::tables::{TableStyle, summary_table};
    use benchhost_model::ObjectiveCounts;

    #[test]
    fn an_objective_without_a_column_is_named_below() {
        let mut some = row("vllm", "fp16", 8);
        let of = |n: u64| ObjectiveCounts {
            objective: format!("e2e={n}s"),
            met: 9,
            missed: 1,
            ..Default::default()
        };
        some.objectives = (1..=5).map(of).collect();
        some.slo_attainment = Some(0.9);
        let text = summary_table(&[some.clone()], TableStyle::Plain).replace("\n  ", " ");
        assert!(text.contains("e2e=5s (kept by 90.0 % or more)") && !text.contains("e2e=4s ("), "{text}");
        some.objectives.truncate(4);
        assert!(!summary_table(&[some], TableStyle::Plain).contains("the others are in summary.json"));
    }

    #[test]
    fn goodput_has_a_table_of_its_own() {
        let counts = |objective: &str, met, missed, vacuous, lost| ObjectiveCounts {
            objective: objective.into(),
            by: objective.split('=').next().unwrap_or_default().into(),
            met,
            missed,
            vacuous,
            lost,
        };
        let mut some = row("vllm", "fp16", 8);
        some.objectives = vec![counts("ttft=500ms", 95, 3, 0, 2), counts("tpot=50ms", 90, 4, 4, 2)];
        some.slo_attainment = Some(0.93);
        (some.goodput_req_s, some.goodput_tok_s) = (Some(15.2), Some(970.0));
        insta::assert_snapshot!(summary_table(&[some, row("tgi", "fp16", 8)], TableStyle::Plain), @"
        vllm · fp16 · empathetic
                      requests                TTFT ms  TTFT ms  harness  TPOT ms  e2e ms
        concurrency  ok/failed  req/s  tok/s      p50      p99     ≤ ms      p50     p50
        ────────────────────────────────────────────────────────────────────────────────
                  8      100/0   16.3  1,043     36.0     79.2   0.0600     7.47     491
        100 scheduled: 100 completed
        harness error ≤ TPOT 0.00400 ms · e2e 0.110 ms

        tgi · fp16 · empathetic
                      requests                TTFT ms  TTFT ms  harness  TPOT ms  e2e ms
        concurrency  ok/failed  req/s  tok/s      p50      p99     ≤ ms      p50     p50
        ────────────────────────────────────────────────────────────────────────────────
                  8      100/0   13.9    887     36.0     79.2   0.0600     8.85     577
        100 scheduled: 100 completed
        harness error ≤ TPOT 0.00400 ms · e2e 0.110 ms

        objectives · vllm · fp16 · empathetic
                     all kept  goodput  goodput      ttft     tpot
        concurrency         %    req/s    tok/s  ≤500ms %  ≤50ms %
        ──────────────────────────────────────────────────────────
                  8      93.0     15.2      970      95.0     94.0

        harness ≤: how far this program may have bent TTFT, at most.
        TTFT: send to first output · TPOT: time per later token · e2e: send to last
        ");
    }
}
