//! How the values of one latency are spread. A statistic the data cannot support is missing, never 0.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A percentile that counts failures as infinitely late; written as a number or as `"inf"`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adjusted(f64);

impl Adjusted {
    /// Milliseconds; infinity where so many failed that the percentile falls among them.
    pub const fn new(ms: f64) -> Self {
        Self(ms)
    }

    /// Milliseconds or infinity.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl Serialize for Adjusted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() { serializer.serialize_f64(self.0) } else { serializer.serialize_str("inf") }
    }
}

impl<'de> Deserialize<'de> for Adjusted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(f64),
            Word(String),
        }
        match Form::deserialize(deserializer)? {
            Form::Number(ms) => Ok(Self(ms)),
            Form::Word(word) if word == "inf" => Ok(Self(f64::INFINITY)),
            Form::Word(word) => {
                Err(serde::de::Error::custom(format!("`{word}` is neither a number nor `inf`")))
            }
        }
    }
}

/// The distribution of one metric, in milliseconds where the metric is a time. Per-request metrics are over completed
/// requests, `itl` over tokens, `icl` over gaps. Percentiles are of type 7.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Distribution {
    /// Observations.
    pub n: u64,
    /// Independent observations they are worth, by their autocorrelation in the order of sending; missing where there is
    /// no such order (pooled gaps).
    pub n_eff: Option<u64>,
    /// Arithmetic mean.
    pub mean: Option<f64>,
    /// Standard deviation, divisor n − 1.
    pub sd: Option<f64>,
    /// Smallest value.
    pub min: Option<f64>,
    /// 1st percentile.
    pub p1: Option<f64>,
    /// 5th percentile.
    pub p5: Option<f64>,
    /// 25th percentile.
    pub p25: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 75th percentile.
    pub p75: Option<f64>,
    /// 90th percentile.
    pub p90: Option<f64>,
    /// 95th percentile.
    pub p95: Option<f64>,
    /// 99th percentile; `None` when the sample cannot support it.
    pub p99: Option<f64>,
    /// 99.9th percentile; `None` when the sample cannot support it.
    pub p999: Option<f64>,
    /// Largest value.
    pub max: Option<f64>,
    /// 95 % interval of the median by order statistics, the count deflated to `n_eff`.
    pub p50_ci: Option<[f64; 2]>,
    /// The same of the 90th percentile.
    pub p90_ci: Option<[f64; 2]>,
    /// The same of the 95th percentile.
    pub p95_ci: Option<[f64; 2]>,
    /// The same of the 99th percentile.
    pub p99_ci: Option<[f64; 2]>,
    /// The same of the 99.9th percentile.
    pub p999_ci: Option<[f64; 2]>,
    /// Observations still lacking for an interval of the median, at the correlation seen; missing where there is one.
    pub p50_lacks: Option<u64>,
    /// The same for the 90th percentile.
    pub p90_lacks: Option<u64>,
    /// The same for the 95th percentile.
    pub p95_lacks: Option<u64>,
    /// The same for the 99th percentile.
    pub p99_lacks: Option<u64>,
    /// The same for the 99.9th percentile.
    pub p999_lacks: Option<u64>,
    /// Upper bound of the 90th percentile at 99 % confidence, as MLPerf's early stopping takes it.
    pub p90_bound: Option<f64>,
    /// The same of the 99th percentile.
    pub p99_bound: Option<f64>,
    /// The same of the 99.9th percentile.
    pub p999_bound: Option<f64>,
    /// Median with failed requests counted as infinitely late.
    pub adj_p50: Option<Adjusted>,
    /// 90th percentile with failed requests counted as infinitely late.
    pub adj_p90: Option<Adjusted>,
    /// 99th percentile with failed requests counted as infinitely late.
    pub adj_p99: Option<Adjusted>,
    /// Relative resolution of the percentiles where the values were too many to keep (0.001: 0.1 %).
    pub resolution: Option<f64>,
    /// Values left out because their time is not known (censored gaps).
    pub censored: Option<u64>,
}

impl Distribution {
    /// The percentiles there are, by their numbers.
    pub const PERCENTILES: [f64; 9] = [1.0, 5.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9];

    /// The percentile of that number, one of [`Self::PERCENTILES`]. `None`: another number, or the data cannot support it.
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        let values =
            [self.p1, self.p5, self.p25, self.p50, self.p75, self.p90, self.p95, self.p99, self.p999];
        let at = Self::PERCENTILES.iter().position(|p| (p - percent).abs() < 1e-9)?;
        values[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn infinity_survives_a_file() {
        let spread = Distribution {
            adj_p50: Some(Adjusted::new(1.5)),
            adj_p99: Some(Adjusted::new(f64::INFINITY)),
            ..Distribution::default()
        };
        let text = serde_json::to_string(&spread).unwrap();
        assert!(text.contains(r#""adj_p50":1.5"#) && text.contains(r#""adj_p99":"inf""#), "{text}");
        assert_eq!(serde_json::from_str::<Distribution>(&text).unwrap(), spread);
        assert!(serde_json::from_str::<Adjusted>(r#""late""#).is_err());
    }

    #[test]
    fn a_distribution_of_an_older_version_reads() {
        let old: Distribution =
            serde_json::from_str(r#"{"n":3,"mean":1.0,"p50":null,"p90":null,"p99":null}"#).unwrap();
        assert_eq!(old, Distribution { n: 3, mean: Some(1.0), ..Distribution::default() });
    }
}
