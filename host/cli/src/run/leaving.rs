//! Who of the users hangs up, and when: a seeded draw for each session, the same for every engine.

use benchhost_http::{HangUp, Separator};
use benchhost_model::Framing;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::plan::{Leaving, Patience};

/// The stream of random numbers that belongs to leaving.
const LEAVING: u64 = u64::from_le_bytes(*b"leaving\0");

/// Draws for one session after the other.
pub(crate) struct Leavers {
    leaving: Option<Leaving>,
    random: ChaCha8Rng,
}

impl Leavers {
    /// `seed` tells load points apart.
    pub(crate) fn new(leaving: Option<Leaving>, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(LEAVING);
        Self { leaving, random }
    }

    /// What the next session's user does; `None`: stays to the end. A body without events has none to count, so only
    /// time can end it.
    pub(crate) fn next(&mut self, framing: Framing) -> Option<HangUp> {
        let leaving = self.leaving?;
        let drawn = (self.random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        if drawn >= leaving.share {
            return None;
        }
        match (leaving.after, framing) {
            (Patience::Time(span), _) => Some(HangUp::After(span)),
            (Patience::Tokens(events), Framing::Sse) => {
                Some(HangUp::AfterEvents { events, separator: Separator::BlankLine })
            }
            (Patience::Tokens(events), Framing::Ndjson) => {
                Some(HangUp::AfterEvents { events, separator: Separator::Line })
            }
            (Patience::Tokens(_), Framing::WholeBody) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_share_leaves_and_the_seed_decides_who() {
        let leaving = Some(Leaving { share: 0.1, after: Patience::Time(Duration::from_secs(2)) });
        let who = |seed| {
            let mut leavers = Leavers::new(leaving, seed);
            (0..5000).map(|_| leavers.next(Framing::Sse).is_some()).collect::<Vec<_>>()
        };
        let left = who(1).iter().filter(|l| **l).count();
        assert!((420..580).contains(&left), "{left}");
        assert_eq!(who(1), who(1));
        assert_ne!(who(1), who(2));
        assert!(Leavers::new(None, 1).next(Framing::Sse).is_none());
        let all = Some(Leaving { share: 1.0, after: Patience::Tokens(3) });
        assert!((0..100).all(|_| Leavers::new(all, 1).next(Framing::Ndjson).is_some()));
    }
}
