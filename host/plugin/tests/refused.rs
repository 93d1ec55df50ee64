//! Files that are not usable plugins: each is refused before a run depends on it, with a message that names the cause
//! and a hint that says what to do.

mod guest;

use std::time::Duration;

use benchhost_plugin::{HostConfig, Limits, PluginError, PluginHost, PluginSource, Problem};
use guest::Guest;

fn host() -> PluginHost {
    let short = Duration::from_millis(100);
    let limits = Limits { describe: short, instantiate: Duration::from_secs(20), ..Limits::default() };
    PluginHost::new(&HostConfig { cache_dir: None, limits }).unwrap()
}

fn refused(bytes: impl Into<Vec<u8>>) -> PluginError {
    host().load(&PluginSource::Bytes { name: "bad.wasm".into(), bytes: bytes.into() }).unwrap_err()
}

fn component(wat: &str) -> Vec<u8> {
    wat::parse_str(wat).unwrap()
}

/// Display, hint and source chain are all there, the first on one line.
fn assert_says(error: &PluginError, message: &str, hint: &str) {
    let text = error.to_string();
    assert!(text.contains(message), "{text}");
    assert!(!text.contains('\n'), "{text:?}");
    assert!(error.hint().contains(hint), "{}", error.hint());
}

#[test]
fn a_file_that_is_not_there_or_not_a_file() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("none.wasm"), folder.path().to_owned()] {
        let error = host().load(&PluginSource::File(path)).unwrap_err();
        assert_says(&error, "cannot be read", "check the path");
        assert!(std::error::Error::source(&error).is_some());
    }
}

#[test]
fn a_name_that_no_embedded_plugin_has() {
    let error = host().load(&PluginSource::parse("no-such-engine")).unwrap_err();
    assert_says(&error, "plugin `no-such-engine`: no such plugin inside this program", ".wasm");
}

#[test]
fn text_and_nothing_are_not_webassembly() {
    assert_says(&refused("(component)"), "plugin `bad.wasm`: is not WebAssembly", "benchhost plugin build");
    assert_says(&refused(""), "is not WebAssembly", "component");
    assert_says(&refused("\0as"), "is not WebAssembly", "component");
}

#[test]
fn a_file_above_the_cap_is_not_even_parsed() {
    let limits = Limits { component_bytes: 1000, ..Limits::default() };
    let host = PluginHost::new(&HostConfig { cache_dir: None, limits }).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.wasm");
    std::fs::write(&path, vec![0; 1001]).unwrap();
    assert_says(&host.load(&PluginSource::File(path)).unwrap_err(), "is larger than 1000 bytes", "");
    let source = PluginSource::Bytes { name: "large".into(), bytes: vec![0; 1001] };
    assert_says(&host.load(&source).unwrap_err(), "is larger than 1000 bytes", "");
}

#[test]
fn a_core_module_is_told_how_to_become_a_component() {
    assert_says(
        &refused(component("(module)")),
        "is a core module, not a component",
        "benchhost plugin build <crate>",
    );
}

#[test]
fn damaged_bytes_are_invalid() {
    let mut bytes = Guest::engine().build();
    let middle = bytes.len() / 2;
    bytes.truncate(middle);
    let error = refused(bytes);
    assert_says(&error, "is not a valid component", "build it again");
    assert!(std::error::Error::source(&error).is_some());
    assert_says(&refused(b"\0asm\x63\x00\x01\x00rest".to_vec()), "is not a valid component", "");
}

#[test]
fn a_component_cut_anywhere_never_panics_and_loads_only_when_names_are_all_it_lost() {
    let bytes = Guest::engine().build();
    let host = host();
    let mut loaded = 0;
    for end in 0..bytes.len() {
        let source = PluginSource::Bytes { name: "cut".into(), bytes: bytes[..end].to_vec() };
        loaded += u32::from(host.load(&source).is_ok());
    }
    // After the exports there are two sections for people, so two cuts between sections leave a whole plugin.
    assert!(loaded <= 2, "{loaded} of {} prefixes load", bytes.len());
}

#[test]
fn a_component_of_another_world() {
    let other = r#"(component (instance $i) (export "acme:tools/hammer@1.0.0" (instance $i)))"#;
    assert_says(
        &refused(component(other)),
        "is neither an engine nor a workload: it exports `acme:tools/hammer@1.0.0`",
        "benchhost:plugin/engine@0.1.0",
    );
    assert_says(&refused(component("(component)")), "exports nothing", "benchhost plugin new");
    let both = r#"(component (instance $i)
        (export "benchhost:plugin/engine@0.1.0" (instance $i))
        (export "benchhost:plugin/workload@0.1.0" (instance $i)))"#;
    assert_says(&refused(component(both)), "exports both", "two components");
}

#[test]
fn another_track_is_refused_and_another_patch_is_not() {
    assert_says(
        &refused(Guest::engine().version("0.2.0").build()),
        "was built for `benchhost:plugin/engine@0.2.0`; this program speaks track 0.1",
        "track 0.1",
    );
    let patch = PluginSource::Bytes { name: "patch".into(), bytes: Guest::engine().version("0.1.9").build() };
    assert_eq!(host().load(&patch).unwrap().identity().world, "benchhost:plugin/engine@0.1.9");
}

#[test]
fn all_foreign_imports_are_named_at_once() {
    let wasi = r#"(component
        (import "wasi:cli/exit@0.2.9" (instance))
        (import "wasi:filesystem/types@0.2.9" (instance))
        (import "wasi:cli/environment@0.2.9" (instance))
        (import "acme:gpu/driver" (instance))
        (import "helper" (func))
        (instance $e) (export "benchhost:plugin/engine@0.1.0" (instance $e)))"#;
    let error = refused(component(wasi));
    assert_says(
        &error,
        "imports what no plugin of its kind gets: `acme:gpu` (driver), `helper`, `wasi:cli` (exit, environment), \
         `wasi:filesystem` (types)",
        "wasm32-unknown-unknown",
    );
    for way in ["--stub-wasi", "stubWasi: true", "-mexec-model=reactor"] {
        assert!(error.hint().contains(way), "an unknown language gets every way: {}", error.hint());
    }
}

#[test]
fn the_hint_is_that_of_the_language_the_file_names() {
    // One field, `processed-by`, with one value.
    let producers = r#"(@custom "producers" "\01\0cprocessed-by\01\0fcomponentize-py\030.1")"#;
    let wat = format!(
        r#"(component (core module {producers}) (import "wasi:io/poll@0.2.9" (instance))
             (instance $e) (export "benchhost:plugin/engine@0.1.0" (instance $e)))"#
    );
    let hint = refused(component(&wat)).hint();
    assert!(hint.contains("--stub-wasi") && !hint.contains('\n'), "{hint}");
}

#[test]
fn an_engine_gets_no_data() {
    let wat = r#"(component (import "benchhost:plugin/data@0.1.0" (instance))
        (instance $e) (export "benchhost:plugin/engine@0.1.0" (instance $e)))"#;
    assert_says(&refused(component(wat)), "`benchhost:plugin` (data)", "");
}

#[test]
fn memory_above_the_cap_is_seen_before_it_starts() {
    let error = refused(Guest::engine().pages(2000).build());
    assert_says(&error, "begins with 125 MiB of memory; the cap is 64 MiB", "static memory");
}

#[test]
fn other_types_under_the_same_version_do_not_fit() {
    let changed = Guest::engine().contract("value: f64,", "value: f64, unit: string,");
    let error = refused(changed.build());
    assert_says(&error, "does not fit the contract", "build it again");
    let chain = std::iter::successors(std::error::Error::source(&error), |e| e.source());
    assert!(
        chain.map(ToString::to_string).any(|text| text == "expected record of 2 fields, found 3 fields"),
        "{error:?}"
    );
}

#[test]
fn a_plugin_that_never_answers_who_it_is() {
    let error = refused(Guest::engine().before("describe", "(loop $l (br $l))").build());
    assert_says(&error, "failed when it was asked who it is", "loops");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, "plugin `bad.wasm` passed its time limit of 100 ms in `describe`");
}

#[test]
fn a_description_against_the_rules() {
    let error = refused(Guest::engine().named("My \u{1b}[2J Engine").build());
    assert!(matches!(error.problem(), Problem::Description(_)));
    assert_says(
        &error,
        "describes itself against the contract: name `My \u{fffd}[2J Engine` is not kebab-case",
        "",
    );
}

#[test]
fn an_unusable_cache_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let config = HostConfig { cache_dir: Some(file.clone()), limits: Limits::default() };
    let error = PluginHost::new(&config).unwrap_err();
    assert_says(&error, &file.display().to_string(), "choose a directory");
}
