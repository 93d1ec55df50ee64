//! What the requests inside runs tell where there are too few runs: blocks of neighbours are drawn again, for percentiles,
//! rates and scores. Whatever comes of it is at most an indication. Knows one pair.

use benchhost_stats::{
    Bootstrap, Confidence, Margin, Rule, RunTable, Sample, Series, Statistic, Wanted, compare_raw,
    compare_tables, mean_interval,
};

use crate::gather::{Column, Group, Run};
use crate::judge::{Judged, told};
use crate::metric::Latency;
use crate::pair::Pair;
use crate::row::{Row, Word};

/// Seed of every bootstrap: two calls on the same files print the same intervals.
const SEED: u64 = 0x00C0_FFEE;
/// Resamples.
const DRAWS: u32 = 2000;
/// Resamples where there are many requests: 25 lie beyond either end of an interval.
const FEWER_DRAWS: u32 = 500;
/// Requests of both sides that are many: each resample then takes milliseconds.
const MANY: usize = 200_000;
/// Stretches of time that a rate is cut into.
const MOST_BINS: usize = 100;
/// With fewer there are not enough blocks.
const FEWEST_BINS: usize = 20;
/// Items up to which a mean score is drawn again.
const MOST_DRAWN: usize = 2000;
/// Completed requests a stretch, at least.
const PER_BIN: usize = 4;

/// Percentiles of latencies by the values inside all runs of both sides, resampled together. Each of `wanted` is a row's
/// place, its latency and its rule.
pub(crate) fn latencies(pair: &Pair<'_>, rows: &mut [Judged], wanted: &[(usize, Latency, Option<Rule>)]) {
    if wanted.is_empty() {
        return;
    }
    let (base, new) = (tables(pair, pair.base), tables(pair, pair.new));
    let questions: Vec<Wanted> = wanted
        .iter()
        .filter_map(|(_, latency, rule)| {
            Some(Wanted {
                column: latency.column.index(),
                statistic: Statistic::HarrellDavis(latency.quantile),
                rule: (*rule)?,
            })
        })
        .collect();
    let many = base.iter().chain(&new).map(RunTable::requests).sum::<usize>() > MANY;
    let draws = if many { FEWER_DRAWS } else { DRAWS };
    let answers = compare_tables(&base, &new, &questions, &Bootstrap::new(SEED).with_resamples(draws));
    let places = wanted.iter().filter(|(_, _, rule)| rule.is_some()).map(|(at, ..)| *at);
    match answers {
        Ok(answers) => {
            for (at, answer) in places.zip(answers) {
                let row = &mut rows[at].row;
                match answer {
                    Ok(comparison) => *row = told(row.clone(), &comparison),
                    Err(why) => row.word = Word::Missing(why.to_string()),
                }
                if row.change.is_some_and(|c| c.interval.is_none()) {
                    row.note = "too few independent requests for an interval".into();
                }
            }
        }
        Err(why) => places.for_each(|at| rows[at].row.word = Word::Missing(why.to_string())),
    }
}

/// The latencies of each run in the order of sending.
fn tables(pair: &Pair<'_>, group: &Group) -> Vec<RunTable> {
    let table = |run: &Run| {
        let count = pair.requests(run).count();
        let mut table = RunTable::new(count);
        for column in Column::ALL {
            // Values that no statistic takes count as absent; they cannot come from our own files.
            let cells = || pair.requests(run).map(|r| r.latency(column));
            if table.push(cells()).is_err() {
                let _empty = table.push(cells().map(|_| None));
            }
        }
        table
    };
    group.runs.iter().map(table).collect()
}

/// The interval of a rate: the window is cut into stretches, and blocks of them are drawn again.
pub(crate) fn rate(pair: &Pair<'_>, row: &mut Row, tokens: bool) {
    let bins =
        |group: &Group| group.runs.iter().map(|run| stretches(run, tokens)).collect::<Option<Vec<_>>>();
    let (Some(base), Some(new), Ok(margin)) = (bins(pair.base), bins(pair.new), Margin::absolute(1.0)) else {
        return;
    };
    let rule = Rule::new(row.direction, margin);
    let Ok(compared) = compare_raw(&base, &new, Statistic::Mean, &rule, &Bootstrap::new(SEED)) else {
        return;
    };
    let (Some(change), Ok(interval)) = (&mut row.change, compared.absolute.interval) else { return };
    if compared.base > 0.0 {
        // Around the estimate of the window's own rate.
        let off = change.estimate - compared.absolute.estimate / compared.base;
        change.interval = Some((interval.low / compared.base + off, interval.high / compared.base + off));
        row.basis = Some(compared.basis);
    }
}

/// What ended in each stretch from the first send to the last output event of completed requests, a second.
fn stretches(run: &Run, tokens: bool) -> Option<Series> {
    let done = || run.requests.iter().filter(|r| r.completed && r.last != u64::MAX);
    let (from, until) = (done().map(|r| r.sent).min()?, done().map(|r| r.last).max()?);
    let count = (done().count() / PER_BIN).min(MOST_BINS);
    if count < FEWEST_BINS || until <= from {
        return None;
    }
    let width = (until - from) as f64 / count as f64;
    let mut sums = vec![0.0; count];
    for request in done() {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place among the stretches"
        )]
        let at = ((request.last.saturating_sub(from) as f64 / width) as usize).min(count - 1);
        sums[at] += if tokens { f64::from(request.output?) } else { 1.0 };
    }
    let seconds = width / 1e9;
    Series::new(sums.into_iter().map(|sum| sum / seconds).collect()).ok()
}

/// The interval of a mean score by items, which are the same on both sides and answered independently.
pub(crate) fn score(pair: &Pair<'_>, row: &mut Row, name: &str) {
    let Some(score) = name.strip_prefix("score_") else { return };
    let items = pair.by_item(|run| run.scores.get(score).cloned().unwrap_or_default());
    let Ok(sample) = Sample::new(items.iter().map(|(base, new)| new - base).collect()) else { return };
    // A bootstrap of items takes values times resamples; the mean of so many is normal without it.
    let interval = if sample.len() > MOST_DRAWN {
        mean_interval(&sample, Confidence::P90)
    } else {
        Bootstrap::new(SEED).with_confidence(Confidence::P90).independent(&sample, Statistic::Mean)
    };
    if let (Some(change), Ok(interval)) = (&mut row.change, interval) {
        change.interval = Some((interval.low, interval.high));
        row.note = format!("interval over {} items", sample.len());
    }
}
