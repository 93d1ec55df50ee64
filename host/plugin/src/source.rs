//! Where a plugin comes from, and its bytes. Knows files and the catalogue; not what is in them.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::catalog::embedded;
use crate::error::{PluginError, Problem};

/// A plugin to load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PluginSource {
    /// A component on disk.
    File(PathBuf),
    /// A component inside the program, by name.
    Embedded(String),
    /// A component in memory, with a name for messages.
    Bytes {
        /// For messages.
        name: String,
        /// The component.
        bytes: Vec<u8>,
    },
}

impl PluginSource {
    /// Reads what a user writes: a text with a path separator or the ending `.wasm` is a file, anything else is a name.
    pub fn parse(text: &str) -> Self {
        let looks_like_a_path = text.contains(std::path::is_separator)
            || Path::new(text).extension().is_some_and(|e| e.eq_ignore_ascii_case("wasm"));
        if looks_like_a_path { Self::File(text.into()) } else { Self::Embedded(text.to_owned()) }
    }

    /// How messages call it before it has said its own name.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Embedded(name) | Self::Bytes { name, .. } => name.clone(),
        }
    }

    /// For the manifest.
    pub(crate) fn origin(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Embedded(_) => "embedded".to_owned(),
            Self::Bytes { .. } => "memory".to_owned(),
        }
    }

    /// The component's bytes, at most `cap` of them.
    pub(crate) fn read(&self, cap: u64) -> Result<Vec<u8>, PluginError> {
        let bytes = match self {
            Self::File(path) => {
                read_file(path, cap).map_err(|e| PluginError::new(self.label(), Problem::Unreadable(e)))?
            }
            Self::Embedded(name) => match embedded().iter().find(|e| e.name == name) {
                Some(found) => found.bytes.to_vec(),
                None => return Err(PluginError::new(name.clone(), Problem::UnknownName)),
            },
            Self::Bytes { bytes, .. } => bytes.clone(),
        };
        if bytes.len() as u64 > cap {
            return Err(PluginError::new(self.label(), Problem::TooLarge { cap }));
        }
        Ok(bytes)
    }
}

/// Reads one byte more than `cap`, so that a larger file is recognised and an endless one ends.
fn read_file(path: &Path, cap: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(cap.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_file_and_a_word_is_a_name() {
        assert_eq!(PluginSource::parse("vllm"), PluginSource::Embedded("vllm".into()));
        assert_eq!(PluginSource::parse("./vllm"), PluginSource::File("./vllm".into()));
        assert_eq!(PluginSource::parse("mine.wasm"), PluginSource::File("mine.wasm".into()));
    }
}
