//! What a guest is made of: the packages with a folder that it depends on, and the registry packages its lock file pins.
//!
//! Read from manifests and `Cargo.lock` alone, so that a component's age is known without cargo and without a network.
//! A lock file does not tell a package's own dependencies from those of its tests; the manifests do.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use toml::{Table, Value};

use super::BuildError;
use super::workspace::{Guest, Workspace, read_toml};

/// A package with a folder.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    /// Its folder.
    pub(crate) dir: PathBuf,
    /// The version in force (a workspace's, when inherited).
    pub(crate) version: String,
    /// What it takes from the workspace, in a fixed order: one `key = value` each.
    pub(crate) inherited: Vec<String>,
}

/// Everything that goes into one guest.
#[derive(Debug, Clone, Default)]
pub(crate) struct Closure {
    /// By package name; the guest itself is among them.
    pub(crate) members: BTreeMap<String, Member>,
    /// `name version checksum` of each registry package, with the source in place of the checksum for one from git.
    pub(crate) locked: BTreeSet<String>,
}

/// The closure of `guest`.
pub(crate) fn closure(guest: &Guest) -> Result<Closure, BuildError> {
    let path = guest.workspace.root.join("Cargo.lock");
    let lock = Lock::parse(&read_toml(&path)?)
        .ok_or_else(|| BuildError::Manifest { path, cause: "it lists no packages".into() })?;
    let mut walk = Walk { workspace: &guest.workspace, lock: &lock, closure: Closure::default() };
    walk.member(&guest.dir)?;
    Ok(walk.closure)
}

/// One entry of a lock file.
struct Locked {
    name: String,
    version: String,
    /// Registry or git; none: a package with a folder.
    source: Option<String>,
    checksum: String,
    dependencies: Vec<String>,
}

struct Lock(Vec<Locked>);

impl Lock {
    fn parse(table: &Table) -> Option<Self> {
        let text = |t: &Value, key: &str| t.get(key).and_then(Value::as_str).map(str::to_owned);
        let packages = table.get("package")?.as_array()?.iter();
        let entries = packages.filter_map(|p| {
            let dependencies = p.get("dependencies").and_then(Value::as_array);
            Some(Locked {
                name: text(p, "name")?,
                version: text(p, "version")?,
                source: text(p, "source"),
                checksum: text(p, "checksum").unwrap_or_default(),
                dependencies: dependencies
                    .map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
                    .unwrap_or_default(),
            })
        });
        Some(Self(entries.collect()))
    }

    /// The entry that `name`, `name version` or `name version (source)` points to.
    fn find(&self, reference: &str) -> Option<&Locked> {
        let mut words = reference.split(' ');
        let (name, version) = (words.next()?, words.next());
        self.0.iter().find(|l| l.name == name && version.is_none_or(|v| v == l.version))
    }

    fn folder_package(&self, name: &str) -> Option<&Locked> {
        self.0.iter().find(|l| l.name == name && l.source.is_none())
    }
}

struct Walk<'a> {
    workspace: &'a Workspace,
    lock: &'a Lock,
    closure: Closure,
}

impl Walk<'_> {
    fn member(&mut self, dir: &Path) -> Result<(), BuildError> {
        let path = dir.join("Cargo.toml");
        let manifest = read_toml(&path)?;
        let package = manifest.get("package").and_then(Value::as_table);
        let name = package.and_then(|p| p.get("name")).and_then(Value::as_str);
        let Some(name) = name else {
            return Err(BuildError::Manifest { path, cause: "it has no `package.name`".into() });
        };
        if self.closure.members.contains_key(name) {
            return Ok(());
        }
        let Some(entry) = self.lock.folder_package(name) else {
            let cause = format!("`Cargo.lock` does not list `{name}`; run `cargo generate-lockfile`");
            return Err(BuildError::Manifest { path, cause });
        };
        let inherited = self.inherited(&manifest);
        let member = Member { dir: dir.to_owned(), version: entry.version.clone(), inherited };
        self.closure.members.insert(name.to_owned(), member);
        for (key, spec) in dependencies(&manifest) {
            let (real, folder) = self.resolve(dir, key, spec);
            // An optional dependency that nobody enabled is not in the lock file, and not in the component.
            let wanted = entry.dependencies.iter().filter(|d| d.split(' ').next() == Some(real.as_str()));
            match folder {
                Some(folder) if wanted.clone().next().is_some() => self.member(&folder)?,
                Some(_) => {}
                None => wanted.for_each(|d| self.registry(d)),
            }
        }
        Ok(())
    }

    fn registry(&mut self, reference: &str) {
        let Some(entry) = self.lock.find(reference) else { return };
        // A package from git has no checksum; its source ends with the commit.
        let pin =
            if entry.checksum.is_empty() { entry.source.as_deref() } else { Some(entry.checksum.as_str()) };
        let line = format!("{} {} {}", entry.name, entry.version, pin.unwrap_or_default());
        if self.closure.locked.insert(line) {
            entry.dependencies.iter().for_each(|d| self.registry(d));
        }
    }

    /// A dependency's package name, and its folder when it has one.
    fn resolve(&self, dir: &Path, key: &str, spec: &Value) -> (String, Option<PathBuf>) {
        let (base, spec) = match self.shared(key, spec) {
            Some(shared) => (self.workspace.root.as_path(), shared),
            None => (dir, spec),
        };
        let real = spec.get("package").and_then(Value::as_str).unwrap_or(key).to_owned();
        let folder = spec.get("path").and_then(Value::as_str).map(|p| tidy(&base.join(p)));
        (real, folder)
    }

    /// The workspace's own words about a dependency that is inherited.
    fn shared(&self, key: &str, spec: &Value) -> Option<&Value> {
        spec.get("workspace").and_then(Value::as_bool).filter(|inherits| *inherits)?;
        self.workspace.manifest.get("workspace")?.get("dependencies")?.get(key)
    }

    /// The parts of the workspace's manifest that change this package's code.
    fn inherited(&self, manifest: &Table) -> Vec<String> {
        let mut lines = Vec::new();
        let shared = self.workspace.manifest.get("workspace").and_then(|w| w.get("package"));
        for key in ["version", "edition"] {
            let inherits = manifest.get("package").and_then(|p| p.get(key)).is_some_and(Value::is_table);
            if let Some(value) = shared.and_then(|s| s.get(key)).filter(|_| inherits) {
                lines.push(format!("package.{key} = {value}"));
            }
        }
        for (key, spec) in dependencies(manifest) {
            lines.extend(self.shared(key, spec).map(|value| format!("dependencies.{key} = {value}")));
        }
        lines.sort();
        lines.dedup();
        lines
    }
}

/// Normal and build dependencies, also those of single targets; never those of tests.
fn dependencies(manifest: &Table) -> Vec<(&str, &Value)> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let tables = std::iter::once(manifest)
        .chain(targets.into_iter().flat_map(Table::values).filter_map(Value::as_table));
    tables
        .flat_map(|t| ["dependencies", "build-dependencies"].into_iter().filter_map(|k| t.get(k)))
        .filter_map(Value::as_table)
        .flat_map(|t| t.iter().map(|(k, v)| (k.as_str(), v)))
        .collect()
}

/// A path without `..` and `.`, by its text: the folders are cargo's business.
pub(crate) fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                tidy.pop();
            }
            other => tidy.push(other),
        }
    }
    tidy
}
