//! How long the users of a closed loop think between two sessions. Numbers only.

use std::time::Duration;

use benchhost_model::Nanos;
use rand_chacha::ChaCha8Rng;

use crate::job::Think;
use crate::schedule::random::{exponential, stream};

/// The pauses of a load, in the order in which they begin.
#[derive(Debug)]
pub(crate) enum Pauses {
    None,
    Fixed(Nanos),
    Exponential { mean: Duration, random: Box<ChaCha8Rng> },
}

impl Pauses {
    pub(crate) fn new(think: Think) -> Self {
        match think {
            Think::None => Self::None,
            Think::Fixed(pause) => Self::Fixed(Nanos::from(pause)),
            Think::Exponential(mean, seed) => {
                Self::Exponential { mean, random: Box::new(stream(seed, *b"thinking")) }
            }
        }
    }

    /// The next pause.
    pub(crate) fn next(&mut self) -> Nanos {
        match self {
            Self::None => Nanos::ZERO,
            Self::Fixed(pause) => *pause,
            Self::Exponential { mean, random } => Nanos::from(mean.mul_f64(exponential(random).min(LONGEST))),
        }
    }
}

/// Longer than any draw of a 53-bit uniform number, and short enough that no product of it overflows in practice.
const LONGEST: f64 = 40.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_have_the_mean_asked_for_and_belong_to_their_seed() {
        let mean = Duration::from_millis(20);
        let pauses = |seed| {
            let mut pauses = Pauses::new(Think::Exponential(mean, seed));
            (0..10_000).map(|_| pauses.next().get() as f64).collect::<Vec<_>>()
        };
        let drawn = pauses(3);
        let average = drawn.iter().sum::<f64>() / 1e4;
        // Four standard errors of the mean of ten thousand exponential draws.
        assert!((average / 2e7 - 1.0).abs() < 0.04, "{average}");
        assert_eq!(drawn, pauses(3));
        assert_ne!(drawn, pauses(4));
        assert_eq!(Pauses::new(Think::Fixed(mean)).next(), Nanos::from(mean));
        assert_eq!(Pauses::new(Think::None).next(), Nanos::ZERO);
    }
}
