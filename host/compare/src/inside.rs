//! What the requests inside runs tell where there are too few runs: blocks of neighbours are drawn again, for percentiles,
//! rates and scores. Whatever comes of it is at most an indication. Knows one pair.

use benchhost_stats::{
    Bootstrap, Confidence, Margin, Rule, RunTable, Sample, Series, Statistic, Wanted, compare_raw,
    compare_tables, mean_interval,
};

use crate::gather::{Group, Run};
use crate::judge::{Judged, told};
use crate::metric::Latency;
use crate::pair::Pair;
use crate::request::Column;
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
pub(crate) fn latencies(
    pair: &Pair<'_>,
    rows: &mut [Judged],
    wanted: &[(usize, Latency, Option<Rule>)],
    strict: bool,
) {
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
                    Ok(comparison) => *row = told(row.clone(), &comparison, strict),
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

/// What was done in each stretch from the first send to the last output event of completed requests, a second.
///
/// What a request gave is spread evenly over the time in which it gave it: its tokens from the first output event to the
/// last, itself from its sending. Booked at its end, whole requests would fall on this or that side of an edge, and the
/// stretches would differ by far more than their sum does.
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
        let amount = if tokens { f64::from(request.output?) } else { 1.0 };
        let wait_ns = request.latency(Column::Ttft).filter(|_| tokens).map_or(0.0, |ms| ms * 1e6);
        let place = |since: u64| since.saturating_sub(from) as f64 / width;
        let end = place(request.last);
        spread(&mut sums, (place(request.sent) + wait_ns / width).min(end), end, amount);
    }
    let seconds = width / 1e9;
    Series::new(sums.into_iter().map(|sum| sum / seconds).collect()).ok()
}

/// Adds an amount evenly to the stretches between two places, counted in stretches.
fn spread(sums: &mut [f64], start: f64, end: f64, amount: f64) {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place among the stretches, not below 0"
    )]
    let at = |place: f64| (place as usize).min(sums.len() - 1);
    let (first, last) = (at(start), at(end));
    if first == last {
        sums[first] += amount;
        return;
    }
    for (stretch, sum) in sums.iter_mut().enumerate().take(last + 1).skip(first) {
        let inside = (stretch as f64 + 1.0).min(end) - (stretch as f64).max(start);
        *sum += amount * inside.max(0.0) / (end - start);
    }
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

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn an_amount_is_spread_evenly_and_none_of_it_is_lost() {
        let spread_over = |start: f64, end: f64| {
            let mut sums = [0.0; 4];
            spread(&mut sums, start, end, 8.0);
            sums
        };
        let near = |start: f64, end: f64, want: [f64; 4]| {
            let off = spread_over(start, end).into_iter().zip(want).map(|(have, want)| (have - want).abs());
            assert!(off.fold(0.0, f64::max) < 1e-12, "{start} {end}");
        };
        near(0.0, 4.0, [2.0; 4]);
        near(0.5, 2.5, [2.0, 4.0, 2.0, 0.0]);
        near(1.2, 1.2, [0.0, 8.0, 0.0, 0.0]);
        near(4.0, 4.0, [0.0, 0.0, 0.0, 8.0]);
        for (start, end) in [(0.1, 3.9), (2.9, 4.0), (0.0, 0.3)] {
            assert!((spread_over(start, end).iter().sum::<f64>() - 8.0).abs() < 1e-12);
        }
    }
}
