//! What the user calls a change that matters: `5%` for every relative figure, `ttft_p99=8%` for one. Text to numbers.

use std::fmt;
use std::str::FromStr;

use crate::metric::Limit;

/// One `--margin`.
#[derive(Debug, Clone, PartialEq)]
pub struct MarginWish {
    /// The figure; `None`: every one that is judged by its ratio.
    metric: Option<String>,
    /// In the figure's own scale: a share for ratios, percentage points or score points for differences.
    value: Given,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Given {
    /// `8%` or `0.08`.
    Share(f64),
    /// `1pt`.
    Points(f64),
}

/// A `--margin` that does not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseMarginError(String);

impl fmt::Display for ParseMarginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no margin: give `5%`, `0.05`, `ttft_p99=8%` or `error_rate=1pt`, above 0 and below 100 %",
            self.0
        )
    }
}

impl std::error::Error for ParseMarginError {}

impl FromStr for MarginWish {
    type Err = ParseMarginError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseMarginError(text.to_owned());
        let (metric, number) = match text.split_once('=') {
            Some((metric, number)) => (Some(metric.trim()), number.trim()),
            None => (None, text.trim()),
        };
        let parse = |number: &str| number.trim().parse::<f64>().ok().filter(|v| v.is_finite() && *v > 0.0);
        let value = if let Some(percent) = number.strip_suffix('%') {
            Given::Share(parse(percent).ok_or_else(error)? / 100.0)
        } else if let Some(points) = number.strip_suffix("pt") {
            Given::Points(parse(points).ok_or_else(error)?)
        } else {
            Given::Share(parse(number).ok_or_else(error)?)
        };
        if metric == Some("") || matches!(value, Given::Share(share) if share >= 1.0) {
            return Err(error());
        }
        if metric.is_none() && matches!(value, Given::Points(_)) {
            return Err(error());
        }
        Ok(Self { metric: metric.map(str::to_owned), value })
    }
}

/// All of them; the later wins.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Margins(Vec<MarginWish>);

impl Margins {
    /// In the order given.
    pub const fn new(wishes: Vec<MarginWish>) -> Self {
        Self(wishes)
    }

    /// The names that are no figure of `known`.
    pub(crate) fn unknown<'a>(&'a self, known: &[String]) -> Vec<&'a str> {
        let named = self.0.iter().filter_map(|w| w.metric.as_deref());
        named.filter(|name| !known.iter().any(|k| k == name)).collect()
    }

    /// Whether the figure has a margin of its own.
    pub(crate) fn names(&self, metric: &str) -> bool {
        self.0.iter().any(|w| w.metric.as_deref() == Some(metric))
    }

    /// The margin of a figure whose default is `limit`; `percent`: the figure is a percentage, so a point is 1 of it.
    pub(crate) fn of(&self, metric: &str, limit: Limit, percent: bool) -> Limit {
        let own = self.0.iter().rev().find(|w| w.metric.as_deref() == Some(metric));
        let any = || self.0.iter().rev().find(|w| w.metric.is_none() && matches!(limit, Limit::Share(_)));
        match (own.or_else(any).map(|w| w.value), limit) {
            (None, limit) => limit,
            (Some(Given::Share(share)), Limit::Share(_)) => Limit::Share(share),
            // `1%` of a percentage or of a score between 0 and 1 means points.
            (Some(Given::Share(share)), Limit::Difference(_)) => {
                Limit::Difference(if percent { share * 100.0 } else { share })
            }
            (Some(Given::Points(points)), Limit::Difference(_)) => {
                Limit::Difference(if percent { points } else { points / 100.0 })
            }
            (Some(Given::Points(points)), Limit::Share(_)) => Limit::Share(points / 100.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn margins(texts: &[&str]) -> Margins {
        Margins::new(texts.iter().map(|t| t.parse().unwrap()).collect())
    }

    #[test]
    fn a_named_margin_wins_over_a_plain_one_and_a_later_over_an_earlier() {
        let m = margins(&["ttft_p99=8%", "5%", "0.04", "error_rate=1pt", "score_exact=2%"]);
        assert_eq!(m.of("ttft_p99", Limit::Share(0.1), false), Limit::Share(0.08));
        assert_eq!(m.of("tpot_p50", Limit::Share(0.02), false), Limit::Share(0.04));
        assert_eq!(m.of("error_rate", Limit::Difference(0.5), true), Limit::Difference(1.0));
        assert_eq!(m.of("slo_attainment", Limit::Difference(2.0), true), Limit::Difference(2.0));
        assert_eq!(m.of("score_exact", Limit::Difference(0.01), false), Limit::Difference(0.02));
        assert_eq!(Margins::default().of("req_s", Limit::Share(0.02), false), Limit::Share(0.02));
        assert_eq!(m.unknown(&["ttft_p99".into(), "error_rate".into()]), ["score_exact"]);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for bad in ["", "0", "-1%", "100%", "nan", "inf%", "=5%", "ttft_p99=", "1pt", "1.5", "x"] {
            assert!(bad.parse::<MarginWish>().is_err(), "{bad}");
        }
    }
}
