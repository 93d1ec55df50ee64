//! Finds a Rust that compiles to `wasm32-unknown-unknown`, and gets one where it may.
//!
//! In order: the active toolchain's installed target; `rustup target add`; the standard library's source beside the
//! active toolchain or beside Debian's `rustc-web`, compiled with `-Zbuild-std`; Debian's packages through `apt-get`
//! when running as root. Must not know which crate is going to be compiled.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::BuildError;
use crate::machine::{Call, Finished, Machine, Progress};

/// The target of every guest.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Oldest compiler the guests accept, as `(major, minor)`; `rust-version` in the workspace says the same.
const OLDEST: (u32, u32) = (1, 95);

/// Debian's compiler for browsers, its cargo, and the source of its standard library. All three are needed: a standard
/// library compiles only with the compiler it belongs to.
const DEBIAN_PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];

/// How long `rustup target add` may take. Without a network it fails by itself, but slowly.
const RUSTUP_LIMIT: Duration = Duration::from_secs(90);

/// How long `apt-get` may take for one step.
const APT_LIMIT: Duration = Duration::from_mins(10);

/// What people can do when nothing was found.
pub(crate) const WAYS: &str = "any of these helps:
  - `rustup target add wasm32-unknown-unknown` (needs rustup and its download host)
  - `rustup component add rust-src` (the standard library is then compiled with the guest)
  - on Debian, as root: `apt-get install rustc-web cargo-web rust-web-src`";

/// A compiler that was found, and how cargo has to be called to use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toolchain {
    /// How it was found, for people.
    pub origin: String,
    /// `rustc -V` of it.
    pub rustc_version: String,
    /// The cargo that belongs to it.
    pub cargo: PathBuf,
    /// Arguments that `cargo build` needs in addition.
    pub args: Vec<OsString>,
    /// Variables that `cargo build` needs.
    pub env: Vec<(OsString, OsString)>,
    /// Where the standard library's source lies when it is compiled too; its path is kept out of the components.
    pub std_source: Option<PathBuf>,
}

/// Finds a toolchain. `dir` is where cargo will run: a `rust-toolchain.toml` there counts.
pub fn find(
    machine: &dyn Machine,
    dir: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Toolchain, BuildError> {
    let mut search = Search { machine, dir, progress, attempts: Vec::new() };
    let active = search.active();
    if let Some(found) = active.as_ref().and_then(|a| search.installed_target(a)) {
        return Ok(found);
    }
    if let Some(found) = active.as_ref().and_then(|a| search.added_target(a)) {
        return Ok(found);
    }
    if let Some(found) = active.as_ref().and_then(|a| search.active_source(a)) {
        return Ok(found);
    }
    let linker = search.linker(active.as_ref());
    if let Some(found) = linker.as_ref().and_then(|l| search.debian(l)) {
        return Ok(found);
    }
    if search.install_debian(linker.is_none())
        && let Some(found) = search.linker(active.as_ref()).and_then(|l| search.debian(&l))
    {
        return Ok(found);
    }
    Err(BuildError::NoToolchain { attempts: search.attempts })
}

/// The `rustc` in `PATH`.
struct Active {
    sysroot: PathBuf,
    version: String,
    host: String,
}

struct Search<'a> {
    machine: &'a dyn Machine,
    dir: &'a Path,
    progress: &'a mut dyn FnMut(Progress),
    attempts: Vec<String>,
}

impl Search<'_> {
    fn ask(&mut self, call: &Call) -> Option<Finished> {
        let call = if call.dir.is_some() { call.clone() } else { call.clone().dir(self.dir) };
        self.machine.run(&call, &mut |_| {}).ok()
    }

    fn active(&mut self) -> Option<Active> {
        let sysroot = self.ask(&Call::new("rustc").args(["--print", "sysroot"])).filter(Finished::ok);
        let verbose = self.ask(&Call::new("rustc").args(["-vV"])).filter(Finished::ok);
        let (Some(sysroot), Some(verbose)) = (sysroot, verbose) else {
            self.attempts.push("`rustc` in `PATH`: none that runs".into());
            return None;
        };
        let host = verbose.stdout.lines().find_map(|l| l.strip_prefix("host: "))?.trim().to_owned();
        let version = verbose.stdout.lines().next()?.trim().to_owned();
        Some(Active { sysroot: PathBuf::from(sysroot.stdout.trim()), version, host })
    }

    fn has_target(&self, active: &Active) -> bool {
        self.machine.exists(&active.sysroot.join("lib/rustlib").join(TARGET).join("lib"))
    }

    fn installed_target(&mut self, active: &Active) -> Option<Toolchain> {
        if !self.has_target(active) {
            self.attempts.push(format!("the active toolchain (`{}`): no target `{TARGET}`", active.version));
            return None;
        }
        Some(Toolchain {
            origin: format!("the active toolchain's target `{TARGET}`"),
            rustc_version: active.version.clone(),
            cargo: "cargo".into(),
            args: Vec::new(),
            env: Vec::new(),
            std_source: None,
        })
    }

    fn added_target(&mut self, active: &Active) -> Option<Toolchain> {
        let call = Call::new("rustup").args(["target", "add", TARGET]).limit(RUSTUP_LIMIT);
        (self.progress)(Progress::Step(format!("adding the Wasm target: `{}`", call.shown())));
        let outcome = match self.ask(&call) {
            None => "rustup is not installed".to_owned(),
            Some(done) if !done.ok() => last_line(&done),
            Some(_) if !self.has_target(active) => {
                "the target did not appear in the active toolchain".to_owned()
            }
            Some(_) => return self.installed_target(active),
        };
        self.attempts.push(format!("`{}`: {outcome}", call.shown()));
        None
    }

    /// The active toolchain has the standard library's source (`rustup component add rust-src`).
    fn active_source(&mut self, active: &Active) -> Option<Toolchain> {
        let source = active.sysroot.join("lib/rustlib/src/rust");
        if !self.machine.exists(&source.join("library/Cargo.toml")) {
            self.attempts
                .push("the active toolchain: no `rust-src` to compile the standard library from".into());
            return None;
        }
        let linker = self.linker(Some(active))?;
        Some(build_std(
            "the active toolchain's `rust-src`",
            &active.version,
            ("cargo", None),
            &linker,
            source,
        ))
    }

    fn debian(&mut self, linker: &Path) -> Option<Toolchain> {
        let rustc = Path::new("/usr/bin/rustc");
        let source = PathBuf::from("/usr/lib/rustlib/src/rust");
        let version = match self.ask(&Call::new(rustc).args(["-V"])) {
            Some(done) if done.ok() => done.stdout.trim().to_owned(),
            _ => {
                self.attempts.push("`/usr/bin/rustc`: none that runs".into());
                return None;
            }
        };
        let cause = if parse_version(&version).is_none_or(|v| v < OLDEST) {
            format!("`{version}` is older than {}.{}", OLDEST.0, OLDEST.1)
        } else if !self.machine.exists(&source.join("library/Cargo.toml")) {
            "its standard library's source is missing (package `rust-web-src`)".into()
        } else if !self.machine.exists(Path::new("/usr/bin/cargo")) {
            "its cargo is missing (package `cargo-web`)".into()
        } else {
            let tools = ("/usr/bin/cargo", Some("/usr/bin/rustc"));
            return Some(build_std(
                "Debian's `rustc-web` with `rust-web-src`",
                &version,
                tools,
                linker,
                source,
            ));
        };
        self.attempts.push(format!("`/usr/bin/rustc`: {cause}"));
        None
    }

    /// A linker for Wasm: the one inside the active toolchain, else LLVM's. Debian's compiler has none of its own.
    fn linker(&mut self, active: Option<&Active>) -> Option<PathBuf> {
        let inside = active.map(|a| a.sysroot.join("lib/rustlib").join(&a.host).join("bin/rust-lld"));
        let plain = ["/usr/bin/rust-lld".to_owned(), "/usr/bin/wasm-ld".to_owned()];
        let numbered = (19..=24).rev().map(|n| format!("/usr/bin/wasm-ld-{n}"));
        let outside = plain.into_iter().chain(numbered).map(PathBuf::from);
        let found = inside.into_iter().chain(outside).find(|p| self.machine.exists(p));
        if found.is_none() {
            self.attempts
                .push("a linker for Wasm (`rust-lld`, `wasm-ld`): none; package `lld-22` has one".into());
        }
        found
    }

    /// Installs Debian's packages. False where that is impossible or failed.
    fn install_debian(&mut self, needs_linker: bool) -> bool {
        if !self.machine.exists(Path::new("/etc/debian_version"))
            || !self.machine.exists(Path::new("/usr/bin/apt-get"))
        {
            return false;
        }
        let root = self.ask(&Call::new("id").args(["-u"])).is_some_and(|done| done.stdout.trim() == "0");
        if !root {
            self.attempts.push(format!("`apt-get install {}`: needs root", DEBIAN_PACKAGES.join(" ")));
            return false;
        }
        let update = Call::new("apt-get").args(["update"]);
        let install = Call::new("apt-get")
            .args(["install", "-y", "--no-install-recommends"])
            .args(DEBIAN_PACKAGES)
            .args(needs_linker.then_some("lld-22"))
            .env("DEBIAN_FRONTEND", "noninteractive");
        for call in [update, install] {
            let call = call.limit(APT_LIMIT);
            (self.progress)(Progress::Step(format!("installing a Wasm compiler: `{}`", call.shown())));
            let cause = match self.ask(&call) {
                Some(done) if done.ok() => continue,
                Some(done) => last_line(&done),
                None => "it does not start".into(),
            };
            self.attempts.push(format!("`{}`: {cause}", call.shown()));
            return false;
        }
        true
    }
}

/// A toolchain that compiles the standard library together with the guest. `-Z` flags are open to a stable compiler
/// with `RUSTC_BOOTSTRAP=1` only.
fn build_std(
    origin: &str,
    version: &str,
    (cargo, rustc): (&str, Option<&str>),
    linker: &Path,
    source: PathBuf,
) -> Toolchain {
    let mut env: Vec<(OsString, OsString)> = vec![
        ("RUSTC_BOOTSTRAP".into(), "1".into()),
        ("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER".into(), linker.into()),
    ];
    env.extend(rustc.map(|r| ("RUSTC".into(), r.into())));
    Toolchain {
        origin: format!("{origin}, standard library compiled from source"),
        rustc_version: version.to_owned(),
        cargo: cargo.into(),
        args: vec!["-Zbuild-std=std,panic_abort".into()],
        env,
        std_source: Some(source),
    }
}

/// `(major, minor)` of a line such as `rustc 1.96.0 (…)`.
fn parse_version(line: &str) -> Option<(u32, u32)> {
    let mut parts = line.split_whitespace().nth(1)?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn last_line(done: &Finished) -> String {
    let line = done.stderr.lines().rev().find(|l| !l.trim().is_empty());
    match (done.code, line) {
        (None, _) => "it was stopped after its time limit".into(),
        (_, Some(line)) => line.trim().to_owned(),
        (Some(code), None) => format!("exit code {code}"),
    }
}

#[cfg(test)]
#[path = "toolchain_tests.rs"]
mod tests;
