//! Whether the runs of one side are repeats of one another: they must follow the same plan against the same server. Reads
//! what stands beside the rows; judges nothing else.

use std::collections::BTreeSet;

use benchhost_compare::{Allowed, Aspect, Fact};

use super::facts::{self, plain};
use super::source::Source;
use crate::error::{CliError, CliResult};

/// Keys of a plan in which repeats may differ: where a run went, and what drew its items.
const FREE: [&str; 2] = ["seed", "out"];
/// Keys of an engine in which they may.
const FREE_OF_ENGINE: [&str; 1] = ["url"];
/// Facts in which they may: the seed again, and the patch of the program.
const FREE_FACTS: [&str; 2] = ["seed", "benchhost"];

/// Refuses a side whose runs are no repeats, naming what differs.
pub(super) fn check(source: &Source, allowed: &Allowed) -> CliResult<()> {
    if allowed.has(Aspect::Setup) {
        return Ok(());
    }
    let Some((first, others)) = source.paths.split_first() else { return Ok(()) };
    for other in others {
        let mut found = differing_plans(facts::plan_of(first), facts::plan_of(other));
        for config in source.sheet.configs() {
            let (a, b) = (facts::of(first, config), facts::of(other, config));
            found.extend(differing_facts(&a, &b));
        }
        if !found.is_empty() {
            found.sort();
            found.dedup();
            let name = |path: &std::path::Path| {
                path.parent().unwrap_or(path).file_name().unwrap_or_default().to_string_lossy().into_owned()
            };
            let message = format!(
                "the runs in `{}` are no repeats of one another: `{}` and `{}` differ",
                source.name(),
                name(first),
                name(other)
            );
            let error = found.into_iter().take(5).fold(CliError::not_comparable(message), CliError::because);
            return Err(error
                .hint(
                    "keep one directory for each configuration, and give the runs one by one to compare them",
                )
                .hint("if they are meant to be one side, add `--allow setup`"));
        }
    }
    Ok(())
}

/// Keys of which either has another value.
fn differing_plans(a: Option<toml::Table>, b: Option<toml::Table>) -> Vec<String> {
    let (Some(a), Some(b)) = (a.map(stripped), b.map(stripped)) else { return Vec::new() };
    let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let value = |table: &toml::Table, key: &str| table.get(key).map_or("not set".to_owned(), short);
    keys.into_iter()
        .filter(|key| a.get(*key) != b.get(*key))
        .map(|key| format!("plan, {key}: `{}`, `{}`", value(&a, key), value(&b, key)))
        .collect()
}

/// At most so many letters that a line can be read.
fn short(value: &toml::Value) -> String {
    const MOST: usize = 60;
    let text = plain(value);
    if text.chars().count() > MOST { text.chars().take(MOST).chain(['…']).collect() } else { text }
}

fn stripped(mut plan: toml::Table) -> toml::Table {
    plan.retain(|key, _| !FREE.contains(&key));
    if let Some(toml::Value::Array(engines)) = plan.get_mut("engine") {
        for engine in engines.iter_mut().filter_map(toml::Value::as_table_mut) {
            engine.retain(|key, _| !FREE_OF_ENGINE.contains(&key));
        }
    }
    plan
}

/// Facts of both that differ. Machines may: what differs between them is between runs.
fn differing_facts(a: &[Fact], b: &[Fact]) -> Vec<String> {
    let counts = |fact: &&Fact| fact.aspect != Aspect::Hardware && !FREE_FACTS.contains(&fact.name.as_str());
    a.iter()
        .filter(counts)
        .filter_map(|fact| {
            let other = b.iter().find(|o| (o.aspect, &o.name) == (fact.aspect, &fact.name))?;
            (other.value != fact.value).then(|| format!("{}: `{}`, `{}`", fact.name, fact.value, other.value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_may_differ_in_seed_and_address_alone() {
        let plan = |text: &str| Some(text.parse::<toml::Table>().unwrap());
        let base = "seed = 1\nrequests = 10\n[[engine]]\nplugin = \"vllm\"\nurl = \"http://a\"\n";
        let same = plan("seed = 2\nrequests = 10\n[[engine]]\nplugin = \"vllm\"\nurl = \"http://b\"\n");
        assert!(differing_plans(plan(base), same).is_empty());
        let other = plan("requests = 20\nbursty = true\n[[engine]]\nplugin = \"sglang\"\n");
        let found = differing_plans(plan(base), other);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found.contains(&"plan, requests: `10`, `20`".to_owned()), "{found:?}");
        assert!(found.contains(&"plan, bursty: `not set`, `true`".to_owned()), "{found:?}");
        assert!(differing_plans(plan(base), None).is_empty());
    }
}
