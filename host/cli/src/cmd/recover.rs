//! `benchhost recover`: what a killed run left is made whole. Torn ends go into files of their own, every figure is computed
//! as `report` does, and the mark of completion says that the run was recovered. Of a run that has ended it only checks
//! that the files are as they were left.

use crate::args::RecoverArgs;
use crate::cmd::report;
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::store::{Completion, Joined, Layout, Manifest, Mended, mend, read_manifest, write_atomic};
use crate::ui::{Printer, plural};

/// `benchhost recover DIR`.
pub(crate) fn run(args: &RecoverArgs, printer: &Printer) -> CliResult<Exit> {
    let layout = Layout::new(&args.run);
    let manifest = read_manifest(&layout)?;
    match Completion::read(&layout)? {
        Some(completion) => check(&layout, &completion, args.verify, printer)?,
        None => recover(&layout, manifest, args, printer)?,
    }
    Ok(Exit::Done)
}

/// The mark of completion is the last file written: a kill before it means doing all of this again.
fn recover(layout: &Layout, manifest: Manifest, args: &RecoverArgs, printer: &Printer) -> CliResult<()> {
    let mended = mend(layout)?;
    for line in told(&mended) {
        printer.status(&line);
    }
    save(layout, &marked(manifest))?;
    let reported =
        report::report(&args.run, args.format, &report::Look::plain(!args.no_plots), printer).map(drop);
    Completion::of(layout, "recovered", mended.counts)?.write(layout)?;
    reported
}

fn marked(mut manifest: Manifest) -> Manifest {
    if !matches!(manifest.ended.as_str(), "" | "recovered") {
        manifest.notes.push(format!("this run had ended as `{}` before it was recovered", manifest.ended));
    }
    manifest.ended = "recovered".into();
    manifest
}

fn save(layout: &Layout, manifest: &Manifest) -> CliResult<()> {
    let text = serde_json::to_string_pretty(manifest)
        .map_err(|e| CliError::internal("cannot write JSON").because(e))?;
    Ok(write_atomic(&layout.manifest(), text.as_bytes())?)
}

/// What was kept and what was lost, a line each.
fn told(mended: &Mended) -> Vec<String> {
    let counts = mended.counts;
    let mut lines = vec![format!(
        "kept: {}, the events of {}, {}, {}, {}",
        plural(counts.rows, "request row"),
        plural(counts.event_blocks, "request"),
        plural(counts.outputs, "answer"),
        plural(counts.telemetry, "sample"),
        plural(counts.points, "finished load point"),
    )];
    for torn in &mended.torn {
        let name = |path: &std::path::Path| {
            path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
        };
        lines.push(format!(
            "torn: the last {} of `{}`, now in `{}`",
            plural(torn.bytes, "byte"),
            name(&torn.file),
            name(&torn.kept_in)
        ));
    }
    if mended.damaged_blocks > 0 {
        lines.push(format!(
            "damaged: {} of events changed on disk and left out",
            plural(mended.damaged_blocks, "block")
        ));
    }
    let lost = mended.rows_with_events.saturating_sub(counts.event_blocks);
    if lost > 0 {
        lines.push(format!(
            "lost: the event times of {}, not yet written; their rows are whole",
            plural(lost, "request")
        ));
    }
    lines.push("not recorded: requests that were in flight".into());
    lines
}

/// Whether the files of an ended run are as they were left.
fn check(layout: &Layout, completion: &Completion, digests: bool, printer: &Printer) -> CliResult<()> {
    let mut joined = Joined::open(layout)?;
    joined.by_ref().try_for_each(|pair| pair.map(drop))?;
    let (rows, blocks) = joined.read();
    let mut found = completion.check(layout, rows, blocks);
    if digests {
        let changed = completion.check_digests(layout)?;
        found.extend(
            changed.into_iter().filter(|c| !found.iter().any(|f| f.file == c.file)).collect::<Vec<_>>(),
        );
    }
    if found.is_empty() {
        let files = if digests {
            format!(", and {} unchanged", plural(completion.files.len() as u64, "file"))
        } else {
            String::new()
        };
        printer.status(&format!(
            "nothing to recover: this run ended as `{}`; all {} are there{files}",
            completion.ended,
            plural(rows, "request row")
        ));
        return Ok(());
    }
    let error = CliError::usage(format!("`{}` is not as it was left", layout.root().display()));
    Err(found.iter().fold(error, CliError::because))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use benchhost_store::{Counts, TornFile};

    use super::*;

    #[test]
    fn what_was_kept_and_lost_is_told_in_numbers() {
        let mended = Mended {
            counts: Counts { rows: 7, event_blocks: 4, outputs: 5, points: 1, ..Counts::default() },
            torn: vec![TornFile {
                file: PathBuf::from("r/requests.csv"),
                bytes: 12,
                kept_in: PathBuf::from("r/requests.csv.torn"),
            }],
            rows_with_events: 6,
            damaged_blocks: 0,
        };
        assert_eq!(
            told(&mended),
            [
                "kept: 7 request rows, the events of 4 requests, 5 answers, 0 samples, 1 finished load point",
                "torn: the last 12 bytes of `requests.csv`, now in `requests.csv.torn`",
                "lost: the event times of 2 requests, not yet written; their rows are whole",
                "not recorded: requests that were in flight",
            ]
        );
    }
}
