//! What is wrong with the text of a plan, in words for people: no Rust types, and the key that was probably meant.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

use super::draft::{Draft, EngineDraft, WorkloadDraft};

/// Flags of `run` without a key: they say what one invocation prints and where it writes.
const FLAGS_ONLY: [&str; 10] =
    ["out", "format", "no-plots", "color", "throughput", "strict", "resume", "tui", "quiet", "verbose"];

/// Flags whose key has another name.
const RENAMED: [(&str, &str, &str); 3] = [
    ("engine-option", "options", "[[engine]]"),
    ("workload-option", "options", "[[workload]]"),
    ("header", "headers", "[[engine]]"),
];

/// What the parser's words for a type are called by people.
const TYPES: [(&str, &str); 13] = [
    ("expected a boolean", "expected true or false"),
    ("invalid type: sequence,", "invalid type: list,"),
    ("invalid type: map,", "invalid type: table,"),
    ("expected u32", "expected a whole number from 0 to 4294967295"),
    ("expected u64", "expected a whole number, 0 or more"),
    ("expected f64", "expected a number"),
    ("expected a sequence", "expected a list in square brackets"),
    ("expected a map", "expected a table"),
    ("expected path string", "expected a path in quotes"),
    ("expected a string", "expected a text in quotes"),
    ("expected struct EngineDraft", "expected an [[engine]] table"),
    ("expected struct WorkloadDraft", "expected a [[workload]] table"),
    ("expected struct Draft", "expected a table"),
];

/// Why the text of a plan is wrong: place and reason, and what to do where that can be told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PlanTextError {
    pub(super) reason: String,
    pub(super) hint: Option<String>,
}

impl PlanTextError {
    pub(super) fn from_toml(error: &toml::de::Error) -> Self {
        let message = error.message();
        let mut quoted = message.split('`').skip(1).step_by(2);
        let hint = match quoted.next() {
            Some(wrong) if message.starts_with("unknown field") => unknown_key(wrong, &quoted.collect()),
            _ => None,
        };
        let mut reason = error.to_string().trim_end().to_owned();
        for (type_name, words) in TYPES {
            reason = reason.replace(type_name, words);
        }
        Self { reason, hint }
    }
}

/// `known` are the keys of the place where `wrong` stands; only the top level has tables of engines.
fn unknown_key(wrong: &str, known: &BTreeSet<&str>) -> Option<String> {
    let of_engine = keys::<EngineDraft>();
    let of_workload = keys::<WorkloadDraft>();
    let at_top = known.contains("engine");
    if FLAGS_ONLY.contains(&wrong) {
        return Some(format!("`{wrong}` is a flag, not a plan key"));
    }
    if let Some((_, key, table)) = RENAMED.iter().find(|(flag, ..)| *flag == wrong) {
        return Some(format!("the flag `--{wrong}` is the key `{key}` of {} {table} table", article(table)));
    }
    match (of_engine.contains(wrong), of_workload.contains(wrong)) {
        (true, true) => return Some(format!("`{wrong}` belongs in an [[engine]] or a [[workload]] table")),
        (true, false) => return Some(format!("`{wrong}` belongs in an [[engine]] table")),
        (false, true) if !keys::<Draft>().contains(wrong) => {
            return Some(format!("`{wrong}` belongs in a [[workload]] table"));
        }
        _ if !at_top && keys::<Draft>().contains(wrong) => {
            return Some(format!("`{wrong}` belongs at the top of the plan, above the first table"));
        }
        _ => {}
    }
    let most = (wrong.chars().count() / 3).max(1);
    let near = known.iter().map(|k| (strsim::damerau_levenshtein(wrong, k), k)).min()?;
    (near.0 <= most).then(|| format!("did you mean `{}`?", near.1))
}

fn article(table: &str) -> &'static str {
    if table == "[[engine]]" { "an" } else { "a" }
}

/// The keys of a table, asked of its own parser so that no second list of them can go stale.
fn keys<T: DeserializeOwned>() -> BTreeSet<String> {
    let refused = toml::from_str::<T>("\"?\" = 0").err();
    let message = refused.as_ref().map_or("", toml::de::Error::message);
    message.split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn hint(text: &str) -> Option<String> {
        Draft::parse(text).unwrap_err().hint
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_a_suggestion() {
        let error = Draft::parse("seed = 1\nconcurency = [1, 2]\n").unwrap_err();
        assert!(error.reason.contains("line 2"), "{}", error.reason);
        assert_eq!(error.hint.as_deref(), Some("did you mean `concurrency`?"));
    }

    #[test]
    fn a_short_word_suggests_no_other_short_word() {
        assert_eq!(hint("gqu = 1").as_deref(), Some("did you mean `gpu`?"));
        assert_eq!(hint("abc = 1"), None);
    }

    #[test]
    fn a_key_in_the_wrong_place_is_told_its_place() {
        let engine = "[[engine]]\nplugin = \"vllm\"\n";
        for (text, says) in [
            ("api = \"chat\"", "`api` belongs in an [[engine]] table"),
            ("url = \"http://h\"", "`url` belongs in an [[engine]] table"),
            ("label = \"x\"", "`label` belongs in an [[engine]] or a [[workload]] table"),
            ("options = {}", "`options` belongs in an [[engine]] or a [[workload]] table"),
            ("data = {}", "`data` belongs in a [[workload]] table"),
            ("out = \"dir\"", "`out` is a flag, not a plan key"),
            ("no-plots = true", "`no-plots` is a flag, not a plan key"),
            ("strict = true", "`strict` is a flag, not a plan key"),
            ("header = \"a: b\"", "the flag `--header` is the key `headers` of an [[engine]] table"),
            (&format!("{engine}seed = 1"), "`seed` belongs at the top of the plan, above the first table"),
            (
                &format!("{engine}requests = 1"),
                "`requests` belongs at the top of the plan, above the first table",
            ),
            (&format!("{engine}data = {{}}"), "`data` belongs in a [[workload]] table"),
        ] {
            assert_eq!(hint(text).as_deref(), Some(says), "{text}");
        }
    }

    #[test]
    fn no_message_names_a_rust_type() {
        let engine = "[[engine]]\nplugin = \"vllm\"\n";
        for (text, says) in [
            ("simulate = 3", "expected true, false or the name of a dialect"),
            ("simulate = [1]", "expected true, false or the name of a dialect"),
            ("requests = \"many\"", "expected a whole number"),
            ("requests = -1", "expected a whole number"),
            ("seed = 1.5", "expected a whole number"),
            ("temperature = \"hot\"", "expected a number"),
            ("concurrency = 1", "expected a list"),
            ("engine = 1", "expected a list"),
            ("engine = [1]", "expected an [[engine]] table"),
            ("workload = [1]", "expected a [[workload]] table"),
            ("gpu = 1", "expected a text in quotes"),
            ("warmup = true", "expected a whole number or a time in quotes"),
            ("warmup = -1", "expected a whole number or a time in quotes"),
            ("interleave = 1", "expected true or false"),
            ("sweep = \"input=1\"", "expected a list"),
            ("slo = [1]", "expected a text in quotes"),
            ("tokenizer = 1", "expected a path in quotes"),
            (&format!("{engine}options = 1"), "expected a table"),
            (&format!("{engine}options = {{ a = [1] }}"), "expected true, false, a number or a text"),
        ] {
            let reason = Draft::parse(text).unwrap_err().reason;
            assert!(reason.contains(says) && reason.contains("line "), "{text}: {reason}");
            for word in ["u32", "u64", "i64", "f64", "Draft", "enum", "variant", "struct", "sequence"] {
                assert!(!reason.contains(word), "{text}: {reason}");
            }
        }
    }

    #[test]
    fn every_flag_of_run_has_one_place_in_a_plan_or_none() {
        let (top, engine, workload) = (keys::<Draft>(), keys::<EngineDraft>(), keys::<WorkloadDraft>());
        let cli = crate::args::Cli::command();
        let run = cli.find_subcommand("run").expect("the verb");
        for flag in run.get_arguments().chain(cli.get_arguments()).filter_map(clap::Arg::get_long) {
            if matches!(flag, "help" | "version") {
                continue;
            }
            let renamed = RENAMED.iter().any(|(from, key, table)| {
                *from == flag
                    && if *table == "[[engine]]" { engine.contains(*key) } else { workload.contains(*key) }
            });
            // The flags `--engine` and `--workload` are tables, `--data` a key of one.
            let known = top.contains(flag) || engine.contains(flag) || workload.contains(flag);
            assert!(
                known || renamed || FLAGS_ONLY.contains(&flag),
                "`--{flag}` has no key and is not said to have none"
            );
            assert!(!(known && FLAGS_ONLY.contains(&flag)), "`--{flag}` has a key");
        }
        let readme = include_str!("../../../../README.md");
        for flag in FLAGS_ONLY {
            assert!(
                readme.contains(&format!("`--{flag}`")),
                "the README does not say that `--{flag}` has no key"
            );
        }
    }
}
