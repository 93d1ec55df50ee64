//! The copies of the SDK and its neighbours, with manifests that stand alone: what they inherit from this repository's
//! workspace is written out. Must not know templates.

use toml::{Table, Value};

/// Sections that only this repository needs.
const DROPPED: [&str; 5] = ["lints", "dev-dependencies", "bench", "example", "test"];

/// Sections that list dependencies.
const DEPENDENCIES: [&str; 2] = ["dependencies", "build-dependencies"];

/// The files to write below `vendor/`. `embedded` holds the workspace's own manifest under `Cargo.toml`; it is read, not
/// written.
pub(crate) fn files(embedded: &[(&str, &str)]) -> Result<Vec<(String, String)>, String> {
    let root = embedded
        .iter()
        .find(|(path, _)| *path == "Cargo.toml")
        .ok_or("the workspace's manifest is missing")?;
    let root: Table = root.1.parse().map_err(|e: toml::de::Error| e.message().to_owned())?;
    let mut files = Vec::new();
    for (path, text) in embedded.iter().filter(|(path, _)| *path != "Cargo.toml") {
        let text = match path.strip_suffix("/Cargo.toml") {
            Some(folder) => standalone(text, &root, folder).map_err(|e| format!("`{path}`: {e}"))?,
            None => (*text).to_owned(),
        };
        files.push(((*path).to_owned(), text));
    }
    Ok(files)
}

/// The manifest of the member at `folder` without inheritance.
fn standalone(text: &str, root: &Table, folder: &str) -> Result<String, String> {
    let mut manifest: Table = text.parse().map_err(|e: toml::de::Error| e.message().to_owned())?;
    let workspace = root.get("workspace").and_then(Value::as_table).ok_or("there is no `[workspace]`")?;
    for section in DROPPED {
        manifest.remove(section);
    }
    let shared = workspace.get("package").and_then(Value::as_table);
    let package =
        manifest.get_mut("package").and_then(Value::as_table_mut).ok_or("there is no `[package]`")?;
    for (key, value) in package.iter_mut().filter(|(_, v)| inherits(v)) {
        let found = shared
            .and_then(|s| s.get(key))
            .ok_or_else(|| format!("`package.{key}` is not in the workspace"))?;
        *value = found.clone();
    }
    let shared = workspace.get("dependencies").and_then(Value::as_table);
    for section in DEPENDENCIES {
        let Some(list) = manifest.get_mut(section).and_then(Value::as_table_mut) else { continue };
        for (key, spec) in list.iter_mut().filter(|(_, v)| inherits(v)) {
            let found =
                shared.and_then(|s| s.get(key)).ok_or_else(|| format!("`{key}` is not in the workspace"))?;
            *spec = Value::Table(merged(found, spec, folder));
        }
    }
    let written = toml::to_string(&manifest).map_err(|e| e.to_string())?;
    Ok(format!(
        "# Copied from benchhost by `benchhost plugin new`; replace the whole `vendor` folder to update it.\n{written}"
    ))
}

fn inherits(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

/// The workspace's words about a dependency, with the member's own added: features add up, other keys are the member's,
/// and a path is seen from the member's folder.
fn merged(shared: &Value, own: &Value, folder: &str) -> Table {
    let mut spec = match shared {
        Value::Table(table) => table.clone(),
        version => Table::from_iter([("version".to_owned(), version.clone())]),
    };
    if let Some(Value::String(path)) = spec.get_mut("path") {
        *path = "../".repeat(folder.split('/').count()) + path;
    }
    for (key, value) in own.as_table().into_iter().flatten().filter(|(key, _)| *key != "workspace") {
        match (spec.get_mut(key), value) {
            (Some(Value::Array(all)), Value::Array(more)) => all.extend(more.iter().cloned()),
            _ => {
                spec.insert(key.clone(), value.clone());
            }
        }
    }
    spec
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = r#"
        [workspace]
        [workspace.package]
        version = "0.1.0"
        edition = "2024"
        [workspace.dependencies]
        framing = { path = "wit/framing" }
        json = "1.0"
        derive = { version = "2", features = ["a"], default-features = false }
    "#;

    fn rewrite(member: &str) -> Result<Table, String> {
        let files =
            files(&[("Cargo.toml", ROOT), ("plugins/sdk/Cargo.toml", member), ("wit/a.wit", "text")])?;
        assert_eq!(files.len(), 2, "the workspace's manifest is not copied");
        assert_eq!(files[1], ("wit/a.wit".to_owned(), "text".to_owned()));
        Ok(files[0].1.parse().unwrap())
    }

    #[test]
    fn what_was_inherited_is_written_out() {
        let manifest = rewrite(
            r#"
            [package]
            name = "sdk"
            version.workspace = true
            edition.workspace = true
            [features]
            testkit = ["dep:framing"]
            [dependencies]
            framing = { workspace = true, optional = true }
            json.workspace = true
            derive = { workspace = true, features = ["b"] }
            plain = "3"
            [dev-dependencies]
            tool.workspace = true
            [lints]
            workspace = true
            "#,
        )
        .unwrap();
        assert_eq!(manifest["package"]["version"].as_str(), Some("0.1.0"));
        assert_eq!(manifest["package"]["edition"].as_str(), Some("2024"));
        let deps = &manifest["dependencies"];
        assert_eq!(deps["framing"]["path"].as_str(), Some("../../wit/framing"));
        assert_eq!(deps["framing"]["optional"].as_bool(), Some(true));
        assert_eq!(deps["json"]["version"].as_str(), Some("1.0"));
        assert_eq!(deps["derive"]["features"].as_array().unwrap().len(), 2);
        assert_eq!(deps["derive"]["default-features"].as_bool(), Some(false));
        assert_eq!(deps["plain"].as_str(), Some("3"));
        assert!(manifest.contains_key("features"));
        assert!(!manifest.contains_key("lints") && !manifest.contains_key("dev-dependencies"));
        assert!(!toml::to_string(&manifest).unwrap().contains("workspace"));
    }

    #[test]
    fn what_the_workspace_does_not_have_is_an_error() {
        let error =
            rewrite("[package]\nname = \"sdk\"\n[dependencies]\nghost.workspace = true\n").unwrap_err();
        assert!(error.contains("ghost") && error.contains("plugins/sdk/Cargo.toml"), "{error}");
    }
}
