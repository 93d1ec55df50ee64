//! TGI's side endpoints and metrics.

use benchhost_sdk::testkit::engine::{gauges, probe, read_probe};
use benchhost_sdk::{ProbeAnswer, ProbeKind};
use engine_tgi::Tgi;

#[test]
fn questions_go_to_their_endpoints_and_answers_are_read() {
    assert_eq!(probe::<Tgi>(&[], ProbeKind::Version).unwrap().path, "/info");
    assert_eq!(probe::<Tgi>(&[], ProbeKind::Tokenize).unwrap().body, br#"{"inputs":"Hi"}"#);
    let info = r#"{"model_id":"m","router":"text-generation-router","version":"3.3.6","sha":"abc"}"#;
    assert_eq!(read_probe::<Tgi>(ProbeKind::Version, 200, info), Ok(ProbeAnswer::Version("3.3.6".into())));
    let tokens = r#"[{"id":1,"text":"<s>","start":0,"stop":0},{"id":6324,"text":"Hi","start":0,"stop":2}]"#;
    assert_eq!(read_probe::<Tgi>(ProbeKind::Tokenize, 200, tokens), Ok(ProbeAnswer::TokenIds(vec![1, 6324])));
    let sick =
        read_probe::<Tgi>(ProbeKind::Ready, 503, r#"{"error":"unhealthy","error_type":"healthcheck"}"#);
    assert_eq!(sick, Ok(ProbeAnswer::NotReady("503: unhealthy".into())));
}

#[test]
fn token_totals_are_the_sums_of_histograms() {
    let body = "tgi_batch_current_size 3\ntgi_queue_size 2\ntgi_request_success 5\ntgi_request_failure{err=\"validation\"} 1\n\
        tgi_request_input_length_bucket{le=\"+Inf\"} 6\ntgi_request_input_length_sum 60\ntgi_request_input_length_count 6\n\
        tgi_request_generated_tokens_sum 120\n";
    let wanted = [
        ("running", 3.0),
        ("waiting", 2.0),
        ("prompt_tokens", 60.0),
        ("generated_tokens", 120.0),
        ("requests_finished", 6.0),
    ];
    assert_eq!(gauges::<Tgi>(body), wanted.map(|(n, v)| (n.to_owned(), v)));
}
