//! A folder made by `plugin new` is an ordinary crate that passes its own tests, far from this repository.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use benchhost_author::new::{NewRequest, new};
use benchhost_plugin::PluginKind;

/// One target directory for both kinds and all runs: their dependencies are compiled once.
fn target_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/author")
}

fn cargo_test(dir: &Path, network: bool) -> Output {
    let mut command = Command::new(env!("CARGO"));
    command.arg("test").args((!network).then_some("--offline")).current_dir(dir);
    command.env("CARGO_TARGET_DIR", target_dir());
    command.output().unwrap()
}

fn passes_its_own_tests(kind: PluginKind, name: &str, its_test: &str) {
    let parent = tempfile::tempdir().unwrap();
    let made = new(&NewRequest { kind, name: name.into(), parent: parent.path().into() }).unwrap();
    let mut output = cargo_test(&made.dir, false);
    if !output.status.success() {
        // The registry's packages may not be on this machine yet.
        output = cargo_test(&made.dir, true);
    }
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}\n{stderr}");
    assert!(stdout.contains(its_test), "`{its_test}` did not run:\n{stdout}");
    assert!(!stderr.contains("warning:"), "it compiles with warnings:\n{stderr}");
}

#[test]
fn a_new_engine_passes_its_own_tests() {
    passes_its_own_tests(PluginKind::Engine, "fresh-engine", "test every_fixture_means_what_it_says ... ok");
}

#[test]
fn a_new_workload_passes_its_own_tests() {
    passes_its_own_tests(
        PluginKind::Workload,
        "fresh-workload",
        "test the_same_seed_gives_the_same_items_and_another_seed_others ... ok",
    );
}
