//! `benchhost run`.

use crate::args::{Format, RunArgs};
use crate::cmd::report::{self, Told};
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::plan::Plan;
use crate::run::{Destination, Resumed, execute};
use crate::ui::Printer;

/// Measures, reports, and says where the files are.
pub(crate) fn run(args: &RunArgs, printer: &Printer) -> CliResult<Exit> {
    let look = report::Look::of(!args.no_plots, &args.color, args.throughput, None)?;
    let (plan, to) = planned(args)?;
    let screen = if args.tui { Some(printer.with_screen()?) } else { None };
    let printer = screen.as_ref().unwrap_or(printer);
    let finished = execute(&plan, to, printer)?;
    let directory = finished.layout.root();
    let format = args.format.unwrap_or(Format::Table);
    let reported = report::report(directory, format, &look, printer);
    if let Some(failure) = finished.failure {
        // The report of a run that broke off is a courtesy; what broke it is the news.
        return Err(failure.hint(format!("what was measured is in {}", directory.display())));
    }
    let told = reported?;
    let missed = told.missed(&plan.require.value);
    for sentence in &missed {
        printer.warning(sentence);
    }
    printer.status(&format!("\nresult: {}", directory.display()));
    if finished.layout.report().exists() {
        printer.status(&format!("page:   {}", finished.layout.report().display()));
    }
    // A search decides each rate by all before it, so there is no half of one to go on with.
    if finished.interrupted && plan.search.is_none() {
        printer.status(&format!("to go on: benchhost run --resume {}", directory.display()));
    }
    Ok(exit(&told, args.strict, finished.interrupted, finished.completed, !missed.is_empty()))
}

/// A new run, or the rest of an old one.
fn planned(args: &RunArgs) -> CliResult<(Plan, Destination<'_>)> {
    let Some(folder) = &args.resume else {
        return Ok((Plan::from_args(args)?, Destination::New(args.out.as_deref())));
    };
    if args.plan.is_some() || args.out.is_some() {
        return Err(CliError::usage(
            "`--resume` takes the plan and the directory of the run it goes on with",
        )
        .hint(format!("leave the plan and `--out` out: `benchhost run --resume {}`", folder.display())));
    }
    let args = RunArgs { plan: Some(folder.join("plan.toml")), ..args.clone() };
    let plan = Plan::from_args(&args)?;
    let resumed = Resumed::look(folder, &plan)?;
    Ok((plan, Destination::Resume(Box::new(resumed))))
}

/// What a script is told first: that there is too little, then that it is wrong, then that it is not good enough.
fn exit(told: &Told, strict: bool, interrupted: bool, completed: u64, missed: bool) -> Exit {
    if interrupted {
        Exit::Interrupted
    } else if completed == 0 {
        Exit::NothingCompleted
    } else if strict && told.invalid() {
        Exit::Invalid
    } else if missed {
        Exit::Regression
    } else {
        Exit::Done
    }
}
