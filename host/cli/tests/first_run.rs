//! Every adapter with every workload against the simulator: nothing fails, and tokens are counted as they were sent.

mod support;

use support::Bench;

const ENGINES: [&str; 7] = ["openai", "vllm", "sglang", "tgi", "llamacpp", "friendli", "transformers"];

fn assert_all_completed(bench: &Bench, run: &str, expected: usize) {
    let rows = bench.measured(run);
    assert_eq!(rows.len(), expected);
    for row in &rows {
        assert_eq!(
            row["outcome"], "completed",
            "{}: {} {}",
            row["engine"], row["failure"], row["failure_detail"]
        );
        assert_eq!(row["target"], "simulated");
        for column in
            ["t_send_ns", "t_first_ns", "t_last_ns", "t_end_ns", "ttft_ms", "e2e_ms", "output_tokens"]
        {
            assert!(!row[column].is_empty(), "{} has no {column}", row["engine"]);
        }
        let time = |name: &str| row[name].parse::<u64>().expect("a time");
        assert!(time("t_sched_ns") <= time("t_send_ns") && time("t_send_ns") <= time("t_first_ns"));
        assert!(time("t_first_ns") <= time("t_last_ns") && time("t_last_ns") <= time("t_end_ns"));
    }
}

fn workload_with_all_engines(workload: &str, extra: &[&str]) {
    let bench = Bench::new();
    let mut args = vec![
        "run",
        "--simulate",
        "--workload",
        workload,
        "--concurrency",
        "3",
        "--requests",
        "6",
        "--out",
        "r",
    ];
    for engine in ENGINES {
        args.extend(["--engine", engine]);
    }
    args.extend(["--max-tokens", "12", "--no-plots"]);
    args.extend(extra);
    bench.ok(&args);
    assert_all_completed(&bench, "r", ENGINES.len() * 6);
    let mut engines: Vec<_> = bench.measured("r").iter().map(|r| r["engine"].clone()).collect();
    engines.dedup();
    assert_eq!(engines, ENGINES, "one after the other, in the order given");
}

#[test]
fn empathetic_with_every_engine() {
    workload_with_all_engines("empathetic", &[]);
}

#[test]
fn mixed_with_every_engine() {
    workload_with_all_engines("mixed", &[]);
}

#[test]
fn synthetic_with_every_engine() {
    workload_with_all_engines(
        "synthetic",
        &["--workload-option", "input-tokens=40", "--workload-option", "output-tokens=9"],
    );
}

#[test]
fn trace_with_every_engine() {
    workload_with_all_engines(
        "trace",
        &["--workload-option", "max-input=40", "--workload-option", "max-output=9"],
    );
}

#[test]
fn every_other_route_completes_too() {
    let bench = Bench::new();
    for (index, (engine, api)) in [
        ("openai", "completions"),
        ("vllm", "completions"),
        ("sglang", "completions"),
        ("tgi", "completions"),
        ("tgi", "native"),
        ("llamacpp", "completions"),
        ("llamacpp", "native"),
        ("friendli", "completions"),
        ("transformers", "completions"),
    ]
    .into_iter()
    .enumerate()
    {
        let out = format!("r{index}");
        bench.ok(&[
            "run",
            "--simulate",
            "--engine",
            engine,
            "--api",
            api,
            "--concurrency",
            "2",
            "--requests",
            "4",
            "--max-tokens",
            "10",
            "--no-plots",
            "--out",
            &out,
        ]);
        assert_all_completed(&bench, &out, 4);
    }
}

#[test]
fn exact_lengths_are_met_and_counted() {
    let bench = Bench::new();
    bench.ok(&[
        "run",
        "--simulate",
        "--engine",
        "vllm",
        "--engine",
        "llamacpp",
        "--workload",
        "synthetic",
        "--workload-option",
        "input-tokens=64",
        "--workload-option",
        "output-tokens=17",
        "--concurrency",
        "2",
        "--requests",
        "6",
        "--out",
        "r",
        "--no-plots",
    ]);
    for row in bench.measured("r") {
        assert_eq!(row["output_tokens"], "17", "{}", row["engine"]);
        assert_eq!(row["output_tokens_asked"], "17");
        assert_eq!(row["tokens_source"], "usage");
        assert_eq!(row["tokens_by"], "server");
        let number = |name: &str| row[name].parse::<u32>().expect("a count");
        assert_eq!(
            number("input_tokens"),
            number("input_tokens_asked") + number("template_tokens"),
            "{}",
            row["engine"]
        );
        assert_eq!(number("input_tokens_asked"), 64);
    }
}

#[test]
fn a_component_file_and_an_embedded_name_are_the_same() {
    let bench = Bench::new();
    // There is no such file in the scratch folder: the embedded component of that name serves.
    bench.ok(&[
        "run",
        "--engine",
        "plugins/friendli.wasm",
        "--simulate",
        "--concurrency",
        "2",
        "--requests",
        "3",
        "--out",
        "r",
        "--no-plots",
    ]);
    assert_all_completed(&bench, "r", 3);
}

#[test]
fn all_files_of_a_result_are_there_and_report_gives_the_same_summary() {
    let bench = Bench::new();
    bench.ok(&[
        "run",
        "--engine",
        "vllm",
        "--simulate",
        "--concurrency",
        "1,4",
        "--requests",
        "8",
        "--max-tokens",
        "8",
        "--out",
        "r",
    ]);
    for name in [
        "manifest.json",
        "plan.toml",
        "requests.csv",
        "events.bin",
        "outputs.jsonl",
        "summary.csv",
        "summary.json",
        "harness.json",
        "COMPLETE",
        "plots",
    ] {
        assert!(bench.path("r").join(name).exists(), "{name} is missing");
    }
    let png = std::fs::read_dir(bench.path("r/plots"))
        .expect("plots")
        .filter_map(Result::ok)
        .any(|f| f.path().extension().is_some_and(|e| e == "png"));
    assert!(png, "no picture was drawn");
    let before = std::fs::read_to_string(bench.path("r/summary.csv")).expect("a summary");
    std::fs::remove_file(bench.path("r/summary.csv")).expect("removable");
    let said = bench.ok(&["report", "r"]);
    assert_eq!(before, std::fs::read_to_string(bench.path("r/summary.csv")).expect("a summary"));
    assert!(said.out.to_lowercase().contains("simulated"), "{}", said.out);
}

#[test]
fn the_stored_plan_repeats_the_run() {
    let bench = Bench::new();
    bench.ok(&[
        "run",
        "--engine",
        "vllm",
        "--simulate",
        "--concurrency",
        "2",
        "--requests",
        "5",
        "--seed",
        "9",
        "--out",
        "a",
        "--no-plots",
    ]);
    bench.ok(&["run", "a/plan.toml", "--out", "b", "--no-plots"]);
    let items = |run: &str| {
        let mut items: Vec<_> = bench.measured(run).iter().map(|r| r["item"].clone()).collect();
        items.sort();
        items
    };
    assert_eq!(items("a"), items("b"));
    assert_eq!(bench.rows("a")[0]["plan_digest"], bench.rows("b")[0]["plan_digest"]);
}

#[test]
fn every_engine_gets_the_same_items_in_the_same_order_at_each_load_point() {
    let bench = Bench::new();
    bench.ok(&[
        "run",
        "--engine",
        "vllm",
        "--engine",
        "tgi",
        "--simulate",
        "--rate",
        "40,60",
        "--requests",
        "12",
        "--max-tokens",
        "4",
        "--out",
        "r",
        "--no-plots",
    ]);
    let order = |engine: &str, load: &str| {
        let mut rows: Vec<_> =
            bench.measured("r").into_iter().filter(|r| r["engine"] == engine && r["load"] == load).collect();
        rows.sort_by_key(|r| r["t_sched_ns"].parse::<u64>().expect("a time"));
        rows.iter().map(|r| r["item"].clone()).collect::<Vec<_>>()
    };
    for load in ["rate=40", "rate=60"] {
        assert_eq!(order("vllm", load).len(), 12);
        assert_eq!(order("vllm", load), order("tgi", load));
    }
    assert_ne!(order("vllm", "rate=40"), order("vllm", "rate=60"));
}

#[test]
fn a_dialogue_runs_turn_by_turn() {
    let bench = Bench::new();
    bench.ok(&[
        "run",
        "--engine",
        "vllm",
        "--simulate",
        "--workload",
        "empathetic",
        "--workload-option",
        "turns=every",
        "--concurrency",
        "2",
        "--requests",
        "4",
        "--max-tokens",
        "6",
        "--out",
        "r",
        "--no-plots",
    ]);
    let rows = bench.measured("r");
    assert!(rows.iter().all(|r| r["outcome"] == "completed"));
    let second = rows.iter().filter(|r| r["turn"] != "0").count();
    assert!(second > 0, "no dialogue had a second turn");
}

#[test]
fn prompts_of_ones_own() {
    let bench = Bench::new();
    bench.write("prompts.txt", "What is a lighthouse?\n\nName three rivers.\n");
    bench.ok(&[
        "run",
        "--engine",
        "openai",
        "--simulate",
        "--prompts",
        "prompts.txt",
        "--concurrency",
        "1",
        "--requests",
        "4",
        "--max-tokens",
        "5",
        "--out",
        "r",
        "--no-plots",
    ]);
    let rows = bench.measured("r");
    assert_eq!(rows.len(), 4);
    assert!(rows.iter().all(|r| r["workload"] == "prompts" && r["item"].starts_with("prompt-")));
}

#[test]
fn rows_of_several_runs_share_one_file() {
    let bench = Bench::new();
    for label in ["base", "fp8"] {
        bench.ok(&[
            "run",
            "--engine",
            "vllm",
            "--label",
            label,
            "--simulate",
            "--concurrency",
            "2",
            "--requests",
            "3",
            "--max-tokens",
            "4",
            "--no-plots",
            "--out",
            "load.csv",
        ]);
    }
    let rows = support::rows(&bench.path("load.csv"));
    let of =
        |variant: &str| rows.iter().filter(|r| r["variant"] == variant && r["phase"] == "measured").count();
    assert_eq!((of("base"), of("fp8")), (3, 3));
}
