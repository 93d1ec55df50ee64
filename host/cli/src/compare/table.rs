//! A decision in the form that the report prints: words for words, nothing added.

use benchhost_compare::{Decision, Detail, LatencyDetail, Prompts, Ranking, Row, Scale, Word};
use benchhost_report::{
    Banded, ChangeFigure, ChangeScale, ComparedGroup, ComparedRow, ComparisonTable, DetailLatency,
    PromptChanges, PromptRow, RankPlace, RankTable, ShiftRow, Side, Tone,
};
use benchhost_stats::{Basis, Direction, Interval, ShiftPoint};

/// Figures by which results are ranked on paper; all of them are in the JSON of each comparison.
const RANKED: [&str; 4] = ["out_tok_s", "ttft_p50", "ttft_p99", "tpot_p50"];

/// The form of a decision. The exit code is filled in by the command.
pub(super) fn table(decision: &Decision, base: &str, new: &str) -> ComparisonTable {
    let side = |label: &str, simulated, runs| Side { label: label.to_owned(), simulated, runs: count(runs) };
    let groups = decision.groups.iter().map(|g| ComparedGroup {
        heading: g.heading.clone(),
        place: Some((g.workload.clone(), g.load)),
        rows: g.rows.iter().map(row).collect(),
        detail: g.detail.as_ref().map(detail),
    });
    let mut notes = Vec::new();
    if decision.simulated.0 || decision.simulated.1 {
        let who = match decision.simulated {
            (true, true) => "both sides were",
            (true, false) => "the base side was",
            _ => "the new side was",
        };
        notes.push(format!("SIMULATED: {who} answered by the built-in simulator, not by a real server"));
    }
    notes.extend(decision.notes.iter().cloned());
    ComparisonTable {
        sentence: decision.sentence.clone(),
        exit_code: 0,
        work: decision.work.clone(),
        base: side(base, decision.simulated.0, decision.runs.0),
        new: side(new, decision.simulated.1, decision.runs.1),
        groups: groups.collect(),
        differences: decision.differences.iter().map(ToString::to_string).collect(),
        unchecked: decision.unchecked.clone(),
        health: decision.health.clone(),
        notes,
    }
}

fn detail(detail: &Detail) -> benchhost_report::Detail {
    benchhost_report::Detail {
        latencies: detail.latencies.iter().map(latency).collect(),
        gaps: detail.gaps.clone(),
    }
}

fn latency(latency: &LatencyDetail) -> DetailLatency {
    let none = &latency.prompts.why_none;
    DetailLatency {
        metric: latency.metric.to_owned(),
        unit: "ms".to_owned(),
        shift: latency.shift.iter().map(shift).collect(),
        shift_note: latency.shift_note.clone(),
        prompts: none.is_empty().then(|| prompts(&latency.prompts)),
        prompts_note: none.clone(),
        curves: latency.curves.clone(),
    }
}

fn shift(point: &ShiftPoint) -> ShiftRow {
    let banded = |(estimate, band): (f64, Interval)| -> Banded { (estimate, band.low, band.high) };
    ShiftRow {
        quantile: point.quantile.get(),
        base: point.base,
        new: point.candidate,
        difference: banded(point.difference),
        relative: point.relative.map(banded),
    }
}

fn prompts(found: &Prompts) -> PromptChanges {
    let worst = found.worst.iter().map(|p| PromptRow {
        item: p.item.clone(),
        turn: p.turn,
        base: p.base,
        new: p.new,
        change: p.change,
    });
    PromptChanges {
        pairs: found.pairs as u64,
        slower: found.slower as u64,
        faster: found.faster as u64,
        margin: found.margin,
        change: found.change,
        interval: found.interval,
        p: found.p,
        worst: worst.collect(),
        changes: found.changes.clone(),
    }
}

/// The form of a row.
pub(super) fn row(row: &Row) -> ComparedRow {
    let note = match &row.word {
        Word::Missing(why) | Word::NotJudged(why) => why.clone(),
        _ => row.note.clone(),
    };
    ComparedRow {
        metric: row.metric.clone(),
        unit: row.unit.clone(),
        higher_is_better: row.direction == Direction::HigherIsBetter,
        gates: row.gates,
        base: row.base,
        new: row.new,
        scale: match row.scale {
            Scale::Relative => ChangeScale::Relative,
            Scale::Points => ChangeScale::Points,
            Scale::Own => ChangeScale::Own,
        },
        change: row.change.map(|c| ChangeFigure { estimate: c.estimate, interval: c.interval }),
        margin: row.margin,
        runs: (count(row.runs.0), count(row.runs.1)),
        basis: match row.basis {
            Some(Basis::PairedBlocks) => "in pairs",
            Some(Basis::WithinRun) => "by the requests inside",
            Some(Basis::RunsAndValues) => "by runs and requests",
            Some(Basis::BetweenRuns) | None => "",
        }
        .to_owned(),
        p: row.p,
        adjusted: row.adjusted,
        verdict: row.word.as_str().to_owned(),
        tone: tone(&row.word),
        note,
    }
}

const fn tone(word: &Word) -> Tone {
    match word {
        Word::Regressed | Word::IndicativeWorse => Tone::Bad,
        Word::Improved | Word::IndicativeBetter => Tone::Good,
        Word::Equivalent | Word::Drift | Word::IndicativeSame | Word::NotJudged(_) => Tone::Calm,
        Word::Inconclusive | Word::IndicativeOpen | Word::BelowResolution | Word::Missing(_) => Tone::Open,
    }
}

fn count(runs: usize) -> u32 {
    u32::try_from(runs).unwrap_or(u32::MAX)
}

/// The order of several results.
pub(super) fn rankings(rankings: &[Ranking], labels: &[String]) -> Vec<RankTable> {
    let wanted = rankings.iter().filter(|r| RANKED.contains(&r.metric.as_str()));
    wanted
        .map(|ranking| RankTable {
            heading: format!("{} · {}", ranking.heading, ranking.metric),
            unit: ranking.unit.clone(),
            higher_is_better: ranking.direction == Direction::HigherIsBetter,
            places: ranking
                .places
                .iter()
                .map(|p| RankPlace {
                    label: labels.get(p.side).cloned().unwrap_or_default(),
                    centre: p.centre,
                    interval: p.interval,
                    ranks: (count(p.ranks.0), count(p.ranks.1)),
                })
                .collect(),
        })
        .collect()
}
