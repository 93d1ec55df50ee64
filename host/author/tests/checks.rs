//! `plugin check` on the components of this repository, and on files that are none.

use std::fs;
use std::path::{Path, PathBuf};

use benchhost_author::check::{CheckRequest, Outcome, check};
use benchhost_plugin::{HostConfig, PluginHost, PluginSource};

fn components() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let files =
        ["plugins", "workloads"].into_iter().flat_map(|shelf| fs::read_dir(root.join(shelf)).unwrap());
    let mut files: Vec<PathBuf> = files.map(|e| e.unwrap().path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "wasm"));
    files.sort();
    files
}

#[test]
fn every_committed_component_keeps_its_promises() {
    let host = PluginHost::new(&HostConfig::default()).unwrap();
    let components = components();
    assert!(!components.is_empty(), "no component is built; run `benchhost plugin build`");
    let mut broken = Vec::new();
    for file in components {
        let report = check(&CheckRequest::new(PluginSource::File(file.clone())), &host);
        for item in &report.items {
            if let Outcome::Fail(reason) = &item.outcome {
                broken.push(format!("{}: {}: {reason}", file.display(), item.name));
            }
        }
        assert!(report.kind.is_none() || report.items.len() > 3, "{}: too little was tried", file.display());
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn what_is_no_component_fails_with_one_reason() {
    let host = PluginHost::new(&HostConfig::default()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes, word) in [
        ("text.wasm", &b"hello"[..], "WebAssembly"),
        ("module.wasm", b"\0asm\x01\0\0\0", "module"),
        ("empty-component.wasm", b"\0asm\x0d\0\x01\0", "export"),
        ("cut.wasm", b"\0asm\x0d\0\x01\0\x01\xff", "cut.wasm"),
    ] {
        let file = dir.path().join(name);
        fs::write(&file, bytes).unwrap();
        let report = check(&CheckRequest::new(PluginSource::File(file.clone())), &host);
        assert!(!report.passed() && report.kind.is_none());
        let [only] = report.items.as_slice() else { panic!("{name}: {:?}", report.items) };
        let Outcome::Fail(reason) = &only.outcome else { panic!("{name}: {:?}", only.outcome) };
        assert!(reason.contains(word), "{name}: {reason}");
    }
    let missing = check(&CheckRequest::new(PluginSource::File(dir.path().join("missing.wasm"))), &host);
    assert!(!missing.passed());
}
