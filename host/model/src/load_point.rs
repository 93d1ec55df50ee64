//! One offered load of a ladder, as it stands in the `load` column.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How much load is offered.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum LoadPoint {
    /// Closed loop: this many requests in flight, each followed at once by the next.
    Concurrency(u32),
    /// Open loop: this many requests a second, whatever the server does.
    Rate(f64),
    /// This many requests released together, the next batch only after all of them ended.
    Batch(u32),
    /// Arrivals of a recorded trace, this many times as fast as recorded.
    Trace(f64),
}

impl LoadPoint {
    /// The number alone, for axes.
    pub fn value(self) -> f64 {
        match self {
            Self::Concurrency(n) | Self::Batch(n) => f64::from(n),
            Self::Rate(r) | Self::Trace(r) => r,
        }
    }

    /// What tells points apart, for sets and seeds: the kind's number and the value's bits.
    pub fn key(self) -> (u8, u64) {
        match self {
            Self::Concurrency(n) => (0, u64::from(n)),
            Self::Rate(r) => (1, r.to_bits()),
            Self::Batch(n) => (2, u64::from(n)),
            Self::Trace(s) => (3, s.to_bits()),
        }
    }

    /// `concurrency`, `rate`, `batch` or `trace`.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Concurrency(_) => "concurrency",
            Self::Rate(_) => "rate",
            Self::Batch(_) => "batch",
            Self::Trace(_) => "trace",
        }
    }
}

impl fmt::Display for LoadPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Concurrency(n) | Self::Batch(n) => write!(f, "{}={n}", self.kind()),
            Self::Rate(r) | Self::Trace(r) => write!(f, "{}={r}", self.kind()),
        }
    }
}

/// A `load` cell that is none of `concurrency=N`, `rate=R`, `batch=N`, `trace=R`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseLoadPointError(String);

impl fmt::Display for ParseLoadPointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not a load; expected `concurrency=N`, `rate=R`, `batch=N` or `trace=R` with N and R above 0",
            self.0
        )
    }
}

impl std::error::Error for ParseLoadPointError {}

impl FromStr for LoadPoint {
    type Err = ParseLoadPointError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseLoadPointError(text.to_owned());
        let (kind, number) = text.split_once('=').ok_or_else(error)?;
        let whole = || number.parse().ok().filter(|n| *n > 0).ok_or_else(error);
        let real = || number.parse().ok().filter(|r: &f64| r.is_finite() && *r > 0.0).ok_or_else(error);
        match kind {
            "concurrency" => whole().map(Self::Concurrency),
            "batch" => whole().map(Self::Batch),
            "rate" => real().map(Self::Rate),
            "trace" => real().map(Self::Trace),
            _ => Err(error()),
        }
    }
}

impl From<LoadPoint> for String {
    fn from(point: LoadPoint) -> Self {
        point.to_string()
    }
}

impl TryFrom<String> for LoadPoint {
    type Error = ParseLoadPointError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_value_agree() {
        for text in ["concurrency=8", "rate=4", "rate=0.5", "batch=16", "trace=2.5"] {
            assert_eq!(text.parse::<LoadPoint>().unwrap().to_string(), text);
        }
        for bad in ["", "8", "concurrency=0", "rate=-1", "rate=nan", "batch=0", "trace=inf", "users=3"] {
            assert!(bad.parse::<LoadPoint>().is_err(), "{bad}");
        }
    }
}
