//! What plugins say about themselves.

use benchhost_model::{EngineInfo, OptionKind, OptionSpec, Slot, SlotFormat, WorkloadInfo};

use crate::check::names::{distinct, kebab, prose, quoted, snake, version};
use crate::check::{Checked, ensure};

/// Most options, slots, scores or categories of one plugin; a list for people ends somewhere.
const LIST: usize = 256;

/// Checks the description of an engine adapter.
pub(crate) fn engine(info: &EngineInfo) -> Checked {
    head(&info.name, &info.version, &info.summary)?;
    prose("tested-with", &info.tested_with)?;
    let url = &info.default_url;
    ensure(url.is_empty() || url.starts_with("http://") || url.starts_with("https://"), || {
        format!("default-url {} is neither empty nor begins with `http://` or `https://`", quoted(url))
    })?;
    prose("default-url", url)?;
    key_variable(&info.key_variable)?;
    ensure(!info.routes.is_empty(), || "there is no route".to_owned())?;
    distinct("route", info.routes.iter().map(|r| r.route.as_str()))?;
    for route in &info.routes {
        ensure(route.path.starts_with('/'), || {
            format!("the path {} of route `{}` does not begin with `/`", quoted(&route.path), route.route)
        })?;
        prose("path", &route.path)?;
    }
    let probes: Vec<String> = info.probes.iter().map(ToString::to_string).collect();
    distinct("probe", probes.iter().map(String::as_str))?;
    options(&info.options)
}

/// Checks the description of a workload.
pub(crate) fn workload(info: &WorkloadInfo) -> Checked {
    head(&info.name, &info.version, &info.summary)?;
    ensure(info.categories.len() <= LIST, || format!("there are more than {LIST} categories"))?;
    distinct("category", info.categories.iter().map(String::as_str))?;
    for category in &info.categories {
        ensure(!category.is_empty(), || "a category has no name".to_owned())?;
        prose("category", category)?;
    }
    ensure(info.slots.len() <= LIST, || format!("there are more than {LIST} slots"))?;
    distinct("slot", info.slots.iter().map(|s| s.name.as_str()))?;
    info.slots.iter().try_for_each(slot)?;
    ensure(info.scores.len() <= LIST, || format!("there are more than {LIST} scores"))?;
    distinct("score", info.scores.iter().map(|s| s.name.as_str()))?;
    for score in &info.scores {
        snake("score", &score.name)?;
        prose("help of a score", &score.help)?;
    }
    options(&info.options)
}

fn head(name: &str, version_text: &str, summary: &str) -> Checked {
    kebab("name", name)?;
    version(version_text)?;
    ensure(!summary.trim().is_empty(), || "summary is empty".to_owned())?;
    prose("summary", summary)
}

/// A name as shells accept it; the host reads that variable and nothing else for this plugin.
fn key_variable(name: &str) -> Checked {
    let legal = name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.len() <= 64;
    ensure(legal, || format!("key-variable {} is not the name of an environment variable", quoted(name)))
}

fn options(options: &[OptionSpec]) -> Checked {
    ensure(options.len() <= LIST, || format!("there are more than {LIST} options"))?;
    distinct("option", options.iter().map(|o| o.name.as_str()))?;
    for option in options {
        kebab("option", &option.name)?;
        prose("help of an option", &option.help)?;
        prose("default of an option", &option.default)?;
        if let OptionKind::Choice(words) = &option.kind {
            ensure(!words.is_empty(), || format!("option `{}` offers no choice", option.name))?;
            distinct("choice", words.iter().map(String::as_str))?;
            words.iter().try_for_each(|w| prose("choice", w))?;
        }
        if !option.default.is_empty() {
            option
                .kind
                .check(&option.default)
                .map_err(|e| format!("the default of option `{}`: {e}", option.name))?;
        }
    }
    Ok(())
}

fn slot(slot: &Slot) -> Checked {
    kebab("slot", &slot.name)?;
    prose("licence of a slot", &slot.licence)?;
    prose("origin of a slot", &slot.origin)?;
    prose("help of a slot", &slot.help)?;
    match &slot.format {
        SlotFormat::Json(pointer) => ensure(pointer.is_empty() || pointer.starts_with('/'), || {
            format!("slot `{}`: {} is not a JSON Pointer", slot.name, quoted(pointer))
        }),
        SlotFormat::Csv | SlotFormat::Jsonl | SlotFormat::Lines => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use benchhost_model::{Route, RouteInfo, ScoreSpec};

    use super::*;

    fn good() -> EngineInfo {
        let route = RouteInfo {
            route: Route::Chat,
            path: "/v1/chat/completions".into(),
            exact_output: true,
            token_prompts: false,
            cache_bypass: false,
            counts_per_event: false,
            reports_usage: true,
        };
        EngineInfo {
            name: "mine".into(),
            version: "0.1.0".into(),
            summary: "An engine.".into(),
            tested_with: String::new(),
            default_url: "http://127.0.0.1:8000".into(),
            key_variable: "MY_KEY".into(),
            routes: vec![route],
            probes: vec![],
            options: vec![],
        }
    }

    fn option(kind: OptionKind, default: &str) -> OptionSpec {
        OptionSpec { name: "an-option".into(), kind, default: default.into(), help: String::new() }
    }

    #[test]
    fn a_complete_description_passes() {
        assert_eq!(engine(&good()), Ok(()));
    }

    type Change = fn(&mut EngineInfo);

    #[test]
    fn each_broken_rule_is_named() {
        let cases: [(&str, Change); 9] = [
            ("name `My Engine`", |i| i.name = "My Engine".into()),
            ("version `1`", |i| i.version = "1".into()),
            ("summary is empty", |i| i.summary = " ".into()),
            ("default-url `ftp://x`", |i| i.default_url = "ftp://x".into()),
            ("key-variable `$(rm)`", |i| i.key_variable = "$(rm)".into()),
            ("there is no route", |i| i.routes.clear()),
            ("route `chat` is there twice", |i| i.routes = [i.routes.clone(), i.routes.clone()].concat()),
            ("default of option `an-option`: `x` is not a whole number", |i| {
                i.options = vec![option(OptionKind::Count, "x")];
            }),
            ("offers no choice", |i| i.options = vec![option(OptionKind::Choice(vec![]), "")]),
        ];
        for (message, change) in cases {
            let mut info = good();
            change(&mut info);
            let error = engine(&info).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn a_workload_names_its_scores_and_slots_well() {
        let info = WorkloadInfo {
            name: "w".into(),
            version: "0.1.0".into(),
            summary: "Items.".into(),
            categories: vec![],
            slots: vec![],
            options: vec![],
            scores: vec![ScoreSpec { name: "Exact".into(), higher_is_better: true, help: String::new() }],
            needs_tokens: false,
        };
        assert!(workload(&info).unwrap_err().contains("score `Exact` is not snake_case"));
        let slot = Slot {
            name: "data".into(),
            format: SlotFormat::Json("rows".into()),
            licence: String::new(),
            origin: String::new(),
            help: String::new(),
        };
        let info = WorkloadInfo { scores: vec![], slots: vec![slot], ..info };
        assert!(workload(&info).unwrap_err().contains("`rows` is not a JSON Pointer"));
    }
}
