//! What changes the digest of a small workspace, and what does not.

use std::path::PathBuf;

use super::*;

struct House {
    _dir: tempfile::TempDir,
    root: PathBuf,
}

const LOCK: &str = r#"
version = 4
[[package]]
name = "benchhost-sdk"
version = "0.3.0"
dependencies = ["json", "tester"]
[[package]]
name = "engine-x"
version = "0.3.0"
dependencies = ["benchhost-sdk"]
[[package]]
name = "json"
version = "1.0.0"
source = "registry"
checksum = "aa"
dependencies = ["deep"]
[[package]]
name = "deep"
version = "2.0.0"
source = "registry"
checksum = "bb"
dependencies = ["forge"]
[[package]]
name = "forge"
version = "1.0.0"
source = "git+https://forge.example/forge#aaaa1111"
[[package]]
name = "tester"
version = "9.0.0"
source = "registry"
checksum = "cc"
[[package]]
name = "stranger"
version = "1.0.0"
source = "registry"
checksum = "dd"
"#;

impl House {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let house = Self { root: fs::canonicalize(dir.path()).unwrap(), _dir: dir };
        house.write(
            "Cargo.toml",
            "[workspace]\n[workspace.package]\nversion = \"0.3.0\"\n[workspace.dependencies]\njson = \"1\"\n\
             benchhost-sdk = { path = \"plugins/sdk\" }\nstranger = \"1\"\n[profile.guest]\nopt-level = \"s\"\n",
        );
        house.write("Cargo.lock", LOCK);
        house.write("wit/engine.wit", "interface engine {}\n");
        house.write(
            "plugins/sdk/Cargo.toml",
            "[package]\nname = \"benchhost-sdk\"\nversion.workspace = true\n[dependencies]\njson.workspace = true\n\
             [dev-dependencies]\ntester = \"9\"\n",
        );
        house.write("plugins/sdk/src/lib.rs", "pub fn f() {}\n");
        house.write(
            "plugins/x/Cargo.toml",
            "[package]\nname = \"engine-x\"\nversion.workspace = true\n[lib]\ncrate-type = [\"cdylib\"]\n\
             [dependencies]\nbenchhost-sdk.workspace = true\n",
        );
        house.write("plugins/x/src/lib.rs", "use benchhost_sdk::f;\n");
        house
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn replace(&self, path: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.root.join(path)).unwrap();
        assert!(text.contains(from));
        self.write(path, &text.replace(from, to));
    }

    fn digest(&self) -> SourceDigest {
        digest(&Guest::at(&self.root.join("plugins/x")).unwrap()).unwrap()
    }
}

/// Whether `change` moves the digest.
fn moves(change: impl FnOnce(&House)) -> bool {
    let house = House::new();
    let before = house.digest();
    assert_eq!(before, house.digest(), "the same sources give the same digest");
    change(&house);
    before.sha256 != house.digest().sha256
}

#[test]
fn the_digest_names_the_sdk() {
    let digest = House::new().digest();
    assert_eq!(digest.sdk, "0.3.0");
    assert_eq!(digest.sha256.len(), 64);
}

#[test]
fn sources_manifests_data_and_contract_count() {
    assert!(moves(|h| h.write("plugins/x/src/lib.rs", "use benchhost_sdk::f as g;\n")));
    assert!(moves(|h| h.write("plugins/x/src/more.rs", "")));
    assert!(moves(|h| h.write("plugins/x/data/words.txt", "one\n")));
    assert!(moves(|h| h.write("plugins/sdk/src/lib.rs", "pub fn f() { }\n")));
    assert!(moves(|h| h.write("wit/engine.wit", "interface engine { }\n")));
    assert!(moves(|h| h.write("wit/more.wit", "")));
    assert!(moves(|h| h.replace("plugins/x/Cargo.toml", "[lib]", "[lib]\nname = \"x\"")));
}

#[test]
fn the_locked_closure_counts_but_not_strangers_and_test_tools() {
    assert!(moves(|h| h.replace("Cargo.lock", "\"aa\"", "\"ab\"")));
    assert!(moves(|h| h.replace("Cargo.lock", "2.0.0", "2.0.1")));
    assert!(moves(|h| h.replace("Cargo.lock", "#aaaa1111", "#aaaa2222")));
    assert!(!moves(|h| h.replace("Cargo.lock", "\"dd\"", "\"de\"")));
    assert!(!moves(|h| h.replace("Cargo.lock", "9.0.0", "9.0.1")));
}

#[test]
fn what_the_workspace_adds_counts() {
    assert!(moves(|h| h.replace("Cargo.toml", "\"s\"", "3")));
    assert!(moves(|h| h.replace(
        "Cargo.toml",
        "json = \"1\"",
        "json = { version = \"1\", features = [\"f\"] }"
    )));
    assert!(moves(|h| h.replace("Cargo.toml", "0.3.0", "0.3.1")));
    assert!(!moves(|h| h.replace("Cargo.toml", "stranger = \"1\"", "stranger = \"2\"")));
}

#[test]
fn documents_tests_build_output_and_line_ends_do_not_count() {
    assert!(!moves(|h| h.write("plugins/x/README.md", "words")));
    assert!(!moves(|h| h.write("plugins/x/tests/replay.rs", "fn main() {}")));
    assert!(!moves(|h| h.write("plugins/x/fixtures/a.http", "HTTP/1.1 200 OK")));
    assert!(!moves(|h| h.write("plugins/x/target/x", "")));
    assert!(!moves(|h| h.write("plugins/x.wasm", "")));
    assert!(!moves(|h| h.write("plugins/x/src/lib.rs", "use benchhost_sdk::f;\r\n")));
    assert!(!moves(|h| h.write("plugins/x/.gitignore", "/target")));
}

#[test]
fn a_lock_file_that_does_not_know_the_guest_is_an_error_with_a_hint() {
    let house = House::new();
    house.replace("Cargo.lock", "engine-x", "engine-y");
    let guest = Guest::at(&house.root.join("plugins/x")).unwrap();
    let text = digest(&guest).unwrap_err().to_string();
    assert!(text.contains("cargo generate-lockfile"), "{text}");
}
