//! Collects what `benchhost plugin new` writes: the templates, and the SDK with the contract and the framing beside it.
//! The files are compiled into the program, so that a new plugin needs nothing of this repository.

#![allow(clippy::disallowed_methods, reason = "cargo talks to build scripts through variables")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The parts of the repository a plugin is built on. They keep their places relative to each other.
const VENDORED: [&str; 3] = ["plugins/sdk", "wit", "Cargo.toml"];

/// What plugin authors do not need of them.
const LEFT_OUT: [&str; 5] = ["target", "tests", "examples", "benches", "Cargo.lock"];

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or(io::ErrorKind::NotFound)?);
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    let root = here.join("../..").canonicalize()?;
    let mut vendored = Vec::new();
    for part in VENDORED {
        println!("cargo::rerun-if-changed={}", root.join(part).display());
        collect(&root, &root.join(part), &LEFT_OUT, &mut vendored)?;
    }
    let mut text = list("VENDORED", "Paths below the repository, and contents.", &vendored);
    for (kind, name) in [("engine", "ENGINE_TEMPLATE"), ("workload", "WORKLOAD_TEMPLATE")] {
        let dir = here.join("templates").join(kind);
        println!("cargo::rerun-if-changed={}", dir.display());
        let mut files = Vec::new();
        collect(&dir, &dir, &["target", "vendor", "Cargo.lock"], &mut files)?;
        text += &list(name, "Paths below the new folder, and contents.", &files);
    }
    fs::write(out.join("embedded.rs"), text)
}

/// Files at or below `path` as (path below `root`, absolute path), in a fixed order.
fn collect(
    root: &Path,
    path: &Path,
    left_out: &[&str],
    files: &mut Vec<(String, PathBuf)>,
) -> io::Result<()> {
    if path.file_name().is_some_and(|n| left_out.iter().any(|l| n == *l)) {
        return Ok(());
    }
    if !path.is_dir() {
        let below = path.strip_prefix(root).unwrap_or(path);
        let parts: Vec<_> = below.components().map(|c| c.as_os_str().to_string_lossy()).collect();
        files.push((parts.join("/"), path.to_owned()));
        return Ok(());
    }
    let mut entries: Vec<PathBuf> =
        fs::read_dir(path)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
    entries.sort();
    entries.iter().try_for_each(|e| collect(root, e, left_out, files))
}

fn list(name: &str, help: &str, files: &[(String, PathBuf)]) -> String {
    let mut text = format!("/// {help}\npub(crate) static {name}: &[(&str, &str)] = &[\n");
    for (below, path) in files {
        // Writing to a `String` cannot fail.
        let path = path.to_string_lossy();
        let _ = writeln!(text, "    ({below:?}, include_str!({path:?})),");
    }
    text + "];\n"
}
