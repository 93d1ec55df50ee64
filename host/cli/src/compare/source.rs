//! One result on the way into a comparison: our own rows, streamed, or a file of another tool. Opens files; judges nothing.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use benchhost_analysis::Options;
use benchhost_compare::{Gatherer, Sheet};
use benchhost_interop::{Imported, looks_foreign};
use benchhost_store::{Layout, RequestsReader};

use super::foreign;
use crate::args::By;
use crate::error::{CliError, CliResult};
use crate::store::{Journal, read_manifest, read_telemetry};
use crate::summary::{gpu_figures, gpu_samples, objectives};
use crate::ui::plural;

/// A result.
#[derive(Debug)]
pub(super) struct Source {
    /// The file of rows.
    pub(super) path: PathBuf,
    /// What it was called on the command line.
    given: PathBuf,
    pub(super) sheet: Sheet,
    /// Which part of it this is, if it was split.
    pub(super) part: String,
    /// What another tool wrote, and has no rows for.
    pub(super) foreign: Option<Imported>,
    /// What to say of it.
    pub(super) notes: Vec<String>,
}

impl Source {
    /// Another tool's result without requests: figures alone.
    pub(super) fn is_aggregate(&self) -> bool {
        self.foreign.is_some() && self.sheet.groups.is_empty()
    }

    /// The last part of its path that says something.
    pub(super) fn name(&self) -> String {
        self.given.display().to_string()
    }
}

/// Reads the directory of a run, a `requests.csv` or a foreign result.
pub(super) fn read(given: &Path) -> CliResult<Source> {
    if given.is_file()
        && let Some(text) = foreign_text(given)?
    {
        return foreign::source(given, &text);
    }
    let mut reader = RequestsReader::open(given)?;
    let path = reader.path().to_path_buf();
    let layout = layout_of(&path);
    let facts = layout.as_ref().and_then(|l| Journal::read(l).ok()).map(|j| j.points).unwrap_or_default();
    let price = layout.as_ref().and_then(|l| read_manifest(l).ok()).and_then(|m| m.gpu_price_usd_per_hour);
    let options = Options {
        objectives: layout.as_ref().map(objectives).unwrap_or_default(),
        gpu_price_usd_per_hour: price,
    };
    let mut gatherer = Gatherer::new(options, facts);
    for record in reader.by_ref() {
        gatherer.push(&record?);
    }
    let telemetry = layout.as_ref().and_then(|l| read_telemetry(&l.telemetry()).ok());
    let samples = gpu_samples(&telemetry.map(Iterator::collect::<Vec<_>>).unwrap_or_default());
    let sheet = gatherer.finish(&mut |from, to| gpu_figures(&samples, from, to));
    if sheet.groups.is_empty() {
        return Err(CliError::not_comparable(format!("`{}` holds no measured requests", path.display())));
    }
    let mut notes = Vec::new();
    if reader.torn() > 0 {
        notes.push(format!(
            "{}: {} at the end was torn and left out",
            path.display(),
            plural(reader.torn(), "row")
        ));
    }
    if sheet.other_roles > 0 {
        let rows = plural(sheet.other_roles, "request");
        notes.push(format!("{}: {rows} of probes and confirmations are left out", path.display()));
    }
    Ok(Source { path, given: given.to_path_buf(), sheet, part: String::new(), foreign: None, notes })
}

/// Another tool's result with the rows that it keeps.
pub(super) fn of_foreign(given: &Path, sheet: Sheet, imported: Imported, notes: Vec<String>) -> Source {
    let path = given.to_path_buf();
    Source { given: path.clone(), path, sheet, part: String::new(), foreign: Some(imported), notes }
}

/// The run that a file of rows belongs to; a lone CSV belongs to none.
pub(super) fn layout_of(requests: &Path) -> Option<Layout> {
    let layout = Layout::new(requests.parent()?);
    (requests.file_name() == layout.requests().file_name() && layout.manifest().exists()).then_some(layout)
}

/// The text of a file that begins as no rows of ours do.
fn foreign_text(path: &Path) -> CliResult<Option<String>> {
    let error = |e: std::io::Error| CliError::usage(format!("cannot read `{}`", path.display())).because(e);
    let mut file = File::open(path).map_err(error)?;
    let mut head = [0_u8; 512];
    let mut have = 0;
    while have < head.len() {
        match file.read(&mut head[have..]).map_err(error)? {
            0 => break,
            n => have += n,
        }
    }
    if !looks_foreign(&String::from_utf8_lossy(&head[..have])) {
        return Ok(None);
    }
    std::fs::read_to_string(path).map(Some).map_err(error)
}

/// One source for each value of what is compared, in order of appearance.
pub(super) fn split(source: Source, by: By) -> Vec<Source> {
    let Source { path, given, sheet, notes, .. } = source;
    let mut parts: Vec<Source> = Vec::new();
    for group in sheet.groups {
        let part = match by {
            By::Engine => &group.config.engine,
            By::Variant => &group.config.variant,
            By::Model => &group.config.model,
            By::Workload => &group.workload,
        }
        .clone();
        let at = parts.iter().position(|p| p.part == part).unwrap_or_else(|| {
            parts.push(Source {
                path: path.clone(),
                given: given.clone(),
                sheet: Sheet::default(),
                part,
                foreign: None,
                notes: notes.clone(),
            });
            parts.len() - 1
        });
        parts[at].sheet.groups.push(group);
    }
    parts
}
