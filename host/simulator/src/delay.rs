//! Distributions of delays: how they are written and how they are drawn.
//!
//! A delay knows nothing of what is delayed; the caller owns the random stream.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Longest delay that is ever drawn or accepted: one hour.
const LONGEST: Duration = Duration::from_hours(1);

/// A distribution of delays.
///
/// Written `20ms` or `fixed:20ms`, `normal:20ms,5ms` (mean, standard deviation), `lognormal:20ms,0.4` (median, sigma of
/// the logarithm) and `tailed:20ms,0.1,0.05,3` (the same, then the share of slow draws and how many times as long they
/// take). Units: `ns`, `us`, `ms`, `s`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Delay {
    /// Always the same.
    Fixed(Duration),
    /// Normal, cut at 0.
    Normal {
        /// Mean before the cut.
        mean: Duration,
        /// Standard deviation before the cut.
        deviation: Duration,
    },
    /// Log-normal: right-skewed like the latencies of real servers.
    LogNormal {
        /// Median.
        median: Duration,
        /// Standard deviation of the natural logarithm, 0 or more.
        sigma: f64,
    },
    /// Log-normal with a tail of its own: a share of the draws takes a multiple. A change of the multiple moves the
    /// percentiles beyond 1 − share and hardly the others.
    Tailed {
        /// Median of the usual draws.
        median: Duration,
        /// Standard deviation of the natural logarithm, 0 or more.
        sigma: f64,
        /// Share of slow draws, 0 to 1.
        share: f64,
        /// How many times as long a slow draw takes.
        factor: f64,
    },
}

impl Delay {
    /// No delay at all.
    pub const NONE: Self = Self::Fixed(Duration::ZERO);

    /// Draws one delay, between 0 and one hour.
    pub fn draw(&self, random: &mut ChaCha8Rng) -> Duration {
        let seconds = match *self {
            Self::Fixed(delay) => return delay,
            Self::Normal { mean, deviation } => {
                mean.as_secs_f64() + deviation.as_secs_f64() * standard_normal(random)
            }
            Self::LogNormal { median, sigma } => {
                median.as_secs_f64() * (sigma * standard_normal(random)).exp()
            }
            Self::Tailed { median, sigma, share, factor } => {
                let usual = median.as_secs_f64() * (sigma * standard_normal(random)).exp();
                if random.random::<f64>() < share { factor * usual } else { usual }
            }
        };
        Duration::from_secs_f64(seconds.clamp(0.0, LONGEST.as_secs_f64()))
    }
}

/// One draw of the standard normal distribution (Box and Muller, 1958).
fn standard_normal(random: &mut ChaCha8Rng) -> f64 {
    // 1 − u lies in (0, 1], so the logarithm is finite.
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.random::<f64>()).cos()
}

/// Reads `12ms`, `1.5s`, `250us` or `900ns`; at most one hour.
pub(crate) fn parse_duration(text: &str) -> anyhow::Result<Duration> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let scale = match unit {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "" => bail!("duration `{text}` has no unit; write `{text}ms` or `{text}s`"),
        _ => bail!("duration `{text}` has the unknown unit `{unit}`; use ns, us, ms or s"),
    };
    let number: f64 =
        number.parse().with_context(|| format!("duration `{text}` does not begin with a number"))?;
    let seconds = number * scale;
    ensure!(seconds <= LONGEST.as_secs_f64(), "duration `{text}` is longer than one hour");
    Ok(Duration::from_secs_f64(seconds))
}

/// The two comma-separated parts of a distribution's parameters.
fn pair(text: &str, form: &str) -> anyhow::Result<(String, String)> {
    match text.split_once(',') {
        Some((first, second)) => Ok((first.trim().to_owned(), second.trim().to_owned())),
        None => bail!("delay `{text}` needs two parameters; write {form}"),
    }
}

fn sigma_of(text: &str) -> anyhow::Result<f64> {
    number_within(text, "sigma", 10.0)
}

/// A number from 0 to `most`.
fn number_within(text: &str, what: &str, most: f64) -> anyhow::Result<f64> {
    let number: f64 = text.parse().with_context(|| format!("{what} `{text}` is not a number"))?;
    ensure!((0.0..=most).contains(&number), "{what} `{text}` is outside 0 to {most}");
    Ok(number)
}

impl FromStr for Delay {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (kind, rest) = text.split_once(':').unwrap_or(("fixed", text));
        match kind.trim() {
            "fixed" => Ok(Self::Fixed(parse_duration(rest)?)),
            "normal" => {
                let (mean, deviation) = pair(rest, "`normal:20ms,5ms`")?;
                Ok(Self::Normal { mean: parse_duration(&mean)?, deviation: parse_duration(&deviation)? })
            }
            "lognormal" => {
                let (median, sigma) = pair(rest, "`lognormal:20ms,0.4`")?;
                Ok(Self::LogNormal { median: parse_duration(&median)?, sigma: sigma_of(&sigma)? })
            }
            "tailed" => {
                let parts: Vec<&str> = rest.split(',').map(str::trim).collect();
                let [median, sigma, share, factor] = parts[..] else {
                    bail!("delay `{rest}` needs four parameters; write `tailed:20ms,0.1,0.05,3`");
                };
                Ok(Self::Tailed {
                    median: parse_duration(median)?,
                    sigma: sigma_of(sigma)?,
                    share: number_within(share, "share of slow draws", 1.0)?,
                    factor: number_within(factor, "factor of slow draws", 1000.0)?,
                })
            }
            other => {
                bail!(
                    "unknown delay `{other}`; use fixed, normal, lognormal or tailed, as in `lognormal:20ms,0.4`"
                )
            }
        }
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(delay) => write!(out, "fixed:{}ns", delay.as_nanos()),
            Self::Normal { mean, deviation } => {
                write!(out, "normal:{}ns,{}ns", mean.as_nanos(), deviation.as_nanos())
            }
            Self::LogNormal { median, sigma } => write!(out, "lognormal:{}ns,{sigma}", median.as_nanos()),
            Self::Tailed { median, sigma, share, factor } => {
                write!(out, "tailed:{}ns,{sigma},{share},{factor}", median.as_nanos())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::Delay;

    fn draws(delay: Delay) -> Vec<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        (0..4001).map(|_| delay.draw(&mut random).as_secs_f64() * 1e3).collect()
    }

    #[test]
    fn reads_what_it_writes() {
        for text in [
            "20ms",
            "fixed:1.5s",
            "normal:20ms,5ms",
            "lognormal:250us,0.4",
            "tailed:20ms,0.1,0.05,3.5",
            "0ns",
        ] {
            let delay: Delay = text.parse().unwrap();
            assert_eq!(delay.to_string().parse::<Delay>().unwrap(), delay, "{text}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_mean() {
        for text in [
            "",
            "20",
            "20h",
            "-3ms",
            "normal:20ms",
            "lognormal:20ms,-1",
            "lognormal:20ms,NaN",
            "gauss:1ms",
            "tailed:20ms,0.1",
            "tailed:20ms,0.1,1.5,3",
            "tailed:20ms,0.1,0.05,-3",
            "9000s",
        ] {
            assert!(text.parse::<Delay>().is_err(), "{text}");
        }
    }

    #[test]
    fn draws_have_the_stated_centre_and_spread() {
        let normal = draws("normal:20ms,2ms".parse().unwrap());
        let mean = normal.iter().sum::<f64>() / normal.len() as f64;
        let variance = normal.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / normal.len() as f64;
        assert!((mean - 20.0).abs() < 0.2, "{mean}");
        assert!((variance.sqrt() - 2.0).abs() < 0.2, "{variance}");

        let mut skewed = draws("lognormal:20ms,0.5".parse().unwrap());
        skewed.sort_by(f64::total_cmp);
        assert!((skewed[2000] - 20.0).abs() < 1.0, "{}", skewed[2000]);
        assert!(
            (skewed[3366] / skewed[2000]).ln() - 0.5 < 0.05,
            "84th percentile lies one sigma above the median"
        );
    }

    #[test]
    fn another_tail_moves_the_99th_percentile_and_not_the_median() {
        let quantile = |text: &str, at: usize| {
            let mut drawn = draws(text.parse().unwrap());
            drawn.sort_by(f64::total_cmp);
            drawn[at]
        };
        let (usual, longer) = ("tailed:20ms,0.1,0.05,3", "tailed:20ms,0.1,0.05,3.3");
        assert!((quantile(longer, 3960) / quantile(usual, 3960) - 1.1).abs() < 0.001);
        assert!((quantile(longer, 2000) / quantile(usual, 2000) - 1.0).abs() < 0.001);
        let slow = draws(usual.parse().unwrap()).iter().filter(|ms| **ms > 40.0).count();
        assert!((150..250).contains(&slow), "a share of 5 % of 4001: {slow}");
    }

    #[test]
    fn never_negative() {
        assert!(draws("normal:1ms,50ms".parse().unwrap()).iter().all(|x| *x >= 0.0));
        assert_eq!(Delay::NONE.draw(&mut ChaCha8Rng::seed_from_u64(1)), Duration::ZERO);
    }
}
