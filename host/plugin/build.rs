//! Lists the built first-party components, so that they are compiled into the program.
//!
//! Watches each component's file and nothing else: watching the folders would recompile this crate at every edit of a
//! guest's source.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a build script speaks to cargo on standard output and through the environment"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../../Cargo.toml");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../..");
    let mut list = String::from("&[\n");
    for (folder, kind) in [("plugins", "Engine"), ("workloads", "Workload")] {
        for guest in guests(&root.join(folder))? {
            println!("cargo:rerun-if-changed={}", guest.display());
            if !guest.is_file() {
                continue;
            }
            let name = guest.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let path = fs::canonicalize(&guest)?.display().to_string();
            writeln!(
                list,
                "    Embedded {{ name: {name:?}, kind: PluginKind::{kind}, bytes: include_bytes!({path:?}) }},"
            )
            .map_err(io::Error::other)?;
        }
    }
    list.push(']');
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("embedded.rs"), list)
}

/// Components that exist in `folder`, and those its guest crates will be built to, sorted by name.
fn guests(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(found);
    };
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "wasm") {
            found.push(path);
        } else if fs::read_to_string(path.join("Cargo.toml")).is_ok_and(|text| text.contains("cdylib")) {
            found.push(path.with_extension("wasm"));
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}
