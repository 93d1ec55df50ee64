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
    let directory = finished.layout.root();
    let format = args.format.unwrap_or(Format::Table);
    let reported = report::report(directory, format, !args.no_plots, printer);
    if let Some(failure) = finished.failure {
        // The report of a run that broke off is a courtesy; what broke it is the news.
        return Err(failure.hint(format!("what was measured is in {}", directory.display())));
    }
    reported?;
    printer.status(&format!("\nresult: {}", directory.display()));
    Ok(if finished.interrupted {
        Exit::Interrupted
    } else if finished.completed == 0 {
        Exit::NothingCompleted
    } else {
        Exit::Done
    })
}
