//! A recorded trace, from the file to the rows: arrivals, lengths and shared prefixes.

mod support;

use support::Bench;

const MOONCAKE: &str = r#"{"timestamp": 500, "input_length": 64, "output_length": 5, "hash_ids": [1, 2, 3, 4]}
{"timestamp": 500, "input_length": 48, "output_length": 7, "hash_ids": [1, 2, 9]}
{"timestamp": 700, "input_length": 20, "output_length": 3, "hash_ids": [8, 7]}
{"timestamp": 1500, "input_length": 64, "output_length": 4, "hash_ids": [1, 2, 3, 5]}
"#;

#[test]
fn rows_arrive_when_the_trace_had_them_with_its_lengths() {
    let bench = Bench::new();
    bench.write("t.jsonl", MOONCAKE);
    bench.ok(&[
        "run",
        "--engine",
        "vllm",
        "--simulate",
        "--workload",
        "trace",
        "--data",
        "trace=t.jsonl",
        "--workload-option",
        "block-size=16",
        "--trace-scale",
        "2",
        "--no-plots",
        "--out",
        "r",
    ]);
    let rows = bench.measured("r");
    let number = |row: &std::collections::BTreeMap<String, String>, name: &str| {
        row[name].parse::<u64>().unwrap_or_else(|_| panic!("`{name}` is `{}`", row[name]))
    };
    let mut due: Vec<(u64, String)> =
        rows.iter().map(|r| (number(r, "t_sched_ns"), r["item"].clone())).collect();
    due.sort();
    let first = due[0].0;
    let offsets: Vec<u64> = due.iter().map(|(t, _)| (t - first) / 1000).collect();
    assert_eq!(offsets, [0, 0, 100_000, 500_000], "twice as fast");
    assert_eq!(due[3].1, "line4-in64-out4");
    for row in &rows {
        let out: u64 = row["item"].rsplit("out").next().expect("a length").parse().expect("a number");
        assert_eq!(number(row, "output_tokens"), out, "{}", row["item"]);
        assert_eq!(row["load"], "trace=2");
    }
}

#[test]
fn a_bad_row_names_the_slot_the_file_and_the_line() {
    let bench = Bench::new();
    bench.write("t.csv", "timestamp,input,output\n0,10,5\n1,ten,5\n");
    let said = bench.run(&[
        "run",
        "--engine",
        "vllm",
        "--simulate",
        "--workload",
        "trace",
        "--data",
        "trace=t.csv",
        "--trace-scale",
        "1",
        "--out",
        "r",
    ]);
    assert_eq!(said.code, 2, "{}", said.err);
    for words in ["slot `trace`", "`t.csv`", "line 3", "`input`"] {
        assert!(said.err.contains(words), "{words}: {}", said.err);
    }
}
