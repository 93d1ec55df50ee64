//! The simulator's tokenizer: small, reversible and the same on every machine.
//!
//! A token is a run of letters and digits with at most one space before it; a run of more than [`LONGEST_RUN`] characters
//! is cut into pieces of that length; every other character is a token of its own. Nothing here knows of answers or
//! engines.

/// Longest run of letters and digits in one token, in characters.
pub const LONGEST_RUN: usize = 12;

/// Smallest id a piece of text can have; ids below it are kept for special tokens.
pub const FIRST_ID: u32 = 32_000;

/// Number of ids a piece of text can have, so that the vocabulary is 128,000 ids in all.
pub const ID_SPAN: u32 = 96_000;

/// The id of the end-of-sequence token, which has no text.
pub const EOS_ID: u32 = 2;

/// The pieces of `text`, in order; their concatenation is `text`.
///
/// Any prefix of the list, joined and split again, gives the same prefix: the rule reads from left to right.
pub fn split(text: &str) -> Vec<&str> {
    let mut pieces = Vec::with_capacity(text.len() / 4 + 1);
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(first_length(rest));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// The number of tokens in `text`.
pub fn count(text: &str) -> u32 {
    let mut tokens = 0u32;
    let mut rest = text;
    while !rest.is_empty() {
        rest = &rest[first_length(rest)..];
        tokens = tokens.saturating_add(1);
    }
    tokens
}

/// The ids of the tokens of `text`: a stable hash of each piece in `FIRST_ID..FIRST_ID + ID_SPAN`.
pub fn ids(text: &str) -> Vec<u32> {
    split(text).into_iter().map(id).collect()
}

/// The id of one piece of text.
pub fn id(piece: &str) -> u32 {
    let folded = hash(piece.as_bytes()) % u64::from(ID_SPAN);
    FIRST_ID + u32::try_from(folded).unwrap_or(0)
}

/// FNV-1a with 64 bits (Fowler, Noll, Vo): stable across platforms and versions, which the standard hasher is not.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |state, byte| (state ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Bytes of the first token of a text that is not empty.
fn first_length(text: &str) -> usize {
    let lead = usize::from(text.starts_with(' '));
    let run: usize =
        text[lead..].chars().take(LONGEST_RUN).take_while(|c| c.is_alphanumeric()).map(char::len_utf8).sum();
    if run > 0 { lead + run } else { text.chars().next().map_or(0, char::len_utf8) }
}

#[cfg(test)]
mod tests {
    use super::{EOS_ID, FIRST_ID, ID_SPAN, count, ids, split};

    #[test]
    fn words_keep_one_space_and_other_characters_stand_alone() {
        assert_eq!(split("Hi, the sea."), ["Hi", ",", " the", " sea", "."]);
        assert_eq!(split("a  b"), ["a", " ", " b"]);
        assert_eq!(split("\n\n x "), ["\n", "\n", " x", " "]);
        assert_eq!(split("#### 42"), ["#", "#", "#", "#", " 42"]);
    }

    #[test]
    fn long_runs_are_cut() {
        assert_eq!(split(" abcdefghijklmnop"), [" abcdefghijkl", "mnop"]);
    }

    #[test]
    fn every_text_comes_back_and_every_prefix_splits_the_same() {
        for text in ["", " ", "é🎉 漢字x", "👩\u{200d}👩 a\u{301}b", "def f(x):\n    return x\n"] {
            let pieces = split(text);
            assert_eq!(pieces.concat(), text);
            assert_eq!(count(text) as usize, pieces.len());
            for end in 0..=pieces.len() {
                assert_eq!(split(&pieces[..end].concat()), pieces[..end]);
            }
        }
    }

    #[test]
    fn ids_are_stable_and_never_special() {
        assert_eq!(ids("the sea the sea")[1], ids(" sea")[0]);
        assert!(
            ids("a b c d e").iter().all(|id| (FIRST_ID..FIRST_ID + ID_SPAN).contains(id) && *id != EOS_ID)
        );
    }
}
