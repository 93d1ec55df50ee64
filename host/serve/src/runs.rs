//! Finds the runs below a directory and reads what their files say of them. Files of other versions, or broken ones, cost
//! a line on the page and nothing else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::files::read_at_most;
use crate::route::is_sound;

/// How deep runs are looked for.
const DEPTH: usize = 6;
/// Most directories looked into, and most runs shown.
const MOST_DIRECTORIES: usize = 20_000;
const MOST_RUNS: usize = 2_000;
/// Larger manifests and summaries are not read, in bytes.
const MANIFEST_LIMIT: u64 = 8 << 20;
const SUMMARY_LIMIT: u64 = 32 << 20;

/// A directory with a manifest.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// Below the directory of results, with slashes; empty: that directory itself.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) path: PathBuf,
}

/// What the manifest says. Empty strings: it does not.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Facts {
    /// The run's id.
    pub(crate) id: String,
    /// Seconds since 1970.
    pub(crate) started: u64,
    /// Program and version.
    pub(crate) tool: String,
    /// `simulated` or `real`.
    pub(crate) target: String,
    /// Name, variant and version of each engine.
    pub(crate) engines: Vec<String>,
    /// What `compare` calls each engine: `vllm/awq`.
    pub(crate) configurations: Vec<String>,
    /// Models, each once.
    pub(crate) models: Vec<String>,
    /// Labels of the workloads.
    pub(crate) workloads: Vec<String>,
    /// GPUs.
    pub(crate) gpus: Vec<String>,
    /// How it ended.
    pub(crate) ended: String,
    /// What could not be done as asked.
    pub(crate) notes: Vec<String>,
    /// The manifest cannot be read.
    pub(crate) unreadable: bool,
}

/// The summary as a table.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sheet {
    /// Names of the columns.
    pub(crate) columns: Vec<String>,
    /// As many cells each.
    pub(crate) rows: Vec<Vec<String>>,
}

/// The runs below `root` (which is canonical), by name. Links are not followed.
pub(crate) fn find(root: &Path) -> Vec<Run> {
    let mut found = Vec::new();
    let mut waiting = vec![(String::new(), root.to_path_buf(), 0)];
    let mut seen = 0;
    while let Some((name, path, depth)) = waiting.pop() {
        seen += 1;
        if seen > MOST_DIRECTORIES || found.len() == MOST_RUNS {
            break;
        }
        // A run holds no runs, except that all results may lie in the directory of one.
        let is_run = path.join("manifest.json").symlink_metadata().is_ok_and(|m| m.is_file());
        if is_run {
            found.push(Run { name: name.clone(), path: path.clone() });
        }
        if depth == DEPTH || (is_run && depth > 0) {
            continue;
        }
        for entry in std::fs::read_dir(&path).into_iter().flatten().flatten() {
            let file_name = entry.file_name();
            // Not UTF-8, or a name that no address may hold: it could be listed, but not asked for.
            let Some(last) = file_name.to_str().filter(|last| is_sound(last)) else { continue };
            if entry.file_type().is_ok_and(|t| t.is_dir()) {
                let below = if name.is_empty() { last.to_owned() } else { format!("{name}/{last}") };
                waiting.push((below, entry.path(), depth + 1));
            }
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

impl Run {
    /// Reads the manifest.
    pub(crate) fn facts(&self, root: &Path) -> Facts {
        let manifest = read_at_most(root, &self.path.join("manifest.json"), MANIFEST_LIMIT)
            .and_then(|bytes| serde_json::from_slice(&bytes).ok());
        manifest
            .map_or_else(|| Facts { unreadable: true, ..Facts::default() }, |manifest| facts_of(&manifest))
    }

    /// Reads the summary; `None`: there is none, or it is no table.
    pub(crate) fn summary(&self, root: &Path) -> Option<Sheet> {
        let bytes = read_at_most(root, &self.path.join("summary.csv"), SUMMARY_LIMIT)?;
        let mut reader = csv::Reader::from_reader(&bytes[..]);
        let cells = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect();
        let columns = cells(reader.headers().ok()?);
        let rows = reader.records().map(|row| row.map(|row| cells(&row))).collect::<Result<_, _>>().ok()?;
        Some(Sheet { columns, rows })
    }

    /// Names of its pictures, as SVG where there is one, by name.
    pub(crate) fn pictures(&self) -> Vec<String> {
        let mut stems: BTreeMap<String, &str> = BTreeMap::new();
        for entry in std::fs::read_dir(self.path.join("plots")).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| is_sound(name)) else { continue };
            if let Some(stem) = name.strip_suffix(".svg") {
                stems.insert(stem.to_owned(), "svg");
            } else if let Some(stem) = name.strip_suffix(".png") {
                stems.entry(stem.to_owned()).or_insert("png");
            }
        }
        stems.into_iter().map(|(stem, kind)| format!("{stem}.{kind}")).collect()
    }

    /// Whether a file of it is there.
    pub(crate) fn has(&self, file: &str) -> bool {
        self.path.join(file).is_file()
    }
}

impl Sheet {
    /// How often each word stands in `column`.
    pub(crate) fn counts(&self, column: &str) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        if let Some(at) = self.columns.iter().position(|c| c == column) {
            for word in self.rows.iter().filter_map(|row| row.get(at)).filter(|word| !word.is_empty()) {
                *counts.entry(word.as_str()).or_insert(0) += 1;
            }
        }
        counts
    }
}

fn facts_of(manifest: &Value) -> Facts {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |key: &str| manifest[key].as_array().map(Vec::as_slice).unwrap_or_default();
    let followed = |name: String, before: &str, value: &Value| match value.as_str() {
        Some(word) if !word.is_empty() => name + before + word,
        _ => name,
    };
    let configuration = |engine: &Value| followed(text(&engine["plugin"]["name"]), "/", &engine["variant"]);
    let engine = |engine: &Value| followed(configuration(engine), " ", &engine["server_version"]);
    let mut models: Vec<String> = list("engines").iter().map(|e| text(&e["model"])).collect();
    models.sort();
    models.dedup();
    Facts {
        id: text(&manifest["run_id"]),
        started: manifest["started_unix_s"].as_u64().unwrap_or(0),
        tool: text(&manifest["tool"]),
        target: text(&manifest["target"]),
        engines: list("engines").iter().map(engine).collect(),
        configurations: list("engines").iter().map(configuration).collect(),
        models,
        workloads: list("workloads").iter().map(|w| text(&w["label"])).collect(),
        gpus: list("gpus").iter().map(text).collect(),
        ended: text(&manifest["ended"]),
        notes: list("notes").iter().map(text).collect(),
        unreadable: !manifest.is_object(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(root: &Path, file: &str, text: &str) {
        let path = root.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn runs_are_found_at_any_depth_and_links_are_not_followed() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = folder.path().canonicalize().unwrap();
        put(&root, "b/manifest.json", "{}");
        put(&root, "a/deep/run 1/manifest.json", "{}");
        put(&root, "b/plots/manifest.json", "{}");
        put(&root, "not-a-run/x.json", "{}");
        put(other.path(), "manifest.json", "{}");
        std::os::unix::fs::symlink(other.path(), root.join("link")).unwrap();
        std::os::unix::fs::symlink(&root, root.join("loop")).unwrap();
        put(&root, "back\\slash/manifest.json", "{}");
        let names: Vec<_> = find(&root).into_iter().map(|run| run.name).collect();
        assert_eq!(names, ["a/deep/run 1", "b"]);
    }

    #[test]
    fn a_directory_that_is_itself_a_run_has_the_empty_name() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        put(&root, "manifest.json", "{}");
        put(&root, "other/manifest.json", "{}");
        let names: Vec<_> = find(&root).into_iter().map(|run| run.name).collect();
        assert_eq!(names, ["", "other"]);
    }

    #[test]
    fn manifests_of_any_shape_are_read_as_far_as_they_go() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let run = Run { name: String::new(), path: root.clone() };
        for broken in ["", "{", "[]", "7", "\u{0}"] {
            put(&root, "manifest.json", broken);
            assert!(run.facts(&root).unreadable, "{broken}");
        }
        put(&root, "manifest.json", r#"{"run_id": 7, "engines": {"a": 1}, "notes": [null, "n"]}"#);
        let facts = run.facts(&root);
        assert_eq!((facts.id.as_str(), facts.engines.len(), facts.unreadable), ("", 0, false));
        put(
            &root,
            "manifest.json",
            r#"{"run_id":"r","started_unix_s":5,"target":"simulated","ended":"complete","engines":[
                {"plugin":{"name":"vllm"},"variant":"awq","server_version":"0.33","model":"m"},
                {"plugin":{"name":"tgi"},"variant":"","model":"m"}]}"#,
        );
        let facts = run.facts(&root);
        assert_eq!(facts.engines, ["vllm/awq 0.33", "tgi"]);
        assert_eq!(facts.configurations, ["vllm/awq", "tgi"]);
        assert_eq!((facts.models.as_slice(), facts.target.as_str()), (&["m".to_owned()][..], "simulated"));
    }

    #[test]
    fn a_summary_counts_its_verdicts() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let run = Run { name: String::new(), path: root.clone() };
        assert_eq!(run.summary(&root), None);
        put(&root, "summary.csv", "engine,verdict\na,valid\nb,suspect\nc,valid\nd,\n");
        let sheet = run.summary(&root).unwrap();
        assert_eq!(sheet.counts("verdict"), BTreeMap::from([("suspect", 1), ("valid", 2)]));
        assert!(sheet.counts("none").is_empty());
        put(&root, "summary.csv", "a,b\n1\n");
        assert_eq!(run.summary(&root), None, "torn");
    }

    #[test]
    fn a_picture_is_shown_once() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.png", "b.svg", "a.png", "c.txt"] {
            put(folder.path(), &format!("plots/{name}"), "");
        }
        let run = Run { name: String::new(), path: folder.path().to_path_buf() };
        assert_eq!(run.pictures(), ["a.png", "b.svg"]);
    }
}
