//! `benchhost plan show|check`.

use crate::args::{PlanArgs, PlanCommand};
use crate::error::CliResult;
use crate::exit::Exit;
use crate::plan::{Plan, show};
use crate::ui::Printer;

/// Resolves the plan as `run` would, and stops there.
pub(crate) fn run(args: PlanArgs, printer: &Printer) -> CliResult<Exit> {
    match args.command {
        PlanCommand::Show(args) => printer.result(&show(&Plan::from_args(&args)?))?,
        PlanCommand::Check(args) => {
            Plan::from_args(&args)?;
            printer.result("the plan is sound\n")?;
        }
    }
    Ok(Exit::Done)
}
