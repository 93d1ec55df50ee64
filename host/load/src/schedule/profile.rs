//! How a rate runs over time: its cumulative sum, and the inverse of that. Seconds and counts; no randomness.

use std::time::Duration;

use super::Rate;

/// How many requests a second are offered, over time.
#[derive(Debug, Clone, PartialEq)]
pub enum Profile {
    /// Always as many.
    Steady(Rate),
    /// From one rate to another, which is held from then on.
    Ramp {
        /// At the start.
        from: Rate,
        /// From `over` on.
        to: Rate,
        /// How long it takes.
        over: Duration,
        /// Along which curve.
        shape: RampShape,
    },
    /// One rate after the other, each for so long; the last is held. Without any, nothing is ever due.
    Steps(Vec<(Rate, Duration)>),
}

/// The course of a ramp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RampShape {
    /// The rate grows by the same amount each second.
    Linear,
    /// The rate grows by the same factor each second.
    Exponential,
}

impl Profile {
    /// Arrivals expected by `time`, in seconds.
    pub(super) fn arrivals_by(&self, time: f64) -> f64 {
        match self {
            Self::Steady(rate) => rate.per_second() * time,
            Self::Ramp { from, to, over, shape } => {
                let ramp = Ramp::new(*from, *to, *over);
                let inside = time.min(ramp.over);
                ramp.arrivals_by(inside, *shape) + ramp.to * (time - inside)
            }
            Self::Steps(steps) => {
                let (mut begun, mut arrivals) = (0.0, 0.0);
                for (at, (rate, length)) in steps.iter().enumerate() {
                    let length = if at + 1 == steps.len() { f64::INFINITY } else { length.as_secs_f64() };
                    let inside = (time - begun).clamp(0.0, length);
                    arrivals += rate.per_second() * inside;
                    begun += length;
                }
                arrivals
            }
        }
    }

    /// The time by which `arrivals` are expected, in seconds: the inverse of [`Profile::arrivals_by`].
    pub(super) fn time_of(&self, arrivals: f64) -> f64 {
        match self {
            Self::Steady(rate) => arrivals / rate.per_second(),
            Self::Ramp { from, to, over, shape } => {
                let ramp = Ramp::new(*from, *to, *over);
                let whole = ramp.arrivals_by(ramp.over, *shape);
                if arrivals < whole {
                    ramp.time_of(arrivals, *shape)
                } else {
                    ramp.over + (arrivals - whole) / ramp.to
                }
            }
            Self::Steps(steps) => {
                let (mut begun, mut left) = (0.0, arrivals);
                for (at, (rate, length)) in steps.iter().enumerate() {
                    let (rate, length) = (rate.per_second(), length.as_secs_f64());
                    if left < rate * length || at + 1 == steps.len() {
                        return begun + left / rate;
                    }
                    left -= rate * length;
                    begun += length;
                }
                f64::INFINITY
            }
        }
    }
}

/// A ramp in plain numbers.
struct Ramp {
    from: f64,
    to: f64,
    over: f64,
}

/// A growth below this is none: the formulas would divide two vanishing numbers.
const NO_GROWTH: f64 = 1e-12;

impl Ramp {
    fn new(from: Rate, to: Rate, over: Duration) -> Self {
        Self { from: from.per_second(), to: to.per_second(), over: over.as_secs_f64() }
    }

    /// Growth of the rate in a second, and of its logarithm.
    fn growth(&self) -> (f64, f64) {
        ((self.to - self.from) / self.over, (self.to / self.from).ln() / self.over)
    }

    /// Inside the ramp.
    fn arrivals_by(&self, time: f64, curve: RampShape) -> f64 {
        if self.over == 0.0 {
            return 0.0;
        }
        let (slope, growth) = self.growth();
        match curve {
            RampShape::Linear => (self.from + 0.5 * slope * time) * time,
            RampShape::Exponential if growth.abs() < NO_GROWTH => self.from * time,
            RampShape::Exponential => self.from * (growth * time).exp_m1() / growth,
        }
    }

    /// Inside the ramp.
    fn time_of(&self, arrivals: f64, curve: RampShape) -> f64 {
        let (slope, growth) = self.growth();
        match curve {
            // The root of the quadratic in the form that does not cancel for a flat ramp.
            RampShape::Linear => {
                2.0 * arrivals
                    / (self.from + (self.from * self.from + 2.0 * slope * arrivals).max(0.0).sqrt())
            }
            RampShape::Exponential if growth.abs() < NO_GROWTH => arrivals / self.from,
            RampShape::Exponential => (growth * arrivals / self.from).ln_1p() / growth,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(words: &str) -> Profile {
        words.parse().unwrap()
    }

    #[test]
    fn the_inverse_is_the_inverse() {
        for words in [
            "7",
            "ramp:1..20 over 60s",
            "ramp:20..1 over 60s",
            "ramp:5..5 over 60s",
            "ramp-exp:1..20 over 60s",
            "ramp-exp:20..1 over 60s",
            "ramp-exp:5..5 over 60s",
            "steps:2x30s,4x30s,1x10s",
            "ramp:1..20 over 0s",
        ] {
            let profile = profile(words);
            let mut before = -1.0;
            for tenth in 0..1200 {
                let time = f64::from(tenth) / 10.0;
                let arrivals = profile.arrivals_by(time);
                assert!(arrivals >= before, "{words} at {time}");
                assert!((profile.time_of(arrivals) - time).abs() < 1e-9, "{words} at {time}");
                before = arrivals;
            }
        }
    }

    #[test]
    fn the_sums_are_those_of_their_curves() {
        // A trapezium, the integral of an exponential (19 / ln 20 a second), and rectangles.
        assert!((profile("ramp:1..20 over 60s").arrivals_by(60.0) - 630.0).abs() < 1e-9);
        assert!((profile("ramp:1..20 over 60s").arrivals_by(61.0) - 650.0).abs() < 1e-9);
        let exponential = profile("ramp-exp:1..20 over 60s").arrivals_by(60.0);
        assert!((exponential - 60.0 * 19.0 / 20.0_f64.ln()).abs() < 1e-9);
        assert!((profile("steps:2x30s,4x30s").arrivals_by(100.0) - (60.0 + 280.0)).abs() < 1e-9);
    }

    #[test]
    fn a_ramp_of_a_constant_process_is_evenly_spaced_in_its_sum() {
        let due: Vec<f64> =
            super::super::schedule(super::super::Process::Constant, profile("ramp:1..3 over 10s"), 0)
                .take(21)
                .map(benchhost_model::Nanos::as_secs)
                .collect();
        // Twenty arrivals are expected by 10 s, and after that three a second.
        assert!((due[20] - 10.0).abs() < 1e-9);
        assert!(due.windows(3).all(|three| three[2] - three[1] < three[1] - three[0]), "ever closer");
    }

    #[test]
    fn without_a_step_nothing_is_due() {
        let due = super::super::schedule(super::super::Process::Poisson, Profile::Steps(Vec::new()), 0);
        assert!(due.take(3).all(|at| at.get() == u64::MAX));
    }
}
