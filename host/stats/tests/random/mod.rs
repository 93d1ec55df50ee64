//! Random numbers of simulations: seeded, the same on every machine.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub(crate) struct Random(ChaCha8Rng);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    pub(crate) fn seed(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Between 0 and 1, both excluded.
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.seed() >> 11) as f64 + 0.5) / 2_f64.powi(53)
    }

    pub(crate) fn exponential(&mut self) -> f64 {
        -self.uniform().ln()
    }

    /// Standard normal (Box & Muller).
    pub(crate) fn normal(&mut self) -> f64 {
        (2.0 * self.exponential()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Autoregressive values with mean 0, variance 1 and this correlation of neighbours.
    pub(crate) fn autoregressive(&mut self, count: usize, correlation: f64) -> Vec<f64> {
        let mut value = self.normal();
        let noise = (1.0 - correlation * correlation).sqrt();
        let mut next = || {
            value = correlation * value + noise * self.normal();
            value
        };
        (0..count).map(|_| next()).collect()
    }
}
