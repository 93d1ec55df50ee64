//! `benchhost report`: summary, tables, pictures and page from the files of runs alone; also the end of `run`. The table comes
//! first: nothing that fails after it can take it away.

mod colours;
mod detail;
mod html;
mod look;
mod plots;
mod scored;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use benchhost_analysis::{Options, findings};
use benchhost_model::{SummaryRow, Verdict};
use benchhost_report::{TableStyle, Timeline, findings_json, summary_csv, summary_json, summary_table};

use super::gates::{self, Drift};
use crate::args::{Format, ReportArgs};
use crate::error::CliResult;
use crate::exit::Exit;
use crate::gauges;
use crate::plan::Requirement;
use crate::run::read_found;
use crate::store::{
    Completion, Joined, Journal, Layout, Manifest, read_manifest, read_telemetry, write_atomic,
};
use crate::summary::{Summing, objectives};
use crate::ui::{Printer, plural};
use detail::Detail;
pub(crate) use look::Look;

/// `benchhost report DIR…`.
pub(crate) fn run(args: &ReportArgs, printer: &Printer) -> CliResult<Exit> {
    let look = Look::of(!args.no_plots, &args.color, args.throughput, args.out.clone())?;
    match args.runs.as_slice() {
        [one] => report(one, args.format, &look, printer).map(drop)?,
        several => together(several, args.format, &look, printer)?,
    }
    Ok(Exit::Done)
}

/// One run, read.
struct Read {
    layout: Layout,
    manifest: Manifest,
    rows: Vec<SummaryRow>,
    timeline: Timeline,
    warnings: Vec<String>,
}

fn read(directory: &Path, detail: &mut Detail, printer: &Printer) -> CliResult<Read> {
    let layout = Layout::new(directory);
    let manifest = read_manifest(&layout)?;
    let warnings: Vec<String> = unended(&manifest.ended).into_iter().collect();
    for warning in &warnings {
        printer.warning(warning);
    }
    let mut rows = summary(&layout, &manifest, detail, printer)?;
    in_order(&mut rows, &manifest);
    let telemetry: Vec<_> = read_telemetry(&layout.telemetry())?.collect();
    let timeline = gauges::timeline(&rows, &telemetry);
    Ok(Read { layout, manifest, rows, timeline, warnings })
}

fn print(rows: &[SummaryRow], format: Format, printer: &Printer) -> CliResult<()> {
    printer.result(&match format {
        Format::Table => summary_table(rows, TableStyle::Plain) + "\n",
        Format::Markdown => summary_table(rows, TableStyle::Markdown) + "\n",
        Format::Json => summary_json(rows) + "\n",
        Format::Csv => summary_csv(rows),
    })
}

/// Recomputes the summary, prints the table, then writes and draws. Files that cannot be written are a warning: the
/// rows they are made from are there.
pub(crate) fn report(directory: &Path, format: Format, look: &Look, printer: &Printer) -> CliResult<Told> {
    let mut detail = Detail::default();
    let read = read(directory, &mut detail, printer)?;
    if read.rows.is_empty() {
        printer.warning("no measured requests were recorded");
        return Ok(Told { rows: read.rows, drifts: Vec::new() });
    }
    look.warn_unknown(&read.rows, printer);
    print(&read.rows, format, printer)?;
    let found = read_found(&read.layout)?;
    if matches!(format, Format::Table | Format::Markdown) {
        found.iter().try_for_each(|f| printer.result(&(f.sentence() + "\n")))?;
    }
    let drifts = gates::drifts(&read.rows);
    for drift in &drifts {
        printer.warning(&drift.sentence());
    }
    warn_unsaved(save_summary(&read.layout, &read.rows), printer);
    let details = detail.finish();
    let page = look.out.clone().unwrap_or_else(|| read.layout.report());
    let runs = std::slice::from_ref(&read);
    let made = plots::figures(runs, &read.rows, &details, look);
    warn_unsaved(html::write(&page, runs, &read.rows, &details, (&made.pictures, look), printer), printer);
    if look.plots {
        warn_unsaved(plots::save(&read.layout.plots(), &made, printer), printer);
    }
    Ok(Told { rows: read.rows, drifts })
}

/// Several runs as one: their table, their page, and the pictures beside it. The runs' own files stay as they are.
fn together(directories: &[PathBuf], format: Format, look: &Look, printer: &Printer) -> CliResult<()> {
    let mut detail = Detail::default();
    let runs = directories.iter().map(|d| read(d, &mut detail, printer)).collect::<CliResult<Vec<_>>>()?;
    let rows: Vec<SummaryRow> = runs.iter().flat_map(|r| r.rows.iter().cloned()).collect();
    if rows.is_empty() {
        printer.warning("no measured requests were recorded");
        return Ok(());
    }
    print(&rows, format, printer)?;
    look.warn_unknown(&rows, printer);
    let details = detail.finish();
    let made = plots::figures(&runs, &rows, &details, look);
    let page = look.out.clone().unwrap_or_else(|| PathBuf::from("report.html"));
    html::write(&page, &runs, &rows, &details, (&made.pictures, look), printer)?;
    if look.plots {
        let beside = page.parent().map_or_else(|| PathBuf::from("plots"), |folder| folder.join("plots"));
        warn_unsaved(plots::save(&beside, &made, printer), printer);
        printer.status(&format!("plots:  {}", beside.display()));
    }
    printer.status(&format!("report: {}", page.display()));
    Ok(())
}

/// What a report said.
pub(crate) struct Told {
    rows: Vec<SummaryRow>,
    drifts: Vec<Drift>,
}

impl Told {
    /// A sentence for each requirement that is missed.
    pub(crate) fn missed(&self, requirements: &[Requirement]) -> Vec<String> {
        gates::missed(&self.rows, requirements)
    }

    /// Some figure shows this program, the machine it ran on, or drift, rather than the server.
    pub(crate) fn invalid(&self) -> bool {
        self.rows.iter().any(|r| r.verdict == Some(Verdict::Invalid))
            || self.drifts.iter().any(|d| d.verdict == Verdict::Invalid)
    }
}

/// Points are measured in random order; they are told in the plan's order of engines and workloads and by rising load.
fn in_order(rows: &mut [SummaryRow], manifest: &Manifest) {
    let place = |row: &SummaryRow| {
        let engines = manifest.engines.iter();
        let engine =
            engines.map(|e| (&e.plugin.name, &e.variant)).position(|e| e == (&row.engine, &row.variant));
        let workload = manifest.workloads.iter().position(|w| w.label == row.workload);
        (engine, workload, row.load.kind())
    };
    rows.sort_by(|a, b| {
        let by_load = || a.load.value().total_cmp(&b.load.value());
        place(a).cmp(&place(b)).then_with(by_load).then(a.repeat.cmp(&b.repeat))
    });
}

fn warn_unsaved(saved: CliResult<()>, printer: &Printer) {
    if let Err(error) = saved {
        let causes: Vec<&str> = error.details().map(|(_, text)| text).collect();
        printer.warning(&format!("{error}: {}", causes.join(": ")));
    }
}

/// What a reader must know of a run that did not end by itself.
fn unended(ended: &str) -> Option<String> {
    let why = match ended {
        "complete" => return None,
        "" => "this run has not ended: it is still running, or it was killed",
        "interrupted" => "this run was interrupted",
        "failed" => "this run failed before its end",
        "recovered" => "this run was killed and then recovered",
        other => return Some(format!("this run ended as `{other}`: its last load point may be partial")),
    };
    Some(format!("{why}; its last load point may be partial"))
}

/// Every figure from the rows alone, and what of the files does not read or is not as it was left.
fn summary(
    layout: &Layout,
    manifest: &Manifest,
    detail: &mut Detail,
    printer: &Printer,
) -> CliResult<Vec<SummaryRow>> {
    let options =
        Options { objectives: objectives(layout), gpu_price_usd_per_hour: manifest.gpu_price_usd_per_hour };
    let mut summing = Summing::new(options, Journal::read(layout)?.points);
    let mut joined = Joined::open(layout)?;
    for pair in joined.by_ref() {
        let (record, block) = pair?;
        detail.push(&record);
        summing.push(&record, block.as_ref());
    }
    let telemetry: Vec<_> = read_telemetry(&layout.telemetry())?.collect();
    warn_damaged(layout, &joined, printer)?;
    Ok(summing.finish(&telemetry))
}

/// Says what was left out, after everything was read.
pub(super) fn warn_damaged(layout: &Layout, joined: &Joined, printer: &Printer) -> CliResult<()> {
    if joined.torn() > 0 {
        let rows = plural(joined.torn(), "row");
        printer.warning(&format!("{rows} at the end of `requests.csv` was torn and is left out"));
    }
    let damage = joined.damage();
    if damage.any() {
        printer.warning(&format!(
            "the events of some requests are left out: {} damaged, {} torn at the end, {} after a damaged length",
            plural(damage.blocks, "block"),
            plural(damage.torn_bytes, "byte"),
            plural(damage.lost_bytes, "byte"),
        ));
    }
    let (rows, blocks) = joined.read();
    if let Some(completion) = Completion::read(layout)? {
        for mismatch in completion.check(layout, rows, blocks) {
            printer.warning(&mismatch.to_string());
        }
    }
    Ok(())
}

fn save_summary(layout: &Layout, rows: &[SummaryRow]) -> CliResult<()> {
    write_atomic(&layout.summary_csv(), summary_csv(rows).as_bytes())?;
    write_atomic(&layout.summary_json(), summary_json(rows).as_bytes())?;
    write_atomic(&layout.findings(), findings_json(&findings(rows)).as_bytes())?;
    for (row, name) in rows.iter().zip(point_names(rows)) {
        write_atomic(
            &layout.points().join(format!("{name}.json")),
            summary_json(std::slice::from_ref(row)).as_bytes(),
        )?;
    }
    Ok(())
}

/// A file name for each row, all different, the same at every report: `vllm-fp8-synthetic-concurrency_8-repeat1`. Where
/// labels differ only in what a file name cannot hold, the later ones get a number.
fn point_names(rows: &[SummaryRow]) -> Vec<String> {
    let mut taken = HashSet::new();
    rows.iter()
        .map(|row| {
            let parts = [
                &row.engine,
                &row.variant,
                &row.workload,
                &row.load.to_string(),
                &format!("repeat{}", row.repeat),
                &row.role,
            ];
            let words: Vec<String> = parts.iter().filter(|p| !p.is_empty()).map(|p| file_word(p)).collect();
            let name = words.join("-");
            // Some file systems take capitals and small letters for the same.
            let fresh = |name: &String| !taken.contains(&name.to_lowercase());
            let numbered = (2_u32..).map(|n| format!("{name}-{n}"));
            let name = std::iter::once(name.clone()).chain(numbered).find(fresh).unwrap_or(name);
            taken.insert(name.to_lowercase());
            name
        })
        .collect()
}

/// Letters, digits and `._` as they are, anything else as `_`: labels may hold slashes. At most 40 characters, so that a
/// name made of five stays below the 255 that file systems take.
fn file_word(text: &str) -> String {
    let kept =
        text.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') { c } else { '_' });
    kept.take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_differ_only_in_odd_letters_have_files_of_their_own() {
        let row = |variant: &str, repeat| {
            let record = benchhost_model::Record {
                engine: "vllm".into(),
                variant: variant.into(),
                workload: "w".into(),
                repeat,
                ..benchhost_model::Record::blank()
            };
            let mut summing = Summing::new(Options::default(), Vec::new());
            summing.push(&record, None);
            summing.finish(&[]).remove(0)
        };
        let long = "x".repeat(300);
        let rows = [row("a/b", 1), row("a_b", 1), row("A_b", 1), row("a_b", 2), row(&long, 1)];
        let names = point_names(&rows);
        assert_eq!(names[0], "vllm-a_b-w-concurrency_1-repeat1");
        assert_eq!(names[1], "vllm-a_b-w-concurrency_1-repeat1-2");
        let different: HashSet<String> = names.iter().map(|n| n.to_lowercase()).collect();
        assert_eq!(different.len(), rows.len());
        assert!(names.iter().all(|n| n.len() < 200));
        assert_eq!(names, point_names(&rows), "the same at every report");
    }

    #[test]
    fn every_end_but_a_complete_one_is_told() {
        assert_eq!(unended("complete"), None);
        for (ended, words) in [
            ("", "still running, or it was killed"),
            ("failed", "failed"),
            ("recovered", "recovered"),
            ("interrupted", "interrupted"),
            ("x", "`x`"),
        ] {
            assert!(unended(ended).is_some_and(|w| w.contains(words)), "{ended}");
        }
    }
}
