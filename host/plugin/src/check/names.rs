//! Names, versions and other short texts.

use std::collections::BTreeSet;

use crate::check::{Checked, ensure};
use crate::text::one_line;

/// Longest name, in bytes.
const NAME_BYTES: usize = 64;
/// Longest text for people, in bytes.
const TEXT_BYTES: usize = 4 << 10;

/// `text` in a message, whatever it contains.
pub(crate) fn quoted(text: &str) -> String {
    format!("`{}`", one_line(text, 100))
}

/// Lower-case words of letters and digits, joined by `joint`, beginning with a letter.
fn words(text: &str, joint: char) -> bool {
    text.len() <= NAME_BYTES
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .split(joint)
            .all(|w| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
}

/// `my-name`.
pub(crate) fn kebab(what: &str, text: &str) -> Checked {
    ensure(words(text, '-'), || {
        format!("{what} {} is not kebab-case of at most {NAME_BYTES} bytes", quoted(text))
    })
}

/// `my_name`.
pub(crate) fn snake(what: &str, text: &str) -> Checked {
    ensure(words(text, '_'), || {
        format!("{what} {} is not snake_case of at most {NAME_BYTES} bytes", quoted(text))
    })
}

/// `1.2.3`, with an optional pre-release or build part (semver.org).
pub(crate) fn version(text: &str) -> Checked {
    let (core, rest) = text.split_at(text.find(['-', '+']).unwrap_or(text.len()));
    let numbers = core.split('.').filter(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit())).count();
    let good = numbers == 3
        && core.split('.').count() == 3
        && text.len() <= NAME_BYTES
        && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"-+.".contains(&b));
    ensure(good, || format!("version {} is not of the form `1.2.3`", quoted(text)))
}

/// A text for people: short, and no control characters but line breaks and tabs.
pub(crate) fn prose(what: &str, text: &str) -> Checked {
    ensure(text.len() <= TEXT_BYTES, || format!("{what} is longer than {TEXT_BYTES} bytes"))?;
    ensure(!text.chars().any(|c| c.is_control() && c != '\n' && c != '\t'), || {
        format!("{what} contains control characters")
    })
}

/// No name twice.
pub(crate) fn distinct<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Checked {
    let mut seen = BTreeSet::new();
    for name in names {
        ensure(seen.insert(name), || format!("{what} {} is there twice", quoted(name)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_case_and_form() {
        for good in ["vllm", "tensorrt-llm", "a1-2b"] {
            assert_eq!(kebab("name", good), Ok(()));
        }
        for bad in ["", "Vllm", "a--b", "-a", "a-", "1a", "a_b", "ä", "a b", &"a".repeat(65)] {
            assert!(kebab("name", bad).is_err(), "{bad}");
        }
        assert_eq!(snake("score", "exact_match"), Ok(()));
        assert!(snake("score", "exact-match").is_err());
    }

    #[test]
    fn versions_have_three_numbers() {
        for good in ["0.1.0", "12.0.3-rc.1", "1.2.3+build"] {
            assert_eq!(version(good), Ok(()));
        }
        for bad in ["", "1", "1.2", "1.2.3.4", "v1.2.3", "1.2.x", "1..3", "1.2.3-\n"] {
            assert!(version(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_message_about_a_bad_name_stays_on_one_line() {
        let message = kebab("name", "a\u{1b}[2J\nb").unwrap_err();
        assert!(!message.contains(['\n', '\u{1b}']), "{message:?}");
    }
}
