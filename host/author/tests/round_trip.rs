//! From nothing to a checked component: `new`, `build`, `check`; and what `check` says when the plugin is then spoilt.
//!
//! Needs a Rust that compiles to WebAssembly, so it runs on request: `cargo test … -- --ignored`.

use std::fs;
use std::path::{Path, PathBuf};

use benchhost_author::Toolbox;
use benchhost_author::build::{BuildRequest, build};
use benchhost_author::check::{Check, CheckReport, CheckRequest, Outcome, check};
use benchhost_author::new::{NewRequest, new};
use benchhost_plugin::{HostConfig, PluginHost, PluginKind, PluginSource};

struct Project {
    _parent: tempfile::TempDir,
    dir: PathBuf,
    host: PluginHost,
}

impl Project {
    fn new(kind: PluginKind) -> Self {
        let parent = tempfile::tempdir().unwrap();
        let made =
            new(&NewRequest { kind, name: "round-trip".into(), parent: parent.path().into() }).unwrap();
        Self { dir: made.dir, _parent: parent, host: PluginHost::new(&HostConfig::default()).unwrap() }
    }

    fn replace(&self, file: &str, from: &str, to: &str) {
        let path = self.dir.join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "`{from}` is not in {file}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    fn report(&self) -> CheckReport {
        let request = BuildRequest {
            start: self.dir.clone(),
            // Where the first-party guests are compiled too: a standard library built from source is there already.
            target_dir: Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/guest")),
            ..BuildRequest::default()
        };
        let report = build(&request, &Toolbox::default(), &mut |_| {}).unwrap();
        assert_eq!(report.built[0].out, self.dir.canonicalize().unwrap().join("round-trip.wasm"));
        check(&CheckRequest::new(PluginSource::File(report.built[0].out.clone())), &self.host)
    }
}

fn failures(report: &CheckReport) -> Vec<&Check> {
    report.items.iter().filter(|i| matches!(i.outcome, Outcome::Fail(_))).collect()
}

#[test]
#[ignore = "needs a Rust that compiles to WebAssembly"]
fn an_engine_passes_until_it_is_spoilt() {
    let project = Project::new(PluginKind::Engine);
    let report = project.report();
    assert_eq!(failures(&report), Vec::<&Check>::new());
    assert_eq!(report.title, "round-trip 0.1.0");
    let replayed = report.items.iter().find(|i| i.name.contains("recorded")).unwrap();
    assert_eq!(replayed.outcome, Outcome::Pass, "the fixtures beside the component are found");

    project.replace("src/decode.rs", "Err(_) => Meaning::default(),", "Err(error) => panic!(\"{error}\"),");
    project.replace("src/lib.rs", "vec![ProbeKind::Ready, ProbeKind::Models]", "vec![ProbeKind::Version]");
    project.replace("src/request.rs", "\"max_tokens\".into(), asked", "\"limit\".into(), asked");
    project.replace("fixtures/chat.json", "Gott", "Got");
    let spoilt = project.report();
    let names: Vec<&str> = failures(&spoilt).iter().map(|i| i.name).collect();
    for wanted in ["one meaning an event", "probe", "recorded answers"] {
        assert!(names.iter().any(|n| n.contains(wanted)), "`{wanted}` is not among {names:?}");
    }
}

#[test]
#[ignore = "needs a Rust that compiles to WebAssembly"]
fn a_workload_passes_until_it_is_spoilt() {
    let project = Project::new(PluginKind::Workload);
    assert_eq!(failures(&project.report()), Vec::<&Check>::new());

    project.replace(
        "src/lib.rs",
        "let (a, b) = self.numbers(index);\n        let question",
        "static CALLS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);\n        \
         let b = CALLS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);\n        \
         let (a, _) = self.numbers(index);\n        let question",
    );
    project.replace(
        "src/lib.rs",
        "let found = answer::last_number",
        "assert!(!answer.text.is_empty());\n        let found = answer::last_number",
    );
    let spoilt = project.report();
    let names: Vec<&str> = failures(&spoilt).iter().map(|i| i.name).collect();
    for wanted in ["the same when asked again", "any answer is scored"] {
        assert!(names.iter().any(|n| n.contains(wanted)), "`{wanted}` is not among {names:?}");
    }
}
