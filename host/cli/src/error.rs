//! Errors a person can act on: what failed, why, and what to do about it.

use std::fmt;

use crate::exit::Exit;

/// A command's failure. `Display` is one line; causes and hints are printed below it.
#[derive(Debug)]
pub(crate) struct CliError {
    exit: Exit,
    message: String,
    causes: Vec<String>,
    hints: Vec<String>,
}

/// What commands return.
pub(crate) type CliResult<T> = Result<T, CliError>;

impl CliError {
    fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), causes: Vec::new(), hints: Vec::new() }
    }

    /// The user's flag, plan or file is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Something the run needs is not there.
    pub(crate) fn setup(message: impl Into<String>) -> Self {
        Self::new(Exit::Setup, message)
    }

    /// Two results cannot be set side by side.
    pub(crate) fn not_comparable(message: impl Into<String>) -> Self {
        Self::new(Exit::NotComparable, message)
    }

    /// The user pressed Ctrl-C before anything was measured.
    pub(crate) fn interrupted() -> Self {
        Self::new(Exit::Interrupted, "interrupted before anything was measured")
    }

    /// A bug of ours, or a machine that fails us (disk full).
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(Exit::Internal, message)
    }

    /// Adds a cause, outermost first.
    #[must_use]
    pub(crate) fn because(mut self, cause: impl fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// Adds an error and its whole chain of sources.
    #[must_use]
    pub(crate) fn caused_by(mut self, error: &dyn std::error::Error) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            let text = error.to_string();
            if self.causes.last() != Some(&text) {
                self.causes.push(text);
            }
            next = error.source();
        }
        self
    }

    /// Adds a line that says what to do.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The exit code it leads to.
    pub(crate) const fn exit(&self) -> Exit {
        self.exit
    }

    /// The lines below the message: causes, then hints.
    pub(crate) fn details(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let causes = self.causes.iter().map(|c| ("caused by", c.as_str()));
        causes.chain(self.hints.iter().map(|h| ("hint", h.as_str())))
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<benchhost_store::StoreError> for CliError {
    /// A full disk is the machine's fault; a path or a file that does not read is the user's to mend.
    fn from(error: benchhost_store::StoreError) -> Self {
        let exit = if error.is_machine() { Exit::Internal } else { Exit::Usage };
        let mut told = Self::new(exit, error.to_string());
        if let Some(cause) = std::error::Error::source(&error) {
            told = told.caused_by(cause);
        }
        match error.hint() {
            Some(hint) => told.hint(hint),
            None => told,
        }
    }
}
