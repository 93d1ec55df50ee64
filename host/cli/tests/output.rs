//! What is printed where, and in which form.

mod support;

#[path = "support/line.rs"]
mod line;

use line::words;
use support::{Bench, Said};

const QUICK: &str = "run --engine vllm --simulate --concurrency 2 --requests 4 --max-tokens 4 --no-plots";
const LADDER: &str = "run --engine vllm --simulate --concurrency 1,2 --requests 4 --max-tokens 4 --no-plots";

fn has_escape(said: &Said) -> bool {
    said.out.contains('\x1b') || said.err.contains('\x1b')
}

#[test]
fn quiet_prints_the_table_and_nothing_else() {
    let bench = Bench::new();
    let loud = bench.done(&format!("{QUICK} --gpu off --out a"));
    assert!(loud.err.contains("vllm · empathetic · concurrency=2: 4 requests"), "{}", loud.err);
    assert!(loud.err.contains("result: a"), "{}", loud.err);
    for place in [format!("-q {QUICK} --gpu off --out b"), format!("{QUICK} --gpu off -q --out c")] {
        let quiet = bench.done(&place);
        assert_eq!(quiet.err, "", "{place}");
        assert!(quiet.out.contains("vllm") && quiet.out.contains("concurrency"), "{}", quiet.out);
        // What the program says of its own error below differs from run to run.
        let table = |out: &str| out.lines().take_while(|l| !l.contains("scheduled")).count();
        assert_eq!(table(&quiet.out), table(&loud.out), "the same table");
    }
}

#[test]
fn quiet_does_not_hide_why_a_command_failed() {
    let bench = Bench::new();
    let said = bench.line("-q run --engine vllm=http://127.0.0.1:9 --ready-timeout 50ms");
    assert_eq!(said.code, 6);
    assert!(said.err.contains("http://127.0.0.1:9"), "{}", said.err);
}

#[test]
fn piped_output_holds_no_escape_codes() {
    let bench = Bench::new();
    for (line, code) in [
        (format!("{QUICK} --out a"), 0),
        (format!("{QUICK} -v --out b"), 0),
        ("report a --no-plots".to_owned(), 0),
        ("compare a b".to_owned(), 0),
        ("plugin list".to_owned(), 0),
        ("plugin info vllm".to_owned(), 0),
        ("plan show --engine vllm".to_owned(), 0),
        ("run --help".to_owned(), 0),
        ("run".to_owned(), 2),
        ("run --engine vllm --concurrency many".to_owned(), 2),
        ("frobnicate".to_owned(), 2),
    ] {
        for no_color in [false, true] {
            // A directory takes one result.
            let line = if no_color { line.replace("--out ", "--out n") } else { line.clone() };
            let mut command = bench.command(&words(&line));
            if no_color {
                command.env("NO_COLOR", "1");
            }
            let said = Said::from(command.output().expect("the program starts"));
            assert_eq!(said.code, code, "{line}\n{}", said.err);
            assert!(!has_escape(&said), "{line}: {said:?}");
        }
    }
}

#[test]
fn a_run_prints_its_summary_as_json() {
    let bench = Bench::new();
    let said = bench.done(&format!("{QUICK} --format json --out r"));
    let printed: serde_json::Value = serde_json::from_str(&said.out).expect("nothing but JSON on stdout");
    assert_eq!(printed["schema_version"], 1);
    let rows = printed["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["engine"], "vllm");
    assert_eq!(rows[0]["counts"]["completed"], 4);
    let stored = std::fs::read_to_string(bench.path("r/summary.json")).expect("a summary");
    assert_eq!(printed, serde_json::from_str::<serde_json::Value>(&stored).expect("JSON"));
    let again = bench.done("report r --no-plots --format json");
    assert_eq!(again.out, said.out, "`report` says what `run` said");
}

#[test]
fn a_run_prints_its_summary_as_csv() {
    let bench = Bench::new();
    let said = bench.done(&format!("{LADDER} --format csv --out r"));
    bench.write("printed.csv", &said.out);
    let rows = support::rows(&bench.path("printed.csv"));
    let loads: Vec<_> = rows.iter().map(|r| r["load"].as_str()).collect();
    assert_eq!(loads, ["concurrency=1", "concurrency=2"]);
    for row in &rows {
        assert_eq!((row["engine"].as_str(), row["target"].as_str()), ("vllm", "simulated"));
        assert!(row["ttft_mean_ms"].parse::<f64>().is_ok_and(|v| v > 0.0), "{row:?}");
    }
    assert_eq!(said.out, std::fs::read_to_string(bench.path("r/summary.csv")).expect("a summary"));
}

#[test]
fn a_run_prints_its_summary_as_a_markdown_table() {
    let bench = Bench::new();
    let said = bench.done(&format!("{LADDER} --format markdown --label a|b --out r"));
    let lines: Vec<&str> = said.out.lines().collect();
    let tables: Vec<&[&str]> = lines.split(|l| !l.starts_with('|')).filter(|t| !t.is_empty()).collect();
    assert!(tables[0].len() == 4, "a head, a rule and two rows:\n{}", said.out);
    // A bar that belongs to a cell is escaped.
    let columns = |line: &str| line.replace("\\|", "").matches('|').count() - 1;
    assert!(columns(tables[0][0]) > 3, "{}", tables[0][0]);
    for table in tables {
        assert!(table[1].chars().all(|c| matches!(c, '|' | '-' | ':' | ' ')), "{}", table[1]);
        for line in table {
            assert!(line.ends_with('|') && columns(line) == columns(table[0]), "{line}\n{}", said.out);
        }
    }
    assert!(said.out.to_lowercase().contains("simulated"), "{}", said.out);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let bench = Bench::new();
    bench.done(&format!("{QUICK} --out r"));
    for line in [
        "report r --no-plots",
        "report r --no-plots --format json",
        "compare r r",
        "plugin list",
        "plugin info vllm",
        "plan show --engine vllm",
        "completions bash",
        "--help",
        "run --help",
        "--version",
        &format!("{QUICK} --out s"),
    ] {
        // The pipe's reading end is closed before the program starts: its first byte already finds nobody.
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let said =
            Said::from(bench.command(&words(line)).stdout(writer).output().expect("the program starts"));
        assert_eq!(said.code, 0, "{line}\n{}", said.err);
        assert!(!said.err.contains("panicked") && !said.err.contains("error"), "{line}\n{}", said.err);
    }
    assert_eq!(bench.measured("s").len(), 4);
    assert!(bench.path("s/COMPLETE").exists());
}

#[test]
fn nobody_to_talk_to_is_no_failure_either() {
    let bench = Bench::new();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let line = format!("{QUICK} --out r");
    let output = bench.command(&words(&line)).stderr(writer).output().expect("the program starts");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(bench.measured("r").len(), 4);
}

#[test]
fn components_describe_themselves_in_json() {
    let bench = Bench::new();
    let json = |line: &str| {
        serde_json::from_str::<serde_json::Value>(&bench.done(line).out).expect("nothing but JSON on stdout")
    };
    let list = json("plugin list --format json");
    assert_eq!(list["schema_version"], 1);
    let engine = json("plugin info vllm --format json");
    assert_eq!(engine["kind"], "engine");
    assert_eq!(engine["identity"]["name"], "vllm");
    let routes: Vec<_> = engine["info"]["routes"].as_array().expect("routes").clone();
    assert_eq!(routes[0]["route"], "chat");
    assert!(engine["info"]["options"].as_array().expect("options").iter().any(|o| o["name"] == "extra-body"));
    let workload = json("plugin info mixed --format json");
    assert_eq!(workload["kind"], "workload");
    let names = |key: &str| {
        let list = workload["info"][key].as_array().expect("a list").clone();
        list.iter().map(|v| v["name"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("slots"), ["squad", "gsm8k", "hh", "humaneval"]);
    assert!(names("scores").contains(&"reasoning_correct".to_owned()));
    // The list holds the same descriptions.
    let listed = list["plugins"].as_array().expect("a list");
    assert!(
        listed.iter().any(|p| p["info"] == engine["info"])
            && listed.iter().any(|p| p["info"] == workload["info"])
    );
}
