//! Text into HTML, JSON into a script block, bytes into base64, and the hashes of the page's own script and style. Knows
//! nothing of what they say.

use std::fmt::Write as _;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::lines::clean;

/// `text` as HTML text or as the value of a quoted attribute; on one line, without what a terminal or a reader acts on.
pub(crate) fn html(text: &str) -> String {
    escaped(&clean(text))
}

/// The same with its lines and spaces kept.
pub(super) fn html_lines(text: &str) -> String {
    // A letter that cleaning takes away is one that a reader acts on, or a space.
    let acts = |c: char| clean(c.encode_utf8(&mut [0; 4])).is_empty();
    text.lines().map(|line| escaped(&line.replace(acts, " "))).collect::<Vec<_>>().join("\n")
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// JSON that cannot end the script block it stands in, whatever its strings hold.
pub(super) fn json(value: &impl Serialize) -> String {
    // Only maps with keys that are no strings and failing writers can fail; there are neither.
    let text = serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned());
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // They would turn the text around them, and stand nowhere but in strings.
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.push(' '),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                // Writing into a string cannot fail.
                let _infallible = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// Standard base64 with padding (RFC 4648, section 4).
pub(super) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let group = at(0) << 16 | at(1) << 8 | at(2);
        for i in 0..4_usize {
            let index = (group >> (18 - 6 * i)) & 63;
            let letter = LETTERS.get(index as usize).copied().unwrap_or(b'=');
            out.push(if i <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

/// The source expression that allows exactly this inline script or style (CSP level 3, section 2.3.1).
pub(crate) fn allowance(text: &str) -> String {
    format!("'sha256-{}'", base64(&Sha256::digest(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
        assert_eq!(base64(&[255, 239, 190]), "/+++");
    }

    #[test]
    fn the_allowance_of_nothing_is_the_hash_of_nothing() {
        assert_eq!(allowance(""), "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='");
    }

    #[test]
    fn marks_that_turn_text_around_are_taken_out() {
        let text = "a\u{202e}b\u{2066}c\u{200f}d";
        assert_eq!(html(text), "a b c d");
        assert_eq!(html_lines("  a\u{202e}b\u{7}\n\tc"), "  a b \n c");
        let back: String = serde_json::from_str(&json(&text)).unwrap();
        assert_eq!(back, "a b c d");
    }

    #[test]
    fn no_string_ends_a_script_block() {
        let text = json(&["</script><!--<script>", "a&b\u{2028}\"\\"]);
        assert!(!text.contains(['<', '>', '&', '\u{2028}']), "{text}");
        let back: Vec<String> = serde_json::from_str(&text).unwrap();
        assert_eq!(back, ["</script><!--<script>", "a&b\u{2028}\"\\"]);
    }

    #[test]
    fn markup_becomes_text() {
        assert_eq!(
            html("<img src=x onerror='a'>\u{1b}[31m\n\"&"),
            "&lt;img src=x onerror=&#39;a&#39;&gt; [31m &quot;&amp;"
        );
        assert_eq!(html_lines("a\u{1b}\n<b>"), "a \n&lt;b&gt;");
    }
}
