//! The computer as this crate sees it: programs to start, paths to look at, a few variables.
//!
//! A trait, because finding a compiler is a sequence of questions whose answers a test must be able to script. Must not
//! know which programs are started or why.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// What goes on, for people. Each is one line without a line end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A step of this crate begins.
    Step(String),
    /// A line a program wrote while it worked.
    Output(String),
}

/// One program start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// A path, or a name to be found in `PATH`.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Variables set on top of those inherited.
    pub env: Vec<(OsString, OsString)>,
    /// Where it runs; none: where the process is.
    pub dir: Option<PathBuf>,
    /// After this long it is killed; none: never.
    pub limit: Option<Duration>,
}

impl Call {
    /// A start of `program` without arguments.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), args: Vec::new(), env: Vec::new(), dir: None, limit: None }
    }

    /// Appends arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets one variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Sets the working directory.
    #[must_use]
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// Sets the time limit.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The command as a person would type it, variables left out.
    pub fn shown(&self) -> String {
        let mut text = self.program.display().to_string();
        for arg in &self.args {
            text.push(' ');
            text.push_str(&arg.to_string_lossy());
        }
        text
    }
}

/// What a program left behind. Text that is not UTF-8 is replaced.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Finished {
    /// Its exit code; none when a signal or the time limit ended it.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Finished {
    /// Exit code 0.
    pub fn ok(&self) -> bool {
        self.code == Some(0)
    }
}

/// Everything this crate may ask of the computer.
pub trait Machine {
    /// Starts a program and waits for it. Each line of its standard error goes to `line` as it comes.
    ///
    /// An error means that it could not be started; a failure of the program itself is in [`Finished::code`].
    fn run(&self, call: &Call, line: &mut dyn FnMut(&str)) -> io::Result<Finished>;

    /// Whether something is at `path`.
    fn exists(&self, path: &Path) -> bool;

    /// A variable of the user's environment.
    fn variable(&self, name: &str) -> Option<String>;
}

/// The real computer, with the variables the caller lets through.
#[derive(Debug, Clone, Default)]
pub struct Toolbox {
    variables: BTreeMap<String, String>,
}

impl Toolbox {
    /// `variables` are those of the user; `CARGO_HOME` and `HOME` are looked at. Programs inherit the process's own.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { variables: variables.into_iter().collect() }
    }
}

impl Machine for Toolbox {
    fn run(&self, call: &Call, line: &mut dyn FnMut(&str)) -> io::Result<Finished> {
        let mut command = Command::new(&call.program);
        command.args(&call.args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for (name, value) in &call.env {
            command.env(name, value);
        }
        if let Some(dir) = &call.dir {
            command.current_dir(dir);
        }
        let mut child = command.spawn()?;
        let (say, said) = mpsc::channel();
        if let Some(pipe) = child.stdout.take() {
            let say = say.clone();
            thread::spawn(move || read_all(pipe, &say));
        }
        if let Some(pipe) = child.stderr.take() {
            thread::spawn(move || read_lines(pipe, &say));
        } else {
            drop(say);
        }
        let started = Instant::now();
        let mut finished = Finished::default();
        loop {
            let wait = match call.limit {
                None => Duration::from_hours(1),
                Some(limit) => limit.saturating_sub(started.elapsed()),
            };
            match said.recv_timeout(wait) {
                Ok(Said::Line(text)) => {
                    line(&text);
                    finished.stderr.push_str(&text);
                    finished.stderr.push('\n');
                }
                Ok(Said::Whole(text)) => finished.stdout = text,
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) if call.limit.is_some() => {
                    child.kill()?;
                    child.wait()?;
                    return Ok(finished);
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
            }
        }
        finished.code = child.wait()?.code();
        Ok(finished)
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).filter(|v| !v.is_empty()).cloned()
    }
}

/// What the two readers report.
enum Said {
    /// A line of standard error.
    Line(String),
    /// All of standard output.
    Whole(String),
}

fn read_all(mut pipe: impl Read, say: &mpsc::Sender<Said>) {
    let mut bytes = Vec::new();
    // A pipe that breaks ends the text; the exit code tells whether that was a failure.
    let _ = pipe.read_to_end(&mut bytes);
    let _ = say.send(Said::Whole(String::from_utf8_lossy(&bytes).into_owned()));
}

fn read_lines(pipe: impl Read, say: &mpsc::Sender<Said>) {
    let mut pipe = BufReader::new(pipe);
    let mut bytes = Vec::new();
    while pipe.read_until(b'\n', &mut bytes).is_ok_and(|n| n > 0) {
        let text = String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned();
        if say.send(Said::Line(text)).is_err() {
            return;
        }
        bytes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_outputs_and_the_code_are_kept() {
        let call = Call::new("sh").args(["-c", "echo out; echo one >&2; echo two >&2; exit 3"]);
        let mut lines = Vec::new();
        let finished = Toolbox::default().run(&call, &mut |l| lines.push(l.to_owned())).unwrap();
        assert_eq!(finished.code, Some(3));
        assert_eq!(finished.stdout, "out\n");
        assert_eq!(lines, ["one", "two"]);
        assert!(!finished.ok());
    }

    #[test]
    fn a_program_that_never_ends_is_killed_at_its_limit() {
        let call = Call::new("sleep").args(["1000"]).limit(Duration::from_millis(30));
        let finished = Toolbox::default().run(&call, &mut |_| {}).unwrap();
        assert_eq!(finished.code, None);
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error() {
        let call = Call::new("benchhost-no-such-program");
        assert!(Toolbox::default().run(&call, &mut |_| {}).is_err());
    }

    #[test]
    fn only_variables_handed_in_are_seen() {
        let toolbox = Toolbox::new([("A".to_owned(), "1".to_owned()), ("EMPTY".to_owned(), String::new())]);
        assert_eq!(toolbox.variable("A").as_deref(), Some("1"));
        assert_eq!(toolbox.variable("EMPTY"), None);
        assert_eq!(toolbox.variable("PATH"), None);
    }
}
