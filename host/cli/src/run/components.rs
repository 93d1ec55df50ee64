//! Finds components by name or path and loads them; checks the user's options against what they declare.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use benchhost_model::{OptionSpec, Setting};
use benchhost_plugin::{
    EnginePlugin, HostConfig, Limits, Log, LogLevel, Plugin, PluginError, PluginHost, PluginIdentity,
    PluginSource, WorkloadPlugin,
};

use crate::error::{CliError, CliResult};
use crate::store::PluginFacts;
use crate::ui::Printer;

/// Loads components for one command.
pub(crate) struct Components {
    host: PluginHost,
}

/// Log lines of plugins, for `-v`.
#[derive(Debug, Clone)]
pub(crate) struct PrintedLog(pub(crate) Printer);

impl Log for PrintedLog {
    fn log(&self, plugin: &str, level: LogLevel, message: &str) {
        let level = format!("{level:?}").to_lowercase();
        self.0.detail(&format!("{plugin} ({level}): {message}"));
    }
}

impl Components {
    /// A loader with the user's compile cache.
    pub(crate) fn new() -> CliResult<Self> {
        let config = HostConfig {
            cache_dir: crate::env::cache_dir().map(|d| d.join("wasm")),
            limits: Limits::default(),
        };
        let host = PluginHost::new(&config).map_err(|e| refused("the plugin host cannot start", &e))?;
        Ok(Self { host })
    }

    /// The loader itself.
    pub(crate) fn host(&self) -> &PluginHost {
        &self.host
    }

    /// An engine adapter.
    pub(crate) fn engine(&self, name: &str) -> CliResult<EnginePlugin> {
        match self.load(name)? {
            Plugin::Engine(engine) => Ok(engine),
            Plugin::Workload(_) => {
                Err(CliError::setup(format!("`{name}` is a workload, not an engine adapter"))
                    .hint(format!("use it as `--workload {name}`")))
            }
        }
    }

    /// A workload.
    pub(crate) fn workload(&self, name: &str) -> CliResult<WorkloadPlugin> {
        match self.load(name)? {
            Plugin::Workload(workload) => Ok(workload),
            Plugin::Engine(_) => {
                Err(CliError::setup(format!("`{name}` is an engine adapter, not a workload"))
                    .hint(format!("use it as `--engine {name}`")))
            }
        }
    }

    /// Any component: a path, a file on the plugin path, or an embedded name.
    pub(crate) fn load(&self, name: &str) -> CliResult<Plugin> {
        let source = locate(name);
        self.host.load(&source).map_err(|e| refused(&format!("cannot load the plugin `{name}`"), &e))
    }
}

/// A name on the plugin path wins over an embedded one, so that a user can replace an adapter.
pub(crate) fn locate(name: &str) -> PluginSource {
    match PluginSource::parse(name) {
        PluginSource::Embedded(word) => {
            let file = |dir: PathBuf| dir.join(format!("{word}.wasm"));
            let found = crate::env::plugin_path().into_iter().map(file).find(|f| f.is_file());
            found.map_or(PluginSource::Embedded(word), PluginSource::File)
        }
        PluginSource::File(path) if !path.exists() => {
            embedded_twin(&path).unwrap_or(PluginSource::File(path))
        }
        other => other,
    }
}

/// `plugins/friendli.wasm` works from any directory: when no such file is there, the embedded component of that name
/// serves.
fn embedded_twin(path: &Path) -> Option<PluginSource> {
    let folder = path.parent()?.file_name()?.to_str()?;
    let stem = path.file_stem()?.to_str()?;
    let known = benchhost_plugin::embedded().iter().any(|e| e.name == stem);
    (matches!(folder, "plugins" | "workloads") && known).then(|| PluginSource::Embedded(stem.to_owned()))
}

pub(crate) fn refused(what: &str, error: &PluginError) -> CliError {
    CliError::setup(what.to_owned()).caused_by(error).hint(error.hint())
}

/// Every declared option with the user's value or its default. `chosen` may name options that other plugins of the run
/// declare; who calls checks that each is declared by one of them.
pub(crate) fn settings(
    plugin: &str,
    declared: &[OptionSpec],
    chosen: &[(String, String)],
) -> CliResult<Vec<Setting>> {
    declared
        .iter()
        .map(|spec| {
            let value =
                chosen.iter().rev().find(|(name, _)| name == &spec.name).map(|(_, value)| value.clone());
            if let Some(value) = &value {
                spec.kind.check(value).map_err(|why| {
                    CliError::usage(format!("option `{}` of `{plugin}`: {why}", spec.name))
                        .hint(spec.help.clone())
                })?;
            }
            Ok(Setting { name: spec.name.clone(), value: value.unwrap_or_else(|| spec.default.clone()) })
        })
        .collect()
}

/// Refuses options that no plugin of the run declares.
pub(crate) fn check_known(
    flag: &str,
    chosen: &[(String, String)],
    declared: &[&[OptionSpec]],
) -> CliResult<()> {
    let names = || declared.iter().flat_map(|list| list.iter()).map(|s| s.name.as_str());
    for (name, _) in chosen {
        if names().any(|n| n == name) {
            continue;
        }
        let near = names().min_by_key(|n| strsim::damerau_levenshtein(n, name));
        let error = CliError::usage(format!("no plugin of this run has the option `{name}` ({flag})"));
        return Err(match near {
            Some(near) if strsim::damerau_levenshtein(near, name) <= 3 => {
                error.hint(format!("did you mean `{near}`?"))
            }
            _ => error.hint("`benchhost plugin info NAME` lists a plugin's options"),
        });
    }
    Ok(())
}

/// For the manifest.
pub(crate) fn facts(identity: &PluginIdentity) -> PluginFacts {
    PluginFacts {
        name: identity.name.clone(),
        version: identity.version.clone(),
        sha256: identity.digest_sha256.clone(),
        origin: identity.origin.clone(),
    }
}

/// A log sink.
pub(crate) fn log(printer: &Printer) -> Arc<dyn Log> {
    Arc::new(PrintedLog(printer.clone()))
}
