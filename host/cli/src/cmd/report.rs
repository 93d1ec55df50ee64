//! `benchhost report`: summary, tables and pictures from the files of a run alone; also the end of `run`.

use std::collections::BTreeSet;
use std::path::Path;

use benchhost_model::SummaryRow;
use benchhost_report::{Caption, TableStyle, pictures, render_png, summary_csv, summary_json, summary_table};

use crate::args::{Format, ReportArgs};
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::store::{Layout, Manifest, read_events, read_manifest, read_requests, read_telemetry, write_atomic};
use crate::summary::{Evidence, summarize};
use crate::ui::{Printer, plural};

/// `benchhost report DIR`.
pub(crate) fn run(args: &ReportArgs, printer: &Printer) -> CliResult<Exit> {
    report(&args.run, args.format, !args.no_plots, printer)?;
    Ok(Exit::Done)
}

/// Recomputes the summary, writes it, draws, and prints the table.
pub(crate) fn report(directory: &Path, format: Format, plots: bool, printer: &Printer) -> CliResult<()> {
    let layout = Layout::new(directory);
    let manifest = read_manifest(&layout)?;
    let rows = summary(&layout, &manifest, printer)?;
    if rows.is_empty() {
        printer.warning("no measured requests were recorded");
        return Ok(());
    }
    write_summary(&layout, &rows)?;
    if plots {
        draw(&layout, &manifest, &rows, printer)?;
    }
    let text = match format {
        Format::Table => summary_table(&rows, TableStyle::Plain) + "\n",
        Format::Markdown => summary_table(&rows, TableStyle::Markdown) + "\n",
        Format::Json => summary_json(&rows) + "\n",
        Format::Csv => summary_csv(&rows),
    };
    printer.result(&text)?;
    if manifest.ended == "interrupted" {
        printer.warning("this run was interrupted: its last load point is partial");
    }
    Ok(())
}

fn summary(layout: &Layout, manifest: &Manifest, printer: &Printer) -> CliResult<Vec<SummaryRow>> {
    let file = read_requests(layout.root())?;
    if file.torn > 0 {
        printer.warning(&format!("{} at the end of `requests.csv` was torn and is left out", plural(file.torn as u64, "row")));
    }
    let events = read_events(layout)?;
    let telemetry = read_telemetry(layout)?;
    Ok(summarize(&Evidence {
        records: &file.records,
        events: &events,
        telemetry: &telemetry,
        gpu_price_usd_per_hour: manifest.gpu_price_usd_per_hour,
    }))
}

fn write_summary(layout: &Layout, rows: &[SummaryRow]) -> CliResult<()> {
    write_atomic(&layout.summary_csv(), summary_csv(rows).as_bytes())?;
    write_atomic(&layout.summary_json(), summary_json(rows).as_bytes())?;
    for row in rows {
        let name = [&row.engine, &row.variant, &row.workload, &row.load.to_string(), &format!("repeat{}", row.repeat)]
            .iter()
            .filter(|part| !part.is_empty())
            .map(|part| file_word(part))
            .collect::<Vec<_>>()
            .join("-");
        write_atomic(&layout.points().join(format!("{name}.json")), summary_json(std::slice::from_ref(row)).as_bytes())?;
    }
    Ok(())
}

/// Letters, digits and `._` as they are, anything else as `_`: labels may hold slashes.
fn file_word(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') { c } else { '_' }).collect()
}

fn draw(layout: &Layout, manifest: &Manifest, rows: &[SummaryRow], printer: &Printer) -> CliResult<()> {
    let failed = |e: &dyn std::error::Error| CliError::internal("cannot draw the pictures").caused_by(e);
    for picture in pictures(rows, &caption(manifest)) {
        let png = render_png(&picture.svg, 2.0).map_err(|e| failed(&e))?;
        write_atomic(&layout.plots().join(format!("{}.svg", picture.name)), picture.svg.as_str().as_bytes())?;
        write_atomic(&layout.plots().join(format!("{}.png", picture.name)), &png)?;
        printer.detail(&format!("drew {}", layout.plots().join(picture.name).display()));
    }
    Ok(())
}

fn caption(manifest: &Manifest) -> Caption {
    let models: BTreeSet<&str> = manifest.engines.iter().map(|e| e.model.as_str()).filter(|m| !m.is_empty()).collect();
    let machine = match &manifest.gpus[..] {
        [] => manifest.host.get("cpu_model").and_then(|v| v.as_str()).unwrap_or("").to_owned(),
        [one] => one.clone(),
        [first, ..] => format!("{} × {first}", manifest.gpus.len()),
    };
    Caption {
        model: models.into_iter().collect::<Vec<_>>().join(", "),
        machine,
        ..Caption::default()
    }
}
