//! Files in a foreign form that this program exported: they say under `benchhost` what the form has no words for.

use benchhost_model::{LoadPoint, Target};
use serde_json::Value;

use crate::figure::ImportedRun;

/// Takes engine, model, load and target of an exported file over; leaves a run of anyone else's as it is.
pub(super) fn claim(run: &mut ImportedRun, benchhost: Option<&Value>) {
    let Some(told) = benchhost.filter(|b| b.is_object()) else { return };
    let text = |key: &str| told.get(key).and_then(Value::as_str).filter(|t| !t.is_empty());
    let load = text("load").and_then(|t| t.parse::<LoadPoint>().ok());
    run.load = load.or(run.load);
    if let Some(engine) = text("engine") {
        engine.clone_into(&mut run.engine);
    }
    if let Some(model) = text("model") {
        model.clone_into(&mut run.model);
    }
    for request in &mut run.requests {
        let record = &mut request.record;
        if text("target") == Some("simulated") {
            record.target = Target::Simulated;
        }
        record.load = load.unwrap_or(record.load);
        record.engine.clone_from(&run.engine);
        record.model.clone_from(&run.model);
        text("variant").unwrap_or_default().clone_into(&mut record.variant);
        text("workload").unwrap_or_default().clone_into(&mut record.workload);
    }
}
