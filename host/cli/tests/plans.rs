//! Plan files: every file of `plans/bad` is refused with the words beside it, every file of `plans/ok` is sound.

mod support;

use std::path::Path;

use support::Bench;

#[test]
fn bad_plans_are_refused_with_their_words() {
    let bench = Bench::new();
    let mut seen = 0;
    for (path, text) in files("bad") {
        let expected = text
            .lines()
            .next()
            .and_then(|l| l.strip_prefix("# expect: "))
            .expect("the first line says what to expect");
        let said = bench.run(&["plan", "check", path.to_str().expect("a name")]);
        assert_eq!(said.code, 2, "{}: {}", path.display(), said.err);
        assert!(said.err.contains(expected), "{} should say {expected:?}:\n{}", path.display(), said.err);
        assert!(said.err.contains("plan") || said.err.contains('`'), "{}", said.err);
        seen += 1;
    }
    assert!(seen >= 10, "only {seen} bad plans were found");
}

#[test]
fn good_plans_are_sound_and_show_where_values_come_from() {
    let bench = Bench::new();
    for (path, _) in files("ok") {
        let name = path.to_str().expect("a name");
        bench.ok(&["plan", "check", name]);
        let shown = bench.ok(&["plan", "show", name, "--seed", "5"]).out;
        let line = |key: &str| {
            shown.lines().find(|l| l.starts_with(key)).unwrap_or_else(|| panic!("{key}:\n{shown}")).to_owned()
        };
        assert!(line("seed").ends_with("flag") && line("seed").contains('5'), "{shown}");
        assert!(line("engine").contains("plan file"), "{shown}");
        assert!(
            line("temperature").ends_with("default") || line("temperature").ends_with("plan file"),
            "{shown}"
        );
    }
}

#[test]
fn a_profile_is_a_layer_between_the_file_and_the_defaults() {
    let bench = Bench::new();
    let shown =
        bench.ok(&["plan", "show", "--engine", "vllm", "--profile", "load-2048x1024", "--requests", "7"]).out;
    let line = |key: &str| shown.lines().find(|l| l.starts_with(key)).expect("a line").to_owned();
    assert!(line("load").contains("concurrency=8") && line("load").ends_with("profile"), "{shown}");
    assert!(line("requests").contains('7') && line("requests").ends_with("flag"), "{shown}");
    assert!(line("engine").contains("api=completions"), "{shown}");
    assert!(line("workload").contains("input-tokens=2048"), "{shown}");
}

fn files(kind: &str) -> Vec<(std::path::PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans").join(kind);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder of plans")
        .map(|f| f.expect("a file").path())
        .map(|p| (p.clone(), std::fs::read_to_string(&p).expect("a plan")))
        .collect();
    files.sort();
    files
}
