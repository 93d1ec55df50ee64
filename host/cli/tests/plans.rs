//! Plan files: every file of `plans/bad` is refused with the words beside it, every file of `plans/ok` is sound, and what
//! `plan show` prints is what runs.

mod support;

use std::path::{Path, PathBuf};

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
    assert!(seen >= 40, "only {seen} bad plans were found");
}

#[test]
fn good_plans_are_sound_and_show_where_values_come_from() {
    let bench = Bench::new();
    for (path, _) in files("ok") {
        let name = path.to_str().expect("a name");
        bench.ok(&["plan", "check", name]);
        let shown = Shown::of(&bench, &[name, "--seed", "5"]);
        assert_eq!(shown.row("seed"), ("5", "flag"));
        assert_eq!(shown.row("engine").1, "plan file");
        assert!(matches!(shown.row("temperature").1, "default" | "plan file"), "{}", shown.text);
    }
}

#[test]
fn the_plans_of_committed_studies_are_sound() {
    let bench = Bench::new();
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../results");
    let plans = std::fs::read_dir(results)
        .expect("the studies")
        .map(|s| s.expect("a study").path().join("plan.toml"));
    let plans: Vec<PathBuf> = plans.filter(|p| p.is_file()).collect();
    assert!(!plans.is_empty());
    for plan in plans {
        bench.ok(&["plan", "check", plan.to_str().expect("a name")]);
    }
}

#[test]
fn a_profile_is_a_layer_between_the_file_and_the_defaults() {
    let bench = Bench::new();
    let shown = Shown::of(&bench, &["--engine", "vllm", "--profile", "load-2048x1024", "--requests", "7"]);
    assert_eq!(shown.row("  load"), ("concurrency=8", "profile"));
    assert_eq!(shown.row("  requests"), ("7 per load point", "flag"));
    assert_eq!(shown.row("engine"), ("vllm", "flag"));
    assert_eq!(shown.row("  api"), ("completions", "profile"));
    assert_eq!(shown.row("  model"), ("the server's first", "default"));
    assert_eq!(shown.row("workload"), ("synthetic", "profile"));
    assert_eq!(shown.row("  option"), ("input-tokens=2048", "profile"));
    assert_eq!(shown.row("profile"), ("load-2048x1024", "flag"));
}

#[test]
fn what_is_not_set_is_shown_as_well() {
    let bench = Bench::new();
    let shown = Shown::of(&bench, &["--engine", "vllm"]);
    for (key, value) in [
        ("simulate", "no"),
        ("profile", "none"),
        ("tokenizer", "none"),
        ("ca-file", "none"),
        ("gpu-price", "none"),
    ] {
        assert_eq!(shown.row(key), (value, "default"));
    }
    let off = bench.write("off.toml", "simulate = false\n[[engine]]\nplugin = \"vllm\"\n");
    assert_eq!(Shown::of(&bench, &[off.to_str().expect("a name")]).row("simulate"), ("no", "plan file"));
}

#[test]
fn each_workload_is_shown_with_the_load_that_it_gets() {
    let bench = Bench::new();
    let plan = bench.write(
        "own.toml",
        "concurrency = [1, 16]\n[[engine]]\nplugin = \"vllm\"\nheaders = { X-Team = \"env:TEAM\" }\n\
         api-key-env = \"KEY\"\n[[workload]]\nplugin = \"mixed\"\nlabel = \"own\"\nrequests = 5\nrate = [2.5]\n\
         [[workload]]\nplugin = \"empathetic\"\n",
    );
    let name = plan.to_str().expect("a name");
    let shown = Shown::of(&bench, &[name, "--header", "X-Key: secret"]);
    assert_eq!(
        shown.rows("  load"),
        [("rate=2.5", "plan file"), ("concurrency=1, concurrency=16", "plan file")]
    );
    assert_eq!(shown.rows("  requests")[0], ("5 per load point", "plan file"));
    assert_eq!(shown.rows("  requests")[1], ("40, 64 (4 x concurrency, at least 40)", "default"));
    assert_eq!(shown.rows("  label")[1], ("own", "plan file"));
    assert_eq!(shown.row("  api-key-env"), ("KEY", "plan file"));
    assert_eq!(shown.rows("  header")[0], ("X-Team: from the variable TEAM", "plan file"));
    assert_eq!(shown.rows("  header")[1], ("X-Key: a literal value, not stored", "flag"));
    assert!(!shown.text.contains("secret"), "{}", shown.text);

    let over = Shown::of(&bench, &[name, "--concurrency", "3", "--requests", "9"]);
    assert_eq!(over.rows("  load"), [("concurrency=3", "flag"); 2]);
    assert_eq!(over.rows("  requests"), [("9 per load point", "flag"); 2]);
}

#[test]
fn no_line_is_wider_than_eighty_columns() {
    let bench = Bench::new();
    let option = format!("deployment={}", "long ".repeat(60));
    let label = "x".repeat(200);
    let shown =
        bench.ok(&["plan", "show", "--engine", "vllm", "--engine-option", &option, "--label", &label]).out;
    assert!(shown.lines().all(|l| l.chars().count() <= 80), "{shown}");
    assert_eq!(
        shown.matches('x').count(),
        200 + "4 x concurrency, 1 x concurrency, max-tokens".matches('x').count()
    );
}

#[test]
fn the_last_of_two_flags_wins_and_lists_grow() {
    let bench = Bench::new();
    let shown = Shown::of(
        &bench,
        &[
            "--engine",
            "vllm",
            "--engine",
            "friendli",
            "--seed",
            "1",
            "--seed",
            "2",
            "--concurrency",
            "1",
            "--concurrency",
            "2",
        ],
    );
    assert_eq!(shown.row("seed"), ("2", "flag"));
    assert_eq!(shown.rows("engine"), [("vllm", "flag"), ("friendli", "flag")]);
    assert_eq!(shown.row("  load"), ("concurrency=1, concurrency=2", "flag"));
    bench.ok(&["plan", "check", "--engine", "vllm", "--seed", "1", "--seed", "2"]);
}

#[test]
fn a_dialect_where_a_plan_should_stand_is_explained() {
    let bench = Bench::new();
    let said = bench.run(&["run", "--engine", "friendli", "--simulate", "friendli"]);
    assert!(said.code == 2 && said.err.contains("`--simulate=friendli`"), "{}", said.err);
    let said = bench.run(&["plan", "check", "vllm"]);
    assert!(said.code == 2 && said.err.contains("`--engine vllm`"), "{}", said.err);
}

#[test]
fn flags_are_checked_as_the_file_is() {
    let bench = Bench::new();
    bench.write("own.txt", "Hello?\n");
    for (flags, says) in [
        (&["--concurrency", "2,2"][..], "concurrency=2 twice"),
        (&["--concurrency", "16385"], "connection of its own"),
        (&["--rate", "1e9"], "up to 1000000"),
        (&["--workload", "mixed", "--workload", "mixed"], "label = \"…\""),
        (&["--prompts", "own.txt", "--data", "gsm8k=x.jsonl"], "`--data` reaches nothing"),
        (&["--prompts", "own.txt", "--workload-option", "a=b"], "`--workload-option` reaches nothing"),
        (&["--timeout", "0.4ms"], "between 1 ms and 7 days"),
        (&["--label", "a\nb"], "control characters"),
    ] {
        let said = bench.run(&[&["plan", "check", "--engine", "vllm"], flags].concat());
        assert!(said.code == 2 && said.err.contains(says), "{flags:?}: {}", said.err);
    }
}

#[test]
fn a_stored_plan_repeats_the_run_from_another_folder() {
    let bench = Bench::new();
    let component = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/vllm.wasm");
    std::fs::copy(component, bench.path("mine.wasm")).expect("a component");
    let once = [
        "--simulate",
        "--concurrency",
        "1",
        "--requests",
        "2",
        "--warmup",
        "0",
        "--max-tokens",
        "4",
        "--no-plots",
    ];
    bench.ok(&[&["run", "--engine", "mine.wasm", "--gpu", "off", "--out", "a"][..], &once].concat());
    let elsewhere = bench.path("elsewhere");
    std::fs::create_dir(&elsewhere).expect("a folder");
    let plan = bench.path("a/plan.toml");
    let output = bench
        .command(&["run", plan.to_str().expect("a name"), "--out", "b", "--no-plots"])
        .current_dir(&elsewhere)
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let digest = |run: &str| bench.rows(run)[0]["plan_digest"].clone();
    assert_eq!(digest("a"), digest("elsewhere/b"));
}

/// The table of `plan show`.
struct Shown {
    text: String,
}

impl Shown {
    fn of(bench: &Bench, args: &[&str]) -> Self {
        Self { text: bench.ok(&[&["plan", "show"], args].concat()).out }
    }

    /// Value and origin of every row whose key is `key`, indentation included.
    fn rows(&self, key: &str) -> Vec<(&str, &str)> {
        let rows = self.text.lines().filter(|l| l.get(..15).is_some_and(|k| k.trim_end() == key));
        rows.map(|l| (l[16..64].trim_end(), l[65..].trim_end())).collect()
    }

    fn row(&self, key: &str) -> (&str, &str) {
        *self.rows(key).first().unwrap_or_else(|| panic!("no `{key}`:\n{}", self.text))
    }
}

fn files(kind: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans").join(kind);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder of plans")
        .map(|f| f.expect("a file").path())
        .map(|p| (p.clone(), std::fs::read_to_string(&p).expect("a plan")))
        .collect();
    files.sort();
    files
}
