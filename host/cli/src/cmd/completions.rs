//! `benchhost completions SHELL`.

use clap::CommandFactory;

use crate::args::{Cli, CompletionsArgs};
use crate::error::CliResult;
use crate::exit::Exit;
use crate::ui::Printer;

/// Prints the script.
pub(crate) fn run(args: &CompletionsArgs, printer: &Printer) -> CliResult<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "benchhost", &mut script);
    printer.result(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
