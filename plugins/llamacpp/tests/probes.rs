//! llama-server's side endpoints and metrics, as recorded.

use benchhost_sdk::testkit::engine::{gauges, probe, read_probe};
use benchhost_sdk::{ModelInfo, ProbeAnswer, ProbeKind};
use engine_llamacpp::LlamaCpp;

/// A recorded answer's body.
fn recorded(text: &str) -> &str {
    text.split_once("\r\n\r\n").unwrap().1
}

#[test]
fn recorded_answers_are_read() {
    let health = recorded(include_str!("probes/health.http"));
    assert_eq!(read_probe::<LlamaCpp>(ProbeKind::Ready, 200, health), Ok(ProbeAnswer::Ready));
    let props = recorded(include_str!("probes/props.http"));
    assert_eq!(
        read_probe::<LlamaCpp>(ProbeKind::Version, 200, props),
        Ok(ProbeAnswer::Version("b0-unknown".into()))
    );
    let models = recorded(include_str!("probes/v1-models.http"));
    let one = ModelInfo { id: "gemma-3-270m".into(), context: Some(1024), extra: String::new() };
    assert_eq!(read_probe::<LlamaCpp>(ProbeKind::Models, 200, models), Ok(ProbeAnswer::Models(vec![one])));
}

#[test]
fn a_loading_server_is_not_ready_and_says_why() {
    let body = r#"{"error":{"message":"Loading model","type":"unavailable_error","code":503}}"#;
    let answer = read_probe::<LlamaCpp>(ProbeKind::Ready, 503, body);
    assert_eq!(answer, Ok(ProbeAnswer::NotReady("503: Loading model".into())));
}

#[test]
fn tokenize_says_whether_special_tokens_are_wanted() {
    let request = probe::<LlamaCpp>(&[], ProbeKind::Tokenize).unwrap();
    assert_eq!(request.body, br#"{"content":"Hi","add_special":false,"parse_special":true}"#);
    let answer = read_probe::<LlamaCpp>(ProbeKind::Tokenize, 200, r#"{"tokens":[10979]}"#);
    assert_eq!(answer, Ok(ProbeAnswer::TokenIds(vec![10979])));
}

#[test]
fn recorded_metrics_become_gauges() {
    let wanted = [
        ("running", 0.0),
        ("waiting", 0.0),
        ("prefix_cache_hits", 47.0),
        ("prefix_cache_queries", 163.0),
        ("prompt_tokens", 116.0),
        ("generated_tokens", 150.0),
        ("draft_tokens", 0.0),
        ("draft_tokens_accepted", 0.0),
    ];
    let got = gauges::<LlamaCpp>(recorded(include_str!("probes/metrics.http")));
    assert_eq!(got, wanted.map(|(n, v)| (n.to_owned(), v)));
}
