//! What can be known of a component before any of its code runs. The checks stand in the order in which their messages
//! help: a file that is not WebAssembly is not told about imports.

use std::collections::BTreeMap;

use wasmtime::component::Component;

use crate::error::{Cause, PluginError, Problem};
use crate::identity::{PluginKind, digest};
use crate::language::Language;
use crate::runtime::Runtime;
use crate::source::PluginSource;

/// The version track of the contract that this program speaks.
pub(crate) const TRACK: &str = "0.1";

/// The package of the contract.
const PACKAGE: &str = "benchhost:plugin/";

/// Size of a WebAssembly page in bytes.
const PAGE: u64 = 64 << 10;

/// What a component is, by its outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Engine adapter or workload.
    pub kind: PluginKind,
    /// The exported interface that says so, with its version.
    pub world: String,
    /// Everything it imports.
    pub imports: Vec<String>,
    /// Everything it exports.
    pub exports: Vec<String>,
    /// Size of the file in bytes.
    pub size: u64,
    /// SHA-256 of the file.
    pub digest_sha256: String,
    /// The largest of its memories when it starts, in bytes; `None` where that cannot be known beforehand.
    pub initial_memory: Option<u64>,
    /// The language it was written in, where the file says so.
    pub language: Option<Language>,
}

/// Reads and checks `source`; compiles it, runs nothing.
pub(crate) fn inspect(
    runtime: &Runtime,
    source: &PluginSource,
) -> Result<(Component, Inspection), PluginError> {
    let refused = |problem| PluginError::new(source.label(), problem);
    let bytes = source.read(runtime.limits.component_bytes)?;
    check_header(&bytes).map_err(refused)?;
    let component = Component::from_binary(&runtime.engine, &bytes)
        .map_err(|e| refused(Problem::Invalid(Cause::from_wasm(&e))))?;

    let outside = component.component_type();
    let names = |it: &mut dyn Iterator<Item = &str>| it.map(str::to_owned).collect::<Vec<_>>();
    let imports = names(&mut outside.imports(&runtime.engine).map(|(name, _)| name));
    let exports = names(&mut outside.exports(&runtime.engine).map(|(name, _)| name));

    let (kind, world) = world(&exports).map_err(refused)?;
    check_track(&world, &imports).map_err(refused)?;
    let language = Language::of(&bytes);
    let foreign: Vec<String> = imports.iter().filter(|i| !is_offered(kind, i)).cloned().collect();
    if !foreign.is_empty() {
        return Err(refused(Problem::ForeignImports { imports: foreign, language }));
    }
    let initial_memory =
        component.resources_required().map(|r| r.max_initial_memory_size.unwrap_or(0).saturating_mul(PAGE));
    let cap = runtime.limits.memory_bytes as u64;
    if let Some(initial) = initial_memory.filter(|initial| *initial > cap) {
        return Err(refused(Problem::InitialMemory { initial, cap }));
    }
    let size = bytes.len() as u64;
    let digest_sha256 = digest(&bytes);
    Ok((
        component,
        Inspection { kind, world, imports, exports, size, digest_sha256, initial_memory, language },
    ))
}

/// The first eight bytes: magic number, then a version that tells modules (1, layer 0) from components (layer 1).
fn check_header(bytes: &[u8]) -> Result<(), Problem> {
    let rest = bytes.strip_prefix(b"\0asm").ok_or(Problem::NotWasm)?;
    match rest.get(..4) {
        Some([1, 0, 0, 0]) => Err(Problem::CoreModule),
        _ => Ok(()),
    }
}

/// The one export that makes it a plugin.
fn world(exports: &[String]) -> Result<(PluginKind, String), Problem> {
    let find = |interface| exports.iter().find(|e| interface_of(e) == Some(interface)).cloned();
    match (find("engine"), find("workload")) {
        (Some(name), None) => Ok((PluginKind::Engine, name)),
        (None, Some(name)) => Ok((PluginKind::Workload, name)),
        (Some(_), Some(_)) => Err(Problem::BothWorlds),
        (None, None) => Err(Problem::WrongWorld { exports: exports.to_vec() }),
    }
}

/// Export and imports must be of this track; the patch number is free.
fn check_track(world: &str, imports: &[String]) -> Result<(), Problem> {
    let ours = std::iter::once(world).chain(imports.iter().map(String::as_str));
    for name in ours.filter(|n| n.starts_with(PACKAGE)) {
        if !name.split_once('@').is_some_and(|(_, version)| is_of_track(version)) {
            return Err(Problem::WrongVersion { found: name.to_owned() });
        }
    }
    Ok(())
}

fn is_of_track(version: &str) -> bool {
    let patch = version.strip_prefix(TRACK).and_then(|rest| rest.strip_prefix('.'));
    patch.is_some_and(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether the host offers `import` to plugins of this kind.
fn is_offered(kind: PluginKind, import: &str) -> bool {
    match interface_of(import) {
        Some("types" | "log") => true,
        Some("data" | "tokens") => kind == PluginKind::Workload,
        _ => false,
    }
}

/// `engine` of `benchhost:plugin/engine@0.1.0`; `None` for names of other packages.
fn interface_of(name: &str) -> Option<&str> {
    let rest = name.strip_prefix(PACKAGE)?;
    Some(rest.split('@').next().unwrap_or(rest))
}

/// Interface names by package: `wasi:cli` (environment, exit), `wasi:io` (streams).
pub(crate) fn grouped(names: &[String]) -> String {
    let mut packages: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for name in names {
        let unversioned = name.split('@').next().unwrap_or(name);
        let (package, interface) = unversioned.split_once('/').unwrap_or((unversioned, ""));
        packages.entry(package).or_default().push(interface);
    }
    let texts = packages.into_iter().map(|(package, mut interfaces)| {
        interfaces.retain(|i| !i.is_empty());
        if interfaces.is_empty() {
            format!("`{package}`")
        } else {
            format!("`{package}` ({})", interfaces.join(", "))
        }
    });
    crate::text::one_line(&texts.collect::<Vec<_>>().join(", "), 2000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patch_number_is_free_and_the_track_is_not() {
        for good in ["0.1.0", "0.1.17"] {
            assert!(is_of_track(good), "{good}");
        }
        for bad in ["0.2.0", "0.10.0", "0.1", "0.1.", "0.1.0-rc1", "1.0.1", ""] {
            assert!(!is_of_track(bad), "{bad}");
        }
    }

    #[test]
    fn imports_are_named_by_package() {
        let names = ["wasi:io/poll@0.2.9", "wasi:cli/exit@0.2.9", "wasi:cli/stdin@0.2.9", "helper"];
        assert_eq!(
            grouped(&names.map(str::to_owned)),
            "`helper`, `wasi:cli` (exit, stdin), `wasi:io` (poll)"
        );
    }
}
