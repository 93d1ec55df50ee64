//! What one source says about a run. The plan file is exactly this, in TOML with the flags' own words.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{CliError, CliResult};

/// Every key is optional; a key no one knows is an error with a suggestion.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Draft {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) profile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) simulate: Option<Simulate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) concurrency: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rate: Option<Vec<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arrivals: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) requests: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) duration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) warmup: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) repeats: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) history: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) timeout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) idle_timeout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ready_timeout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tokenizer: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ca_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gpu: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gpu_price: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) prompts: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) engine: Vec<EngineDraft>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) workload: Vec<WorkloadDraft>,
}

/// `simulate = true`, or the dialect to imitate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Simulate {
    /// On or off.
    Switch(bool),
    /// On, as this dialect.
    Dialect(String),
}

/// `[[engine]]`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct EngineDraft {
    pub(super) plugin: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) label: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) api: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) api_key_env: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) options: BTreeMap<String, OptionValue>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) headers: BTreeMap<String, String>,
}

/// `[[workload]]`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct WorkloadDraft {
    pub(super) plugin: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) label: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) requests: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) concurrency: Option<Vec<u32>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) rate: Option<Vec<f64>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) options: BTreeMap<String, OptionValue>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) data: BTreeMap<String, PathBuf>,
}

/// An option's value: TOML's own types, handed to the plugin as text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum OptionValue {
    /// true, false
    Toggle(bool),
    /// 128
    Count(i64),
    /// 0.5
    Number(f64),
    /// "text"
    Text(String),
}

impl OptionValue {
    /// As the plugin gets it.
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Toggle(v) => v.to_string(),
            Self::Count(v) => v.to_string(),
            Self::Number(v) => v.to_string(),
            Self::Text(v) => v.clone(),
        }
    }
}

impl Draft {
    /// Reads a plan file; paths in it are relative to its own folder.
    pub(super) fn read(path: &Path) -> CliResult<Self> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| CliError::usage(format!("cannot read the plan `{}`", path.display())).because(e))?;
        let mut draft = Self::parse(&text).map_err(|e| {
            let error = CliError::usage(format!("the plan `{}` is not sound", path.display())).because(e.reason);
            match e.suggestion {
                Some(word) => error.hint(format!("did you mean `{word}`?")),
                None => error,
            }
        })?;
        draft.anchor(path.parent().unwrap_or(Path::new(".")));
        Ok(draft)
    }

    /// Parses TOML.
    pub(super) fn parse(text: &str) -> Result<Self, PlanTextError> {
        toml::from_str(text).map_err(|e| PlanTextError::from_toml(&e))
    }

    fn anchor(&mut self, folder: &Path) {
        let anchored = |p: &mut PathBuf| {
            if p.is_relative() {
                *p = folder.join(&*p);
            }
        };
        self.tokenizer.iter_mut().for_each(anchored);
        self.ca_file.iter_mut().for_each(anchored);
        self.workload.iter_mut().flat_map(|w| w.data.values_mut()).for_each(anchored);
        for plugin in self.engine.iter_mut().map(|e| &mut e.plugin).chain(self.workload.iter_mut().map(|w| &mut w.plugin)) {
            let path = Path::new(&*plugin);
            if is_path(plugin) && path.is_relative() && !path.exists() {
                *plugin = folder.join(path).display().to_string();
            }
        }
    }
}

/// A component named by a path rather than by an embedded name.
pub(super) fn is_path(plugin: &str) -> bool {
    plugin.contains('/') || Path::new(plugin).extension().is_some_and(|e| e.eq_ignore_ascii_case("wasm"))
}

/// Why the text of a plan is wrong: place and reason, and the key that was probably meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PlanTextError {
    pub(super) reason: String,
    pub(super) suggestion: Option<String>,
}

impl PlanTextError {
    fn from_toml(error: &toml::de::Error) -> Self {
        let message = error.message();
        let mut quoted = message.split('`').skip(1).step_by(2);
        let suggestion = message.starts_with("unknown field").then(|| quoted.next()).flatten().and_then(|wrong| {
            quoted
                .map(|known| (strsim::damerau_levenshtein(wrong, known), known))
                .filter(|(distance, _)| *distance <= 3)
                .min_by_key(|(distance, _)| *distance)
                .map(|(_, known)| known.to_owned())
        });
        Self { reason: error.to_string().trim_end().to_owned(), suggestion }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_a_suggestion() {
        let error = Draft::parse("seed = 1\nconcurency = [1, 2]\n").unwrap_err();
        assert!(error.reason.contains("line 2"), "{}", error.reason);
        assert_eq!(error.suggestion.as_deref(), Some("concurrency"));
    }

    #[test]
    fn a_wrong_type_names_its_place() {
        let error = Draft::parse("requests = \"many\"").unwrap_err();
        assert!(error.reason.contains("line 1"), "{}", error.reason);
    }

    #[test]
    fn what_is_written_reads_back() {
        let text = "concurrency = [1, 2]\nseed = 7\n\n[[engine]]\nplugin = \"vllm\"\n\n[engine.options]\nreturn-token-ids = true\n";
        let draft = Draft::parse(text).unwrap();
        assert_eq!(Draft::parse(&toml::to_string(&draft).unwrap()).unwrap(), draft);
    }
}
