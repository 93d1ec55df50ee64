//! What a run must reach, and the figures that decide how long it measures and where: the words of `--require`, `--until`
//! and `--search`. (Those of `--slo` are the analysis's.)

use std::fmt;
use std::time::Duration;

use benchhost_model::{LoadPoint, Record};

use super::{duration, share};

/// A latency of a request, by the name of its column without `_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Metric {
    /// Time to first token, from the send.
    Ttft,
    /// Time to first token, from the schedule.
    TtftSched,
    /// Time to the first token of the answer proper.
    Ttfat,
    /// Time per output token.
    Tpot,
    /// End to end, from the send.
    E2e,
    /// End to end, from the schedule.
    E2eSched,
    /// Longest gap between output events.
    IclMax,
}

const METRICS: [(&str, Metric); 7] = [
    ("ttft", Metric::Ttft),
    ("ttft_sched", Metric::TtftSched),
    ("ttfat", Metric::Ttfat),
    ("tpot", Metric::Tpot),
    ("e2e", Metric::E2e),
    ("e2e_sched", Metric::E2eSched),
    ("icl_max", Metric::IclMax),
];

impl Metric {
    fn parse(text: &str) -> Result<Self, String> {
        METRICS.iter().find(|(name, _)| *name == text.trim()).map(|(_, metric)| *metric).ok_or_else(|| {
            let names: Vec<&str> = METRICS.iter().map(|(name, _)| *name).collect();
            format!("`{}` is not a metric; known are {}", text.trim(), names.join(", "))
        })
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        METRICS.iter().find(|(_, metric)| *metric == self).map_or("", |(name, _)| name)
    }

    /// Its value in a row, in milliseconds. Users of an open loop do not wait for one another, so what they feel counts
    /// from the schedule.
    pub(crate) fn of(self, row: &Record) -> Option<f64> {
        let open = matches!(row.load, LoadPoint::Rate(_) | LoadPoint::Trace(_));
        match self {
            Self::Ttft if open => row.ttft_sched_ms,
            Self::Ttft => row.ttft_ms,
            Self::TtftSched => row.ttft_sched_ms,
            Self::Ttfat if open => row.t_answer_ns.map(|at| at.ms_since(row.t_sched_ns)),
            Self::Ttfat => row.ttfat_ms,
            Self::Tpot => row.tpot_ms,
            Self::E2e if open => row.e2e_sched_ms,
            Self::E2e => row.e2e_ms,
            Self::E2eSched => row.e2e_sched_ms,
            Self::IclMax => row.icl_max_ms,
        }
    }
}

/// A percentile of a metric over the requests of a load point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Figure {
    /// Of what.
    pub(crate) metric: Metric,
    /// Above 0 and below 100.
    pub(crate) percent: f64,
}

impl Figure {
    /// `ttft_p99`
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let form = || {
            format!("`{}` is not a figure; write a metric and a percentile, such as `ttft_p99`", text.trim())
        };
        let (metric, percent) = text.trim().rsplit_once("_p").ok_or_else(form)?;
        let percent = percent.parse::<f64>().ok().filter(|p| *p > 0.0 && *p < 100.0).ok_or_else(form)?;
        Ok(Self { metric: Metric::parse(metric)?, percent })
    }

    /// The share of requests that lie at or below it.
    pub(crate) fn share(self) -> f64 {
        self.percent / 100.0
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_p{}", self.metric.name(), self.percent)
    }
}

/// A figure and its largest value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bound {
    /// Of what.
    pub(crate) figure: Figure,
    /// The bound.
    pub(crate) at_most: Duration,
}

impl Bound {
    /// `ttft_p99=500ms`
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (figure, bound) =
            text.split_once('=').ok_or_else(|| format!("`{text}` is not a bound; write `ttft_p99=500ms`"))?;
        Ok(Self { figure: Figure::parse(figure)?, at_most: duration::parse_bound(bound)? })
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.figure, duration::format(self.at_most))
    }
}

/// What every load point must reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Requirement {
    /// This share of the requests is good by the objectives.
    Attainment(f64),
    /// So many good requests a second.
    Goodput(f64),
    /// A percentile.
    Figure(Bound),
}

impl Requirement {
    /// `slo=95%`, `goodput=4` or `ttft_p99=500ms`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some(("slo", part)) => Ok(Self::Attainment(share::parse(part)?)),
            Some(("goodput", rate)) => rate
                .trim()
                .parse::<f64>()
                .ok()
                .filter(|r| r.is_finite() && *r > 0.0)
                .map(Self::Goodput)
                .ok_or_else(|| format!("`{rate}` is not a number of requests a second above 0")),
            Some(_) => Bound::parse(text).map(Self::Figure),
            None => Err(format!(
                "`{text}` is not a requirement; write `slo=95%`, `goodput=4` or `ttft_p99=500ms`"
            )),
        }
    }

    /// It cannot be judged without `--slo`.
    pub(super) const fn needs_objectives(&self) -> bool {
        matches!(self, Self::Attainment(_) | Self::Goodput(_))
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attainment(part) => write!(f, "slo={}", share::format(*part)),
            Self::Goodput(rate) => write!(f, "goodput={rate}"),
            Self::Figure(bound) => write!(f, "{bound}"),
        }
    }
}

/// When a load point has been measured well enough.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Until {
    /// Whose interval.
    pub(crate) figure: Figure,
    /// Half the interval's width over the figure, above 0 and at most 1.
    pub(crate) within: f64,
}

impl Until {
    /// `ttft_p99:5%`
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (figure, part) = text
            .split_once(':')
            .ok_or_else(|| format!("`{text}` is not a stop rule; write `ttft_p99:5%`"))?;
        Ok(Self { figure: Figure::parse(figure)?, within: share::parse(part)? })
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.figure, share::format(self.within))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_reads_back() {
        for text in ["slo=95%", "goodput=4.5", "e2e_sched_p99.9=3s"] {
            assert_eq!(Requirement::parse(text).unwrap().to_string(), text);
        }
        for text in ["ttft_p99:5%", "tpot_p50:0.5%"] {
            assert_eq!(Until::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        for bad in ["slo", "slo=0%", "goodput=0", "goodput=inf", "ttft=1s", "ttft_p100=1s", "ttft_p0=1s"] {
            assert!(Requirement::parse(bad).is_err(), "{bad}");
        }
        for bad in ["ttft_p99", "ttft_p99:0%", "ttft:5%", "ttft_pmax:5%"] {
            assert!(Until::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_metric_is_its_column() {
        let row = Record { ttft_ms: Some(1.0), e2e_sched_ms: Some(2.0), ..Record::blank() };
        let of = |name| Metric::parse(name).unwrap().of(&row);
        assert_eq!((of("ttft"), of("e2e_sched"), of("tpot")), (Some(1.0), Some(2.0), None));
        let open = Record { load: LoadPoint::Rate(1.0), ttft_sched_ms: Some(3.0), ..row };
        assert_eq!(Metric::Ttft.of(&open), Some(3.0));
    }
}
