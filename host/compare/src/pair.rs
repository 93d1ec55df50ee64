//! One workload and load on both sides, and which of the items they share. Knows groups; not how figures are judged.

use benchhost_model::{LoadPoint, Steadiness};

use crate::comparable::{Allowed, Aspect};
use crate::config::Config;
use crate::gather::{Group, Run, Sheet};
use crate::refusal::Refusal;
use crate::request::Request;

/// The part of the smaller side's items that both must have. Below it the sides were sent different things, and what is
/// left would be a choice of items that nobody made. Runs of a fixed time get as far as the server lets them, so one
/// side then holds all items of the other and this part is 1.
const FEWEST_SHARED: f64 = 0.8;

/// Two groups under the same conditions.
#[derive(Debug)]
pub(crate) struct Pair<'a> {
    pub(crate) base: &'a Group,
    pub(crate) new: &'a Group,
    /// Sorted items that both have; `None`: all are.
    pub(crate) shared: Option<Vec<u64>>,
    /// Runs are paired: the i-th of both were made together.
    pub(crate) blocks: bool,
}

/// The pairs that there are, and what was left out, in words.
#[derive(Debug)]
pub(crate) struct Pairs<'a> {
    pub(crate) list: Vec<Pair<'a>>,
    pub(crate) notes: Vec<String>,
}

/// Which parts of two groups must agree to be a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Matching {
    /// Workloads are what is compared.
    pub(crate) across_workloads: bool,
    /// Runs with the same id and repeat were made together.
    pub(crate) interleaved: bool,
    /// Items have names that mean something: false for files of other tools.
    pub(crate) items_known: bool,
}

/// Pairs the groups of two configurations.
pub(crate) fn pairs<'a>(
    (base, base_config): (&'a Sheet, &Config),
    (new, new_config): (&'a Sheet, &Config),
    matching: Matching,
    allowed: &Allowed,
) -> Result<Pairs<'a>, Refusal> {
    let of = |sheet: &'a Sheet, config: &Config| -> Vec<&'a Group> {
        sheet.groups.iter().filter(|g| g.config == *config).collect()
    };
    let (base, new) = (of(base, base_config), of(new, new_config));
    let same = |a: &Group, b: &Group| {
        a.load.key() == b.load.key() && (matching.across_workloads || a.workload == b.workload)
    };
    let mut out = Pairs { list: Vec::new(), notes: Vec::new() };
    for group in &base {
        let Some(other) = new.iter().find(|n| same(group, n)) else {
            out.notes.push(format!("only the base has {}", group.heading()));
            continue;
        };
        let shared = if matching.items_known { shared(group, other, allowed, &mut out.notes)? } else { None };
        let blocks = matching.interleaved && pair_up(group, other);
        out.list.push(Pair { base: group, new: other, shared, blocks });
    }
    let alone = new.iter().filter(|n| !base.iter().any(|b| same(b, n)));
    out.notes.extend(alone.map(|g| format!("only the new result has {}", g.heading())));
    if out.list.is_empty() {
        let loads = |side: &[&Group]| side.iter().map(|g| g.heading()).collect::<Vec<_>>().join(", ");
        return Err(Refusal::new("the results have no workload and load point in common")
            .because(format!("base: {}", loads(&base)))
            .because(format!("new: {}", loads(&new))));
    }
    let place = |load: LoadPoint| load.key();
    out.list.sort_by(|a, b| {
        a.base
            .workload
            .cmp(&b.base.workload)
            .then(place(a.base.load).0.cmp(&place(b.base.load).0))
            .then(a.base.load.value().total_cmp(&b.base.load.value()))
    });
    Ok(out)
}

/// Whether each run of one side has its counterpart on the other.
fn pair_up(base: &Group, new: &Group) -> bool {
    base.runs.len() == new.runs.len()
        && base.runs.iter().zip(&new.runs).all(|(a, b)| (&a.run_id, a.repeat) == (&b.run_id, b.repeat))
}

fn items(group: &Group) -> Vec<u64> {
    let mut items: Vec<u64> = group.runs.iter().flat_map(|run| run.requests.iter().map(|r| r.item)).collect();
    items.sort_unstable();
    items.dedup();
    items
}

/// The items of both; `None` where they are the same. Refuses if too few are.
fn shared(
    base: &Group,
    new: &Group,
    allowed: &Allowed,
    notes: &mut Vec<String>,
) -> Result<Option<Vec<u64>>, Refusal> {
    let place = base.heading();
    let (of_base, of_new) = (items(base), items(new));
    if of_base == of_new {
        return Ok(None);
    }
    let shared: Vec<u64> =
        of_base.iter().copied().filter(|item| of_new.binary_search(item).is_ok()).collect();
    if (shared.len() as f64) < of_base.len().min(of_new.len()) as f64 * FEWEST_SHARED {
        if allowed.has(Aspect::Items) {
            notes.push(format!("{place}: the sides were sent different items; all are compared"));
            return Ok(None);
        }
        return Err(Refusal::new(format!("{place}: the sides were sent different items"))
            .because(format!("base {}, new {}, in common {}", of_base.len(), of_new.len(), shared.len()))
            .hint("measure both with the same workload, data, `--seed` and `--requests`")
            .hint("if that is what you mean to compare, add `--allow items`"));
    }
    let left = |have: usize, side: &str| {
        let n = have - shared.len();
        (n > 0).then(|| format!("{n} item{} of the {side} side", if n == 1 { "" } else { "s" }))
    };
    let left: Vec<String> =
        [left(of_base.len(), "base"), left(of_new.len(), "new")].into_iter().flatten().collect();
    notes.push(format!(
        "{place}: {} items in common are compared, {} left out; rates count all requests",
        shared.len(),
        left.join(" and ")
    ));
    Ok(Some(shared))
}

impl Pair<'_> {
    /// A run of either side met a load that its server could not keep up with.
    pub(crate) fn saturated(&self) -> bool {
        let runs = self.base.runs.iter().chain(&self.new.runs);
        runs.into_iter().any(|r| r.summary.steady.verdict == Steadiness::Saturated)
    }

    /// The requests of a run that are compared.
    pub(crate) fn requests<'r>(&'r self, run: &'r Run) -> impl Iterator<Item = &'r Request> {
        run.requests.iter().filter(|r| self.takes(r.item))
    }

    pub(crate) fn takes(&self, item: u64) -> bool {
        self.shared.as_ref().is_none_or(|shared| shared.binary_search(&item).is_ok())
    }

    /// Items and turns that both sides asked for must have asked for as many tokens.
    pub(crate) fn check_asked(&self, allowed: &Allowed, notes: &mut Vec<String>) -> Result<(), Refusal> {
        let place = self.base.heading();
        if differ(&self.asked(self.base, |r| r.asked_output), &self.asked(self.new, |r| r.asked_output)) {
            if !allowed.has(Aspect::Lengths) {
                return Err(Refusal::new(format!(
                    "{place}: the sides asked for answers of different lengths"
                ))
                .hint("measure both with the same `--max-tokens` and workload options")
                .hint("if that is what you mean to compare, add `--allow lengths`"));
            }
            notes.push(format!("{place}: the sides asked for answers of different lengths"));
        }
        if differ(&self.asked(self.base, |r| r.asked_input), &self.asked(self.new, |r| r.asked_input)) {
            // Another model may have another tokenizer, by which the same text has another length.
            if !(allowed.has(Aspect::Model) || allowed.has(Aspect::Lengths)) {
                return Err(Refusal::new(format!(
                    "{place}: the sides were sent prompts of different lengths"
                ))
                .hint("measure both with the same workload options, data and tokenizer")
                .hint("if that is what you mean to compare, add `--allow lengths`"));
            }
            notes.push(format!("{place}: the prompts have different lengths in tokens"));
        }
        Ok(())
    }

    /// Item, turn and tokens, sorted, each once. A request that was never built or sent asked for nothing.
    fn asked(&self, group: &Group, of: fn(&Request) -> Option<u32>) -> Vec<(u64, u32, u32)> {
        let requests = group.runs.iter().flat_map(|run| self.requests(run));
        let mut asked: Vec<_> = requests.filter_map(|r| Some((r.item, r.turn, of(r)?))).collect();
        asked.sort_unstable();
        asked.dedup();
        asked
    }

    /// For each item that both sides answered: the mean of `of` over the answers of either side.
    pub(crate) fn by_item(&self, of: impl Fn(&Run) -> Vec<(u64, f64)>) -> Vec<(f64, f64)> {
        let means = |group: &Group| -> Vec<(u64, f64)> {
            let answers = group.runs.iter().flat_map(&of).filter(|(item, _)| self.takes(*item));
            let mut answers: Vec<(u64, f64)> = answers.collect();
            // Stable: answers to the same item are added up in the order in which they were given.
            answers.sort_by_key(|(item, _)| *item);
            let of_item = |same: &[(u64, f64)]| {
                let sum = same.iter().fold(0.0, |sum, (_, value)| sum + value);
                (same[0].0, sum / same.len() as f64)
            };
            answers.chunk_by(|a, b| a.0 == b.0).map(of_item).collect()
        };
        let (base, new) = (means(self.base), means(self.new));
        let mut others = new.into_iter().peekable();
        let shared = base.into_iter().filter_map(|(item, mean)| {
            while others.next_if(|(other, _)| *other < item).is_some() {}
            others.next_if(|(other, _)| *other == item).map(|(_, other)| (mean, other))
        });
        shared.collect()
    }
}

/// Whether an item and turn of both sides has other tokens; both sorted.
fn differ(base: &[(u64, u32, u32)], new: &[(u64, u32, u32)]) -> bool {
    let key = |e: &(u64, u32, u32)| (e.0, e.1);
    base.chunk_by(|a, b| key(a) == key(b)).any(|own| {
        let from = new.partition_point(|e| key(e) < key(&own[0]));
        let until = new.partition_point(|e| key(e) <= key(&own[0]));
        from < until && new[from..until] != *own
    })
}
