//! A panic in a terminal whose screen is taken: the terminal is given back first, so that what is said of it is seen.

#![cfg(target_os = "linux")]

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use benchhost_tui::{Screen, Snapshot, Source, is_up};

static LOOKS: AtomicU32 = AtomicU32::new(0);

/// Something to draw, until it breaks.
struct Breaks {
    at: u32,
}

impl Source for Breaks {
    fn look(&mut self) -> Option<Snapshot> {
        let looks = LOOKS.fetch_add(1, Ordering::SeqCst);
        assert!(looks < self.at, "last words");
        Some(Snapshot::default())
    }

    fn stop(&mut self) {}
}

#[test]
#[ignore = "the victim of the tests below, which start it in a terminal of its own"]
fn breaks_elsewhere() {
    let screen = Screen::enter(true).expect("a terminal");
    let drawing = std::thread::spawn(move || screen.show(Breaks { at: u32::MAX }));
    while LOOKS.load(Ordering::SeqCst) < 2 {
        std::thread::sleep(Duration::from_millis(10));
    }
    let died = std::thread::spawn(|| panic!("last words")).join();
    assert!(died.is_err() && !is_up());
    // The screen was left, so the drawing is over.
    drawing.join().expect("no panic").expect("no error");
}

#[test]
#[ignore = "the victim of the tests below, which start it in a terminal of its own"]
fn breaks_while_drawing() {
    let screen = Screen::enter(true).expect("a terminal");
    let drawn = std::thread::spawn(move || screen.show(Breaks { at: 2 })).join();
    assert!(drawn.is_err() && !is_up());
}

/// What a terminal got from `victim`, and its settings after it.
fn in_a_terminal(victim: &str) -> String {
    let this = std::env::current_exe().expect("this test").to_str().expect("a path in UTF-8").to_owned();
    let line = format!(
        "stty rows 24 cols 80; '{this}' --exact {victim} --ignored --nocapture; code=$?; stty -a; exit $code"
    );
    let said = Command::new("script")
        .args(["-q", "-f", "-e", "-c", &line, "/dev/null"])
        .env("SHELL", "/bin/sh")
        .stdin(std::process::Stdio::piped())
        .output()
        .expect("`script` of util-linux");
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.status.success(), "{text}");
    text
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_is_told() {
    for victim in ["breaks_elsewhere", "breaks_while_drawing"] {
        let all = in_a_terminal(victim);
        let shown =
            all.split("\x1b[?1049h").nth(1).unwrap_or_else(|| panic!("{victim} entered no screen: {all}"));
        let (drawn, after) = shown.split_once("\x1b[?1049l").expect("it left the screen");
        assert!(drawn.contains("preparing"), "{drawn}");
        assert!(!drawn.contains("last words") && after.contains("last words"), "{victim}: {after}");
        assert!(!after.contains("\x1b[?1049"), "once: {after}");
        assert!(after.contains(" icanon") && after.contains("\x1b[?25h"), "{after}");
    }
}
