//! Words from plugins made fit for one line of a terminal, and sizes and times for messages. Knows nothing else.

use std::time::Duration;

/// `text` on one line and at most `max` bytes: runs of white space become one space; control characters, which could
/// move a terminal's cursor, become U+FFFD.
pub(crate) fn one_line(text: &str, max: usize) -> String {
    let mut line = String::new();
    for ch in text.trim().chars() {
        if line.len() + ch.len_utf8() > max {
            line.push('…');
            break;
        }
        if ch.is_whitespace() {
            if !line.ends_with(' ') {
                line.push(' ');
            }
        } else if ch.is_control() {
            line.push(char::REPLACEMENT_CHARACTER);
        } else {
            line.push(ch);
        }
    }
    line
}

/// A size in the largest binary unit that keeps it above 1, with at most one decimal.
pub(crate) fn bytes(n: u64) -> String {
    let units = [(1_u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    for (size, unit) in units {
        if n >= size {
            let tenths = (u128::from(n) * 10 + u128::from(size) / 2) / u128::from(size);
            let (whole, part) = (tenths / 10, tenths % 10);
            return if part == 0 { format!("{whole} {unit}") } else { format!("{whole}.{part} {unit}") };
        }
    }
    format!("{n} bytes")
}

/// A time limit for people.
pub(crate) fn seconds(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{} s", time.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_keeps_no_line_break_and_no_escape() {
        assert_eq!(one_line(" a\r\n\tb \x1b[2J c ", 100), "a b \u{fffd}[2J c");
        assert_eq!(one_line("größer", 4), "grö…");
        assert_eq!(one_line("", 4), "");
    }

    #[test]
    fn sizes_and_times_read_well() {
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(64 << 20), "64 MiB");
        assert_eq!(bytes(70_000_000), "66.8 MiB");
        assert_eq!(seconds(Duration::from_millis(250)), "250 ms");
        assert_eq!(seconds(Duration::from_millis(1500)), "1.5 s");
    }
}
