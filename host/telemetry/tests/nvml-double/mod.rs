//! Compiles the stand-in for NVIDIA's library, one copy per test, so that call counts and scripts stay apart.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// A built double with its script beside it.
pub(crate) struct Double {
    folder: TempDir,
}

impl Double {
    /// Builds the double that follows `script` (see `nvml_double.c`).
    pub(crate) fn with(script: &str) -> Self {
        Self::build(script, &[])
    }

    /// Builds the double without the function `symbol`.
    pub(crate) fn without(symbol: &str) -> Self {
        Self::build("", &[format!("-D{symbol}=taken_out")])
    }

    /// Where the library is.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("libnvidia-ml.so.1")
    }

    /// How often each function was called, known after shutdown.
    pub(crate) fn calls(&self) -> BTreeMap<String, u64> {
        let text = fs::read_to_string(self.beside("calls")).expect("nvmlShutdown was not called");
        let pair = |line: &str| {
            let (name, count) = line.split_once(' ').unwrap();
            (name.to_owned(), count.parse().unwrap())
        };
        text.lines().map(pair).collect()
    }

    fn build(script: &str, flags: &[String]) -> Self {
        let double = Self { folder: tempfile::tempdir().unwrap() };
        fs::write(double.beside("script"), script).unwrap();
        let source = double.beside("c");
        fs::write(&source, include_str!("nvml_double.c")).unwrap();
        let mut compile = Command::new(compiler());
        compile.args(["-std=c11", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]).args(flags);
        compile.arg("-o").arg(double.path()).arg(source).arg("-ldl");
        let output = compile.output().unwrap();
        assert!(output.status.success(), "{compile:?}\n{}", String::from_utf8_lossy(&output.stderr));
        double
    }

    fn beside(&self, what: &str) -> PathBuf {
        self.folder.path().join(format!("libnvidia-ml.so.1.{what}"))
    }
}

/// A missing compiler fails the test: a test that skips itself proves nothing.
fn compiler() -> &'static str {
    let works =
        |name: &&&str| Command::new(name).arg("--version").output().is_ok_and(|out| out.status.success());
    ["cc", "gcc", "clang"].iter().find(works).expect(
        "these tests compile a stand-in for NVIDIA's library and found none of `cc`, `gcc`, `clang`: install a C compiler",
    )
}
