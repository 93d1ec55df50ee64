//! The table of exit codes, and messages a person can act on.

mod support;

use support::Bench;

const QUICK: [&str; 8] =
    ["--concurrency", "2", "--requests", "4", "--max-tokens", "4", "--no-plots", "--simulate"];

fn quick<'a>(args: &[&'a str]) -> Vec<&'a str> {
    args.iter().copied().chain(QUICK).collect()
}

#[test]
fn usage_errors_are_2_and_name_what_is_wrong() {
    let bench = Bench::new();
    bench.write("bad.toml", "concurency = [1]\n");
    for (args, expected) in [
        (vec!["run"], "no engine is named"),
        (vec!["run", "--engine", "vllm", "--concurrency", "0"], "whole numbers above 0"),
        (vec!["run", "--engine", "vllm", "--timeout", "10"], "10s"),
        (vec!["run", "--engine", "vllm", "--top-p", "2"], "top-p"),
        (vec!["run", "--engine", "vllm=ftp://x", "--simulate"], "https://"),
        (vec!["run", "--engine", "vllm", "--api", "chta"], "chat"),
        (vec!["run", "--engine", "vllm", "--profile", "fast"], "latency-bound"),
        (vec!["run", "--engine", "vllm", "--engine-option", "nope"], "KEY=VALUE"),
        (vec!["run", "--engine", "vllm", "--simulate", "--engine-option", "nope=1"], "nope"),
        (vec!["run", "--engine", "vllm", "--simulate", "--data", "nope=x.csv"], "nope"),
        (vec!["run", "bad.toml"], "did you mean `concurrency`?"),
        (vec!["run", "missing.toml"], "missing.toml"),
        (vec!["compare", "missing.csv", "missing.csv"], "missing.csv"),
        (vec!["report", "nowhere"], "manifest.json"),
        (vec!["frobnicate"], "frobnicate"),
    ] {
        let said = bench.run(&args);
        assert_eq!(said.code, 2, "{args:?}\n{}", said.err);
        assert!(said.err.contains(expected), "{args:?} should mention {expected}:\n{}", said.err);
    }
}

#[test]
fn an_unreachable_server_is_6_with_hints() {
    let bench = Bench::new();
    let said = bench.run(&["run", "--engine", "friendli=http://127.0.0.1:9", "--ready-timeout", "100ms"]);
    assert_eq!(said.code, 6, "{}", said.err);
    for expected in ["friendli", "http://127.0.0.1:9", "--simulate", "FRIENDLI_TOKEN"] {
        assert!(said.err.contains(expected), "{expected}:\n{}", said.err);
    }
    let default = bench.run(&["run", "--engine", "tgi", "--ready-timeout", "100ms"]);
    assert_eq!(default.code, 6);
    assert!(default.err.contains("--url"), "{}", default.err);
    assert!(!bench.path("results").exists(), "nothing was measured, so nothing is left behind");
}

#[test]
fn a_refused_plugin_is_6_and_says_why() {
    let bench = Bench::new();
    bench.write("text.wasm", "this is not WebAssembly");
    std::fs::write(bench.path("core.wasm"), b"\0asm\x01\0\0\0").expect("written");
    for (file, expected) in [("text.wasm", "not"), ("core.wasm", "plugin build")] {
        let said = bench.run(&quick(&["run", "--engine", file]));
        assert_eq!(said.code, 6, "{}", said.err);
        assert!(said.err.contains(expected), "{}", said.err);
    }
    let said = bench.run(&quick(&["run", "--engine", "vlm"]));
    assert!(said.code == 6 || said.code == 2, "{}", said.err);
    assert!(said.err.contains("vllm"), "{}", said.err);
}

#[test]
fn nothing_completed_is_7_and_the_rows_are_there() {
    let bench = Bench::new();
    let server = bench.simulator("vllm", &["--fault", "http-error:status=503"]);
    let said = bench.run(&[
        "run",
        "--engine",
        &format!("vllm={}", server.url),
        "--concurrency",
        "2",
        "--requests",
        "4",
        "--no-plots",
        "--out",
        "r",
    ]);
    assert_eq!(said.code, 7, "{}\n{}", said.out, said.err);
    assert!(bench.measured("r").iter().all(|r| r["failure"] == "http_503"));
}

#[test]
fn an_empty_directory_is_demanded() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("full")).expect("a folder");
    bench.write("full/notes.txt", "mine");
    let said = bench.run(&quick(&["run", "--engine", "vllm", "--out", "full"]));
    assert_eq!(said.code, 2, "{}", said.err);
    assert_eq!(std::fs::read_to_string(bench.path("full/notes.txt")).expect("still there"), "mine");
}

#[test]
fn ctrl_c_leaves_a_marked_result_and_130() {
    let bench = Bench::new();
    let mut child = bench
        .command(&[
            "run",
            "--engine",
            "vllm",
            "--simulate",
            "--concurrency",
            "2",
            "--requests",
            "5000",
            "--no-plots",
            "--out",
            "r",
        ])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the program starts");
    // Wait until rows appear, however long that takes.
    let rows = bench.path("r/requests.csv");
    for _ in 0..600 {
        if std::fs::metadata(&rows).is_ok_and(|m| m.len() > 2000) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let killed =
        std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(killed.success());
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(130));
    let measured = bench.measured("r");
    assert_eq!(measured.len(), 5000, "every scheduled request has a row");
    assert!(measured.iter().any(|r| r["outcome"] == "completed"));
    assert!(measured.iter().any(|r| r["outcome"] == "shed"));
    let manifest = std::fs::read_to_string(bench.path("r/manifest.json")).expect("a manifest");
    assert!(manifest.contains("\"ended\": \"interrupted\""));
    assert_eq!(bench.run(&["report", "r", "--no-plots"]).code, 0);
}
