//! Each metric of one group: one value a run where there are several runs, the values inside the run where there is one.

use benchhost_model::{Outcome, Record};
use benchhost_report::{ComparedRow, Word};
use benchhost_stats::{
    Bootstrap, Comparison, Confidence, Direction, Margin, Proportion, Quantile, Rule, Series, Statistic, Verdict, compare,
    compare_raw, newcombe_difference,
};

use super::sides::Group;
use crate::error::{CliError, CliResult};

/// Seed of the bootstrap: two calls on the same files print the same intervals.
const SEED: u64 = 0x00C0_FFEE;

/// A latency of one request.
struct Latency {
    name: &'static str,
    of: fn(&Record) -> Option<f64>,
}

const LATENCIES: [Latency; 4] = [
    Latency { name: "ttft p50", of: |r| r.ttft_ms },
    Latency { name: "itl mean p50", of: |r| r.itl_mean_ms },
    Latency { name: "tpot p50", of: |r| r.tpot_ms },
    Latency { name: "e2e p50", of: |r| r.e2e_ms },
];

/// All rows of the group's table.
pub(super) fn rows(group: &Group<'_>, margin: f64, notes: &mut Vec<String>) -> CliResult<Vec<ComparedRow>> {
    let margin = Margin::relative(margin).map_err(|e| CliError::usage("`--margin`").because(e))?;
    let mut rows = Vec::new();
    for latency in &LATENCIES {
        rows.push(latency_row(group, latency, margin));
    }
    rows.push(rate_row(group, "requests", "req/s", margin, |_| Some(1.0)));
    rows.push(rate_row(group, "output tokens", "tok/s", margin, |r| r.output_tokens.map(f64::from)));
    rows.push(error_row(group));
    rows.extend(score_rows(group, margin));
    note_failures(group, notes);
    Ok(rows)
}

fn latency_row(group: &Group<'_>, latency: &Latency, margin: Margin) -> ComparedRow {
    let rule = Rule::new(Direction::LowerIsBetter, margin);
    let values = |side: &[Vec<&Record>]| -> Vec<Series> {
        side.iter().filter_map(|run| in_time_order(run, latency.of)).collect()
    };
    let (base, new) = (values(&group.base), values(&group.new));
    let missing = |side: &[Series], all: usize| side.len() < all || side.is_empty();
    if missing(&base, group.base.len()) || missing(&new, group.new.len()) {
        return missing_row(latency.name, "ms", false, "not every run has this figure");
    }
    let compared = if base.len() > 1 && new.len() > 1 {
        let medians = |side: &[Series]| Series::new(side.iter().map(|s| s.to_sample().type7(Quantile::P50)).collect());
        match (medians(&base), medians(&new)) {
            (Ok(base), Ok(new)) => compare(&base, &new, &rule),
            _ => return missing_row(latency.name, "ms", false, "a run's median is not a number"),
        }
    } else {
        compare_raw(&base, &new, Statistic::HarrellDavis(Quantile::P50), &rule, &Bootstrap::new(SEED))
    };
    match compared {
        Ok(comparison) => row(latency.name, "ms", false, &comparison),
        Err(why) => missing_row(latency.name, "ms", false, &why.to_string()),
    }
}

/// Completed requests' values by send time, so that resampling can respect their correlation.
fn in_time_order(run: &[&Record], of: fn(&Record) -> Option<f64>) -> Option<Series> {
    let mut rows: Vec<_> = run.iter().filter(|r| r.outcome == Outcome::Completed).collect();
    rows.sort_by_key(|r| r.t_send_ns);
    Series::new(rows.iter().filter_map(|r| of(r)).collect()).ok()
}

fn rate_row(
    group: &Group<'_>,
    name: &'static str,
    unit: &'static str,
    margin: Margin,
    weight: fn(&Record) -> Option<f64>,
) -> ComparedRow {
    let rates = |side: &[Vec<&Record>]| -> Option<Vec<f64>> { side.iter().map(|run| rate(run, weight)).collect() };
    let (Some(base), Some(new)) = (rates(&group.base), rates(&group.new)) else {
        return missing_row(name, unit, true, "not every run has this figure");
    };
    let rule = Rule::new(Direction::HigherIsBetter, margin);
    match (Series::new(base), Series::new(new)) {
        (Ok(base), Ok(new)) => match compare(&base, &new, &rule) {
            Ok(comparison) => row(name, unit, true, &comparison),
            Err(why) => missing_row(name, unit, true, &why.to_string()),
        },
        _ => missing_row(name, unit, true, "no run"),
    }
}

/// Over the makespan: first send to last output event of completed requests.
fn rate(run: &[&Record], weight: fn(&Record) -> Option<f64>) -> Option<f64> {
    let done: Vec<_> = run.iter().filter(|r| r.outcome == Outcome::Completed).collect();
    let from = done.iter().filter_map(|r| r.t_send_ns).min()?;
    let to = done.iter().filter_map(|r| r.t_last_ns).max()?;
    let seconds = (to - from).as_secs();
    let total: f64 = done.iter().map(|r| weight(r)).sum::<Option<f64>>()?;
    (seconds > 0.0).then(|| total / seconds)
}

fn error_row(group: &Group<'_>) -> ComparedRow {
    let share = |side: &[Vec<&Record>]| {
        let total = side.iter().flatten().count() as u64;
        let bad = side.iter().flatten().filter(|r| r.outcome != Outcome::Completed).count() as u64;
        Proportion::new(bad, total).ok()
    };
    let (Some(base), Some(new)) = (share(&group.base), share(&group.new)) else {
        return missing_row("not completed", "%", false, "no requests");
    };
    let interval = newcombe_difference(base, new, Confidence::P90);
    // In points of percent; a difference is told only when the interval excludes none.
    let verdict = if interval.low > 0.0 {
        Word::Worse
    } else if interval.high < 0.0 {
        Word::Better
    } else if interval.high - interval.low < 0.1 {
        Word::Same
    } else {
        Word::Unclear
    };
    ComparedRow {
        metric: "not completed".into(),
        unit: "%".into(),
        higher_is_better: false,
        base: Some(base.estimate() * 100.0),
        new: Some(new.estimate() * 100.0),
        relative: None,
        interval: None,
        verdict: one_run_at_most_indicates(group, verdict),
    }
}

fn one_run_at_most_indicates(group: &Group<'_>, verdict: Word) -> Word {
    if group.base.len() > 1 && group.new.len() > 1 {
        return verdict;
    }
    match verdict {
        Word::Worse => Word::IndicativeWorse,
        Word::Better => Word::IndicativeBetter,
        other => other,
    }
}

fn score_rows(group: &Group<'_>, margin: Margin) -> Vec<ComparedRow> {
    let mut names: Vec<&String> = group.base.iter().chain(&group.new).flatten().flat_map(|r| r.scores.keys()).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .map(|name| {
            let mean = |side: &[Vec<&Record>]| -> Option<Vec<f64>> {
                side.iter()
                    .map(|run| {
                        let values: Vec<f64> = run.iter().filter_map(|r| r.scores.get(name)).copied().collect();
                        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
                    })
                    .collect()
            };
            let label = format!("score {name}");
            let (Some(base), Some(new)) = (mean(&group.base), mean(&group.new)) else {
                return missing_row(&label, "", true, "not every run has this score");
            };
            // Scores may be 0, so they are judged by their difference.
            let rule = Margin::absolute(0.05).map_or_else(|_| {
                Rule::new(Direction::HigherIsBetter, margin)
            }, |m| Rule::new(Direction::HigherIsBetter, m));
            match (Series::new(base), Series::new(new)) {
                (Ok(base), Ok(new)) => match compare(&base, &new, &rule) {
                    Ok(comparison) => row(&label, "", true, &comparison),
                    Err(why) => missing_row(&label, "", true, &why.to_string()),
                },
                _ => missing_row(&label, "", true, "no run"),
            }
        })
        .collect()
}

fn row(metric: &str, unit: &str, higher_is_better: bool, comparison: &Comparison) -> ComparedRow {
    let relative = comparison.relative;
    ComparedRow {
        metric: metric.to_owned(),
        unit: unit.to_owned(),
        higher_is_better,
        base: Some(comparison.base),
        new: Some(comparison.candidate),
        relative: relative.map(|e| e.estimate),
        interval: relative.and_then(|e| e.interval.ok()).map(|i| (i.low, i.high)),
        verdict: word(comparison, higher_is_better),
    }
}

fn word(comparison: &Comparison, higher_is_better: bool) -> Word {
    match comparison.verdict {
        Verdict::Regressed => Word::Worse,
        Verdict::Improved => Word::Better,
        Verdict::Equivalent => Word::Same,
        Verdict::Inconclusive => Word::Unclear,
        Verdict::Indicative => {
            // Without an interval that excludes no change, not even a direction is indicated.
            let effect = comparison.relative.unwrap_or(comparison.absolute);
            if !effect.excludes_zero() {
                Word::Unclear
            } else if (effect.estimate > 0.0) == higher_is_better {
                Word::IndicativeBetter
            } else {
                Word::IndicativeWorse
            }
        }
    }
}

fn missing_row(metric: &str, unit: &str, higher_is_better: bool, why: &str) -> ComparedRow {
    ComparedRow {
        metric: metric.to_owned(),
        unit: unit.to_owned(),
        higher_is_better,
        base: None,
        new: None,
        relative: None,
        interval: None,
        verdict: Word::Missing(why.to_owned()),
    }
}

fn note_failures(group: &Group<'_>, notes: &mut Vec<String>) {
    for (side, runs) in [("base", &group.base), ("new", &group.new)] {
        let lost = runs.iter().flatten().filter(|r| r.outcome != Outcome::Completed).count() as u64;
        if lost > 0 {
            notes.push(format!("{}: {lost} requests of the {side} did not complete; latencies are of those that did", group.heading()));
        }
    }
}
