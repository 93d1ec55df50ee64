//! GPU figures end to end, against a test double of the driver's library built from this repository.

mod support;

#[path = "../../telemetry/tests/nvml-double/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "this test uses a part of the double's interface")]
mod double;

use support::Bench;

#[test]
fn memory_power_and_cost_reach_the_summary() {
    let bench = Bench::new();
    let library = double::Double::with("");
    let mut command = bench.command(&[
        "run",
        "--engine",
        "vllm",
        "--simulate",
        "--concurrency",
        "4",
        "--requests",
        "40",
        "--max-tokens",
        "32",
        "--gpu-price",
        "2.93",
        "--no-plots",
        "--out",
        "r",
    ]);
    let said =
        support::Said::from(command.env("BENCHHOST_NVML_LIBRARY", library.path()).output().expect("runs"));
    assert_eq!(said.code, 0, "{}", said.err);
    let row = &support::rows(&bench.path("r/summary.csv"))[0];
    for column in ["gpu_mem_peak_mib", "gpu_power_mean_w", "usd_per_mtok_out"] {
        let value: f64 = row[column].parse().unwrap_or_else(|_| panic!("`{column}` is `{}`", row[column]));
        assert!(value > 0.0, "{column}");
    }
    let number = |name: &str| row[name].parse::<f64>().expect("a number");
    let expected = 2.93 / (number("out_tok_s") * 3600.0) * 1e6;
    assert!((number("usd_per_mtok_out") / expected - 1.0).abs() < 1e-6);
    assert!(std::fs::read_to_string(bench.path("r/telemetry.csv")).expect("samples").lines().count() > 2);
}

#[test]
fn without_a_driver_there_is_one_line_and_empty_cells() {
    let bench = Bench::new();
    let mut command = bench.command(&[
        "run",
        "--engine",
        "vllm",
        "--simulate",
        "--concurrency",
        "1",
        "--requests",
        "3",
        "--max-tokens",
        "4",
        "--no-plots",
        "--out",
        "r",
    ]);
    let said = support::Said::from(
        command.env("BENCHHOST_NVML_LIBRARY", "/nowhere/libnvidia-ml.so").output().expect("runs"),
    );
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.err.lines().filter(|l| l.contains("GPU")).count(), 1, "{}", said.err);
    assert_eq!(support::rows(&bench.path("r/summary.csv"))[0]["gpu_mem_peak_mib"], "");
    let off = bench.ok(&[
        "run",
        "--engine",
        "vllm",
        "--simulate",
        "--gpu",
        "off",
        "--concurrency",
        "1",
        "--requests",
        "3",
        "--max-tokens",
        "4",
        "--no-plots",
        "--out",
        "off",
    ]);
    assert!(!off.err.contains("NVML"), "{}", off.err);
}
