//! Escaping: text into HTML, and names into addresses. Knows nothing of what the text says.

use std::fmt::Write;

/// `text` where HTML expects text or a quoted attribute.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() && !matches!(c, '\n' | '\t') => out.push('\u{fffd}'),
            // They turn the text around them: a name would show another order of letters than it has.
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                out.push('\u{fffd}');
            }
            c => out.push(c),
        }
    }
    out
}

/// A relative path as part of an address: everything but unreserved characters (RFC 3986 §2.3) and `/` as `%XX`. It
/// needs no escaping in HTML afterwards.
pub(crate) fn address(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            byte => {
                // Writing to a string does not fail.
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// A name as the value of a query.
pub(crate) fn value(name: &str) -> String {
    address(name).replace('/', "%2F")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_markup() {
        assert_eq!(escaped("<script>'\"&\u{0}\u{1b}\n"), "&lt;script&gt;&#39;&quot;&amp;\u{fffd}\u{fffd}\n");
        assert_eq!(escaped("a\u{202e}b\u{2069}"), "a\u{fffd}b\u{fffd}");
    }

    #[test]
    fn an_address_holds_no_character_of_markup_or_of_an_address() {
        assert_eq!(address("a b/<é>&?#%\"'"), "a%20b/%3C%C3%A9%3E%26%3F%23%25%22%27");
        assert_eq!(address("2026-run_1.x~/plots"), "2026-run_1.x~/plots");
        assert_eq!(value("a/b&c"), "a%2Fb%26c");
    }
}
