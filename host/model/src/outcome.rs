//! What became of a scheduled request. Exhaustive: the six counts of [`Outcome`] always sum to the schedule.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a request failed, as the `failure` column spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Failure {
    /// No connection could be made.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// The connection closed before a response, on a fresh connection too.
    Closed,
    /// What came is not HTTP.
    Protocol,
    /// A status that is not 2xx.
    Http(u16),
    /// A redirect; never followed silently.
    Redirect,
    /// The whole request took longer than its limit.
    Timeout,
    /// Nothing arrived for longer than the idle limit.
    IdleTimeout,
    /// The body passed the size cap.
    TooLarge,
    /// An error object inside a 200 answer.
    InBandError,
    /// The stream ended without its end.
    Truncated,
    /// A clean answer without any output.
    Empty,
    /// The answer is not what the dialect says.
    Decode,
    /// The plugin trapped or passed a limit.
    Plugin,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self {
            Self::Http(status) => return write!(f, "http_{status}"),
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Closed => "closed",
            Self::Protocol => "protocol",
            Self::Redirect => "redirect",
            Self::Timeout => "timeout",
            Self::IdleTimeout => "idle_timeout",
            Self::TooLarge => "too_large",
            Self::InBandError => "in_band_error",
            Self::Truncated => "truncated",
            Self::Empty => "empty",
            Self::Decode => "decode",
            Self::Plugin => "plugin",
        };
        f.write_str(word)
    }
}

impl FromStr for Failure {
    type Err = ParseOutcomeError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "connect" => Self::Connect,
            "tls" => Self::Tls,
            "closed" => Self::Closed,
            "protocol" => Self::Protocol,
            "redirect" => Self::Redirect,
            "timeout" => Self::Timeout,
            "idle_timeout" => Self::IdleTimeout,
            "too_large" => Self::TooLarge,
            "in_band_error" => Self::InBandError,
            "truncated" => Self::Truncated,
            "empty" => Self::Empty,
            "decode" => Self::Decode,
            "plugin" => Self::Plugin,
            other => match other.strip_prefix("http_").and_then(|s| s.parse().ok()) {
                Some(status) => Self::Http(status),
                None => return Err(ParseOutcomeError(other.to_owned())),
            },
        })
    }
}

impl From<Failure> for String {
    fn from(failure: Failure) -> Self {
        failure.to_string()
    }
}

impl TryFrom<String> for Failure {
    type Error = ParseOutcomeError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// What became of a scheduled request, as the `outcome` column spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A whole answer with output.
    Completed,
    /// Sent, and went wrong; the `failure` column says how.
    Failed,
    /// The host hung up in mid-answer because the plan wanted a user who leaves; neither success nor failure.
    HungUp,
    /// In flight when the run stopped; the host hung up.
    Cut,
    /// Scheduled and never sent.
    Shed,
    /// The adapter could not build the request.
    Unbuildable,
}

impl Outcome {
    /// The word used in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::HungUp => "hung_up",
            Self::Cut => "cut",
            Self::Shed => "shed",
            Self::Unbuildable => "unbuildable",
        }
    }
}

impl FromStr for Outcome {
    type Err = ParseOutcomeError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Completed, Self::Failed, Self::HungUp, Self::Cut, Self::Shed, Self::Unbuildable]
            .into_iter()
            .find(|o| o.as_str() == text)
            .ok_or_else(|| ParseOutcomeError(text.to_owned()))
    }
}

/// A word that names no outcome or failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseOutcomeError(String);

impl fmt::Display for ParseOutcomeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not an outcome or failure this version knows", self.0)
    }
}

impl std::error::Error for ParseOutcomeError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_reads_back() {
        let all = [
            Failure::Connect,
            Failure::Tls,
            Failure::Closed,
            Failure::Protocol,
            Failure::Http(503),
            Failure::Redirect,
            Failure::Timeout,
            Failure::IdleTimeout,
            Failure::TooLarge,
            Failure::InBandError,
            Failure::Truncated,
            Failure::Empty,
            Failure::Decode,
            Failure::Plugin,
        ];
        for failure in all {
            assert_eq!(failure.to_string().parse::<Failure>(), Ok(failure));
        }
        assert!("http_".parse::<Failure>().is_err());
        assert!("late".parse::<Failure>().is_err());
    }
}
