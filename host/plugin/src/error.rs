//! Why a plugin could not be loaded: one line of what failed, the cause as a source chain, and a hint. Prints nothing.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::call_error::CallError;
use crate::catalog::embedded;
use crate::inspect::{TRACK, grouped};
use crate::language::Language;
use crate::text::{bytes, one_line};

/// A plugin that was refused, or a host that could not start.
#[derive(Debug)]
pub struct PluginError {
    /// What the user called it; empty when no plugin is concerned.
    plugin: String,
    problem: Box<Problem>,
}

/// What is wrong with it, in the order in which it is checked.
#[derive(Debug)]
#[non_exhaustive]
pub enum Problem {
    /// The WebAssembly engine did not start.
    Runtime(Cause),
    /// The compile cache's directory cannot be used.
    Cache {
        /// The directory.
        dir: PathBuf,
        /// Why not.
        cause: Cause,
    },
    /// No component of this name is inside the program.
    UnknownName,
    /// The file cannot be read.
    Unreadable(io::Error),
    /// The file is larger than the cap.
    TooLarge {
        /// The cap in bytes.
        cap: u64,
    },
    /// The file does not begin as WebAssembly does.
    NotWasm,
    /// A module that was never wrapped.
    CoreModule,
    /// Damaged, or uses a feature that is off.
    Invalid(Cause),
    /// Exports neither `engine` nor `workload`.
    WrongWorld {
        /// What it exports.
        exports: Vec<String>,
    },
    /// Exports both.
    BothWorlds,
    /// Built for another track of the contract.
    WrongVersion {
        /// The interface it was built for.
        found: String,
    },
    /// Imports what no plugin gets.
    ForeignImports {
        /// All of them.
        imports: Vec<String>,
        /// The language it was written in, where the file says so.
        language: Option<Language>,
    },
    /// Begins with more memory than the cap.
    InitialMemory {
        /// What it begins with, in bytes.
        initial: u64,
        /// The cap in bytes.
        cap: u64,
    },
    /// A function has another type than the contract says, or does not exist.
    Link(Cause),
    /// The first instance, or `describe`, failed.
    Start(CallError),
    /// What it says about itself breaks a rule.
    Description(String),
}

impl PluginError {
    pub(crate) fn new(plugin: impl Into<String>, problem: Problem) -> Self {
        Self { plugin: one_line(&plugin.into(), 200), problem: Box::new(problem) }
    }

    pub(crate) fn general(problem: Problem) -> Self {
        Self::new(String::new(), problem)
    }

    /// What is wrong.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// What the user can do about it; may have several lines.
    pub fn hint(&self) -> String {
        match self.problem.as_ref() {
            Problem::Runtime(_) => "this processor or system may not allow compiled WebAssembly".to_owned(),
            Problem::Cache { .. } => "choose a directory you may write to, or none".to_owned(),
            Problem::UnknownName => unknown_name_hint(),
            Problem::Unreadable(_) => "check the path, and that you may read the file".to_owned(),
            Problem::TooLarge { .. } => {
                "this is hardly a plugin; a smaller build has no debug sections".to_owned()
            }
            Problem::NotWasm => {
                "a plugin is a WebAssembly component, made with `benchhost plugin build`".to_owned()
            }
            Problem::CoreModule => {
                "wrap it: `benchhost plugin build <crate>` compiles a guest and makes the component"
                    .to_owned()
            }
            Problem::Invalid(_) => {
                "the file may be cut off; build it again with `benchhost plugin build`".to_owned()
            }
            Problem::WrongWorld { .. } => format!(
                "export `benchhost:plugin/engine@{TRACK}.0` or `benchhost:plugin/workload@{TRACK}.0`; \
                 `benchhost plugin new` makes a start"
            ),
            Problem::BothWorlds => "make two components, one for each".to_owned(),
            Problem::WrongVersion { .. } => {
                format!(
                    "build it against the contract of track {TRACK}, or use the benchhost it was built for"
                )
            }
            Problem::ForeignImports { language, .. } => Language::how_to_build_without(*language),
            Problem::InitialMemory { .. } => "give the plugin less static memory".to_owned(),
            Problem::Link(_) => format!(
                "it was built against another text of track {TRACK}: build it again with this benchhost's `wit/`"
            ),
            Problem::Start(error) => error.hint().to_owned(),
            Problem::Description(_) => {
                "correct `describe` in the plugin; `benchhost plugin check` repeats this check".to_owned()
            }
        }
    }
}

fn unknown_name_hint() -> String {
    let names: Vec<&str> = embedded().iter().map(|e| e.name).collect();
    if names.is_empty() {
        "this program was built without plugins; name a file: `./my_plugin.wasm`".to_owned()
    } else {
        format!(
            "there are `{}`; for a plugin of your own give its path: `./my_plugin.wasm`",
            names.join("`, `")
        )
    }
}

impl fmt::Display for PluginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.plugin.is_empty() {
            write!(f, "plugin `{}`: ", self.plugin)?;
        }
        self.problem.fmt(f)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Runtime(_) => f.write_str("the WebAssembly engine did not start"),
            Self::Cache { dir, .. } => write!(f, "the compile cache `{}` cannot be used", dir.display()),
            Self::UnknownName => f.write_str("no such plugin inside this program"),
            Self::Unreadable(_) => f.write_str("cannot be read"),
            Self::TooLarge { cap } => write!(f, "is larger than {}", bytes(*cap)),
            Self::NotWasm => f.write_str("is not WebAssembly"),
            Self::CoreModule => f.write_str("is a core module, not a component"),
            Self::Invalid(_) => f.write_str("is not a valid component"),
            Self::WrongWorld { exports } if exports.is_empty() => {
                f.write_str("exports nothing, so it is neither an engine nor a workload")
            }
            Self::WrongWorld { exports } => {
                write!(f, "is neither an engine nor a workload: it exports `{}`", exports.join("`, `"))
            }
            Self::BothWorlds => f.write_str("exports both an engine and a workload"),
            Self::WrongVersion { found } => {
                write!(f, "was built for `{found}`; this program speaks track {TRACK}")
            }
            Self::ForeignImports { imports, .. } => {
                write!(f, "imports what no plugin of its kind gets: {}", grouped(imports))
            }
            Self::InitialMemory { initial, cap } => {
                write!(f, "begins with {} of memory; the cap is {}", bytes(*initial), bytes(*cap))
            }
            Self::Link(_) => f.write_str("does not fit the contract"),
            Self::Start(_) => f.write_str("failed when it was asked who it is"),
            Self::Description(what) => write!(f, "describes itself against the contract: {what}"),
        }
    }
}

impl StdError for PluginError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self.problem.as_ref() {
            Problem::Runtime(cause)
            | Problem::Cache { cause, .. }
            | Problem::Invalid(cause)
            | Problem::Link(cause) => Some(cause),
            Problem::Unreadable(error) => Some(error),
            Problem::Start(error) => Some(error),
            _ => None,
        }
    }
}

/// A link of a source chain, kept as text: wasmtime's error is a type of its own that does not implement `Error`.
#[derive(Debug)]
pub struct Cause {
    text: String,
    source: Option<Box<Cause>>,
}

impl Cause {
    pub(crate) fn from_wasm(error: &wasmtime::Error) -> Self {
        Self::from_texts(error.chain().map(ToString::to_string).collect())
    }

    pub(crate) fn from_error(error: &dyn StdError) -> Self {
        Self { text: error.to_string(), source: error.source().map(|e| Box::new(Self::from_error(e))) }
    }

    fn from_texts(texts: Vec<String>) -> Self {
        let mut chain: Option<Box<Self>> = None;
        for text in texts.into_iter().rev() {
            chain = Some(Box::new(Self { text: one_line(&text, 2000), source: chain }));
        }
        chain.map_or_else(|| Self { text: "no cause given".to_owned(), source: None }, |cause| *cause)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for Cause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|cause| cause as &dyn StdError)
    }
}
