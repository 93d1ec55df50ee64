//! Which words a prompt has: the part all share, the words it opens with, then any. Must not know lengths' distributions.

use benchhost_sdk::filler::{Passage, Word};
use benchhost_sdk::{Host, Refusal, Rng};

use crate::Synthetic;

impl Synthetic {
    /// A prompt of `wanted` tokens whose first `shared` are the same for all items.
    pub(crate) fn prompt(
        &self,
        wanted: u32,
        shared: u32,
        item: u32,
        rng: &mut Rng,
        host: &dyn Host,
    ) -> Result<Passage, Refusal> {
        // Items use the streams 0 to 2^32 - 1, and the filler the last one.
        let mut prefix = Rng::for_index(self.seed, u64::MAX - 1);
        let mut words: Vec<Word> = (0..shared).map(|_| self.filler.any(&mut prefix)).collect();
        words.extend(self.filler.opening(item));
        words.truncate(wanted as usize);
        let kept = words.len();
        while words.len() < wanted as usize {
            words.push(self.filler.any(rng));
        }
        self.filler.exact(wanted, words, kept, rng, host)
    }
}
