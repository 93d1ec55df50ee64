//! The latencies that objectives, requirements, stop rules and searches speak of, by the names of their columns, and which
//! latency each is under a load: users of an open loop do not wait for one another, so what they feel counts from the
//! schedule. The only place that decides this.

use std::fmt;
use std::str::FromStr;

use benchhost_model::{Distribution, LoadPoint, Record, SummaryRow};

/// What an objective is about: the name of a column without `_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Time to first token: from the send in a closed loop, from the schedule in an open one.
    Ttft,
    /// Time to first token from the schedule.
    TtftSched,
    /// Time to the first answer or tool token: from the send in a closed loop, from the schedule in an open one.
    Ttfat,
    /// Time per output token.
    Tpot,
    /// End-to-end latency: from the send in a closed loop, from the schedule in an open one.
    E2e,
    /// End-to-end latency from the schedule.
    E2eSched,
    /// Longest gap between output events.
    IclMax,
}

const NAMES: [(&str, Metric); 7] = [
    ("ttft", Metric::Ttft),
    ("ttft_sched", Metric::TtftSched),
    ("ttfat", Metric::Ttfat),
    ("tpot", Metric::Tpot),
    ("e2e", Metric::E2e),
    ("e2e_sched", Metric::E2eSched),
    ("icl_max", Metric::IclMax),
];

/// A latency with its start decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Latency {
    /// First token − send.
    Ttft,
    /// First token − schedule.
    TtftSched,
    /// First answer or tool token − send.
    Ttfat,
    /// First answer or tool token − schedule.
    TtfatSched,
    /// Time per output token.
    Tpot,
    /// Last token − send.
    E2e,
    /// Last token − schedule.
    E2eSched,
    /// Longest gap between output events.
    IclMax,
}

/// Whether latencies of this load count from the schedule.
pub(crate) fn from_schedule(load: LoadPoint) -> bool {
    matches!(load, LoadPoint::Rate(_) | LoadPoint::Trace(_))
}

impl Metric {
    /// Its name.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, metric)| *metric == self).map_or("", |(name, _)| name)
    }

    /// The latency it is under `load`.
    pub fn under(self, load: LoadPoint) -> Latency {
        match (self, from_schedule(load)) {
            (Self::Ttft, false) => Latency::Ttft,
            (Self::Ttft, true) | (Self::TtftSched, _) => Latency::TtftSched,
            (Self::Ttfat, false) => Latency::Ttfat,
            (Self::Ttfat, true) => Latency::TtfatSched,
            (Self::Tpot, _) => Latency::Tpot,
            (Self::E2e, false) => Latency::E2e,
            (Self::E2e, true) | (Self::E2eSched, _) => Latency::E2eSched,
            (Self::IclMax, _) => Latency::IclMax,
        }
    }
}

impl Latency {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ttft => "ttft",
            Self::TtftSched => "ttft_sched",
            Self::Ttfat => "ttfat",
            Self::TtfatSched => "ttfat_sched",
            Self::Tpot => "tpot",
            Self::E2e => "e2e",
            Self::E2eSched => "e2e_sched",
            Self::IclMax => "icl_max",
        }
    }

    /// Of a request, in milliseconds.
    pub fn of(self, row: &Record) -> Option<f64> {
        match self {
            Self::Ttft => row.ttft_ms,
            Self::TtftSched => row.ttft_sched_ms,
            Self::Ttfat => row.ttfat_ms,
            Self::TtfatSched => row.t_answer_ns.map(|at| at.ms_since(row.t_sched_ns)),
            Self::Tpot => row.tpot_ms,
            Self::E2e => row.e2e_ms,
            Self::E2eSched => row.e2e_sched_ms,
            Self::IclMax => row.icl_max_ms,
        }
    }

    /// Its distribution over a load point. `None`: a summary does not keep this one.
    pub const fn over(self, row: &SummaryRow) -> Option<&Distribution> {
        Some(match self {
            Self::Ttft => &row.ttft,
            Self::TtftSched => &row.ttft_sched,
            Self::Ttfat => &row.ttfat,
            Self::Tpot => &row.tpot,
            Self::E2e => &row.e2e,
            Self::E2eSched => &row.e2e_sched,
            // The first counts from the send there; of gaps there are all, not the longest of each request.
            Self::TtfatSched | Self::IclMax => return None,
        })
    }
}

/// A word that names no metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseMetricError(String);

impl fmt::Display for ParseMetricError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a metric; known are {}", self.0, known())
    }
}

impl std::error::Error for ParseMetricError {}

/// All names, for messages.
pub(crate) fn known() -> String {
    NAMES.map(|(name, _)| name).join(", ")
}

impl FromStr for Metric {
    type Err = ParseMetricError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim();
        let found = NAMES.iter().find(|(known, _)| *known == name).map(|(_, metric)| *metric);
        found.ok_or_else(|| ParseMetricError(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use benchhost_model::Nanos;

    #[test]
    fn open_loops_count_from_the_schedule_and_nothing_else_does() {
        let row = Record {
            ttft_ms: Some(1.0),
            ttft_sched_ms: Some(2.0),
            ttfat_ms: Some(3.0),
            t_answer_ns: Some(Nanos::new(4_000_000)),
            e2e_ms: Some(5.0),
            e2e_sched_ms: Some(6.0),
            ..Record::blank()
        };
        let of =
            |name: &str, load: &str| name.parse::<Metric>().unwrap().under(load.parse().unwrap()).of(&row);
        for load in ["concurrency=4", "batch=4"] {
            assert_eq!([of("ttft", load), of("ttfat", load), of("e2e", load)], [1.0, 3.0, 5.0].map(Some));
        }
        for load in ["rate=4", "trace=1"] {
            assert_eq!([of("ttft", load), of("ttfat", load), of("e2e", load)], [2.0, 4.0, 6.0].map(Some));
        }
        assert_eq!(of("ttft_sched", "concurrency=4"), Some(2.0));
        assert_eq!(of("tpot", "rate=4"), None);
    }

    #[test]
    fn names_read_back_and_others_are_refused_with_those_known() {
        for (name, metric) in NAMES {
            assert_eq!((name.parse::<Metric>(), metric.name()), (Ok(metric), name));
        }
        let error = "speed".parse::<Metric>().unwrap_err().to_string();
        assert!(error.contains("`speed`") && error.contains("ttft_sched"), "{error}");
    }
}
