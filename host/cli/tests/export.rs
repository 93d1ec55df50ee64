//! A run in other tools' forms, exported as a user would.

mod support;

#[path = "support/line.rs"]
mod line;

use serde_json::Value;
use support::Bench;

const RUN: &str =
    "run --engine vllm --simulate --concurrency 1,2 --requests 6 --max-tokens 6 --no-plots --gpu off";

fn bench() -> Bench {
    let bench = Bench::new();
    bench.done(&format!("{RUN} --out r"));
    bench
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON on every line")).collect()
}

fn close(left: f64, right: f64, what: &str) {
    assert!((left - right).abs() <= 1e-9 * right.abs().max(1.0), "{what}: {left} and {right}");
}

#[test]
fn every_form_holds_the_run_and_says_that_it_was_simulated() {
    let bench = bench();
    let measured = bench.measured("r").len();
    for (form, count) in
        [("vllm", 2), ("aiperf", 2), ("aiperf --requests", measured), ("jsonl", bench.rows("r").len())]
    {
        let said = bench.done(&format!("-q export r --as {form}"));
        assert_eq!(said.err, "", "{form}");
        let lines = lines(&said.out);
        assert_eq!(lines.len(), count, "{form}");
        assert!(
            said.out.contains("\"simulated\"") && said.out.contains("\"exported_by\":\"benchhost "),
            "{form}"
        );
    }
    let said = bench.done("export r --as guidellm");
    let report: Value = serde_json::from_str(&said.out).expect("one document");
    assert_eq!(report["benchmarks"].as_array().map(Vec::len), Some(2));
    assert_eq!(report["benchmarks"][0]["benchhost"]["target"], "simulated");
    let said = bench.done("export r --as openmetrics");
    assert!(said.out.contains("target=\"simulated\"") && said.out.ends_with("# EOF\n"), "{}", said.out);
}

#[test]
fn exported_figures_are_those_of_the_summary_where_the_definitions_agree() {
    let bench = bench();
    let summary: Value =
        serde_json::from_str(&std::fs::read_to_string(bench.path("r/summary.json")).expect("a summary"))
            .expect("JSON");
    let exported = lines(&bench.done("export r --as vllm").out);
    for row in summary["rows"].as_array().expect("rows") {
        let load = &row["load"];
        let theirs = exported.iter().find(|o| &o["benchhost"]["load"] == load).expect("its load point");
        for (key, ours) in [
            ("mean_ttft_ms", &row["ttft"]["mean"]),
            ("median_tpot_ms", &row["tpot_n1"]["p50"]),
            ("mean_e2el_ms", &row["e2e"]["mean"]),
            ("mean_itl_ms", &row["icl"]["mean"]),
            ("duration", &row["makespan"]["duration_s"]),
            ("request_throughput", &row["makespan"]["req_s"]),
            ("output_throughput", &row["makespan"]["out_tok_s"]),
            ("total_token_throughput", &row["makespan"]["total_tok_s"]),
        ] {
            close(theirs[key].as_f64().expect(key), ours.as_f64().expect(key), key);
        }
    }
}

#[test]
fn json_lines_hold_every_column_and_gaps_when_asked() {
    let bench = bench();
    let rows = bench.rows("r");
    let with = lines(&bench.done("export r --as jsonl --gaps").out);
    for (line, row) in with.iter().zip(&rows) {
        // A row without a score has none.
        let filled = |c: &&String| *c != "eor" && !(c.starts_with("score_") && row[*c].is_empty());
        for column in row.keys().filter(filled) {
            assert!(line.get(column).is_some(), "{column}");
        }
        assert_eq!(line["row"].to_string(), row["row"]);
        assert_eq!(line["ttft_ms"].as_f64(), row["ttft_ms"].parse().ok());
        let gaps = line["gaps_ns"].as_array().expect("gaps");
        assert_eq!((gaps.len() + 1).to_string(), row["events"]);
        let sum: u64 = gaps.iter().filter_map(Value::as_u64).sum();
        let stamp = |column: &str| row[column].parse::<u64>().expect("a time");
        assert_eq!(sum, stamp("t_last_ns") - stamp("t_first_ns"));
    }
    assert!(lines(&bench.done("export r --as jsonl").out).iter().all(|l| l.get("gaps_ns").is_none()));
}

#[test]
fn one_load_point_can_be_taken_and_written_to_a_file() {
    let bench = bench();
    let said = bench.done("export r --as aiperf --load concurrency=2 --repeat 1 --out a.json");
    assert_eq!(said.out, "");
    let text = std::fs::read_to_string(bench.path("a.json")).expect("a file");
    let one: Value = serde_json::from_str(&text).expect("one object");
    assert_eq!(one["benchhost"]["load"], "concurrency=2");
    assert!(!bench.path("a.json.part").exists());
    let none = bench.line("export r --as vllm --load concurrency=64 --out b.json");
    assert_eq!(none.code, 2, "{}", none.err);
    assert!(none.err.contains("no measured request") && !bench.path("b.json").exists(), "{}", none.err);
}

#[test]
fn what_cannot_be_exported_is_said_with_what_to_do() {
    let bench = bench();
    for (line, words) in [
        ("export r --as csv", vec!["invalid value 'csv'", "guidellm"]),
        ("export r", vec!["--as"]),
        ("export nowhere --as vllm", vec!["nowhere", "directory of a run"]),
        ("export r --as vllm --gaps", vec!["`--gaps` goes with `--as jsonl` only"]),
        ("export r --as jsonl --requests", vec!["`--requests` goes with `--as aiperf` only"]),
        ("export r --as vllm --load 8", vec!["`8` is not a load"]),
        ("export r --as vllm --out no/such/folder.json", vec!["cannot write", "a directory that exists"]),
    ] {
        let said = bench.line(line);
        assert_eq!(said.code, 2, "{line}: {}", said.err);
        for word in words {
            assert!(said.err.contains(word), "{line}: {}", said.err);
        }
        assert_eq!(said.out, "", "{line}");
    }
}

#[test]
fn a_torn_row_is_left_out_and_said() {
    let bench = bench();
    let path = bench.path("r/requests.csv");
    let text = std::fs::read_to_string(&path).expect("rows");
    let whole = bench.rows("r").len();
    std::fs::write(&path, &text[..text.len() - 9]).expect("a torn file");
    let said = bench.done("export r --as jsonl");
    assert_eq!(lines(&said.out).len(), whole - 1);
    assert!(said.err.contains("1 row at the end of `requests.csv` was torn"), "{}", said.err);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let bench = bench();
    let mut child = bench
        .command(&["export", "r", "--as", "guidellm"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
