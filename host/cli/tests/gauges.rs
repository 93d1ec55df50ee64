//! What engines tell of themselves, from the server's metrics page to the summary and the picture.

#[path = "support/scripted.rs"]
mod scripted;
mod support;

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use scripted::{Reply, Scripted, chat};
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
}

/// A server in the manner of vLLM, whose metrics page is `metrics`.
fn server(metrics: impl Fn() -> Vec<u8> + Send + Sync + 'static) -> Scripted {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    Scripted::start(listener, move |seen| {
        Reply::Answer(match (seen.method.as_str(), seen.path.as_str()) {
            ("GET", "/v1/models") => scripted::json(r#"{"object":"list","data":[{"id":"one"}]}"#),
            ("GET", "/version") => scripted::json(r#"{"version":"1.0"}"#),
            ("GET", "/metrics") => metrics(),
            ("GET", "/health") => scripted::json("{}"),
            _ => chat("Scripted words."),
        })
    })
}

/// What `harness.json` tells of the sampler, and what was said.
fn measured(server: &Scripted) -> (serde_json::Value, String) {
    let bench = Bench::new();
    let engine = format!("vllm={}", server.url());
    let said = bench.ok(&[
        "run",
        "--engine",
        &engine,
        "--concurrency",
        "1",
        "--requests",
        "6",
        "--no-selfcheck",
        "--no-plots",
        "--out",
        "r",
    ]);
    assert_eq!(bench.measured("r").len(), 6);
    let text = std::fs::read_to_string(bench.path("r/harness.json")).expect("the harness file");
    let harness: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    (harness["gauge_samplers"][0].clone(), said.err)
}

#[test]
fn a_server_that_refuses_its_metrics_is_asked_once_and_named() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let server = server(move || {
        count.fetch_add(1, Ordering::SeqCst);
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec()
    });
    let (told, said) = measured(&server);
    assert_eq!((told["samples"].as_u64(), told["failed"].as_u64()), (Some(0), Some(1)), "{told}");
    assert!(told["off"].as_str().is_some_and(|off| off.contains("`/metrics` answered 404")), "{told}");
    assert!(said.contains("no gauges of `vllm`"), "{said}");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn a_metrics_page_that_never_comes_delays_nothing() {
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let server = server(move || {
        // Until the end of the test, however long the run takes.
        let _ended = held.lock().map(|held| held.recv());
        scripted::json("{}")
    });
    let (told, _) = measured(&server);
    drop(release);
    assert_eq!(told["samples"].as_u64(), Some(0), "{told}");
}

#[test]
fn figures_that_the_adapter_does_not_know_are_no_figures() {
    let server = server(|| scripted::json("no metrics at all"));
    let (told, _) = measured(&server);
    assert!(told["off"].as_str().is_some_and(|off| off.contains("none of the metrics")), "{told}");
}
