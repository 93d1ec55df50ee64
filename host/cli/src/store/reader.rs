//! Reads what this program needs whole: the rows of a file that is compared, and the manifest.

use std::path::{Path, PathBuf};

use benchhost_model::Record;
use benchhost_store::{Layout, RequestsReader, SCHEMA_VERSION};
use serde::Deserialize;

use super::manifest::Manifest;
use crate::error::{CliError, CliResult};

/// The rows of one file.
#[derive(Debug)]
pub(crate) struct RowFile {
    /// Where they were read.
    pub(crate) path: PathBuf,
    /// Whole rows.
    pub(crate) records: Vec<Record>,
    /// Lines dropped because they were torn.
    pub(crate) torn: u64,
}

/// Reads `requests.csv`; `path` is the file or the run's directory.
pub(crate) fn read_requests(path: &Path) -> CliResult<RowFile> {
    let mut reader = RequestsReader::open(path)?;
    let records = reader.by_ref().collect::<Result<_, _>>()?;
    Ok(RowFile { path: reader.path().to_path_buf(), records, torn: reader.torn() })
}

/// The manifest of a run's directory.
pub(crate) fn read_manifest(layout: &Layout) -> CliResult<Manifest> {
    #[derive(Deserialize)]
    struct Version {
        schema_version: u32,
    }
    let path = layout.manifest();
    let error = |e: &dyn std::fmt::Display| {
        CliError::usage(format!("cannot read `{}`", path.display()))
            .because(e)
            .hint("give the directory of a run, the one that holds `manifest.json`")
    };
    let text = std::fs::read_to_string(&path).map_err(|e| error(&e))?;
    // Before the rest, which a newer version may have changed.
    let version: Version = serde_json::from_str(&text).map_err(|e| error(&e))?;
    if version.schema_version > SCHEMA_VERSION {
        let newer = format!(
            "its schema version is {}, this program reads up to {SCHEMA_VERSION}",
            version.schema_version
        );
        return Err(CliError::usage(format!("`{}` was written by a newer benchhost", path.display()))
            .because(newer)
            .hint("use that version to read it"));
    }
    serde_json::from_str(&text).map_err(|e| error(&e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(error: &CliError) -> String {
        let details: Vec<_> = error.details().map(|(_, text)| text.to_owned()).collect();
        format!("{error}: {}", details.join("; "))
    }

    #[test]
    fn a_newer_manifest_is_named_as_such() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path());
        let newer = SCHEMA_VERSION + 1;
        let text = format!("{{\"schema_version\": {newer}, \"tool\": [\"another\", \"form\"]}}");
        std::fs::write(layout.manifest(), text).unwrap();
        let said = reasons(&read_manifest(&layout).unwrap_err());
        assert!(said.contains("newer") && said.contains(&newer.to_string()), "{said}");
    }

    #[test]
    fn what_is_wrong_with_a_file_comes_with_its_place_and_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let said = reasons(&read_requests(&folder.path().join("none.csv")).unwrap_err());
        assert!(said.contains("none.csv") && said.contains("directory of a run"), "{said}");
        let file = folder.path().join("other.csv");
        std::fs::write(&file, "a,b\n1,2\n").unwrap();
        let said = reasons(&read_requests(&file).unwrap_err());
        assert!(said.contains("not a benchhost requests file") && said.contains("`eor`"), "{said}");
    }
}
