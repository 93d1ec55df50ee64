//! `run --tui` in a terminal: what is seen, which keys are heard, and that the terminal is given back.

#![cfg(target_os = "linux")]

mod support;

#[path = "support/line.rs"]
mod line;
#[path = "support/terminal.rs"]
mod terminal;

use std::collections::BTreeMap;

use support::Bench;
use terminal::{ENTERED, InTerminal, LEFT};

const QUICK: &str = "--engine vllm --simulate --workload empathetic --max-tokens 8 --warmup 4 --no-plots \
                     --no-selfcheck --gpu off --order given --out r";
/// Long enough to be stopped.
const LONG: &str = "--engine vllm --simulate --concurrency 4 --requests 400 --max-tokens 8 --warmup 0 --no-plots \
                    --no-selfcheck --gpu off --out r";

fn outcomes(bench: &Bench, run: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for row in bench.measured(run) {
        *counts.entry(row["outcome"].clone()).or_default() += 1;
    }
    counts
}

/// The terminal was given back: one screen entered and left, a line is read as a line, and what is typed is shown.
fn given_back(all: &str) -> &str {
    assert_eq!((all.matches(ENTERED).count(), all.matches(LEFT).count()), (1, 1), "{all}");
    let (shown, after) = all.split_once(LEFT).expect("it was left");
    assert!(shown.contains("\x1b[?25l"), "the cursor was hidden");
    assert!(after.contains("\x1b[?25h"), "and shown again: {after}");
    let settings = after.split("speed").last().expect("what `stty -a` says");
    for setting in ["icanon", "echo", "isig", "opost"] {
        assert!(settings.split_whitespace().any(|word| word == setting), "{setting} is off: {settings}");
    }
    after
}

#[test]
fn the_screen_shows_the_run_and_lines_and_table_follow_it() {
    let bench = Bench::new();
    let line = format!("\"$program\" run --tui {QUICK} --concurrency 2,4 --requests 60");
    let going = InTerminal::start(&bench, &line, &[]);
    going.shows("load point 2 of 2");
    going.shows("[measured]");
    let screen = going.screen();
    for word in ["SIMULATED", "tok/s", "TTFT p50", "in flight", "harness lag", "q  stop", "─ log ─"] {
        assert!(screen.contains(word), "{word}:\n{screen}");
    }
    let measured = screen.split("─ measured ─").nth(1).expect("the table of measured load points");
    assert!(measured.contains("vllm · empathetic · concurrency=2"), "{screen}");
    let (code, all) = going.ends();
    assert_eq!(code, Some(0), "{all}");
    let after = given_back(&all);
    for said in ["concurrency=2: 60 requests in ", "concurrency=4: 60 requests in ", "result: r"] {
        assert_eq!(after.matches(said).count(), 1, "{said}: {after}");
    }
    let table = after.find("TTFT").expect("the table");
    assert!(after.find("60 requests in ").expect("a line") < table, "the log comes first: {after}");
    assert!(outcomes(&bench, "r").keys().eq(["completed"]));
}

#[test]
fn results_go_to_standard_output_while_the_screen_is_on_standard_error() {
    let bench = Bench::new();
    let line = format!("\"$program\" run --tui {QUICK} --concurrency 2 --requests 8 --format csv > table");
    let (code, all) = InTerminal::start(&bench, &line, &[]).ends();
    assert_eq!(code, Some(0), "{all}");
    given_back(&all);
    let table = std::fs::read_to_string(bench.path("table")).expect("a table");
    assert!(table.lines().count() == 2 && !table.contains('\x1b'), "{table}");
}

#[test]
fn q_ends_it_as_control_c_does_and_the_rest_can_follow() {
    for key in ["q", "\x03"] {
        let bench = Bench::new();
        let mut going = InTerminal::start(&bench, &format!("\"$program\" run --tui {LONG}"), &[]);
        going.shows("[measured]");
        going.press(key);
        let (code, all) = going.ends();
        assert_eq!(code, Some(130), "{all}");
        let after = given_back(&all);
        assert!(after.contains("stopping: nothing more is sent"), "{after}");
        assert!(after.contains("to go on: benchhost run --resume r"), "{after}");
        let counts = outcomes(&bench, "r");
        assert!(counts.keys().eq(["completed", "shed"]), "{counts:?}");
        let resumed = bench.done("run --no-plots --resume r");
        assert!(resumed.err.contains("resuming r"), "{}", resumed.err);
        assert_eq!(outcomes(&bench, "r"), BTreeMap::from([("completed".to_owned(), 400)]));
    }
}

#[test]
fn the_second_q_ends_at_once_where_nothing_is_measured_yet() {
    let bench = Bench::new();
    let nobody =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port");
    let line = format!(
        "\"$program\" run --tui --engine vllm=http://{nobody} --ready-timeout 10m --no-plots --out r"
    );
    let mut going = InTerminal::start(&bench, &line, &[]);
    going.shows("waiting for");
    going.press("qq");
    let (code, all) = going.ends();
    assert_eq!(code, Some(130), "{all}");
    let after = given_back(&all);
    assert!(after.contains("waiting for") && after.contains("stopping"), "what was said is kept: {after}");
    assert!(!bench.path("r").exists(), "nothing was measured, so nothing is left behind");
}

#[test]
fn a_signal_from_elsewhere_leaves_the_terminal_whole() {
    for signal in ["-TERM", "-INT"] {
        let bench = Bench::new();
        let line = format!("sh -c 'echo $$ > pid; exec \"$0\" run --tui {LONG}' \"$program\"");
        let going = InTerminal::start(&bench, &line, &[]);
        going.shows("[measured]");
        let pid = std::fs::read_to_string(bench.path("pid")).expect("its number");
        let sent = std::process::Command::new("kill").args([signal, pid.trim()]).status().expect("kill");
        assert!(sent.success());
        let (code, all) = going.ends();
        assert_eq!(code, Some(130), "{all}");
        given_back(&all);
    }
}

#[test]
fn an_error_leaves_the_terminal_whole() {
    let bench = Bench::new();
    let nobody =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port");
    let line = format!(
        "\"$program\" run --tui --engine vllm=http://{nobody} --ready-timeout 50ms --no-plots --out r"
    );
    let (code, all) = InTerminal::start(&bench, &line, &[]).ends();
    assert_eq!(code, Some(6), "{all}");
    let after = given_back(&all);
    assert!(after.contains("waiting for") && after.contains("error: "), "{after}");
}

#[test]
fn keys_change_what_is_shown() {
    let bench = Bench::new();
    let mut going = InTerminal::start(&bench, &format!("\"$program\" run --tui {LONG}"), &[]);
    going.shows("[measured]");
    going.press("?");
    going.shows("─ help ─");
    going.press("?");
    going.shows("─ tok/s");
    going.press("p");
    going.shows("─ ITL p50");
    going.press("q");
    assert_eq!(going.ends().0, Some(130));
}

#[test]
fn a_window_may_change_its_size_and_be_too_small_for_a_while() {
    let bench = Bench::new();
    let mut going = InTerminal::start(&bench, &format!("tty > tty; \"$program\" run --tui {LONG}"), &[]);
    going.shows("─ log ─");
    let terminal = std::fs::read_to_string(bench.path("tty")).expect("its name");
    let resize = |rows: &str, columns: &str| {
        let resized = std::process::Command::new("stty")
            .args(["-F", terminal.trim(), "rows", rows, "cols", columns])
            .status();
        assert!(resized.expect("stty").success());
    };
    resize("8", "30");
    going.shows("too small: 30×8");
    resize("24", "80");
    going.shows("─ log ─");
    let screen = going.screen();
    assert!(
        screen.lines().count() <= 24 && screen.lines().all(|line| line.chars().count() <= 80),
        "{screen}"
    );
    going.press("q");
    let (code, all) = going.ends();
    assert_eq!(code, Some(130), "{all}");
    given_back(&all);
}

#[test]
fn no_color_is_honoured() {
    for (variables, coloured) in [(&[][..], true), (&[("NO_COLOR", "1")][..], false)] {
        let bench = Bench::new();
        let line = format!("\"$program\" run --tui {QUICK} --concurrency 2 --requests 8");
        let (code, all) = InTerminal::start(&bench, &line, variables).ends();
        assert_eq!(code, Some(0), "{all}");
        given_back(&all);
        // Colours of the letters, by number.
        assert_eq!(all.contains("\x1b[38;5;"), coloured, "{all}");
    }
}

#[test]
fn without_a_screen_lines_take_its_place_with_a_warning() {
    let bench = Bench::new();
    let said = bench.done(&format!("run --tui {QUICK} --concurrency 2 --requests 8"));
    assert!(said.err.contains("warning: no full screen: standard error is not a terminal"), "{}", said.err);
    assert!(said.err.contains("8 requests in ") && !said.err.contains('\x1b'), "{}", said.err);

    let bench = Bench::new();
    let line = format!("\"$program\" run --tui {QUICK} --concurrency 2 --requests 8");
    let (code, all) = InTerminal::start(&bench, &line, &[("TERM", "dumb")]).ends();
    assert_eq!(code, Some(0), "{all}");
    assert!(all.contains("no full screen: `TERM`") && !all.contains(ENTERED), "{all}");
}

#[test]
fn quiet_and_a_screen_exclude_one_another() {
    let bench = Bench::new();
    let said = bench.line(&format!("run --tui -q {QUICK}"));
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("`--tui` and `--quiet`") && said.err.contains("hint: "), "{}", said.err);
    assert!(!bench.path("r").exists());
}

#[test]
fn where_nothing_can_move_a_line_tells_every_ten_seconds_how_far_it_is() {
    let bench = Bench::new();
    // It lasts longer than ten seconds, so there is one line at least.
    let said = bench.done(&format!("run {QUICK} --rate 20 --duration 11s"));
    let told = said.err.lines().filter(|line| line.contains("/0:11, TTFT p50 ")).collect::<Vec<_>>();
    assert!(!told.is_empty(), "{}", said.err);
    assert!(told[0].contains(": 0:1") || told[0].contains(": 0:09"), "the time since it began: {}", told[0]);
    for figure in ["rate=20", " tok/s", " in flight", "0 errors", "ETA "] {
        assert!(told[0].contains(figure), "{figure}: {}", told[0]);
    }
    assert!(!said.err.contains('\x1b') && !said.err.contains('\r'), "{}", said.err);
}
