//! `plugin list|info|check|new`: what a plugin's author and user see.

mod support;

use support::Bench;

#[test]
fn list_names_everything_embedded() {
    let bench = Bench::new();
    let said = bench.ok(&["plugin", "list"]);
    for name in [
        "openai",
        "vllm",
        "sglang",
        "tgi",
        "llamacpp",
        "friendli",
        "transformers",
        "empathetic",
        "mixed",
        "synthetic",
        "trace",
    ] {
        assert!(said.out.contains(name), "{name}:\n{}", said.out);
    }
    assert!(said.out.lines().all(|l| l.chars().count() <= 80), "{}", said.out);
    let json: serde_json::Value =
        serde_json::from_str(&bench.ok(&["plugin", "list", "--format", "json"]).out).expect("JSON");
    let plugins = json["plugins"].as_array().expect("a list");
    assert_eq!(plugins.len(), 11);
    for plugin in plugins {
        assert_eq!(plugin["identity"]["digest_sha256"].as_str().map(str::len), Some(64));
        for import in plugin["identity"]["imports"].as_array().expect("imports") {
            assert!(import.as_str().is_some_and(|i| i.starts_with("benchhost:plugin/")), "{import}");
        }
    }
}

#[test]
fn info_tells_routes_options_and_slots() {
    let bench = Bench::new();
    let engine = bench.ok(&["plugin", "info", "friendli"]).out;
    for expected in ["FRIENDLI_TOKEN", "/v1/chat/completions", "--engine-option", "sha-256"] {
        assert!(engine.contains(expected), "{expected}:\n{engine}");
    }
    let workload = bench.ok(&["plugin", "info", "mixed"]).out;
    for expected in ["--data", "qa_em", "reasoning_correct"] {
        assert!(workload.contains(expected), "{expected}:\n{workload}");
    }
}

#[test]
fn embedded_components_keep_the_contracts_promises() {
    let bench = Bench::new();
    for name in ["vllm", "tgi", "empathetic", "synthetic", "trace"] {
        let said = bench.ok(&["plugin", "check", name]);
        assert!(said.out.contains("pass") && !said.out.contains("FAIL"), "{}", said.out);
    }
    bench.write("junk.wasm", "junk");
    let said = bench.run(&["plugin", "check", "junk.wasm"]);
    assert_eq!(said.code, 6, "{}", said.out);
    assert!(said.out.contains("FAIL"), "{}", said.out);
}

#[test]
fn a_new_plugin_is_a_folder_that_stands_alone() {
    let bench = Bench::new();
    let said = bench.ok(&["plugin", "new", "engine", "my-engine"]);
    assert!(said.out.contains("plugin build"), "{}", said.out);
    for file in ["Cargo.toml", "src/lib.rs", "README.md"] {
        assert!(bench.path("my-engine").join(file).is_file(), "{file} is missing");
    }
    let again = bench.run(&["plugin", "new", "engine", "my-engine"]);
    assert_eq!(again.code, 2, "{}", again.err);
    let bad = bench.run(&["plugin", "new", "workload", "My Engine"]);
    assert_eq!(bad.code, 2, "{}", bad.err);
}

#[test]
fn completions_are_printed_for_each_shell() {
    let bench = Bench::new();
    for shell in ["bash", "zsh", "fish"] {
        assert!(bench.ok(&["completions", shell]).out.contains("benchhost"), "{shell}");
    }
}
