//! The side endpoints of `transformers serve`, as recorded.

use benchhost_sdk::testkit::engine::{gauges, probe, read_probe};
use benchhost_sdk::{ProbeAnswer, ProbeKind, Refusal};
use engine_transformers::Transformers;

/// A recorded answer's body.
fn recorded(text: &str) -> &str {
    text.split_once("\r\n\r\n").unwrap().1
}

#[test]
fn health_is_ready_and_a_dead_worker_is_not() {
    let health = recorded(include_str!("probes/health.http"));
    assert_eq!(read_probe::<Transformers>(ProbeKind::Ready, 200, health), Ok(ProbeAnswer::Ready));
    let dead = r#"{"status":"unhealthy","reason":"cb_worker_dead"}"#;
    assert!(
        matches!(read_probe::<Transformers>(ProbeKind::Ready, 503, dead), Ok(ProbeAnswer::NotReady(why)) if why.contains("cb_worker_dead"))
    );
}

#[test]
fn a_server_pinned_to_a_folder_has_no_model_list() {
    let models = recorded(include_str!("probes/v1-models.http"));
    let refused = read_probe::<Transformers>(ProbeKind::Models, 500, models);
    assert_eq!(refused, Err(Refusal::Other("the server answered 500: Internal Server Error".into())));
}

#[test]
fn there_is_no_version_no_metrics_and_no_tokenizer() {
    for kind in [ProbeKind::Version, ProbeKind::Metrics, ProbeKind::CacheReset, ProbeKind::Tokenize] {
        assert_eq!(probe::<Transformers>(&[], kind), None, "{kind:?}");
    }
    assert_eq!(gauges::<Transformers>("x 1\n"), []);
}
