//! What a run must reach, and the figures that decide how long it measures and where: the words of `--require`, `--until`
//! and `--search`. (Those of `--slo` are the analysis's.)

use std::fmt;
use std::time::Duration;

use benchhost_analysis::{Metric, ParseMetricError};
use benchhost_model::Distribution;

use super::{duration, share};

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
        Ok(Self { metric: metric.parse().map_err(|e: ParseMetricError| e.to_string())?, percent })
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
            Some(_) => Bound::parse(text).and_then(Self::of_summary),
            None => Err(format!(
                "`{text}` is not a requirement; write `slo=95%`, `goodput=4` or `ttft_p99=500ms`"
            )),
        }
    }

    /// Requirements are held against the summary, which keeps some percentiles of some latencies.
    fn of_summary(bound: Bound) -> Result<Self, String> {
        if bound.figure.metric == Metric::IclMax {
            return Err("`icl_max` is no requirement: the summary keeps no percentiles of it; `--slo icl_max=…` with `--require slo=95%` judges each request by it".into());
        }
        if !Distribution::PERCENTILES.contains(&bound.figure.percent) {
            let known: Vec<String> = Distribution::PERCENTILES.iter().map(|p| format!("p{p}")).collect();
            return Err(format!("the summary keeps no `{}`, only {}", bound.figure, known.join(", ")));
        }
        Ok(Self::Figure(bound))
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
    fn what_the_summary_does_not_keep_is_refused_before_anything_is_measured() {
        for (text, said) in [("ttft_p80=1s", "only p1, p5"), ("icl_max_p99=1s", "`--slo icl_max")] {
            let error = Requirement::parse(text).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
