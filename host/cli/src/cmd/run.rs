//! `benchhost run`.

use crate::args::{Format, RunArgs};
use crate::cmd::report;
use crate::error::CliResult;
use crate::exit::Exit;
use crate::plan::Plan;
use crate::run::execute;
use crate::ui::Printer;

/// Measures, reports, and says where the files are.
pub(crate) fn run(args: &RunArgs, printer: &Printer) -> CliResult<Exit> {
    let plan = Plan::from_args(args)?;
    let finished = execute(&plan, args.out.as_deref(), printer)?;
    let format = args.format.unwrap_or(Format::Table);
    report::report(finished.layout.root(), format, !args.no_plots, printer)?;
    printer.status(&format!("\nresult: {}", finished.layout.root().display()));
    Ok(if finished.interrupted {
        Exit::Interrupted
    } else if finished.completed == 0 {
        Exit::NothingCompleted
    } else {
        Exit::Done
    })
}
