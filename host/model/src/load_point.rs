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
}

impl LoadPoint {
    /// The number alone, for axes.
    pub fn value(self) -> f64 {
        match self {
            Self::Concurrency(n) => f64::from(n),
            Self::Rate(r) => r,
        }
    }

    /// `concurrency` or `rate`.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Concurrency(_) => "concurrency",
            Self::Rate(_) => "rate",
        }
    }
}

impl fmt::Display for LoadPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Concurrency(n) => write!(f, "concurrency={n}"),
            Self::Rate(r) => write!(f, "rate={r}"),
        }
    }
}

/// A `load` cell that is neither `concurrency=N` nor `rate=R`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseLoadPointError(String);

impl fmt::Display for ParseLoadPointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a load; expected `concurrency=N` or `rate=R` with N and R above 0", self.0)
    }
}

impl std::error::Error for ParseLoadPointError {}

impl FromStr for LoadPoint {
    type Err = ParseLoadPointError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseLoadPointError(text.to_owned());
        match text.split_once('=').ok_or_else(error)? {
            ("concurrency", n) => n.parse().ok().filter(|n| *n > 0).map(Self::Concurrency).ok_or_else(error),
            ("rate", r) => {
                r.parse().ok().filter(|r: &f64| r.is_finite() && *r > 0.0).map(Self::Rate).ok_or_else(error)
            }
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
        for text in ["concurrency=8", "rate=4", "rate=0.5"] {
            assert_eq!(text.parse::<LoadPoint>().unwrap().to_string(), text);
        }
        for bad in ["", "8", "concurrency=0", "rate=-1", "rate=nan", "users=3"] {
            assert!(bad.parse::<LoadPoint>().is_err(), "{bad}");
        }
    }
}
