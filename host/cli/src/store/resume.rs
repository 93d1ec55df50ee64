//! Opens a run that was killed or interrupted, to go on with it: only under the plan it was begun with.

use std::path::Path;

use benchhost_store::{Layout, ResumeState, digest_hex};

use super::manifest::Manifest;
use super::reader::read_manifest;
use crate::error::{CliError, CliResult};

/// A run to go on with. Nothing of it was changed yet.
#[derive(Debug)]
pub(crate) struct Resumable {
    /// Its `run_id` is kept.
    pub(crate) manifest: Manifest,
    /// Which points are finished. `prepare` it just before `RunWriter::resume`, when nothing else can fail.
    pub(crate) state: ResumeState,
}

/// The run in `directory`, to go on under a plan whose text is `plan` and whose seed is `seed`: those it was begun with,
/// or its rows and the new ones would not belong together.
pub(crate) fn resumable(directory: &Path, plan: &str, seed: u64) -> CliResult<Resumable> {
    let layout = Layout::new(directory);
    let manifest = read_manifest(&layout)?;
    let refused = |why: String| {
        CliError::usage(format!("`{}` cannot be resumed", directory.display()))
            .because(why)
            .hint("resume it without other flags, or run the new plan into another directory")
    };
    if manifest.plan_digest != digest_hex(plan.as_bytes()) {
        return Err(refused("it was begun with another plan; its own is `plan.toml` beside its rows".into()));
    }
    if manifest.seed != seed {
        return Err(refused(format!("it was begun with the seed {}, not {seed}", manifest.seed)));
    }
    if manifest.ended == "complete" {
        return Err(refused("it has ended: every load point is measured".into()));
    }
    let state = ResumeState::read(layout)?;
    let own = (manifest.run_id.as_str(), manifest.plan_digest.as_str());
    if state.labels().is_some_and(|labels| labels != own) {
        return Err(refused("its rows are of another run than its `manifest.json`".into()));
    }
    Ok(Resumable { manifest, state })
}

#[cfg(test)]
mod tests {
    use benchhost_model::{Record, Target};
    use benchhost_store::{RunWriter, SCHEMA_VERSION, write_atomic};

    use super::*;

    fn run(folder: &Path, ended: &str, labels: (&str, &str)) {
        let layout = Layout::new(folder);
        let mut writer = RunWriter::create(layout.clone(), vec![], None).unwrap();
        let record =
            Record { row: 1, run_id: labels.0.into(), plan_digest: labels.1.into(), ..Record::blank() };
        writer.request(&record).unwrap();
        let manifest = serde_json::json!({
            "schema_version": SCHEMA_VERSION, "tool": "benchhost", "run_id": "r", "started_unix_s": 0,
            "target": Target::Simulated, "plan_digest": digest_hex(b"plan"), "seed": 7, "engines": [],
            "workloads": [], "gpus": [], "gpu_note": "", "gpu_price_usd_per_hour": null, "host": null,
            "ended": ended,
        });
        write_atomic(&layout.manifest(), manifest.to_string().as_bytes()).unwrap();
    }

    #[test]
    fn only_the_same_plan_and_seed_go_on_and_only_what_has_not_ended() {
        let digest = digest_hex(b"plan");
        let said = |ended: &str, labels: (&str, &str), plan: &str, seed| {
            let folder = tempfile::tempdir().unwrap();
            run(folder.path(), ended, labels);
            match resumable(folder.path(), plan, seed) {
                Ok(run) => {
                    format!("{} with {} rows to redo", run.manifest.run_id, run.state.unfinished_rows())
                }
                Err(error) => error.details().map(|(_, text)| text.to_owned()).collect(),
            }
        };
        let own = ("r", digest.as_str());
        assert_eq!(said("", own, "plan", 7), "r with 1 rows to redo");
        assert_eq!(said("interrupted", own, "plan", 7), "r with 1 rows to redo");
        assert!(said("", own, "plan 2", 7).contains("another plan"));
        assert!(said("", own, "plan", 8).contains("the seed 7, not 8"));
        assert!(said("complete", own, "plan", 7).contains("has ended"));
        assert!(said("", ("other", &digest), "plan", 7).contains("another run"));
    }
}
