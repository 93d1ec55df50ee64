//! Runs the program as a user would, in a folder of its own.

#![allow(dead_code, unreachable_pub, reason = "each test file is a crate of its own and uses its part")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A scratch folder and the program.
pub struct Bench {
    pub dir: tempfile::TempDir,
}

/// What the program said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Bench {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a scratch folder") }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The program in the scratch folder, with a compile cache shared by all tests and no variables of the user's. A run
    /// skips its selfcheck, which is tested by itself and takes seconds.
    pub fn command(&self, args: &[&str]) -> Command {
        match args {
            ["run", rest @ ..] => self.plain(&[&["run", "--no-selfcheck"], rest].concat()),
            _ => self.plain(args),
        }
    }

    /// As [`Bench::command`], with the selfcheck.
    pub fn plain(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_benchhost"));
        command.args(args).current_dir(self.dir.path());
        for variable in
            ["OPENAI_API_KEY", "VLLM_API_KEY", "FRIENDLI_TOKEN", "NO_COLOR", "BENCHHOST_PLUGIN_PATH"]
        {
            command.env_remove(variable);
        }
        command.env("BENCHHOST_CACHE_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
        command
    }

    /// The simulator on a free port, until it is dropped.
    pub fn simulator(&self, dialect: &str, extra: &[&str]) -> Simulator {
        let mut args = vec!["simulate", "--child", "--dialect", dialect, "--port", "0"];
        args.extend(extra);
        let mut child = self
            .command(&args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the simulator starts");
        let mut url = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut url).expect("an address");
        Simulator { child, url: url.trim().to_owned() }
    }

    pub fn run(&self, args: &[&str]) -> Said {
        Said::from(self.command(args).output().expect("the program starts"))
    }

    /// Runs and demands success.
    pub fn ok(&self, args: &[&str]) -> Said {
        let said = self.run(args);
        assert_eq!(said.code, 0, "{args:?}\n{}\n{}", said.out, said.err);
        said
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).expect("a file in the scratch folder");
        path
    }

    /// The rows of `requests.csv` in a run's folder, by column name.
    pub fn rows(&self, run: &str) -> Vec<BTreeMap<String, String>> {
        rows(&self.path(run).join("requests.csv"))
    }

    /// Rows that count.
    pub fn measured(&self, run: &str) -> Vec<BTreeMap<String, String>> {
        self.rows(run).into_iter().filter(|r| r["phase"] == "measured").collect()
    }
}

/// A simulator of the test's own; killed when dropped.
pub struct Simulator {
    child: Child,
    pub url: String,
}

impl Drop for Simulator {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A CSV file by column name.
pub fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).expect("a CSV file");
    let headers = reader.headers().expect("a header").clone();
    reader
        .records()
        .map(|row| {
            let row = row.expect("a whole row");
            headers.iter().map(str::to_owned).zip(row.iter().map(str::to_owned)).collect()
        })
        .collect()
}
