//! Whether both sides did the same work: answers of the same length, and as good. A faster server that answers less is not
//! faster. Knows one pair and its rows.

use benchhost_stats::{Confidence, Sample, mean_interval};

use crate::gather::{Group, Run};
use crate::pair::Pair;
use crate::row::{Change, Row, Word};

/// Difference of the mean output tokens of a request, as a share, above which the work is another one.
const LENGTH: f64 = 0.01;

/// What must be said above everything; empty if the work is the same as far as can be seen.
pub(crate) fn work(pair: &Pair<'_>, rows: &[Row]) -> Vec<String> {
    let mut said: Vec<String> = lengths(pair).into_iter().collect();
    let place = pair.base.heading();
    for row in rows.iter().filter(|r| r.metric.starts_with("score_")) {
        let (Some(base), Some(new), Some(Change { estimate, .. })) = (row.base, row.new, row.change) else {
            continue;
        };
        let worse = row.badness(estimate) > 0.0;
        if matches!(
            row.word,
            Word::Regressed | Word::Improved | Word::IndicativeWorse | Word::IndicativeBetter
        ) {
            let word = if worse { "worse" } else { "better" };
            said.push(format!(
                "DIFFERENT WORK: {place}: {} is {word}, {base:.3} against {new:.3}: answers of another quality were measured",
                row.metric
            ));
        }
    }
    said
}

fn lengths(pair: &Pair<'_>) -> Option<String> {
    let answers = |run: &Run| -> Vec<(u64, f64)> {
        let done = pair.requests(run).filter(|r| r.completed);
        done.filter_map(|r| Some((r.item, f64::from(r.output?)))).collect()
    };
    let items = pair.by_item(answers);
    let mean_of = |group: &Group| {
        let all: Vec<f64> = group.runs.iter().flat_map(&answers).map(|(_, n)| n).collect();
        (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64)
    };
    let (base, new) = if items.is_empty() {
        (mean_of(pair.base)?, mean_of(pair.new)?)
    } else {
        let count = items.len() as f64;
        (items.iter().map(|p| p.0).sum::<f64>() / count, items.iter().map(|p| p.1).sum::<f64>() / count)
    };
    let change = new / base - 1.0;
    if !change.is_finite() || change.abs() <= LENGTH {
        return None;
    }
    // Answers of sampled text differ in length by chance.
    let differences = Sample::new(items.iter().map(|(b, n)| n - b).collect()).ok();
    let by_chance = differences
        .and_then(|sample| mean_interval(&sample, Confidence::P95).ok())
        .is_some_and(|interval| interval.contains(0.0));
    let head = if by_chance { "WORK NOT SHOWN TO BE THE SAME" } else { "DIFFERENT WORK" };
    let longer = if change > 0.0 { "longer" } else { "shorter" };
    Some(format!(
        "{head}: {}: answers of the new side are {:.1} % {longer} ({base:.1} against {new:.1} tokens a request)",
        pair.base.heading(),
        change.abs() * 100.0
    ))
}
