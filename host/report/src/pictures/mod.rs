//! Pictures from summary rows: one function a figure, all SVG; [`render_png`] makes bitmaps of them.
//!
//! `letters` measures, `canvas` draws, `look` colours, `axis` scales, `frame` and `panel` lay out; none of those knows what
//! a figure shows. `sweep`, `bars`, `parameters` and `timeline` choose what is shown.

mod axis;
mod bars;
mod canvas;
mod frame;
mod letters;
pub(crate) mod look;
mod panel;
mod parameters;
mod png;
mod sweep;
mod timeline;

#[cfg(test)]
mod tests;

use benchhost_model::{LoadPoint, SummaryRow, Target};

pub use bars::bars;
pub(crate) use bars::shared_load;
pub use canvas::Svg;
pub use parameters::parameter_sweep;
pub use png::render_png;
pub use sweep::sweep;
pub(crate) use timeline::thinned;
pub use timeline::{Curve, Span, Timeline, timeline};

use crate::lines::clean;
use crate::numbers;
use crate::series::{Series, distinct, headline, join, most_repeats};
use frame::{Entry, Head};
use look::Look;

/// What to write above a figure. Whatever is empty is taken from the rows, or left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caption {
    /// The headline; empty: what the figure shows.
    pub title: String,
    /// The model; empty: the rows' models.
    pub model: String,
    /// The machine, such as `1× H100 80 GB`; empty: left out.
    pub machine: String,
    /// More about the workload, such as `1,024 in / 256 out tokens`; follows the workload's label.
    pub workload: String,
    /// Colours by engine, or by `engine/variant`.
    pub colours: Vec<(String, [u8; 3])>,
}

/// A figure with a name for its file, without ending: letters a to z, digits and hyphens, unique among those returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Such as `sweep-empathetic`.
    pub name: String,
    /// The figure.
    pub svg: Svg,
}

/// Every figure that `rows` allow: [`sweep`] and [`bars`] of each workload, and [`parameter_sweep`] of each family of
/// workloads. The members of a family are points of its figure: they get no bars of their own, and a sweep only over
/// several loads. Empty for no rows.
pub fn pictures(rows: &[SummaryRow], caption: &Caption) -> Vec<Picture> {
    let all = headline(rows);
    let families = parameters::families(&all);
    let member = |r: &&SummaryRow| parameters::family(&r.workload).is_some_and(|f| families.contains(&f));
    let swept = |r: &&SummaryRow| all.iter().any(|o| o.workload == r.workload && o.load != r.load);
    let of = |keep: &dyn Fn(&&SummaryRow) -> bool| -> Vec<SummaryRow> {
        all.iter().copied().filter(keep).cloned().collect()
    };
    let mut made = sweep(&of(&|r| !member(r) || swept(r)), caption);
    made.extend(bars(&of(&|r| !member(r)), caption));
    made.extend(parameter_sweep(rows, caption));
    made
}

/// The rows of one figure, with what its head needs.
struct Scene<'a> {
    rows: &'a [&'a SummaryRow],
    series: &'a [Series<'a>],
    looks: &'a [Look],
}

impl Scene<'_> {
    /// The head: `title` unless the caption has one, and a subtitle of model, machine, workload, `more` and the repeats.
    fn head(&self, caption: &Caption, title: &str, more: &[String], swatch: bool) -> Head {
        let title = if caption.title.is_empty() { title.to_owned() } else { clean(&caption.title) };
        let models = distinct(self.rows, |r| r.model.as_str()).join(", ");
        let workloads = distinct(self.rows, |r| r.workload.as_str());
        let workload = if let [one] = workloads.as_slice() { *one } else { "" };
        let mut subtitle = vec![
            clean(if caption.model.is_empty() { &models } else { &caption.model }),
            clean(&caption.machine),
            join(&[workload, &caption.workload]),
        ];
        subtitle.extend(more.iter().cloned());
        subtitle.push(match most_repeats(self.series) {
            0 | 1 => String::new(),
            n => format!(
                "mean of {n} repeats, {} from lowest to highest",
                if swatch { "whisker" } else { "band" }
            ),
        });
        let legend = self.series.iter().zip(self.looks);
        let legend = legend.map(|(s, look)| Entry { label: s.label.clone(), look: *look, swatch }).collect();
        Head { title, subtitle, simulated: self.simulated(), legend }
    }

    /// What was simulated, in words.
    fn simulated(&self) -> Option<String> {
        let simulated: Vec<&str> =
            self.series.iter().filter(|s| s.simulated).map(|s| s.label.as_str()).collect();
        match simulated.len() {
            0 => None,
            n if n == self.series.len() => {
                Some("the built-in simulator answered, no real server was measured".to_owned())
            }
            _ => Some(format!("{}; no real server was measured there", simulated.join(", "))),
        }
    }

    /// Any row was simulated.
    fn any_simulated(&self) -> bool {
        self.rows.iter().any(|r| r.target == Target::Simulated)
    }
}

/// `concurrency 8` or `4 requests/s`.
pub(crate) fn load_words(load: LoadPoint) -> String {
    let value = numbers::exact(load.value());
    match load {
        LoadPoint::Concurrency(_) => format!("concurrency {value}"),
        LoadPoint::Rate(_) => format!("{value} requests/s"),
        LoadPoint::Batch(_) => format!("batch size {value}"),
        LoadPoint::Trace(_) => format!("trace at {value}× speed"),
    }
}

/// `name` in the letters of a file's name; distinct from those in `taken`.
fn file_name(name: &str, taken: &[Picture]) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-').to_owned();
    let free = |s: &String| taken.iter().all(|p| p.name != *s);
    if free(&slug) {
        return slug;
    }
    (2..=taken.len() + 2).map(|n| format!("{slug}-{n}")).find(free).unwrap_or(slug)
}
