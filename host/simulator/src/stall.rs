//! Stalls on request: when the whole simulated server stands still, and for how long.
//!
//! Unlike the fault of that name, which holds one answer back, a stall holds everything: nothing is read, admitted or
//! written. It shows whether a client notices a server that stops for a while. Times only; who stands still is the
//! metronome's business.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use crate::delay::parse_duration;

/// Longest stall: a forgotten one must not look like a server that died.
const LONGEST: Duration = Duration::from_mins(1);

/// When a stall comes, counted from the moment at which the server listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StallAt {
    /// Once, after this time.
    Once(Duration),
    /// After this time, and again after each further such time.
    Every(Duration),
}

/// A stall; written `50ms@2s` (for 50 ms, 2 s after the start) or `50ms@every=2s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stall {
    /// How long the server stands still, at most a minute.
    pub length: Duration,
    /// When.
    pub at: StallAt,
}

impl Stall {
    /// When it comes first, counted from the start.
    pub(crate) const fn first(self) -> Duration {
        match self.at {
            StallAt::Once(at) | StallAt::Every(at) => at,
        }
    }

    /// When it comes again after it was due at `due` and it is `now`, all counted from the start. A time that passed during
    /// a stall is left out.
    pub(crate) fn again(self, due: Duration, now: Duration) -> Option<Duration> {
        let StallAt::Every(period) = self.at else { return None };
        let passed = now.saturating_sub(due).as_nanos() / period.as_nanos().max(1) + 1;
        Some(due + period.saturating_mul(u32::try_from(passed).unwrap_or(u32::MAX)))
    }
}

impl FromStr for Stall {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let Some((length, at)) = text.split_once('@') else {
            bail!("stall `{text}` does not say when; write `50ms@2s` or `50ms@every=2s`");
        };
        let context = || format!("cannot read the stall `{text}`");
        let length = parse_duration(length).with_context(context)?;
        let at = match at.trim().strip_prefix("every=") {
            Some(period) => StallAt::Every(parse_duration(period).with_context(context)?),
            None => StallAt::Once(parse_duration(at).with_context(context)?),
        };
        ensure!(!length.is_zero() && length <= LONGEST, "stall `{text}` must last between 1ns and 60s");
        if let StallAt::Every(period) = at {
            ensure!(
                period > length,
                "stall `{text}` would come again before it ends; make the period longer"
            );
        }
        Ok(Self { length, at })
    }
}

impl fmt::Display for Stall {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            StallAt::Once(at) => write!(out, "{}ns@{}ns", self.length.as_nanos(), at.as_nanos()),
            StallAt::Every(period) => {
                write!(out, "{}ns@every={}ns", self.length.as_nanos(), period.as_nanos())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Stall;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn reads_what_it_writes() {
        for text in ["50ms@2s", "1.5s@0ns", "50ms@every=2s", " 7us @ every=1ms"] {
            let stall: Stall = text.parse().unwrap();
            assert_eq!(stall.to_string().parse::<Stall>().unwrap(), stall, "{text}");
        }
    }

    #[test]
    fn refuses_what_would_never_start_or_never_end() {
        for text in ["50ms", "@2s", "50ms@", "0ms@2s", "61s@2s", "50ms@every=50ms", "50ms@every=0s", "x@y"] {
            let message = format!("{:#}", text.parse::<Stall>().unwrap_err());
            assert!(message.contains("stall") || message.contains("duration"), "{text}: {message}");
        }
    }

    #[test]
    fn a_repeated_stall_keeps_its_beat_and_leaves_out_what_has_passed() {
        let stall: Stall = "50ms@every=100ms".parse().unwrap();
        assert_eq!(stall.first(), 100 * MS);
        assert_eq!(stall.again(100 * MS, 150 * MS), Some(200 * MS));
        assert_eq!(stall.again(100 * MS, 431 * MS), Some(500 * MS));
        assert_eq!("50ms@2s".parse::<Stall>().unwrap().again(2000 * MS, 2050 * MS), None);
    }
}
