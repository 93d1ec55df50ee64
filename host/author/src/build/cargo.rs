//! Runs `cargo build` for one guest and finds the module it made. Must not know components.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::BuildError;
use super::toolchain::{TARGET, Toolchain};
use super::workspace::Guest;
use crate::machine::{Call, Machine, Progress};

/// Compiles `guest` and returns the path of its core module.
pub(crate) fn compile(
    machine: &dyn Machine,
    toolchain: &Toolchain,
    guest: &Guest,
    target_dir: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<PathBuf, BuildError> {
    let call = command(machine, toolchain, guest, target_dir);
    let finished = machine
        .run(&call, &mut |line| progress(Progress::Output(line.to_owned())))
        .map_err(|cause| BuildError::Start { program: call.program.display().to_string(), cause })?;
    if !finished.ok() {
        return Err(BuildError::Compile { package: guest.package.clone(), output: finished.stderr });
    }
    module(&finished.stdout, &guest.dir.join("Cargo.toml"))
        .ok_or_else(|| BuildError::NoModule { package: guest.package.clone() })
}

fn command(machine: &dyn Machine, toolchain: &Toolchain, guest: &Guest, target_dir: &Path) -> Call {
    let mut call = Call::new(&toolchain.cargo)
        .args(["build", "--target", TARGET, "--profile", guest.workspace.profile()])
        .args(["--message-format", "json-render-diagnostics"])
        .args([OsString::from("--manifest-path"), guest.dir.join("Cargo.toml").into()])
        .args([OsString::from("--target-dir"), target_dir.into()])
        .args(toolchain.args.iter().cloned())
        .env("CARGO_ENCODED_RUSTFLAGS", flags(machine, toolchain))
        .dir(&guest.workspace.root);
    if guest.workspace.is_first_party() {
        call = call.args(["--locked"]);
    }
    for (name, value) in &toolchain.env {
        call = call.env(name, value);
    }
    call
}

/// Compiler flags. They replace the user's own (`-C target-cpu=native` means nothing for Wasm) and keep the folders of
/// this machine out of panic messages, and so out of the component.
fn flags(machine: &dyn Machine, toolchain: &Toolchain) -> OsString {
    let home = machine.variable("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| machine.variable("HOME").map(|h| Path::new(&h).join(".cargo")));
    let renamed = [(home, "/cargo"), (toolchain.std_source.clone(), "/rustc")];
    let mut flags = OsString::new();
    for (path, name) in renamed {
        let Some(path) = path else { continue };
        if !flags.is_empty() {
            flags.push("\u{1f}");
        }
        flags.push("--remap-path-prefix=");
        flags.push(path);
        flags.push("=");
        flags.push(name);
    }
    flags
}

/// The part of cargo's messages that is needed.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    manifest_path: PathBuf,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// The `.wasm` among the artifacts of the package at `manifest`.
fn module(messages: &str, manifest: &Path) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok())
        .filter(|m| m.reason == "compiler-artifact" && m.manifest_path == manifest)
        .flat_map(|m| m.filenames)
        .find(|f| f.extension().is_some_and(|e| e == "wasm"))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::fs;
    use std::io;

    use super::*;
    use crate::machine::Finished;

    /// A cargo that says one thing.
    struct Cargo {
        answer: Finished,
        call: RefCell<Option<Call>>,
    }

    impl Machine for Cargo {
        fn run(&self, call: &Call, line: &mut dyn FnMut(&str)) -> io::Result<Finished> {
            *self.call.borrow_mut() = Some(call.clone());
            self.answer.stderr.lines().for_each(line);
            Ok(self.answer.clone())
        }

        fn exists(&self, _: &Path) -> bool {
            false
        }

        fn variable(&self, name: &str) -> Option<String> {
            (name == "HOME").then(|| "/home/me".to_owned())
        }
    }

    fn toolchain() -> Toolchain {
        Toolchain {
            origin: String::new(),
            rustc_version: "rustc 1.96.0".into(),
            cargo: "/usr/bin/cargo".into(),
            args: vec!["-Zbuild-std=std,panic_abort".into()],
            env: vec![("RUSTC".into(), "/usr/bin/rustc".into())],
            std_source: Some("/src".into()),
        }
    }

    fn build(answer: Finished) -> (Result<PathBuf, BuildError>, Call, Vec<Progress>) {
        let dir = tempfile::tempdir().unwrap();
        fs::write(
            dir.path().join("Cargo.toml"),
            "[package]\nname = \"x\"\n[lib]\ncrate-type = [\"cdylib\"]\n[workspace]\n",
        )
        .unwrap();
        let mut guest = Guest::at(dir.path()).unwrap();
        guest.dir = "/g".into();
        let cargo = Cargo { answer, call: RefCell::default() };
        let mut said = Vec::new();
        let result = compile(&cargo, &toolchain(), &guest, Path::new("/t"), &mut |p| said.push(p));
        (result, cargo.call.into_inner().unwrap(), said)
    }

    const MESSAGES: &str = concat!(
        r#"{"reason":"compiler-artifact","manifest_path":"/other/Cargo.toml","filenames":["/t/other.wasm"]}"#,
        "\n",
        r#"{"reason":"build-script-executed","package_id":"x"}"#,
        "\nnot json\n",
        r#"{"reason":"compiler-artifact","manifest_path":"/g/Cargo.toml","filenames":["/t/libx.rlib","/t/x.wasm"]}"#,
        "\n",
        r#"{"reason":"build-finished","success":true}"#,
    );

    #[test]
    fn the_module_of_the_asked_package_is_found() {
        let (result, call, _) =
            build(Finished { code: Some(0), stdout: MESSAGES.into(), stderr: String::new() });
        assert_eq!(result.unwrap(), Path::new("/t/x.wasm"));
        let shown = call.shown();
        for part in ["--target wasm32-unknown-unknown", "--profile release", "--target-dir /t", "-Zbuild-std"]
        {
            assert!(shown.contains(part), "`{part}` is missing in `{shown}`");
        }
        assert!(!shown.contains("--locked"), "an author's lock file may be written");
        let flags =
            call.env.iter().find(|(n, _)| n == "CARGO_ENCODED_RUSTFLAGS").unwrap().1.to_str().unwrap();
        assert_eq!(flags, "--remap-path-prefix=/home/me/.cargo=/cargo\u{1f}--remap-path-prefix=/src=/rustc");
    }

    #[test]
    fn a_compile_error_is_shown_as_cargo_wrote_it() {
        let stderr = "error[E0425]: cannot find value `x`\n --> src/lib.rs:1:1\n";
        let (result, _, said) =
            build(Finished { code: Some(101), stdout: String::new(), stderr: stderr.into() });
        assert!(result.unwrap_err().to_string().ends_with(stderr));
        assert_eq!(said.len(), 2);
    }

    #[test]
    fn a_build_without_a_module_says_how_to_get_one() {
        let (result, ..) = build(Finished { code: Some(0), ..Finished::default() });
        assert!(result.unwrap_err().to_string().contains("cdylib"));
    }
}
