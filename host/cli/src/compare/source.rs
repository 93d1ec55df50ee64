//! One result on the way into a comparison: our own rows, streamed, or a file of another tool. Opens files; judges nothing.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use benchhost_analysis::{EventTimes, Options};
use benchhost_compare::{Gatherer, Sheet};
use benchhost_interop::{Imported, looks_foreign};
use benchhost_model::Record;
use benchhost_store::{Layout, RequestsReader};

use super::foreign;
use crate::args::By;
use crate::error::{CliError, CliResult};
use crate::store::{EventBlock, Joined, Journal, read_manifest, read_telemetry};
use crate::summary::{gpu_figures, gpu_samples, objectives};
use crate::ui::plural;

/// A result.
#[derive(Debug)]
pub(super) struct Source {
    /// The files of rows; one for each run.
    pub(super) paths: Vec<PathBuf>,
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

    /// The first file of rows; the others were made under the same conditions.
    pub(super) fn path(&self) -> &Path {
        self.paths.first().unwrap_or(&self.given)
    }

    /// The last part of its path that says something.
    pub(super) fn name(&self) -> String {
        self.given.display().to_string()
    }
}

/// What a comparison needs of a result beyond its figures.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Needs {
    /// Output events, where they were kept.
    pub(super) events: bool,
    /// Names of items.
    pub(super) names: bool,
}

/// Reads the directory of a run, a directory of such directories, a `requests.csv` or a foreign result.
pub(super) fn read(given: &Path, needs: Needs) -> CliResult<Source> {
    if given.is_file()
        && let Some(text) = foreign_text(given)?
    {
        return foreign::source(given, &text);
    }
    let several = runs_below(given);
    if several.is_empty() {
        return one(given, needs);
    }
    let parts = several.iter().map(|run| one(run, needs)).collect::<CliResult<Vec<_>>>()?;
    together(given, parts)
}

/// One run.
fn one(given: &Path, needs: Needs) -> CliResult<Source> {
    let mut reader = RequestsReader::open(given)?;
    let path = reader.path().to_path_buf();
    let layout = layout_of(&path);
    let facts = layout.as_ref().and_then(|l| Journal::read(l).ok()).map(|j| j.points).unwrap_or_default();
    let price = layout.as_ref().and_then(|l| read_manifest(l).ok()).and_then(|m| m.gpu_price_usd_per_hour);
    let options = Options {
        objectives: layout.as_ref().map(objectives).unwrap_or_default(),
        gpu_price_usd_per_hour: price,
    };
    let gatherer = Gatherer::new(options, facts);
    let mut gatherer = if needs.names { gatherer.with_names() } else { gatherer };
    let mut notes = Vec::new();
    let torn = if let Some(layout) = layout.as_ref().filter(|_| needs.events) {
        let mut joined = Joined::open(layout)?;
        let mut rows = Rows::default();
        for pair in joined.by_ref() {
            let (record, block) = pair?;
            rows.push(&mut gatherer, &record, block.as_ref());
        }
        if joined.damage().any() {
            notes.push(format!("{}: the events of some requests are damaged and left out", given.display()));
        }
        joined.torn()
    } else {
        for record in reader.by_ref() {
            gatherer.push(&record?);
        }
        reader.torn()
    };
    let telemetry = layout.as_ref().and_then(|l| read_telemetry(&l.telemetry()).ok());
    let samples = gpu_samples(&telemetry.map(Iterator::collect::<Vec<_>>).unwrap_or_default());
    let sheet = gatherer.finish(&mut |from, to| gpu_figures(&samples, from, to));
    if sheet.groups.is_empty() {
        return Err(CliError::not_comparable(format!("`{}` holds no measured requests", path.display())));
    }
    if torn > 0 {
        let rows = plural(torn, "row");
        notes.push(format!("{}: {rows} at the end was torn and left out", path.display()));
    }
    if sheet.other_roles > 0 {
        let rows = plural(sheet.other_roles, "request");
        notes.push(format!("{}: {rows} of probes and confirmations are left out", path.display()));
    }
    let paths = vec![path];
    Ok(Source { paths, given: given.to_path_buf(), sheet, part: String::new(), foreign: None, notes })
}

/// Rows with their events on their way to the comparison; holds what one row needs.
#[derive(Debug, Default)]
struct Rows {
    censored: Vec<bool>,
}

impl Rows {
    fn push(&mut self, gatherer: &mut Gatherer, record: &Record, events: Option<&EventBlock>) {
        let Some(block) = events else { return gatherer.push(record) };
        self.censored.clear();
        self.censored.extend(block.sharing.iter().map(|s| s.is_doubtful()));
        let times = EventTimes { at: &block.gaps, tokens: &block.tokens, censored: &self.censored };
        gatherer.push_with_events(record, times);
    }
}

/// The runs in a directory that is none itself, by name; empty for anything else.
pub(super) fn runs_below(given: &Path) -> Vec<PathBuf> {
    if !given.is_dir() || Layout::new(given).requests().exists() {
        return Vec::new();
    }
    let Ok(entries) = std::fs::read_dir(given) else { return Vec::new() };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut runs: Vec<PathBuf> =
        paths.filter(|path| path.is_dir() && Layout::new(path).requests().exists()).collect();
    runs.sort();
    runs
}

/// Whether output events are there to be read: of every run of a directory. Another tool's file may hold its own.
pub(super) fn has_events(given: &Path) -> bool {
    let kept = |path: &Path| {
        let requests = if path.is_dir() { Layout::new(path).requests() } else { path.to_path_buf() };
        layout_of(&requests).is_some_and(|l| l.events().exists() || l.old_events().exists())
    };
    if given.is_file() && foreign_text(given).is_ok_and(|text| text.is_some()) {
        return true;
    }
    let several = runs_below(given);
    if several.is_empty() { kept(given) } else { several.iter().all(|run| kept(run)) }
}

/// Runs of one directory as one side.
fn together(given: &Path, parts: Vec<Source>) -> CliResult<Source> {
    let (mut paths, mut sheets, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    for part in parts {
        paths.extend(part.paths);
        sheets.push(part.sheet);
        notes.extend(part.notes);
    }
    if paths.len() > 1 {
        notes.insert(0, format!("{}: its {} runs are one side", given.display(), paths.len()));
    }
    let sheet = Sheet::together(sheets).map_err(|refusal| {
        let error = super::refused(refusal);
        error.because(format!("the side is all runs in `{}`", given.display()))
    })?;
    Ok(Source { paths, given: given.to_path_buf(), sheet, part: String::new(), foreign: None, notes })
}

/// Another tool's result with the rows that it keeps.
pub(super) fn of_foreign(given: &Path, sheet: Sheet, imported: Imported, notes: Vec<String>) -> Source {
    let path = given.to_path_buf();
    Source {
        given: path.clone(),
        paths: vec![path],
        sheet,
        part: String::new(),
        foreign: Some(imported),
        notes,
    }
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
    let Source { paths, given, mut sheet, notes, .. } = source;
    let mut parts: Vec<Source> = Vec::new();
    for group in std::mem::take(&mut sheet.groups) {
        let part = match by {
            By::Engine => &group.config.engine,
            By::Variant => &group.config.variant,
            By::Model => &group.config.model,
            By::Workload => &group.workload,
        }
        .clone();
        let at = parts.iter().position(|p| p.part == part).unwrap_or_else(|| {
            parts.push(Source {
                paths: paths.clone(),
                given: given.clone(),
                sheet: sheet.emptied(),
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
