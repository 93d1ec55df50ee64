//! What the machine and this process did during a run: evidence beside the figures (`harness.json`).

use std::collections::BTreeMap;
use std::path::Path;

use benchhost_model::PointFacts;
use benchhost_selfcheck::SelfCheck;
use benchhost_telemetry::host::HostCounters;
use benchhost_telemetry::process::ProcessUsage;

use super::gauges::GaugeHealth;
use super::point::Measured;

/// The machine and this process at one moment.
pub(crate) struct Health {
    counters: HostCounters,
    usage: ProcessUsage,
}

impl Health {
    /// Now.
    pub(crate) fn now() -> Self {
        Self { counters: HostCounters::read(Path::new("/")), usage: ProcessUsage::now() }
    }

    /// What happened since, with what each load point told of itself, and the facts of those `kept` from an earlier part.
    pub(crate) fn report(
        &self,
        points: &[(String, Measured)],
        kept: &[PointFacts],
        gpu: &serde_json::Value,
        gauges: &[GaugeHealth],
        selfcheck: Option<&SelfCheck>,
    ) -> serde_json::Value {
        let after = Self::now();
        let measured = points.iter().map(|(title, health)| (title.clone(), point(health)));
        let kept = kept.iter().map(|facts| (kept_title(facts), serde_json::json!({ "facts": facts })));
        let points: BTreeMap<String, serde_json::Value> = kept.chain(measured).collect();
        serde_json::json!({
            "schema_version": crate::store::SCHEMA_VERSION,
            "selfcheck": selfcheck,
            "points": points,
            "process": after.usage.since(&self.usage),
            "host": after.counters.since(&self.counters),
            "gpu_sampler": gpu,
            "gauge_samplers": gauges,
        })
    }
}

/// Told apart by what tells points apart; the plan's words for it went with the part that measured it.
fn kept_title(facts: &PointFacts) -> String {
    let key = &facts.key;
    let parts = [&key.engine, &key.variant, &key.workload].into_iter().filter(|part| !part.is_empty());
    let names = parts.map(String::as_str).collect::<Vec<_>>().join(" · ");
    let role = if key.role.is_empty() { String::new() } else { format!(" · {}", key.role) };
    format!("{names} · {}{role} repeat {}, kept", key.load, key.repeat)
}

/// The journal has the facts themselves; here they stand beside what only explains them.
fn point(measured: &Measured) -> serde_json::Value {
    let load = &measured.load;
    serde_json::json!({
        "started": load.started,
        "finished": load.finished,
        "cut": load.cut,
        "never_sent": load.never_sent,
        "most_in_flight": load.most_in_flight,
        "send_lateness_ns": { "p50": load.late.p50, "p99": load.late.p99, "max": load.late.max },
        "load_fault": load.fault,
        "decode_wait_max_ns": measured.decode_wait_max_ns,
        "spilled_bytes": measured.spilled_bytes,
        "facts": measured.facts,
    })
}
