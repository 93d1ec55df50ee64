//! How requests arrive: the process of an open loop, a rate that changes, a trace's window, users who think.

use std::fmt;
use std::time::Duration;

use benchhost_load::Rate;

use super::duration;

/// A rate that changes over time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    /// From one rate to another.
    Ramp {
        /// At the start.
        from: Rate,
        /// At the end, and after it.
        to: Rate,
        /// How long it takes.
        over: Duration,
        /// Equal factors in equal times, rather than equal differences.
        exponential: bool,
    },
    /// One rate after the other.
    Steps(Vec<(Rate, Duration)>),
}

impl Shape {
    /// `FROM..TO:TIME[:exp]`; the error says what is accepted.
    pub(super) fn ramp(text: &str) -> Result<Self, String> {
        let form = || format!("`{text}` is not a ramp; write `1..20:60s` or `1..20:60s:exp`");
        let mut parts = text.split(':');
        let (from, to) = parts.next().and_then(|p| p.split_once("..")).ok_or_else(form)?;
        let over = duration::parse(parts.next().ok_or_else(form)?)?;
        let exponential = match (parts.next(), parts.next()) {
            (None, _) => false,
            (Some("exp"), None) => true,
            _ => return Err(form()),
        };
        let (from, to) = (rate(from)?, rate(to)?);
        if from == to {
            return Err(format!("`{text}` has one rate at both ends; `--rate` offers a steady one"));
        }
        Ok(Self::Ramp { from, to, over, exponential })
    }

    /// `RATE:TIME,RATE:TIME…`
    pub(super) fn steps(text: &str) -> Result<Self, String> {
        let step = |part: &str| {
            let (rate_text, time) = part
                .split_once(':')
                .ok_or_else(|| format!("`{part}` is not a step; write `RATE:TIME`, such as `2:30s,8:30s`"))?;
            Ok((rate(rate_text)?, duration::parse(time)?))
        };
        text.split(',').map(step).collect::<Result<Vec<_>, String>>().map(Self::Steps)
    }

    /// The highest rate, which stands in the `load` column.
    pub(crate) fn highest(&self) -> f64 {
        match self {
            Self::Ramp { from, to, .. } => from.per_second().max(to.per_second()),
            Self::Steps(steps) => steps.iter().map(|(r, _)| r.per_second()).fold(0.0, f64::max),
        }
    }

    /// How long it is.
    pub(crate) fn length(&self) -> Duration {
        match self {
            Self::Ramp { over, .. } => *over,
            Self::Steps(steps) => steps.iter().map(|(_, span)| *span).sum(),
        }
    }

    /// `ramp` or `steps`: its key.
    pub(crate) const fn key(&self) -> &'static str {
        match self {
            Self::Ramp { .. } => "ramp",
            Self::Steps(_) => "steps",
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ramp { from, to, over, exponential } => {
                let tail = if *exponential { ":exp" } else { "" };
                write!(f, "{}..{}:{}{tail}", from.per_second(), to.per_second(), duration::format(*over))
            }
            Self::Steps(steps) => {
                let words: Vec<String> = steps
                    .iter()
                    .map(|(rate, span)| format!("{}:{}", rate.per_second(), duration::format(*span)))
                    .collect();
                f.write_str(&words.join(","))
            }
        }
    }
}

fn rate(text: &str) -> Result<Rate, String> {
    text.trim()
        .parse()
        .map_err(|_| format!("`{}` is not a rate; write requests a second above 0", text.trim()))
}

/// A stretch of a trace, in the trace's own time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// First moment in it.
    pub(crate) from: Duration,
    /// First moment after it.
    pub(crate) to: Duration,
}

impl Window {
    /// `FROM..TO`
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let form = || format!("`{text}` is not a stretch of time; write `0s..10m`");
        let (from, to) = text.split_once("..").ok_or_else(form)?;
        let from = if matches!(from.trim(), "0" | "0s") { Duration::ZERO } else { duration::parse(from)? };
        let to = duration::parse(to)?;
        if from >= to {
            return Err(format!("`{text}` ends before it begins"));
        }
        Ok(Self { from, to })
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = if self.from.is_zero() { "0s".to_owned() } else { duration::format(self.from) };
        write!(f, "{from}..{}", duration::format(self.to))
    }
}

/// A user's pause between an answer and the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Thinking {
    /// Its mean.
    pub(crate) mean: Duration,
    /// Drawn from an exponential distribution; else always the mean.
    pub(crate) drawn: bool,
}

impl Thinking {
    /// `TIME` or `TIME,exp`
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(',') {
            None => Ok(Self { mean: duration::parse(text)?, drawn: false }),
            Some((time, "exp")) => Ok(Self { mean: duration::parse(time)?, drawn: true }),
            Some(_) => Err(format!("`{text}` is not a pause; write `500ms` or `500ms,exp`")),
        }
    }
}

impl fmt::Display for Thinking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", duration::format(self.mean), if self.drawn { ",exp" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_read_back_as_they_are_written() {
        for text in ["1..20:60s", "20..0.5:1.5ms:exp", "0.25..4:3600s"] {
            assert_eq!(Shape::ramp(text).unwrap().to_string(), text);
        }
        let steps = Shape::steps("2:30s,8.5:10s").unwrap();
        assert_eq!((steps.to_string().as_str(), steps.highest()), ("2:30s,8.5:10s", 8.5));
        assert_eq!(steps.length(), Duration::from_secs(40));
        for bad in ["", "1..2", "1:60s", "1..2:60", "1..2:60s:log", "1..2:60s:exp:exp", "0..2:60s", "2..2:1s"]
        {
            assert!(Shape::ramp(bad).is_err(), "{bad}");
        }
        for bad in ["", "2", "2:30", "2:30s,", "-1:30s"] {
            assert!(Shape::steps(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn windows_and_pauses_read_back() {
        assert_eq!(Window::parse("0s..10m").unwrap().to_string(), "0s..600s");
        assert_eq!(Window::parse("1500ms..2s").unwrap().from, Duration::from_millis(1500));
        for bad in ["10m", "2s..1s", "1s..1s", "a..b"] {
            assert!(Window::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Thinking::parse("2s,exp").unwrap().to_string(), "2s,exp");
        assert_eq!(Thinking::parse("500ms").unwrap().to_string(), "500ms");
        assert!(Thinking::parse("500ms,normal").is_err());
    }
}
