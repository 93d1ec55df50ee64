//! Word overlap by the rules of the SQuAD 2.0 evaluation: normalisation, exact match, token F1. For workloads that score
//! short answers, or that want a cheap overlap with a reference. Must not know any data set's file format.

mod word;

use std::collections::HashMap;

/// Normalises as the official script does: lower case, ASCII punctuation removed (not replaced), the words `a`, `an`,
/// `the` replaced by a space, runs of white space made one space, ends trimmed.
///
/// Word ends and white space are those of Python 3: a combining mark ends a word, U+001C to U+001F are white space.
pub fn normalise(text: &str) -> String {
    let bare: String = text.to_lowercase().chars().filter(|c| !c.is_ascii_punctuation()).collect();
    let spaced = without_articles(&bare);
    spaced.split(is_space).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// 1 when both normalise to the same text, else 0.
pub fn exact(gold: &str, prediction: &str) -> f64 {
    f64::from(u8::from(normalise(gold) == normalise(prediction)))
}

/// Harmonic mean of precision and recall over the multisets of normalised words, in 0 to 1. When either side is empty: 1
/// if both are, else 0.
pub fn f1(gold: &str, prediction: &str) -> f64 {
    let (gold, prediction) = (normalise(gold), normalise(prediction));
    if gold.is_empty() || prediction.is_empty() {
        return f64::from(u8::from(gold == prediction));
    }
    let mut left: HashMap<&str, u32> = HashMap::new();
    let mut gold_words = 0_u32;
    for word in gold.split(' ') {
        *left.entry(word).or_default() += 1;
        gold_words += 1;
    }
    let (mut same, mut predicted_words) = (0_u32, 0_u32);
    for word in prediction.split(' ') {
        predicted_words += 1;
        if let Some(n) = left.get_mut(word).filter(|n| **n > 0) {
            *n -= 1;
            same += 1;
        }
    }
    if same == 0 {
        return 0.0;
    }
    let precision = f64::from(same) / f64::from(predicted_words);
    let recall = f64::from(same) / f64::from(gold_words);
    2.0 * precision * recall / (precision + recall)
}

/// The best exact match and the best F1 over all accepted answers, each by itself. Accepted answers that normalise to
/// nothing do not count; when none is left the right answer is the empty text.
pub fn best<S: AsRef<str>>(golds: &[S], prediction: &str) -> (f64, f64) {
    let mut answers: Vec<&str> =
        golds.iter().map(AsRef::as_ref).filter(|g| !normalise(g).is_empty()).collect();
    if answers.is_empty() {
        answers.push("");
    }
    answers.iter().fold((0.0, 0.0), |(em, overlap): (f64, f64), gold| {
        (em.max(exact(gold, prediction)), overlap.max(f1(gold, prediction)))
    })
}

/// Replaces `a`, `an` and `the` by a space where they stand between word boundaries.
fn without_articles(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = word::is_word(first);
        let end = rest.find(|c| word::is_word(c) != is_word).unwrap_or(rest.len());
        let (run, tail) = rest.split_at(end);
        out.push_str(if matches!(run, "a" | "an" | "the") { " " } else { run });
        rest = tail;
    }
    out
}

/// Python's `str.split()` also cuts at the four information separators.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalisation_follows_the_official_script() {
        for (text, normal) in [
            ("The Cat!", "cat"),
            ("U.S.A.", "usa"),
            ("state-of-the-art", "stateoftheart"),
            ("the-end", "theend"),
            ("$1,000.50", "100050"),
            ("a an the", ""),
            ("\u{201c}quoted\u{201d}", "\u{201c}quoted\u{201d}"),
            ("na\u{ef}ve\u{2014}the", "na\u{ef}ve\u{2014}"),
            ("a_b the_x", "ab thex"),
            ("a\u{a0}b", "b"),
            ("\u{130}stanbul", "i\u{307}stanbul"),
            ("\u{3a3} \u{3a3}\u{391}\u{3a3}", "\u{3c3} \u{3c3}\u{3b1}\u{3c2}"),
        ] {
            assert_eq!(normalise(text), normal, "{text:?}");
        }
    }

    #[test]
    fn words_and_spaces_are_those_of_python() {
        for (text, normal) in [
            ("the\u{301} x", "\u{301} x"),
            ("a\u{200d}z", "\u{200d}z"),
            ("the\u{903}", "\u{903}"),
            ("a\u{1c}b", "b"),
            ("x\u{1c}y", "x y"),
            ("\u{85}a", ""),
            ("\u{3000}the\u{3000}x", "x"),
            ("a\u{24d0}", "\u{24d0}"),
        ] {
            assert_eq!(normalise(text), normal, "{text:?}");
        }
    }

    #[test]
    fn exact_match_and_f1_follow_the_official_script() {
        for (gold, prediction, em, overlap) in [
            ("the cat", "cat", 1.0, 1.0),
            ("", "the", 1.0, 1.0),
            ("", "unanswerable", 0.0, 0.0),
            ("cat", "", 0.0, 0.0),
            ("a b b c", "b b d", 0.0, 2.0 / 3.0),
            ("10 July 1969", "July 10, 1969", 0.0, 1.0),
            ("Denver-Broncos", "Denver Broncos", 0.0, 0.0),
            ("cats", "cats cats cats", 0.0, 0.5),
        ] {
            assert!((exact(gold, prediction) - em).abs() < 1e-12, "{gold:?} {prediction:?}");
            assert!((f1(gold, prediction) - overlap).abs() < 1e-12, "{gold:?} {prediction:?}");
        }
    }

    #[test]
    fn the_best_accepted_answer_counts_and_empty_ones_do_not() {
        assert_eq!(best(&["10th century", "in the 10th century"], "in 10th century"), (1.0, 1.0));
        assert_eq!(best::<&str>(&[], ""), (1.0, 1.0));
        assert_eq!(best::<&str>(&[], "France"), (0.0, 0.0));
        assert_eq!(best(&["the"], ""), (1.0, 1.0), "an answer that normalises to nothing is no answer");
        assert_eq!(best(&["the", "France"], ""), (0.0, 0.0));
    }
}
