//! Faults on request: which failure, and which requests get it.
//!
//! Only generating requests are counted; lists, health and metrics never fail. How a fault looks on the wire is the
//! server's and the dialects' business.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::delay::parse_duration;

/// Largest endless body, so that a forgotten client does not fill a disk: 1 TiB.
const LARGEST_BODY: u64 = 1 << 40;

/// One way in which an answer goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `http-error`: this status (400 to 599) in the dialect's shape, before any stream. Key `status`, default 500.
    HttpError(u16),
    /// `in-band-error`: status 200, some tokens, then an error object inside the stream.
    InBandError,
    /// `truncated`: a clean end of the body after half of the tokens, without finish, usage or end marker.
    Truncated,
    /// `empty`: a well-formed answer without a token.
    Empty,
    /// `close-before-response`: the connection closes before a byte of the response.
    CloseBeforeResponse,
    /// `close-mid-stream`: the connection closes inside the chunked body after half of the tokens.
    CloseMidStream,
    /// `garbage`: random bytes, invalid UTF-8 among them, in place of the second half of the stream.
    Garbage,
    /// `hang`: the request is read and never answered.
    Hang,
    /// `stall`: a pause after half of the tokens, then the rest. Key `for`, default 50ms.
    Stall(Duration),
    /// `endless`: one event that never ends, up to this many bytes. Key `bytes`, default 1073741824.
    Endless(u64),
    /// `html`: status 200 with an HTML page, as a proxy sends one.
    Html,
    /// `redirect`: status 302 to a page that does not exist.
    Redirect,
    /// `close-after-stream`: a complete streamed answer whose headers promise `Keep-Alive`, then the socket closes. The
    /// llama.cpp dialect always does this, as its real server does.
    CloseAfterStream,
}

/// Which requests get a fault.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum When {
    /// Every n-th generating request, the n-th first. Key `every`; 1 means all.
    Every(u64),
    /// Each with this probability, from the seed and the request's number. Key `share`.
    Share(f64),
    /// The first n generating requests. Key `first`.
    First(u64),
}

/// A fault and the requests that get it; written `in-band-error:every=3`, `hang:share=0.1`,
/// `http-error:status=503,first=2`. Without a `when` every request gets it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaultRule {
    /// What goes wrong.
    pub fault: Fault,
    /// For whom.
    pub when: When,
}

/// Rules in order; the first that applies to a request decides. Written as rules separated by `;`, or `none`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FaultPlan {
    /// The rules, most important first.
    pub rules: Vec<FaultRule>,
}

impl FaultPlan {
    /// No faults.
    pub const fn none() -> Self {
        Self { rules: Vec::new() }
    }

    /// Every `n`-th generating request fails this way; 1 means all, 0 is taken as 1.
    pub fn every(n: u64, fault: Fault) -> Self {
        Self { rules: vec![FaultRule { fault, when: When::Every(n.max(1)) }] }
    }

    /// The fault of the generating request with this number (the first is 1), if any.
    pub fn pick(&self, seed: u64, number: u64) -> Option<Fault> {
        self.rules
            .iter()
            .enumerate()
            .find(|(at, rule)| rule.applies(seed, *at as u64, number))
            .map(|(_, rule)| rule.fault)
    }
}

impl FaultRule {
    fn applies(&self, seed: u64, stream: u64, number: u64) -> bool {
        match self.when {
            When::Every(n) => number.is_multiple_of(n.max(1)),
            When::First(n) => number <= n,
            When::Share(share) => {
                let mut random = ChaCha8Rng::seed_from_u64(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
                random.set_stream(stream);
                random.random::<f64>() < share
            }
        }
    }
}

impl FromStr for FaultRule {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (name, settings) = text.split_once(':').unwrap_or((text, ""));
        let mut rule = Self { fault: fault_named(name.trim())?, when: When::Every(1) };
        for setting in settings.split(',').map(str::trim).filter(|setting| !setting.is_empty()) {
            let Some((key, value)) = setting.split_once('=') else {
                bail!("fault setting `{setting}` has no value; write `every=3`");
            };
            rule.set(key.trim(), value.trim())
                .with_context(|| format!("cannot read the setting `{setting}` of the fault `{name}`"))?;
        }
        Ok(rule)
    }
}

/// The fault of this name with its default settings.
fn fault_named(name: &str) -> anyhow::Result<Fault> {
    Ok(match name {
        "http-error" => Fault::HttpError(500),
        "in-band-error" => Fault::InBandError,
        "truncated" => Fault::Truncated,
        "empty" => Fault::Empty,
        "close-before-response" => Fault::CloseBeforeResponse,
        "close-mid-stream" => Fault::CloseMidStream,
        "garbage" => Fault::Garbage,
        "hang" => Fault::Hang,
        "stall" => Fault::Stall(Duration::from_millis(50)),
        "endless" => Fault::Endless(1 << 30),
        "html" => Fault::Html,
        "redirect" => Fault::Redirect,
        "close-after-stream" => Fault::CloseAfterStream,
        _ => bail!(
            "unknown fault `{name}`; use http-error, in-band-error, truncated, empty, close-before-response, \
             close-mid-stream, garbage, hang, stall, endless, html, redirect or close-after-stream"
        ),
    })
}

impl FaultRule {
    fn set(&mut self, key: &str, value: &str) -> anyhow::Result<()> {
        match (key, &mut self.fault) {
            ("every", _) => {
                let n: u64 = value.parse()?;
                ensure!(n > 0, "`every` counts from 1");
                self.when = When::Every(n);
            }
            ("first", _) => self.when = When::First(value.parse()?),
            ("share", _) => {
                let share: f64 = value.parse()?;
                ensure!((0.0..=1.0).contains(&share), "a share lies between 0 and 1");
                self.when = When::Share(share);
            }
            ("status", Fault::HttpError(status)) => {
                *status = value.parse()?;
                ensure!((400..600).contains(status), "an error status lies between 400 and 599");
            }
            ("for", Fault::Stall(pause)) => *pause = parse_duration(value)?,
            ("bytes", Fault::Endless(bytes)) => {
                *bytes = value.parse()?;
                ensure!(*bytes <= LARGEST_BODY, "at most {LARGEST_BODY} bytes");
            }
            _ => bail!(
                "no such setting; use every, first or share (and status, for or bytes where the fault has one)"
            ),
        }
        Ok(())
    }
}

impl FromStr for FaultPlan {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let text = text.trim();
        if text.is_empty() || text == "none" {
            return Ok(Self::none());
        }
        let rules = text.split(';').map(str::parse).collect::<anyhow::Result<Vec<FaultRule>>>()?;
        Ok(Self { rules })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HttpError(status) => write!(out, "http-error:status={status}"),
            Self::InBandError => out.write_str("in-band-error:"),
            Self::Truncated => out.write_str("truncated:"),
            Self::Empty => out.write_str("empty:"),
            Self::CloseBeforeResponse => out.write_str("close-before-response:"),
            Self::CloseMidStream => out.write_str("close-mid-stream:"),
            Self::Garbage => out.write_str("garbage:"),
            Self::Hang => out.write_str("hang:"),
            Self::Stall(pause) => write!(out, "stall:for={}ns", pause.as_nanos()),
            Self::Endless(bytes) => write!(out, "endless:bytes={bytes}"),
            Self::Html => out.write_str("html:"),
            Self::Redirect => out.write_str("redirect:"),
            Self::CloseAfterStream => out.write_str("close-after-stream:"),
        }
    }
}

impl fmt::Display for FaultPlan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rules.is_empty() {
            return out.write_str("none");
        }
        for (at, rule) in self.rules.iter().enumerate() {
            let fault = rule.fault.to_string();
            let joint = if fault.ends_with(':') { "" } else { "," };
            out.write_str(if at == 0 { "" } else { ";" })?;
            match rule.when {
                When::Every(n) => write!(out, "{fault}{joint}every={n}")?,
                When::Share(share) => write!(out, "{fault}{joint}share={share}")?,
                When::First(n) => write!(out, "{fault}{joint}first={n}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, FaultPlan};

    #[test]
    fn every_third_request_fails() {
        let plan: FaultPlan = "in-band-error:every=3".parse().unwrap();
        let hit: Vec<u64> = (1..=9).filter(|n| plan.pick(1, *n).is_some()).collect();
        assert_eq!(hit, [3, 6, 9]);
    }

    #[test]
    fn the_first_rule_that_applies_decides() {
        let plan: FaultPlan = "http-error:status=503,first=2; empty".parse().unwrap();
        assert_eq!(plan.pick(1, 2), Some(Fault::HttpError(503)));
        assert_eq!(plan.pick(1, 3), Some(Fault::Empty));
    }

    #[test]
    fn a_share_follows_the_seed() {
        let plan: FaultPlan = "hang:share=0.25".parse().unwrap();
        let hits = |seed| (1..=1000).filter(|n| plan.pick(seed, *n).is_some()).collect::<Vec<u64>>();
        assert_eq!(hits(5), hits(5));
        assert_ne!(hits(5), hits(6));
        assert!((180..320).contains(&hits(5).len()), "{}", hits(5).len());
    }

    #[test]
    fn reads_what_it_writes() {
        for text in [
            "none",
            "stall:for=80ms,every=2;endless:bytes=9,share=0.5;redirect",
            "close-after-stream:first=1",
        ] {
            let plan: FaultPlan = text.parse().unwrap();
            assert_eq!(plan.to_string().parse::<FaultPlan>().unwrap(), plan, "{text}");
        }
    }

    #[test]
    fn refuses_unknown_names_and_senseless_settings() {
        for text in [
            "explode",
            "empty:every=0",
            "http-error:status=200",
            "hang:share=2",
            "empty:status=500",
            "stall:for",
        ] {
            assert!(text.parse::<FaultPlan>().is_err(), "{text}");
        }
        let message = "explode".parse::<FaultPlan>().unwrap_err().to_string();
        assert!(message.contains("close-mid-stream"), "{message}");
    }
}
