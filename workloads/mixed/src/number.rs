//! Finds the number that an answer ends in. Texts to numbers; must not know examples.

/// Which rule found a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The last `####` that a number follows.
    Hashes,
    /// The last `answer is` or `answer:` that a number follows.
    AnswerIs,
    /// The last number of all.
    LastNumber,
}

impl Rule {
    /// For notes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hashes => "`####`",
            Self::AnswerIs => "`answer is`",
            Self::LastNumber => "the last number",
        }
    }
}

/// A number in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Digits with an optional sign and decimal point: `$`, commas and a trailing full stop are gone, U+2212 is `-`.
    pub number: String,
    /// How it was found.
    pub rule: Rule,
}

/// The official GSM8K rule: the first match of `#### (\-?[0-9\.\,]+)`, commas removed. The result need not be a number:
/// `#### 42.` gives `42.`.
pub fn official(text: &str) -> Option<String> {
    text.match_indices("#### ").find_map(|(at, marker)| {
        let rest = &text[at + marker.len()..];
        let unsigned = rest.strip_prefix('-').unwrap_or(rest);
        let end = unsigned.find(|c: char| !matches!(c, '0'..='9' | '.' | ',')).unwrap_or(unsigned.len());
        let sign = if rest.len() == unsigned.len() { "" } else { "-" };
        (end > 0).then(|| format!("{sign}{}", unsigned[..end].replace(',', "")))
    })
}

/// The first of the three rules that finds a number.
pub fn flexible(text: &str) -> Option<Found> {
    let found = |rule| move |number| Found { number, rule };
    let hashes = text.rmatch_indices("####").find_map(|(at, m)| leading(text[at + m.len()..].trim_start()));
    hashes
        .map(found(Rule::Hashes))
        .or_else(|| after_answer_is(text).map(found(Rule::AnswerIs)))
        .or_else(|| last(text).map(found(Rule::LastNumber)))
}

/// Whether two numbers in decimal notation are equal within 1e-6 of the second, or of 1 when that is larger.
pub fn equal(found: &str, gold: &str) -> bool {
    match (found.parse::<f64>(), gold.parse::<f64>()) {
        (Ok(a), Ok(b)) => (a - b).abs() <= 1e-6 * b.abs().max(1.0),
        _ => false,
    }
}

/// The number after the last `answer is` or `answer:`; between them only spaces, signs of emphasis, brackets and the like.
fn after_answer_is(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    lower.rmatch_indices("answer").find_map(|(at, word)| {
        let rest = &text[at + word.len()..];
        let linked = lower[at + word.len()..].trim_start_matches(['*', '_']).trim_start();
        let linked = linked.strip_prefix("is").or_else(|| linked.strip_prefix(':'))?;
        let rest = &rest[rest.len() - linked.len()..];
        leading(rest.trim_start_matches(|c: char| c.is_whitespace() || "*_:=~`\"'({[\\".contains(c)))
    })
}

/// A number at the very beginning: sign, `$`, digits.
fn leading(text: &str) -> Option<String> {
    let (rest, negative) = match text.strip_prefix(is_minus) {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let (digits, _) = digits(rest.strip_prefix('$').unwrap_or(rest))?;
    Some(signed(negative, &digits))
}

/// The last number anywhere. A minus after a letter, a digit or a closing bracket is a subtraction or a hyphen, not a sign.
fn last(text: &str) -> Option<String> {
    let mut found = None;
    let mut at = 0;
    while let Some(offset) = text[at..].find(|c: char| c.is_ascii_digit() || c == '.') {
        let start = at + offset;
        if let Some((digits, length)) = digits(&text[start..]) {
            let before = &text[..start];
            let before = before.strip_suffix('$').unwrap_or(before);
            let unsigned = before.strip_suffix(is_minus);
            let negative = unsigned.is_some_and(|b| !b.ends_with(|c: char| c.is_alphanumeric() || c == ')'));
            found = Some(signed(negative, &digits));
            at = start + length;
        } else {
            at = start + 1;
        }
    }
    found
}

/// Digits with commas between them and an optional fraction, or a fraction alone; and how many bytes they take.
fn digits(text: &str) -> Option<(String, usize)> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut end = 0;
    while digit(end) || (end > 0 && bytes.get(end) == Some(&b',') && digit(end + 1)) {
        end += 1;
    }
    if bytes.get(end) == Some(&b'.') && digit(end + 1) {
        end += 1;
        while digit(end) {
            end += 1;
        }
    }
    (end > 0).then(|| (text[..end].replace(',', ""), end))
}

fn signed(negative: bool, digits: &str) -> String {
    if negative { format!("-{digits}") } else { digits.to_owned() }
}

/// ASCII hyphen and the minus sign proper.
fn is_minus(c: char) -> bool {
    matches!(c, '-' | '\u{2212}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_official_rule_takes_the_first_match_as_it_stands() {
        for (text, number) in [
            ("#### -1,234.50", Some("-1234.50")),
            ("#### 42.", Some("42.")),
            ("#### 1 #### 2", Some("1")),
            ("#### 1/2", Some("1")),
            ("#### 1e3", Some("1")),
            ("##### 7", Some("7")),
            ("#### x then #### 5", Some("5")),
            ("####42", None),
            ("####  7", None),
            ("#### $42", None),
            ("#### -", None),
            ("#### \u{2212}5", None),
            ("", None),
        ] {
            assert_eq!(official(text).as_deref(), number, "{text:?}");
        }
    }

    #[test]
    fn the_first_rule_that_finds_a_number_wins() {
        for (text, number, rule) in [
            ("The answer is 5.\n#### 18", "18", Rule::Hashes),
            ("####$1,234.00 dollars", "1234.00", Rule::Hashes),
            ("#### 18\nQuestion: next\n#### 20", "20", Rule::Hashes),
            ("#### \u{2212}5", "-5", Rule::Hashes),
            ("#### 9\n#### none", "9", Rule::Hashes),
            ("The answer is **18** of 20", "18", Rule::AnswerIs),
            ("Final Answer: \\(\\boxed", "", Rule::AnswerIs),
            ("**Answer:** -$3.5, I think, of 9", "-3.5", Rule::AnswerIs),
            ("so 5 * 3 = 15 and 15 + 2 = 17", "17", Rule::LastNumber),
            ("\\boxed{42}", "42", Rule::LastNumber),
            ("It costs $2,500.", "2500", Rule::LastNumber),
            ("about .5", ".5", Rule::LastNumber),
            ("... 8 ...", "8", Rule::LastNumber),
            ("-7 degrees", "-7", Rule::LastNumber),
            ("10-3", "3", Rule::LastNumber),
            ("a loss of -$12", "-12", Rule::LastNumber),
            ("\u{c4}nswer \u{2014} answer is \u{2212}4\u{b0}", "-4", Rule::AnswerIs),
        ] {
            let expected = (!number.is_empty()).then(|| Found { number: number.into(), rule });
            assert_eq!(flexible(text), expected, "{text:?}");
        }
        for text in ["", "no digits here", "...", "####", "the answer is", "answer"] {
            assert_eq!(flexible(text), None, "{text:?}");
        }
    }

    #[test]
    fn equality_is_relative_above_one_and_absolute_below() {
        assert!(equal("18.00", "18") && equal("0.3333333", "0.3333335") && equal("10000000", "10000001"));
        assert!(!equal("18.01", "18") && !equal("100000", "100001") && !equal("", "1") && !equal("1", "one"));
    }

    #[test]
    fn no_text_makes_it_panic() {
        let signs =
            ["#### ", "####", "answer is", "-", "\u{2212}", "$", "1", ",", ".", "\u{e9}", "\n", "**", "is"];
        for a in signs {
            for b in signs {
                for c in signs {
                    let text = format!("{a}{b}{c}");
                    if let Some(found) = flexible(&text) {
                        assert!(found.number.parse::<f64>().is_ok(), "{text:?}: {found:?}");
                    }
                    official(&text);
                }
            }
        }
    }
}
