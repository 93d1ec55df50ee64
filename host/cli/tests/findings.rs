//! Findings over the simulator, whose curve is known: it works on four requests at a time, so throughput rises to a
//! concurrency of four and then stays; and one of two simulators is twice as slow. Every figure asked for lies far from
//! what a busy machine could make of it.

mod support;

#[path = "support/line.rs"]
mod line;

use serde_json::Value;
use support::Bench;

#[test]
fn a_server_with_four_places_has_its_bend_at_four_and_a_slower_one_parts_from_it() {
    let bench = Bench::new();
    let server = |dialect, itl| {
        bench.simulator(
            dialect,
            &["--max-running", "4", "--batch-slowdown", "0", "--ttft", "8ms", "--itl", itl],
        )
    };
    let (fast, slow) = (server("vllm", "8ms"), server("sglang", "16ms"));
    bench.done(&format!(
        "run --engine vllm={} --engine sglang={} --sweep concurrency=1,2,4,16 --requests 16 --max-tokens 6 --repeats 3 \
         --no-anchor --gauges off --gpu off --no-plots --out r",
        fast.url, slow.url
    ));
    let text = std::fs::read_to_string(bench.path("r/findings.json")).expect("findings");
    let found: Value = serde_json::from_str(&text).expect("JSON");
    let of = |key: &str| found[key].as_array().expect("a list").clone();

    let studies = of("studies");
    assert_eq!(studies.len(), 2, "{text}");
    for study in &studies {
        assert_eq!(
            (&study["range"], &study["axis"]),
            (&serde_json::json!([1.0, 16.0]), &"concurrency".into())
        );
        assert_eq!((&study["bend"]["from"], &study["bend"]["to"]), (&4.0.into(), &16.0.into()), "{study}");
        assert_ne!(study["shape"], "linear", "{study}");
        let optimal = study["optimal"]["at"].as_f64().expect("a place");
        assert!((4.0..=16.0).contains(&optimal), "{study}");
    }
    let parting = of("partings")
        .into_iter()
        .find(|p| p["figure"].as_str().is_some_and(|f| f.starts_with("throughput")));
    let first = &parting.expect("a parting over throughput")["first"];
    assert_eq!(first["better"], "vllm", "{text}");
    let advice = of("advice");
    let best = advice.iter().find(|a| a["goal"] == "highest_throughput").expect("advice");
    assert_eq!(best["best"]["subject"], "vllm", "{best}");
    let resources = advice.iter().find(|a| a["goal"] == "best_resource_use").expect("advice");
    assert!(resources["best"].is_null(), "nothing was recorded for it: {resources}");
    let sentences = found["sentences"].to_string();
    assert!(
        sentences.contains("from 4 to 16 a doubling brings") && sentences.contains("not resolved"),
        "{sentences}"
    );

    let page = std::fs::read_to_string(bench.path("r/report.html")).expect("a page");
    assert!(page.contains("from 4 to 16 a doubling brings") && page.contains("first apart at concurrency="));
}
