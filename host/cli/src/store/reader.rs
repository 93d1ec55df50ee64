//! Reads what this program needs whole: the manifest.

use benchhost_store::{Layout, SCHEMA_VERSION};
use serde::Deserialize;

use super::manifest::Manifest;
use crate::error::{CliError, CliResult};

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
}
