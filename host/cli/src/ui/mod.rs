//! The only printing: results on stdout, the conversation on stderr. Nothing measured depends on it.

mod progress;
mod words;

use std::io::{self, IsTerminal, Write};
use std::sync::PoisonError;

use crate::error::{CliError, CliResult};

pub(crate) use progress::{Goal, Now, Progress};
pub(crate) use words::plural;

/// Decides what is printed, where, and in which colours.
#[derive(Debug, Clone)]
pub(crate) struct Printer {
    quiet: bool,
    verbose: u8,
    colour: bool,
    live: bool,
    /// What moves on the terminal right now.
    screen: progress::Screen,
}

impl Printer {
    /// From `-q` and `-v`; colours and moving lines only on a terminal and without `NO_COLOR`.
    pub(crate) fn new(quiet: bool, verbose: u8) -> Self {
        let terminal = io::stderr().is_terminal();
        Self {
            quiet,
            verbose,
            colour: terminal && !crate::env::no_color(),
            live: terminal && verbose == 0,
            screen: progress::Screen::default(),
        }
    }

    /// A result, on stdout. A reader that went away is no failure.
    #[expect(
        clippy::unused_self,
        reason = "all printing goes through the printer, so that it can be changed in one place"
    )]
    pub(crate) fn result(&self, text: &str) -> CliResult<()> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
                Err(CliError::internal("cannot write to standard output").because(e))
            }
            _ => Ok(()),
        }
    }

    /// What goes on, unless `-q`.
    pub(crate) fn status(&self, text: &str) {
        if !self.quiet {
            self.line("", text, "");
        }
    }

    /// More of it, with `-v`.
    pub(crate) fn detail(&self, text: &str) {
        if self.verbose > 0 && !self.quiet {
            self.line("", text, "");
        }
    }

    /// Something the user should know about the result; printed with `-q` too.
    pub(crate) fn warning(&self, text: &str) {
        self.line("warning: ", text, "\x1b[33m");
    }

    /// A command's failure.
    pub(crate) fn error(&self, error: &CliError) {
        self.line("error: ", &error.to_string(), "\x1b[31m");
        let mut last = "";
        for (kind, text) in error.details() {
            if kind == "hint" && last != "hint" {
                self.line("", "", "");
            }
            let text = text.replace('\n', "\n    ");
            if kind == "hint" {
                self.line("hint: ", &text, "\x1b[36m");
            } else {
                self.line("  caused by: ", &text, "");
            }
            last = kind;
        }
    }

    /// Shows how far one load point is; `now` is asked a few times a second, from a thread of its own.
    pub(crate) fn progress(
        &self,
        title: String,
        goal: Goal,
        now: impl Fn() -> Now + Send + 'static,
    ) -> Progress {
        Progress::new(title, goal, self.live.then(|| self.screen.clone()), self.quiet, now)
    }

    fn line(&self, head: &str, text: &str, colour: &str) {
        let write = || {
            let mut err = io::stderr().lock();
            // If stderr is gone there is nobody to tell.
            let _nobody = if self.colour && !colour.is_empty() {
                writeln!(err, "{colour}{head}\x1b[0m{text}")
            } else {
                writeln!(err, "{head}{text}")
            };
        };
        let moving = self.screen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match moving {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}
