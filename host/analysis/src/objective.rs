//! What a good request keeps: a latency and its largest value, and how one request stands to it. Knows one row.

use std::fmt;
use std::str::FromStr;

use benchhost_model::{LoadPoint, NS_PER_MS, Nanos, Outcome};

use crate::kept::Kept;
use crate::metric::{self, Latency, Metric};

/// A bound that a good request keeps, such as `ttft=500ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Objective {
    /// Of what.
    pub metric: Metric,
    /// The largest value; a request at it is good.
    pub at_most: Nanos,
}

/// How a request stands to an objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Met it.
    Met,
    /// Did not.
    Missed,
    /// Cannot have the latency by nature: one event has no gap.
    Vacuous,
    /// Should have it and does not: failed, never sent, or without the data.
    Lost,
}

impl Objective {
    /// The latency it is held against under this load.
    pub(crate) fn by(&self, load: LoadPoint) -> &'static str {
        self.metric.under(load).name()
    }

    /// How a request stands. Users who left are not asked.
    pub(crate) fn standing(&self, row: &Kept, load: LoadPoint) -> Standing {
        if row.outcome != Outcome::Completed {
            return Standing::Lost;
        }
        let value = match self.metric.under(load) {
            Latency::Ttft => row.ttft(),
            Latency::TtftSched => row.ttft_sched(),
            Latency::Ttfat => row.ttfat(),
            Latency::TtfatSched => row.ttfat_sched(),
            Latency::Tpot => row.tpot(),
            Latency::E2e => row.e2e(),
            Latency::E2eSched => row.e2e_sched(),
            Latency::IclMax => row.icl_max(),
        };
        match value {
            Some(ms) if ms <= self.at_most.as_ms() => Standing::Met,
            Some(_) => Standing::Missed,
            None if self.cannot_be(row) => Standing::Vacuous,
            None => Standing::Lost,
        }
    }

    /// The request has no such latency by nature. A token count that is unknown is missing data instead.
    fn cannot_be(&self, row: &Kept) -> bool {
        match self.metric {
            Metric::Tpot => row.events == 1 || (row.output().is_some() && row.later_tokens().is_none()),
            Metric::IclMax => row.events == 1,
            _ => false,
        }
    }
}

/// Text that is no objective.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseObjectiveError(String);

impl fmt::Display for ParseObjectiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not an objective; write a latency ({}) and a time, such as `ttft=500ms`",
            self.0,
            metric::known()
        )
    }
}

impl std::error::Error for ParseObjectiveError {}

impl FromStr for Objective {
    type Err = ParseObjectiveError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseObjectiveError(text.to_owned());
        let (name, bound) = text.split_once('=').ok_or_else(error)?;
        let metric = name.parse().map_err(|_| error())?;
        let at_most = time(bound.trim()).ok_or_else(error)?;
        Ok(Self { metric, at_most })
    }
}

/// `500ms`, `1.5s`, `250us`, `2m`; above 0.
fn time(text: &str) -> Option<Nanos> {
    let letters = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(letters);
    let ns = match unit {
        "us" => 1e3,
        "ms" => NS_PER_MS,
        "s" => 1e9,
        "m" => 60e9,
        _ => return None,
    };
    let value = number.parse::<f64>().ok()? * ns;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to lie within a u64"
    )]
    (1.0..1e18).contains(&value).then(|| Nanos::new(value.round() as u64))
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.at_most.as_ms();
        if ms >= 1000.0 {
            write!(f, "{}={}s", self.metric.name(), ms / 1000.0)
        } else {
            write!(f, "{}={ms}ms", self.metric.name())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use benchhost_model::Record;

    fn row(sched: u64, send: u64, first: u64, last: u64) -> Record {
        let ms = |at: u64| Nanos::new(at * 1_000_000);
        Record {
            outcome: Outcome::Completed,
            t_sched_ns: ms(sched),
            t_send_ns: Some(ms(send)),
            t_first_ns: Some(ms(first)),
            t_last_ns: Some(ms(last)),
            output_tokens: Some(11),
            n_first_tokens: Some(1),
            events: 11,
            ..Record::blank()
        }
    }

    fn standing(objective: &str, record: &Record, load: &str) -> Standing {
        objective.parse::<Objective>().unwrap().standing(&Kept::of(record), load.parse().unwrap())
    }

    #[test]
    fn objectives_read_back_and_nonsense_is_refused() {
        for text in
            ["ttft=500ms", "ttft_sched=1.5s", "tpot=0.25ms", "icl_max=2s", "e2e_sched=90s", "ttfat=40ms"]
        {
            assert_eq!(text.parse::<Objective>().unwrap().to_string(), text);
        }
        assert_eq!("e2e=1500ms".parse::<Objective>().unwrap().at_most, Nanos::new(1_500_000_000));
        for bad in
            ["", "ttft", "ttft=", "ttft=5", "ttft=0ms", "ttft=-1s", "speed=1s", "ttft=nans", "ttft=infs"]
        {
            assert!(bad.parse::<Objective>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_open_loop_counts_from_the_schedule() {
        let late = row(0, 100, 150, 250);
        assert_eq!(standing("ttft=60ms", &late, "concurrency=4"), Standing::Met);
        assert_eq!(standing("ttft=60ms", &late, "batch=4"), Standing::Met);
        assert_eq!(standing("ttft=60ms", &late, "rate=4"), Standing::Missed);
        assert_eq!(standing("e2e=200ms", &late, "trace=1"), Standing::Missed);
        assert_eq!(standing("ttft=150ms", &late, "rate=4"), Standing::Met, "at the bound is good");
        assert_eq!("ttft=1s".parse::<Objective>().unwrap().by(LoadPoint::Rate(1.0)), "ttft_sched");
    }

    #[test]
    fn four_outcomes() {
        let good = row(0, 0, 50, 150);
        assert_eq!(standing("tpot=10ms", &good, "concurrency=1"), Standing::Met);
        assert_eq!(standing("tpot=9ms", &good, "concurrency=1"), Standing::Missed);
        let one = Record { output_tokens: Some(1), events: 1, ..row(0, 0, 50, 50) };
        assert_eq!(standing("tpot=9ms", &one, "concurrency=1"), Standing::Vacuous);
        assert_eq!(standing("icl_max=9ms", &one, "concurrency=1"), Standing::Vacuous);
        let uncounted = Record { output_tokens: None, ..good.clone() };
        assert_eq!(standing("tpot=9ms", &uncounted, "concurrency=1"), Standing::Lost);
        for outcome in [Outcome::Failed, Outcome::Cut, Outcome::Shed, Outcome::Unbuildable] {
            let bad = Record { outcome, ..good.clone() };
            assert_eq!(standing("tpot=10s", &bad, "concurrency=1"), Standing::Lost);
        }
    }
}
