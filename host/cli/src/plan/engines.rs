//! Which engines are measured and how each is spoken to: flags for all or for each, over the tables of the file, over
//! the profile's preset.

use std::collections::BTreeMap;

use benchhost_http::BaseUrl;
use benchhost_model::Route;

use super::draft::{EngineDraft, OptionValue};
use super::flags::PerEngine;
use super::resolve::Layers;
use super::{EngineChoice, HeaderValue, Origin, Origins, name_of, printable};
use crate::error::{CliError, CliResult};

/// What a stored plan holds in place of a literal header value.
pub(super) const NOT_STORED: &str = "(given on the command line, not stored)";

/// The engines in the order in which they are measured.
pub(super) fn engines(layers: &Layers, flags: &PerEngine) -> CliResult<Vec<EngineChoice>> {
    let (drafts, origin) = match (&layers.flags.engine[..], &layers.file.engine[..]) {
        ([], []) => {
            return Err(CliError::usage("no engine is named")
                .hint("add `--engine vllm`, or `--engine vllm --simulate` to try without a server")
                .hint("`benchhost plugin list` shows the adapters"));
        }
        ([], file) => (file, Origin::File),
        (flags, _) => (flags, Origin::Flag),
    };
    check_counts(flags, drafts.len())?;
    let preset = layers.profile.engine.first();
    let engine = |(index, draft)| Sources { index, draft, origin, flags, preset }.engine();
    let engines = drafts.iter().enumerate().map(engine).collect::<CliResult<Vec<_>>>()?;
    for (i, e) in engines.iter().enumerate() {
        let same = |o: &&EngineChoice| name_of(&o.plugin) == name_of(&e.plugin) && o.label == e.label;
        if engines[..i].iter().any(|o| same(&o)) {
            return Err(CliError::usage(format!("engine `{}` appears twice with the same label", name_of(&e.plugin)))
                .hint("tell them apart with `--label`, once per engine in order, or `label = \"…\"` in each [[engine]] table"));
        }
    }
    Ok(engines)
}

fn check_counts(flags: &PerEngine, count: usize) -> CliResult<()> {
    for (flag, list) in [("--label", &flags.label), ("--model", &flags.model)] {
        if list.len() > 1 && list.len() != count {
            return Err(CliError::usage(format!(
                "`{flag}` is given {} times for {count} engine(s)",
                list.len()
            ))
            .hint("give it once for all engines, or once for each in order"));
        }
    }
    if flags.url.len() > count || (flags.url.len() == 1 && count > 1) {
        return Err(CliError::usage(format!(
            "`--url` is given {} times for {count} engine(s)",
            flags.url.len()
        ))
        .hint("write `--engine NAME=URL` for each"));
    }
    Ok(())
}

/// Everything that speaks about one engine.
struct Sources<'a> {
    index: usize,
    draft: &'a EngineDraft,
    origin: Origin,
    flags: &'a PerEngine,
    preset: Option<&'a EngineDraft>,
}

impl Sources<'_> {
    fn engine(&self) -> CliResult<EngineChoice> {
        let (draft, flags) = (self.draft, self.flags);
        let mut origins = Origins::default();
        origins.note("plugin", self.origin);
        let over = |flag: Option<String>, draft: &Option<String>| {
            [(flag, Origin::Flag), (draft.clone(), self.origin)]
        };
        let each = |list: &[String]| {
            list.get(self.index).or(if list.len() == 1 { list.first() } else { None }).cloned()
        };

        let url = origins.first("url", over(flags.url.get(self.index).cloned(), &draft.url));
        if let Some(url) = &url {
            url.parse::<BaseUrl>().map_err(|e| {
                CliError::usage(format!("the URL of `{}` is not sound", draft.plugin)).caused_by(&e)
            })?;
        }
        let label = origins.first("label", over(each(&flags.label), &draft.label)).unwrap_or_default();
        printable("the label", &label)?;
        let model = origins.first("model", over(each(&flags.model), &draft.model));
        printable("the model", model.as_deref().unwrap_or_default())?;
        let preset_api = self.preset.and_then(|p| p.api.clone());
        let [flag_api, draft_api] = over(flags.api.clone(), &draft.api);
        let api = origins.first("api", [flag_api, draft_api, (preset_api, Origin::Profile)]);
        let route = api
            .map(|a| a.parse::<Route>())
            .transpose()
            .map_err(|e: benchhost_model::ParseRouteError| CliError::usage(e.to_string()))?;
        let api_key_env = origins.first("api-key-env", over(flags.api_key_env.clone(), &draft.api_key_env));

        let origin = self.origin;
        let options =
            merged(&mut origins, "options", [(&draft.options, origin), (&flags.options, Origin::Flag)]);
        let simulator =
            merged(&mut origins, "simulator", [(&draft.simulator, origin), (&flags.simulator, Origin::Flag)]);
        crate::cmd::simulate::check(&simulator)?;
        let headers = self.headers(&mut origins)?;
        Ok(EngineChoice {
            plugin: draft.plugin.clone(),
            url,
            label,
            model,
            route,
            options,
            api_key_env,
            headers,
            simulator,
            origins,
        })
    }

    /// Texts are merged first and only the winner is judged, so that a flag can replace a value that was not stored.
    fn headers(&self, origins: &mut Origins) -> CliResult<Vec<(String, HeaderValue)>> {
        let draft: Vec<_> = self.draft.headers.iter().collect();
        for (i, (name, _)) in draft.iter().enumerate() {
            if draft[..i].iter().any(|(n, _)| n.eq_ignore_ascii_case(name)) {
                return Err(CliError::usage(format!(
                    "the header `{name}` of `{}` stands twice in the plan",
                    self.draft.plugin
                ))
                .hint("names of headers are the same in capitals and small letters; leave one out"));
            }
        }
        let mut texts: Vec<(&str, &str, Origin)> = Vec::new();
        let file = draft.into_iter().map(|(n, v)| (n.as_str(), v.as_str(), self.origin));
        let flags = self.flags.headers.iter().map(|(n, v)| (n.as_str(), v.as_str(), Origin::Flag));
        for header in file.chain(flags) {
            texts.retain(|(n, ..)| !n.eq_ignore_ascii_case(header.0));
            texts.push(header);
        }
        let judged = texts.into_iter().map(|(name, value, origin)| {
            origins.note(format!("headers.{name}"), origin);
            Ok((name.to_owned(), header_value(name, value)?))
        });
        judged.collect()
    }
}

/// Values under their names, a later source over an earlier one.
fn merged(
    origins: &mut Origins,
    table: &str,
    sources: [(&BTreeMap<String, OptionValue>, Origin); 2],
) -> Vec<(String, String)> {
    let mut values = BTreeMap::new();
    for (list, origin) in sources {
        for (name, value) in list {
            origins.note(format!("{table}.{name}"), origin);
            values.insert(name.clone(), value.to_text());
        }
    }
    values.into_iter().collect()
}

fn header_value(name: &str, value: &str) -> CliResult<HeaderValue> {
    let again = |error: CliError| {
        error.hint(format!("pass it again: `--header '{name}: …'`, or keep it in a variable: `--header '{name}: env:VARIABLE'`"))
    };
    match value.strip_prefix("env:") {
        _ if value == NOT_STORED => {
            Err(again(CliError::usage(format!("the value of header `{name}` was not stored with the plan"))))
        }
        Some("") => {
            Err(again(CliError::usage(format!("the header `{name}` names no variable after `env:`"))))
        }
        Some(variable) => Ok(HeaderValue::Variable(variable.to_owned())),
        None => Ok(HeaderValue::Literal(value.to_owned())),
    }
}
