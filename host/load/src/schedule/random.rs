//! Random numbers of a seed, one stream for each purpose, so that a new use of a seed never shifts an old one. The
//! generator is named because the numbers are part of every plan that holds a seed.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// The stream of `seed` for the purpose that `name` spells.
pub(crate) fn stream(seed: u64, name: [u8; 8]) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(u64::from_le_bytes(name));
    random
}

/// Uniform in (0, 1): the middle of each of 2^53 cells is never 0 or 1.
pub(crate) fn uniform(random: &mut ChaCha8Rng) -> f64 {
    ((random.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

/// Exponential with mean 1, by inversion.
pub(crate) fn exponential(random: &mut ChaCha8Rng) -> f64 {
    -uniform(random).ln()
}

/// Standard normal, by the method of Box and Muller (1958); the second number of the pair is not used, so that each
/// draw takes two numbers from the stream.
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let radius = (2.0 * exponential(random)).sqrt();
    radius * (std::f64::consts::TAU * uniform(random)).cos()
}

/// Gamma with this shape and scale 1, by the method of Marsaglia and Tsang (ACM TOMS 26, 2000): a cube of a shifted
/// normal, accepted with a probability that makes it exact. Below shape 1, a draw of shape + 1 times a power of a
/// uniform number (their section 6).
pub(crate) fn gamma(random: &mut ChaCha8Rng, shape: f64) -> f64 {
    if shape < 1.0 {
        let larger = gamma(random, shape + 1.0);
        return larger * uniform(random).powf(1.0 / shape);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal(random);
        let v = (1.0 + c * x).powi(3);
        if v > 0.0 && uniform(random).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

/// The gamma function of `x` above 0, by the approximation of Lanczos (1964) with g = 7 and nine terms: exact to about
/// 15 digits.
pub(crate) fn gamma_function(x: f64) -> f64 {
    const TERMS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let series = TERMS.iter().zip(1_u32..).map(|(term, at)| term / (x + f64::from(at))).sum::<f64>();
    let t = x + 7.5;
    std::f64::consts::TAU.sqrt() * t.powf(x + 0.5) * (-t).exp() * (0.999_999_999_999_809_9 + series)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: usize = 200_000;

    fn drawn(shape: f64) -> Vec<f64> {
        let mut random = stream(5, *b"testing.");
        let mut drawn: Vec<f64> = (0..DRAWS).map(|_| gamma(&mut random, shape)).collect();
        drawn.sort_unstable_by(f64::total_cmp);
        drawn
    }

    /// The regularised lower incomplete gamma function by its power series, which converges for every argument.
    fn distribution(shape: f64, x: f64) -> f64 {
        let (mut term, mut sum, mut n) = (1.0 / shape, 1.0 / shape, shape);
        while term > sum * 1e-16 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        sum * (shape * x.ln() - x).exp() / gamma_function(shape)
    }

    #[test]
    fn the_distribution_used_to_check_is_itself_right() {
        // Exponential, Erlang of two, and half a chi-square of one degree (erf of 1 is 0.842700792949715).
        assert!((distribution(1.0, 2.0) - (1.0 - (-2.0_f64).exp())).abs() < 1e-12);
        assert!((distribution(2.0, 3.0) - (1.0 - 4.0 * (-3.0_f64).exp())).abs() < 1e-12);
        assert!((distribution(0.5, 1.0) - 0.842_700_792_949_715).abs() < 1e-12);
    }

    #[test]
    fn gamma_draws_follow_their_distribution() {
        for shape in [0.0625, 0.25, 0.5, 1.0, 1.5, 4.0, 25.0] {
            let drawn = drawn(shape);
            let n = DRAWS as f64;
            let distance = drawn.iter().enumerate().fold(0.0_f64, |most, (rank, x)| {
                let below = distribution(shape, *x);
                most.max(below - rank as f64 / n).max((rank + 1) as f64 / n - below)
            });
            // Kolmogorov: beyond 1.95 / sqrt(n) once in a thousand.
            assert!(distance < 1.95 / n.sqrt(), "shape {shape}: distance {distance}");
        }
    }

    #[test]
    fn gamma_draws_have_their_moments() {
        for shape in [0.0625, 0.25, 1.0, 4.0, 25.0] {
            let drawn = drawn(shape);
            let n = DRAWS as f64;
            let mean = drawn.iter().sum::<f64>() / n;
            let variance = drawn.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
            assert!((mean - shape).abs() < 4.0 * (shape / n).sqrt(), "shape {shape}: mean {mean}");
            // The fourth central moment of a gamma distribution is 3 k^2 + 6 k.
            let error = ((2.0 * shape * shape + 6.0 * shape) / n).sqrt();
            assert!((variance - shape).abs() < 4.0 * error, "shape {shape}: variance {variance}");
        }
    }

    #[test]
    fn the_gamma_function_is_that_of_factorials_and_halves() {
        let pi = std::f64::consts::PI;
        for (x, expected) in [
            (1.0, 1.0),
            (2.0, 1.0),
            (5.0, 24.0),
            (11.0, 3_628_800.0),
            (0.5, pi.sqrt()),
            (1.5, pi.sqrt() / 2.0),
        ] {
            assert!((gamma_function(x) / expected - 1.0).abs() < 1e-13, "{x}");
        }
    }
}
