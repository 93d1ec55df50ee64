//! Comparison by the values inside runs, in time order: for one run a side, and for what a single run cannot resolve.
//!
//! Several metrics of the same requests are resampled together: a block that is drawn is drawn for all of them. Knows
//! columns of numbers, not what they measure.

use crate::bootstrap::{Bootstrap, Side, Statistic, widen};
use crate::compare::{Basis, CompareError, Comparison, Estimates};
use crate::effect::Effect;
use crate::quantile::Refused;
use crate::sample::{Sample, SampleError, Series, is_usable};
use crate::verdict::Rule;

/// One run as a table: a row for each request in time order, a column for each metric. A cell may be empty: not every
/// request has every metric.
///
/// ```
/// use benchhost_stats::RunTable;
///
/// let mut run = RunTable::new(3);
/// run.push([Some(1.0), None, Some(2.0)])?;
/// assert!(run.push([Some(f64::NAN)]).is_err());
/// assert_eq!((run.requests(), run.columns()), (3, 1));
/// # Ok::<(), benchhost_stats::SampleError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RunTable {
    requests: usize,
    /// NaN for an empty cell; no cell that was given is NaN.
    columns: Vec<Vec<f64>>,
}

impl RunTable {
    /// A run of so many requests and no metric yet.
    pub fn new(requests: usize) -> Self {
        Self { requests, columns: Vec::new() }
    }

    /// Adds a metric. A column that is too short goes on with empty cells, cells beyond the last request are left out.
    /// Values are accepted as by [`Series::new`], and a column may be empty.
    pub fn push(&mut self, column: impl IntoIterator<Item = Option<f64>>) -> Result<(), SampleError> {
        let mut cells = Vec::with_capacity(self.requests);
        for (index, cell) in column.into_iter().take(self.requests).enumerate() {
            if let Some(value) = cell.filter(|value| !is_usable(*value)) {
                return Err(SampleError::Unusable { index, value });
            }
            cells.push(cell.unwrap_or(f64::NAN));
        }
        cells.resize(self.requests, f64::NAN);
        self.columns.push(cells);
        Ok(())
    }

    /// Number of requests.
    pub fn requests(&self) -> usize {
        self.requests
    }

    /// Number of metrics.
    pub fn columns(&self) -> usize {
        self.columns.len()
    }
}

/// What to compare: which column, by which statistic, under which rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wanted {
    /// Position of the column, counted from 0 in the order of [`RunTable::push`].
    pub column: usize,
    /// The statistic.
    pub statistic: Statistic,
    /// The rule it is judged by.
    pub rule: Rule,
}

/// Compares sides by the values inside their runs, in time order, one metric.
///
/// The interval is [`Bootstrap::two_level`] of both sides at the rule's confidence; with one run a side it is
/// flagged [`Basis::WithinRun`]. The verdict is [`Verdict::Indicative`](crate::Verdict::Indicative) always: one run
/// cannot show what differs between runs, and a bootstrap of few runs is too narrow.
///
/// ```
/// use benchhost_stats::{
///     Basis, Bootstrap, Direction, Margin, Quantile, Rule, Series, Statistic, Verdict, compare_raw,
/// };
///
/// let run = |offset: f64| Series::new((0..500).map(|i| offset + f64::from(i * 7919 % 503)).collect());
/// let rule = Rule::new(Direction::LowerIsBetter, Margin::relative(0.05)?);
/// let median = Statistic::HarrellDavis(Quantile::P50);
/// let result = compare_raw(&[run(100.0)?], &[run(200.0)?], median, &rule, &Bootstrap::new(1))?;
/// assert!(result.absolute.interval?.contains(100.0));
/// assert_eq!((result.verdict, result.basis), (Verdict::Indicative, Basis::WithinRun));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn compare_raw(
    base: &[Series],
    candidate: &[Series],
    statistic: Statistic,
    rule: &Rule,
    bootstrap: &Bootstrap,
) -> Result<Comparison, CompareError> {
    let wanted = [Wanted { column: 0, statistic, rule: *rule }];
    let (of_base, of_candidate) = (one_metric(base), one_metric(candidate));
    together(&[(base.len(), of_base), (candidate.len(), of_candidate)], &wanted, bootstrap)?.swap_remove(0)
}

fn one_metric(runs: &[Series]) -> Vec<Vec<&[f64]>> {
    vec![runs.iter().map(Series::values).collect()]
}

/// The same for several metrics of the same requests, resampled together: one result for each wanted one, in order.
/// Blocks are as long as the longest correlated metric needs. A metric that a side does not have gives
/// [`CompareError::NoValues`].
pub fn compare_tables(
    base: &[RunTable],
    candidate: &[RunTable],
    wanted: &[Wanted],
    bootstrap: &Bootstrap,
) -> Result<Vec<Result<Comparison, CompareError>>, CompareError> {
    // Only the columns that are wanted, each once.
    let mut columns: Vec<usize> = wanted.iter().map(|wanted| wanted.column).collect();
    columns.sort_unstable();
    columns.dedup();
    let exists = |column: &usize| {
        [base, candidate].iter().all(|side| {
            let of_run =
                |run: &RunTable| run.columns.get(*column).is_some_and(|c| c.iter().any(|v| !v.is_nan()));
            side.iter().any(of_run) && side.iter().all(|run| *column < run.columns())
        })
    };
    if base.is_empty() || candidate.is_empty() {
        return Err(CompareError::NoRuns);
    }
    columns.retain(exists);
    let place = |wanted: &Wanted| columns.binary_search(&wanted.column).ok();
    let usable: Vec<Wanted> =
        wanted.iter().filter_map(|wanted| Some(Wanted { column: place(wanted)?, ..*wanted })).collect();
    let mut results = Vec::new();
    if !usable.is_empty() {
        let sides = [base, candidate].map(|side| (side.len(), metrics_of(side, &columns)));
        results = together(&sides, &usable, bootstrap)?;
    }
    let mut results = results.into_iter();
    let missing = || Err(CompareError::NoValues);
    Ok(wanted
        .iter()
        .map(|wanted| place(wanted).map_or_else(missing, |_| results.next().unwrap_or_else(missing)))
        .collect())
}

/// For each column its runs.
fn metrics_of<'a>(side: &'a [RunTable], columns: &[usize]) -> Vec<Vec<&'a [f64]>> {
    columns.iter().map(|&column| side.iter().map(|run| &run.columns[column][..]).collect()).collect()
}

/// Both sides, each with its number of runs and, for each metric, its runs.
fn together(
    sides: &[(usize, Vec<Vec<&[f64]>>); 2],
    wanted: &[Wanted],
    bootstrap: &Bootstrap,
) -> Result<Vec<Result<Comparison, CompareError>>, CompareError> {
    if sides.iter().any(|(runs, _)| *runs == 0) {
        return Err(CompareError::NoRuns);
    }
    let runs = (sides[0].0, sides[1].0);
    // Each side has random numbers of its own, so two threads draw what one would.
    let [(prepared_base, base), (prepared_candidate, candidate)] = std::thread::scope(|scope| {
        let candidate = scope.spawn(|| drawn(&sides[1].1, wanted, bootstrap, 1));
        let base = drawn(&sides[0].1, wanted, bootstrap, 0);
        [base, candidate.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))]
    });
    let prepared = [prepared_base, prepared_candidate];
    let mut results = Vec::with_capacity(wanted.len());
    for (index, wanted) in wanted.iter().enumerate() {
        let own = bootstrap.with_confidence(wanted.rule.confidence);
        let enough = prepared.iter().find_map(|side| match side {
            Ok(side) => own.refuse_too_few(side.effective(wanted.column), wanted.statistic).err(),
            Err(refused) => Some(*refused),
        });
        let pairs = match (enough, &base, &candidate) {
            (None, Ok(base), Ok(candidate)) => {
                Ok((&base[index].replicates[..], &candidate[index].replicates[..]))
            }
            (Some(refused), ..) | (_, &Err(refused), _) | (.., &Err(refused)) => Err(refused),
        };
        let of_sides = [&base, &candidate];
        let estimate = |side: usize| match (&prepared[side], of_sides[side]) {
            (Ok(side), Ok(drawn)) => (drawn[index].estimate, side.smallest(wanted.column)),
            // The sides were found to have values, so there is a sample.
            _ => pooled(&sides[side].1[wanted.column])
                .map_or((f64::NAN, f64::NAN), |sample| (wanted.statistic.of(&sample), sample.min())),
        };
        results.push(conclude([estimate(0), estimate(1)], pairs, &own, runs, &wanted.rule));
    }
    Ok(results)
}

/// One wanted figure of one side: as it is, and drawn again.
struct Drawn {
    estimate: f64,
    replicates: Vec<f64>,
}

/// A side, ready to be drawn from, and what was drawn for each wanted figure.
fn drawn(
    metrics: &[Vec<&[f64]>],
    wanted: &[Wanted],
    bootstrap: &Bootstrap,
    stream: u64,
) -> (Result<Side, Refused>, Result<Vec<Drawn>, Refused>) {
    let side = match Side::new(metrics) {
        Ok(side) => side,
        Err(refused) => return (Err(refused), Err(refused)),
    };
    let list: Vec<(usize, Statistic)> =
        wanted.iter().map(|wanted| (wanted.column, wanted.statistic)).collect();
    let replicates = bootstrap.replicates(&side, &list, stream);
    let with_estimate = replicates.into_iter().zip(wanted).map(|(mut replicates, wanted)| {
        if let [run] = metrics[wanted.column][..] {
            let confidence = wanted.rule.confidence;
            widen(&mut replicates, side.widening(wanted.column, run, wanted.statistic, confidence));
        }
        Drawn { estimate: side.estimate(wanted.column, wanted.statistic), replicates }
    });
    let all = with_estimate.collect();
    (Ok(side), Ok(all))
}

fn conclude(
    [(base, base_least), (candidate, candidate_least)]: [(f64, f64); 2],
    replicates: Result<(&[f64], &[f64]), Refused>,
    bootstrap: &Bootstrap,
    runs: (usize, usize),
    rule: &Rule,
) -> Result<Comparison, CompareError> {
    let effect = |combine: fn(f64, f64) -> f64| Effect {
        estimate: combine(base, candidate),
        interval: replicates.map(|(of_base, of_candidate)| {
            bootstrap.percentiles(of_base.iter().zip(of_candidate).map(|(&b, &c)| combine(b, c)).collect())
        }),
    };
    let positive = base_least > 0.0 && candidate_least > 0.0;
    let estimates = Estimates {
        base,
        candidate,
        absolute: effect(|base, candidate| candidate - base),
        log_ratio: positive.then(|| effect(|base, candidate| candidate.ln() - base.ln())),
    };
    let basis = if runs == (1, 1) { Basis::WithinRun } else { Basis::RunsAndValues };
    estimates.conclude(runs, rule, None, basis)
}

fn pooled(runs: &[&[f64]]) -> Option<Sample> {
    Sample::new(runs.iter().flat_map(|run| run.iter()).copied().filter(|value| !value.is_nan()).collect())
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Direction, Margin, Quantile};

    fn scrambled(count: usize, step: usize) -> impl Iterator<Item = f64> {
        (0..count).map(move |i| 100.0 + (i * step % 1009) as f64)
    }

    fn wanted(column: usize) -> Wanted {
        let rule = Rule::new(Direction::LowerIsBetter, Margin::relative(0.05).unwrap());
        Wanted { column, statistic: Statistic::HarrellDavis(Quantile::P50), rule }
    }

    fn table(factor: f64) -> RunTable {
        let mut run = RunTable::new(800);
        run.push(scrambled(800, 7919).map(|v| Some(v * factor))).unwrap();
        run.push(scrambled(800, 31).enumerate().map(|(i, v)| (i % 3 == 0).then_some(v))).unwrap();
        run.push(std::iter::empty()).unwrap();
        run
    }

    #[test]
    fn one_column_of_a_table_equals_the_series_alone() {
        let series = |factor: f64| Series::new(scrambled(800, 7919).map(|v| v * factor).collect()).unwrap();
        let bootstrap = Bootstrap::new(5).with_resamples(300);
        let alone =
            compare_raw(&[series(1.0)], &[series(2.0)], wanted(0).statistic, &wanted(0).rule, &bootstrap);
        let in_table = compare_tables(&[table(1.0)], &[table(2.0)], &[wanted(0)], &bootstrap).unwrap();
        assert_eq!(in_table, [alone]);
    }

    #[test]
    fn metrics_drawn_together_that_are_equal_have_equal_intervals() {
        let run = |factor: f64| {
            let mut run = RunTable::new(500);
            for scale in [1.0, 10.0] {
                run.push(scrambled(500, 97).map(|v| Some(v * factor * scale))).unwrap();
            }
            run
        };
        let bootstrap = Bootstrap::new(5).with_resamples(300);
        let results = compare_tables(&[run(1.0)], &[run(1.1)], &[wanted(0), wanted(1)], &bootstrap).unwrap();
        let relative = |at: usize| results[at].as_ref().unwrap().relative.unwrap().interval.unwrap();
        assert!((relative(0).low - relative(1).low).abs() < 1e-9);
        assert!((relative(0).high - relative(1).high).abs() < 1e-9);
    }

    #[test]
    fn a_metric_that_a_side_lacks_is_said_and_the_others_stand() {
        let bootstrap = Bootstrap::new(5).with_resamples(200);
        let results = compare_tables(
            &[table(1.0)],
            &[table(1.0)],
            &[wanted(2), wanted(1), wanted(7), wanted(0)],
            &bootstrap,
        )
        .unwrap();
        assert_eq!(results[0], Err(CompareError::NoValues));
        assert_eq!(results[2], Err(CompareError::NoValues));
        assert!(results[1].is_ok() && results[3].is_ok());
        assert_eq!(compare_tables(&[], &[table(1.0)], &[wanted(0)], &bootstrap), Err(CompareError::NoRuns));
    }
}
