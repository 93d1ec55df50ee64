//! Which rows of two results belong together, and whether they may be set side by side at all.

use std::collections::{BTreeMap, BTreeSet};

use benchhost_model::{LoadPoint, Record};

use crate::error::{CliError, CliResult};
use crate::ui::plural;

/// `ENGINE` or `ENGINE/VARIANT`.
#[derive(Debug, Clone)]
pub(super) struct Selection {
    engine: String,
    variant: Option<String>,
}

impl Selection {
    pub(super) fn parse(text: Option<&str>) -> Option<Self> {
        let text = text?;
        Some(match text.split_once('/') {
            Some((engine, variant)) => Self { engine: engine.into(), variant: Some(variant.into()) },
            None => Self { engine: text.into(), variant: None },
        })
    }

    fn takes(&self, pick: &Pick) -> bool {
        self.engine == pick.engine && self.variant.as_ref().is_none_or(|v| *v == pick.variant)
    }
}

/// One configuration of a result.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pick {
    engine: String,
    variant: String,
}

impl Pick {
    fn of(record: &Record) -> Self {
        Self { engine: record.engine.clone(), variant: record.variant.clone() }
    }

    pub(super) fn engine(&self) -> &str {
        &self.engine
    }

    pub(super) fn variant(&self) -> &str {
        &self.variant
    }

    /// For people.
    pub(super) fn title(&self) -> String {
        if self.variant.is_empty() {
            self.engine.clone()
        } else {
            format!("{} · {}", self.engine, self.variant)
        }
    }
}

/// The configuration each side stands for. A result with several needs a selection, unless the other side has exactly
/// one and this side has the same.
pub(super) fn pick(
    base: &[Record],
    new: &[Record],
    base_wish: Option<Selection>,
    new_wish: Option<Selection>,
) -> CliResult<(Pick, Pick)> {
    let all = |records: &[Record]| records.iter().map(Pick::of).collect::<BTreeSet<_>>();
    let (base_all, new_all) = (all(base), all(new));
    let chosen = |side: &str, wish: Option<Selection>, have: &BTreeSet<Pick>, other: &BTreeSet<Pick>| {
        let fitting: Vec<&Pick> = have.iter().filter(|p| wish.as_ref().is_none_or(|w| w.takes(p))).collect();
        let titles =
            || have.iter().map(|p| format!("`{}/{}`", p.engine, p.variant)).collect::<Vec<_>>().join(", ");
        match fitting[..] {
            [one] => Ok(one.clone()),
            [] => Err(CliError::not_comparable(format!("the {side} result has no such engine"))
                .hint(format!("it has {}", titles()))),
            _ => match other.iter().collect::<Vec<_>>()[..] {
                [only] if wish.is_none() && have.contains(only) => Ok(only.clone()),
                _ => Err(CliError::not_comparable(format!("the {side} result holds several configurations"))
                    .because(titles())
                    .hint(format!("choose one with `--select-{side} ENGINE/VARIANT`"))),
            },
        }
    };
    Ok((chosen("base", base_wish, &base_all, &new_all)?, chosen("new", new_wish, &new_all, &base_all)?))
}

/// One workload and load point on both sides.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub(super) workload: String,
    pub(super) load: LoadPoint,
    pub(super) base: Runs<'a>,
    pub(super) new: Runs<'a>,
}

impl Group<'_> {
    pub(super) fn heading(&self) -> String {
        format!("{} · {}", self.workload, self.load)
    }
}

/// The rows of one side by replicate.
#[derive(Debug)]
pub(super) struct Runs<'a> {
    /// All of them. Rates are made of these: a server that works on an item is busy, whatever the other side was sent.
    pub(super) all: Vec<Vec<&'a Record>>,
    /// Those of items that the other side was sent too. Everything else is made of these.
    pub(super) shared: Vec<Vec<&'a Record>>,
}

impl<'a> Runs<'a> {
    fn new(all: Vec<Vec<&'a Record>>) -> Self {
        Self { shared: all.clone(), all }
    }

    fn items(&self) -> BTreeSet<&'a str> {
        self.all.iter().flatten().map(|r| r.item.as_str()).collect()
    }

    fn keep(&mut self, items: &BTreeSet<&str>) {
        for run in &mut self.shared {
            run.retain(|r| items.contains(r.item.as_str()));
        }
    }

    fn models(&self) -> BTreeSet<&'a str> {
        self.all.iter().flatten().map(|r| r.model.as_str()).collect()
    }

    /// What was asked for each shared item and turn. A request that was never built or sent asked for nothing.
    fn asked(&self, of: fn(&Record) -> Option<u32>) -> BTreeMap<(&'a str, u32), BTreeSet<u32>> {
        let mut asked: BTreeMap<_, BTreeSet<u32>> = BTreeMap::new();
        for record in self.shared.iter().flatten() {
            if let Some(tokens) = of(record) {
                asked.entry((record.item.as_str(), record.turn)).or_default().insert(tokens);
            }
        }
        asked
    }
}

/// The groups both sides have, and what was left out.
#[derive(Debug)]
pub(super) struct Matched<'a> {
    pub(super) groups: Vec<Group<'a>>,
    pub(super) notes: Vec<String>,
}

type Replicates<'a> = BTreeMap<(&'a str, u32), Vec<&'a Record>>;

/// Matches by workload and load; refuses other items, other lengths and, unless asked for, other models. Items that only
/// one side was sent are left out, see [`share_items`].
pub(super) fn matched<'a>(
    base: &'a [Record],
    base_pick: &Pick,
    new: &'a [Record],
    new_pick: &Pick,
    across_models: bool,
) -> CliResult<Matched<'a>> {
    let (base, new) = (grouped(base, base_pick), grouped(new, new_pick));
    let mut out = Matched { groups: Vec::new(), notes: Vec::new() };
    for (key, base_runs) in &base {
        let Some(new_runs) = new.get(key) else {
            out.notes.push(format!("only the base has {} {}", key.0, key.1));
            continue;
        };
        let load = base_runs.values().flatten().next().map(|r| r.load);
        let Some(load) = load else { continue };
        let mut group = Group {
            workload: key.0.clone(),
            load,
            base: Runs::new(base_runs.values().cloned().collect()),
            new: Runs::new(new_runs.values().cloned().collect()),
        };
        share_items(&mut group, &mut out.notes)?;
        check_asked(&group, across_models, &mut out.notes)?;
        check_models(&group, across_models, &mut out.notes)?;
        out.groups.push(group);
    }
    out.notes.extend(
        new.keys()
            .filter(|k| !base.contains_key(*k))
            .map(|k| format!("only the new result has {} {}", k.0, k.1)),
    );
    if out.groups.is_empty() {
        let loads = |side: &BTreeMap<(String, String), Replicates<'_>>| {
            side.keys().map(|(w, l)| format!("{w} {l}")).collect::<Vec<_>>().join(", ")
        };
        return Err(CliError::not_comparable("the results have no workload and load point in common")
            .because(format!("base: {}", loads(&base)))
            .because(format!("new: {}", loads(&new))));
    }
    out.groups.sort_by(|a, b| a.workload.cmp(&b.workload).then(a.load.value().total_cmp(&b.load.value())));
    Ok(out)
}

fn grouped<'a>(records: &'a [Record], pick: &Pick) -> BTreeMap<(String, String), Replicates<'a>> {
    let mut groups: BTreeMap<(String, String), Replicates<'a>> = BTreeMap::new();
    for record in records.iter().filter(|r| Pick::of(r) == *pick) {
        let key = (record.workload.clone(), record.load.to_string());
        groups.entry(key).or_default().entry((&record.run_id, record.repeat)).or_default().push(record);
    }
    groups
}

/// The part of the smaller side's items that both must have. Below it the sides were sent different things, and what is
/// left would be a choice of items that nobody made. Runs of a fixed time get as far as the server lets them, so one side
/// then holds all items of the other and this part is 1.
const FEWEST_SHARED: f64 = 0.8;

/// Leaves out the items that only one side was sent and says so; refuses if too few are shared.
fn share_items(group: &mut Group<'_>, notes: &mut Vec<String>) -> CliResult<()> {
    let place = group.heading();
    let (base, new) = (group.base.items(), group.new.items());
    if base == new {
        return Ok(());
    }
    let shared: BTreeSet<&str> = base.intersection(&new).copied().collect();
    if (shared.len() as f64) < base.len().min(new.len()) as f64 * FEWEST_SHARED {
        return Err(CliError::not_comparable(format!("{place}: the sides were sent different items"))
            .because(format!("base {}, new {}, in common {}", base.len(), new.len(), shared.len()))
            .hint("measure both with the same workload, data, `--seed` and `--requests`"));
    }
    group.base.keep(&shared);
    group.new.keep(&shared);
    let left_out = [(base.len() - shared.len(), "base"), (new.len() - shared.len(), "new")];
    let left_out: Vec<String> = left_out
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, side)| format!("{} of the {side} side", plural(*n as u64, "item")))
        .collect();
    notes.push(format!(
        "{place}: {} in common are compared, {} left out; rates count all requests",
        plural(shared.len() as u64, "item"),
        left_out.join(" and ")
    ));
    Ok(())
}

/// Items and turns that both sides asked for must have asked for as many tokens.
fn check_asked(group: &Group<'_>, across_models: bool, notes: &mut Vec<String>) -> CliResult<()> {
    let place = group.heading();
    let differs = |of: fn(&Record) -> Option<u32>| {
        let (base, new) = (group.base.asked(of), group.new.asked(of));
        base.iter().any(|(turn, tokens)| new.get(turn).is_some_and(|other| other != tokens))
    };
    if differs(|r| r.output_tokens_asked) {
        return Err(CliError::not_comparable(format!(
            "{place}: the sides asked for answers of different lengths"
        ))
        .hint("measure both with the same `--max-tokens` and workload options"));
    }
    if differs(|r| r.input_tokens_asked) {
        // Another model may have another tokenizer, by which the same text has another length.
        if !across_models {
            return Err(CliError::not_comparable(format!(
                "{place}: the sides were sent prompts of different lengths"
            ))
            .hint("measure both with the same workload options, data and tokenizer"));
        }
        notes.push(format!("{place}: the prompts have different lengths in tokens"));
    }
    Ok(())
}

fn check_models(group: &Group<'_>, across_models: bool, notes: &mut Vec<String>) -> CliResult<()> {
    let (base, new) = (group.base.models(), group.new.models());
    if base == new {
        return Ok(());
    }
    let list = |set: &BTreeSet<&str>| set.iter().copied().collect::<Vec<_>>().join(", ");
    if !across_models {
        return Err(CliError::not_comparable(format!("{}: the models differ", group.heading()))
            .because(format!("base: {}", list(&base)))
            .because(format!("new: {}", list(&new)))
            .hint("if that is what you want to compare, add `--across-models`"));
    }
    notes.push(format!("different models: {} against {}", list(&base), list(&new)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(items: std::ops::Range<u32>) -> Vec<Record> {
        items.map(|i| Record { item: format!("i{i}"), ..Record::blank() }).collect()
    }

    fn try_match<T>(
        base: &[Record],
        new: &[Record],
        across: bool,
        look: impl Fn(&Matched<'_>) -> T,
    ) -> Result<T, String> {
        let pick = Pick::of(&Record::blank());
        matched(base, &pick, new, &pick, across).map(|m| look(&m)).map_err(|e| e.to_string())
    }

    #[test]
    fn a_side_that_got_further_is_compared_on_what_both_were_sent() {
        for (base, new) in [(sent(0..100), sent(0..10)), (sent(0..10), sent(0..100))] {
            let (rows, all, notes) = try_match(&base, &new, false, |m| {
                let group = &m.groups[0];
                let rows = (group.base.shared[0].len(), group.new.shared[0].len());
                (rows, group.base.all[0].len() + group.new.all[0].len(), m.notes.clone())
            })
            .unwrap();
            assert_eq!((rows, all), ((10, 10), 110));
            assert!(
                notes[0].contains("10 items in common") && notes[0].contains("90 items of the"),
                "{notes:?}"
            );
        }
        assert!(try_match(&sent(0..9), &sent(0..9), false, |m| m.notes.clone()).unwrap().is_empty());
    }

    #[test]
    fn crossing_items_are_compared_from_four_in_five_on() {
        let (rows, notes) = try_match(&sent(0..10), &sent(2..13), false, |m| {
            (m.groups[0].new.shared[0].len(), m.notes.clone())
        })
        .unwrap();
        assert_eq!(rows, 8);
        assert!(notes[0].contains("2 items of the base side and 3 items of the new side"), "{notes:?}");
        for new in [sent(3..13), sent(50..60)] {
            assert!(try_match(&sent(0..10), &new, false, |_| ()).unwrap_err().contains("different items"));
        }
    }

    #[test]
    fn lengths_asked_are_compared_where_both_sides_asked() {
        let asking = |input: Option<u32>, output: Option<u32>| {
            let mut rows = sent(0..3);
            for row in &mut rows {
                (row.input_tokens_asked, row.output_tokens_asked) = (input, output);
            }
            rows
        };
        let base = asking(Some(100), Some(10));
        let notes = |new: &[Record], across| try_match(&base, new, across, |m| m.notes.clone());
        assert_eq!(notes(&asking(Some(100), None), false), Ok(vec![]));
        assert!(
            notes(&asking(Some(100), Some(11)), true).unwrap_err().contains("answers of different lengths")
        );
        assert!(
            notes(&asking(Some(101), Some(10)), false).unwrap_err().contains("prompts of different lengths")
        );
        assert!(notes(&asking(Some(101), Some(10)), true).unwrap()[0].contains("different lengths"));
        let mut one_unbuilt = asking(Some(100), Some(10));
        (one_unbuilt[1].input_tokens_asked, one_unbuilt[1].output_tokens_asked) = (None, None);
        assert_eq!(notes(&one_unbuilt, false), Ok(vec![]));
    }
}
