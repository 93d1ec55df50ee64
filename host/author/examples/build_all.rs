//! Builds all first-party components, or those in the folders named as arguments; `--check` compares instead of writing.
//! The same as `benchhost plugin build`, for use before the program itself exists.
#![allow(clippy::print_stderr, clippy::disallowed_methods, reason = "a command-line tool by itself")]

use std::path::PathBuf;
use std::process::ExitCode;

use benchhost_author::build::{BuildRequest, build};
use benchhost_author::{Progress, Toolbox};

fn main() -> ExitCode {
    let (flags, crates): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|a| a.starts_with("--"));
    let request = BuildRequest {
        start: std::env::current_dir().unwrap_or_default(),
        crates: crates.into_iter().map(PathBuf::from).collect(),
        check: flags.iter().any(|f| f == "--check"),
        ..BuildRequest::default()
    };
    let mut say = |progress| match progress {
        Progress::Step(text) => eprintln!("{text}"),
        Progress::Output(text) => eprintln!("    {text}"),
    };
    match build(&request, &Toolbox::new(std::env::vars()), &mut say) {
        Ok(report) => {
            for verified in report.verified {
                eprintln!(
                    "{}: {} fixtures, same bytes: {}",
                    verified.label, verified.fixtures, verified.same_bytes
                );
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
