//! What the servers held over the whole run: KV cache, requests running and waiting, GPU memory, with the load points
//! shaded behind. Values come as they were read; the only arithmetic is the highest value within a load point.

use benchhost_model::LoadPoint;

use super::axis::Axis;
use super::canvas::{Anchor, Canvas};
use super::frame::{Cell, Entry, Grid, Head, Sign, figure};
use super::letters::{Face, width};
use super::look::{AXIS, CAPTION, GRID, INK, Look, MUTED, TICK, bold, in_order, plain};
use super::panel::{Plot, Words, ground, watermark};
use super::{Caption, Picture, load_words, source};
use crate::lines::clean;
use crate::numbers;

/// Readings farther apart than this are not joined, in seconds: nobody asked in between.
const BREAK_S: f64 = 1.5;
/// Stretches of a curve that keep their lowest and highest value; more than the pixels they are drawn on.
const STRETCHES: u32 = 1200;

/// One figure of one source over the run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Curve {
    /// What people call the source: `vllm · fp8`, `GPU 0`.
    pub label: String,
    /// Seconds from the run's start, rising, and the value then.
    pub points: Vec<(f64, f64)>,
}

/// When a load point was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The load.
    pub load: LoadPoint,
    /// Its beginning, seconds from the run's start.
    pub from_s: f64,
    /// Its end.
    pub until_s: f64,
}

/// What [`timeline`] draws.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Timeline {
    /// Share of the KV cache in use, 0 to 1, by engine.
    pub kv_cache: Vec<Curve>,
    /// Requests running, by engine.
    pub running: Vec<Curve>,
    /// Requests waiting, by engine.
    pub waiting: Vec<Curve>,
    /// Memory in use in GiB, by GPU.
    pub gpu_memory: Vec<Curve>,
    /// The load points, in any order.
    pub spans: Vec<Span>,
    /// The simulator answered.
    pub simulated: bool,
    /// The run, as it is named below the figure; may be empty.
    pub run: String,
}

/// One panel.
struct Shown {
    title: &'static str,
    curves: Vec<(Look, Vec<(f64, f64)>)>,
}

/// The figure `timeline`; `None` when there is nothing to draw.
pub fn timeline(data: &Timeline, caption: &Caption) -> Option<Picture> {
    let labels = labels(data);
    let shown: Vec<Shown> = [
        ("KV cache in use (%)", 100.0, &data.kv_cache),
        ("Requests running", 1.0, &data.running),
        ("Requests waiting", 1.0, &data.waiting),
        ("GPU memory in use (GiB)", 1.0, &data.gpu_memory),
    ]
    .into_iter()
    .filter_map(|(title, factor, curves)| shown(title, factor, curves, &labels))
    .collect();
    let sound = |s: &&Span| s.from_s.is_finite() && s.until_s.is_finite() && s.from_s < s.until_s;
    let spans: Vec<&Span> = data.spans.iter().filter(sound).collect();
    let end = shown.iter().flat_map(|s| &s.curves).filter_map(|(_, points)| points.last()).map(|p| p.0);
    let end = end.chain(spans.iter().map(|s| s.until_s)).fold(0.0, f64::max);
    if shown.is_empty() || end <= 0.0 {
        return None;
    }
    let legend = labels.iter().enumerate().map(|(i, label)| Entry {
        label: clean(label),
        look: in_order(i),
        sign: Sign::Swatch,
    });
    let head = Head {
        title: if caption.title.is_empty() {
            "What did the servers hold over the run?".into()
        } else {
            clean(&caption.title)
        },
        subtitle: vec![
            clean(&caption.model),
            clean(&caption.machine),
            clean(&caption.workload),
            "shaded: load points without warm-up and drain; above them: the load, in them: the highest reading".into(),
        ],
        simulated: data
            .simulated
            .then(|| "the built-in simulator answered, no real server was measured".to_owned()),
        legend: legend.collect(),
        source: source(&[&caption.tool, &data.run]),
    };
    let grid = Grid { columns: 1, width: 1020, height: 262 };
    let svg = figure(&head, grid, &shown, |canvas, shown, cell| {
        panel(canvas, cell, shown, &spans, end, data.simulated);
    });
    Some(Picture { name: "timeline".into(), svg })
}

/// Every source once, engines first.
fn labels(data: &Timeline) -> Vec<&str> {
    let mut labels: Vec<&str> = Vec::new();
    for curve in data.kv_cache.iter().chain(&data.running).chain(&data.waiting).chain(&data.gpu_memory) {
        if !curve.points.is_empty() && !labels.contains(&curve.label.as_str()) {
            labels.push(&curve.label);
        }
    }
    labels
}

fn shown(title: &'static str, factor: f64, curves: &[Curve], labels: &[&str]) -> Option<Shown> {
    let curves: Vec<_> = curves
        .iter()
        .filter_map(|curve| {
            let place = labels.iter().position(|l| *l == curve.label)?;
            let points = curve.points.iter().filter(|p| p.0.is_finite() && p.1.is_finite());
            let points: Vec<(f64, f64)> = points.map(|(t, v)| (*t, v * factor)).collect();
            (!points.is_empty()).then(|| (in_order(place), points))
        })
        .collect();
    (!curves.is_empty()).then_some(Shown { title, curves })
}

/// The run from its start to its end, whole: a round end would leave a part of the picture empty.
struct Time {
    end: f64,
    left: f64,
    right: f64,
}

impl Time {
    fn place(&self, seconds: f64) -> f64 {
        self.left + (seconds / self.end).clamp(0.0, 1.0) * (self.right - self.left)
    }
}

fn panel(canvas: &mut Canvas<'_>, cell: Cell, shown: &Shown, spans: &[&Span], end: f64, simulated: bool) {
    let plot = Plot::of(cell);
    let across = Time { end, left: plot.left, right: plot.right };
    let values: Vec<f64> = shown.curves.iter().flat_map(|(_, points)| points.iter().map(|p| p.1)).collect();
    let up = Axis::linear(&values, plot.bottom, plot.top);
    for span in spans {
        let (left, right) = (across.place(span.from_s), across.place(span.until_s));
        canvas.rect([left, plot.top], [right, plot.bottom], GRID, 0.55);
        let room = right - left - 4.0;
        let words = [load_words(span.load), numbers::exact(span.load.value())];
        if let Some(text) = words.iter().find(|text| width(text, TICK, Face::Regular) <= room) {
            let middle = f64::midpoint(left, right);
            // Above the place of a peak at the very top.
            canvas.text(text, middle, plot.top - 17.0, plain(TICK, MUTED, Anchor::Middle));
        }
    }
    let words = Words { title: shown.title.into(), simulated, ..Words::default() };
    ground(canvas, cell, &words, Some(&up));
    watermark(canvas, cell, &words, 0.07);
    time_axis(canvas, plot, &across);
    for (look, points) in &shown.curves {
        for run in unbroken(points) {
            let path: Vec<[f64; 2]> = thinned(run, end, STRETCHES)
                .into_iter()
                .map(|(t, v)| [across.place(t), up.place(v)])
                .collect();
            match path.as_slice() {
                [one] => canvas.circle(*one, 1.6, look.colour),
                _ => canvas.line(&path, look.colour, 1.8),
            }
        }
    }
    for span in spans {
        peak(canvas, shown, span, &across, &up);
    }
}

/// The highest value within `span`, written above it to a tenth where there is room. What rounds to 0 is not worth a number.
fn peak(canvas: &mut Canvas<'_>, shown: &Shown, span: &Span, across: &Time, up: &Axis) {
    let inside = shown.curves.iter().flat_map(|(_, points)| points);
    let inside = inside.filter(|(t, _)| (span.from_s..=span.until_s).contains(t));
    let Some((t, value)) = inside.copied().reduce(|a, b| if b.1 > a.1 { b } else { a }) else { return };
    let text = numbers::exact((value * 10.0).round() / 10.0);
    let (left, right) = (across.place(span.from_s), across.place(span.until_s));
    let half = width(&text, TICK, Face::Bold) / 2.0;
    if text == "0" || value < 0.0 || right - left < 2.0 * half {
        return;
    }
    let x = across.place(t).clamp(left + half, (right - half).max(left + half));
    canvas.text(&text, x, up.place(value) - 4.0, bold(TICK, INK, Anchor::Middle));
}

fn time_axis(canvas: &mut Canvas<'_>, plot: Plot, across: &Time) {
    let round = Axis::linear(&[0.0, across.end], plot.left, plot.right);
    for (seconds, label) in round.ticks.iter().filter(|(seconds, _)| *seconds <= across.end) {
        let x = across.place(*seconds);
        canvas.line(&[[x, plot.bottom], [x, plot.bottom + 5.0]], AXIS, 1.3);
        canvas.text(label, x, plot.bottom + 18.0, plain(TICK, MUTED, Anchor::Middle));
    }
    let middle = f64::midpoint(plot.left, plot.right);
    canvas.text(
        "Seconds from the start of the run",
        middle,
        plot.bottom + 38.0,
        plain(CAPTION, INK, Anchor::Middle),
    );
}

/// Stretches without a hole.
fn unbroken(points: &[(f64, f64)]) -> impl Iterator<Item = &[(f64, f64)]> {
    points.chunk_by(|a, b| b.0 - a.0 <= BREAK_S)
}

/// First, lowest, highest and last of each stretch of time, in their order: a line through them looks as one through all
/// points, and no peak is lost.
pub(crate) fn thinned(points: &[(f64, f64)], end: f64, stretches: u32) -> Vec<(f64, f64)> {
    if points.len() <= stretches as usize {
        return points.to_vec();
    }
    let stretch = |t: f64| (t / end * f64::from(stretches)).floor();
    let mut kept = Vec::new();
    for chunk in points.chunk_by(|a, b| stretch(a.0).total_cmp(&stretch(b.0)).is_eq()) {
        let by_value = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
        let mut ends: Vec<(f64, f64)> =
            [chunk.first(), chunk.iter().min_by(by_value), chunk.iter().max_by(by_value), chunk.last()]
                .into_iter()
                .flatten()
                .copied()
                .collect();
        ends.sort_by(|a, b| a.0.total_cmp(&b.0));
        ends.dedup();
        kept.extend(ends);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(label: &str, points: impl IntoIterator<Item = (f64, f64)>) -> Curve {
        Curve { label: label.into(), points: points.into_iter().collect() }
    }

    fn span(load: u32, from_s: f64, until_s: f64) -> Span {
        Span { load: LoadPoint::Concurrency(load), from_s, until_s }
    }

    fn texts(svg: &str, text: &str) -> usize {
        svg.matches(&format!(">\n{text}\n</text>")).count()
    }

    #[test]
    fn panels_are_drawn_for_what_was_read_with_the_load_points_and_their_peaks() {
        let tenths =
            |peak: f64| (0..300).map(move |i| (f64::from(i) / 10.0, peak * f64::from(i % 50) / 49.0));
        let data = Timeline {
            kv_cache: vec![curve("vllm", tenths(0.62)), curve("sglang", [])],
            gpu_memory: vec![curve("GPU 0", tenths(20.0))],
            spans: vec![span(1, 2.0, 12.0), span(8, 14.0, 28.0)],
            simulated: true,
            ..Timeline::default()
        };
        let picture = timeline(&data, &Caption { model: "m".into(), ..Caption::default() }).unwrap();
        let svg = picture.svg.as_str();
        assert_eq!(picture.name, "timeline");
        assert_eq!(texts(svg, "KV cache in use (%)") + texts(svg, "GPU memory in use (GiB)"), 2);
        assert_eq!(
            texts(svg, "Requests running") + texts(svg, "sglang"),
            0,
            "what was not read is not drawn"
        );
        assert_eq!(texts(svg, "vllm") + texts(svg, "GPU 0"), 2);
        assert_eq!(texts(svg, "concurrency 8"), 2, "one a panel");
        assert_eq!(texts(svg, "62"), 2, "the peak of each load point");
        assert!(texts(svg, "SIMULATED") == 2 && svg.contains("(simulated)</title>"));
    }

    #[test]
    fn nothing_read_makes_no_picture_and_hostile_values_are_left_out() {
        assert_eq!(timeline(&Timeline::default(), &Caption::default()), None);
        let spans = vec![span(1, 0.0, 1.0)];
        assert_eq!(
            timeline(&Timeline { spans: spans.clone(), ..Timeline::default() }, &Caption::default()),
            None
        );
        let points = [(f64::NAN, 1.0), (1.0, f64::INFINITY), (2.0, 0.5)];
        let data = Timeline {
            kv_cache: vec![curve("<b>\u{1b}[31m", points)],
            spans: vec![span(1, f64::NAN, f64::INFINITY), span(2, 5.0, 1.0)],
            ..Timeline::default()
        };
        let picture = timeline(&data, &Caption::default()).unwrap();
        assert!(!picture.svg.as_str().contains("<b>") && !picture.svg.as_str().contains("NaN"));
    }

    #[test]
    fn narrow_load_points_have_short_words_or_none() {
        let data = Timeline {
            kv_cache: vec![curve("vllm", (0..1000).map(|i| (f64::from(i), 0.5)))],
            spans: vec![span(16, 10.0, 900.0), span(64, 910.0, 940.0), span(128, 950.0, 952.0)],
            ..Timeline::default()
        };
        let picture = timeline(&data, &Caption::default()).unwrap();
        let svg = picture.svg.as_str();
        assert_eq!((texts(svg, "concurrency 16"), texts(svg, "64"), texts(svg, "128")), (1, 1, 0));
    }

    #[test]
    fn a_long_run_keeps_its_peaks_in_a_small_picture() {
        let value = |i: u32| if i == 77_777 { 0.97 } else { 0.25 + f64::from(i % 7) / 100.0 };
        let points: Vec<(f64, f64)> = (0..120_000).map(|i| (f64::from(i) / 10.0, value(i))).collect();
        let few = thinned(&points, 12_000.0, STRETCHES);
        assert!(few.len() <= 4 * STRETCHES as usize + 4, "{}", few.len());
        assert!(few.contains(&(7777.7, 0.97)) && few.windows(2).all(|w| w[0].0 <= w[1].0));
        assert_eq!((few.first(), few.last()), (points.first(), points.last()));
        let data = Timeline { kv_cache: vec![curve("v", points)], ..Timeline::default() };
        assert!(timeline(&data, &Caption::default()).unwrap().svg.as_str().len() < 200_000);
    }

    #[test]
    fn a_hole_is_not_bridged() {
        let points = [(0.0, 1.0), (0.1, 1.0), (5.0, 1.0), (5.1, 1.0), (9.0, 1.0)];
        assert_eq!(unbroken(&points).map(<[_]>::len).collect::<Vec<_>>(), [2, 2, 1]);
    }
}
