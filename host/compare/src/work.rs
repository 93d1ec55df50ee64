//! Whether both sides did the same work: answers of the same length, and as good. A faster server that answers less is not
//! faster. Knows the pairs and what a difference of a score has to be to matter.
//!
//! What is said stands above everything, so it must rarely be wrong: a difference is called one only if it is beyond its
//! margin *and* not put down to chance by a t-test over items, where all such tests of a comparison together may be wrong
//! once in a hundred (Holm). A difference beyond its margin that chance may have made is told as well, but further down.

use std::collections::BTreeSet;

use benchhost_stats::{Direction, Sample, holm, student_t_p, welch_p};

use crate::gather::{Group, Run};
use crate::judge::Rules;
use crate::metric::{Limit, Metric, score};
use crate::pair::Pair;

/// Difference of the mean output tokens of a request, as a share, above which the work is another one.
const LENGTH: f64 = 0.01;
/// Wrong words about the work, over a whole comparison of equal work.
const LEVEL: f64 = 0.01;

/// What is known of the work.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Work {
    /// Where the sides did other work; to be said above everything.
    pub(crate) different: Vec<String>,
    /// Where they may have.
    pub(crate) open: Vec<String>,
}

/// One question: did the sides differ in this?
struct Difference {
    /// Beyond what matters.
    beyond: bool,
    p: f64,
    /// The sentence, without its head.
    text: String,
}

/// Looks at lengths and scores of every pair.
pub(crate) fn work(pairs: &[Pair<'_>], rules: &Rules<'_>) -> Work {
    let mut found = Vec::new();
    for pair in pairs {
        found.extend(length(pair));
        let names = |group: &Group| -> BTreeSet<String> {
            group.runs.iter().flat_map(|r| r.scores.keys().cloned()).collect()
        };
        let both: Vec<String> = names(pair.base).intersection(&names(pair.new)).cloned().collect();
        found.extend(both.iter().filter_map(|name| quality(pair, name, rules)));
    }
    let adjusted = holm(&found.iter().map(|d| d.p).collect::<Vec<_>>());
    let mut work = Work::default();
    for (difference, p) in found.into_iter().zip(adjusted).filter(|(d, _)| d.beyond) {
        if p < LEVEL {
            work.different.push(format!("DIFFERENT WORK: {}", difference.text));
        } else {
            work.open.push(format!(
                "not shown to be the same work: {}; chance may do as much (p {p:.2})",
                difference.text
            ));
        }
    }
    work
}

fn length(pair: &Pair<'_>) -> Option<Difference> {
    let answers = |run: &Run| -> Vec<(u64, f64)> {
        let done = pair.requests(run).filter(|r| r.completed);
        done.filter_map(|r| Some((r.item, f64::from(r.output?)))).collect()
    };
    let (base, new, p) = means(pair, answers)?;
    let change = new / base - 1.0;
    if !change.is_finite() {
        return None;
    }
    let longer = if change > 0.0 { "longer" } else { "shorter" };
    Some(Difference {
        beyond: change.abs() > LENGTH,
        p,
        text: format!(
            "{}: answers of the new side are {:.1} % {longer} ({base:.1} against {new:.1} tokens a request)",
            pair.base.heading(),
            change.abs() * 100.0
        ),
    })
}

fn quality(pair: &Pair<'_>, name: &str, rules: &Rules<'_>) -> Option<Difference> {
    let up = rules.directions.get(name).copied().unwrap_or(true);
    let Metric { name: metric, direction, limit, .. } = score(name, up);
    let (base, new, p) = means(pair, |run| run.scores.get(name).cloned().unwrap_or_default())?;
    let (least, change) = match rules.margins.of(&metric, limit, false) {
        Limit::Difference(least) => (least, new - base),
        Limit::Share(share) => (share, new / base - 1.0),
    };
    let better = (new > base) == (direction == Direction::HigherIsBetter);
    let word = if better { "better" } else { "worse" };
    Some(Difference {
        beyond: change.abs() >= least,
        p,
        text: format!(
            "{}: {metric} is {word}, {base:.3} against {new:.3}: answers of another quality were measured",
            pair.base.heading()
        ),
    })
}

/// Means of both sides over the items that both answered, and how likely chance alone parts them so far. Items are
/// answered independently of one another, so they are what is counted; where the sides have none in common, answers are.
fn means(pair: &Pair<'_>, of: impl Fn(&Run) -> Vec<(u64, f64)>) -> Option<(f64, f64, f64)> {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let items = pair.by_item(&of);
    // Other tools do not name their items, so theirs are all the same one.
    if items.len() < 2 {
        let all =
            |group: &Group| -> Vec<f64> { group.runs.iter().flat_map(&of).map(|(_, value)| value).collect() };
        let (base, new) = (all(pair.base), all(pair.new));
        let some = !base.is_empty() && !new.is_empty();
        let p = welch_p(&base, &new).filter(|p| p.is_finite()).unwrap_or(1.0);
        return some.then(|| (mean(&base), mean(&new), p));
    }
    let (base, new): (Vec<f64>, Vec<f64>) = items.iter().copied().unzip();
    let differences = items.iter().map(|(b, n)| n - b).collect();
    Some((mean(&base), mean(&new), paired_p(differences).unwrap_or(1.0)))
}

/// Two-sided p of the paired t-test. Differences that are all the same leave nothing to chance.
fn paired_p(differences: Vec<f64>) -> Option<f64> {
    let sample = Sample::new(differences).ok()?;
    let (count, sd) = (sample.len() as f64, sample.sd()?);
    if sd > 0.0 {
        Some(student_t_p(sample.mean() / (sd / count.sqrt()), count - 1.0))
    } else {
        Some(if sample.mean() == 0.0 { 1.0 } else { 0.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_differences_are_no_chance_and_balanced_ones_are() {
        assert_eq!(paired_p(vec![-1.0, -1.0, -1.0]), Some(0.0));
        assert_eq!(paired_p(vec![0.0, 0.0]), Some(1.0));
        assert_eq!(paired_p(vec![2.0]), None);
        // Student's density with 5 degrees of freedom, integrated from 2.2188 on.
        assert!((paired_p(vec![1.0, 2.0, 3.0, -1.0, 0.5, 2.5]).unwrap() - 0.077_245).abs() < 1e-5);
        assert_eq!(paired_p(vec![1.0, -1.0, 1.0, -1.0]), Some(1.0));
    }
}
