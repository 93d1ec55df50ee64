//! `compare`: several runs as one side, events, details and files, strict margins, directions of scores, and figures of
//! other tools.

mod support;

use std::fmt::Write as _;

use serde_json::Value;
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

fn json(bench: &Bench, args: &[&str]) -> Value {
    let said = bench.run(&[&["compare", "--format", "json"], args].concat());
    assert!(matches!(said.code, 0 | 1), "{args:?}: {}", said.err);
    serde_json::from_str(&said.out).expect("JSON")
}

fn row(json: &Value, metric: &str) -> Value {
    let rows = json["groups"][0]["rows"].as_array().expect("rows");
    let found = rows.iter().find(|r| r["metric"] == metric);
    found.unwrap_or_else(|| panic!("no {metric} in {rows:#?}")).clone()
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn copy(bench: &Bench, from: &str, to: &str) {
    std::fs::create_dir_all(bench.path(to)).expect("a folder");
    for entry in std::fs::read_dir(bench.path(from)).expect("a run") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            std::fs::copy(&path, bench.path(to).join(path.file_name().expect("a name"))).expect("a copy");
        }
    }
}

#[test]
fn a_directory_of_runs_is_one_side_and_runs_of_another_plan_are_refused() {
    let bench = Bench::new();
    for run in ["one", "two", "three", "four"] {
        measure(&bench, &format!("base/{run}"), &[]);
    }
    measure(&bench, "new/one", &["--repeats", "4"]);
    let found = json(&bench, &["base", "new"]);
    assert_eq!((&found["base"]["runs"], &found["new"]["runs"]), (&4.into(), &4.into()));
    assert_eq!(row(&found, "ttft_p50")["runs"], serde_json::json!([4, 4]));
    assert!(found["notes"].to_string().contains("base: its 4 runs are one side"), "{}", found["notes"]);
    // A file in between is no run, and an empty directory is none either.
    bench.write("base/readme.txt", "notes");
    assert_eq!(json(&bench, &["base", "new"])["base"]["runs"], 4);
    std::fs::create_dir_all(bench.path("empty")).expect("a folder");
    assert_eq!(bench.run(&["compare", "empty", "new"]).code, 2);

    measure(&bench, "base/zlonger", &["--requests", "30"]);
    let refused = bench.run(&["compare", "base", "new"]);
    assert_eq!(refused.code, 4, "{}", refused.out);
    let said = words(&refused.err);
    for part in ["are no repeats of one another", "`zlonger`", "plan, requests: `24`, `30`", "--allow setup"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(json(&bench, &["base", "new", "--allow", "setup"])["base"]["runs"], 5);
    std::fs::remove_dir_all(bench.path("base/zlonger")).expect("removed");
    copy(&bench, "base/one", "base/one-again");
    let refused = bench.run(&["compare", "base", "new"]);
    assert_eq!(refused.code, 4, "{}", refused.out);
    assert!(words(&refused.err).contains("is in one side twice"), "{}", refused.err);
}

#[test]
fn gaps_are_compared_where_both_kept_their_events_and_else_it_is_said() {
    let bench = Bench::new();
    measure(&bench, "a", &["--repeats", "2"]);
    measure(&bench, "b", &["--repeats", "2"]);
    let found = json(&bench, &["a", "b"]);
    let itl = row(&found, "itl_p50");
    let summary: Value =
        serde_json::from_str(&std::fs::read_to_string(bench.path("a/summary.json")).expect("a summary"))
            .expect("JSON");
    let rows = summary["rows"].as_array().expect("rows");
    let mean =
        rows.iter().map(|r| r["itl"]["p50"].as_f64().expect("a figure")).sum::<f64>() / rows.len() as f64;
    assert!((itl["base"].as_f64().expect("a figure") / mean - 1.0).abs() < 1e-9, "{itl} {mean}");
    assert_eq!((&itl["gates"], &itl["runs"]), (&false.into(), &serde_json::json!([2, 2])));
    // The rates are those of the report, too.
    let rate =
        rows.iter().map(|r| r["out_tok_s"].as_f64().expect("a figure")).sum::<f64>() / rows.len() as f64;
    assert!((row(&found, "out_tok_s")["base"].as_f64().expect("a figure") / rate - 1.0).abs() < 1e-9);

    std::fs::remove_file(bench.path("b/events.bin")).expect("removed");
    let found = json(&bench, &["a", "b"]);
    assert!(found["groups"][0]["rows"].as_array().expect("rows").iter().all(|r| r["metric"] != "itl_p50"));
    assert!(found["notes"].to_string().contains("`b` kept no output events"), "{}", found["notes"]);
}

#[test]
fn details_and_files_show_percentiles_prompts_and_pictures() {
    let bench = Bench::new();
    for out in ["a", "b"] {
        measure(&bench, out, &["--requests", "60"]);
    }
    let brief = bench.ok(&["compare", "a", "b"]);
    assert!(!brief.out.contains("change by percentile"), "{}", brief.out);
    let said = bench.ok(&["compare", "a", "b", "--details", "--out", "seen"]);
    assert!(said.out.lines().all(|l| l.chars().count() <= 80), "{}", said.out);
    let text = words(&said.out);
    for part in
        ["change by percentile, 90 % bands", "p50 ", "ttft of 60 prompts: ", "slower and", "middle change"]
    {
        assert!(text.contains(part), "{part}: {}", said.out);
    }
    let page = std::fs::read_to_string(bench.path("seen/compare.html")).expect("a page");
    assert!(page.contains("SIMULATED") && page.contains("default-src 'none'") && !page.contains("<script"));
    let saved: Value =
        serde_json::from_str(&std::fs::read_to_string(bench.path("seen/comparison.json")).expect("a file"))
            .expect("JSON");
    let ttft = &saved["groups"][0]["detail"]["latencies"][0];
    assert_eq!((&ttft["metric"], &ttft["prompts"]["pairs"]), (&"ttft".into(), &60.into()));
    let median = ttft["shift"].as_array().expect("percentiles").iter().find(|r| r["quantile"] == 0.5);
    assert_eq!(median.expect("the median")["relative"].as_array().map(Vec::len), Some(3));
    let worst = ttft["prompts"]["worst"].as_array().expect("prompts");
    assert!(worst.is_empty() || worst[0]["item"].as_str().is_some_and(|name| !name.is_empty()), "{worst:?}");
    let mut names: Vec<String> = std::fs::read_dir(bench.path("seen/plots"))
        .expect("pictures")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    for name in ["changes.png", "changes.svg"] {
        assert!(names.iter().any(|n| n == name), "{names:?}");
    }
    for start in ["distributions-", "percentiles-", "prompts-"] {
        assert_eq!(names.iter().filter(|n| n.starts_with(start)).count(), 2, "{start}: {names:?}");
    }
    let markdown = bench.ok(&["compare", "a", "b", "--format", "markdown"]);
    assert!(markdown.out.contains("<details><summary>Percentiles and prompts</summary>"), "{}", markdown.out);
    let refused = bench.run(&["compare", "a", "b", "--out", "a"]);
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert!(refused.err.contains("is the directory of a run"), "{}", refused.err);
}

#[test]
fn several_results_share_a_page_and_strict_margins_are_said() {
    let bench = Bench::new();
    for out in ["a", "b", "c"] {
        measure(&bench, out, &[]);
    }
    let said = bench.ok(&["compare", "a", "b", "c", "--out", "seen", "--strict-margin"]);
    assert!(
        words(&said.out).contains("strict margins: worse or better only where the whole interval"),
        "{}",
        said.out
    );
    let names: Vec<String> = std::fs::read_dir(bench.path("seen/plots"))
        .expect("pictures")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    assert!(names.contains(&"1-changes.svg".into()) && names.contains(&"2-changes.png".into()), "{names:?}");
    let page = std::fs::read_to_string(bench.path("seen/compare.html")).expect("a page");
    assert!(page.contains("2 results against one base"));
}

/// Gives every completed row of a run a score, and the manifest its direction.
fn score(bench: &Bench, run: &str, value: f64, higher_is_better: bool) {
    let path = bench.path(run).join("requests.csv");
    let text = std::fs::read_to_string(&path).expect("rows");
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let end = header.len() - 1;
    let mut out = format!("{},score_loss,{}\n", header[..end].join(","), header[end]);
    for (at, line) in lines.enumerate() {
        let (row, sentinel) = line.rsplit_once(',').expect("cells");
        let noise = f64::from(u32::try_from(at % 7).expect("small")) / 1000.0;
        writeln!(out, "{row},{},{sentinel}", value + noise).expect("a string takes all");
    }
    std::fs::write(&path, out).expect("written");
    let path = bench.path(run).join("manifest.json");
    let mut manifest: Value =
        serde_json::from_str(&std::fs::read_to_string(&path).expect("a manifest")).expect("JSON");
    manifest["workloads"][0]["scores"] = serde_json::json!({ "loss": higher_is_better });
    std::fs::write(&path, manifest.to_string()).expect("written");
}

#[test]
fn a_score_has_the_direction_of_the_manifest() {
    for (higher, verdict, word) in [(false, "regressed", "worse"), (true, "improved", "better")] {
        let bench = Bench::new();
        for (out, value) in [("a", 0.3), ("b", 0.6)] {
            measure(&bench, out, &["--repeats", "5", "--requests", "12"]);
            score(&bench, out, value, higher);
        }
        let found = json(&bench, &["a", "b"]);
        let loss = row(&found, "score_loss");
        assert_eq!(
            (&loss["higher_is_better"], &loss["verdict"]),
            (&higher.into(), &verdict.into()),
            "{loss}"
        );
        assert!(found["work"].to_string().contains(&format!("score_loss is {word}")), "{}", found["work"]);
    }
}

fn fixture(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../interop/tests/fixtures").join(name);
    std::fs::read_to_string(path).expect("a fixture")
}

fn near(value: &Value, truth: f64) {
    let value = value.as_f64().unwrap_or(f64::NAN);
    assert!((value - truth).abs() < 1e-6 * truth.abs().max(1.0), "{value} is not {truth}");
}

/// Three requests that completed, one that failed; the second file has every first token 20 ms later and gaps of
/// 20 ms for 10.
#[test]
fn requests_of_another_tool_give_the_figures_that_follow_from_them() {
    let bench = Bench::new();
    let text = fixture("vllm-by-hand.json");
    let slow = text
        .replace("\"ttfts\": [0.05, 0.06, 0.0, 0.07]", "\"ttfts\": [0.07, 0.08, 0.0, 0.09]")
        .replace("[0.01, 0.01, 0.01]", "[0.02, 0.02, 0.02]")
        .replace("[0.01, 0.01, 0.02]", "[0.02, 0.02, 0.02]")
        .replace("\"latencies\": [0.09, 0.09, 0.0, 0.1]", "\"latencies\": [0.13, 0.14, 0.0, 0.12]");
    assert_ne!(slow, text);
    bench.write("base.json", &text);
    bench.write("new.json", &slow);
    let found = json(&bench, &["base.json", "new.json"]);
    let ttft = row(&found, "ttft_p50");
    near(&ttft["base"], 60.0);
    near(&ttft["new"], 80.0);
    near(&ttft["change"]["estimate"], 80.0 / 60.0 - 1.0);
    let errors = row(&found, "error_rate");
    near(&errors["base"], 25.0);
    near(&errors["change"]["estimate"], 0.0);
    let e2e = row(&found, "e2e_p50");
    // Harrell and Davis's median of 90, 90 and 100: weights of Beta(2, 2) are 7/27, 13/27 and 7/27. 120 to 140 are even.
    near(&e2e["base"], 90.0 + 10.0 * 7.0 / 27.0);
    near(&e2e["new"], 130.0);
    // Twelve tokens from the first send to the last token: 1.3 s, and 1.32 s.
    let rate = row(&found, "out_tok_s");
    near(&rate["base"], 12.0 / 1.3);
    near(&rate["new"], 12.0 / 1.32);
    // Gaps of 10, 10, 20, 10, 10, 10 and 30 ms, and of 20 six times and 30.
    let gaps = row(&found, "icl_p50");
    near(&gaps["base"], 10.0);
    near(&gaps["new"], 20.0);
}

#[test]
fn aggregates_of_another_tool_stand_beside_each_other_as_they_are() {
    let bench = Bench::new();
    let text = fixture("inference-perf-by-hand.json");
    let mut other: Value = serde_json::from_str(&text).expect("JSON");
    other["successes"]["latency"]["time_to_first_token"]["p50"] = 0.044.into();
    other["successes"]["throughput"]["requests_per_sec"] = 9.0.into();
    bench.write("base.json", &text);
    bench.write("new.json", &other.to_string());
    let found = json(&bench, &["base.json", "new.json"]);
    for (metric, unit, up, base, new) in [
        ("ttft_p50", "ms", false, 40.0, 44.0),
        ("ttft_mean", "ms", false, 50.0, 50.0),
        ("e2e_body_p99", "ms", false, 1000.0, 1000.0),
        ("tpot_n1_mean", "ms", false, 7.0, 7.0),
        ("req_s_makespan", "req/s", true, 4.5, 9.0),
    ] {
        let row = row(&found, metric);
        near(&row["base"], base);
        near(&row["new"], new);
        near(&row["change"]["estimate"], new / base - 1.0);
        assert_eq!((&row["unit"], &row["higher_is_better"]), (&unit.into(), &up.into()), "{row}");
        assert_eq!(
            (&row["verdict"], &row["change"]["interval"]),
            (&"not judged".into(), &Value::Null),
            "{row}"
        );
    }
    assert!(found["sentence"].as_str().expect("words").starts_with("Not judged"));
}
