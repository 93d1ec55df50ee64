//! The text of a row: its blocks, if it has hashes, then words of its own. The same hash is the same words in every row, so a
//! prefix cache finds what it would have found in the recorded prompts. Must not know files or times.

use benchhost_sdk::filler::{Filler, Passage, Word};
use benchhost_sdk::{Host, Refusal, Rng};

/// Streams of the words, so that blocks, rows and the filler never share one.
const WORDS: u64 = 0x0077_6F72_6473;
const BLOCKS: u64 = 0x626C_6F63_6B73;

/// Writes the prompts of one trace.
#[derive(Debug)]
pub(crate) struct Prompts {
    seed: u64,
    filler: Filler,
    /// Tokens that one hash stands for.
    block: u32,
    /// As many tokens as words, however many: nothing needs to be counted.
    adds_up: bool,
}

impl Prompts {
    /// For `rows` prompts of up to `longest` tokens. Everything the host must count is counted here, unless lengths do
    /// not add up with its tokenizer.
    pub(crate) fn new(
        seed: u64,
        reseed: u64,
        rows: u32,
        longest: u32,
        block: u32,
        host: &dyn Host,
    ) -> Result<Self, Refusal> {
        let seed = Rng::for_index(seed ^ WORDS, reseed).next_u64();
        let filler = Filler::new(seed, rows, host)?;
        let adds_up = filler.adds_up(longest, host)?;
        Ok(Self { seed, filler, block, adds_up })
    }

    /// One line for people.
    pub(crate) fn summary(&self) -> String {
        let how = if self.adds_up { "" } else { "; their lengths do not add up, so every prompt is counted" };
        format!("{}{how}", self.filler.summary())
    }

    /// A prompt of `tokens` tokens for row `index` with these block hashes.
    pub(crate) fn write(
        &self,
        index: u32,
        tokens: u32,
        hashes: &[u64],
        host: &dyn Host,
    ) -> Result<Passage, Refusal> {
        let wanted = tokens as usize;
        let mut words: Vec<Word> = Vec::with_capacity(wanted);
        for hash in hashes {
            let mut block = Rng::for_index(self.seed ^ BLOCKS, *hash);
            let room = (wanted - words.len()).min(self.block as usize);
            words.extend((0..room).map(|_| self.filler.any(&mut block)));
        }
        let mut own = Rng::for_index(self.seed, u64::from(index));
        if hashes.is_empty() {
            words.extend(self.filler.opening(index));
            words.truncate(wanted);
        }
        let kept = words.len();
        words.extend((kept..wanted).map(|_| self.filler.any(&mut own)));
        if self.adds_up {
            return Ok(Passage { text: self.filler.joined(&words), tokens });
        }
        self.filler.exact(tokens, words, kept, &mut own, host)
    }
}
