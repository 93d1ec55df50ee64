//! vLLM's side endpoints and metrics.

use benchhost_sdk::testkit::engine::{gauges, probe, read_probe};
use benchhost_sdk::{ModelInfo, ProbeAnswer, ProbeKind, Refusal};
use engine_vllm::Vllm;

#[test]
fn questions_go_to_their_endpoints() {
    let path = |kind| probe::<Vllm>(&[], kind).map(|r| format!("{} {}", r.method, r.path)).unwrap();
    assert_eq!(path(ProbeKind::Ready), "GET /health");
    assert_eq!(path(ProbeKind::Version), "GET /version");
    assert_eq!(path(ProbeKind::Models), "GET /v1/models");
    assert_eq!(path(ProbeKind::Metrics), "GET /metrics");
    assert_eq!(path(ProbeKind::CacheReset), "POST /reset_prefix_cache");
    let tokenize = probe::<Vllm>(&[], ProbeKind::Tokenize).unwrap();
    assert_eq!(tokenize.body, br#"{"prompt":"Hi","add_special_tokens":false,"model":"m"}"#);
}

#[test]
fn answers_are_read() {
    assert_eq!(read_probe::<Vllm>(ProbeKind::Ready, 200, ""), Ok(ProbeAnswer::Ready));
    assert!(matches!(read_probe::<Vllm>(ProbeKind::Ready, 503, ""), Ok(ProbeAnswer::NotReady(_))));
    let version = read_probe::<Vllm>(ProbeKind::Version, 200, r#"{"version":"0.33.0"}"#);
    assert_eq!(version, Ok(ProbeAnswer::Version("0.33.0".into())));
    let models = read_probe::<Vllm>(ProbeKind::Models, 200, r#"{"data":[{"id":"m","max_model_len":8192}]}"#);
    let one = ModelInfo { id: "m".into(), context: Some(8192), extra: String::new() };
    assert_eq!(models, Ok(ProbeAnswer::Models(vec![one])));
    let ids = read_probe::<Vllm>(
        ProbeKind::Tokenize,
        200,
        r#"{"count":2,"max_model_len":8,"tokens":[5,6],"token_strs":null}"#,
    );
    assert_eq!(ids, Ok(ProbeAnswer::TokenIds(vec![5, 6])));
}

#[test]
fn a_cache_reset_that_did_not_happen_is_refused() {
    for (status, body) in [(200, ""), (200, r#"{"success":true}"#)] {
        assert_eq!(read_probe::<Vllm>(ProbeKind::CacheReset, status, body), Ok(ProbeAnswer::Done));
    }
    assert!(read_probe::<Vllm>(ProbeKind::CacheReset, 200, r#"{"success":false}"#).is_err());
    let off = read_probe::<Vllm>(ProbeKind::CacheReset, 404, r#"{"detail":"Not Found"}"#);
    assert!(matches!(off, Err(Refusal::Unsupported(why)) if why.contains("VLLM_SERVER_DEV_MODE")));
}

#[test]
fn counts_are_summed_over_engines_and_shares_averaged() {
    let body = "vllm:num_requests_running{engine=\"0\",model_name=\"m\"} 3.0\n\
        vllm:num_requests_running{engine=\"1\",model_name=\"m\"} 5.0\n\
        vllm:num_requests_waiting{engine=\"0\",model_name=\"m\"} 2.0\n\
        vllm:kv_cache_usage_perc{engine=\"0\"} 0.5\nvllm:kv_cache_usage_perc{engine=\"1\"} 0.25\n\
        vllm:prefix_cache_hits_total{engine=\"0\"} 10\nvllm:prefix_cache_hits_created{engine=\"0\"} 1.7e9\n\
        vllm:prefix_cache_queries_total{engine=\"0\"} 40\nvllm:generation_tokens_total{engine=\"0\"} 7\n\
        vllm:request_success_total{engine=\"0\",finished_reason=\"stop\"} 1\n\
        vllm:request_success_total{engine=\"0\",finished_reason=\"length\"} 4\n";
    let wanted = [
        ("running", 8.0),
        ("waiting", 2.0),
        ("kv_cache_use", 0.375),
        ("prefix_cache_hits", 10.0),
        ("prefix_cache_queries", 40.0),
        ("generated_tokens", 7.0),
        ("requests_finished", 5.0),
    ];
    assert_eq!(gauges::<Vllm>(body), wanted.map(|(n, v)| (n.to_owned(), v)));
}

#[test]
fn names_of_older_versions_are_understood() {
    let body = "vllm:gpu_cache_usage_perc{model_name=\"m\"} 0.125\nvllm:gpu_prefix_cache_hit_rate{model_name=\"m\"} 0.5\n";
    let wanted = [("kv_cache_use", 0.125), ("prefix_hit_share", 0.5)];
    assert_eq!(gauges::<Vllm>(body), wanted.map(|(n, v)| (n.to_owned(), v)));
}

#[test]
fn a_share_that_an_old_version_does_not_measure_is_absent() {
    // It writes -1 while prefix caching is off.
    let body = "vllm:gpu_prefix_cache_hit_rate{model_name=\"m\"} -1.0\nvllm:num_requests_running{model_name=\"m\"} 1\n";
    assert_eq!(gauges::<Vllm>(body), [("running".to_owned(), 1.0)]);
}
