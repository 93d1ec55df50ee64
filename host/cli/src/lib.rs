//! The command line of benchhost: plans, orchestration, the result store, comparison.
//!
//! This is the only crate that prints, reads the environment or decides an exit code. It wires the others together:
//! `plugin` builds and decodes, `load` sends, `http` stamps, `telemetry` samples, `stats` computes, `report` draws.
//! `host/ARCHITECTURE.md` has the map.

#![forbid(unsafe_code)]

pub mod exit;

mod args;
mod cmd;
mod compare;
mod env;
mod error;
mod gauges;
mod plan;
mod run;
mod store;
mod summary;
mod ui;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::exit::Exit;
use crate::ui::Printer;

/// Runs the command line `args` (the program's name first) and returns the exit code of [`exit::Exit`].
pub fn main_with(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, not mistakes; clap knows the stream each belongs to.
            let mistake = error.use_stderr();
            let _closed_pipe = error.print();
            return if mistake { Exit::Usage } else { Exit::Done }.into();
        }
    };
    let printer = Printer::new(cli.quiet, cli.verbose);
    let result = match cli.command {
        Command::Run(args) => cmd::run::run(&args, &printer),
        Command::Compare(args) => cmd::compare::run(&args, &printer),
        Command::Report(args) => cmd::report::run(&args, &printer),
        Command::Export(args) => cmd::export::run(&args, &printer),
        Command::Recover(args) => cmd::recover::run(&args, &printer),
        Command::Plan(args) => cmd::plan::run(args, &printer),
        Command::Plugin(args) => cmd::plugin::run(args, &printer),
        Command::Selfcheck(args) => cmd::selfcheck::run(&args, &printer),
        Command::Serve(args) => cmd::serve::run(&args, &printer),
        Command::Simulate(args) => cmd::simulate::run(*args, &printer),
        Command::Completions(args) => cmd::completions::run(&args, &printer),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            printer.error(&error);
            error.exit().into()
        }
    }
}
