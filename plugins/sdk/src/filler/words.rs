//! Words that are one token each, wherever they stand between spaces. Must not know passages.
//!
//! A tokenizer that works on words first (as nearly all do) takes a word after a space for itself, so lengths add up and any
//! cut at a space is a token boundary. Which words are one token depends on the vocabulary: the host is asked.

use crate::{Host, Refusal, TokensSource};

/// Texts in one call to the host; the contract allows 4096.
const BATCH: usize = 2048;
/// Fewer make prompts that repeat themselves.
const FEWEST: usize = 50;

/// Common English words, lower case, 3 to 10 letters, in alphabetical order.
pub(super) fn candidates() -> Vec<String> {
    include_str!("words.txt").split_whitespace().map(str::to_owned).collect()
}

/// The words for which `word` is one token and `x word` is one more than `x`. An approximate counter may know none: then
/// all candidates are used.
pub(super) fn stable(host: &dyn Host) -> Result<Vec<String>, Refusal> {
    let candidates = candidates();
    let texts: Vec<String> = std::iter::once("x".to_owned())
        .chain(candidates.iter().cloned())
        .chain(candidates.iter().map(|word| format!("x {word}")))
        .collect();
    let counts = count(host, &texts)?;
    let (alone, after_x) = counts[1..].split_at(candidates.len());
    let one_more = counts[0].saturating_add(1);
    let mut is_stable = alone.iter().zip(after_x).map(|(alone, after_x)| *alone == 1 && *after_x == one_more);
    let mut kept = candidates.clone();
    kept.retain(|_| is_stable.next().unwrap_or(false));
    if kept.len() >= FEWEST {
        return Ok(kept);
    }
    if host.tokens_source() == TokensSource::Approximate {
        return Ok(candidates);
    }
    Err(Refusal::Unsupported(format!(
        "only {} of {} common English words are one token each with this tokenizer, and {FEWEST} are needed for \
         prompts of exact length; check that the tokenizer is the model's, or use another workload",
        kept.len(),
        candidates.len()
    )))
}

/// Counts tokens in calls of at most [`BATCH`] texts.
pub(super) fn count(host: &dyn Host, texts: &[String]) -> Result<Vec<u32>, Refusal> {
    let mut counts = Vec::with_capacity(texts.len());
    for batch in texts.chunks(BATCH) {
        let some =
            host.count_tokens(batch).map_err(|e| Refusal::Other(format!("tokens cannot be counted: {e}")))?;
        if some.len() != batch.len() {
            return Err(Refusal::Other(format!(
                "{} texts were counted, {} were asked for",
                some.len(),
                batch.len()
            )));
        }
        counts.extend(some);
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_holds_many_common_words_once_each() {
        let words = candidates();
        assert!(words.len() >= 600, "{}", words.len());
        assert!(words.windows(2).all(|pair| pair[0] < pair[1]), "in order, so none twice");
        assert!(
            words.iter().all(|w| (3..=10).contains(&w.len()) && w.bytes().all(|b| b.is_ascii_lowercase()))
        );
    }
}
