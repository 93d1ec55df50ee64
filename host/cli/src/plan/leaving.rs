//! Users who hang up: which share of the sessions, and when each does.

use std::fmt;
use std::time::Duration;

use super::{duration, share};

/// When a user who leaves does so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// After this many events of the answer: with one token an event, tokens.
    Tokens(u32),
    /// This long after the request was sent.
    Time(Duration),
}

/// Users who hang up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Leaving {
    /// Share of the sessions, above 0 and at most 1.
    pub(crate) share: f64,
    /// When.
    pub(crate) after: Patience,
}

impl Leaving {
    /// `10%:20tokens` or `10%:2s`; the error says what is accepted.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (part, when) = text.split_once(':').ok_or_else(|| {
            format!("`{text}` is not of the form SHARE:WHEN; write `10%:20tokens` or `10%:2s`")
        })?;
        let after = match when.trim().strip_suffix("tokens") {
            Some(count) => {
                let count = count.trim().parse::<u32>().ok().filter(|n| *n > 0);
                Patience::Tokens(count.ok_or_else(|| format!("`{when}` is not a number of tokens above 0"))?)
            }
            None => Patience::Time(duration::parse(when)?),
        };
        Ok(Self { share: share::parse(part)?, after })
    }
}

impl fmt::Display for Leaving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", share::format(self.share))?;
        match self.after {
            Patience::Tokens(n) => write!(f, "{n}tokens"),
            Patience::Time(span) => f.write_str(&duration::format(span)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_read_back() {
        for text in ["10%:20tokens", "2.5%:2s", "100%:1tokens"] {
            assert_eq!(Leaving::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Leaving::parse("0.1:2s").unwrap().to_string(), "10%:2s");
        for bad in ["10%", "10%:", "0%:2s", "110%:2s", "10%:0tokens", "10%:-3tokens", "x:2s", "10%:20"] {
            assert!(Leaving::parse(bad).is_err(), "{bad}");
        }
    }
}
