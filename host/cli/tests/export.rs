//! A run in other tools' forms, exported as a user would.

mod support;

#[path = "support/line.rs"]
mod line;

use std::collections::BTreeMap;
use std::fs::File;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
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
        // What was cut while draining has no output events.
        if row["events"] == "0" {
            continue;
        }
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
        ("export r", vec!["--as", "--parquet"]),
        ("export nowhere --as vllm", vec!["nowhere", "directory of a run"]),
        ("export r --as vllm --gaps", vec!["`--gaps` goes with `--as jsonl` only"]),
        ("export r --as jsonl --requests", vec!["`--requests` goes with `--as aiperf` only"]),
        ("export r --jsonl --events e.parquet", vec!["`--events` goes with `--as parquet` only"]),
        ("export r --parquet --out a --events a", vec!["`--events` and `--out` name the same file"]),
        ("export r --parquet --jsonl", vec!["cannot be used with"]),
        ("export r --parquet --out a --events no/such/e", vec!["cannot write `no/such/e`"]),
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

/// The rows of a Parquet file by column, as text; null is empty, as in the CSV.
fn parquet_rows(bench: &Bench, name: &str) -> Vec<BTreeMap<String, String>> {
    let reader = SerializedFileReader::new(File::open(bench.path(name)).expect("a file")).expect("Parquet");
    let text = |field: &Field| match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        other => other.to_string(),
    };
    let rows = reader.get_row_iter(None).expect("rows");
    rows.map(|row| {
        let columns = row.expect("a row").into_columns();
        columns.iter().map(|(name, field)| (name.clone(), text(field))).collect()
    })
    .collect()
}

fn told(bench: &Bench, name: &str) -> BTreeMap<String, String> {
    let reader = SerializedFileReader::new(File::open(bench.path(name)).expect("a file")).expect("Parquet");
    let pairs = reader.metadata().file_metadata().key_value_metadata().cloned().unwrap_or_default();
    pairs.into_iter().map(|pair| (pair.key, pair.value.unwrap_or_default())).collect()
}

#[test]
fn parquet_holds_every_cell_of_the_rows_and_says_whose_they_are() {
    let bench = bench();
    let said = bench.done("export r --parquet --out r.parquet --events e.parquet");
    let rows = bench.rows("r");
    let back = parquet_rows(&bench, "r.parquet");
    assert_eq!(back.len(), rows.len());
    for (row, expected) in back.iter().zip(&rows) {
        assert_eq!(row.len() + 1, expected.len(), "all columns but `eor`");
        for (column, cell) in row {
            let csv = &expected[column];
            // Doubles are the same numbers, however they are spelt.
            let numbers = cell.parse::<f64>().ok().zip(csv.parse::<f64>().ok());
            let same = numbers.map_or(cell == csv, |(a, b)| a.to_bits() == b.to_bits());
            assert!(same, "row {}, `{column}`: `{cell}` and `{csv}`", expected["row"]);
        }
    }
    let (requests, events) = (told(&bench, "r.parquet"), told(&bench, "e.parquet"));
    for file in [&requests, &events] {
        assert_eq!((&*file["benchhost.simulated"], &*file["benchhost.rows_torn"]), ("true", "0"));
        assert_eq!(file["benchhost.run_id"], rows[0]["run_id"]);
        assert!(file["benchhost.exported_by"].starts_with("benchhost "));
    }
    let instants = parquet_rows(&bench, "e.parquet");
    assert!(said.err.contains(&format!("and {} output events", instants.len())), "{}", said.err);
    for row in &rows {
        let own: Vec<_> = instants.iter().filter(|e| e["row"] == row["row"]).collect();
        assert_eq!(own.len().to_string(), row["events"]);
        let stamp =
            |event: Option<&&BTreeMap<String, String>>| event.map_or(String::new(), |e| e["t_ns"].clone());
        assert_eq!((&stamp(own.first()), &stamp(own.last())), (&row["t_first_ns"], &row["t_last_ns"]));
        assert!(own.iter().enumerate().all(|(at, e)| e["event"] == at.to_string() && e["kind"] == "answer"));
    }
    // Through a pipe, and only one load point.
    let piped = bench
        .command(&["export", "r", "--as", "parquet", "--load", "concurrency=2"])
        .output()
        .expect("it runs");
    std::fs::write(bench.path("p.parquet"), &piped.stdout).expect("a file");
    let one = parquet_rows(&bench, "p.parquet");
    assert_eq!(one.len(), rows.iter().filter(|r| r["load"] == "concurrency=2").count());
    assert!(!bench.path("r.parquet.part").exists() && !bench.path("e.parquet.part").exists());
}

#[test]
fn a_torn_row_is_not_in_parquet_which_says_so() {
    let bench = bench();
    let path = bench.path("r/requests.csv");
    let text = std::fs::read_to_string(&path).expect("rows");
    let whole = bench.rows("r").len();
    std::fs::write(&path, &text[..text.len() - 9]).expect("a torn file");
    let said = bench.done("export r --as parquet --out r.parquet");
    assert_eq!(parquet_rows(&bench, "r.parquet").len(), whole - 1);
    assert!(said.err.contains("1 row at the end of `requests.csv` was torn"), "{}", said.err);
    assert_eq!(told(&bench, "r.parquet")["benchhost.rows_torn"], "1");
    // Nothing but the header: there is nothing to export.
    let header = text.lines().next().expect("a header");
    std::fs::write(&path, format!("{header}\n")).expect("an empty run");
    let none = bench.line("export r --as parquet --out none.parquet --events none-e.parquet");
    assert_eq!(none.code, 2, "{}", none.err);
    assert!(!bench.path("none.parquet").exists() && !bench.path("none-e.parquet").exists());
}
