//! What one source says about a run. The plan file is exactly this, in TOML with the flags' own words.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};

use super::mistakes::PlanTextError;
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
    pub(super) batch: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ramp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) steps: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trace_scale: Option<Vec<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trace_window: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trace_thin: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arrivals: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_concurrency: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) think: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hang_up: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) requests: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) duration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_duration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) warmup: Option<CountOrTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) drain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sweep: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) repeats: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) interleave: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) order: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) no_anchor: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) search: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) slo: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) require: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) io_threads: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) priority: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) no_selfcheck: Option<bool>,
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
    pub(super) gauges: Option<String>,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Simulate {
    /// On or off.
    Switch(bool),
    /// On, as this dialect.
    Dialect(String),
}

/// `warmup = 5`, or the time it takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum CountOrTime {
    /// So many.
    Count(u32),
    /// For so long.
    Time(String),
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
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) simulator: BTreeMap<String, OptionValue>,
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) batch: Option<Vec<u32>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) trace_scale: Option<Vec<f64>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) options: BTreeMap<String, OptionValue>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) data: BTreeMap<String, PathBuf>,
}

/// An option's value: TOML's own types, handed to the plugin as text.
#[derive(Debug, Clone, PartialEq, Serialize)]
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

/// Read by hand: the error of an untagged enum would name a Rust type.
impl<'de> Deserialize<'de> for OptionValue {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Value;
        impl Visitor<'_> for Value {
            type Value = OptionValue;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false, a number or a text in quotes")
            }
            fn visit_bool<E: Error>(self, v: bool) -> Result<OptionValue, E> {
                Ok(OptionValue::Toggle(v))
            }
            fn visit_i64<E: Error>(self, v: i64) -> Result<OptionValue, E> {
                Ok(OptionValue::Count(v))
            }
            fn visit_f64<E: Error>(self, v: f64) -> Result<OptionValue, E> {
                Ok(OptionValue::Number(v))
            }
            fn visit_str<E: Error>(self, v: &str) -> Result<OptionValue, E> {
                Ok(OptionValue::Text(v.to_owned()))
            }
        }
        from.deserialize_any(Value)
    }
}

impl<'de> Deserialize<'de> for Simulate {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match OptionValue::deserialize(from) {
            Ok(OptionValue::Toggle(on)) => Ok(Self::Switch(on)),
            Ok(OptionValue::Text(dialect)) => Ok(Self::Dialect(dialect)),
            Ok(_) | Err(_) => {
                Err(D::Error::custom("expected true, false or the name of a dialect in quotes"))
            }
        }
    }
}

impl<'de> Deserialize<'de> for CountOrTime {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match OptionValue::deserialize(from) {
            Ok(OptionValue::Count(n)) => u32::try_from(n).ok().map(Self::Count),
            Ok(OptionValue::Text(text)) => Some(Self::Time(text)),
            Ok(_) | Err(_) => None,
        }
        .ok_or_else(|| D::Error::custom("expected a whole number or a time in quotes, such as 5 or \"5s\""))
    }
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
            let error =
                CliError::usage(format!("the plan `{}` is not sound", path.display())).because(e.reason);
            e.hint.into_iter().fold(error, CliError::hint)
        })?;
        draft.anchor(path.parent().unwrap_or(Path::new(".")));
        Ok(draft)
    }

    /// Parses TOML.
    pub(super) fn parse(text: &str) -> Result<Self, PlanTextError> {
        toml::from_str(text).map_err(|e| PlanTextError::from_toml(&e))
    }

    /// Takes relative paths from the plan's folder.
    fn anchor(&mut self, folder: &Path) {
        let anchored = |p: &mut PathBuf| {
            if p.is_relative() {
                *p = folder.join(&*p);
            }
        };
        self.tokenizer.iter_mut().for_each(anchored);
        self.ca_file.iter_mut().for_each(anchored);
        self.workload.iter_mut().flat_map(|w| w.data.values_mut()).for_each(anchored);
        for plugin in self
            .engine
            .iter_mut()
            .map(|e| &mut e.plugin)
            .chain(self.workload.iter_mut().map(|w| &mut w.plugin))
        {
            let path = Path::new(&*plugin);
            let beside = folder.join(path);
            // A component that lies beside the plan goes before one below the current folder.
            if is_path(plugin) && path.is_relative() && (beside.exists() || !path.exists()) {
                *plugin = beside.display().to_string();
            }
        }
    }
}

/// A component named by a path rather than by an embedded name.
pub(super) fn is_path(plugin: &str) -> bool {
    plugin.contains('/') || Path::new(plugin).extension().is_some_and(|e| e.eq_ignore_ascii_case("wasm"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let text = "simulate = \"vllm\"\nconcurrency = [1, 2]\nseed = 7\n\n[[engine]]\nplugin = \"vllm\"\n\n[engine.options]\nreturn-token-ids = true\ncount = 3\nshare = 0.5\n";
        let draft = Draft::parse(text).unwrap();
        assert_eq!(Draft::parse(&toml::to_string(&draft).unwrap()).unwrap(), draft);
    }
}
