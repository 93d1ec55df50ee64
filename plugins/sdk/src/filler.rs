//! Prompts of an exact number of tokens, written from words that are one token each, for workloads whose lengths matter
//! and whose texts do not. Must not know items, lengths' distributions or data files.
//!
//! Words are drawn by the caller's generators, so that equal generators give equal texts: two prompts that begin with the
//! same words begin with the same tokens.

mod words;

use crate::{Host, Refusal, Rng, TokensSource};

/// Corrections of one passage before it is given up. With stable words none is needed.
const TRIES: usize = 32;
/// Passages that [`Filler::adds_up`] counts.
const TRIALS: u64 = 16;
/// Longest of them, in words: a tokenizer that joins words would have done so by then.
const TRIAL_WORDS: u32 = 4096;

/// A text and what the host counted for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Words with single spaces between them.
    pub text: String,
    /// Its tokens, template excluded.
    pub tokens: u32,
}

/// One of a filler's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Word(usize);

/// The words in use and the order in which they open passages.
#[derive(Debug)]
pub struct Filler {
    seed: u64,
    words: Vec<String>,
    /// The words in a seeded order: passage `i` opens with word `i`, so that no two passages begin alike.
    openers: Vec<usize>,
    /// Opening words of a passage: enough for all to differ.
    opener_words: u32,
    approximate: bool,
}

impl Filler {
    /// For `passages` different passages. Asks the host which words are one token each; refused when too few are.
    pub fn new(seed: u64, passages: u32, host: &dyn Host) -> Result<Self, Refusal> {
        let words = words::stable(host)?;
        let mut openers: Vec<usize> = (0..words.len()).collect();
        // Passages use the streams 0 to 2^32 - 1 of their seed; these are out of their reach.
        Rng::for_index(seed, u64::MAX).shuffle(&mut openers);
        let approximate = host.tokens_source() == TokensSource::Approximate;
        let mut opener_words = 1;
        while (openers.len() as u64).saturating_pow(opener_words) < u64::from(passages) {
            opener_words += 1;
        }
        Ok(Self { seed, words, openers, opener_words, approximate })
    }

    /// One line for people.
    pub fn summary(&self) -> String {
        if self.approximate {
            "token counts are estimates: prompts are not of exact length; name the model's tokenizer for exact ones".into()
        } else {
            format!("{} words are one token each with this tokenizer", self.words.len())
        }
    }

    /// A word.
    pub fn any(&self, rng: &mut Rng) -> Word {
        Word(usize::try_from(rng.below(self.words.len() as u64)).unwrap_or(0))
    }

    /// The words that passage `index` opens with, the fastest-changing first: while there are enough words for all
    /// passages, no two share the first; else no two share all of them.
    pub fn opening(&self, index: u32) -> Vec<Word> {
        let base = self.openers.len();
        let mut rest = index as usize;
        let digit = |_| {
            let word = self.openers[rest % base];
            rest /= base;
            Word(word)
        };
        (0..self.opener_words).map(digit).collect()
    }

    /// The words as a text.
    pub fn joined(&self, words: &[Word]) -> String {
        let mut text = String::with_capacity(words.len() * 7);
        for (at, word) in words.iter().enumerate() {
            if at > 0 {
                text.push(' ');
            }
            text.push_str(&self.words[word.0]);
        }
        text
    }

    /// Whether passages of up to `longest` words have as many tokens as words, tried on a few: then a text need not be
    /// counted to be of exact length. One call to the host.
    pub fn adds_up(&self, longest: u32, host: &dyn Host) -> Result<bool, Refusal> {
        let lengths: Vec<u32> = (0..TRIALS)
            .map(|trial| {
                // Every other one shorter: of the longest for the many pairs of words, of others for the ends.
                let most = longest.clamp(1, TRIAL_WORDS);
                if trial % 2 == 0 { most } else { (most >> (trial / 2 + 1)).max(1) }
            })
            .collect();
        let texts: Vec<String> = (0..TRIALS)
            .zip(&lengths)
            .map(|(trial, length)| {
                let mut rng = Rng::for_index(self.seed, u64::MAX - 2 - trial);
                let words: Vec<Word> = (0..*length).map(|_| self.any(&mut rng)).collect();
                self.joined(&words)
            })
            .collect();
        Ok(words::count(host, &texts)? == lengths)
    }

    /// The passage of `wanted` tokens that begins with `words`: words are dropped or added until the count is right.
    /// The first `kept` are dropped last. With approximate counts the nearest that was found.
    pub fn exact(
        &self,
        wanted: u32,
        mut words: Vec<Word>,
        kept: usize,
        rng: &mut Rng,
        host: &dyn Host,
    ) -> Result<Passage, Refusal> {
        let mut nearest: Option<Passage> = None;
        for _ in 0..TRIES {
            let passage = self.counted(&words, host)?;
            let tokens = passage.tokens;
            if nearest.as_ref().is_none_or(|n| tokens.abs_diff(wanted) < n.tokens.abs_diff(wanted)) {
                nearest = Some(passage);
            }
            if tokens == wanted {
                break;
            }
            // As many words as those tokens take in this passage; one word a token where words are stable.
            let share = u64::from(tokens.abs_diff(wanted)) * words.len() as u64 / u64::from(tokens.max(1));
            let off = usize::try_from(share).unwrap_or(usize::MAX).clamp(1, wanted.max(1) as usize);
            if tokens > wanted {
                // At least one word, and never the opening while there is something after it.
                let floor = if words.len() > kept { kept } else { 1 };
                words.truncate(words.len().saturating_sub(off).max(floor));
            } else {
                words.extend((0..off).map(|_| self.any(rng)));
            }
            // A drop and an addition may undo each other for ever; another last word breaks the circle.
            if words.len() > kept {
                words.pop();
                words.push(self.any(rng));
            }
        }
        match nearest {
            Some(passage) if passage.tokens == wanted || self.approximate => Ok(passage),
            other => Err(Refusal::Unsupported(format!(
                "no prompt of exactly {wanted} tokens after {TRIES} corrections (nearest: {}): with this tokenizer the lengths \
                 of words do not add up",
                other.map_or(0, |passage| passage.tokens)
            ))),
        }
    }

    fn counted(&self, words: &[Word], host: &dyn Host) -> Result<Passage, Refusal> {
        let text = self.joined(words);
        let counts = words::count(host, std::slice::from_ref(&text))?;
        Ok(Passage { text, tokens: counts.first().copied().unwrap_or(0) })
    }
}

#[cfg(all(test, feature = "testkit"))]
mod tests {
    use super::*;
    use crate::testkit::FakeHost;

    #[test]
    fn equal_generators_give_equal_texts_and_openings_differ() {
        let host = FakeHost::new().with_tokens(TokensSource::File);
        let filler = Filler::new(3, 5000, &host).unwrap();
        let text = |seed| {
            let mut rng = Rng::new(seed);
            filler.joined(&(0..40).map(|_| filler.any(&mut rng)).collect::<Vec<_>>())
        };
        assert_eq!(text(1), text(1));
        assert_ne!(text(1), text(2));
        let openings: std::collections::BTreeSet<_> = (0..5000).map(|i| filler.opening(i)).collect();
        assert_eq!(openings.len(), 5000);
    }

    #[test]
    fn lengths_that_add_up_are_told_from_those_that_do_not() {
        let host = FakeHost::new().with_tokens(TokensSource::File);
        assert_eq!(Filler::new(3, 5, &host).unwrap().adds_up(100_000, &host), Ok(true));
        let joins = crate::testkit::Counting::new(TokensSource::File, |text| {
            let words = u32::try_from(text.split(' ').count()).unwrap_or(0);
            if words > 300 { words - 1 } else { words }
        });
        let filler = Filler::new(3, 5, &joins).unwrap();
        assert_eq!((filler.adds_up(200, &joins), filler.adds_up(2000, &joins)), (Ok(true), Ok(false)));
    }
}
