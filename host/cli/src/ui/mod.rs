//! The only printing: results on stdout, the conversation on stderr. Nothing measured depends on it.

mod full;
mod progress;

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::ProgressBar;

use crate::error::{CliError, CliResult};
use full::Stage;
use progress::Surface;

pub(crate) use benchhost_tui::Goal;
pub(crate) use benchhost_tui::words::plural;
pub(crate) use full::End;
pub(crate) use progress::{Now, Progress};

/// Decides what is printed, where, and in which colours.
#[derive(Debug, Clone)]
pub(crate) struct Printer {
    quiet: bool,
    verbose: u8,
    colour: bool,
    shows: Shows,
    /// What is on the terminal right now, the same for every clone.
    place: Arc<Mutex<Place>>,
}

/// How it is shown how far a load point is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shows {
    /// By a line now and then.
    Lines,
    /// By two moving rows.
    Rows,
    /// By the whole screen, for as long as a run is measured.
    Screen,
}

/// What is on the terminal, and where a line goes therefore.
#[derive(Debug, Default)]
enum Place {
    /// Nothing that moves.
    #[default]
    Plain,
    /// Two moving rows; lines go above them.
    Bar(ProgressBar),
    /// A whole screen; lines go into its log, and to stderr when it is left.
    Full(Arc<Stage>),
}

impl Printer {
    /// From `-q` and `-v`; colours and moving lines only on a terminal and without `NO_COLOR`.
    pub(crate) fn new(quiet: bool, verbose: u8) -> Self {
        let terminal = io::stderr().is_terminal();
        Self {
            quiet,
            verbose,
            colour: terminal && !crate::env::no_color(),
            shows: if terminal && verbose == 0 { Shows::Rows } else { Shows::Lines },
            place: Arc::default(),
        }
    }

    /// The printer of a run with `--tui`. Where there is no screen, lines do.
    pub(crate) fn with_screen(&self) -> CliResult<Self> {
        if self.quiet {
            return Err(CliError::usage("`--tui` and `--quiet` exclude one another")
                .hint("without both, a line tells how far the run is"));
        }
        let why = if !io::stderr().is_terminal() {
            Some("standard error is not a terminal")
        } else if crate::env::dumb_terminal() {
            Some("`TERM` says that the terminal cannot move its cursor")
        } else {
            None
        };
        let Some(why) = why else { return Ok(Self { shows: Shows::Screen, ..self.clone() }) };
        self.warning(&format!("no full screen: {why}; lines tell how far the run is"));
        Ok(Self { shows: Shows::Lines, ..self.clone() })
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
            self.line(Head::None, text);
        }
    }

    /// More of it, with `-v`.
    pub(crate) fn detail(&self, text: &str) {
        if self.verbose > 0 && !self.quiet {
            self.line(Head::None, text);
        }
    }

    /// Something the user should know about the result; printed with `-q` too.
    pub(crate) fn warning(&self, text: &str) {
        self.line(Head::Warning, text);
    }

    /// A command's failure.
    pub(crate) fn error(&self, error: &CliError) {
        self.line(Head::Error, &error.to_string());
        let mut last = "";
        for (kind, text) in error.details() {
            if kind == "hint" && last != "hint" {
                self.line(Head::None, "");
            }
            let text = text.replace('\n', "\n    ");
            self.line(if kind == "hint" { Head::Hint } else { Head::Cause }, &text);
            last = kind;
        }
    }

    /// How many load points the run will have; `None` where each depends on those before.
    pub(crate) fn expect_points(&self, total: Option<usize>) {
        if let Place::Full(stage) = &*lock(&self.place) {
            stage.expect_points(total);
        }
    }

    /// Shows how far one load point is; `now` is asked a few times a second, from a thread of its own.
    pub(crate) fn progress(
        &self,
        title: String,
        goal: Goal,
        now: impl Fn() -> Now + Send + 'static,
    ) -> Progress {
        let surface = match &*lock(&self.place) {
            Place::Full(stage) => Surface::Stage(Arc::clone(stage)),
            _ if self.quiet => Surface::Nothing,
            _ if self.shows == Shows::Rows => Surface::Bar(Arc::clone(&self.place)),
            _ => Surface::Lines,
        };
        Progress::new(title, goal, surface, self.clone(), Box::new(now))
    }

    fn line(&self, head: Head, text: &str) {
        // Servers and files have a say in what is printed; a terminal must not act on it.
        let text = text.replace(|c: char| c.is_control() && !matches!(c, '\n' | '\t'), " ");
        let line = Line { head, text };
        // Held until the line is said: whoever leaves the screen says the lines of its log after that.
        match &*lock(&self.place) {
            Place::Full(stage) if benchhost_tui::is_up() => stage.say(line),
            Place::Full(stage) => {
                // A panic left the screen; the run goes on.
                stage.take_lines().iter().for_each(|earlier| earlier.print(self.colour));
                line.print(self.colour);
            }
            Place::Bar(bar) => bar.suspend(|| line.print(self.colour)),
            Place::Plain => line.print(self.colour),
        }
    }
}

/// What a line begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Head {
    None,
    Warning,
    Error,
    Hint,
    Cause,
}

impl Head {
    const fn words(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Warning => "warning: ",
            Self::Error => "error: ",
            Self::Hint => "hint: ",
            Self::Cause => "  caused by: ",
        }
    }

    const fn colour(self) -> &'static str {
        match self {
            Self::Warning => "\x1b[33m",
            Self::Error => "\x1b[31m",
            Self::Hint => "\x1b[36m",
            Self::None | Self::Cause => "",
        }
    }
}

/// A line of the conversation.
#[derive(Debug)]
struct Line {
    head: Head,
    text: String,
}

impl Line {
    const fn plain(text: String) -> Self {
        Self { head: Head::None, text }
    }

    fn print(&self, colour: bool) {
        let (head, tint) = (self.head.words(), self.head.colour());
        let mut err = io::stderr().lock();
        // If stderr is gone there is nobody to tell.
        let _nobody = if colour && !tint.is_empty() {
            writeln!(err, "{tint}{head}\x1b[0m{}", self.text)
        } else {
            writeln!(err, "{head}{}", self.text)
        };
    }
}

/// A panic elsewhere leaves nothing half-written behind these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
