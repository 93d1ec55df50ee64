//! Which figures decide, and what looking at several of them costs: Holm for those that gate, Benjamini and Hochberg for
//! the rest. Knows the rows of one pair of groups, which are one family each.

use benchhost_model::LoadPoint;
use benchhost_stats::{benjamini_hochberg, holm};

use crate::judge::Judged;
use crate::metric::primary;
use crate::row::{Row, Word};

/// Level of a family's false alarms.
const ALPHA: f64 = 0.05;

/// Marks the gating rows, adjusts p-values and takes back gating verdicts that do not survive; the words of other figures
/// stand with their q beside them. `wanted`: names that gate instead
/// of the usual ones; empty: the usual ones.
pub(crate) fn gate(judged: Vec<Judged>, load: LoadPoint, wanted: &[String]) -> Vec<Row> {
    let has = |name: &str| {
        let found = judged.iter().find(|j| j.row.metric == name);
        found.is_some_and(|j| j.resolved && !matches!(j.row.word, Word::Missing(_)) && j.row.change.is_some())
    };
    let names: Vec<String> = if wanted.is_empty() {
        primary(load, has).into_iter().map(str::to_owned).collect()
    } else {
        wanted.to_vec()
    };
    let mut rows: Vec<Row> = judged.into_iter().map(|j| j.row).collect();
    for row in &mut rows {
        row.gates = names.contains(&row.metric);
    }
    adjust(&mut rows, true, holm);
    adjust(&mut rows, false, benjamini_hochberg);
    // What gates comes first, otherwise in the order of the figures.
    rows.sort_by_key(|row| !row.gates);
    rows
}

fn adjust(rows: &mut [Row], gates: bool, by: fn(&[f64]) -> Vec<f64>) {
    let in_family = |row: &Row| row.gates == gates && between_runs(&row.word);
    let p: Vec<f64> = rows.iter().filter(|r| in_family(r)).filter_map(|r| r.p).collect();
    let family = p.len();
    let mut adjusted = by(&p).into_iter();
    for row in rows.iter_mut().filter(|r| in_family(r) && r.p.is_some()) {
        row.adjusted = adjusted.next();
        let shown = !gates || row.adjusted.is_some_and(|p| p < ALPHA);
        if matches!(row.word, Word::Regressed | Word::Improved) && !shown {
            row.word = Word::Inconclusive;
            row.note = match fewest_runs(family) {
                Some(runs) if runs > row.runs.0.min(row.runs.1) => {
                    format!(
                        "beyond the margin, but {family} figures are looked at: {runs} runs a side could show it"
                    )
                }
                _ => "beyond the margin, but not shown among so many figures".to_owned(),
            };
        }
    }
}

const fn between_runs(word: &Word) -> bool {
    matches!(
        word,
        Word::Regressed
            | Word::Improved
            | Word::Equivalent
            | Word::Drift
            | Word::Inconclusive
            | Word::BelowResolution
    )
}

/// Runs a side from which the smallest permutation p-value, times the size of the family, is below the level.
fn fewest_runs(family: usize) -> Option<usize> {
    let mut splits = 1.0;
    (1..=20_u32).find_map(|runs| {
        let n = f64::from(runs);
        // C(2n, n) from C(2n − 2, n − 1).
        splits *= 2.0 * (2.0 * n - 1.0) / n;
        (family as f64 * 2.0 / splits < ALPHA).then_some(runs as usize)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Scale;
    use benchhost_stats::Direction;

    fn judged(metric: &str, p: f64, word: Word) -> Judged {
        let row = Row {
            metric: metric.into(),
            unit: String::new(),
            direction: Direction::LowerIsBetter,
            gates: false,
            base: Some(1.0),
            new: Some(1.0),
            scale: Scale::Relative,
            change: Some(crate::row::Change { estimate: 0.1, interval: Some((0.05, 0.15)) }),
            margin: 0.02,
            runs: (5, 5),
            basis: None,
            p: Some(p),
            adjusted: None,
            word,
            note: String::new(),
        };
        Judged { row, resolved: true }
    }

    fn family(p: f64) -> Vec<Row> {
        let rows = vec![
            judged("out_tok_s", 0.9, Word::Equivalent),
            judged("e2e_p50", 0.03, Word::Regressed),
            judged("tpot_p50", p, Word::Regressed),
            judged("ttft_p50", 0.8, Word::Equivalent),
            judged("error_rate", 1.0, Word::Equivalent),
        ];
        gate(rows, LoadPoint::Concurrency(8), &[])
    }

    #[test]
    fn a_gating_verdict_needs_the_adjusted_p_on_both_sides_of_the_limit() {
        for (p, word) in [(0.0124, Word::Regressed), (0.0126, Word::Inconclusive)] {
            let rows = family(p);
            let row = rows.iter().find(|r| r.metric == "tpot_p50").unwrap();
            assert!(row.gates && (row.adjusted.unwrap() - 4.0 * p).abs() < 1e-12, "{row:?}");
            assert_eq!(row.word, word, "{p}");
        }
        let rows = family(0.01);
        let info = rows.iter().find(|r| r.metric == "e2e_p50").unwrap();
        assert!(!info.gates && info.adjusted == Some(0.03) && info.word == Word::Regressed);
        assert_eq!(rows.iter().position(|r| !r.gates), Some(4), "gating rows come first");
    }

    #[test]
    fn named_figures_gate_instead_and_an_unresolved_tail_does_not() {
        let rows = vec![judged("ttft_p99", 0.01, Word::Regressed), judged("ttft_p50", 0.9, Word::Equivalent)];
        let gating = |rows: Vec<Judged>, wanted: &[String]| -> Vec<String> {
            let rows = gate(rows, LoadPoint::Rate(1.0), wanted);
            rows.into_iter().filter(|r| r.gates).map(|r| r.metric).collect()
        };
        assert_eq!(gating(rows, &["ttft_p99".into()]), ["ttft_p99"]);
        let closed = |resolved| {
            let mut tail = judged("ttft_p99", 0.01, Word::Regressed);
            tail.resolved = resolved;
            gate(vec![tail, judged("ttft_p50", 0.9, Word::Equivalent)], LoadPoint::Concurrency(1), &[])
        };
        assert!(closed(true).iter().any(|r| r.gates && r.metric == "ttft_p99"));
        assert!(closed(false).iter().any(|r| r.gates && r.metric == "ttft_p50"));
    }

    #[test]
    fn four_figures_need_five_runs() {
        assert_eq!((fewest_runs(1), fewest_runs(4), fewest_runs(7)), (Some(4), Some(5), Some(6)));
    }
}
