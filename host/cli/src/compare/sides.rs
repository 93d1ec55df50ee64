//! Which rows of two results belong together, and whether they may be set side by side at all.

use std::collections::{BTreeMap, BTreeSet};

use benchhost_model::{LoadPoint, Record};

use crate::error::{CliError, CliResult};

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

    /// For people.
    pub(super) fn title(&self) -> String {
        if self.variant.is_empty() { self.engine.clone() } else { format!("{} · {}", self.engine, self.variant) }
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
        let titles = || have.iter().map(|p| format!("`{}/{}`", p.engine, p.variant)).collect::<Vec<_>>().join(", ");
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

/// One workload and load point on both sides: rows by replicate.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub(super) workload: String,
    pub(super) load: LoadPoint,
    pub(super) base: Vec<Vec<&'a Record>>,
    pub(super) new: Vec<Vec<&'a Record>>,
}

impl Group<'_> {
    pub(super) fn heading(&self) -> String {
        format!("{} · {}", self.workload, self.load)
    }
}

/// The groups both sides have, and what was left out.
#[derive(Debug)]
pub(super) struct Matched<'a> {
    pub(super) groups: Vec<Group<'a>>,
    pub(super) notes: Vec<String>,
}

type Replicates<'a> = BTreeMap<(&'a str, u32), Vec<&'a Record>>;

/// Matches by workload and load; refuses other items, other lengths and, unless asked for, other models.
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
        let group = Group {
            workload: key.0.clone(),
            load,
            base: base_runs.values().cloned().collect(),
            new: new_runs.values().cloned().collect(),
        };
        check(&group, across_models, &mut out.notes)?;
        out.groups.push(group);
    }
    out.notes.extend(new.keys().filter(|k| !base.contains_key(*k)).map(|k| format!("only the new result has {} {}", k.0, k.1)));
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

fn check(group: &Group<'_>, across_models: bool, notes: &mut Vec<String>) -> CliResult<()> {
    let place = group.heading();
    let facts = |side: &[Vec<&Record>]| {
        let rows = || side.iter().flatten();
        (
            rows().map(|r| r.item.clone()).collect::<BTreeSet<_>>(),
            rows().map(|r| r.model.clone()).collect::<BTreeSet<_>>(),
            // A request that was never built or sent asked for nothing.
            rows().filter_map(|r| r.output_tokens_asked.map(|n| (r.item.clone(), n))).collect::<BTreeSet<_>>(),
        )
    };
    let ((base_items, base_models, base_asked), (new_items, new_models, new_asked)) = (facts(&group.base), facts(&group.new));
    if base_items != new_items {
        let shared = base_items.intersection(&new_items).count();
        return Err(CliError::not_comparable(format!("{place}: the sides were sent different items"))
            .because(format!("base {}, new {}, in common {shared}", base_items.len(), new_items.len()))
            .hint("measure both with the same workload, data, `--seed` and `--requests`"));
    }
    if base_asked != new_asked && !base_asked.is_empty() && !new_asked.is_empty() {
        return Err(CliError::not_comparable(format!("{place}: the sides asked for answers of different lengths"))
            .hint("measure both with the same `--max-tokens` and workload options"));
    }
    if base_models != new_models {
        let list = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(", ");
        if !across_models {
            return Err(CliError::not_comparable(format!("{place}: the models differ"))
                .because(format!("base: {}", list(&base_models)))
                .because(format!("new: {}", list(&new_models)))
                .hint("if that is what you want to compare, add `--across-models`"));
        }
        notes.push(format!("different models: {} against {}", list(&base_models), list(&new_models)));
    }
    Ok(())
}
