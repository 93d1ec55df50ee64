//! A run that was killed: what `report` says of it, what `recover` makes of it, and that its files are watched afterwards.
#![cfg(unix)]

mod support;

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use support::{Bench, rows};

/// Rows that a kill has to leave.
const ROWS: usize = 20;

/// Kills a run with SIGKILL once some rows are in its file, and tears that file's last line.
fn killed(bench: &Bench) {
    let args = "run --engine vllm --simulate --no-selfcheck --warmup 0 --concurrency 2 --requests 100000 --max-tokens 8 --out r";
    let args: Vec<&str> = args.split(' ').collect();
    let mut child =
        bench.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let file = bench.path("r/requests.csv");
    let lines = || std::fs::read_to_string(&file).map_or(0, |text| text.lines().count());
    let given_up = Instant::now() + Duration::from_mins(1);
    while lines() < ROWS + 1 {
        assert!(Instant::now() < given_up, "no rows came");
        assert!(child.try_wait().expect("a child").is_none(), "it ended by itself");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("killed");
    child.wait().expect("dead");
    let whole = std::fs::read(&file).expect("rows");
    let end = whole.iter().rposition(|b| *b == b'\n').expect("a line") + 1;
    std::fs::write(&file, [&whole[..end], b"999999,torn"].concat()).expect("writable");
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn a_killed_run_is_recovered_once_and_then_only_checked() {
    let bench = Bench::new();
    killed(&bench);
    let reported = bench.ok(&["report", "r", "--no-plots"]);
    assert!(reported.err.contains("killed") && reported.err.contains("torn"), "{}", reported.err);
    assert!(!bench.path("r/COMPLETE").exists());

    let recovered = bench.ok(&["recover", "r", "--no-plots"]);
    assert!(
        recovered.err.contains("kept: ") && recovered.err.contains("requests.csv.torn"),
        "{}",
        recovered.err
    );
    assert_eq!(recovered.out, reported.out, "the same figures as `report` computes");
    assert_eq!(text(&bench.path("r/requests.csv.torn")), "999999,torn");
    assert!(text(&bench.path("r/manifest.json")).contains("\"ended\": \"recovered\""));
    assert!(text(&bench.path("r/COMPLETE")).contains("\"ended\": \"recovered\""));
    let kept = rows(&bench.path("r/requests.csv"));
    assert!(kept.len() >= ROWS && kept.iter().all(|row| row["eor"] == "."));

    let complete = text(&bench.path("r/COMPLETE"));
    let again = bench.ok(&["recover", "r", "--verify"]);
    assert!(again.err.contains("nothing to recover") && again.err.contains("unchanged"), "{}", again.err);
    assert_eq!(complete, text(&bench.path("r/COMPLETE")));
}

#[test]
fn files_that_changed_after_the_run_are_named() {
    let bench = Bench::new();
    bench.ok(&[
        "run",
        "--engine",
        "vllm",
        "--simulate",
        "--requests",
        "4",
        "--max-tokens",
        "4",
        "--out",
        "r",
        "--no-plots",
        "--no-selfcheck",
    ]);
    bench.ok(&["recover", "r", "--verify"]);
    let plan = bench.path("r/plan.toml");
    let other = text(&plan).replacen('4', "5", 1);
    std::fs::write(&plan, other).expect("writable");
    assert!(bench.ok(&["recover", "r"]).err.contains("nothing to recover"), "its length is the same");
    let said = bench.run(&["recover", "r", "--verify"]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("plan.toml") && said.err.contains("SHA-256"), "{}", said.err);

    let requests = text(&bench.path("r/requests.csv"));
    let fewer = requests.lines().take(3).fold(String::new(), |all, line| all + line + "\n");
    std::fs::write(bench.path("r/requests.csv"), fewer).expect("writable");
    let said = bench.run(&["recover", "r"]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("whole rows"), "{}", said.err);
    let said = bench.ok(&["report", "r", "--no-plots"]);
    assert!(said.err.contains("whole rows"), "`report` warns: {}", said.err);
}
