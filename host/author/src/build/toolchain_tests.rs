//! The search against scripted machines: each has files and answers, and remembers what it was asked.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;

use super::*;

/// A machine on paper. A command without an answer does not exist.
#[derive(Default)]
struct Script {
    files: RefCell<BTreeSet<PathBuf>>,
    answers: Vec<(&'static str, i32, &'static str, &'static str)>,
    /// When this command ran well, these files exist.
    installs: Vec<(&'static str, Vec<&'static str>)>,
    asked: RefCell<Vec<String>>,
}

impl Script {
    fn file(self, path: &str) -> Self {
        self.files.borrow_mut().insert(path.into());
        self
    }

    fn says(mut self, command: &'static str, code: i32, stdout: &'static str, stderr: &'static str) -> Self {
        self.answers.push((command, code, stdout, stderr));
        self
    }

    fn installs(mut self, command: &'static str, files: &[&'static str]) -> Self {
        self.installs.push((command, files.to_vec()));
        self
    }

    fn rustup_toolchain(self) -> Self {
        self.says("rustc --print sysroot", 0, "/tc\n", "").says(
            "rustc -vV",
            0,
            "rustc 1.95.0 (abc)\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\n",
            "",
        )
    }

    fn find(&self) -> Result<Toolchain, BuildError> {
        find(self, Path::new("/crate"), &mut |_| {})
    }

    fn was_asked(&self, prefix: &str) -> bool {
        self.asked.borrow().iter().any(|c| c.starts_with(prefix))
    }
}

impl Machine for Script {
    fn run(&self, call: &Call, _: &mut dyn FnMut(&str)) -> io::Result<Finished> {
        let shown = call.shown();
        self.asked.borrow_mut().push(shown.clone());
        let Some((command, code, stdout, stderr)) = self.answers.iter().find(|(c, ..)| shown == *c) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        if *code == 0 {
            for (_, files) in self.installs.iter().filter(|(c, _)| c == command) {
                self.files.borrow_mut().extend(files.iter().map(PathBuf::from));
            }
        }
        let code = (*code >= 0).then_some(*code);
        Ok(Finished { code, stdout: (*stdout).into(), stderr: (*stderr).into() })
    }

    fn exists(&self, path: &Path) -> bool {
        self.files.borrow().contains(path)
    }

    fn variable(&self, _: &str) -> Option<String> {
        None
    }
}

const TARGET_LIB: &str = "/tc/lib/rustlib/wasm32-unknown-unknown/lib";
const RUST_LLD: &str = "/tc/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld";
const ADD: &str = "rustup target add wasm32-unknown-unknown";
const SOURCE: &str = "/usr/lib/rustlib/src/rust/library/Cargo.toml";
const APT: &str = "apt-get install -y --no-install-recommends rustc-web cargo-web rust-web-src";

#[test]
fn an_installed_target_is_used_and_nothing_is_fetched() {
    let machine = Script::default().rustup_toolchain().file(TARGET_LIB);
    let found = machine.find().unwrap();
    assert_eq!(found.cargo, Path::new("cargo"));
    assert_eq!(found.rustc_version, "rustc 1.95.0 (abc)");
    assert!(found.args.is_empty() && found.env.is_empty());
    assert!(!machine.was_asked("rustup") && !machine.was_asked("apt-get"));
}

#[test]
fn a_missing_target_is_added_with_rustup() {
    let machine = Script::default().rustup_toolchain().says(ADD, 0, "", "").installs(ADD, &[TARGET_LIB]);
    let found = machine.find().unwrap();
    assert!(found.args.is_empty());
    assert!(!machine.was_asked("apt-get"));
}

#[test]
fn rustup_that_claims_success_without_a_target_is_not_believed() {
    let machine = Script::default().rustup_toolchain().says(ADD, 0, "", "");
    let text = machine.find().unwrap_err().to_string();
    assert!(text.contains("did not appear"), "{text}");
}

#[test]
fn debian_compiles_the_standard_library_when_rustup_cannot() {
    let machine = Script::default()
        .rustup_toolchain()
        .says(ADD, 1, "", "error: could not download\n")
        .file(RUST_LLD)
        .file(SOURCE)
        .file("/usr/bin/cargo")
        .says("/usr/bin/rustc -V", 0, "rustc 1.96.0 (built from a source tarball)\n", "");
    let found = machine.find().unwrap();
    assert_eq!(found.cargo, Path::new("/usr/bin/cargo"));
    assert_eq!(found.args, ["-Zbuild-std=std,panic_abort"]);
    let value = |name: &str| found.env.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    assert_eq!(value("RUSTC").unwrap(), "/usr/bin/rustc");
    assert_eq!(value("RUSTC_BOOTSTRAP").unwrap(), "1");
    assert_eq!(value("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER").unwrap(), RUST_LLD);
    assert!(!machine.was_asked("apt-get"));
}

#[test]
fn an_active_toolchain_with_its_own_source_needs_no_packages() {
    let machine = Script::default()
        .rustup_toolchain()
        .file(RUST_LLD)
        .file("/tc/lib/rustlib/src/rust/library/Cargo.toml");
    let found = machine.find().unwrap();
    assert_eq!(found.cargo, Path::new("cargo"));
    assert!(found.env.iter().all(|(n, _)| n != "RUSTC"));
}

#[test]
fn root_on_debian_installs_the_packages() {
    let machine = Script::default()
        .rustup_toolchain()
        .says(ADD, -1, "", "")
        .file(RUST_LLD)
        .file("/etc/debian_version")
        .file("/usr/bin/apt-get")
        .says("id -u", 0, "0\n", "")
        .says("apt-get update", 0, "", "")
        .says(APT, 0, "", "")
        .installs(APT, &[SOURCE, "/usr/bin/cargo"])
        .says("/usr/bin/rustc -V", 0, "rustc 1.96.0\n", "");
    assert_eq!(machine.find().unwrap().cargo, Path::new("/usr/bin/cargo"));
}

#[test]
fn a_user_who_is_not_root_is_told_the_ways() {
    let machine = Script::default()
        .rustup_toolchain()
        .says(ADD, 1, "", "error: no network\n")
        .file(RUST_LLD)
        .file("/etc/debian_version")
        .file("/usr/bin/apt-get")
        .says("id -u", 0, "1000\n", "");
    let text = machine.find().unwrap_err().to_string();
    for part in ["error: no network", "needs root", "rustup target add", "rust-web-src"] {
        assert!(text.contains(part), "`{part}` is missing in: {text}");
    }
    assert!(!machine.was_asked("apt-get"));
}

#[test]
fn a_debian_compiler_that_is_too_old_is_not_used() {
    let machine = Script::default()
        .rustup_toolchain()
        .file(RUST_LLD)
        .file(SOURCE)
        .file("/usr/bin/cargo")
        .says("/usr/bin/rustc -V", 0, "rustc 1.63.0\n", "");
    let text = machine.find().unwrap_err().to_string();
    assert!(text.contains("older than 1.95"), "{text}");
}

#[test]
fn a_machine_without_any_rust_gets_an_explanation() {
    let text = Script::default().find().unwrap_err().to_string();
    assert!(text.contains("none that runs"), "{text}");
    assert!(text.contains("rustup target add"), "{text}");
}
