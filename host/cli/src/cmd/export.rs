//! `benchhost export`: a run in the form of another tool's files, from the rows alone. Rows are read and written one by one.

mod parquet;
mod part;

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;

use benchhost_analysis::Options;
use benchhost_interop::{Exporter, Form, Origin, openmetrics};
use benchhost_model::{LoadPoint, Phase, Record, SummaryRow};

use self::part::Part;
use super::report;
use crate::args::{ExportArgs, ExportForm};
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::store::{Joined, Journal, Layout, Manifest, read_manifest, read_telemetry};
use crate::summary::{Summing, objectives};
use crate::ui::{Printer, plural};

/// `benchhost export DIR --as FORM`.
pub(crate) fn run(args: &ExportArgs, printer: &Printer) -> CliResult<Exit> {
    fits(args)?;
    let layout = Layout::new(&args.run);
    let manifest = read_manifest(&layout)?;
    let written = match &args.out {
        None => written(args, &layout, &manifest, io::stdout(), printer),
        Some(path) => to_file(args, &layout, &manifest, path, printer),
    };
    match written {
        Ok(0) => {
            Err(CliError::usage(format!("no measured request of `{}` was exported", args.run.display()))
                .hint("`benchhost report` shows which load points and repeats there are"))
        }
        Ok(_) => Ok(Exit::Done),
        Err(Stopped::Told(error)) => Err(error),
        // A reader that went away is no failure.
        Err(Stopped::Write(e)) if args.out.is_none() && e.kind() == io::ErrorKind::BrokenPipe => {
            Ok(Exit::Done)
        }
        Err(Stopped::Write(e)) => {
            let place = args.out.as_ref().map_or("standard output".into(), |p| format!("`{}`", p.display()));
            Err(CliError::internal(format!("cannot write to {place}")).because(e))
        }
    }
}

/// Why an export ended early.
enum Stopped {
    Told(CliError),
    Write(io::Error),
}

impl<E: Into<CliError>> From<E> for Stopped {
    fn from(error: E) -> Self {
        Self::Told(error.into())
    }
}

/// Flags that belong to another form would be ignored in silence.
fn fits(args: &ExportArgs) -> CliResult<()> {
    let form_given = args.form();
    for (given, flag, form, name) in [
        (args.requests, "--requests", ExportForm::Aiperf, "aiperf"),
        (args.gaps, "--gaps", ExportForm::Jsonl, "jsonl"),
        (args.events.is_some(), "--events", ExportForm::Parquet, "parquet"),
    ] {
        if given && form_given != form {
            let why = format!("`{flag}` goes with `--as {name}` only");
            return Err(CliError::usage(why).hint(format!("leave `{flag}` out, or give `--as {name}`")));
        }
    }
    if form_given == ExportForm::Parquet && args.out.is_none() && io::stdout().is_terminal() {
        let error = CliError::usage("Parquet is not text, and standard output is a terminal");
        return Err(error.hint("give a file: `--out requests.parquet`"));
    }
    if args.events.is_some() && args.events == args.out {
        let error = CliError::usage("`--events` and `--out` name the same file");
        return Err(error.hint("requests and events are two tables; give each a file of its own"));
    }
    Ok(())
}

fn to_file(
    args: &ExportArgs,
    layout: &Layout,
    manifest: &Manifest,
    path: &Path,
    printer: &Printer,
) -> Result<u64, Stopped> {
    let (part, file) = Part::create(path)?;
    let rows = written(args, layout, manifest, file, printer);
    part.end(matches!(rows, Ok(n) if n > 0)).map_err(Stopped::Write)?;
    rows
}

/// Writes what was asked for; how many rows it was made of.
fn written(
    args: &ExportArgs,
    layout: &Layout,
    manifest: &Manifest,
    out: impl Write + Send,
    printer: &Printer,
) -> Result<u64, Stopped> {
    let out = BufWriter::with_capacity(256 * 1024, out);
    let exported_by = format!("benchhost {}", env!("CARGO_PKG_VERSION"));
    let origin = Origin { exported_by, started_unix_s: manifest.started_unix_s };
    let form = match args.form() {
        ExportForm::Parquet => return parquet::rows(args, layout, manifest, &origin, out, printer),
        ExportForm::Vllm => Form::Vllm,
        ExportForm::Aiperf if args.requests => Form::AiperfRequests,
        ExportForm::Aiperf => Form::Aiperf,
        ExportForm::Guidellm => Form::Guidellm,
        ExportForm::Jsonl => Form::Jsonl { gaps: args.gaps },
        ExportForm::Openmetrics => {
            let mut rows = summary(layout, manifest, printer)?;
            rows.retain(|r| wanted(args, r.load, r.repeat));
            if !rows.is_empty() {
                openmetrics(&rows, &origin, out).map_err(Stopped::Write)?;
            }
            return Ok(rows.len() as u64);
        }
    };
    rows_in(form, args, layout, origin, out, printer)
}

fn rows_in(
    form: Form,
    args: &ExportArgs,
    layout: &Layout,
    origin: Origin,
    out: impl Write,
    printer: &Printer,
) -> Result<u64, Stopped> {
    let mut joined = Joined::open(layout)?;
    let mut exporter = Exporter::new(form, origin, out).map_err(Stopped::Write)?;
    let all = matches!(form, Form::Jsonl { .. });
    let mut rows = 0_u64;
    for pair in joined.by_ref() {
        let (record, block): (Record, _) = pair?;
        if wanted(args, record.load, record.repeat) {
            // The first entry is the first event's own time.
            let gaps = block.as_ref().and_then(|b| b.gaps.get(1..));
            exporter.push(&record, gaps).map_err(Stopped::Write)?;
            // The other tools' forms have no warm-up and no drain.
            rows += u64::from(all || record.phase == Phase::Measured);
        }
    }
    report::warn_damaged(layout, &joined, printer)?;
    exporter.finish().map_err(Stopped::Write)?;
    printer.status(&format!("exported {}", plural(rows, "request")));
    Ok(rows)
}

/// Every figure from the rows alone, as `report` has them.
fn summary(layout: &Layout, manifest: &Manifest, printer: &Printer) -> CliResult<Vec<SummaryRow>> {
    let options =
        Options { objectives: objectives(layout), gpu_price_usd_per_hour: manifest.gpu_price_usd_per_hour };
    let mut summing = Summing::new(options, Journal::read(layout)?.points);
    let mut joined = Joined::open(layout)?;
    for pair in joined.by_ref() {
        let (record, block) = pair?;
        summing.push(&record, block.as_ref());
    }
    report::warn_damaged(layout, &joined, printer)?;
    let telemetry: Vec<_> = read_telemetry(&layout.telemetry())?.collect();
    Ok(summing.finish(&telemetry))
}

fn wanted(args: &ExportArgs, load: LoadPoint, repeat: u32) -> bool {
    args.load.is_none_or(|l| l.key() == load.key()) && args.repeat.is_none_or(|r| r == repeat)
}
