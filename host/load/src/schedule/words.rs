//! Processes and profiles as words, for plans and flags. The words are listed in the parent module.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::process::{Mmpp, Process, Shape, Spread};
use super::profile::{Profile, RampShape};
use super::{Rate, RateError};

/// Words that name no process or profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` {fault}; {expected}")]
pub struct WordsError {
    text: String,
    fault: String,
    expected: &'static str,
}

const PROCESSES: &str = "expected `constant`, `poisson`, `gamma:CV`, `weibull:SHAPE`, \
    `mmpp:burst=5,calm=0.5,burst-s=2,calm-s=8` or `batches:N`";
const PROFILES: &str =
    "expected a rate such as `10`, `ramp:1..20 over 60s`, `ramp-exp:1..20 over 60s` or `steps:2x30s,4x30s`";

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant => f.write_str("constant"),
            Self::Poisson => f.write_str("poisson"),
            Self::Gamma(spread) => write!(f, "gamma:{}", spread.cv()),
            Self::Weibull(shape) => write!(f, "weibull:{}", shape.get()),
            Self::Mmpp(mmpp) => {
                let [burst, calm, burst_s, calm_s] = mmpp.parameters();
                write!(f, "mmpp:burst={burst},calm={calm},burst-s={burst_s},calm-s={calm_s}")
            }
            Self::Batches(size) => write!(f, "batches:{size}"),
        }
    }
}

impl FromStr for Process {
    type Err = WordsError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error =
            |fault: &str| WordsError { text: text.to_owned(), fault: fault.to_owned(), expected: PROCESSES };
        let (name, rest) = text.trim().split_once(':').unwrap_or((text.trim(), ""));
        match name {
            "constant" | "poisson" if !rest.is_empty() => Err(error("takes no number")),
            "constant" => Ok(Self::Constant),
            "poisson" => Ok(Self::Poisson),
            "gamma" => number(rest, "cv")
                .and_then(Spread::new)
                .map(Self::Gamma)
                .ok_or_else(|| error("needs a coefficient of variation from 0.01 to 20")),
            "weibull" => number(rest, "shape")
                .and_then(Shape::new)
                .map(Self::Weibull)
                .ok_or_else(|| error("needs a shape from 0.2 to 100")),
            "batches" => rest.parse().map(Self::Batches).map_err(|_| error("needs a whole number above 0")),
            "mmpp" => states(rest).map(Self::Mmpp).map_err(|fault| error(&fault)),
            _ => Err(error("is not an arrival process")),
        }
    }
}

/// `2` or `name=2`.
fn number(text: &str, name: &str) -> Option<f64> {
    let text = text.trim();
    text.strip_prefix(name)
        .and_then(|rest| rest.trim_start().strip_prefix('='))
        .unwrap_or(text)
        .trim()
        .parse()
        .ok()
}

fn states(text: &str) -> Result<Mmpp, String> {
    const NAMES: [&str; 4] = ["burst", "calm", "burst-s", "calm-s"];
    let mut found = [None; 4];
    for part in text.split(',') {
        let (name, value) =
            part.split_once('=').ok_or_else(|| format!("has `{part}`, which is not NAME=NUMBER"))?;
        let place = NAMES.iter().zip(&mut found).find(|(known, _)| **known == name.trim());
        let Some((_, place)) = place else {
            return Err(format!("has `{}`, which is none of `{}`", name.trim(), NAMES.join("`, `")));
        };
        let value: f64 = value.trim().parse().map_err(|_| format!("has `{value}`, which is not a number"))?;
        if place.replace(value).is_some() {
            return Err(format!("has `{}` twice", name.trim()));
        }
    }
    let [Some(burst), Some(calm), Some(burst_s), Some(calm_s)] = found else {
        let missing = NAMES.iter().zip(found).find(|(_, value)| value.is_none());
        return Err(format!("lacks `{}`", missing.map_or("", |(name, _)| *name)));
    };
    Mmpp::new(burst, calm, burst_s, calm_s).ok_or_else(|| {
        "needs `burst` above `calm`, `calm` not below 0, and lengths of at least 0.001 s".to_owned()
    })
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steady(rate) => write!(f, "{}", rate.per_second()),
            Self::Ramp { from, to, over, shape } => {
                let name = match shape {
                    RampShape::Linear => "ramp",
                    RampShape::Exponential => "ramp-exp",
                };
                write!(f, "{name}:{}..{} over {}", from.per_second(), to.per_second(), Span(*over))
            }
            Self::Steps(steps) => {
                for (at, (rate, length)) in steps.iter().enumerate() {
                    let before = if at == 0 { "steps:" } else { "," };
                    write!(f, "{before}{}x{}", rate.per_second(), Span(*length))?;
                }
                Ok(())
            }
        }
    }
}

impl FromStr for Profile {
    type Err = WordsError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |fault: String| WordsError { text: text.to_owned(), fault, expected: PROFILES };
        match text.trim().split_once(':') {
            None => rate(text).map(Self::Steady).map_err(error),
            Some(("ramp", rest)) => ramp(rest, RampShape::Linear).map_err(error),
            Some(("ramp-exp", rest)) => ramp(rest, RampShape::Exponential).map_err(error),
            Some(("steps", rest)) => {
                rest.split(',').map(step).collect::<Result<_, _>>().map(Self::Steps).map_err(error)
            }
            Some(_) => Err(error("is not a course of rates".to_owned())),
        }
    }
}

fn rate(text: &str) -> Result<Rate, String> {
    text.parse().map_err(|_: RateError| {
        format!("has `{}`, which is not a rate above 0 and up to 1000000", text.trim())
    })
}

fn ramp(text: &str, shape: RampShape) -> Result<Profile, String> {
    let fault = "is not FROM..TO over TIME";
    let (rates, over) = text.split_once(" over ").ok_or(fault)?;
    let (from, to) = rates.split_once("..").ok_or(fault)?;
    Ok(Profile::Ramp { from: rate(from)?, to: rate(to)?, over: span(over)?, shape })
}

fn step(text: &str) -> Result<(Rate, Duration), String> {
    let (per_second, length) =
        text.split_once('x').ok_or_else(|| format!("has `{}`, which is not RATExTIME", text.trim()))?;
    Ok((rate(per_second)?, span(length)?))
}

/// Units from the longest, so that a span is written in the longest that fits it whole.
const UNITS: [(&str, u64); 4] =
    [("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000)];

/// A length of time with its unit.
fn span(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let error = || format!("has `{text}`, which is not a time such as `60s` or `500ms`");
    let digits = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(error)?;
    let (number, unit) = text.split_at(digits);
    let (_, ns) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(error)?;
    let number: f64 = number.trim().parse().map_err(|_| error())?;
    Duration::try_from_secs_f64(number * (*ns as f64 / 1e9)).map_err(|_| error())
}

/// Writes a length of time as [`span`] reads it.
struct Span(Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ns = self.0.as_nanos();
        match UNITS.iter().find(|(_, unit)| ns > 0 && ns.is_multiple_of(u128::from(*unit))) {
            Some((name, unit)) => write!(f, "{}{name}", ns / u128::from(*unit)),
            None => write!(f, "{}s", self.0.as_secs_f64()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for words in [
            "constant",
            "poisson",
            "gamma:2",
            "gamma:0.5",
            "weibull:0.7",
            "batches:8",
            "mmpp:burst=5,calm=0.5,burst-s=2,calm-s=8",
        ] {
            assert_eq!(words.parse::<Process>().unwrap().to_string(), words);
        }
        for words in [
            "10",
            "0.5",
            "ramp:1..20 over 1m",
            "ramp-exp:0.5..20 over 90s",
            "steps:2x30s,4x500ms",
            "steps:1x2h",
            "ramp:1..2 over 0s",
        ] {
            assert_eq!(words.parse::<Profile>().unwrap().to_string(), words);
        }
    }

    #[test]
    fn there_is_more_than_one_way_to_say_it() {
        for (said, meant) in
            [("gamma:cv=2", "gamma:2"), (" gamma: cv = 2 ", "gamma:2"), ("weibull:shape=3", "weibull:3")]
        {
            assert_eq!(said.parse::<Process>().unwrap().to_string(), meant);
        }
        let order = "mmpp:calm-s=8, burst-s=2, calm=0.5, burst=5".parse::<Process>().unwrap();
        assert_eq!(order.to_string(), "mmpp:burst=5,calm=0.5,burst-s=2,calm-s=8");
        assert_eq!("ramp: 1 .. 20 over 60s".parse::<Profile>().unwrap().to_string(), "ramp:1..20 over 1m");
    }

    #[test]
    fn a_mistake_is_named() {
        for (words, fault) in [
            ("gamma", "needs a coefficient of variation"),
            ("gamma:0", "needs a coefficient of variation"),
            ("gamma:shape=2", "needs a coefficient of variation"),
            ("poisson:3", "takes no number"),
            ("weibull:x", "needs a shape"),
            ("batches:0", "needs a whole number above 0"),
            ("mmpp", "which is not NAME=NUMBER"),
            ("mmpp:burst=5", "lacks `calm`"),
            ("mmpp:burst=5,burst=6", "has `burst` twice"),
            ("mmpp:burst=5,calm=6,burst-s=1,calm-s=1", "needs `burst` above `calm`"),
            ("mmpp:bursts=5", "which is none of"),
            ("exponential", "is not an arrival process"),
            ("", "is not an arrival process"),
        ] {
            let error = words.parse::<Process>().unwrap_err().to_string();
            assert!(error.contains(fault) && error.starts_with(&format!("`{words}` ")), "{error}");
            assert!(error.contains("expected `constant`"));
        }
        for (words, fault) in [
            ("", "not a rate"),
            ("-1", "not a rate"),
            ("ramp:1..20", "FROM..TO over TIME"),
            ("ramp:1-20 over 60s", "FROM..TO over TIME"),
            ("ramp:0..20 over 60s", "has `0`"),
            ("ramp:1..20 over 60", "not a time"),
            ("ramp:1..20 over 60 parsecs", "not a time"),
            ("ramp:1..20 over -60s", "not a time"),
            ("ramp:1..20 over infs", "not a time"),
            ("steps:", "RATExTIME"),
            ("steps:2x30s,", "RATExTIME"),
            ("sine:3", "is not a course of rates"),
        ] {
            let error = words.parse::<Profile>().unwrap_err().to_string();
            assert!(error.contains(fault), "{error}");
        }
    }
}
