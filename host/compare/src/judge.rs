//! Each figure of a pair of groups: its value in every run of both sides, the comparison that so many runs allow, and the
//! word for it. Knows one pair; whether a figure gates is decided in `gate`.

use std::collections::{BTreeMap, BTreeSet};

use benchhost_model::{HarnessBound, HarnessError, SummaryRow};
use benchhost_stats::{
    CompareError, Comparison, Confidence, Margin, Proportion, Rule, Sample, Series, Verdict, compare,
    compare_blocks, newcombe_difference,
};

use crate::gather::{Group, Run};
use crate::inside;
use crate::margins::Margins;
use crate::metric::{Latency, Limit, Metric, Source, bound, metrics, score};
use crate::pair::Pair;
use crate::request::Column;
use crate::row::{Change, Row, Scale, Word};

/// Fewest blocks by which a paired test can reach p = 0.05; below it runs are compared as if they were not paired.
const FEWEST_BLOCKS: usize = 6;
/// Independent requests a side from which its 99th percentile is resolved.
const TAIL_REQUESTS: u64 = 368;

/// Why a latency is not compared.
pub(crate) const SATURATED: &str = "a run was saturated: latencies of a growing backlog are of no state";

/// A row, and whether its figure is resolved well enough to gate.
pub(crate) struct Judged {
    pub(crate) row: Row,
    pub(crate) resolved: bool,
}

/// By what figures are judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules<'a> {
    pub(crate) margins: &'a Margins,
    /// Higher is better, of each score; a score that is not in it counts as such.
    pub(crate) directions: &'a BTreeMap<String, bool>,
    /// Worse and better are said only where the whole interval lies beyond the margin.
    pub(crate) strict: bool,
}

/// All rows of a pair, in the order to print.
pub(crate) fn judge(pair: &Pair<'_>, rules: &Rules<'_>) -> Vec<Judged> {
    let mut all = metrics(pair.base.load);
    let names: BTreeSet<&String> =
        [pair.base, pair.new].iter().flat_map(|g| g.runs.iter().flat_map(|r| r.scores.keys())).collect();
    all.extend(
        names.into_iter().map(|name| score(name, rules.directions.get(name).copied().unwrap_or(true))),
    );
    let mut rows: Vec<Judged> = Vec::with_capacity(all.len());
    let mut inside = Vec::new();
    let mut bent = Vec::with_capacity(all.len());
    for metric in &all {
        let question = Question::new(pair, metric, rules);
        match question.answer() {
            Answer::Row(row) => rows.push(Judged { resolved: question.resolved(), row: *row }),
            Answer::Absent => continue,
            Answer::Inside(latency) => {
                inside.push((rows.len(), latency, question.rule()));
                rows.push(Judged { resolved: question.resolved(), row: question.blank() });
            }
        }
        bent.push(question.bent());
    }
    inside::latencies(pair, &mut rows, &inside, rules.strict);
    for (judged, error) in rows.iter_mut().zip(bent) {
        coarse(&mut judged.row, error);
    }
    rows
}

/// One figure of one pair.
struct Question<'a> {
    pair: &'a Pair<'a>,
    metric: &'a Metric,
    limit: Limit,
    strict: bool,
    base: Vec<Option<f64>>,
    new: Vec<Option<f64>>,
}

enum Answer {
    Row(Box<Row>),
    /// Neither side has it.
    Absent,
    /// Only the requests inside the runs can tell.
    Inside(Latency),
}

impl<'a> Question<'a> {
    fn new(pair: &'a Pair<'a>, metric: &'a Metric, rules: &Rules<'_>) -> Self {
        let mut limit = rules.margins.of(&metric.name, metric.limit, metric.unit == "%");
        if let (Source::Score, Limit::Difference(least)) = (metric.source, limit)
            && !rules.margins.names(&metric.name)
        {
            limit = Limit::Difference(least.max(2.0 * score_error(pair, &metric.name)));
        }
        let values = |group: &Group| group.runs.iter().map(|run| value(pair, metric, run)).collect();
        Self { pair, metric, limit, strict: rules.strict, base: values(pair.base), new: values(pair.new) }
    }

    fn blank(&self) -> Row {
        let percent = self.metric.unit == "%";
        let (scale, margin) = match self.limit {
            Limit::Share(share) => (Scale::Relative, share),
            Limit::Difference(d) if percent => (Scale::Points, d),
            Limit::Difference(d) => (Scale::Own, d),
        };
        Row {
            metric: self.metric.name.clone(),
            unit: self.metric.unit.to_owned(),
            direction: self.metric.direction,
            gates: false,
            base: mean(&self.base),
            new: mean(&self.new),
            scale,
            change: None,
            margin,
            runs: (self.base.len(), self.new.len()),
            basis: None,
            p: None,
            adjusted: None,
            word: Word::IndicativeOpen,
            note: String::new(),
        }
    }

    fn rule(&self) -> Option<Rule> {
        let margin = match self.limit {
            Limit::Share(share) => Margin::relative(share),
            Limit::Difference(difference) => Margin::absolute(difference),
        };
        let rule = Rule::new(self.metric.direction, margin.ok()?);
        let rule = if self.strict { rule.strict() } else { rule };
        Some(rule.with_resolution(self.bent()))
    }

    /// What both programs together may have bent the figure by, as a share of the base; 0 where nothing is known.
    fn bent(&self) -> f64 {
        let bound = match self.metric.source {
            Source::Latency(latency) => latency.bound,
            Source::Pooled(_) => bound(Column::IclMax),
            _ => return 0.0,
        };
        resolution(self.pair, bound, mean(&self.base))
    }

    /// A 99th percentile must be there in every run and rest on enough independent requests a side.
    fn resolved(&self) -> bool {
        let Source::Latency(latency) = self.metric.source else { return true };
        if latency.quantile.get() <= 0.5 {
            return true;
        }
        let Some(of) = latency.of else { return false };
        let enough = |group: &Group| {
            group.runs.iter().filter_map(|r| of(&r.summary).n_eff).sum::<u64>() >= TAIL_REQUESTS
        };
        self.base.iter().chain(&self.new).all(Option::is_some)
            && enough(self.pair.base)
            && enough(self.pair.new)
    }

    fn answer(&self) -> Answer {
        let row = self.blank();
        let absent = |side: &[Option<f64>]| side.iter().all(Option::is_none);
        let runs = self.base.len().min(self.new.len());
        if matches!(self.metric.source, Source::Latency(_) | Source::Pooled(_)) && self.pair.saturated() {
            let pooled = matches!(self.metric.source, Source::Pooled(_));
            return if pooled && absent(&self.base) && absent(&self.new) {
                Answer::Absent
            } else {
                Answer::Row(Box::new(Row { word: Word::Missing(SATURATED.into()), ..row }))
            };
        }
        if self.repeated() {
            return Answer::Absent;
        }
        if let Source::Latency(latency) = self.metric.source {
            let has = |run: &Run| run.requests.iter().any(|r| r.latency(latency.column).is_some());
            let counts = [self.pair.base, self.pair.new].map(|g| g.runs.iter().filter(|r| has(r)).count());
            if counts == [0, 0] {
                return Answer::Absent;
            }
            let lacking = self.base.iter().chain(&self.new).any(Option::is_none);
            if counts == [self.base.len(), self.new.len()] && (runs < 2 || lacking) {
                return Answer::Inside(latency);
            }
        }
        if absent(&self.base) && absent(&self.new) {
            return Answer::Absent;
        }
        let all = |side: &[Option<f64>]| side.iter().copied().collect::<Option<Vec<f64>>>();
        let (Some(base), Some(new)) = (all(&self.base), all(&self.new)) else {
            return Answer::Row(Box::new(Row { word: Word::Missing(self.lacking()), ..row }));
        };
        Answer::Row(Box::new(self.between(row, base, new)))
    }

    /// Where each event brought one token, a gap between events is the time of a token, which has a row already.
    fn repeated(&self) -> bool {
        let same = |r: &Run| r.summary.icl.n == r.summary.itl.n && r.summary.icl.p50 == r.summary.itl.p50;
        self.metric.name.starts_with("icl_p")
            && self.pair.base.runs.iter().chain(&self.pair.new.runs).all(same)
    }

    fn lacking(&self) -> String {
        let count = |side: &[Option<f64>]| side.iter().filter(|v| v.is_none()).count();
        format!(
            "{} of {} base runs and {} of {} new runs do not have it",
            count(&self.base),
            self.base.len(),
            count(&self.new),
            self.new.len()
        )
    }

    /// Runs against runs.
    fn between(&self, row: Row, base: Vec<f64>, new: Vec<f64>) -> Row {
        let missing = |row: Row, why: String| Row { word: Word::Missing(why), ..row };
        let Some(rule) = self.rule() else { return missing(row, "the margin is out of range".into()) };
        let blocks = self.pair.blocks && base.len() >= FEWEST_BLOCKS;
        let (base, new) = match (Series::new(base), Series::new(new)) {
            (Ok(base), Ok(new)) => (base, new),
            (Err(why), _) | (_, Err(why)) => return missing(row, why.to_string()),
        };
        let compared = if blocks { compare_blocks(&base, &new, &rule) } else { compare(&base, &new, &rule) };
        match compared {
            Ok(comparison) => {
                let row = told(row, &comparison, self.strict);
                if row.runs.0.min(row.runs.1) < 2 { self.inside_one(row) } else { row }
            }
            Err(CompareError::NotPositive) => missing(row, "a run's value is 0, so there is no ratio".into()),
            Err(why) => missing(row, why.to_string()),
        }
    }

    /// One run on a side: what the requests inside it can tell of a figure that is no percentile.
    fn inside_one(&self, mut row: Row) -> Row {
        match self.metric.source {
            Source::Rate { tokens, .. } => inside::rate(self.pair, &mut row, tokens),
            Source::Errors => self.one_error_rate(&mut row),
            Source::Score => inside::score(self.pair, &mut row, &self.metric.name),
            Source::Pooled(_) => row.note = "one run: gaps pooled over a run have no interval".into(),
            Source::Whole(_) | Source::Latency(_) => {}
        }
        row.word = row.indicative(self.strict);
        row
    }

    fn one_error_rate(&self, row: &mut Row) {
        let share = |group: &Group| {
            let (lost, asked) =
                group.runs.iter().map(|r| lost(&r.summary)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
            Proportion::new(lost, asked).ok()
        };
        if let (Some(base), Some(new), Some(change)) =
            (share(self.pair.base), share(self.pair.new), &mut row.change)
        {
            let interval = newcombe_difference(base, new, Confidence::P90);
            change.interval = Some((interval.low * 100.0, interval.high * 100.0));
        }
    }
}

/// Writes a comparison into its row.
pub(crate) fn told(mut row: Row, comparison: &Comparison, strict: bool) -> Row {
    let effect = match row.scale {
        Scale::Relative => comparison.relative.unwrap_or(comparison.absolute),
        Scale::Points | Scale::Own => comparison.absolute,
    };
    row.base = Some(comparison.base);
    row.new = Some(comparison.candidate);
    let interval = effect.interval.ok().map(|i| (i.low, i.high));
    row.change = Some(Change { estimate: effect.estimate, interval });
    row.basis = interval.map(|_| comparison.basis);
    row.p = comparison.p_value;
    row.word = match comparison.verdict {
        Verdict::Indicative => row.indicative(strict),
        decided => decided.into(),
    };
    if let (Word::Inconclusive, Some(runs)) = (&row.word, comparison.runs_needed) {
        row.note = format!("about {runs} runs a side would decide");
    }
    row
}

/// A figure whose margin the programs' own error passes is not called unchanged on few runs either.
fn coarse(row: &mut Row, error: f64) {
    if error <= row.margin {
        return;
    }
    if matches!(row.word, Word::IndicativeSame | Word::IndicativeOpen) {
        row.word = Word::BelowResolution;
    }
    if row.word == Word::BelowResolution {
        row.note = format!("the measuring programs may have bent it by {:.1} %", error * 100.0);
    }
}

/// What both programs together may have bent a time by, as a share of `centre`; 0 where nothing is known.
fn resolution(
    pair: &Pair<'_>,
    bound: fn(&HarnessError) -> Option<&HarnessBound>,
    centre: Option<f64>,
) -> f64 {
    let worst = |group: &Group| {
        let bounds = group.runs.iter().filter_map(|r| bound(&r.summary.harness)).map(|b| b.ms);
        bounds.fold(0.0, f64::max)
    };
    let centre = centre.filter(|centre| *centre > 0.0);
    centre.map_or(0.0, |centre| (worst(pair.base) + worst(pair.new)) / centre)
}

fn mean(values: &[Option<f64>]) -> Option<f64> {
    let known: Vec<f64> = values.iter().flatten().copied().collect();
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
}

fn value(pair: &Pair<'_>, metric: &Metric, run: &Run) -> Option<f64> {
    match metric.source {
        Source::Rate { of, .. } | Source::Whole(of) | Source::Pooled(of) => of(&run.summary),
        Source::Latency(latency) => latency_of(pair, latency, run),
        Source::Errors => {
            let (lost, asked) = lost(&run.summary);
            (asked > 0).then(|| lost as f64 / asked as f64 * 100.0)
        }
        Source::Score => {
            let values = run.scores.get(metric.name.strip_prefix("score_")?)?;
            let (sum, n) = values
                .iter()
                .filter(|(item, _)| pair.takes(*item))
                .fold((0.0, 0_u32), |(sum, n), (_, value)| (sum + value, n + 1));
            (n > 0).then(|| sum / f64::from(n))
        }
    }
}

/// The analysis's figure; where only some items are compared, or it keeps none, the same percentile of the requests.
fn latency_of(pair: &Pair<'_>, latency: Latency, run: &Run) -> Option<f64> {
    if let (Some(of), None) = (latency.of, &pair.shared) {
        let figures = of(&run.summary);
        return if latency.quantile.get() > 0.5 { figures.p99 } else { figures.p50 };
    }
    let values = pair.requests(run).filter_map(|r| r.latency(latency.column)).collect();
    Sample::new(values).ok()?.quantile(latency.quantile).ok()
}

/// Requests that went wrong, and those that could have: users who left by plan are neither.
pub(crate) fn lost(summary: &SummaryRow) -> (u64, u64) {
    let c = &summary.counts;
    let asked = c.scheduled.saturating_sub(c.hung_up);
    (asked.saturating_sub(c.completed), asked)
}

/// Standard error of the difference of mean scores over items.
fn score_error(pair: &Pair<'_>, name: &str) -> f64 {
    let Some(score) = name.strip_prefix("score_") else { return 0.0 };
    let items = pair.by_item(|run| run.scores.get(score).cloned().unwrap_or_default());
    let error = |of: fn(&(f64, f64)) -> f64| {
        let sample = Sample::new(items.iter().map(of).collect()).ok()?;
        Some(sample.sd()? / (sample.len() as f64).sqrt())
    };
    error(|pair| pair.0).into_iter().chain(error(|pair| pair.1)).fold(0.0, f64::hypot)
}
