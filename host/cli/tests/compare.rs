//! `compare`: what it refuses, what it says with one run a side and with several, and what damaged files do to it.

mod support;

use support::Bench;

fn measure(bench: &Bench, out: &str, extra: &[&str]) {
    let mut args = vec![
        "run",
        "--engine",
        "sglang",
        "--simulate",
        "--concurrency",
        "4",
        "--requests",
        "24",
        "--max-tokens",
        "6",
        "--no-plots",
        "--out",
        out,
    ];
    args.extend(extra);
    bench.ok(&args);
}

/// The same run against a simulator whose first token takes `ttft`.
fn measure_with_ttft(bench: &Bench, out: &str, ttft: &str, repeats: &str) {
    let server = bench.simulator("vllm", &["--ttft", ttft, "--itl", "2ms"]);
    let engine = format!("vllm={}", server.url);
    bench.ok(&[
        "run",
        "--engine",
        &engine,
        "--concurrency",
        "2",
        "--requests",
        "12",
        "--repeats",
        repeats,
        "--max-tokens",
        "4",
        "--no-plots",
        "--out",
        out,
    ]);
}

#[test]
fn one_run_a_side_is_at_most_indicative_and_says_simulated() {
    let bench = Bench::new();
    measure(&bench, "a", &[]);
    measure(&bench, "b", &[]);
    let said = bench.run(&["compare", "a/requests.csv", "b/requests.csv"]);
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
    assert!(said.out.to_lowercase().contains("simulat"), "{}", said.out);
    for metric in ["ttft", "itl", "tpot", "e2e", "tok/s"] {
        assert!(said.out.contains(metric), "{metric}:\n{}", said.out);
    }
    assert!(said.out.lines().all(|l| l.chars().count() <= 80), "{}", said.out);
    let json: serde_json::Value =
        serde_json::from_str(&bench.ok(&["compare", "a", "b", "--format", "json"]).out).expect("JSON");
    assert_eq!(json["schema_version"], 1);
    assert!(bench.ok(&["compare", "a", "b", "--format", "markdown"]).out.contains('|'));
}

#[test]
fn a_large_slowdown_over_repeats_is_a_regression_with_exit_1() {
    let bench = Bench::new();
    measure_with_ttft(&bench, "fast", "20ms", "5");
    measure_with_ttft(&bench, "slow", "120ms", "5");
    let said = bench.run(&["compare", "fast", "slow"]);
    assert_eq!(said.code, 1, "{}\n{}", said.out, said.err);
    assert!(said.out.contains("worse"), "{}", said.out);
    let back = bench.run(&["compare", "slow", "fast"]);
    assert_eq!(back.code, 0, "{}\n{}", back.out, back.err);
    assert!(back.out.contains("better"), "{}", back.out);
}

#[test]
fn what_cannot_be_compared_is_4_and_says_why() {
    let bench = Bench::new();
    measure(&bench, "a", &[]);
    measure(&bench, "seed", &["--seed", "7"]);
    measure(&bench, "longer", &["--max-tokens", "7"]);
    measure(&bench, "mixed", &["--workload", "mixed"]);
    measure(&bench, "model", &["--model", "another-name"]);
    for (other, expected) in [
        ("seed", "different items"),
        ("longer", "lengths"),
        ("mixed", "in common"),
        ("model", "--across-models"),
    ] {
        let said = bench.run(&["compare", "a", other]);
        assert_eq!(said.code, 4, "{other}: {}\n{}", said.out, said.err);
        assert!(said.err.contains(expected), "{other}: {}", said.err);
    }
    assert_eq!(bench.run(&["compare", "a", "model", "--across-models"]).code, 0);
}

#[test]
fn two_engines_of_one_file_are_told_apart() {
    let bench = Bench::new();
    measure(&bench, "both", &["--engine", "friendli"]);
    let said = bench.run(&["compare", "both", "both"]);
    assert_eq!(said.code, 4);
    assert!(said.err.contains("--select-base"), "{}", said.err);
    let said = bench.run(&["compare", "both", "both", "--select-base", "sglang", "--select-new", "friendli"]);
    assert!(said.code == 0 || said.code == 1, "{}", said.err);
    assert!(said.out.contains("friendli"), "{}", said.out);
}

#[test]
fn a_torn_last_row_is_left_out_and_damage_is_named() {
    let bench = Bench::new();
    measure(&bench, "a", &[]);
    let path = bench.path("a/requests.csv");
    let whole = std::fs::read_to_string(&path).expect("rows");
    // Cut at every byte of the last row: never a crash, never a wrong row.
    let last = whole.trim_end().rfind('\n').expect("rows") + 1;
    let rows = bench.measured("a").len();
    for cut in [last + 1, last + 40, whole.len() - 3, whole.len() - 2] {
        std::fs::write(&path, &whole[..cut]).expect("written");
        let said = bench.ok(&["report", "a", "--no-plots", "--format", "json"]);
        assert!(said.err.contains("torn") || cut == whole.len(), "cut at {cut}: {}", said.err);
        let json: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
        assert_eq!(json["rows"][0]["counts"]["scheduled"], rows - 1, "cut at {cut}");
    }
    let lines: Vec<&str> = whole.lines().collect();
    let broken = |name: &str, text: String, expected: &str| {
        let file = bench.write(name, &text);
        let said = bench.run(&["compare", file.to_str().expect("a name"), "a"]);
        assert_eq!(said.code, 2, "{name}: {}", said.err);
        assert!(said.err.contains(expected), "{name}: {}", said.err);
    };
    broken("other.csv", "a,b\n1,2\n".into(), "eor");
    broken("empty.csv", String::new(), "empty.csv");
    broken(
        "word.csv",
        format!("{}\n{}\n", lines[0], lines[1].replacen("concurrency=4", "users=4", 1)),
        "line 2",
    );
    broken("torn.csv", format!("{}\n{}\n{}\n", lines[0], &lines[1][..20], &lines[2][..20]), "line 2");
}
