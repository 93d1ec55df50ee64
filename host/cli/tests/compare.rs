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
        // Its last row is then a measured one.
        "--drain",
        "quiet",
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
    // One run a side indicates at most, so it is never a regression.
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
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
    for cut in last..=whole.len() {
        std::fs::write(&path, &whole[..cut]).expect("written");
        let said = bench.ok(&["report", "a", "--no-plots", "--format", "json"]);
        // Without its line feed alone a row is still whole.
        let is_whole = cut >= whole.len() - 1;
        assert_eq!(said.err.contains("torn"), cut > last && !is_whole, "cut at {cut}: {}", said.err);
        let json: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
        let expected = if is_whole { rows } else { rows - 1 };
        assert_eq!(json["rows"][0]["counts"]["scheduled"], expected, "cut at {cut}");
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

#[test]
fn a_run_that_got_further_is_compared_on_the_items_of_both() {
    let bench = Bench::new();
    measure(&bench, "a", &[]);
    let text = std::fs::read_to_string(bench.path("a/requests.csv")).expect("rows");
    let lines: Vec<&str> = text.lines().collect();
    let half = bench.write("half.csv", &(lines[..lines.len() / 2].join("\n") + "\n"));
    let said = bench.run(&["compare", "a", half.to_str().expect("a name")]);
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
    let words = said.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("of the base side left out"), "{words}");
}

#[test]
fn what_the_runs_own_files_say_is_noted_and_a_lone_csv_has_none() {
    let bench = Bench::new();
    measure(&bench, "a", &[]);
    measure(
        &bench,
        "b",
        &["--temperature", "0.7", "--top-p", "0.9", "--history", "recorded", "--api", "completions"],
    );
    let said = bench.ok(&["compare", "a", "b"]);
    for note in [
        "route differs: base `chat`, new `completions`",
        "temperature differs: base `0.0`, new `0.7`",
        "top-p differs: base `not set`, new `0.9`",
        "history differs: base `model`, new `recorded`",
    ] {
        assert!(said.out.contains(note), "{note}:\n{}", said.out);
    }
    let same = bench.ok(&["compare", "a/requests.csv", "a/requests.csv"]);
    assert!(!same.out.contains("differs: base"), "{}", same.out);
    std::fs::copy(bench.path("b/requests.csv"), bench.path("b.csv")).expect("a copy");
    let lone = bench.ok(&["compare", "a", "b.csv"]);
    assert!(!lone.out.contains("differs: base"), "{}", lone.out);
}

#[test]
fn requests_that_did_not_complete_are_compared_in_points() {
    let bench = Bench::new();
    measure(&bench, "a", &[]);
    let text = std::fs::read_to_string(bench.path("a/requests.csv")).expect("rows");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let rows = lines.len();
    for line in &mut lines[rows - 12..] {
        *line = line.replacen(",completed,", ",failed,", 1);
    }
    bench.write("bad.csv", &(lines.join("\n") + "\n"));
    let said = bench.ok(&["compare", "a", "bad.csv", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    let table = json["groups"][0]["rows"].as_array().expect("rows");
    let row = table.iter().find(|r| r["metric"] == "not completed").expect("the row");
    assert_eq!((&row["difference"]["estimate"], &row["difference"]["unit"]), (&50.0.into(), &"pt".into()));
    assert!(row["difference"]["interval"][0].as_f64().expect("a bound") > 20.0, "{row}");
    assert_eq!(row["verdict"], "indicative_worse");
    assert!(bench.ok(&["compare", "a", "bad.csv"]).out.contains("+50.0 pt ["));
}

#[test]
fn a_report_that_cannot_be_saved_is_still_printed() {
    let bench = Bench::new();
    measure(&bench, "a", &[]);
    std::fs::remove_dir_all(bench.path("a/points")).expect("removed");
    bench.write("a/points", "a file where a folder should be");
    let said = bench.ok(&["report", "a", "--no-plots"]);
    assert!(
        said.out.contains("sglang") && said.err.contains("warning: cannot write"),
        "{}\n{}",
        said.out,
        said.err
    );
}

#[test]
fn a_report_says_how_an_unfinished_run_ended() {
    let bench = Bench::new();
    measure(&bench, "a", &[]);
    let path = bench.path("a/manifest.json");
    let text = std::fs::read_to_string(&path).expect("a manifest");
    assert!(text.contains("\"ended\": \"complete\""), "{text}");
    assert!(!bench.ok(&["report", "a", "--no-plots"]).err.contains("ended"));
    for (ended, words) in [
        ("", "still running, or it was killed"),
        ("failed", "failed before its end"),
        ("interrupted", "was interrupted"),
    ] {
        let changed = text.replace("\"ended\": \"complete\"", &format!("\"ended\": \"{ended}\""));
        std::fs::write(&path, changed).expect("written");
        let said = bench.ok(&["report", "a", "--no-plots"]);
        assert!(said.err.contains(words), "{ended}: {}", said.err);
    }
    std::fs::write(&path, text.replace("\"schema_version\": 2", "\"schema_version\": 99")).expect("written");
    let said = bench.run(&["report", "a", "--no-plots"]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("newer benchhost"), "{}", said.err);
}

#[test]
fn a_copy_that_cannot_be_made_is_refused_before_anything_is_created() {
    let bench = Bench::new();
    bench.write("other.csv", "a,b\n1,2");
    for (out, why) in [("nodir/l.csv", "cannot write"), ("other.csv", "other columns")] {
        let said = bench.run(&["run", "--engine", "sglang", "--simulate", "--requests", "2", "--out", out]);
        assert_eq!(said.code, 2, "{out}: {}", said.err);
        assert!(said.err.contains(why), "{out}: {}", said.err);
        assert!(!bench.path("results").exists(), "{out}");
    }
    assert_eq!(std::fs::read_to_string(bench.path("other.csv")).expect("kept"), "a,b\n1,2");
}
