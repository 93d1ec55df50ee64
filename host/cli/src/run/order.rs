//! Which items are sent, in which order: the same for every engine at a load point, from the seed alone.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// An endless sequence of item indices: a seeded permutation of all items, then another, and so on, so that no item
/// comes twice before every item came once.
#[derive(Debug)]
pub(crate) struct Order {
    rng: ChaCha8Rng,
    round: Vec<u32>,
    next: usize,
}

impl Order {
    /// `items` must be 1 or more; `salt` tells load points and repeats apart.
    pub(crate) fn new(items: u32, seed: u64, salt: u64) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(seed ^ salt.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let round: Vec<u32> = (0..items.max(1)).collect();
        Self { rng, next: round.len(), round }
    }
}

impl Iterator for Order {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        if self.next >= self.round.len() {
            self.round.shuffle(&mut self.rng);
            self.next = 0;
        }
        let index = self.round.get(self.next).copied();
        self.next += 1;
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_comes_once_a_round_and_the_seed_decides() {
        let take = |seed, salt| Order::new(7, seed, salt).take(14).collect::<Vec<_>>();
        let drawn = take(1, 0);
        let mut first = drawn[..7].to_vec();
        first.sort_unstable();
        assert_eq!(first, (0..7).collect::<Vec<_>>());
        assert_eq!(drawn, take(1, 0));
        assert_ne!(drawn, take(2, 0));
        assert_ne!(drawn, take(1, 1));
    }
}
