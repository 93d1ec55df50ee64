//! `benchhost report`: summary, tables and pictures from the files of a run alone; also the end of `run`. The table comes
//! first: nothing that fails after it can take it away.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use benchhost_analysis::Options;
use benchhost_model::{SummaryRow, Verdict};
use benchhost_report::{
    Caption, TableStyle, pictures, render_png, summary_csv, summary_json, summary_table, timeline,
};

use super::gates::{self, Drift};
use crate::args::{Format, ReportArgs};
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::gauges;
use crate::plan::Requirement;
use crate::run::read_found;
use crate::store::{
    Completion, Joined, Journal, Layout, Manifest, read_manifest, read_telemetry, write_atomic,
};
use crate::summary::{Summing, objectives};
use crate::ui::{Printer, plural};

/// `benchhost report DIR`.
pub(crate) fn run(args: &ReportArgs, printer: &Printer) -> CliResult<Exit> {
    report(&args.run, args.format, !args.no_plots, printer)?;
    Ok(Exit::Done)
}

/// Recomputes the summary, prints the table, then writes and draws. Files that cannot be written are a warning: the
/// rows they are made from are there.
pub(crate) fn report(directory: &Path, format: Format, plots: bool, printer: &Printer) -> CliResult<Told> {
    let layout = Layout::new(directory);
    let manifest = read_manifest(&layout)?;
    if let Some(warning) = unended(&manifest.ended) {
        printer.warning(&warning);
    }
    let mut rows = summary(&layout, &manifest, printer)?;
    if rows.is_empty() {
        printer.warning("no measured requests were recorded");
        return Ok(Told { rows, drifts: Vec::new() });
    }
    in_order(&mut rows, &manifest);
    let text = match format {
        Format::Table => summary_table(&rows, TableStyle::Plain) + "\n",
        Format::Markdown => summary_table(&rows, TableStyle::Markdown) + "\n",
        Format::Json => summary_json(&rows) + "\n",
        Format::Csv => summary_csv(&rows),
    };
    printer.result(&text)?;
    let found = read_found(&layout)?;
    if matches!(format, Format::Table | Format::Markdown) {
        found.iter().try_for_each(|f| printer.result(&(f.sentence() + "\n")))?;
    }
    let drifts = gates::drifts(&rows);
    for drift in &drifts {
        printer.warning(&drift.sentence());
    }
    warn_unsaved(save_summary(&layout, &rows), printer);
    if plots {
        let drawn = draw(&layout, &manifest, &rows)?;
        warn_unsaved(save_pictures(&layout, &drawn, printer), printer);
    }
    Ok(Told { rows, drifts })
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
fn summary(layout: &Layout, manifest: &Manifest, printer: &Printer) -> CliResult<Vec<SummaryRow>> {
    let options =
        Options { objectives: objectives(layout), gpu_price_usd_per_hour: manifest.gpu_price_usd_per_hour };
    let mut summing = Summing::new(options, Journal::read(layout)?.points);
    let mut joined = Joined::open(layout)?;
    for pair in joined.by_ref() {
        let (record, block) = pair?;
        summing.push(&record, block.as_ref());
    }
    let telemetry: Vec<_> = read_telemetry(&layout.telemetry())?.collect();
    warn_damaged(layout, &joined, printer)?;
    Ok(summing.finish(&telemetry))
}

/// Says what was left out, after everything was read.
fn warn_damaged(layout: &Layout, joined: &Joined, printer: &Printer) -> CliResult<()> {
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

/// A picture ready to be written.
struct Drawn {
    name: String,
    svg: String,
    png: Vec<u8>,
}

fn save_summary(layout: &Layout, rows: &[SummaryRow]) -> CliResult<()> {
    write_atomic(&layout.summary_csv(), summary_csv(rows).as_bytes())?;
    write_atomic(&layout.summary_json(), summary_json(rows).as_bytes())?;
    for (row, name) in rows.iter().zip(point_names(rows)) {
        write_atomic(
            &layout.points().join(format!("{name}.json")),
            summary_json(std::slice::from_ref(row)).as_bytes(),
        )?;
    }
    Ok(())
}

fn save_pictures(layout: &Layout, drawn: &[Drawn], printer: &Printer) -> CliResult<()> {
    for picture in drawn {
        write_atomic(&layout.plots().join(format!("{}.svg", picture.name)), picture.svg.as_bytes())?;
        write_atomic(&layout.plots().join(format!("{}.png", picture.name)), &picture.png)?;
        printer.detail(&format!("drew {}", layout.plots().join(&picture.name).display()));
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

fn draw(layout: &Layout, manifest: &Manifest, rows: &[SummaryRow]) -> CliResult<Vec<Drawn>> {
    let failed = |e: &dyn std::error::Error| CliError::internal("cannot draw the pictures").caused_by(e);
    let caption = caption(manifest);
    let telemetry: Vec<_> = read_telemetry(&layout.telemetry())?.collect();
    pictures(rows, &caption)
        .into_iter()
        .chain(timeline(&gauges::timeline(rows, &telemetry), &caption))
        .map(|picture| {
            let png = render_png(&picture.svg, 2.0).map_err(|e| failed(&e))?;
            Ok(Drawn { svg: picture.svg.as_str().to_owned(), name: picture.name, png })
        })
        .collect()
}

fn caption(manifest: &Manifest) -> Caption {
    let models: BTreeSet<&str> =
        manifest.engines.iter().map(|e| e.model.as_str()).filter(|m| !m.is_empty()).collect();
    let machine = match &manifest.gpus[..] {
        [] => manifest.host.get("cpu_model").and_then(|v| v.as_str()).unwrap_or("").to_owned(),
        [one] => one.clone(),
        [first, ..] => format!("{} × {first}", manifest.gpus.len()),
    };
    Caption { model: models.into_iter().collect::<Vec<_>>().join(", "), machine, ..Caption::default() }
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
