//! The 32 emotion words of EmpatheticDialogues. Only the list.

/// In alphabetical order; a dialogue's category is one of them.
pub const EMOTIONS: [&str; 32] = [
    "afraid",
    "angry",
    "annoyed",
    "anticipating",
    "anxious",
    "apprehensive",
    "ashamed",
    "caring",
    "confident",
    "content",
    "devastated",
    "disappointed",
    "disgusted",
    "embarrassed",
    "excited",
    "faithful",
    "furious",
    "grateful",
    "guilty",
    "hopeful",
    "impressed",
    "jealous",
    "joyful",
    "lonely",
    "nostalgic",
    "prepared",
    "proud",
    "sad",
    "sentimental",
    "surprised",
    "terrified",
    "trusting",
];

/// Whether this is one of them.
pub(crate) fn is_known(word: &str) -> bool {
    EMOTIONS.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_sorted_so_that_the_search_finds_each() {
        assert!(EMOTIONS.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(EMOTIONS.iter().all(|e| is_known(e)));
        assert!(!is_known("hungry") && !is_known(""));
    }
}
