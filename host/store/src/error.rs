//! What can go wrong between memory and disk: which file, where in it, and what to do. Knows nothing of exit codes.

use std::io;
use std::path::{Path, PathBuf};

/// A failure of the store. `Display` is one line; the cause, where there is one, is its source.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or directory of a new run cannot be made.
    #[error("cannot create `{}`", path.display())]
    Create {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A row cannot be appended: the disk is full or gone.
    #[error("cannot append to `{}`", path.display())]
    Append {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A whole file cannot be written or moved.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be opened or read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A result is never written over.
    #[error("`{}` is not empty", path.display())]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// A file that is to be continued has other columns.
    #[error("`{}` has other columns than this run", path.display())]
    OtherColumns {
        /// Which.
        path: PathBuf,
    },
    /// It is some other file.
    #[error("`{}` is not a benchhost requests file", path.display())]
    NotRequests {
        /// Which.
        path: PathBuf,
        /// How that is seen.
        source: Reason,
    },
    /// A request row is whole and does not read.
    #[error("`{}` holds a row that does not read", path.display())]
    Row {
        /// Which file.
        path: PathBuf,
        /// Line, column and why.
        source: Reason,
    },
    /// Something other than its end is broken.
    #[error("`{}` is damaged", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// Where and why.
        source: Reason,
    },
    /// Its form is not known here.
    #[error("`{}` was written by a newer benchhost", path.display())]
    Newer {
        /// Which.
        path: PathBuf,
        /// The versions.
        source: Reason,
    },
    /// Another process holds the run's lock.
    #[error("`{}` is still being written by another process", path.display())]
    Busy {
        /// The run's directory.
        path: PathBuf,
    },
    /// There is nothing that could be continued.
    #[error("`{}` cannot be resumed", path.display())]
    NotResumable {
        /// The run's directory.
        path: PathBuf,
        /// Why.
        source: Reason,
    },
    /// A bug: the writer thread is gone.
    #[error("the thread that writes `{}` ended early; rows before it are kept", path.display())]
    WriterGone {
        /// The run's directory.
        path: PathBuf,
    },
}

/// A cause in words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Reason(String);

impl From<String> for Reason {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl StoreError {
    /// What to do about it, where there is something to do.
    pub const fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NotEmpty { .. } => "name a new directory with `--out`; a result is never written over",
            Self::OtherColumns { .. } => {
                "name another file with `--out`; runs with the same workloads share a file"
            }
            Self::Append { .. } | Self::WriterGone { .. } => {
                "rows written before this are kept; `benchhost recover` and `benchhost report` read them"
            }
            Self::Newer { .. } => "use that version to read it",
            Self::NotResumable { .. } => "run its `plan.toml` again",
            Self::Busy { .. } => "wait for it to end, or stop it",
            Self::Read { .. } | Self::NotRequests { .. } => "give a `requests.csv` or the directory of a run",
            Self::Create { .. } | Self::Write { .. } | Self::Row { .. } | Self::Damaged { .. } => {
                return None;
            }
        })
    }

    /// The machine failed (disk full, thread gone), as opposed to a path or file that the user named.
    pub fn is_machine(&self) -> bool {
        match self {
            // A folder that is not there was misspelt.
            Self::Write { source, .. } => !matches!(source.kind(), io::ErrorKind::NotFound),
            Self::Append { .. } | Self::WriterGone { .. } => true,
            _ => false,
        }
    }

    pub(crate) fn create(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Create { path, source }
    }

    pub(crate) fn append(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Append { path, source }
    }

    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Write { path, source }
    }

    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Read { path, source }
    }

    pub(crate) fn damaged(path: &Path, why: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_path_buf(), source: Reason(why.into()) }
    }
}
