//! The digest of everything a component is made from. Equal digests mean equal sources; bytes of components differ
//! between compilers and machines and say nothing.
//!
//! It covers, in a fixed order: every file of the guest and of the packages with a folder it depends on (manifest,
//! sources, data), the WIT that the SDK generates its bindings from, the name, version and checksum of each locked
//! registry package, and what the workspace's manifest adds (inherited versions and features, the `guest` profile).
//! Left out: what is not compiled into a component (README, tests, fixtures, examples, benches, build output).

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::BuildError;
use super::closure::{closure, tidy};
use super::workspace::Guest;

/// The package that holds the bindings; the contract lies at `../../wit` of it, in this workspace and in the copy that
/// `benchhost plugin new` makes.
const SDK: &str = "benchhost-sdk";

/// Folders that do not reach the component.
const LEFT_OUT_FOLDERS: [&str; 6] = ["target", "tests", "fixtures", "examples", "benches", "vendor"];

/// The state of a guest's sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceDigest {
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
    /// Version of the SDK; empty when the guest does not use it.
    pub sdk: String,
}

/// Digests the sources of `guest`. Needs a `Cargo.lock` in its workspace.
pub fn digest(guest: &Guest) -> Result<SourceDigest, BuildError> {
    let closure = closure(guest)?;
    let mut entries: Vec<(String, Vec<u8>)> = Vec::new();
    for (name, member) in &closure.members {
        files(&member.dir, &member.dir, name, &mut entries)?;
        entries.push((format!("inherited {name}"), member.inherited.join("\n").into_bytes()));
    }
    if let Some(sdk) = closure.members.get(SDK) {
        contract(&tidy(&sdk.dir.join("../../wit")), &mut entries)?;
    }
    let profile = guest.workspace.manifest.get("profile").and_then(|p| p.get("guest"));
    entries.push(("profile".into(), profile.map(ToString::to_string).unwrap_or_default().into_bytes()));
    entries.extend(closure.locked.iter().map(|line| ("locked".to_owned(), line.clone().into_bytes())));
    entries.sort();
    let sdk = closure.members.get(SDK).map(|m| m.version.clone()).unwrap_or_default();
    Ok(SourceDigest { sha256: sum(&entries), sdk })
}

/// Lengths go before contents, so that no two different lists give the same stream of bytes.
fn sum(entries: &[(String, Vec<u8>)]) -> String {
    let mut hash = Sha256::new();
    for (label, bytes) in entries {
        hash.update((label.len() as u64).to_le_bytes());
        hash.update(label.as_bytes());
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    }
    hash.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn files(root: &Path, dir: &Path, package: &str, out: &mut Vec<(String, Vec<u8>)>) -> Result<(), BuildError> {
    let entries = fs::read_dir(dir).map_err(BuildError::file("read", dir))?;
    for entry in entries {
        let path = entry.map_err(BuildError::file("read", dir))?.path();
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_dir() {
            let nested_package = path.join("Cargo.toml").is_file();
            let left_out = dir == root && LEFT_OUT_FOLDERS.contains(&name.as_str());
            if !name.starts_with('.') && !left_out && !nested_package {
                files(root, &path, package, out)?;
            }
        } else if is_source(dir == root, &path, &name) {
            out.push((label(root, package, &path), normalised(&path)?));
        }
    }
    Ok(())
}

/// Hidden files, a README, a lock file and a built component are no sources.
fn is_source(top: bool, path: &Path, name: &str) -> bool {
    let component = path.extension().is_some_and(|e| e == "wasm");
    let beside = top && (component || name == "Cargo.lock" || name.starts_with("README"));
    !beside && !name.starts_with('.')
}

fn contract(dir: &Path, out: &mut Vec<(String, Vec<u8>)>) -> Result<(), BuildError> {
    for entry in fs::read_dir(dir).map_err(BuildError::file("read", dir))? {
        let path = entry.map_err(BuildError::file("read", dir))?.path();
        if path.extension().is_some_and(|e| e == "wit") {
            out.push((label(dir, "wit", &path), normalised(&path)?));
        }
    }
    Ok(())
}

/// `<package>/<path>` with `/` between the parts on every system.
fn label(root: &Path, package: &str, path: &Path) -> String {
    let inside = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = inside.components().map(|c| c.as_os_str().to_string_lossy()).collect();
    format!("{package}/{}", parts.join("/"))
}

/// A file's bytes; in texts, CR LF counts as LF, because git may check them out either way.
fn normalised(path: &Path) -> Result<Vec<u8>, BuildError> {
    let bytes = fs::read(path).map_err(BuildError::file("read", path))?;
    if bytes.contains(&0) {
        return Ok(bytes);
    }
    Ok(match String::from_utf8(bytes) {
        Ok(text) => text.replace("\r\n", "\n").into_bytes(),
        Err(binary) => binary.into_bytes(),
    })
}

#[cfg(test)]
#[path = "digest_tests.rs"]
mod tests;
