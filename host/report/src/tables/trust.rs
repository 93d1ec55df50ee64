//! The lines under a table that say how far its figures can be relied on: the program's own error, what it did wrong, and
//! whether the load had settled. Every line fits a terminal. Judges nothing; the row says it all.

use benchhost_model::{HarnessBound, LoadPoint, Steadiness, SummaryRow, Verdict};

use super::grid::{TABLE_WIDTH, TableStyle, escaped};
use super::summary::Group;
use crate::lines::{clean, wrap};
use crate::numbers;
use crate::series::distinct;

/// The lines of a group, in the order of what matters most; none where nothing is to be said.
pub(super) fn trust(style: TableStyle, group: &Group<'_>) -> Option<String> {
    let rows = group.rows();
    let mut lines = verdicts(rows);
    lines.extend(steadiness(rows));
    lines.extend(said(rows, |row| row.warnings.clone()));
    lines.extend(below_resolution(rows));
    lines.extend(bounds(rows));
    let shown = lines.into_iter().map(|line| match style {
        TableStyle::Plain => wrap(&line, TABLE_WIDTH, 2).join("\n"),
        TableStyle::Markdown => escaped(&line) + "  ",
    });
    let text = shown.collect::<Vec<_>>().join("\n").trim_end().to_owned();
    (!text.is_empty()).then_some(text)
}

/// One line for each load point and limit that it passed.
fn verdicts(rows: &[&SummaryRow]) -> Vec<String> {
    let of = |verdict: Verdict| {
        said(rows, move |row| {
            let reasons = row.reasons.iter().filter(|reason| reason.verdict == verdict);
            reasons.map(|reason| format!("{verdict} — {}", reason.text)).collect()
        })
    };
    of(Verdict::Invalid).into_iter().chain(of(Verdict::Suspect)).collect()
}

fn steadiness(rows: &[&SummaryRow]) -> Vec<String> {
    let mut lines = said(rows, |row| match row.steady.verdict {
        Steadiness::Saturated => {
            vec![format!("saturated — {}; no steady state, so no latency", row.steady.why)]
        }
        Steadiness::NotStationary => vec![format!("not steady — {}", row.steady.why)],
        Steadiness::Steady | Steadiness::NotShown => Vec::new(),
    });
    let short = |row: &&&SummaryRow| row.steady.verdict == Steadiness::NotShown && row.counts.completed > 0;
    let short: Vec<&SummaryRow> = rows.iter().filter(short).copied().collect();
    if let Some(first) = short.first() {
        let why =
            if short.len() == 1 { clean(&first.steady.why) } else { "too few requests or too short".into() };
        let loads =
            if short.len() == rows.len() { String::new() } else { format!(" at {}", loads_of(&short, rows)) };
        lines.push(format!("steady state not shown{loads}: {why}"));
    }
    lines
}

/// Sentences of rows, each said once with the loads it is true of. Those of repeats of one load that differ in numbers
/// only are folded into the one of the first repeat.
fn said(rows: &[&SummaryRow], of: impl Fn(&SummaryRow) -> Vec<String>) -> Vec<String> {
    let mut folded: Vec<(String, LoadPoint, Vec<&SummaryRow>, bool)> = Vec::new();
    for row in rows {
        for sentence in of(row) {
            let alike = |(said, load, ..): &&mut (String, LoadPoint, Vec<&SummaryRow>, bool)| {
                *load == row.load && without_numbers(said) == without_numbers(&sentence)
            };
            match folded.iter_mut().find(alike) {
                Some((said, _, of, differ)) => {
                    *differ |= *said != sentence;
                    of.push(row);
                }
                None => folded.push((sentence, row.load, vec![row], false)),
            }
        }
    }
    let mut all: Vec<(String, Vec<&SummaryRow>)> = Vec::new();
    for (mut sentence, _, of, differ) in folded {
        if differ {
            sentence = format!("{sentence} (the first of {} alike)", of.len());
        }
        match all.iter_mut().find(|(said, _)| *said == sentence) {
            Some((_, rows)) => rows.extend(of),
            None => all.push((sentence, of)),
        }
    }
    all.into_iter().map(|(sentence, of)| format!("{}: {}", loads_of(&of, rows), clean(&sentence))).collect()
}

/// `sentence` with every number as `#`.
fn without_numbers(sentence: &str) -> String {
    let mut kept = String::with_capacity(sentence.len());
    for c in sentence.chars() {
        let number = c.is_ascii_digit() || (matches!(c, '.' | ',') && kept.ends_with('#'));
        if !number {
            kept.push(c);
        } else if !kept.ends_with('#') {
            kept.push('#');
        }
    }
    kept
}

/// `concurrency=1, 8 (repeats 2, 3)`: the loads of `rows`, with the repeats where not all of those in `all` are meant.
fn loads_of(rows: &[&SummaryRow], all: &[&SummaryRow]) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut before: Option<LoadPoint> = None;
    for load in distinct(rows, |r| r.load) {
        let value = numbers::exact(load.value());
        let repeats: Vec<u32> = rows.iter().filter(|r| r.load == load).map(|r| r.repeat).collect();
        let whole = all.iter().filter(|r| r.load == load).count() == repeats.len();
        let which = repeats.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
        let repeat = match repeats.len() {
            _ if whole => String::new(),
            1 => format!(" (repeat {which})"),
            _ => format!(" (repeats {which})"),
        };
        let kind = before.is_none_or(|load_before| load_before.kind() != load.kind());
        before = Some(load);
        words.push(if kind {
            format!("{}={value}{repeat}", load.kind())
        } else {
            format!("{value}{repeat}")
        });
    }
    words.join(", ")
}

/// A bound of a row.
type Bound = fn(&SummaryRow) -> Option<&HarnessBound>;

/// The latencies of the table, and the bound of each.
const SHOWN: [(&str, Bound); 4] = [
    ("TTFT", |r| r.harness.ttft.as_ref()),
    ("TPOT", |r| r.harness.tpot.as_ref()),
    ("ITL", |r| r.harness.itl.as_ref()),
    ("e2e", |r| r.harness.e2e.as_ref()),
];

/// Figures of the table that are too small for their bound, with the loads at which any repeat is.
fn below_resolution(rows: &[&SummaryRow]) -> Vec<String> {
    let parts = shown(rows).filter_map(|(name, bound)| {
        let below = |r: &&&SummaryRow| bound(r).is_some_and(|b| !b.below_resolution.is_empty());
        let small: Vec<&SummaryRow> = rows.iter().filter(below).copied().collect();
        let bounds: Vec<&HarnessBound> = small.iter().filter_map(|r| bound(r)).collect();
        let largest = bounds.iter().map(|b| b.ms).max_by(f64::total_cmp)?;
        let mut statistics: Vec<&str> =
            bounds.iter().flat_map(|b| &b.below_resolution).map(String::as_str).collect();
        statistics.sort_unstable();
        statistics.dedup();
        let at = loads_of(&small, rows);
        Some(format!("{name} {} at {at} (harness ≤ {} ms)", statistics.join(", "), numbers::figure(largest)))
    });
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() { Vec::new() } else { vec![format!("below resolution — {}", parts.join("; "))] }
}

/// The latencies of the table: ITL stands in it only where TPOT does not.
fn shown(rows: &[&SummaryRow]) -> impl Iterator<Item = (&'static str, Bound)> {
    let tpot = rows.iter().any(|r| r.tpot.p50.is_some());
    SHOWN.into_iter().filter(move |(name, _)| !(tpot && *name == "ITL"))
}

/// `harness error ≤ TPOT 0.004 ms · e2e 0.1 ms`: the largest of the loads above. That of TTFT has a column.
fn bounds(rows: &[&SummaryRow]) -> Option<String> {
    let largest = |bound: &Bound| rows.iter().filter_map(|r| bound(r)).map(|b| b.ms).max_by(f64::total_cmp);
    let beside = rows.iter().any(|r| r.harness.ttft.is_some());
    let known = shown(rows)
        .filter(|(name, _)| *name != "TTFT")
        .filter_map(|(name, bound)| Some((name, largest(&bound)?)));
    let known: Vec<String> = known.map(|(name, ms)| format!("{name} {} ms", numbers::figure(ms))).collect();
    if !known.is_empty() {
        return Some(format!("harness error ≤ {}", known.join(" · ")));
    }
    let judged = rows.iter().any(|r| r.verdict.is_some() && r.counts.completed > 0);
    (judged && !beside).then(|| "harness error not known: no kernel stamps, no selfcheck".to_owned())
}

#[cfg(test)]
mod tests {
    use benchhost_model::{BoundTerm, HarnessError, LoadPoint, Reason, SteadyState};

    use super::*;
    use crate::fixtures::row;
    use crate::tables::summary_table;

    fn bounded(ms: f64, below: &[&str]) -> HarnessBound {
        HarnessBound {
            ms,
            terms: vec![BoundTerm { term: "selfcheck_p99".into(), ms }],
            below_resolution: below.iter().map(|s| (*s).to_owned()).collect(),
        }
    }

    fn reason(verdict: Verdict, text: &str) -> Reason {
        Reason { rule: "rule".into(), verdict, found: None, limit: None, text: text.into() }
    }

    #[test]
    fn what_cannot_be_relied_on_is_said_under_the_table() {
        let good = row("vllm", "fp16", 1);
        let mut bad = row("vllm", "fp16", 512);
        bad.harness = HarnessError { ttft: Some(bounded(31.2, &["p50", "p99"])), ..HarnessError::default() };
        bad.verdict = Some(Verdict::Invalid);
        bad.reasons = vec![
            reason(
                Verdict::Invalid,
                "output events whose time is not known because the program read late: 2.3 %, limit 1 %; use more I/O threads",
            ),
            reason(
                Verdict::Suspect,
                "CPU use of the busiest I/O thread, p99 of 100 ms bins: 91 %, limit 80 %; use more I/O threads",
            ),
        ];
        bad.steady = SteadyState {
            verdict: Steadiness::NotStationary,
            why: "time to first token still changed in the second half of the window, by 40 % over it".into(),
            ..SteadyState::default()
        };
        bad.warnings = vec![
            "7.80 requests in flight on average, 8.90 by Little's law: the window is not stationary".into(),
        ];
        insta::assert_snapshot!(summary_table(&[good, bad], TableStyle::Plain), @"
        vllm · fp16 · empathetic
                      requests                TTFT ms  TTFT ms  harness  TPOT ms  e2e ms
        concurrency  ok/failed  req/s  tok/s      p50      p99     ≤ ms      p50     p50
        ────────────────────────────────────────────────────────────────────────────────
                  1      100/0   2.40    154     22.0     48.4   0.0600     6.29     416
                512      100/0  87.3   5,585  1,044    2,297    31.2       92.8    5,867
        200 scheduled: 200 completed
        concurrency=512: INVALID — output events whose time is not known because the
          program read late: 2.3 %, limit 1 %; use more I/O threads
        concurrency=512: SUSPECT — CPU use of the busiest I/O thread, p99 of 100 ms
          bins: 91 %, limit 80 %; use more I/O threads
        concurrency=512: not steady — time to first token still changed in the second
          half of the window, by 40 % over it
        concurrency=512: 7.80 requests in flight on average, 8.90 by Little's law: the
          window is not stationary
        below resolution — TTFT p50, p99 at concurrency=512 (harness ≤ 31.2 ms)
        harness error ≤ TPOT 0.00400 ms · e2e 0.110 ms

        harness ≤: how far this program may have bent TTFT, at most.
        TTFT: send to first output · TPOT: time per later token · e2e: send to last
        ");
    }

    #[test]
    fn a_saturated_load_has_rates_and_dashes_that_say_why() {
        let mut above = row("vllm", "fp16", 1);
        above.load = LoadPoint::Rate(50.0);
        above.steady = SteadyState {
            verdict: Steadiness::Saturated,
            why: "requests due and not yet answered grow by 12 % of their mean in each tenth of the window"
                .into(),
            ..SteadyState::default()
        };
        let nothing = benchhost_model::Distribution::default();
        (above.ttft, above.tpot, above.itl, above.e2e) = (nothing, nothing, nothing, nothing);
        above.harness = HarnessError::default();
        let mut below = row("vllm", "fp16", 1);
        below.harness = HarnessError::default();
        below.load = LoadPoint::Rate(2.0);
        below.steady = SteadyState {
            why: "40 first tokens were measured, 50 are needed to see a change".into(),
            ..SteadyState::default()
        };
        insta::assert_snapshot!(summary_table(&[below, above], TableStyle::Plain), @"
        vllm · fp16 · empathetic
                 requests                TTFT ms  TTFT ms  TPOT ms  e2e ms
        rate/s  ok/failed  req/s  tok/s      p50      p99      p50     p50
        ──────────────────────────────────────────────────────────────────
             2      100/0   2.40    154     22.0     48.4     6.29    416
            50      100/0   2.40    154       –        –       –         –
        200 scheduled: 200 completed
        rate=50: saturated — requests due and not yet answered grow by 12 % of their
          mean in each tenth of the window; no steady state, so no latency
        steady state not shown at rate=2: 40 first tokens were measured, 50 are needed
          to see a change
        harness error not known: no kernel stamps, no selfcheck

        TTFT: send to first output · TPOT: time per later token · e2e: send to last
        ");
    }

    #[test]
    fn the_same_sentence_is_said_once() {
        let warned = |n: u32, repeat: u32| SummaryRow {
            repeat,
            warnings: vec!["the same".into()],
            ..row("vllm", "fp16", n)
        };
        let rows = [warned(1, 1), warned(8, 1), warned(8, 2)];
        let rows: Vec<&SummaryRow> = rows.iter().collect();
        assert_eq!(said(&rows, |r| r.warnings.clone()), ["concurrency=1, 8: the same"]);
    }

    #[test]
    fn sentences_of_repeats_that_differ_in_numbers_are_one_line() {
        let doubted = |n: u32, repeat: u32, text: &str| SummaryRow {
            repeat,
            reasons: if text.is_empty() { Vec::new() } else { vec![reason(Verdict::Suspect, text)] },
            ..row("vllm", "fp16", n)
        };
        let rows = [
            doubted(8, 1, "CPU use 91 %, limit 80 %"),
            doubted(8, 2, "CPU use 88.25 %, limit 80 %"),
            doubted(8, 3, ""),
            doubted(16, 1, "CPU use 93 %, limit 80 %"),
        ];
        let rows: Vec<&SummaryRow> = rows.iter().collect();
        assert_eq!(
            verdicts(&rows),
            [
                "concurrency=8 (repeats 1, 2): SUSPECT — CPU use 91 %, limit 80 % (the first of 2 alike)",
                "concurrency=16: SUSPECT — CPU use 93 %, limit 80 %",
            ]
        );
    }
}
