//! Patterns of arrivals with a mean rate of 1. Knows no rate and no unit of time, except for the states of a process
//! that switches between two, which last so many seconds.

use std::num::NonZeroU32;

use rand_chacha::ChaCha8Rng;

use super::profile::Profile;
use super::random::{exponential, gamma, gamma_function, stream, uniform};

/// How arrivals follow one another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Process {
    /// Equal gaps, the first request at the start.
    Constant,
    /// Independent exponential gaps, the first request after one.
    Poisson,
    /// Independent gamma gaps with this coefficient of variation: above 1 they bunch, below 1 they even out.
    Gamma(Spread),
    /// Independent Weibull gaps with this shape: below 1 they bunch, above 1 they even out.
    Weibull(Shape),
    /// A Poisson process that switches between a busy and a calm state.
    Mmpp(Mmpp),
    /// So many at the same moment; the moments are a Poisson process.
    Batches(NonZeroU32),
}

/// A coefficient of variation from 0.01 to 20. Beyond, gaps vanish in the clock's grain or one gap is longer than a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread(f64);

impl Spread {
    /// `None`: out of range.
    pub fn new(cv: f64) -> Option<Self> {
        (0.01..=20.0).contains(&cv).then_some(Self(cv))
    }

    /// The coefficient of variation.
    pub const fn cv(self) -> f64 {
        self.0
    }
}

/// The shape of a Weibull distribution, from 0.2 (coefficient of variation 16) to 100.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape(f64);

impl Shape {
    /// `None`: out of range.
    pub fn new(shape: f64) -> Option<Self> {
        (0.2..=100.0).contains(&shape).then_some(Self(shape))
    }

    /// The shape.
    pub const fn get(self) -> f64 {
        self.0
    }
}

/// Two states that take turns, each lasting exponentially long, with a Poisson process of its own rate in each
/// (Markov-modulated Poisson process). The rates are relative to each other; what is offered on average is what the
/// profile says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mmpp {
    burst: f64,
    calm: f64,
    burst_s: f64,
    calm_s: f64,
}

impl Mmpp {
    /// Rates of the two states relative to each other, and their mean lengths in seconds. `None`: a rate is below 0 or
    /// the busy one is not above the calm one, or a length is not above 0, or a number is above a million.
    pub fn new(burst: f64, calm: f64, burst_s: f64, calm_s: f64) -> Option<Self> {
        let lengths = [burst_s, calm_s].iter().all(|s| (1e-3..=1e6).contains(s));
        ((0.0..=1e6).contains(&calm) && burst > calm && burst <= 1e6 && lengths).then_some(Self {
            burst,
            calm,
            burst_s,
            calm_s,
        })
    }

    /// As given to [`Mmpp::new`].
    pub const fn parameters(self) -> [f64; 4] {
        [self.burst, self.calm, self.burst_s, self.calm_s]
    }

    /// The course of the states for a seed. It begins in the busy state as often as it is found there at any time.
    pub(super) fn states(self, seed: u64) -> States {
        let mean = (self.burst * self.burst_s + self.calm * self.calm_s) / (self.burst_s + self.calm_s);
        let mut random = stream(seed, *b"states..");
        let bursting = uniform(&mut random) < self.burst_s / (self.burst_s + self.calm_s);
        let mut states = States {
            rates: [self.calm / mean, self.burst / mean],
            lengths: [self.calm_s, self.burst_s],
            random,
            state: usize::from(!bursting),
            from: 0.0,
            until: 0.0,
            pattern: 0.0,
        };
        states.switch();
        states
    }
}

/// The course of the two states. Asked for rising points of the pattern.
#[derive(Debug)]
pub(super) struct States {
    /// Of the calm and the busy state, as multiples of the mean.
    rates: [f64; 2],
    lengths: [f64; 2],
    random: ChaCha8Rng,
    state: usize,
    /// Seconds at which the state began and ends.
    from: f64,
    until: f64,
    /// Point of the pattern at which the state began.
    pattern: f64,
}

impl States {
    /// When the pattern's point `at` is reached, in seconds.
    pub(super) fn time_of(&mut self, at: f64, profile: &Profile) -> f64 {
        loop {
            let rate = self.rates.get(self.state).copied().unwrap_or(1.0);
            let begun = profile.arrivals_by(self.from);
            let whole = rate * (profile.arrivals_by(self.until) - begun);
            if at < self.pattern + whole {
                return profile.time_of(begun + (at - self.pattern) / rate).clamp(self.from, self.until);
            }
            self.pattern += whole;
            self.switch();
        }
    }

    fn switch(&mut self) {
        self.state = 1 - self.state;
        self.from = self.until;
        self.until += self.lengths.get(self.state).copied().unwrap_or(1.0) * exponential(&mut self.random);
    }
}

/// A Poisson process of rate 1.
pub(super) fn poisson(seed: u64) -> impl Iterator<Item = f64> + Send {
    renewal(seed, exponential)
}

fn renewal(seed: u64, gap: impl Fn(&mut ChaCha8Rng) -> f64 + Send) -> impl Iterator<Item = f64> + Send {
    let mut random = stream(seed, *b"arrivals");
    let mut at = 0.0;
    std::iter::repeat_with(move || {
        at += gap(&mut random);
        at
    })
}

impl Process {
    /// The coefficient of variation that the gaps have at a steady rate in the long run; `None` where it depends on the
    /// rate.
    pub fn cv(&self) -> Option<f64> {
        match *self {
            Self::Constant => Some(0.0),
            Self::Poisson => Some(1.0),
            Self::Gamma(Spread(cv)) => Some(cv),
            Self::Weibull(Shape(shape)) => {
                let mean = gamma_function(1.0 + 1.0 / shape);
                Some((gamma_function(1.0 + 2.0 / shape) / (mean * mean) - 1.0).max(0.0).sqrt())
            }
            // One gap in so many is exponential and as many times as long; the others are nothing.
            Self::Batches(size) => Some((2.0 * f64::from(size.get()) - 1.0).sqrt()),
            Self::Mmpp(_) => None,
        }
    }

    /// The pattern of a process that needs no seconds.
    pub(super) fn pattern(&self, seed: u64) -> Box<dyn Iterator<Item = f64> + Send> {
        match *self {
            // From the index, not from the one before: rounding does not add up.
            Self::Constant => Box::new((0_u64..).map(|index| index as f64)),
            Self::Poisson | Self::Mmpp(_) => Box::new(poisson(seed)),
            Self::Gamma(Spread(cv)) => {
                let shape = 1.0 / (cv * cv);
                Box::new(renewal(seed, move |random| gamma(random, shape) / shape))
            }
            Self::Weibull(Shape(shape)) => {
                let mean = gamma_function(1.0 + 1.0 / shape);
                Box::new(renewal(seed, move |random| exponential(random).powf(1.0 / shape) / mean))
            }
            Self::Batches(size) => {
                let size = size.get();
                let together = move |at: f64| std::iter::repeat_n(at * f64::from(size), size as usize);
                Box::new(poisson(seed).flat_map(together))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAPS: usize = 200_000;

    fn gaps(process: &str) -> Vec<f64> {
        let points: Vec<f64> = process.parse::<Process>().unwrap().pattern(9).take(GAPS + 1).collect();
        points.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    fn moments(values: &[f64]) -> (f64, f64) {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        (mean, (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt())
    }

    /// Largest distance between the gaps and a distribution; beyond 1.95 / sqrt(n) once in a thousand.
    fn follows(mut gaps: Vec<f64>, distribution: impl Fn(f64) -> f64) {
        gaps.sort_unstable_by(f64::total_cmp);
        let n = gaps.len() as f64;
        for (rank, gap) in gaps.iter().enumerate() {
            let distance = (distribution(*gap) - (rank as f64 + 0.5) / n).abs();
            assert!(distance < 1.95 / n.sqrt(), "at {gap}: {distance}");
        }
    }

    #[test]
    fn poisson_gaps_are_exponential() {
        follows(gaps("poisson"), |gap| 1.0 - (-gap).exp());
    }

    #[test]
    fn weibull_gaps_are_weibull() {
        for shape in [0.5_f64, 0.7, 1.0, 3.0] {
            let mean = gamma_function(1.0 + 1.0 / shape);
            follows(gaps(&format!("weibull:{shape}")), |gap| 1.0 - (-(gap * mean).powf(shape)).exp());
        }
    }

    #[test]
    fn gamma_gaps_have_the_variation_asked_for() {
        for cv in [0.2_f64, 0.5, 1.0, 2.0, 4.0] {
            let (mean, spread) = moments(&gaps(&format!("gamma:{cv}")));
            let (n, cv2) = (GAPS as f64, cv * cv);
            assert!((mean - 1.0).abs() < 4.0 * cv / n.sqrt(), "cv {cv}: mean {mean}");
            // Of the variance: the fourth central moment of a gamma gap with mean 1 is 3 cv^4 + 6 cv^6.
            let error = ((2.0 * cv2 * cv2 + 6.0 * cv2 * cv2 * cv2) / n).sqrt();
            assert!((spread * spread - cv2).abs() < 4.0 * error, "cv {cv}: {spread}");
        }
        follows(gaps("gamma:1"), |gap| 1.0 - (-gap).exp());
    }

    #[test]
    fn the_variation_said_is_the_variation_had() {
        for process in ["constant", "poisson", "gamma:0.5", "weibull:0.7", "weibull:3", "batches:3"] {
            let said = process.parse::<Process>().unwrap().cv().unwrap();
            let (_, spread) = moments(&gaps(process));
            assert!((spread - said).abs() <= 0.03 * said, "{process}: {spread}, said {said}");
        }
        assert_eq!("mmpp:burst=5,calm=1,burst-s=1,calm-s=1".parse::<Process>().unwrap().cv(), None);
    }

    #[test]
    fn batches_come_together_and_their_moments_are_poisson() {
        let points: Vec<f64> = "batches:5".parse::<Process>().unwrap().pattern(1).take(50_000).collect();
        let (batches, rest) = points.as_chunks::<5>();
        assert!(
            rest.is_empty()
                && batches.iter().all(|batch| batch.iter().all(|at| at.to_bits() == batch[0].to_bits()))
        );
        follows(batches.windows(2).map(|pair| (pair[1][0] - pair[0][0]) / 5.0).collect(), |gap| {
            1.0 - (-gap).exp()
        });
    }

    #[test]
    fn the_two_states_have_the_shares_and_rates_asked_for() {
        let mmpp = Mmpp::new(9.0, 1.0, 2.0, 6.0).unwrap();
        // Mean (9 * 2 + 1 * 6) / 8 = 3, so three times and a third of the mean.
        let mut states = mmpp.states(4);
        assert!((states.rates[0] - 1.0 / 3.0).abs() < 1e-12 && (states.rates[1] - 3.0).abs() < 1e-12);
        let profile: Profile = "10".parse().unwrap();
        let (mut busy, mut calm) = (0.0, 0.0);
        let mut stretches = 0;
        for point in poisson(4).take(400_000) {
            let from = states.from;
            states.time_of(point, &profile);
            if states.from > from {
                let length = states.until - states.from;
                *if states.state == 1 { &mut busy } else { &mut calm } += length;
                stretches += 1;
            }
        }
        assert!(stretches > 5_000);
        // Stretches without an arrival are not seen here; four standard errors and those.
        let share = busy / (busy + calm);
        assert!((share - 0.25).abs() < 0.02, "{share}");
    }

    #[test]
    fn a_process_out_of_range_cannot_be_made() {
        for bad in [0.0, -1.0, 21.0, f64::NAN, f64::INFINITY] {
            assert!(Spread::new(bad).is_none());
        }
        assert!(Shape::new(0.1).is_none() && Shape::new(f64::NAN).is_none());
        for bad in [
            [1.0, 1.0, 1.0, 1.0],
            [1.0, -1.0, 1.0, 1.0],
            [2.0, 1.0, 0.0, 1.0],
            [2.0, 1.0, 1.0, f64::NAN],
            [f64::NAN, 0.0, 1.0, 1.0],
        ] {
            let [burst, calm, burst_s, calm_s] = bad;
            assert!(Mmpp::new(burst, calm, burst_s, calm_s).is_none(), "{bad:?}");
        }
        assert!(Mmpp::new(1.0, 0.0, 1.0, 1.0).is_some(), "a calm state may be silent");
    }
}
