//! `benchhost compare`.

use benchhost_report::{ComparisonTable, RankTable, TableStyle};

use crate::args::{CompareArgs, ComparisonFormat};
use crate::compare::{Outcome, compared, history, save};
use crate::error::CliResult;
use crate::exit::Exit;
use crate::ui::Printer;

/// Compares and prints; a regression is told by the exit code too.
pub(crate) fn run(args: &CompareArgs, printer: &Printer) -> CliResult<Exit> {
    if let Some(directory) = &args.history {
        let table = history(directory)?;
        let text = match args.format {
            ComparisonFormat::Table => table.to_text(TableStyle::Plain) + "\n",
            ComparisonFormat::Markdown | ComparisonFormat::Github => {
                table.to_text(TableStyle::Markdown) + "\n"
            }
            ComparisonFormat::Json => table.to_json(),
        };
        printer.result(&text)?;
        return Ok(Exit::Done);
    }
    let mut outcome = compared(args)?;
    let exit = exit(&outcome, args.strict);
    for table in &mut outcome.tables {
        table.exit_code = exit.code();
    }
    let json = args.out.is_some().then(|| text(&outcome, ComparisonFormat::Json));
    if args.details || args.format != ComparisonFormat::Table {
        printer.result(&text(&outcome, args.format))?;
    } else {
        // Details that were made for the files alone.
        let mut brief = outcome.clone();
        brief.tables.iter_mut().flat_map(|t| &mut t.groups).for_each(|g| g.detail = None);
        printer.result(&text(&brief, args.format))?;
    }
    if let (Some(directory), Some(json)) = (&args.out, json) {
        save(&outcome, &json, directory, printer)?;
    }
    Ok(exit)
}

/// The figures of an INVALID run show the program rather than the server, so under `--strict` that comes before all.
const fn exit(outcome: &Outcome, strict: bool) -> Exit {
    if strict && outcome.invalid {
        Exit::Invalid
    } else if outcome.regressed {
        Exit::Regression
    } else if strict && outcome.open {
        Exit::Inconclusive
    } else {
        Exit::Done
    }
}

fn text(outcome: &Outcome, format: ComparisonFormat) -> String {
    let style = match format {
        ComparisonFormat::Table => TableStyle::Plain,
        ComparisonFormat::Markdown | ComparisonFormat::Github => TableStyle::Markdown,
        ComparisonFormat::Json => {
            return match &outcome.tables[..] {
                [one] if outcome.rankings.is_empty() => one.to_json(),
                several => ComparisonTable::several_to_json(several, &outcome.rankings),
            };
        }
    };
    let mut blocks = Vec::new();
    if !outcome.rankings.is_empty() {
        blocks.push(RankTable::to_text(&outcome.rankings, style));
    }
    blocks.extend(outcome.tables.iter().map(|table| match format {
        ComparisonFormat::Github => table.to_github(),
        _ => table.to_text(style),
    }));
    blocks.join("\n\n") + "\n"
}
