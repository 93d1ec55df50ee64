//! `compare --history`: the runs below a directory in the order of their time, and where a figure changed its level.

use std::path::{Path, PathBuf};

use benchhost_compare::{ALPHA, FEWEST, history as changes};
use benchhost_report::{HistoryTable, ShiftLine};

use super::source::{self, Needs};
use crate::error::{CliError, CliResult};
use crate::store::{Layout, read_manifest};
use crate::ui::plural;

/// Reads every run and looks.
pub(crate) fn history(directory: &Path) -> CliResult<HistoryTable> {
    let runs = runs(directory)?;
    let mut notes = vec![format!(
        "E-divisive means at p < {ALPHA}; a figure needs {FEWEST} runs, five on either side of a change; a run counts once, by the mean of its repeats"
    )];
    let (mut names, mut sheets) = (Vec::new(), Vec::new());
    for (_, path) in runs {
        match source::read(&path, Needs::default()) {
            Ok(found) => {
                names.push(path.strip_prefix(directory).unwrap_or(&path).display().to_string());
                sheets.push(found.sheet);
            }
            Err(error) => notes.push(format!("left out: {error}")),
        }
    }
    let found = changes(&sheets);
    if found.short > 0 {
        notes.push(format!("{} with fewer than {FEWEST} runs", plural(found.short as u64, "figure")));
    }
    let shifts: Vec<ShiftLine> = found
        .shifts
        .into_iter()
        .map(|s| ShiftLine {
            heading: s.heading,
            metric: s.metric,
            unit: s.unit,
            result: names.get(s.result).cloned().unwrap_or_default(),
            before: s.before,
            after: s.after,
            worse: s.worse,
            p: s.p,
        })
        .collect();
    let looked =
        format!("{} of {}", plural(found.series as u64, "figure"), plural(names.len() as u64, "run"));
    let sentence = match shifts.len() {
        0 if found.series == 0 => format!("Too few runs: no figure has {FEWEST} values."),
        0 => format!("No change of level in {looked}."),
        n => format!(
            "{} of level in {looked}.",
            if n == 1 { "1 change".to_owned() } else { format!("{n} changes") }
        ),
    };
    Ok(HistoryTable { sentence, results: names, shifts, notes })
}

/// Directories of runs with the time of their start, oldest first.
fn runs(directory: &Path) -> CliResult<Vec<(u64, PathBuf)>> {
    let error = |e: std::io::Error| {
        CliError::usage(format!("cannot read `{}`", directory.display()))
            .because(e)
            .hint("give a directory that holds directories of runs")
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(error)? {
        let path = entry.map_err(error)?.path();
        let layout = Layout::new(&path);
        if !path.is_dir() || !layout.requests().exists() {
            continue;
        }
        let started = read_manifest(&layout).map_or(0, |manifest| manifest.started_unix_s);
        found.push((started, path));
    }
    found.sort();
    if found.is_empty() {
        return Err(CliError::usage(format!("`{}` holds no directory of a run", directory.display())));
    }
    Ok(found)
}
