//! SGLang's side endpoints and metrics.

use benchhost_sdk::testkit::engine::{gauges, probe, read_probe};
use benchhost_sdk::{ProbeAnswer, ProbeKind};
use engine_sglang::Sglang;

#[test]
fn questions_go_to_their_endpoints_and_answers_are_read() {
    assert_eq!(probe::<Sglang>(&[], ProbeKind::CacheReset).unwrap().path, "/flush_cache");
    assert_eq!(probe::<Sglang>(&[], ProbeKind::Tokenize).unwrap().path, "/v1/tokenize");
    let info = r#"{"model_path":"m","version":"0.5.23","internal_states":[{}]}"#;
    assert_eq!(
        read_probe::<Sglang>(ProbeKind::Version, 200, info),
        Ok(ProbeAnswer::Version("0.5.23".into()))
    );
    assert_eq!(read_probe::<Sglang>(ProbeKind::CacheReset, 200, "Cache flushed.\n"), Ok(ProbeAnswer::Done));
    assert!(read_probe::<Sglang>(ProbeKind::CacheReset, 400, "busy").is_err());
}

#[test]
fn ranks_of_a_replica_are_not_added_up_and_replicas_are() {
    let line = |name: &str, tp: u8, dp: u8, value: f64| {
        format!(
            "sglang:{name}{{engine_type=\"unified\",tp_rank=\"{tp}\",pp_rank=\"0\",dp_rank=\"{dp}\"}} {value}\n"
        )
    };
    let mut body = String::new();
    for (tp, dp) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
        body += &line("num_running_reqs", tp, dp, 4.0);
        body += &line("token_usage", tp, dp, 0.5);
    }
    body += "sglang:prompt_tokens_total{is_streaming=\"true\"} 100\nsglang:cached_tokens_total{cache_source=\"device\"} 25\n";
    body += "sglang:generation_tokens_total{is_streaming=\"true\"} 9\nsglang:realtime_tokens_total{mode=\"prefill_compute\"} 75\n";
    body += "sglang:realtime_tokens_total{mode=\"decode\"} 12\n";
    let wanted = [
        ("running", 8.0),
        ("kv_cache_use", 0.5),
        ("prefix_cache_hits", 25.0),
        ("prefix_cache_queries", 100.0),
        ("prompt_tokens", 100.0),
        ("generated_tokens", 12.0),
    ];
    assert_eq!(gauges::<Sglang>(&body), wanted.map(|(n, v)| (n.to_owned(), v)));
}

#[test]
fn replicas_that_number_their_ranks_onwards_are_all_counted() {
    // Data-parallel attention: the second replica's only rank is 1.
    let body = "sglang:num_running_reqs{tp_rank=\"0\",pp_rank=\"0\",dp_rank=\"0\"} 4\n\
        sglang:num_running_reqs{tp_rank=\"1\",pp_rank=\"0\",dp_rank=\"1\"} 3\n";
    assert_eq!(gauges::<Sglang>(body), [("running".to_owned(), 7.0)]);
}

#[test]
fn without_a_live_counter_the_one_of_finished_requests_is_taken() {
    let body = "sglang:generation_tokens_total{is_streaming=\"true\"} 9\nsglang:generation_tokens_total{is_streaming=\"false\"} 1\n";
    assert_eq!(gauges::<Sglang>(body), [("generated_tokens".to_owned(), 10.0)]);
}
