//! What a new folder holds. Whether it compiles and passes its own tests is tried in `tests/new_plugin.rs`.

use super::*;

fn request(kind: PluginKind, name: &str, parent: &Path) -> NewRequest {
    NewRequest { kind, name: name.into(), parent: parent.into() }
}

fn texts(dir: &Path, out: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts(&path, out);
        } else {
            out.push((path.clone(), fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn a_new_folder_bears_its_name_and_no_trace_of_the_template_or_the_workspace() {
    for kind in [PluginKind::Engine, PluginKind::Workload] {
        let parent = tempfile::tempdir().unwrap();
        let made = new(&request(kind, "quick-fox", parent.path())).unwrap();
        assert_eq!(made.dir, parent.path().join("quick-fox"));
        for wanted in ["Cargo.toml", "README.md", "src/lib.rs"] {
            assert!(
                made.files.iter().any(|f| f == wanted),
                "{kind}: `{wanted}` is missing in {:?}",
                made.files
            );
        }
        for wanted in
            ["vendor/plugins/sdk/Cargo.toml", "vendor/wit/types.wit", "vendor/wit/framing/src/lib.rs"]
        {
            assert!(made.dir.join(wanted).is_file(), "{kind}: `{wanted}` is missing");
        }
        let mut all = Vec::new();
        texts(&made.dir, &mut all);
        for (path, text) in &all {
            let own = !path.starts_with(made.dir.join("vendor"));
            for marker in ["my-engine", "my_engine", "MyEngine", "my-workload", "my_workload", "MyWorkload"] {
                assert!(!own || !text.contains(marker), "`{marker}` is left in {}", path.display());
            }
            if path.ends_with("Cargo.toml") {
                assert!(!text.contains("workspace = true"), "{} inherits", path.display());
            }
        }
    }
}

#[test]
fn an_existing_folder_is_left_alone() {
    let parent = tempfile::tempdir().unwrap();
    fs::create_dir(parent.path().join("mine")).unwrap();
    fs::write(parent.path().join("mine/precious"), "x").unwrap();
    let error = new(&request(PluginKind::Engine, "mine", parent.path())).unwrap_err();
    assert!(matches!(error, NewError::Exists { .. }));
    assert_eq!(fs::read_dir(parent.path().join("mine")).unwrap().count(), 1);
}

#[test]
fn a_bad_name_or_place_makes_nothing() {
    let parent = tempfile::tempdir().unwrap();
    assert!(matches!(new(&request(PluginKind::Engine, "../up", parent.path())), Err(NewError::Name(_))));
    let nowhere = parent.path().join("nowhere");
    assert!(matches!(new(&request(PluginKind::Engine, "mine", &nowhere)), Err(NewError::Write { .. })));
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
}
