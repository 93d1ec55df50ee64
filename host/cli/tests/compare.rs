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
    assert_eq!(json["schema_version"], 2);
    let rows = json["groups"][0]["rows"].as_array().expect("rows");
    let bound = ["indicative", "below resolution", "missing"];
    assert!(
        rows.iter().all(|r| bound.iter().any(|b| r["verdict"].as_str().unwrap_or("").starts_with(b))),
        "{json:#}"
    );
    let strict = bench.run(&["compare", "a", "b", "--strict"]);
    // The little simulator may disturb the measuring so much that a run is INVALID, which comes first.
    assert!(matches!(strict.code, 3 | 5), "{}\n{}", strict.out, strict.err);
    assert!(bench.ok(&["compare", "a", "b", "--format", "markdown"]).out.contains('|'));
}

#[test]
fn a_large_slowdown_over_repeats_is_a_regression_with_exit_1() {
    let bench = Bench::new();
    measure_with_ttft(&bench, "fast", "20ms", "5");
    measure_with_ttft(&bench, "slow", "120ms", "5");
    let said = bench.run(&["compare", "fast", "slow"]);
    assert_eq!(said.code, 1, "{}\n{}", said.out, said.err);
    assert!(said.out.starts_with("Regression: the new side is worse in "), "{}", said.out);
    assert!(said.out.contains("REGRESSED") && said.out.contains("5v5, p .008 (Holm ."), "{}", said.out);
    let github = bench.run(&["compare", "fast", "slow", "--format", "github"]);
    assert_eq!(github.code, 1);
    assert!(github.out.starts_with("::error title=benchhost compare::Regression"), "{}", github.out);
    assert!(github.out.contains("::error title=ttft_p50 regressed::") && github.out.contains("| figure |"));
    let back = bench.run(&["compare", "slow", "fast"]);
    assert_eq!(back.code, 0, "{}\n{}", back.out, back.err);
    assert!(back.out.contains("improved"), "{}", back.out);
    // A margin wider than the change takes the verdict away; a figure that is none is named.
    let wide = bench.run(&["compare", "slow", "fast", "--margin", "ttft_p50=99%", "--gate", "ttft_p50"]);
    assert!(!wide.out.starts_with("Improved") || wide.out.contains("−"), "{}", wide.out);
    let none = bench.run(&["compare", "slow", "fast", "--margin", "speed=2%"]);
    assert_eq!(none.code, 2, "{}", none.err);
    assert!(none.err.contains("ttft_p50") && none.err.contains("`speed`"), "{}", none.err);
    let three = bench.run(&["compare", "fast", "slow", "fast", "--format", "json"]);
    assert_eq!(three.code, 1, "{}", three.err);
    let json: serde_json::Value = serde_json::from_str(&three.out).expect("JSON");
    assert_eq!(json["comparisons"].as_array().map(Vec::len), Some(2));
    let by_ttft = json["rankings"]
        .as_array()
        .expect("rankings")
        .iter()
        .find(|r| r["heading"].as_str().is_some_and(|h| h.ends_with("ttft_p50")));
    let places = by_ttft.expect("a ranking")["places"].as_array().expect("places").clone();
    assert_eq!(places[2]["ranks"], serde_json::json!([3, 3]), "{places:?}");
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
        ("model", "--allow model"),
    ] {
        let said = bench.run(&["compare", "a", other]);
        assert_eq!(said.code, 4, "{other}: {}\n{}", said.out, said.err);
        assert!(said.err.contains(expected), "{other}: {}", said.err);
    }
    for flag in [&["--across-models"][..], &["--allow", "model"]] {
        assert_eq!(bench.run(&[&["compare", "a", "model"], flag].concat()).code, 0, "{flag:?}");
    }
    assert_eq!(bench.run(&["compare", "a", "longer", "--allow", "lengths"]).code, 0);
    assert_eq!(bench.run(&["compare", "a", "a", "--allow", "colour"]).code, 2);
    assert_eq!(bench.run(&["compare", "a", "a", "--margin", "0"]).code, 2);
    assert_eq!(bench.run(&["compare", "a"]).code, 2);
    assert_eq!(bench.run(&["compare"]).code, 2);
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
    let by = bench.run(&["compare", "both", "--by", "engine"]);
    assert_eq!(by.code, 0, "{}\n{}", by.out, by.err);
    assert!(by.out.contains("base  sglang") && by.out.contains("new   friendli"), "{}", by.out);
    let turned = bench.ok(&["compare", "both", "--by", "engine", "--select-base", "friendli"]);
    assert!(turned.out.contains("base  friendli") && turned.out.contains("new   sglang"), "{}", turned.out);
    assert_eq!(bench.run(&["compare", "both", "--by", "workload"]).code, 4);
    // Two engines of two files are another matter: that must be said.
    measure(&bench, "one", &[]);
    let other = bench.write("other.csv", &only(&bench, "both", "friendli"));
    let other = other.to_str().expect("a name");
    let refused = bench.run(&["compare", "one", other]);
    assert_eq!(refused.code, 4, "{}", refused.out);
    assert!(refused.err.contains("--allow engine"), "{}", refused.err);
    assert_eq!(bench.run(&["compare", "one", other, "--allow", "engine"]).code, 0);
}

/// The rows of one engine.
fn only(bench: &Bench, run: &str, engine: &str) -> String {
    let text = std::fs::read_to_string(bench.path(run).join("requests.csv")).expect("rows");
    let word = format!(",{engine},");
    let lines = text.lines().enumerate().filter(|(at, l)| *at == 0 || l.contains(&word)).map(|(_, l)| l);
    lines.collect::<Vec<_>>().join("\n") + "\n"
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
    let refused = bench.run(&["compare", "a", "b"]);
    assert_eq!(refused.code, 4, "{}", refused.out);
    assert!(refused.err.contains("--allow history,route,sampling"), "{}", refused.err);
    let said = bench.ok(&["compare", "a", "b", "--allow", "history,route,sampling"]);
    let words = said.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for note in [
        "route differs: base `chat`, new `completions`",
        "temperature differs: base `0.0`, new `0.7`",
        "top-p differs: base `not set`, new `0.9`",
        "history differs: base `model`, new `recorded`",
    ] {
        assert!(words.contains(note), "{note}:\n{}", said.out);
    }
    let same = bench.ok(&["compare", "a/requests.csv", "a/requests.csv"]);
    assert!(!same.out.contains("differs: base") && !same.out.contains("Not checked"), "{}", same.out);
    std::fs::copy(bench.path("b/requests.csv"), bench.path("b.csv")).expect("a copy");
    let lone = bench.ok(&["compare", "a", "b.csv"]);
    assert!(!lone.out.contains("differs: base"), "{}", lone.out);
    assert!(lone.out.contains("new: rows alone, no manifest"), "{}", lone.out);
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
    let row = table.iter().find(|r| r["metric"] == "error_rate").expect("the row");
    assert_eq!((&row["change"]["estimate"], &row["scale"]), (&50.0.into(), &"points".into()));
    assert!(row["change"]["interval"][0].as_f64().expect("a bound") > 20.0, "{row}");
    assert_eq!(row["verdict"], "indicative worse");
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

#[test]
fn a_run_that_is_invalid_is_5_under_strict_alone() {
    let bench = Bench::new();
    measure(&bench, "a", &[]);
    let path = bench.path("a/journal.jsonl");
    let text = std::fs::read_to_string(&path).expect("a journal");
    let mut facts: serde_json::Value =
        serde_json::from_str(text.lines().next().expect("a point")).expect("JSON");
    facts["load_fault"] = "the loop died".into();
    std::fs::write(&path, format!("{facts}\n")).expect("written");
    assert_eq!(bench.run(&["compare", "a", "a", "--strict"]).code, 5);
    let said = bench.run(&["compare", "a", "a"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("INVALID"), "{}", said.out);
}

#[test]
fn a_result_of_another_tool_is_compared_by_its_requests_or_shown_without_a_verdict() {
    let bench = Bench::new();
    measure(&bench, "a", &[]);
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../interop/tests/fixtures");
    let mut seen = 0;
    for entry in std::fs::read_dir(fixtures).expect("fixtures") {
        let path = entry.expect("an entry").path();
        let name = path.to_str().expect("a name");
        if !path.is_file() {
            continue;
        }
        seen += 1;
        for args in [["compare", name, name], ["compare", "a", name]] {
            let said = bench.run(&args);
            // Nothing in common is a refusal with a reason; nothing else may go wrong, and nothing is a regression.
            assert!(matches!(said.code, 0 | 2 | 4), "{args:?}: {}\n{}", said.out, said.err);
            assert!(!said.err.contains("panicked"), "{args:?}: {}", said.err);
            assert!(said.out.lines().all(|l| l.chars().count() <= 80), "{args:?}: {}", said.out);
        }
    }
    assert!(seen > 3, "{seen}");
}

#[test]
fn a_history_of_runs_shows_where_the_level_changed() {
    let bench = Bench::new();
    measure(&bench, "one", &["--concurrency", "1", "--requests", "8"]);
    let rows = std::fs::read_to_string(bench.path("one/requests.csv")).expect("rows");
    let manifest = std::fs::read_to_string(bench.path("one/manifest.json")).expect("a manifest");
    let mut lines = rows.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let at = |name: &str| header.iter().position(|h| *h == name).expect("a column");
    let (at_send, at_first) = (at("t_send_ns"), at("t_first_ns"));
    for run in 0..14_u64 {
        let name = format!("all/{run:02}");
        std::fs::create_dir_all(bench.path(&name)).expect("a folder");
        // Seconds since 1970 rise with the run, and the time to first token rises from the eighth run on.
        let ttft = if run < 7 { 20_000_000 } else { 30_000_000 } + run * 7919 % 13 * 10_000;
        let mut text = header.join(",") + "\n";
        for line in rows.lines().skip(1).filter(|l| l.contains(",measured,")) {
            let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
            let sent: u64 = cells[at_send].parse().expect("a time");
            cells[at_first] = (sent + ttft).to_string();
            text += &(cells.join(",") + "\n");
        }
        bench.write(&format!("{name}/requests.csv"), &text);
        let mut facts: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
        facts["started_unix_s"] = (1_000_000 + run * 3600).into();
        bench.write(&format!("{name}/manifest.json"), &facts.to_string());
    }
    let said = bench.ok(&["compare", "--history", "all", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    let shifts = json["shifts"].as_array().expect("shifts");
    let ttft = shifts.iter().find(|s| s["metric"] == "ttft_p50").unwrap_or_else(|| panic!("{json:#}"));
    assert_eq!((&ttft["result"], &ttft["worse"]), (&"07".into(), &true.into()), "{ttft}");
    assert!(bench.ok(&["compare", "--history", "all"]).out.contains("ttft_p50 since 07"));
    assert_eq!(bench.run(&["compare", "--history", "nowhere"]).code, 2);
}
