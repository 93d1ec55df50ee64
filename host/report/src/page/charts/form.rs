//! The form of a chart as `page.js` reads it. Short keys, and numbers of five digits: they are most of the file.

use benchhost_model::{SummaryRow, Verdict};
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

/// One section: a heading, a legend, panels.
#[derive(Debug, Default, Serialize)]
pub(in crate::page) struct Chart {
    pub(in crate::page) id: String,
    /// Heading and what stands under it are written into the page itself.
    #[serde(skip)]
    pub(in crate::page) title: String,
    #[serde(skip)]
    pub(in crate::page) note: String,
    /// Shown only when opened: one of many of its kind.
    #[serde(skip)]
    pub(in crate::page) folded: bool,
    /// The word SIMULATED is due.
    pub(in crate::page) sim: bool,
    pub(in crate::page) panels: Vec<Panel>,
}

/// One panel with its views, of which one is shown.
#[derive(Debug, Serialize)]
pub(in crate::page) struct Panel {
    #[serde(rename = "t")]
    pub(in crate::page) title: String,
    #[serde(rename = "v")]
    pub(in crate::page) views: Vec<View>,
}

impl Panel {
    /// Of `views` to choose from; one that is alone is no choice, so its name, which has the unit, is the title.
    pub(in crate::page) fn choosing(title: &str, views: Vec<View>) -> Option<Self> {
        let title = match views.as_slice() {
            [] => return None,
            [one] if !one.name.is_empty() => one.name.clone(),
            _ => title.to_owned(),
        };
        Some(Self { title, views })
    }
}

/// How a view is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::page) enum Kind {
    #[default]
    Line,
    Bar,
    Heat,
    Lanes,
}

/// One picture of a panel.
#[derive(Debug, Default, Serialize)]
pub(in crate::page) struct View {
    #[serde(rename = "k")]
    pub(in crate::page) kind: Kind,
    /// What it is called among the panel's views.
    #[serde(rename = "n", skip_serializing_if = "String::is_empty")]
    pub(in crate::page) name: String,
    /// Title in place of the panel's.
    #[serde(rename = "t", skip_serializing_if = "String::is_empty")]
    pub(in crate::page) title: String,
    #[serde(rename = "u")]
    pub(in crate::page) unit: String,
    /// Whether higher is better.
    #[serde(rename = "up", skip_serializing_if = "Option::is_none")]
    pub(in crate::page) higher: Option<bool>,
    /// Words after the direction.
    #[serde(rename = "w", skip_serializing_if = "String::is_empty")]
    pub(in crate::page) words: String,
    #[serde(rename = "xn")]
    pub(in crate::page) x_name: String,
    #[serde(rename = "xu", skip_serializing_if = "String::is_empty")]
    pub(in crate::page) x_unit: String,
    #[serde(rename = "yn", skip_serializing_if = "String::is_empty")]
    pub(in crate::page) y_name: String,
    /// Logarithmic x.
    #[serde(rename = "xl", skip_serializing_if = "is_false")]
    pub(in crate::page) x_log: bool,
    /// Tested places.
    #[serde(rename = "x", skip_serializing_if = "Vec::is_empty")]
    pub(in crate::page) places: Vec<f64>,
    /// x from and to.
    #[serde(rename = "xr", skip_serializing_if = "Option::is_none")]
    pub(in crate::page) x_range: Option<[f64; 2]>,
    /// y from and to.
    #[serde(rename = "y", skip_serializing_if = "Option::is_none")]
    pub(in crate::page) y_range: Option<[f64; 2]>,
    /// Lines do not share their x.
    #[serde(skip_serializing_if = "is_false")]
    pub(in crate::page) free: bool,
    #[serde(rename = "s")]
    pub(in crate::page) lines: Vec<Line>,
    #[serde(rename = "o", skip_serializing_if = "Vec::is_empty")]
    pub(in crate::page) goals: Vec<Goal>,
    /// Shaded stretches with a word.
    #[serde(rename = "b", skip_serializing_if = "Vec::is_empty")]
    pub(in crate::page) spans: Vec<(f64, f64, String)>,
    /// Column and row labels of a heat map.
    #[serde(rename = "cx", skip_serializing_if = "Vec::is_empty")]
    pub(in crate::page) columns: Vec<String>,
    #[serde(rename = "cy", skip_serializing_if = "Vec::is_empty")]
    pub(in crate::page) labels: Vec<String>,
}

/// An objective.
#[derive(Debug, Clone, Serialize)]
pub(in crate::page) struct Goal {
    #[serde(rename = "n")]
    pub(in crate::page) name: String,
    #[serde(rename = "v")]
    pub(in crate::page) value: f64,
    /// It is a value of x.
    #[serde(rename = "x", skip_serializing_if = "is_false")]
    pub(in crate::page) on_x: bool,
}

/// Points of one series.
#[derive(Debug, Default, Serialize)]
pub(in crate::page) struct Line {
    /// Place among the series; `None`: of none.
    #[serde(rename = "s")]
    pub(in crate::page) series: Option<usize>,
    #[serde(rename = "p")]
    pub(in crate::page) points: Vec<Point>,
    /// Drawn dashed, and the word for what it is.
    #[serde(rename = "d", skip_serializing_if = "String::is_empty")]
    pub(in crate::page) dashed: String,
    /// `step`.
    #[serde(rename = "f", skip_serializing_if = "str::is_empty")]
    pub(in crate::page) form: &'static str,
    /// Points farther apart are not joined.
    #[serde(rename = "g", skip_serializing_if = "Option::is_none")]
    pub(in crate::page) gap: Option<f64>,
}

/// Numbers of a point, then a note and how far it can be relied on; what is missing at the end is left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::page) struct Point {
    pub(in crate::page) numbers: Vec<Option<f64>>,
    pub(in crate::page) note: String,
    pub(in crate::page) verdict: u8,
}

impl Point {
    pub(in crate::page) fn at(x: f64, y: f64) -> Self {
        Self { numbers: vec![Some(x), Some(y)], ..Self::default() }
    }

    /// With the repeats' ends, where they differ.
    pub(in crate::page) fn within(x: f64, spread: crate::series::Spread) -> Self {
        let mut point = Self::at(x, spread.mean);
        if spread.high > spread.low {
            point.numbers.extend([Some(spread.low), Some(spread.high)]);
        }
        point
    }

    /// Judged by the worst of its rows.
    pub(in crate::page) fn judged<'r>(mut self, rows: impl IntoIterator<Item = &'r SummaryRow>) -> Self {
        let worst = rows.into_iter().filter_map(|r| r.verdict).max();
        self.verdict = match worst {
            None | Some(Verdict::Valid) => 0,
            Some(Verdict::Suspect) => 1,
            Some(Verdict::Invalid) => 2,
        };
        self
    }
}

impl Serialize for Point {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let told = if self.verdict > 0 { 2 } else { usize::from(!self.note.is_empty()) };
        let numbers = if told > 0 { self.numbers.len().max(4) } else { self.numbers.len() };
        let mut seq = serializer.serialize_seq(Some(numbers + told))?;
        for i in 0..numbers {
            seq.serialize_element(&self.numbers.get(i).copied().flatten().map(short))?;
        }
        if told > 0 {
            seq.serialize_element(&self.note)?;
        }
        if told > 1 {
            seq.serialize_element(&self.verdict)?;
        }
        seq.end()
    }
}

/// Five significant digits; infinities, which JSON lacks, as the largest number.
pub(in crate::page) fn short(value: f64) -> f64 {
    if !value.is_finite() {
        return if value < 0.0 { f64::MIN } else { f64::MAX };
    }
    if value == 0.0 {
        return 0.0;
    }
    format!("{value:.4e}").parse().unwrap_or(value)
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if passes a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_end_where_nothing_more_is_known() {
        let text = |p: &Point| serde_json::to_string(p).unwrap();
        assert_eq!(text(&Point::at(1.0, 2.345_678_9)), "[1.0,2.3457]");
        let noted = Point { note: "n".into(), ..Point::at(1.0, 2.0) };
        assert_eq!(text(&noted), r#"[1.0,2.0,null,null,"n"]"#);
        let doubted = Point { verdict: 2, ..Point::at(1.0, 2.0) };
        assert_eq!(text(&doubted), r#"[1.0,2.0,null,null,"",2]"#);
    }

    #[test]
    fn numbers_keep_five_digits() {
        assert!((short(123_456.789) - 123_460.0).abs() < 1e-9);
        assert!((short(-0.000_123_456_7) + 0.000_123_46).abs() < 1e-12);
        assert!(short(f64::INFINITY).is_finite() && short(f64::NAN).is_finite());
    }
}
