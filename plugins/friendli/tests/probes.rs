//! Friendli's side endpoints, which depend on the deployment, and the container's metrics.

use benchhost_sdk::testkit::engine::{gauges, probe, read_probe};
use benchhost_sdk::{ProbeAnswer, ProbeKind};
use engine_friendli::Friendli;

#[test]
fn only_the_container_has_health_and_metrics_and_those_on_another_port() {
    let path =
        |deployment, kind| probe::<Friendli>(&[("deployment", deployment)], kind).map(|r| (r.path, r.port));
    assert_eq!(path("container", ProbeKind::Ready), Some(("/health".into(), None)));
    assert_eq!(path("container", ProbeKind::Metrics), Some(("/metrics".into(), Some(8281))));
    assert_eq!(path("container", ProbeKind::Version), Some(("/metrics".into(), Some(8281))));
    assert_eq!(path("serverless", ProbeKind::Ready), Some(("/serverless/v1/models".into(), None)));
    assert_eq!(path("dedicated", ProbeKind::Tokenize), Some(("/dedicated/v1/tokenize".into(), None)));
    for kind in [ProbeKind::Ready, ProbeKind::Models, ProbeKind::Metrics, ProbeKind::CacheReset] {
        assert_eq!(path("dedicated", kind), None, "{kind:?}");
    }
}

#[test]
fn the_version_is_a_label() {
    let body = "# TYPE friendli_engine_version gauge\nfriendli_engine_version{version=\"1.9.2\"} 1\n";
    assert_eq!(
        read_probe::<Friendli>(ProbeKind::Version, 200, body),
        Ok(ProbeAnswer::Version("1.9.2".into()))
    );
    assert!(read_probe::<Friendli>(ProbeKind::Version, 200, "x 1\n").is_err());
}

#[test]
fn items_are_running_requests_and_lengths_are_token_totals() {
    let body = "friendli_current_assigned_items 4\nfriendli_current_waiting_items 1\nfriendli_responses_total 9\n\
        friendli_tcache_hit_ratio_sum 2.5\nfriendli_tcache_hit_ratio_count 10\nfriendli_input_lengths_sum 700\n\
        friendli_output_lengths_sum 900\n";
    let wanted = [
        ("running", 4.0),
        ("waiting", 1.0),
        ("prefix_hit_share", 0.25),
        ("prompt_tokens", 700.0),
        ("generated_tokens", 900.0),
        ("requests_finished", 9.0),
    ];
    assert_eq!(gauges::<Friendli>(body), wanted.map(|(n, v)| (n.to_owned(), v)));
    let none = "friendli_tcache_hit_ratio_sum 0\nfriendli_tcache_hit_ratio_count 0\n";
    assert_eq!(gauges::<Friendli>(none), []);
}
