//! `--simulate`: the simulator as a child process, one per engine. It tells its address on a pipe, and ends when its
//! standard input closes, so it cannot outlive this program.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};

use benchhost_simulator::Dialect;

use crate::error::{CliError, CliResult};

/// A running simulator; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Simulated {
    child: Child,
    stdin: Option<ChildStdin>,
    /// Where it listens.
    pub(crate) url: String,
}

impl Simulated {
    /// Starts one that speaks `dialect` and behaves as `wishes` say, in the words of `benchhost simulate`.
    pub(crate) fn start(dialect: Dialect, seed: u64, wishes: &[(String, String)]) -> CliResult<Self> {
        let own = [("dialect".to_owned(), dialect.to_string()), ("seed".to_owned(), seed.to_string())];
        let flags = own.iter().filter(|(key, _)| wishes.iter().all(|(wish, _)| wish != key)).chain(wishes);
        Self::spawn(flags.map(|(key, value)| format!("--{key}={value}")))
    }

    /// Starts one with these arguments of `benchhost simulate`.
    pub(crate) fn spawn(args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> CliResult<Self> {
        let error = |what: &str| CliError::setup(format!("the simulator did not start: {what}"));
        let program =
            std::env::current_exe().map_err(|e| error("this program cannot find itself").because(e))?;
        let mut child = Command::new(program)
            .args(["simulate", "--child", "--port", "0"])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // A terminal's Ctrl-C goes to the whole group; the simulator must go on answering while the run drains.
            .process_group(0)
            .spawn()
            .map_err(|e| error("it cannot be run").because(e))?;
        let stdin = child.stdin.take();
        let mut line = String::new();
        let stdout = child.stdout.take().ok_or_else(|| error("it has no output"))?;
        let read = BufReader::new(stdout).read_line(&mut line);
        let simulated = Self { child, stdin, url: line.trim().to_owned() };
        match read {
            Ok(n) if n > 0 && simulated.url.starts_with("http://") => Ok(simulated),
            _ => Err(error("it ended before it told its address")),
        }
    }

    /// The dialect an adapter of this name speaks, if the simulator knows it.
    pub(crate) fn dialect_for(adapter: &str) -> Option<Dialect> {
        adapter.parse().ok()
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _already_gone = self.child.kill();
        let _status = self.child.wait();
    }
}
