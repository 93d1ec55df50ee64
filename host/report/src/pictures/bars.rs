//! The summary as bars, at one load that all configurations share: throughput, time to first token, latency, GPU memory
//! and cost, as far as they are known. Scores have a figure of their own.

use benchhost_model::{LoadPoint, SummaryRow};

use super::axis::Axis;
use super::canvas::{Anchor, Canvas, Colour};
use super::each::each_workload;
use super::frame::{Cell, Grid, Sign, figure};
use super::letters::{Face, fit, width};
use super::look::{INK, Look, MUTED, TICK, looks, plain};
use super::panel::{Plot, Words, ground, watermark};
use super::sweep::throughput;
use super::{Caption, Picture, Scene, load_of};
use crate::metric::{COST, E2E_P50, GPU_MEMORY, TTFT_P50};
use crate::numbers::{NOTHING, figure as digits};
use crate::series::{Series, Spread, by_load, headline, loads, series_of};

/// Names under bars are cut no shorter than this; below, bars are numbered as in the legend.
const NAME_ROOM: f64 = 44.0;

/// One figure for each workload, at the highest load that the most configurations share.
pub fn bars(rows: &[SummaryRow], caption: &Caption) -> Vec<Picture> {
    each_workload(&headline(rows), "bars", |rows| one(rows, caption))
}

/// A panel's words and one value a series.
struct Panel {
    title: String,
    higher_is_better: bool,
    values: Vec<Option<Spread>>,
}

fn one(rows: &[&SummaryRow], caption: &Caption) -> Option<super::Svg> {
    let series = series_of(rows);
    let load = shared_load(rows, &series)?;
    let looks = looks(&series, &caption.colours);
    let panels = panels(rows, &series, load, caption);
    if panels.is_empty() {
        return None;
    }
    let scene = Scene { rows, series: &series, looks: &looks };
    let numbered = numbered(&series, cell_width(panels.len()));
    let at = load_of(rows, load);
    let title = match series.as_slice() {
        [one] => format!("{} at {at}", one.label),
        [a, b] => format!("How do {} and {} compare at {at}?", a.label, b.label),
        all => format!("How do {} configurations compare at {at}?", all.len()),
    };
    let mut head = scene.head(caption, &title, &[at, scene.repeats("whisker")], Sign::Swatch);
    if numbered {
        for (i, entry) in head.legend.iter_mut().enumerate() {
            entry.label = format!("{}  {}", i + 1, entry.label);
        }
    }
    let columns = if panels.len() == 4 { 2 } else { 3 };
    let grid = Grid { columns, width: cell_width(panels.len()), height: 340 };
    Some(figure(&head, grid, &panels, |canvas, panel, cell| {
        let words = Words {
            title: panel.title.clone(),
            higher_is_better: Some(panel.higher_is_better),
            simulated: scene.any_simulated(),
            ..Words::default()
        };
        let names: Vec<String> = series
            .iter()
            .enumerate()
            .map(|(i, s)| if numbered { (i + 1).to_string() } else { s.label.clone() })
            .collect();
        paint(canvas, cell, &words, &panel.values, &looks, &names);
    }))
}

const fn cell_width(panels: usize) -> u32 {
    match panels {
        1 => 720,
        2 | 4 => 510,
        _ => 340,
    }
}

/// The load that the most series have; of equals the highest.
pub(crate) fn shared_load(rows: &[&SummaryRow], series: &[Series<'_>]) -> Option<LoadPoint> {
    let having = |l: LoadPoint| series.iter().filter(|s| s.at(l).next().is_some()).count();
    loads(rows).into_iter().max_by(|a, b| having(*a).cmp(&having(*b)).then(by_load(*a, *b)))
}

/// The panels for which any series has a value.
fn panels(rows: &[&SummaryRow], series: &[Series<'_>], load: LoadPoint, caption: &Caption) -> Vec<Panel> {
    let values = |pick: &dyn Fn(&SummaryRow) -> Option<f64>| -> Vec<Option<Spread>> {
        series.iter().map(|s| s.spread(load, pick)).collect()
    };
    let mut panels: Vec<Panel> = [throughput(rows, caption.throughput), TTFT_P50, E2E_P50, GPU_MEMORY, COST]
        .into_iter()
        .map(|m| Panel {
            title: m.title(),
            higher_is_better: m.higher_is_better,
            values: values(&|r| (m.pick)(r)),
        })
        .collect();
    panels.retain(|p| p.values.iter().any(Option::is_some));
    panels
}

/// Bars are numbered when their names would be cut beyond recognition.
fn numbered(series: &[Series<'_>], cell: u32) -> bool {
    let slot = slot_width(f64::from(cell) - 84.0, series.len());
    series.iter().any(|s| {
        let wide = width(&s.label, TICK, Face::Regular);
        wide > slot && slot < NAME_ROOM.max(0.7 * wide)
    })
}

fn slot_width(room: f64, bars: usize) -> f64 {
    room / bars.max(1) as f64
}

fn paint(
    canvas: &mut Canvas<'_>,
    cell: Cell,
    words: &Words,
    values: &[Option<Spread>],
    looks: &[Look],
    names: &[String],
) {
    let plot = Plot::of(cell);
    let all: Vec<f64> = values.iter().flatten().flat_map(|s| [s.low, s.high]).collect();
    // The value labels need room above the highest bar.
    let axis = Axis::linear(&all, plot.bottom, plot.top + 14.0);
    ground(canvas, cell, words, Some(&axis));
    let slot = slot_width(plot.right - plot.left, values.len());
    let bar = (slot * 0.8).min(84.0);
    let labelled = values.iter().flatten().all(|s| width(&digits(s.mean), TICK, Face::Regular) <= slot - 2.0);
    for (i, value) in values.iter().enumerate() {
        let middle = plot.left + slot * (i as f64 + 0.5);
        let name = fit(&names[i], TICK, Face::Regular, slot - 6.0);
        canvas.text(&name, middle, plot.bottom + 18.0, plain(TICK, INK, Anchor::Middle));
        let Some(spread) = value else {
            canvas.text(NOTHING, middle, axis.place(0.0) - 6.0, plain(TICK, MUTED, Anchor::Middle));
            continue;
        };
        let room = Bar { middle, width: bar };
        paint_bar(canvas, &axis, &room, spread, looks[i].colour);
        if labelled {
            value_label(canvas, middle, axis.place(spread.high).min(axis.place(0.0)) - 5.0, spread.mean);
        }
    }
    // Over the bars, which would hide it.
    watermark(canvas, cell, words, 0.09);
}

/// Where a bar stands, in px.
pub(super) struct Bar {
    pub(super) middle: f64,
    pub(super) width: f64,
}

/// The mean as a bar from 0, and a whisker where repeats differ.
pub(super) fn paint_bar(canvas: &mut Canvas<'_>, axis: &Axis, bar: &Bar, spread: &Spread, colour: Colour) {
    let [low, mean, high, base] = [spread.low, spread.mean, spread.high, 0.0].map(|v| axis.place(v));
    let (left, right) = (bar.middle - bar.width / 2.0, bar.middle + bar.width / 2.0);
    canvas.rect([left, mean.min(base)], [right, mean.max(base)], colour, 1.0);
    if spread.high > spread.low {
        canvas.line(&[[bar.middle, low], [bar.middle, high]], INK, 1.3);
        for end in [low, high] {
            canvas.line(&[[bar.middle - 4.0, end], [bar.middle + 4.0, end]], INK, 1.3);
        }
    }
}

/// The value on white, so that a grid line does not strike it through.
pub(super) fn value_label(canvas: &mut Canvas<'_>, middle: f64, baseline: f64, value: f64) {
    let text = digits(value);
    let half = width(&text, TICK, Face::Regular) / 2.0 + 1.5;
    canvas.rect(
        [middle - half, baseline - 9.0],
        [middle + half, baseline + 1.5],
        Colour(255, 255, 255),
        0.85,
    );
    canvas.text(&text, middle, baseline, plain(TICK, INK, Anchor::Middle));
}
