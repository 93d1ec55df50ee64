//! What the same prompt took on both sides: how many got slower, by how much the middle one did, and which suffered most.
//!
//! A prompt's value is the mean logarithm over the runs of a side. Under load, prompts of one run disturb each other, so
//! this describes and never decides. Knows one pair.

use benchhost_stats::{Confidence, signed_rank};

use crate::detail::{Curve, thinned};
use crate::gather::{Group, Sheet};
use crate::pair::Pair;
use crate::request::Column;

/// Prompts that are named.
const WORST: usize = 5;
/// Prompts whose changes are ranked against one another; the middle of more is no better known by them all.
const MOST_RANKED: usize = 100_000;

/// One prompt on both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// Its item; empty: the name was not kept.
    pub item: String,
    /// Turn of a dialogue, from 0.
    pub turn: u32,
    /// Geometric mean over the runs of the base, in ms.
    pub base: f64,
    /// The same of the new side.
    pub new: f64,
    /// New over base minus 1.
    pub change: f64,
}

/// All prompts that both sides answered.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Prompts {
    /// How many there are.
    pub pairs: usize,
    /// Slower by at least the margin.
    pub slower: usize,
    /// Faster by at least the margin, that is by a factor of 1/(1 + margin).
    pub faster: usize,
    /// The smallest relative change that is counted.
    pub margin: f64,
    /// Hodges and Lehmann's middle change, a share of the base.
    pub change: f64,
    /// Its 90 % interval, or none for few prompts.
    pub interval: Option<(f64, f64)>,
    /// Wilcoxon's signed-rank test.
    pub p: f64,
    /// Those that got slowest, the worst first; none that got faster.
    pub worst: Vec<Prompt>,
    /// Distribution of the changes.
    pub changes: Curve,
    /// Why there are no pairs; empty: there are.
    pub why_none: String,
}

impl Prompts {
    pub(crate) fn none(why: &str) -> Self {
        Self { why_none: why.to_owned(), ..Self::default() }
    }
}

/// An item and a turn.
type Key = (u64, u32);

/// Mean logarithms, sorted by item and turn.
fn logs(pair: &Pair<'_>, group: &Group, column: Column) -> Vec<(Key, f64)> {
    let requests = group.runs.iter().flat_map(|run| pair.requests(run));
    let positive =
        requests.filter_map(|r| Some(((r.item, r.turn), r.latency(column).filter(|v| *v > 0.0)?.ln())));
    let mut all: Vec<(Key, f64)> = positive.collect();
    all.sort_unstable_by_key(|(key, _)| *key);
    let mean =
        |same: &[(Key, f64)]| (same[0].0, same.iter().map(|(_, log)| log).sum::<f64>() / same.len() as f64);
    all.chunk_by(|a, b| a.0 == b.0).map(mean).collect()
}

/// Those of both sides, each with the logarithms of base and new.
fn both(base: &[(Key, f64)], new: &[(Key, f64)]) -> Vec<(Key, f64, f64)> {
    let mut rest = new.iter().peekable();
    let matching = base.iter().filter_map(|(key, b)| {
        while rest.next_if(|(other, _)| other < key).is_some() {}
        rest.next_if(|(other, _)| other == key).map(|(_, n)| (*key, *b, *n))
    });
    matching.collect()
}

/// At most [`MOST_RANKED`] of them, evenly over hashes, which say nothing of the values.
fn thinned_out(differences: &[f64]) -> Vec<f64> {
    let step = differences.len().div_ceil(MOST_RANKED).max(1);
    differences.iter().step_by(step).copied().collect()
}

/// Compares prompt by prompt.
pub(crate) fn prompts(pair: &Pair<'_>, column: Column, margin: f64, named: &Sheet) -> Prompts {
    let (base, new) = (logs(pair, pair.base, column), logs(pair, pair.new, column));
    let mut both = both(&base, &new);
    let differences: Vec<f64> = both.iter().map(|(_, b, n)| n - b).collect();
    let Ok(found) = signed_rank(thinned_out(&differences), Confidence::P90) else {
        return Prompts::none("no prompt was answered by both sides");
    };
    let limit = margin.ln_1p();
    both.sort_unstable_by(|a, b| (b.2 - b.1).total_cmp(&(a.2 - a.1)));
    let worst = both.iter().take(WORST).filter(|(_, b, n)| n > b).map(|((item, turn), b, n)| Prompt {
        item: named.names.of(*item).unwrap_or_default().to_owned(),
        turn: *turn,
        base: b.exp(),
        new: n.exp(),
        change: (n - b).exp_m1(),
    });
    Prompts {
        pairs: both.len(),
        slower: differences.iter().filter(|d| **d >= limit).count(),
        faster: differences.iter().filter(|d| **d <= -limit).count(),
        margin,
        change: found.shift.exp_m1(),
        interval: found.interval.ok().map(|i| (i.low.exp_m1(), i.high.exp_m1())),
        p: found.p,
        worst: worst.collect(),
        changes: thinned(differences.iter().map(|d| d.exp_m1()).collect()),
        why_none: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_both_sides_have_is_paired() {
        let side = |keys: &[u64]| -> Vec<(Key, f64)> { keys.iter().map(|k| ((*k, 0), *k as f64)).collect() };
        let found = both(&side(&[1, 3, 5, 9]), &side(&[0, 3, 4, 5, 6]));
        assert_eq!(found.iter().map(|((item, _), ..)| *item).collect::<Vec<_>>(), [3, 5]);
        assert!(both(&side(&[]), &side(&[1])).is_empty() && both(&side(&[1]), &side(&[])).is_empty());
    }

    #[test]
    fn many_changes_are_thinned_evenly() {
        assert_eq!(thinned_out(&vec![1.0; MOST_RANKED]).len(), MOST_RANKED);
        assert_eq!(thinned_out(&vec![1.0; MOST_RANKED + 1]).len(), MOST_RANKED / 2 + 1);
        assert!(thinned_out(&[]).is_empty());
    }
}
