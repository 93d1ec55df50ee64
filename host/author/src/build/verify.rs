//! `--check`: are the committed components those of the present sources, and does a rebuilt one mean the same? Bytes
//! differ between compilers, so meanings are compared: descriptions, fixtures, the first items.

use std::fs;

use benchhost_model::{Item, Setting};
use benchhost_plugin::{CallError, HostConfig, Imports, Plugin, PluginHost, PluginSource, WorkloadPlugin};

use super::workspace::Guest;
use super::{BuildError, Verified, digest, read_source};
use crate::machine::Progress;
use crate::replay::{Fixture, replay};

/// Items of a workload that are compared.
const ITEMS: u32 = 20;

/// Which of `guests` have a component that is missing, or older than its sources; one line each.
pub fn stale(guests: &[Guest]) -> Result<Vec<String>, BuildError> {
    let mut list = Vec::new();
    for guest in guests {
        let label = guest.label();
        let output = guest.output();
        let component = match fs::read(&output) {
            Ok(component) => component,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                list.push(format!("`{label}` does not exist"));
                continue;
            }
            Err(cause) => return Err(BuildError::File { doing: "read", path: output, cause }),
        };
        match read_source(&component) {
            None => list.push(format!("`{label}` was not built by `benchhost plugin build`")),
            Some(source) if source.digest != digest(guest)?.sha256 => {
                list.push(format!("`{label}` was built from other sources (with {})", source.rustc));
            }
            Some(_) => {}
        }
    }
    Ok(list)
}

/// Compares each committed component with the rebuilt one.
pub(crate) fn compare(
    guests: &[Guest],
    rebuilt: &[Vec<u8>],
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Verified>, BuildError> {
    let host = PluginHost::new(&HostConfig::default()).map_err(|e| BuildError::Host(e.to_string()))?;
    let (mut verified, mut list) = (Vec::new(), Vec::new());
    for (guest, rebuilt) in guests.iter().zip(rebuilt) {
        let label = guest.label();
        progress(Progress::Step(format!("comparing {label}")));
        let committed = fs::read(guest.output()).map_err(BuildError::file("read", guest.output()))?;
        let same_bytes = committed == *rebuilt;
        match one(&host, guest, committed, rebuilt.clone()) {
            Ok(fixtures) => verified.push(Verified { label, fixtures, same_bytes }),
            Err(cause) => list.push(format!("`{label}`: {cause}")),
        }
    }
    if list.is_empty() { Ok(verified) } else { Err(BuildError::Disagree { list }) }
}

/// Returns the number of fixtures.
fn one(host: &PluginHost, guest: &Guest, committed: Vec<u8>, rebuilt: Vec<u8>) -> Result<usize, String> {
    let load = |name: &str, bytes| {
        let source = PluginSource::Bytes { name: name.into(), bytes };
        host.load(&source).map_err(|e| format!("the {e}"))
    };
    match (load("committed component", committed)?, load("rebuilt component", rebuilt)?) {
        (Plugin::Engine(old), Plugin::Engine(new)) => {
            if old.info() != new.info() {
                return Err("the two describe themselves differently".into());
            }
            let fixtures = Fixture::read_all(&guest.dir.join("fixtures")).map_err(|e| e.to_string())?;
            for (which, plugin) in [("committed", &old), ("rebuilt", &new)] {
                let failures = replay(plugin, &fixtures).failures;
                if !failures.is_empty() {
                    return Err(format!("the {which} component fails: {}", failures.join("; ")));
                }
            }
            Ok(fixtures.len())
        }
        (Plugin::Workload(old), Plugin::Workload(new)) => {
            if old.info() != new.info() {
                return Err("the two describe themselves differently".into());
            }
            if items(&old) != items(&new) {
                return Err("the two make different items of the same seed".into());
            }
            Ok(0)
        }
        _ => Err("one is an engine and the other a workload".into()),
    }
}

/// The first items with default options, or why there are none; a workload that needs data refuses in the same words.
fn items(plugin: &WorkloadPlugin) -> Result<(u32, Vec<Item>), CallError> {
    let imports = Imports { tokens: std::sync::Arc::new(crate::check::WordTokens), ..Imports::default() };
    let mut instance = plugin.instance(imports)?;
    let options = plugin.info().options.iter();
    let settings: Vec<Setting> =
        options.map(|o| Setting { name: o.name.clone(), value: o.default.clone() }).collect();
    let count = instance.open(&settings, 7)?;
    let items = (0..count.min(ITEMS)).map(|index| instance.item(index)).collect::<Result<_, _>>()?;
    Ok((count, items))
}
