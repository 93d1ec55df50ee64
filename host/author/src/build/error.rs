//! Why a plugin could not be built. Every text says what failed, why, and what to do.

use std::path::PathBuf;

/// A build, or a check of a build, that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A path that is not a crate.
    #[error("`{}` is not a plugin crate: {cause}; name a folder with a `Cargo.toml` whose `[lib]` has `crate-type = [\"cdylib\", \"rlib\"]`", path.display())]
    NotACrate {
        /// What was named.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// No crate was named and none is at hand.
    #[error("no plugin crate was named and `{}` is not inside the benchhost workspace; name the crate's folder", path.display())]
    NothingToBuild {
        /// Where the search began.
        path: PathBuf,
    },
    /// `--out` was given with several crates.
    #[error("`--out` names one file, but {count} crates are to be built; name one crate")]
    OneOutput {
        /// How many.
        count: usize,
    },
    /// No compiler for Wasm.
    #[error(
        "no Rust that compiles to WebAssembly was found{}\n{}",
        tried(attempts),
        crate::build::toolchain::WAYS
    )]
    NoToolchain {
        /// What was tried, each with its outcome.
        attempts: Vec<String>,
    },
    /// A file could not be read or written.
    #[error("cannot {doing} `{}`: {cause}", path.display())]
    File {
        /// `read`, `write`…
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// A manifest or lock file that does not say what is needed.
    #[error("`{}` cannot be used: {cause}", path.display())]
    Manifest {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// A program could not be started.
    #[error("cannot start `{program}`: {cause}; is it installed and in `PATH`?")]
    Start {
        /// Which program.
        program: String,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// The compiler refused.
    #[error("`{package}` did not compile; cargo says:\n{output}")]
    Compile {
        /// Which package.
        package: String,
        /// What cargo wrote, as it wrote it.
        output: String,
    },
    /// Cargo succeeded without a module.
    #[error(
        "`{package}` compiled, but gave no WebAssembly module; add `[lib]` with `crate-type = [\"cdylib\", \"rlib\"]` to its `Cargo.toml`"
    )]
    NoModule {
        /// Which package.
        package: String,
    },
    /// The module is not a plugin.
    #[error(
        "the module of `{package}` cannot be wrapped into a component: {cause}; does the crate call `export_engine!` or `export_workload!`?"
    )]
    Wrap {
        /// Which package.
        package: String,
        /// The encoder's reason.
        cause: String,
    },
    /// Committed components that do not belong to the present source.
    #[error("{} committed component{} out of date:{}\nrun `benchhost plugin build` and commit the result", list.len(), if list.len() == 1 { " is" } else { "s are" }, bullets(list))]
    Stale {
        /// Each with its reason.
        list: Vec<String>,
    },
    /// A rebuilt component means something else than the committed one, or a fixture fails.
    #[error("{} rebuilt or committed component{} disagree{} with the fixtures or with each other:{}", list.len(), if list.len() == 1 { "" } else { "s" }, if list.len() == 1 { "s" } else { "" }, bullets(list))]
    Disagree {
        /// Each with what differs.
        list: Vec<String>,
    },
    /// The plugin host could not be started.
    #[error("cannot start the plugin host: {0}")]
    Host(String),
}

impl BuildError {
    /// For `map_err` on file operations.
    pub(crate) fn file(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> BuildError {
        let path = path.into();
        move |cause| Self::File { doing, path, cause }
    }
}

fn bullets(list: &[String]) -> String {
    list.iter().fold(String::new(), |text, line| text + "\n  - " + line)
}

fn tried(attempts: &[String]) -> String {
    if attempts.is_empty() { String::new() } else { format!(". tried:{}", bullets(attempts)) }
}
