//! Where a guest lives: its workspace, its package, and where its component goes. Must not compile anything.

use std::fs;
use std::path::{Path, PathBuf};

use super::BuildError;

/// The folders of the benchhost workspace whose sub-folders are guests.
const SHELVES: [&str; 2] = ["plugins", "workloads"];

/// A workspace root and its manifest.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// The folder of the `Cargo.toml` with `[workspace]`.
    pub root: PathBuf,
    /// That manifest.
    pub manifest: toml::Table,
}

/// A crate that becomes a component.
#[derive(Debug, Clone)]
pub struct Guest {
    /// Its folder, absolute.
    pub dir: PathBuf,
    /// The package's name.
    pub package: String,
    /// Its workspace.
    pub workspace: Workspace,
}

impl Workspace {
    /// The workspace that `dir` belongs to: the nearest folder at or above it whose manifest has `[workspace]`, else the
    /// nearest one with a manifest.
    pub fn above(dir: &Path) -> Result<Self, BuildError> {
        let mut nearest = None;
        for root in dir.ancestors().filter(|d| d.join("Cargo.toml").is_file()) {
            let manifest = read_toml(&root.join("Cargo.toml"))?;
            if manifest.contains_key("workspace") {
                return Ok(Self { root: root.to_owned(), manifest });
            }
            nearest.get_or_insert(Self { root: root.to_owned(), manifest });
        }
        nearest.ok_or_else(|| BuildError::NotACrate { path: dir.to_owned(), cause: "no `Cargo.toml`".into() })
    }

    /// Whether this is the workspace of benchhost itself, and not that of a plugin's author.
    pub fn is_first_party(&self) -> bool {
        self.root.join("plugins/sdk/Cargo.toml").is_file() && self.root.join("wit/engine.wit").is_file()
    }

    /// All guests of the benchhost workspace, engines first, each group by name.
    pub fn guests(&self) -> Result<Vec<Guest>, BuildError> {
        let mut guests = Vec::new();
        for shelf in SHELVES.map(|s| self.root.join(s)) {
            let entries = fs::read_dir(&shelf).map_err(BuildError::file("read", &shelf))?;
            let mut dirs: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
            dirs.sort();
            for dir in dirs.into_iter().filter(|d| d.join("Cargo.toml").is_file()) {
                let manifest = read_toml(&dir.join("Cargo.toml"))?;
                if makes_a_library_for_c(&manifest) {
                    guests.push(Guest {
                        package: package_name(&dir, &manifest)?,
                        dir,
                        workspace: self.clone(),
                    });
                }
            }
        }
        Ok(guests)
    }

    /// The profile that guests are built with: `guest` where the workspace defines it.
    pub fn profile(&self) -> &'static str {
        let defined = self.manifest.get("profile").and_then(|p| p.get("guest")).is_some();
        if defined { "guest" } else { "release" }
    }

    /// The target directory that all guests of this workspace share: a standard library compiled from source is then
    /// compiled once.
    pub fn target_dir(&self) -> PathBuf {
        self.root.join("target/guest")
    }
}

impl Guest {
    /// The guest in folder `dir`.
    pub fn at(dir: &Path) -> Result<Self, BuildError> {
        let not = |cause: String| BuildError::NotACrate { path: dir.to_owned(), cause };
        let absolute = fs::canonicalize(dir).map_err(|e| not(e.to_string()))?;
        let absolute = if absolute.is_file() && absolute.ends_with("Cargo.toml") {
            absolute.parent().map(Path::to_owned).unwrap_or_default()
        } else {
            absolute
        };
        if !absolute.join("Cargo.toml").is_file() {
            return Err(not("no `Cargo.toml`".into()));
        }
        let manifest = read_toml(&absolute.join("Cargo.toml"))?;
        if !manifest.contains_key("package") {
            return Err(not("its manifest has no `[package]`".into()));
        }
        if !makes_a_library_for_c(&manifest) {
            return Err(not("it makes no `cdylib`".into()));
        }
        let package = package_name(&absolute, &manifest)?;
        Ok(Self { workspace: Workspace::above(&absolute)?, dir: absolute, package })
    }

    /// Where the component goes: `plugins/<folder>.wasm` or `workloads/<folder>.wasm` in the benchhost workspace,
    /// `<package>.wasm` in the crate's folder elsewhere.
    pub fn output(&self) -> PathBuf {
        let on_shelf = self.workspace.is_first_party()
            && SHELVES.iter().any(|s| self.dir.parent() == Some(&self.workspace.root.join(s)));
        if on_shelf {
            self.dir.with_extension("wasm")
        } else {
            self.dir.join(format!("{}.wasm", self.package))
        }
    }

    /// The output below the workspace root, for people.
    pub fn label(&self) -> String {
        let output = self.output();
        output.strip_prefix(&self.workspace.root).unwrap_or(&output).display().to_string()
    }
}

/// Reads and parses a manifest or lock file.
pub(crate) fn read_toml(path: &Path) -> Result<toml::Table, BuildError> {
    let text = fs::read_to_string(path).map_err(BuildError::file("read", path))?;
    text.parse().map_err(|e: toml::de::Error| BuildError::Manifest {
        path: path.to_owned(),
        cause: e.message().into(),
    })
}

fn package_name(dir: &Path, manifest: &toml::Table) -> Result<String, BuildError> {
    let name = manifest.get("package").and_then(|p| p.get("name")).and_then(toml::Value::as_str);
    name.map(str::to_owned).ok_or_else(|| BuildError::Manifest {
        path: dir.join("Cargo.toml"),
        cause: "it has no `package.name`".into(),
    })
}

/// Whether `[lib]` asks for a `cdylib`, which is how Rust says "a module with exports".
fn makes_a_library_for_c(manifest: &toml::Table) -> bool {
    let types = manifest.get("lib").and_then(|l| l.get("crate-type")).and_then(toml::Value::as_array);
    types.is_some_and(|list| list.iter().any(|t| t.as_str() == Some("cdylib")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    const GUEST: &str = "[package]\nname = \"engine-x\"\n[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n";

    #[test]
    fn a_guest_on_a_shelf_is_put_beside_its_folder() {
        let dir = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(dir.path()).unwrap();
        write(&root, "Cargo.toml", "[workspace]\n[profile.guest]\ninherits = \"release\"\n");
        write(&root, "wit/engine.wit", "");
        write(&root, "plugins/sdk/Cargo.toml", "[package]\nname = \"benchhost-sdk\"\n");
        write(&root, "plugins/x/Cargo.toml", GUEST);
        write(&root, "workloads/README.md", "");
        let guest = Guest::at(&root.join("plugins/x")).unwrap();
        assert_eq!(guest.output(), root.join("plugins/x.wasm"));
        assert_eq!(guest.label(), "plugins/x.wasm");
        assert_eq!(guest.workspace.profile(), "guest");
        let all = guest.workspace.guests().unwrap();
        assert_eq!(
            all.iter().map(|g| g.package.as_str()).collect::<Vec<_>>(),
            ["engine-x"],
            "the sdk is no guest"
        );
    }

    #[test]
    fn a_guest_on_its_own_keeps_its_component_inside() {
        let dir = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(dir.path()).unwrap();
        write(&root, "Cargo.toml", GUEST);
        let guest = Guest::at(&root.join("Cargo.toml")).unwrap();
        assert_eq!(guest.output(), root.join("engine-x.wasm"));
        assert_eq!(guest.workspace.profile(), "release");
        assert!(!guest.workspace.is_first_party());
    }

    #[test]
    fn what_is_no_guest_is_refused_with_the_reason() {
        let dir = tempfile::tempdir().unwrap();
        let empty = Guest::at(dir.path()).unwrap_err().to_string();
        assert!(empty.contains("no `Cargo.toml`"), "{empty}");
        write(dir.path(), "Cargo.toml", "[package]\nname = \"x\"\n");
        let plain = Guest::at(dir.path()).unwrap_err().to_string();
        assert!(plain.contains("cdylib"), "{plain}");
        write(dir.path(), "Cargo.toml", "[package\n");
        let broken = Guest::at(dir.path()).unwrap_err().to_string();
        assert!(broken.contains("Cargo.toml"), "{broken}");
        assert!(Guest::at(&dir.path().join("none")).is_err());
    }
}
