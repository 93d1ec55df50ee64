//! A small reader of Prometheus text (format 0.0.4, and `OpenMetrics` as far as they agree), for [`crate::Engine::gauges`].
//! Lines it cannot read are left out. Must not know any engine's names.

use std::collections::BTreeSet;

use crate::Gauge;

/// One sample: a name, its labels, a value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sample {
    /// The metric's name.
    pub name: String,
    /// Label names and values.
    pub labels: Vec<(String, String)>,
    /// A finite value.
    pub value: f64,
}

impl Sample {
    /// The value of a label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// All samples of a metrics body.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metrics {
    samples: Vec<Sample>,
}

impl Metrics {
    /// Reads a body. Values that are not finite are left out, as are `_created` samples (they are times, not counts).
    pub fn read(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let samples = text.lines().filter_map(sample).filter(|s| !s.name.ends_with("_created")).collect();
        Self { samples }
    }

    /// The samples of the first of these names that has any. A counter's `_total` may be written or not.
    pub fn of(&self, names: &[&str]) -> Series<'_> {
        names.iter().map(|name| self.named(name)).find(|s| !s.0.is_empty()).unwrap_or_default()
    }

    fn named(&self, name: &str) -> Series<'_> {
        let is = |s: &&Sample| s.name == name || s.name.strip_suffix("_total") == Some(name);
        Series(self.samples.iter().filter(is).collect())
    }
}

/// Samples of one metric.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series<'a>(Vec<&'a Sample>);

impl<'a> Series<'a> {
    /// Those whose label has this value.
    #[must_use]
    pub fn with(mut self, label: &str, value: &str) -> Self {
        self.0.retain(|s| s.label(label) == Some(value));
        self
    }

    /// The first of those that differ in nothing but these labels: ranks of one replica repeat the same figure.
    #[must_use]
    pub fn without_repeats(self, labels: &[&str]) -> Self {
        let rest = |sample: &Sample| -> Vec<(String, String)> {
            let mut rest = sample.labels.clone();
            rest.retain(|(name, _)| !labels.contains(&name.as_str()));
            rest.sort();
            rest
        };
        let mut seen = BTreeSet::new();
        Self(self.0.into_iter().filter(|sample| seen.insert(rest(sample))).collect())
    }

    /// The sum; `None` when there is no sample. For counts and counters.
    pub fn sum(&self) -> Option<f64> {
        (!self.0.is_empty()).then(|| self.0.iter().map(|s| s.value).sum())
    }

    /// The mean; `None` when there is no sample. For shares, so samples outside 0 to 1 do not count: vLLM before its
    /// version 1 engine writes -1 for a share that it does not measure.
    pub fn mean(mut self) -> Option<f64> {
        self.0.retain(|s| (0.0..=1.0).contains(&s.value));
        self.sum().map(|sum| sum / self.0.len() as f64)
    }

    /// The first sample.
    pub fn first(&self) -> Option<&'a Sample> {
        self.0.first().copied()
    }
}

/// The gauges that have a value, under these canonical names.
pub fn gauges<const N: usize>(figures: [(&str, Option<f64>); N]) -> Vec<Gauge> {
    let gauge = |(name, value): (&str, Option<f64>)| Some(Gauge { name: name.to_owned(), value: value? });
    figures.into_iter().filter_map(gauge).collect()
}

fn sample(line: &str) -> Option<Sample> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let name_end = line.find(|c: char| c == '{' || c.is_whitespace())?;
    let (name, rest) = line.split_at(name_end);
    let (labels, rest) = match rest.trim_start().strip_prefix('{') {
        Some(inside) => labels(inside)?,
        None => (Vec::new(), rest),
    };
    // A time may follow the value.
    let value: f64 = rest.split_whitespace().next()?.parse().ok()?;
    value.is_finite().then(|| Sample { name: name.to_owned(), labels, value })
}

/// Reads `a="x",b="y"}` and answers what follows.
fn labels(mut rest: &str) -> Option<(Vec<(String, String)>, &str)> {
    let mut labels = Vec::new();
    loop {
        rest = rest.trim_start_matches([',', ' ', '\t']);
        if let Some(after) = rest.strip_prefix('}') {
            return Some((labels, after));
        }
        let (name, after) = rest.split_once('=')?;
        let (value, after) = quoted(after.trim_start())?;
        labels.push((name.trim().to_owned(), value));
        rest = after;
    }
}

/// Reads `"…"` with the escapes `\\`, `\"` and `\n`.
fn quoted(text: &str) -> Option<(String, &str)> {
    let inside = text.strip_prefix('"')?;
    let mut value = String::new();
    let mut chars = inside.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &inside[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "# HELP x help\n# TYPE x counter\nvllm:x_total{engine=\"0\",model_name=\"a\\\"b}\"} 3\n\
        vllm:x_total{engine=\"1\",model_name=\"m\"} 4.5 1700000000\nvllm:x_created{engine=\"0\"} 1.7e9\n\
        plain 7\r\nbare{} 1\ntabs\t5\nnan NaN\ninf +Inf\nbroken{a=\"x\nbroken2{a} 3\nbroken3\nshare{tp_rank=\"0\"} 0.5\n\
        share{tp_rank=\"1\"} 0.5\n";

    #[test]
    fn samples_are_read_with_labels_and_times() {
        let metrics = Metrics::read(BODY.as_bytes());
        assert_eq!(metrics.of(&["vllm:x"]).sum(), Some(7.5));
        assert_eq!(metrics.of(&["vllm:x_total"]).with("engine", "1").sum(), Some(4.5));
        assert_eq!(metrics.of(&["vllm:x"]).first().unwrap().label("model_name"), Some("a\"b}"));
        assert_eq!(metrics.of(&["plain"]).sum(), Some(7.0));
        assert_eq!(metrics.of(&["bare"]).sum(), Some(1.0));
        assert_eq!(metrics.of(&["tabs"]).sum(), Some(5.0));
    }

    #[test]
    fn what_cannot_be_read_is_absent_not_zero() {
        let metrics = Metrics::read(BODY.as_bytes());
        for name in ["nan", "inf", "broken", "broken2", "broken3", "vllm:x_created", "none"] {
            assert_eq!(metrics.of(&[name]).sum(), None, "{name}");
            assert_eq!(metrics.of(&[name]).mean(), None, "{name}");
        }
    }

    #[test]
    fn the_first_name_that_exists_wins_and_ranks_are_not_added_up() {
        let metrics = Metrics::read(BODY.as_bytes());
        assert_eq!(metrics.of(&["missing", "plain", "tabs"]).sum(), Some(7.0));
        assert_eq!(metrics.of(&["share"]).without_repeats(&["tp_rank"]).sum(), Some(0.5));
        assert_eq!(metrics.of(&["share"]).mean(), Some(0.5));
    }

    #[test]
    fn a_share_that_is_none_does_not_count() {
        let metrics = Metrics::read(b"s{e=\"0\"} -1\ns{e=\"1\"} 0.5\nnone -1\n");
        assert_eq!(metrics.of(&["s"]).mean(), Some(0.5));
        assert_eq!(metrics.of(&["none"]).mean(), None);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic() {
        for end in 0..BODY.len() {
            let _ = Metrics::read(&BODY.as_bytes()[..end]);
        }
        assert_eq!(Metrics::read(b"\xff\xfe{\"\\ 1\n{ 2\n{} 3"), Metrics::read(b"{} 3"));
    }
}
