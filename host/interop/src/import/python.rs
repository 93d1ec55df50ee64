//! Python's `json` module writes `Infinity`, `-Infinity` and `NaN`, which JSON has no words for; tools written in Python
//! therefore leave them in their files (`SGLang` does for an unlimited request rate). They become `null` here, in the
//! parts of a text that are not strings.

use std::borrow::Cow;

const WORDS: [&str; 3] = ["-Infinity", "Infinity", "NaN"];

/// The text with those words replaced; borrowed when there are none.
pub(super) fn plain_json(text: &str) -> Cow<'_, str> {
    if !WORDS.iter().any(|word| text.contains(word)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(quote) = rest.find('"') {
        let (outside, string) = rest.split_at(quote);
        out.push_str(&without_words(outside));
        let end = end_of_string(string);
        out.push_str(&string[..end]);
        rest = &string[end..];
    }
    out.push_str(&without_words(rest));
    Cow::Owned(out)
}

fn without_words(outside: &str) -> String {
    WORDS.iter().fold(outside.to_owned(), |text, word| text.replace(word, "null"))
}

/// One past the closing quote of the string that `text` begins with, or its end if there is none.
fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::plain_json;

    #[test]
    fn words_outside_strings_become_null_and_inside_they_stay() {
        assert_eq!(
            plain_json(r#"{"a": Infinity, "b": -Infinity, "NaN": [NaN]}"#),
            r#"{"a": null, "b": null, "NaN": [null]}"#
        );
        assert_eq!(plain_json(r#"{"a\"Infinity": "\\", "b": NaN}"#), r#"{"a\"Infinity": "\\", "b": null}"#);
        assert_eq!(plain_json("{\"open: NaN"), "{\"open: NaN");
        assert!(matches!(plain_json("{}"), std::borrow::Cow::Borrowed(_)));
    }
}
