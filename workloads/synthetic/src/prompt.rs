//! Writes prompts of an exact number of tokens from stable words, and checks every one. Must not know lengths'
//! distributions or items.

use benchhost_sdk::{Host, Refusal, Rng, TokensSource};

use crate::words;

/// Corrections of one prompt before it is given up. With stable words none is needed.
const TRIES: usize = 32;

/// A prompt and what the host counted for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prompt {
    pub(crate) text: String,
    pub(crate) tokens: u32,
}

/// The words in use and the order in which they open prompts.
#[derive(Debug)]
pub(crate) struct Writer {
    seed: u64,
    words: Vec<String>,
    /// The words in a seeded order: item `i` opens with word `i`, so that no two prompts begin alike.
    openers: Vec<usize>,
    /// Opening words of an item: enough for all items to differ.
    opener_words: u32,
    approximate: bool,
}

impl Writer {
    /// For a workload of `items` prompts.
    pub(crate) fn new(seed: u64, items: u32, host: &dyn Host) -> Result<Self, Refusal> {
        let words = words::stable(host)?;
        let mut openers: Vec<usize> = (0..words.len()).collect();
        // Items use the streams 0 to 2^32 - 1; these two are out of their reach.
        Rng::for_index(seed, u64::MAX).shuffle(&mut openers);
        let approximate = host.tokens_source() == TokensSource::Approximate;
        let mut opener_words = 1;
        while (openers.len() as u64).saturating_pow(opener_words) < u64::from(items) {
            opener_words += 1;
        }
        Ok(Self { seed, words, openers, opener_words, approximate })
    }

    /// One line for people.
    pub(crate) fn summary(&self) -> String {
        if self.approximate {
            "token counts are estimates: prompts are not of exact length; name the model's tokenizer for exact ones".into()
        } else {
            format!("{} words are one token each with this tokenizer", self.words.len())
        }
    }

    /// A prompt of `wanted` tokens whose first `shared` are the same for all items.
    pub(crate) fn write(
        &self,
        wanted: u32,
        shared: u32,
        item: u32,
        rng: &mut Rng,
        host: &dyn Host,
    ) -> Result<Prompt, Refusal> {
        let mut prefix = Rng::for_index(self.seed, u64::MAX - 1);
        let mut opening: Vec<usize> = (0..shared).map(|_| self.any(&mut prefix)).collect();
        opening.extend(self.opener(item));
        opening.truncate(wanted as usize);
        let mut text: Vec<usize> = opening;
        let kept = text.len();
        while text.len() < wanted as usize {
            text.push(self.any(rng));
        }
        self.corrected(wanted, text, kept, rng, host)
    }

    /// Drops or adds words until the count is right. The first `kept` are dropped last.
    fn corrected(
        &self,
        wanted: u32,
        mut text: Vec<usize>,
        kept: usize,
        rng: &mut Rng,
        host: &dyn Host,
    ) -> Result<Prompt, Refusal> {
        let mut nearest: Option<Prompt> = None;
        for _ in 0..TRIES {
            let prompt = self.counted(&text, host)?;
            let tokens = prompt.tokens;
            if nearest.as_ref().is_none_or(|n| tokens.abs_diff(wanted) < n.tokens.abs_diff(wanted)) {
                nearest = Some(prompt);
            }
            if tokens == wanted {
                break;
            }
            // As many words as those tokens take in this prompt; one word a token where words are stable.
            let words = u64::from(tokens.abs_diff(wanted)) * text.len() as u64 / u64::from(tokens.max(1));
            let off = usize::try_from(words).unwrap_or(usize::MAX).clamp(1, wanted as usize);
            if tokens > wanted {
                // At least one word, and never the opening while there is something after it.
                let floor = if text.len() > kept { kept } else { 1 };
                text.truncate(text.len().saturating_sub(off).max(floor));
            } else {
                text.extend((0..off).map(|_| self.any(rng)));
            }
            // A drop and an addition may undo each other for ever; another last word breaks the circle.
            if text.len() > kept {
                text.pop();
                text.push(self.any(rng));
            }
        }
        match nearest {
            Some(prompt) if prompt.tokens == wanted || self.approximate => Ok(prompt),
            other => Err(Refusal::Unsupported(format!(
                "no prompt of exactly {wanted} tokens after {TRIES} corrections (nearest: {}): with this tokenizer the lengths \
                 of words do not add up",
                other.map_or(0, |prompt| prompt.tokens)
            ))),
        }
    }

    fn counted(&self, text: &[usize], host: &dyn Host) -> Result<Prompt, Refusal> {
        let words: Vec<&str> = text.iter().map(|word| self.words[*word].as_str()).collect();
        let text = words.join(" ");
        let counts = words::count(host, std::slice::from_ref(&text))?;
        Ok(Prompt { text, tokens: counts.first().copied().unwrap_or(0) })
    }

    fn any(&self, rng: &mut Rng) -> usize {
        usize::try_from(rng.below(self.words.len() as u64)).unwrap_or(0)
    }

    /// Words in the order of the item's digits, the fastest first: while there are enough words for all items, no two items
    /// share the first; else no two share all of them.
    fn opener(&self, item: u32) -> Vec<usize> {
        let base = self.openers.len();
        let mut rest = item as usize;
        let digit = |_| {
            let word = self.openers[rest % base];
            rest /= base;
            word
        };
        (0..self.opener_words).map(digit).collect()
    }
}
