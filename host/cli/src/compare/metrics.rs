//! Each metric of one group: one value a run where there are several runs, the values inside the run where there is one.

use benchhost_model::{Outcome, Record};
use benchhost_report::{ComparedRow, Difference, Word};
use benchhost_stats::{
    Bootstrap, Comparison, Confidence, Direction, Effect, Margin, Proportion, Quantile, Rule, Series,
    Statistic, Verdict, compare, compare_raw, newcombe_difference,
};

use super::sides::Group;
use crate::error::{CliError, CliResult};

/// Rows of one side by replicate.
type Side<'a> = [Vec<&'a Record>];

/// Seed of the bootstrap: two calls on the same files print the same intervals.
const SEED: u64 = 0x00C0_FFEE;
/// The smallest change of the share of requests that did not complete which matters, in percentage points.
const ERROR_MARGIN_POINTS: f64 = 1.0;
/// The smallest change of a mean score which matters; scores lie between 0 and 1.
const SCORE_MARGIN: f64 = 0.05;

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

/// All rows of the group's table. `margin` is the relative one, of latencies and rates.
pub(super) fn rows(group: &Group<'_>, margin: f64, notes: &mut Vec<String>) -> CliResult<Vec<ComparedRow>> {
    let margin = Margin::relative(margin).map_err(|e| CliError::usage("`--margin`").because(e))?;
    let constant = |margin: f64| {
        Margin::absolute(margin)
            .map_err(|e| CliError::internal("a margin of this program is wrong").because(e))
    };
    let (of_errors, of_scores) = (constant(ERROR_MARGIN_POINTS)?, constant(SCORE_MARGIN)?);
    let mut rows = Vec::new();
    for latency in &LATENCIES {
        rows.push(latency_row(group, latency, margin));
    }
    rows.push(rate_row(group, "requests", "req/s", margin, |_| Some(1.0)));
    rows.push(rate_row(group, "output tokens", "tok/s", margin, |r| r.output_tokens.map(f64::from)));
    rows.push(error_row(&group.base.shared, &group.new.shared, of_errors));
    rows.extend(score_rows(group, of_scores));
    note_failures(group, notes);
    Ok(rows)
}

fn latency_row(group: &Group<'_>, latency: &Latency, margin: Margin) -> ComparedRow {
    let rule = Rule::new(Direction::LowerIsBetter, margin);
    let values = |side: &Side<'_>| -> Vec<Series> {
        side.iter().filter_map(|run| in_time_order(run, latency.of)).collect()
    };
    let (base, new) = (values(&group.base.shared), values(&group.new.shared));
    let missing = |side: &[Series], all: usize| side.len() < all || side.is_empty();
    if missing(&base, group.base.shared.len()) || missing(&new, group.new.shared.len()) {
        return missing_row(latency.name, "ms", false, "not every run has this figure");
    }
    let compared = if base.len() > 1 && new.len() > 1 {
        let medians =
            |side: &[Series]| Series::new(side.iter().map(|s| s.to_sample().type7(Quantile::P50)).collect());
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
    let rates = |side: &Side<'_>| -> Option<Vec<f64>> { side.iter().map(|run| rate(run, weight)).collect() };
    let (Some(base), Some(new)) = (rates(&group.base.all), rates(&group.new.all)) else {
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

/// The share of requests that did not complete. With several runs a side each run's share is one value, since requests
/// of one run meet the same server in the same state; with one run its requests are all there is.
fn error_row(base: &Side<'_>, new: &Side<'_>, margin: Margin) -> ComparedRow {
    let name = "not completed";
    if base.len() > 1 && new.len() > 1 {
        let points = |side: &Side<'_>| -> Option<Series> {
            let of_run = |run: &Vec<&Record>| Some(share([run])?.estimate() * 100.0);
            Series::new(side.iter().map(of_run).collect::<Option<_>>()?).ok()
        };
        let (Some(base), Some(new)) = (points(base), points(new)) else {
            return missing_row(name, "%", false, "a run has no requests");
        };
        let rule = Rule::new(Direction::LowerIsBetter, margin);
        return match compare(&base, &new, &rule) {
            Ok(comparison) => row_by_difference(name, "%", "pt", false, &comparison),
            Err(why) => missing_row(name, "%", false, &why.to_string()),
        };
    }
    let (Some(base), Some(new)) = (share(base), share(new)) else {
        return missing_row(name, "%", false, "no requests");
    };
    let interval = newcombe_difference(base, new, Confidence::P90);
    let (low, high) = (interval.low * 100.0, interval.high * 100.0);
    let verdict = if low > 0.0 {
        Word::IndicativeWorse
    } else if high < 0.0 {
        Word::IndicativeBetter
    } else if -ERROR_MARGIN_POINTS < low && high < ERROR_MARGIN_POINTS {
        Word::Same
    } else {
        Word::Unclear
    };
    let (base, new) = (base.estimate() * 100.0, new.estimate() * 100.0);
    let difference = Difference { estimate: new - base, interval: Some((low, high)), unit: "pt".into() };
    ComparedRow {
        base: Some(base),
        new: Some(new),
        difference: Some(difference),
        verdict,
        ..missing_row(name, "%", false, "")
    }
}

/// Requests of these runs that did not complete, of all; `None` without requests.
fn share<'a, 'r: 'a>(runs: impl IntoIterator<Item = &'a Vec<&'r Record>>) -> Option<Proportion> {
    let (mut bad, mut total) = (0, 0);
    for record in runs.into_iter().flatten() {
        total += 1;
        bad += u64::from(record.outcome != Outcome::Completed);
    }
    Proportion::new(bad, total).ok()
}

fn score_rows(group: &Group<'_>, margin: Margin) -> Vec<ComparedRow> {
    let (base, new) = (&group.base.shared, &group.new.shared);
    let mut names: Vec<&String> = base.iter().chain(new).flatten().flat_map(|r| r.scores.keys()).collect();
    names.sort();
    names.dedup();
    names.into_iter().map(|name| score_row(name, base, new, margin)).collect()
}

/// Scores may be 0, so they are judged by their difference.
fn score_row(name: &str, base: &Side<'_>, new: &Side<'_>, margin: Margin) -> ComparedRow {
    let mean = |side: &Side<'_>| -> Option<Vec<f64>> {
        side.iter()
            .map(|run| {
                let values: Vec<f64> = run.iter().filter_map(|r| r.scores.get(name)).copied().collect();
                (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
            })
            .collect()
    };
    let label = format!("score {name}");
    let (Some(base), Some(new)) = (mean(base), mean(new)) else {
        return missing_row(&label, "", true, "not every run has this score");
    };
    let rule = Rule::new(Direction::HigherIsBetter, margin);
    match (Series::new(base), Series::new(new)) {
        (Ok(base), Ok(new)) => match compare(&base, &new, &rule) {
            Ok(comparison) => row_by_difference(&label, "", "", true, &comparison),
            Err(why) => missing_row(&label, "", true, &why.to_string()),
        },
        _ => missing_row(&label, "", true, "a run's score is not a number"),
    }
}

/// A row that was judged by the ratio.
fn row(metric: &str, unit: &str, higher_is_better: bool, comparison: &Comparison) -> ComparedRow {
    let relative = comparison.relative;
    ComparedRow {
        base: Some(comparison.base),
        new: Some(comparison.candidate),
        relative: relative.map(|e| e.estimate),
        interval: relative.and_then(|e| e.interval.ok()).map(|i| (i.low, i.high)),
        verdict: word(comparison.verdict, relative.unwrap_or(comparison.absolute), higher_is_better),
        ..missing_row(metric, unit, higher_is_better, "")
    }
}

/// A row that was judged by the difference, which is in `difference_unit`.
fn row_by_difference(
    metric: &str,
    unit: &str,
    difference_unit: &str,
    higher_is_better: bool,
    comparison: &Comparison,
) -> ComparedRow {
    let absolute = comparison.absolute;
    let difference = Difference {
        estimate: absolute.estimate,
        interval: absolute.interval.ok().map(|i| (i.low, i.high)),
        unit: difference_unit.to_owned(),
    };
    ComparedRow {
        base: Some(comparison.base),
        new: Some(comparison.candidate),
        difference: Some(difference),
        verdict: word(comparison.verdict, absolute, higher_is_better),
        ..missing_row(metric, unit, higher_is_better, "")
    }
}

/// The verdict in words; `effect` is the one that was judged.
fn word(verdict: Verdict, effect: Effect, higher_is_better: bool) -> Word {
    match verdict {
        Verdict::Regressed => Word::Worse,
        Verdict::Improved => Word::Better,
        Verdict::Equivalent => Word::Same,
        Verdict::Inconclusive | Verdict::Drift | Verdict::BelowResolution => Word::Unclear,
        // Without an interval that excludes no change, not even a direction is indicated.
        Verdict::Indicative if !effect.excludes_zero() => Word::Unclear,
        Verdict::Indicative if (effect.estimate > 0.0) == higher_is_better => Word::IndicativeBetter,
        Verdict::Indicative => Word::IndicativeWorse,
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
        difference: None,
        verdict: Word::Missing(why.to_owned()),
    }
}

fn note_failures(group: &Group<'_>, notes: &mut Vec<String>) {
    for (side, runs) in [("base", &group.base.all), ("new", &group.new.all)] {
        let lost = runs.iter().flatten().filter(|r| r.outcome != Outcome::Completed).count() as u64;
        if lost > 0 {
            notes.push(format!(
                "{}: {lost} requests of the {side} did not complete; latencies are of those that did",
                group.heading()
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs of `requests` each, of which so many did not complete.
    fn runs(lost: &[usize], requests: usize) -> Vec<Vec<Record>> {
        let record = |bad| Record {
            outcome: if bad { Outcome::Failed } else { Outcome::Completed },
            ..Record::blank()
        };
        lost.iter().map(|lost| (0..requests).map(|i| record(i < *lost)).collect()).collect()
    }

    fn side(runs: &[Vec<Record>]) -> Vec<Vec<&Record>> {
        runs.iter().map(|run| run.iter().collect()).collect()
    }

    fn errors(base: &[usize], new: &[usize], requests: usize) -> (Word, Difference) {
        let (base, new) = (runs(base, requests), runs(new, requests));
        let margin = Margin::absolute(ERROR_MARGIN_POINTS).unwrap();
        let row = error_row(&side(&base), &side(&new), margin);
        assert!(row.relative.is_none() && row.interval.is_none());
        (row.verdict, row.difference.unwrap())
    }

    #[test]
    fn one_bad_run_of_five_is_not_five_runs_of_evidence() {
        // Pooled, 60 of 500 against 0 of 500 would exclude 0 by far; by runs it is one run out of five.
        let (word, difference) = errors(&[0, 0, 0, 0, 0], &[60, 0, 0, 0, 0], 100);
        assert_eq!(word, Word::Unclear);
        assert!((difference.estimate - 12.0).abs() < 1e-9);
        let (low, high) = difference.interval.unwrap();
        assert!(low < 0.0 && high > 12.0, "{low} {high}");
    }

    #[test]
    fn errors_in_every_run_are_a_verdict_in_points() {
        let (word, difference) = errors(&[0, 1, 0, 1, 0], &[9, 11, 10, 12, 10], 100);
        assert_eq!((word, difference.unit.as_str()), (Word::Worse, "pt"));
        assert!((difference.estimate - 10.0).abs() < 1e-9);
        assert_eq!(errors(&[9, 11, 10, 12, 10], &[0, 1, 0, 1, 0], 100).0, Word::Better);
        assert_eq!(errors(&[0; 5], &[0; 5], 100).0, Word::Same);
        assert_eq!(errors(&[0; 3], &[20, 21, 22], 100).0, Word::IndicativeWorse, "three runs show nothing");
    }

    #[test]
    fn one_run_a_side_has_newcombes_interval_in_points() {
        // Newcombe 1998, table II: 5 of 56 against 0 of 29; here at 90 %, so inside his 95 % limits of -3.81 and 19.26.
        let (base, new) = (runs(&[0], 29), runs(&[5], 56));
        let row = error_row(&side(&base), &side(&new), Margin::absolute(1.0).unwrap());
        let difference = row.difference.unwrap();
        let (low, high) = difference.interval.unwrap();
        assert!((difference.estimate - 500.0 / 56.0).abs() < 1e-9);
        assert!(low > -3.81 && low < difference.estimate && high < 19.26 && high > difference.estimate);
        assert_eq!(errors(&[0], &[50], 100).0, Word::IndicativeWorse);
        assert_eq!(errors(&[50], &[0], 100).0, Word::IndicativeBetter);
        assert_eq!(errors(&[0], &[50, 40, 60], 100).0, Word::IndicativeWorse);
        assert_eq!(errors(&[0], &[0], 10).0, Word::Unclear);
        assert_eq!(errors(&[0], &[0], 10_000).0, Word::Same);
    }

    #[test]
    fn scores_are_shown_by_the_difference_they_are_judged_by() {
        let scored = |values: &[f64]| -> Vec<Vec<Record>> {
            let record = |v: f64| Record { scores: [("f1".to_owned(), v)].into(), ..Record::blank() };
            values.iter().map(|v| vec![record(*v)]).collect()
        };
        let (base, new) = (scored(&[0.0, 0.01, 0.0, 0.01]), scored(&[0.4, 0.41, 0.42, 0.4]));
        let row = score_row("f1", &side(&base), &side(&new), Margin::absolute(SCORE_MARGIN).unwrap());
        let difference = row.difference.unwrap();
        assert_eq!((row.verdict, row.relative, difference.unit.as_str()), (Word::Better, None, ""));
        let (low, high) = difference.interval.unwrap();
        assert!(low > 0.3 && low < difference.estimate && difference.estimate < high && high < 0.5);
        let row =
            score_row("f1", &side(&base[..1]), &side(&new[..1]), Margin::absolute(SCORE_MARGIN).unwrap());
        assert_eq!((row.verdict, row.difference.unwrap().interval), (Word::Unclear, None));
    }
}
