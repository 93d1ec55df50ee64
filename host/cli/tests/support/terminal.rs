//! The program in a terminal: a pseudo-terminal by util-linux's `script`, and as much of a terminal as it takes to know
//! what a user would see.

#![allow(dead_code, unreachable_pub, reason = "each test file is a crate of its own and uses its part")]

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::support::Bench;

/// Lines and columns.
pub const SIZE: (usize, usize) = (30, 100);

/// What ends the alternate screen.
pub const LEFT: &str = "\x1b[?1049l";
/// What begins it.
pub const ENTERED: &str = "\x1b[?1049h";

/// A command in a terminal of its own.
pub struct InTerminal {
    child: Child,
    keys: Option<ChildStdin>,
    seen: Arc<Mutex<Seen>>,
    reading: JoinHandle<()>,
}

/// What came from it.
#[derive(Default)]
pub struct Seen {
    /// Every byte.
    pub raw: Vec<u8>,
    grid: Grid,
}

impl InTerminal {
    /// Runs the shell's `line` with `program` for the program and these variables. The terminal's settings are printed
    /// afterwards; the code is the line's.
    pub fn start(bench: &Bench, line: &str, variables: &[(&str, &str)]) -> Self {
        let plain = bench.plain(&[]);
        let program = plain.get_program().to_str().expect("a path in UTF-8").to_owned();
        let (lines, columns) = SIZE;
        let shell = format!(
            "program='{program}'; stty rows {lines} cols {columns}; {line}; code=$?; echo; stty -a; exit $code"
        );
        let mut command = Command::new("script");
        command.args(["-q", "-f", "-e", "-c", &shell, "/dev/null"]).current_dir(bench.dir.path());
        for (name, value) in plain.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.env("TERM", "xterm-256color").env("SHELL", "/bin/sh").envs(variables.iter().copied());
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("`script` of util-linux");
        let keys = child.stdin.take();
        let mut out = child.stdout.take().expect("a pipe");
        let seen = Arc::new(Mutex::new(Seen::default()));
        let sink = Arc::clone(&seen);
        let reading = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = out.read(&mut bytes) {
                sink.lock().expect("no panic").take(&bytes[..n]);
            }
        });
        Self { child, keys, seen, reading }
    }

    /// Types.
    pub fn press(&mut self, keys: &str) {
        let to = self.keys.as_mut().expect("a terminal");
        to.write_all(keys.as_bytes()).and_then(|()| to.flush()).expect("somebody who reads keys");
    }

    /// What is on the screen.
    pub fn screen(&self) -> String {
        self.seen.lock().expect("no panic").grid.text()
    }

    /// Waits, however long it takes, until the screen shows `text`.
    pub fn shows(&self, text: &str) {
        for _ in 0..2400 {
            if self.screen().contains(text) {
                return;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("no `{text}` within a minute:\n{}", self.screen());
    }

    /// The code, and all that came.
    pub fn ends(mut self) -> (Option<i32>, String) {
        // Until it ends by itself, it can read keys.
        let code = self.child.wait().expect("an end").code();
        drop(self.keys.take());
        self.reading.join().expect("no panic");
        let seen = self.seen.lock().expect("no panic");
        (code, String::from_utf8_lossy(&seen.raw).into_owned())
    }
}

impl Seen {
    fn take(&mut self, bytes: &[u8]) {
        self.raw.extend_from_slice(bytes);
        self.grid.take(bytes);
    }
}

/// What a terminal shows: letters, moves of the cursor and clearing; colours are not seen.
#[derive(Default)]
struct Grid {
    cells: Vec<Vec<char>>,
    line: usize,
    column: usize,
    /// What is not yet a whole letter or sequence.
    rest: Vec<u8>,
}

impl Grid {
    fn text(&self) -> String {
        self.cells.iter().map(|line| line.iter().collect::<String>().trim_end().to_owned() + "\n").collect()
    }

    fn take(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        let rest = std::mem::take(&mut self.rest);
        let valid = match std::str::from_utf8(&rest) {
            Ok(text) => text,
            Err(e) => std::str::from_utf8(&rest[..e.valid_up_to()]).expect("checked"),
        };
        let mut left = valid;
        while let Some(first) = left.chars().next() {
            let taken = if first == '\x1b' {
                let Some(end) = left[1..].char_indices().find(|(at, c)| *at > 0 && c.is_ascii_alphabetic())
                else {
                    break;
                };
                let sequence = &left[..end.0 + 2];
                self.sequence(sequence);
                sequence.len()
            } else {
                self.letter(first);
                first.len_utf8()
            };
            left = &left[taken..];
        }
        let consumed = valid.len() - left.len();
        self.rest = rest[consumed..].to_vec();
    }

    fn sequence(&mut self, sequence: &str) {
        let arguments = sequence.trim_start_matches("\x1b[");
        match arguments.chars().last() {
            Some('H') => {
                let mut numbers =
                    arguments.trim_end_matches('H').split(';').map(|n| n.parse().unwrap_or(1_usize));
                (self.line, self.column) =
                    (numbers.next().unwrap_or(1) - 1, numbers.next().unwrap_or(1).saturating_sub(1));
            }
            Some('J') => self.cells.clear(),
            // The alternate screen is another one, and going back shows what was there.
            Some('h' | 'l') if sequence == ENTERED || sequence == LEFT => *self = Self::default(),
            _ => {}
        }
    }

    fn letter(&mut self, letter: char) {
        match letter {
            '\n' => self.line += 1,
            '\r' => self.column = 0,
            letter => {
                if self.cells.len() <= self.line {
                    self.cells.resize(self.line + 1, Vec::new());
                }
                let line = &mut self.cells[self.line];
                if line.len() <= self.column {
                    line.resize(self.column + 1, ' ');
                }
                line[self.column] = letter;
                self.column += 1;
            }
        }
    }
}
