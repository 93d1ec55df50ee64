//! Reads small kernel files (`/proc`, `/sys`, `/etc`): bounded, never failing, text made safe to show.
//!
//! It must not know what the files mean.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::str::FromStr;

/// Most bytes taken of one file. `/proc/cpuinfo` of a 512-core machine is about 1 MiB.
const MAX_BYTES: u64 = 4 << 20;

/// Longest text kept of one fact, in characters.
const MAX_TEXT: usize = 200;

/// The bytes of `path`, at most [`MAX_BYTES`]; `None` when it cannot be opened or read.
pub(crate) fn bytes(path: &Path) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path).ok()?.take(MAX_BYTES).read_to_end(&mut content).ok()?;
    Some(content)
}

/// The text of `path`, invalid UTF-8 replaced; `None` when it cannot be read.
pub(crate) fn text(path: &Path) -> Option<String> {
    bytes(path).map(|content| String::from_utf8_lossy(&content).into_owned())
}

/// The first line of `path` as a fact; `None` when it cannot be read or says nothing.
pub(crate) fn line(path: &Path) -> Option<String> {
    fact(text(path)?.lines().next()?)
}

/// One value on one line: control characters become spaces, ends are trimmed, length is bounded.
pub(crate) fn fact(raw: &str) -> Option<String> {
    let plain: String = raw.chars().take(MAX_TEXT).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let plain = plain.trim();
    (!plain.is_empty()).then(|| plain.to_owned())
}

/// The text after `key` and `separator` on the first line that starts with `key`.
pub(crate) fn keyed<'a>(content: &'a str, key: &str, separator: char) -> Option<&'a str> {
    content
        .lines()
        .find_map(|line| Some(line.strip_prefix(key)?.trim_start().strip_prefix(separator)?.trim()))
}

/// The `index`th blank-separated word of `content`, parsed.
pub(crate) fn word<T: FromStr>(content: &str, index: usize) -> Option<T> {
    content.split_ascii_whitespace().nth(index)?.parse().ok()
}

/// How many numbers a kernel list such as `0-3,8` names; `None` when it is malformed or names none.
pub(crate) fn list_len(list: &str) -> Option<u32> {
    let mut total: u32 = 0;
    for part in list.trim().split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to): (u32, u32) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
        total = total.checked_add(to.checked_sub(from)?.checked_add(1)?)?;
    }
    (total > 0).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_counted_and_malformed_ones_refused() {
        assert_eq!(list_len("0-3,8\n"), Some(5));
        assert_eq!(list_len("7"), Some(1));
        for bad in ["", "3-1", "a", "0-", ",", "0-4294967295"] {
            assert_eq!(list_len(bad), None, "{bad}");
        }
    }

    #[test]
    fn facts_are_one_bounded_line() {
        assert_eq!(fact(" a\tb\u{1b}[0m "), Some("a b [0m".to_owned()));
        assert_eq!(fact(" \n "), None);
        assert_eq!(fact(&"x".repeat(1000)).unwrap().len(), MAX_TEXT);
    }

    #[test]
    fn keys_match_whole_names_up_to_the_separator() {
        let content = "MemTotalX: 1\nMemTotal:  2 kB\n";
        assert_eq!(keyed(content, "MemTotal", ':'), Some("2 kB"));
        assert_eq!(keyed(content, "Mem", ':'), None);
    }
}
