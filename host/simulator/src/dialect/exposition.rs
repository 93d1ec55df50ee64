//! Writes the text format of Prometheus (exposition format 0.0.4).
//!
//! Names and labels come from the dialects.

use std::fmt::{Display, Write};

use crate::counters::Histogram;

/// A metrics page in the making.
#[derive(Debug)]
pub(crate) struct Exposition {
    text: String,
    labels: String,
}

impl Exposition {
    /// An empty page whose every sample carries `labels`, such as `model_name="m"`.
    pub(crate) fn new(labels: impl Into<String>) -> Self {
        Self { text: String::new(), labels: labels.into() }
    }

    /// A gauge with one sample.
    pub(crate) fn gauge(&mut self, name: &str, value: impl Display) {
        self.head(name, "gauge");
        self.sample(name, "", value);
    }

    /// A counter with one sample, under exactly this name.
    pub(crate) fn counter(&mut self, name: &str, value: impl Display) {
        self.head(name, "counter");
        self.sample(name, "", value);
    }

    /// A family with one sample for each set of labels.
    pub(crate) fn family(&mut self, name: &str, kind: &str, samples: &[(&str, u64)]) {
        self.head(name, kind);
        for (labels, value) in samples {
            self.sample(name, labels, value);
        }
    }

    /// A histogram.
    pub(crate) fn histogram(&mut self, name: &str, histogram: &Histogram) {
        self.head(name, "histogram");
        let bucket = format!("{name}_bucket");
        for (bound, below) in histogram.cumulative() {
            self.sample(&bucket, &format!("le=\"{bound}\""), below);
        }
        self.sample(&bucket, "le=\"+Inf\"", histogram.count());
        self.ends(name, histogram, 1.0);
    }

    /// A summary with the quantiles 0.5, 0.9 and 0.99; values are multiplied by `scale`.
    pub(crate) fn summary(&mut self, name: &str, histogram: &Histogram, scale: f64) {
        self.head(name, "summary");
        for share in [0.5, 0.9, 0.99] {
            self.sample(name, &format!("quantile=\"{share}\""), histogram.quantile(share) * scale);
        }
        self.ends(name, histogram, scale);
    }

    /// The page.
    pub(crate) fn finish(self) -> String {
        self.text
    }

    fn ends(&mut self, name: &str, histogram: &Histogram, scale: f64) {
        self.sample(&format!("{name}_sum"), "", histogram.sum() * scale);
        self.sample(&format!("{name}_count"), "", histogram.count());
    }

    fn head(&mut self, name: &str, kind: &str) {
        let words = name.replace([':', '_'], " ");
        self.line(format_args!("# HELP {name} Simulated: {words}.\n# TYPE {name} {kind}\n"));
    }

    fn sample(&mut self, name: &str, own: &str, value: impl Display) {
        let joint = if own.is_empty() || self.labels.is_empty() { "" } else { "," };
        let labels = format!("{}{joint}{own}", self.labels);
        if labels.is_empty() {
            self.line(format_args!("{name} {value}\n"));
        } else {
            self.line(format_args!("{name}{{{labels}}} {value}\n"));
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing into a string cannot fail.
        let _ = self.text.write_fmt(line);
    }
}

/// A label value with the three escapes the format asks for.
pub(crate) fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::{Exposition, escaped};
    use crate::counters::Totals;

    #[test]
    fn writes_samples_with_and_without_labels() {
        let mut page = Exposition::new("");
        page.gauge("a:b", 3);
        assert!(page.finish().ends_with("# TYPE a:b gauge\na:b 3\n"));

        let mut page = Exposition::new(format!("m=\"{}\"", escaped("x\"y\\z")));
        page.family("c_total", "counter", &[("r=\"s\"", 1), ("r=\"t\"", 2)]);
        assert!(
            page.finish()
                .ends_with("c_total{m=\"x\\\"y\\\\z\",r=\"s\"} 1\nc_total{m=\"x\\\"y\\\\z\",r=\"t\"} 2\n")
        );
    }

    #[test]
    fn a_histogram_ends_with_infinity_sum_and_count() {
        let mut totals = Totals::new();
        totals.between.observe(9.0);
        let mut page = Exposition::new("");
        page.histogram("h", &totals.between);
        let text = page.finish();
        assert!(
            text.contains("h_bucket{le=\"5\"} 0\nh_bucket{le=\"+Inf\"} 1\nh_sum 9\nh_count 1\n"),
            "{text}"
        );
    }
}
