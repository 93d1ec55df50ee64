//! Filler sentences and sympathetic ones from a small vocabulary.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Words with their leading space, each exactly one token.
const WORDS: [&str; 48] = [
    " the",
    " river",
    " carries",
    " small",
    " boats",
    " past",
    " quiet",
    " fields",
    " and",
    " towns",
    " where",
    " people",
    " work",
    " with",
    " patience",
    " every",
    " morning",
    " before",
    " light",
    " reaches",
    " old",
    " stone",
    " walls",
    " a",
    " teacher",
    " reads",
    " to",
    " children",
    " about",
    " distant",
    " islands",
    " while",
    " rain",
    " falls",
    " on",
    " roofs",
    " of",
    " houses",
    " that",
    " stand",
    " near",
    " open",
    " water",
    " in",
    " early",
    " autumn",
    " each",
    " year",
];

/// Pieces beyond ASCII: letters with accents, ideographs, a pair of code units in UTF-16, a joined sequence.
const BEYOND_ASCII: [&str; 6] = [" café", " 漢字", "🎉", " naïve", "👩\u{200d}👧", " Ωμέγα"];

/// Words of a prompt that make a sympathetic answer fit.
const FEELINGS: [&str; 6] =
    ["empath", "sympath", "compassion", "supportive listener", "emotion", "how they feel"];

const OPENINGS: [&str; 4] = [
    "I am so sorry to hear that.",
    "That sounds really hard for you.",
    "Oh, I can understand why you feel that way.",
    "Wow, that must have meant a lot to you.",
];

const FOLLOW_UPS: [&str; 4] = [
    "How are you feeling now?",
    "Do you want to talk about it?",
    "I hope it gets better soon.",
    "What happened next?",
];

/// One word with its leading space: one token.
pub(super) fn spaced_word(random: &mut ChaCha8Rng) -> &'static str {
    WORDS[random.random_range(0..WORDS.len())]
}

/// This many sentences of 5 to 11 words. With `unicode`, about every sixth word is followed by a piece beyond ASCII.
pub(super) fn sentences(random: &mut ChaCha8Rng, count: usize, unicode: bool) -> String {
    let mut text = String::with_capacity(count * 48);
    for _ in 0..count {
        let begin = text.len();
        for _ in 0..random.random_range(5..=11) {
            text.push_str(spaced_word(random));
            if unicode && random.random_range(0..6) == 0 {
                text.push_str(BEYOND_ASCII[random.random_range(0..BEYOND_ASCII.len())]);
            }
        }
        // Every word begins with a space and an ASCII letter.
        text[begin + 1..begin + 2].make_ascii_uppercase();
        text.push('.');
    }
    text.trim_start().to_owned()
}

/// Whether the prompt asks for sympathy.
pub(super) fn wants_sympathy(prompt: &str) -> bool {
    let prompt = prompt.to_lowercase();
    FEELINGS.iter().any(|word| prompt.contains(word))
}

/// A sympathetic answer of two sentences.
pub(super) fn sympathy(random: &mut ChaCha8Rng) -> String {
    let opening = OPENINGS[random.random_range(0..OPENINGS.len())];
    let follow_up = FOLLOW_UPS[random.random_range(0..FOLLOW_UPS.len())];
    format!("{opening} {follow_up}")
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::{WORDS, sentences, sympathy, wants_sympathy};
    use crate::tokens;

    #[test]
    fn every_word_is_one_token() {
        assert!(WORDS.iter().all(|word| tokens::count(word) == 1));
    }

    #[test]
    fn sentences_begin_large_and_end_with_a_stop() {
        let text = sentences(&mut ChaCha8Rng::seed_from_u64(1), 3, true);
        assert_eq!(text.matches('.').count(), 3);
        assert!(text.chars().next().unwrap().is_uppercase());
    }

    #[test]
    fn sympathy_only_where_it_is_asked_for() {
        assert!(wants_sympathy("You are an Empathetic listener."));
        assert!(!wants_sympathy("Write one sentence about the sea."));
        assert!(sympathy(&mut ChaCha8Rng::seed_from_u64(1)).len() > 20);
    }
}
