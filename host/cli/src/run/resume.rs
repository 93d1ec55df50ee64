//! Going on with a run that was killed or interrupted: same plan, same seed, same numbers of rows; finished load points
//! are kept, the others measured again.

use std::path::Path;

use benchhost_http::RunClock;
use benchhost_model::{PointFacts, PointKey};

use super::Opened;
use crate::error::{CliError, CliResult};
use crate::plan::Plan;
use crate::store::{Layout, Manifest, Resumable, ResumeState, RunWriter, resumable};
use crate::ui::{Printer, plural};

/// A run that can go on.
pub(crate) struct Resumed {
    layout: Layout,
    state: ResumeState,
    manifest: Manifest,
}

/// What is kept of the part before.
#[derive(Default)]
pub(crate) struct Kept {
    finished: Vec<PointFacts>,
    manifest: Option<Manifest>,
}

impl Resumed {
    /// Looks at the run in `folder`, which must be one of `plan`. Changes nothing.
    pub(crate) fn look(folder: &Path, plan: &Plan) -> CliResult<Self> {
        if plan.search.is_some() {
            return Err(CliError::usage("a search cannot be resumed")
                .because("each of its rates depends on all before it")
                .hint("run the plan again; `--rate` can begin where this one came to"));
        }
        let Resumable { manifest, state } = resumable(folder, &plan.as_file, plan.seed.value)?;
        Ok(Self { layout: Layout::new(folder), state, manifest })
    }

    /// It keeps its name.
    pub(crate) fn run_id(&self) -> String {
        self.manifest.run_id.clone()
    }

    /// Moves what belongs to unfinished points aside and opens the files again.
    pub(super) fn open(self, scores: Vec<String>, printer: &Printer) -> CliResult<Opened> {
        let Self { layout, state, manifest } = self;
        let finished = state.finished().to_vec();
        let prepared = state.prepare()?;
        printer.status(&format!(
            "resuming {}: {} kept, {} of unfinished ones set aside",
            layout.root().display(),
            plural(finished.len() as u64, "load point"),
            plural(prepared.abandoned.rows, "row"),
        ));
        let (clock, next_id) = (RunClock::continuing(prepared.clock_from), prepared.next_session.max(1));
        let writer = RunWriter::resume(layout.clone(), scores, prepared)?;
        let kept = Kept { finished, manifest: Some(manifest) };
        Ok(Opened { layout, writer, clock, next_id, kept })
    }
}

impl Kept {
    /// The point was measured before.
    pub(super) fn is_finished(&self, key: &PointKey) -> bool {
        self.finished.iter().any(|facts| facts.key == *key)
    }

    /// Facts of the points measured before.
    pub(super) fn facts(&self) -> &[PointFacts] {
        &self.finished
    }

    /// What the first part knew: when it began, what it noted.
    pub(super) fn inherit(&self, manifest: &mut Manifest) {
        if let Some(first) = &self.manifest {
            manifest.started_unix_s = first.started_unix_s;
            manifest.calibration.clone_from(&first.calibration);
        }
    }

    /// Not known, but a kept point is one that was answered.
    pub(super) fn completed(&self) -> u64 {
        self.finished.len() as u64
    }
}
