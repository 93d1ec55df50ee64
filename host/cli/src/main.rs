//! The program. All logic is in the library, so that tests can reach it.

use std::process::ExitCode;

fn main() -> ExitCode {
    benchhost::main_with(std::env::args_os())
}
