//! What engines tell of themselves, from the server's metrics page to the summary and the picture.

mod support;

use support::Bench;

/// A run of one load point against the simulated `engine`, with `extra` arguments.
fn run(bench: &Bench, engine: &str, out: &str, extra: &[&str]) -> support::Said {
    let mut args = vec![
        "run",
        "--engine",
        engine,
        "--simulate",
        "--workload",
        "synthetic",
        "--workload-option",
        "input-tokens=400",
        "--concurrency",
        "8",
        "--requests",
        "40",
        "--max-tokens",
        "64",
        "--gpu",
        "off",
        "--out",
        out,
    ];
    args.extend(extra);
    bench.ok(&args)
}

#[test]
fn running_and_kv_cache_reach_the_rows_the_summary_and_the_picture() {
    let bench = Bench::new();
    run(&bench, "vllm", "r", &[]);
    let told = support::rows(&bench.path("r/telemetry.csv"));
    assert!(told.len() >= 5 && told.iter().all(|t| t["source"] == "engine:vllm"), "{}", told.len());
    let number = |cell: &str| cell.parse::<f64>().unwrap_or_else(|_| panic!("`{cell}`"));
    let most = |name: &str| told.iter().map(|t| number(&t[name])).fold(0.0, f64::max);
    assert!(most("running") >= 4.0, "the load is seen: {}", most("running"));
    assert!(most("kv_cache_use") > 0.0 && most("kv_cache_use") <= 1.0);
    assert!(most("generated_tokens") > 0.0 && most("took_ns") > 0.0);
    for pair in told.windows(2) {
        assert!(number(&pair[0]["generated_tokens"]) <= number(&pair[1]["generated_tokens"]), "a counter");
    }
    let row = &support::rows(&bench.path("r/summary.csv"))[0];
    let (peak, mean) = (number(&row["kv_cache_peak"]), number(&row["kv_cache_mean"]));
    assert!(0.0 < mean && mean <= peak && peak <= most("kv_cache_use"), "{mean} {peak}");
    assert!((1.0..=8.0).contains(&number(&row["running_mean"])), "{}", row["running_mean"]);
    assert!(bench.path("r/plots/timeline.svg").exists() && bench.path("r/plots/timeline.png").exists());
    let again = std::fs::read(bench.path("r/summary.csv")).expect("a summary");
    bench.ok(&["report", "r"]);
    assert_eq!(
        std::fs::read(bench.path("r/summary.csv")).expect("a summary"),
        again,
        "recomputed from the rows"
    );
}

#[test]
fn every_adapter_with_metrics_reads_its_simulated_server() {
    for engine in ["sglang", "tgi", "llamacpp"] {
        let bench = Bench::new();
        run(&bench, engine, "r", &["--no-plots"]);
        let told = support::rows(&bench.path("r/telemetry.csv"));
        let busy = told.iter().filter(|t| t["running"].parse::<f64>().is_ok_and(|n| n > 0.0)).count();
        assert!(busy > 0, "{engine}: {told:?}");
    }
}

#[test]
fn they_can_be_switched_off_and_a_server_without_metrics_is_no_fault() {
    let bench = Bench::new();
    let off = run(&bench, "vllm", "off", &["--gauges", "off"]);
    assert!(!bench.path("off/plots/timeline.svg").exists() && !off.err.contains("gauges"), "{}", off.err);
    let none = run(&bench, "openai", "none", &["--no-plots"]);
    assert!(!none.err.contains("gauges"), "{}", none.err);
    for name in ["off", "none"] {
        let path = bench.path(name).join("telemetry.csv");
        assert!(!std::fs::read_to_string(path).unwrap_or_default().contains("engine:"));
        assert_eq!(support::rows(&bench.path(name).join("summary.csv"))[0]["kv_cache_peak"], "");
    }
    let server = bench.simulator("openai", &[]);
    let missing = bench.ok(&[
        "run",
        "--engine",
        &format!("vllm={}", server.url),
        "--concurrency",
        "1",
        "--requests",
        "3",
        "--max-tokens",
        "4",
        "--no-plots",
        "--out",
        "missing",
    ]);
    assert!(missing.err.contains("no gauges of `vllm`") && missing.err.contains("404"), "{}", missing.err);
    let harness = std::fs::read_to_string(bench.path("missing/harness.json")).expect("the harness file");
    assert!(harness.contains("\"off\": \"`/metrics` answered 404"), "{harness}");
}
