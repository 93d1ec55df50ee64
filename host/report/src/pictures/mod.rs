//! Pictures of runs: one module a kind of figure, all SVG; [`render_png`] makes bitmaps of them.
//!
//! `letters` measures, `canvas` draws, `look` colours, `axis` scales, `frame`, `panel` and `labels` lay out; none of those
//! knows what a figure shows. `sweep`, `bars`, `quality`, `spread`, `tradeoff`, `heat`, `cost`, `parameters`, `lanes` and
//! `timeline` choose what is shown, `gallery` calls them; `differences` shows a comparison.

mod axis;
mod bars;
mod canvas;
mod cost;
mod differences;
mod each;
mod frame;
mod gallery;
mod heat;
mod labels;
mod lanes;
mod letters;
pub(crate) mod look;
mod panel;
mod parameters;
mod png;
mod quality;
mod spread;
mod sweep;
mod timeline;
mod tradeoff;

#[cfg(test)]
mod tests;

use benchhost_model::{LoadPoint, SummaryRow, Target, Verdict};

pub use bars::bars;
pub(crate) use bars::shared_load;
pub use canvas::Svg;
pub use differences::difference_pictures;
pub use gallery::{Gallery, Material, gallery, pictures};
pub use parameters::parameter_sweep;
pub use png::render_png;
pub use sweep::sweep;
pub(crate) use timeline::thinned;
pub use timeline::{Curve, Span, Timeline, timeline};

use crate::lines::clean;
use crate::numbers;
use crate::series::{Series, distinct, join, most_repeats, profile};
use frame::{Entry, Head, Sign};
use look::Look;

/// What to write around figures, and what the user chose of them. Whatever is empty is taken from the rows, or left out.
#[derive(Debug, Clone, Default, PartialEq)]
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
    /// What measured: `benchhost 0.1.0`; stands with the runs below each figure.
    pub tool: String,
    /// Objectives: name of the latency (`ttft`) and its bound in ms.
    pub objectives: Vec<(String, f64)>,
    /// What throughput is counted in.
    pub throughput: Throughput,
}

/// What throughput is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Throughput {
    /// Output tokens where every configuration's are known, else requests.
    #[default]
    Known,
    /// Requests a second.
    Requests,
    /// Output tokens a second.
    Tokens,
}

/// A figure with a name for its file, without ending: letters a to z, digits and hyphens, unique among those returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Such as `sweep-empathetic`.
    pub name: String,
    /// The figure.
    pub svg: Svg,
}

/// The rows of one figure, with what its head needs.
struct Scene<'a> {
    rows: &'a [&'a SummaryRow],
    series: &'a [Series<'a>],
    looks: &'a [Look],
}

impl Scene<'_> {
    /// The head: `title` unless the caption has one, and a subtitle of model, machine, workload and `more`.
    fn head(&self, caption: &Caption, title: &str, more: &[String], sign: Sign) -> Head {
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
        // The load stands for the highest rate of these.
        let profiles = distinct(self.rows, |r| profile(r));
        subtitle.extend(profiles.into_iter().flatten().map(|p| format!("rate: {}", clean(p))));
        let legend = self.series.iter().zip(self.looks);
        let legend = legend.map(|(s, look)| Entry { label: s.label.clone(), look: *look, sign }).collect();
        Head { title, subtitle, simulated: self.simulated(), legend, source: self.source(caption) }
    }

    /// How repeats are shown, or that there are none: `mark` is `band` or `whisker`.
    fn repeats(&self, mark: &str) -> String {
        match most_repeats(self.series) {
            0 => String::new(),
            1 => "one run a point".to_owned(),
            n => format!("mean of {n} repeats, {mark} from lowest to highest"),
        }
    }

    /// What hollow marks mean, if there are any.
    fn doubts(&self) -> String {
        let doubted = doubted(self.rows.iter().copied());
        if doubted { "hollow: verdict SUSPECT or INVALID".to_owned() } else { String::new() }
    }

    /// `Source: benchhost 0.1.0, run 20261122-052736-34e8`.
    fn source(&self, caption: &Caption) -> String {
        let runs = distinct(self.rows, |r| r.run_id.as_str());
        let runs = match runs.as_slice() {
            [] | [""] => String::new(),
            [one] => format!("run {one}"),
            [a, b] => format!("runs {a} and {b}"),
            [first, .., last] => format!("{} runs, {first} to {last}", runs.len()),
        };
        source(&[&caption.tool, &runs])
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

/// The line below a figure; empty where nothing is known.
fn source(parts: &[&str]) -> String {
    let parts: Vec<String> = parts.iter().filter(|p| !p.is_empty()).map(|p| clean(p)).collect();
    if parts.is_empty() { String::new() } else { format!("Source: {}", parts.join(", ")) }
}

/// Whether any row's verdict is not VALID.
fn doubted<'r>(rows: impl IntoIterator<Item = &'r SummaryRow>) -> bool {
    rows.into_iter().any(|r| r.verdict.is_some_and(|v| v > Verdict::Valid))
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

/// The same for a figure of `rows`: `up to 30 requests/s` where the rate changed.
fn load_of(rows: &[&SummaryRow], load: LoadPoint) -> String {
    let changes = rows.iter().any(|r| r.load == load && profile(r).is_some());
    if changes { format!("up to {}", load_words(load)) } else { load_words(load) }
}

/// The first of `titles` that fits the width of most figures, else the last.
fn fitting(titles: [String; 2]) -> String {
    const ROOM: f64 = 1020.0 - 2.0 * frame::EDGE;
    let [long, short] = titles;
    if letters::width(&long, look::TITLE, letters::Face::Bold) <= ROOM { long } else { short }
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
