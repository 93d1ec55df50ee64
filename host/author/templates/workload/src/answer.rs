//! Reads a number out of a model's answer. Models wrap answers in words, so the rule has to be simple and said aloud.

/// The last whole number in a text, thousands separators removed; none when there is none or it does not fit.
pub(crate) fn last_number(text: &str) -> Option<u64> {
    let is_part = |c: char| c.is_ascii_digit() || c == ',';
    let last = text
        .split(|c| !is_part(c))
        .rfind(|run| run.chars().any(|c| c.is_ascii_digit()))?;
    last.replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_number_counts() {
        for (text, number) in [
            ("42", Some(42)),
            ("2 + 2 = 4.", Some(4)),
            ("The sum is 1,234!", Some(1234)),
            ("first 7, then nothing", Some(7)),
            ("none", None),
            ("", None),
            (",,,", None),
            ("99999999999999999999999", None),
        ] {
            assert_eq!(last_number(text), number, "{text}");
        }
    }
}
