//! A file under another name until it is whole, so that none is ever half an export.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{CliError, CliResult};

/// A file in the making.
pub(super) struct Part {
    path: PathBuf,
    part: PathBuf,
}

impl Part {
    /// Begins the file that will be `path`.
    pub(super) fn create(path: &Path) -> CliResult<(Self, File)> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let part = path.with_file_name(name);
        let unusable = |e: io::Error| {
            let error = CliError::usage(format!("cannot write `{}`", path.display())).because(e);
            error.hint("give the name of a file in a directory that exists")
        };
        let file = File::create(&part).map_err(unusable)?;
        Ok((Self { path: path.to_path_buf(), part }, file))
    }

    /// Gives it its name, or takes it away.
    pub(super) fn end(self, keep: bool) -> io::Result<()> {
        if keep { std::fs::rename(&self.part, &self.path) } else { std::fs::remove_file(&self.part) }
    }
}
