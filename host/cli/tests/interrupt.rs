//! Ctrl-C as a terminal sends it: to the program and everything it started.

mod support;

#[path = "support/line.rs"]
mod line;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use line::words;
use support::Bench;

/// A run in a process group of its own.
struct Going {
    child: Child,
    said: BufReader<std::process::ChildStderr>,
}

impl Going {
    fn start(bench: &Bench, line: &str) -> Self {
        let mut command = bench.command(&words(line));
        let mut child = command
            .process_group(0)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let said = BufReader::new(child.stderr.take().expect("a pipe"));
        Self { child, said }
    }

    fn press(&self) {
        let group = format!("-{}", self.child.id());
        let sent = Command::new("kill").args(["-INT", "--", &group]).status().expect("kill");
        assert!(sent.success());
    }

    /// Reads what is said until a line holds `text`.
    fn hears(&mut self, text: &str) {
        let mut all = String::new();
        loop {
            let mut line = String::new();
            let read = self.said.read_line(&mut line).expect("text");
            assert!(read > 0, "it ended without saying `{text}`:\n{all}");
            if line.contains(text) {
                return;
            }
            all.push_str(&line);
        }
    }

    /// Its code and the rest of what it said.
    fn ends(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut self.said, &mut rest).expect("text");
        (self.child.wait().expect("it ends").code(), rest)
    }
}

/// Waits until the run has written `lines` lines of rows, however long that takes.
fn wait_for_rows(bench: &Bench, run: &str, lines: usize) {
    let path = bench.path(run).join("requests.csv");
    for _ in 0..1200 {
        if std::fs::read_to_string(&path).is_ok_and(|t| t.lines().count() > lines) {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("no {lines} rows within a minute");
}

fn by_outcome(rows: &[BTreeMap<String, String>]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(row["outcome"].clone()).or_default() += 1;
    }
    counts
}

#[test]
fn the_second_ctrl_c_cuts_what_is_in_flight_and_the_result_reads() {
    let bench = Bench::new();
    // Answers of 1 to 4000 tokens: some end at once, most would take many seconds.
    let mut going = Going::start(
        &bench,
        "run --engine vllm --simulate --workload synthetic --workload-option input-tokens=8 \
         --workload-option output-tokens=uniform:1,4000 --concurrency 16 --requests 60 --warmup 0 \
         --no-plots --out r",
    );
    wait_for_rows(&bench, "r", 1);
    going.press();
    going.hears("Ctrl-C again");
    let pressed = Instant::now();
    going.press();
    let (code, rest) = going.ends();
    assert_eq!(code, Some(130), "{rest}");
    // The first press alone would wait 5 s.
    assert!(pressed.elapsed() < Duration::from_secs(4), "the second press waits for nothing: {rest}");
    let rows = bench.measured("r");
    assert_eq!(rows.len(), 60, "every scheduled request has a row");
    let counts = by_outcome(&rows);
    assert_eq!(counts.get("failed"), None, "what the user stopped has not failed: {counts:?}");
    for outcome in ["completed", "cut", "shed"] {
        assert!(counts.contains_key(outcome), "{outcome}: {counts:?}");
    }
    let mut numbers: Vec<_> = bench.rows("r").iter().map(|r| line::number(r, "row")).collect();
    numbers.dedup();
    assert_eq!(numbers, (1..=60).collect::<Vec<_>>(), "each row once, in order");
    let manifest = std::fs::read_to_string(bench.path("r/manifest.json")).expect("a manifest");
    assert!(manifest.contains("\"ended\": \"interrupted\""), "{manifest}");
    let said = bench.done("report r --no-plots");
    assert!(said.err.contains("interrupted"), "{}", said.err);
}

#[test]
fn the_first_ctrl_c_lets_answers_end() {
    let bench = Bench::new();
    let mut going = Going::start(
        &bench,
        "run --engine vllm --simulate --concurrency 4 --requests 900 --max-tokens 8 --warmup 0 \
         --no-plots --out r",
    );
    wait_for_rows(&bench, "r", 12);
    going.press();
    going.hears("Ctrl-C again");
    let (code, rest) = going.ends();
    assert_eq!(code, Some(130), "{rest}");
    let rows = bench.measured("r");
    assert_eq!(rows.len(), 900);
    let counts = by_outcome(&rows);
    assert_eq!(counts.keys().map(String::as_str).collect::<Vec<_>>(), ["completed", "shed"], "{counts:?}");
    for row in rows.iter().filter(|r| r["outcome"] == "shed") {
        assert!(
            row["t_send_ns"].is_empty() && row["ttft_ms"].is_empty() && row["attempts"] == "0",
            "{row:?}"
        );
    }
}

/// How often each turn of each item has a row.
fn turns(bench: &Bench, run: &str) -> BTreeMap<(String, String), usize> {
    let mut counts = BTreeMap::new();
    for row in bench.measured(run) {
        *counts.entry((row["item"].clone(), row["turn"].clone())).or_default() += 1;
    }
    counts
}

#[test]
fn every_turn_of_an_interrupted_dialogue_has_a_row() {
    let bench = Bench::new();
    let line = |requests: u32, out: &str| {
        format!(
            "run --engine vllm --simulate --workload-option turns=every --concurrency 8 --requests {requests} \
             --warmup 0 --max-tokens 3 --no-plots --out {out}"
        )
    };
    // All 64 dialogues of the starter set, once.
    bench.done(&line(64, "whole"));
    let whole = turns(&bench, "whole");
    assert!(whole.len() > 64, "dialogues have several turns");
    let expected: BTreeMap<_, _> = whole.into_keys().map(|turn| (turn, 10)).collect();
    for presses in [1, 2] {
        let run = format!("pressed-{presses}");
        let mut going = Going::start(&bench, &line(640, &run));
        wait_for_rows(&bench, &run, 30);
        going.press();
        going.hears("Ctrl-C again");
        if presses == 2 {
            going.press();
        }
        let (code, rest) = going.ends();
        assert_eq!(code, Some(130), "{rest}");
        let counts = by_outcome(&bench.measured(&run));
        assert!(counts.contains_key("shed") && counts.contains_key("completed"), "{counts:?}");
        assert_eq!(counts.get("failed"), None, "{counts:?}");
        assert_eq!(turns(&bench, &run), expected, "ten rounds of 64 dialogues were scheduled");
    }
}

#[test]
fn ctrl_c_in_an_open_loop_sheds_what_was_not_due() {
    let bench = Bench::new();
    let mut going = Going::start(
        &bench,
        "run --engine vllm --engine tgi --simulate --rate 50 --requests 2000 --max-tokens 3 --warmup 0 \
         --no-plots --out r",
    );
    wait_for_rows(&bench, "r", 5);
    going.press();
    going.hears("Ctrl-C again");
    let (code, rest) = going.ends();
    assert_eq!(code, Some(130), "{rest}");
    let rows = bench.measured("r");
    assert_eq!(rows.len(), 2000, "the first engine's point was begun, the second's was not");
    assert!(rows.iter().all(|r| r["engine"] == "vllm"));
    let counts = by_outcome(&rows);
    assert_eq!(counts.keys().map(String::as_str).collect::<Vec<_>>(), ["completed", "shed"], "{counts:?}");
}

#[test]
fn ctrl_c_ends_a_duration_early_and_sheds_nothing() {
    for load in ["--concurrency 3", "--rate 40"] {
        let bench = Bench::new();
        let line = format!(
            "run --engine vllm --simulate {load} --duration 10m --max-tokens 3 --warmup 0 --no-plots --out r"
        );
        let mut going = Going::start(&bench, &line);
        wait_for_rows(&bench, "r", 5);
        going.press();
        going.hears("Ctrl-C again");
        let (code, rest) = going.ends();
        assert_eq!(code, Some(130), "{rest}");
        let counts = by_outcome(&bench.measured("r"));
        // The time decides how many are sent, so nothing else was scheduled.
        assert_eq!(
            counts.keys().map(String::as_str).collect::<Vec<_>>(),
            ["completed"],
            "{load}: {counts:?}"
        );
        bench.done("report r --no-plots");
    }
}

#[test]
fn ctrl_c_while_waiting_for_a_server_ends_the_wait() {
    let bench = Bench::new();
    let nobody =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port");
    let begun = Instant::now();
    let mut going = Going::start(
        &bench,
        &format!("run --engine vllm=http://{nobody} --ready-timeout 60s --no-plots --out r"),
    );
    going.hears("waiting for");
    going.press();
    let (code, rest) = going.ends();
    assert_eq!(code, Some(130), "{rest}");
    assert!(begun.elapsed() < Duration::from_secs(45), "it waited for the server all the same: {rest}");
    assert!(!bench.path("r").exists(), "nothing was measured, so nothing is left behind");
}
