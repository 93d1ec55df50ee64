//! `benchhost plugin build`: a crate in, a component out; and the check that committed components are those of the
//! present sources.

mod cargo;
mod closure;
mod digest;
mod error;
mod toolchain;
mod verify;
mod workspace;
mod wrap;

use std::fs;
use std::path::{Path, PathBuf};

pub use digest::{SourceDigest, digest};
pub use error::BuildError;
pub use toolchain::{TARGET, Toolchain, find as find_toolchain};
pub use verify::stale;
pub use workspace::{Guest, Workspace};
pub use wrap::{SECTION, Source, read_source, wrap};

use crate::machine::{Machine, Progress};

/// What is to be built.
#[derive(Debug, Clone, Default)]
pub struct BuildRequest {
    /// Where the user stands.
    pub start: PathBuf,
    /// Folders of crates, relative to `start`. Empty: all first-party guests when `start` is inside the benchhost
    /// workspace, else the crate at or above `start`.
    pub crates: Vec<PathBuf>,
    /// Write nothing; compare committed components with the sources, rebuild, and replay fixtures through both.
    pub check: bool,
    /// Where the component goes, instead of its usual place. For one crate.
    pub out: Option<PathBuf>,
    /// Cargo's target directory, instead of `target/guest` of the workspace.
    pub target_dir: Option<PathBuf>,
}

/// One component that was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The package.
    pub package: String,
    /// The component's file.
    pub out: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// What it was made from.
    pub source: Source,
}

/// One committed component that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The component below the workspace root.
    pub label: String,
    /// Fixtures replayed through the committed and the rebuilt component.
    pub fixtures: usize,
    /// The rebuilt component has the very same bytes. It need not: another compiler gives other bytes.
    pub same_bytes: bool,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildReport {
    /// The compiler, for people.
    pub toolchain: String,
    /// What was written; empty when checking.
    pub built: Vec<Built>,
    /// What was checked; empty when building.
    pub verified: Vec<Verified>,
}

/// Builds, or checks what was built.
pub fn build(
    request: &BuildRequest,
    machine: &dyn Machine,
    progress: &mut dyn FnMut(Progress),
) -> Result<BuildReport, BuildError> {
    let guests = chosen(request)?;
    if request.out.is_some() && guests.len() != 1 {
        return Err(BuildError::OneOutput { count: guests.len() });
    }
    if request.check {
        // Before a compiler is looked for: this answer takes milliseconds.
        let list = verify::stale(&guests)?;
        if !list.is_empty() {
            return Err(BuildError::Stale { list });
        }
    }
    let dir = guests.first().map_or(request.start.as_path(), |g| g.dir.as_path());
    let toolchain = find_toolchain(machine, dir, progress)?;
    progress(Progress::Step(format!("compiler: {} ({})", toolchain.rustc_version, toolchain.origin)));
    let mut report =
        BuildReport { toolchain: toolchain.rustc_version.clone(), built: Vec::new(), verified: Vec::new() };
    let mut rebuilt = Vec::new();
    for guest in &guests {
        progress(Progress::Step(format!("building {}", guest.package)));
        let target_dir = request.target_dir.clone().unwrap_or_else(|| guest.workspace.target_dir());
        let (component, source) = component(machine, &toolchain, guest, &target_dir, progress)?;
        if request.check {
            rebuilt.push(component);
            continue;
        }
        let out = request.out.as_ref().map_or_else(|| guest.output(), |o| request.start.join(o));
        replace(&out, &component)?;
        let built = Built { package: guest.package.clone(), out, size: component.len() as u64, source };
        progress(Progress::Step(format!("wrote {} ({} bytes)", built.out.display(), built.size)));
        report.built.push(built);
    }
    if request.check {
        report.verified = verify::compare(&guests, &rebuilt, progress)?;
    }
    Ok(report)
}

/// The guests that a request means.
fn chosen(request: &BuildRequest) -> Result<Vec<Guest>, BuildError> {
    if !request.crates.is_empty() {
        return request.crates.iter().map(|c| Guest::at(&request.start.join(c))).collect();
    }
    let nothing = || BuildError::NothingToBuild { path: request.start.clone() };
    let nearest = request.start.ancestors().find(|d| d.join("Cargo.toml").is_file()).ok_or_else(nothing)?;
    if let Ok(guest) = Guest::at(nearest) {
        return Ok(vec![guest]);
    }
    let workspace = Workspace::above(nearest)?;
    if !workspace.is_first_party() {
        return Err(nothing());
    }
    workspace.guests()
}

fn component(
    machine: &dyn Machine,
    toolchain: &Toolchain,
    guest: &Guest,
    target_dir: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<(Vec<u8>, Source), BuildError> {
    let path = cargo::compile(machine, toolchain, guest, target_dir, progress)?;
    let module = fs::read(&path).map_err(BuildError::file("read", &path))?;
    // After compiling: cargo writes the lock file of a new crate.
    let SourceDigest { sha256, sdk } = digest(guest)?;
    let source = Source { digest: sha256, sdk, rustc: toolchain.rustc_version.clone() };
    let component =
        wrap(&module, &source).map_err(|cause| BuildError::Wrap { package: guest.package.clone(), cause })?;
    Ok((component, source))
}

/// Writes beside `path` and renames, so that a reader never sees half a component.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    let beside = path.with_extension(format!("wasm.{}", std::process::id()));
    fs::write(&beside, bytes).map_err(BuildError::file("write", &beside))?;
    fs::rename(&beside, path).map_err(|cause| {
        // The rename's error is the one to show.
        let _ = fs::remove_file(&beside);
        BuildError::File { doing: "write", path: path.to_owned(), cause }
    })
}
