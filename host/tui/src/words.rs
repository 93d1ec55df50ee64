//! Numbers and words for people, in as few columns as say it.

use std::time::Duration;

/// `1 request`, `3 requests`.
pub fn plural(n: u64, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// `0:07`, `12:34`, `1:02:03`.
pub fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// Nanoseconds with two or three figures: `0.12 ms`, `3.4 ms`, `123 ms`, `12.3 s`.
pub fn span(ns: u64) -> String {
    let ms = ns as f64 / 1e6;
    match ms {
        ..0.995 => format!("{ms:.2} ms"),
        ..9.95 => format!("{ms:.1} ms"),
        ..999.5 => format!("{ms:.0} ms"),
        ..99_950.0 => format!("{:.1} s", ms / 1e3),
        _ => format!("{:.0} s", ms / 1e3),
    }
}

/// `1,234`.
pub fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A rate with three figures, or all of them before the point: `0.31`, `12.5`, `1,234`.
pub fn rate(value: f64) -> String {
    match value {
        ..9.995 => format!("{value:.2}"),
        ..99.95 => format!("{value:.1}"),
        _ => thousands(value.round()),
    }
}

/// `cells` columns, of which `share` (from 0 to 1; what lies outside counts as its end) are full.
pub(crate) fn bar(share: f64, cells: usize) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share clamped to 0 to 1 of a few cells"
    )]
    let full = (share.clamp(0.0, 1.0) * cells as f64) as usize;
    "█".repeat(full) + &"░".repeat(cells - full)
}

pub(crate) fn columns(text: &str) -> usize {
    text.chars().count()
}

/// Control characters become spaces: texts hold names of the user's, and those must not move the cursor.
fn clean(text: &str) -> impl DoubleEndedIterator<Item = char> {
    text.chars().map(|c| if c.is_control() { ' ' } else { c })
}

/// The first `room` columns; an ellipsis stands for the rest.
pub(crate) fn shortened(text: &str, room: usize) -> String {
    if columns(text) <= room {
        return clean(text).collect();
    }
    let mut out: String = clean(text).take(room.saturating_sub(1)).collect();
    if room > 0 {
        out.push('…');
    }
    out
}

/// The last `room` columns; an ellipsis stands for what was before. For titles, whose end tells them apart.
pub(crate) fn end_of(text: &str, room: usize) -> String {
    let length = columns(text);
    if length <= room {
        return clean(text).collect();
    }
    let ellipsis = if room > 0 { "…" } else { "" };
    ellipsis.chars().chain(clean(text).skip(length - room.saturating_sub(1))).take(room).collect()
}

/// `text` in lines of at most `width` columns, broken between words where there are any; the second and later ones are
/// indented by two.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for part in text.split('\n') {
        let mut line = String::new();
        for word in clean(part).collect::<String>().split(' ') {
            let mut word = word.to_owned();
            loop {
                let gap = usize::from(!line.trim().is_empty());
                if columns(&line) + gap + columns(&word) <= width {
                    line += &" ".repeat(gap);
                    line += &word;
                    break;
                }
                if gap > 0 {
                    lines.push(std::mem::replace(&mut line, "  ".to_owned()));
                    continue;
                }
                // A word longer than a line.
                let room = width.saturating_sub(columns(&line)).max(1);
                let rest = word.split_off(word.char_indices().nth(room).map_or(word.len(), |(at, _)| at));
                lines.push(std::mem::replace(&mut line, "  ".to_owned()) + &word);
                if rest.is_empty() {
                    line.clear();
                    break;
                }
                word = rest;
            }
        }
        if !line.trim().is_empty() {
            lines.push(line);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_keep_two_or_three_figures() {
        let cases = [
            (0, "0.00 ms"),
            (120_000, "0.12 ms"),
            (994_000, "0.99 ms"),
            (996_000, "1.0 ms"),
            (9_960_000, "10 ms"),
            (999_600_000, "1.0 s"),
            (99_960_000_000, "100 s"),
        ];
        for (ns, text) in cases {
            assert_eq!(span(ns), text);
        }
        assert_eq!([0.0, 999.0, 1000.0, 1_234_567.0].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [0.0, 0.314, 9.996, 12.54, 99.96, 1234.4].map(rate),
            ["0.00", "0.31", "10.0", "12.5", "100", "1,234"]
        );
    }

    #[test]
    fn a_text_without_room_keeps_its_telling_end() {
        assert_eq!(shortened("vllm · concurrency=4", 6), "vllm …");
        assert_eq!(end_of("vllm · concurrency=4", 6), "…ncy=4");
        for room in 0..3 {
            assert!(columns(&shortened("abc", room)) <= room);
            assert!(columns(&end_of("abc", room)) <= room);
        }
        assert_eq!(end_of("a\x1b[2Jb", 9), "a [2Jb", "nothing moves the cursor");
    }

    #[test]
    fn lines_break_between_words_and_none_is_too_long() {
        assert_eq!(wrapped("one two three", 8), ["one two", "  three"]);
        assert_eq!(wrapped("\none\n\ntwo", 8), ["one", "two"]);
        assert_eq!(wrapped("abcdefghij kl", 5), ["abcde", "  fgh", "  ij", "  kl"]);
        for width in 1..20 {
            let lines = wrapped("a url http://127.0.0.1:8000/v1/completions and\ttabs", width);
            assert!(lines.iter().all(|line| columns(line) <= width.max(3)), "{width}: {lines:?}");
        }
    }
}
