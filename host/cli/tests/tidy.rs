//! House rules that no compiler checks.

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace")
}

/// Files of the repository with an ending, without build output.
fn files(ending: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            if path.is_dir() {
                if !matches!(name, "target" | ".git" | "local") {
                    walk(&path, ending, found);
                }
            } else if name.ends_with(ending) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root(), ending, &mut found);
    found.sort();
    found
}

#[test]
fn no_source_file_is_longer_than_500_lines() {
    let long: Vec<String> = files(".rs")
        .into_iter()
        .map(|p| (std::fs::read_to_string(&p).expect("text").lines().count(), p))
        .filter(|(lines, _)| *lines > 500)
        .map(|(lines, p)| format!("{} has {lines} lines", p.display()))
        .collect();
    assert!(long.is_empty(), "make two rooms of them:\n{}", long.join("\n"));
}

#[test]
fn every_module_says_what_it_does() {
    let silent: Vec<String> = files(".rs")
        .into_iter()
        .filter(|p| {
            let text = std::fs::read_to_string(p).expect("text");
            !text.starts_with("//!") && !text.starts_with("#![") && !text.trim().is_empty()
        })
        .map(|p| p.display().to_string())
        .collect();
    assert!(silent.is_empty(), "begin them with `//!`:\n{}", silent.join("\n"));
}

#[test]
fn no_room_is_a_junk_drawer() {
    for path in files(".rs") {
        let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
        assert!(!matches!(stem, "util" | "utils" | "helpers" | "common" | "misc"), "{}", path.display());
    }
}

#[test]
fn crates_know_only_what_lies_below_them() {
    let below = |name: &str| -> &'static [&'static str] {
        match name {
            "benchhost-model" | "benchhost-stats" | "benchhost-framing" | "benchhost-serve" => &[],
            "benchhost-simulator" => &["benchhost-os"],
            "benchhost-columnar" | "benchhost-interop" | "benchhost-os" | "benchhost-plugin"
            | "benchhost-quality" | "benchhost-report" | "benchhost-store" | "benchhost-tui" => {
                &["benchhost-model"]
            }
            "benchhost-http" | "benchhost-telemetry" => &["benchhost-model", "benchhost-os"],
            "benchhost-load" => &["benchhost-model", "benchhost-http", "benchhost-os"],
            "benchhost-selfcheck" => {
                &["benchhost-model", "benchhost-stats", "benchhost-http", "benchhost-load", "benchhost-os"]
            }
            "benchhost-analysis" => &["benchhost-model", "benchhost-stats"],
            "benchhost-compare" => &["benchhost-model", "benchhost-stats", "benchhost-analysis"],
            "benchhost-author" => &["benchhost-model", "benchhost-plugin", "benchhost-framing"],
            "benchhost-sdk" => &["benchhost-framing"],
            name if name.starts_with("engine-") || name.starts_with("workload-") => &["benchhost-sdk"],
            _ => &["*"],
        }
    };
    for manifest in files("Cargo.toml") {
        let text = std::fs::read_to_string(&manifest).expect("text");
        let Ok(table) = text.parse::<toml::Table>() else { continue };
        let Some(name) = table.get("package").and_then(|p| p.get("name")).and_then(|n| n.as_str()) else {
            continue;
        };
        let allowed = below(name);
        let dependencies = table.get("dependencies").and_then(|d| d.as_table()).cloned().unwrap_or_default();
        for dependency in dependencies.keys().filter(|d| d.starts_with("benchhost")) {
            // A template stands outside this workspace and names its copy of the SDK.
            let template = manifest.to_string_lossy().contains("/templates/");
            assert!(
                template || allowed.contains(&"*") || allowed.contains(&dependency.as_str()),
                "{name} must not know {dependency}"
            );
        }
    }
}

#[test]
fn top_level_folders_have_a_short_readme() {
    for folder in ["host", "wit", "plugins", "workloads", "results"] {
        let path = root().join(folder).join("README.md");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} is missing", path.display()));
        assert!(text.lines().count() < 30, "{} has {} lines", path.display(), text.lines().count());
    }
    let readme = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    assert!(readme.lines().count() < 150, "README.md has {} lines", readme.lines().count());
}

#[test]
fn the_readme_names_every_plugin_there_is() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    for folder in ["plugins", "workloads"] {
        for entry in std::fs::read_dir(root().join(folder)).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
            if path.is_dir() && name != "sdk" {
                assert!(readme.contains(&format!("`{name}`")), "README.md does not mention `{name}`");
                let component = root().join(folder).join(format!("{name}.wasm"));
                let size = std::fs::metadata(&component).map_or(0, |m| m.len());
                assert!((1..500_000).contains(&size), "{} has {size} bytes", component.display());
            }
        }
    }
}

#[test]
fn every_column_is_documented() {
    let documented = std::fs::read_to_string(root().join("host/report/COLUMNS.md")).expect("COLUMNS.md");
    let record = std::fs::read_to_string(root().join("host/model/src/record.rs")).expect("record.rs");
    let fields =
        record.split("pub struct Record").nth(1).expect("the record").split("\n}").next().expect("its end");
    for line in fields.lines().filter_map(|l| l.trim().strip_prefix("pub ")) {
        let name = line.split(':').next().expect("a name");
        if name != "scores" {
            assert!(documented.contains(&format!("`{name}`")), "COLUMNS.md does not explain `{name}`");
        }
    }
}

/// Licences that may be in the program. Everything else needs a decision, and a line here with its reason.
const LICENCES: [&str; 12] = [
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "Unlicense",
    "CC0-1.0",
];

#[test]
fn every_dependency_has_a_licence_we_accept() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    assert!(packages.len() > 100, "only {} packages were seen", packages.len());
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let licence = package["license"].as_str().unwrap_or_default();
        assert!(acceptable(licence), "{name} has the licence `{licence}`");
    }
}

/// `A OR B` needs one of them, `A AND B` all; `/` is the old spelling of `OR`.
fn acceptable(expression: &str) -> bool {
    let plain = expression.replace(['(', ')'], "").replace('/', " OR ");
    plain.split(" AND ").all(|part| part.split(" OR ").any(|l| LICENCES.contains(&l.trim())))
}

#[test]
fn nothing_committed_speaks_of_a_machine() {
    let needles = ["/work/", "/tmp/real", "../shared"];
    for path in files(".rs").into_iter().chain(files(".md")).chain(files(".toml")) {
        if path.ends_with("tests/tidy.rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("text");
        for needle in needles {
            assert!(!text.contains(needle), "{} contains {needle}", path.display());
        }
    }
}

#[test]
fn links_in_documents_lead_somewhere() {
    for path in files(".md") {
        // Templates speak of the folder they become.
        if path.to_string_lossy().contains("/templates/") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("text");
        assert!(!text.contains("@@"), "{} holds a placeholder", path.display());
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") || file.contains(' ') {
                continue;
            }
            let linked = path.parent().expect("a folder").join(file);
            assert!(linked.exists(), "{} links to {target}", path.display());
        }
    }
}
