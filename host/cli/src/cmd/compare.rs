//! `benchhost compare`.

use benchhost_report::{TableStyle, Word};

use crate::args::{CompareArgs, Format};
use crate::compare::compare;
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::ui::Printer;

/// Compares and prints; a regression is told by the exit code too.
pub(crate) fn run(args: &CompareArgs, printer: &Printer) -> CliResult<Exit> {
    let table = compare(args)?;
    let text = match args.format {
        Format::Table => table.to_text(TableStyle::Plain) + "\n",
        Format::Markdown => table.to_text(TableStyle::Markdown) + "\n",
        Format::Json => table.to_json() + "\n",
        Format::Csv => {
            return Err(CliError::usage("`compare` has no CSV form")
                .hint("use `--format json` or `--format markdown`"));
        }
    };
    printer.result(&text)?;
    let any = |word: Word| table.groups.iter().flat_map(|g| &g.rows).any(|r| r.verdict == word);
    let undecided = [Word::Unclear, Word::IndicativeBetter, Word::IndicativeWorse].into_iter().any(any);
    Ok(if table.groups.iter().flat_map(|g| &g.rows).any(|r| r.verdict == Word::Worse) {
        Exit::Regression
    } else if args.strict && undecided {
        Exit::Inconclusive
    } else {
        Exit::Done
    })
}
