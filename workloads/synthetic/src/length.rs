//! How long prompts and answers are: a number, or a distribution to draw from. Must not know tokens or words.

use std::str::FromStr;

use benchhost_sdk::Rng;

/// The longest length that is accepted, far above any context window in use.
pub const MOST: u32 = 2_000_000;

/// A number of tokens, 1 to [`MOST`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Length {
    /// Always this.
    Fixed(u32),
    /// Each from the first to the second, both included, equally likely.
    Uniform(u32, u32),
    /// Normal with this mean and deviation, rounded, kept within 1 and [`MOST`].
    Normal(f64, f64),
}

impl Length {
    /// Draws one.
    pub fn draw(&self, rng: &mut Rng) -> u32 {
        match *self {
            Self::Fixed(n) => n,
            Self::Uniform(first, last) => {
                let offset = rng.below(u64::from(last - first) + 1);
                first + u32::try_from(offset).unwrap_or(0)
            }
            Self::Normal(mean, deviation) => {
                let drawn = (mean + deviation * rng.normal()).round().clamp(1.0, f64::from(MOST));
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "clamped to 1..=MOST"
                )]
                let whole = drawn as u32;
                whole
            }
        }
    }
}

impl FromStr for Length {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let Some((kind, numbers)) = text.split_once(':') else { return tokens(text).map(Self::Fixed) };
        let two = || {
            numbers
                .split_once(',')
                .ok_or_else(|| format!("`{kind}:` takes two numbers with a comma between them"))
        };
        match kind.trim() {
            "uniform" => {
                let (first, last) = two()?;
                let (first, last) = (tokens(first)?, tokens(last)?);
                if first > last {
                    return Err(format!("the range {first} to {last} is empty"));
                }
                Ok(Self::Uniform(first, last))
            }
            "normal" => {
                let (mean, deviation) = two()?;
                let (mean, deviation) = (number(mean)?, number(deviation)?);
                if mean < 1.0 {
                    return Err(format!("the mean {mean} is below 1"));
                }
                Ok(Self::Normal(mean, deviation))
            }
            other => Err(format!(
                "`{other}` is not a distribution; write `128`, `uniform:100,200` or `normal:1000,100`"
            )),
        }
    }
}

fn tokens(text: &str) -> Result<u32, String> {
    let text = text.trim();
    let whole = text.parse().ok().filter(|n| (1..=MOST).contains(n));
    whole.ok_or_else(|| format!("`{text}` is not a whole number from 1 to {MOST}"))
}

fn number(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let finite = text.parse().ok().filter(|x| (0.0..=f64::from(MOST)).contains(x));
    finite.ok_or_else(|| format!("`{text}` is not a number from 0 to {MOST}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(length: &str, n: usize) -> Vec<u32> {
        let length: Length = length.parse().unwrap();
        let mut rng = Rng::new(1);
        (0..n).map(|_| length.draw(&mut rng)).collect()
    }

    #[test]
    fn a_number_is_fixed_and_the_ends_of_a_range_are_included() {
        assert_eq!(draws(" 128 ", 3), [128; 3]);
        let uniform = draws("uniform: 3, 5", 300);
        assert!((3..=5).all(|n| uniform.contains(&n)) && uniform.iter().all(|n| (3..=5).contains(n)));
        assert_eq!(draws("uniform:7,7", 2), [7; 2]);
    }

    #[test]
    fn a_normal_length_has_its_mean_and_deviation_and_stays_at_one_or_above() {
        let normal = draws("normal:1000,100", 20_000);
        let mean = normal.iter().map(|n| f64::from(*n)).sum::<f64>() / 20_000.0;
        let variance = normal.iter().map(|n| (f64::from(*n) - mean).powi(2)).sum::<f64>() / 20_000.0;
        assert!((mean - 1000.0).abs() < 4.0 && (variance.sqrt() - 100.0).abs() < 4.0, "{mean} {variance}");
        assert!(draws("normal:2,50", 2_000).iter().all(|n| *n >= 1));
        assert_eq!(draws("normal:40,0", 2), [40; 2]);
    }

    #[test]
    fn what_is_not_a_length_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "not a whole number"),
            ("0", "from 1"),
            ("-4", "not a whole number"),
            ("1.5", "not a whole number"),
            ("99999999999", "not a whole number"),
            ("uniform:5", "two numbers"),
            ("uniform:5,4", "is empty"),
            ("uniform:0,4", "from 1"),
            ("normal:0,4", "below 1"),
            ("normal:10,-1", "not a number"),
            ("normal:nan,1", "not a number"),
            ("normal:inf,1", "not a number"),
            ("zipf:1,2", "not a distribution"),
        ] {
            let error = text.parse::<Length>().unwrap_err();
            assert!(error.contains(reason), "{text:?}: {error}");
        }
    }
}
