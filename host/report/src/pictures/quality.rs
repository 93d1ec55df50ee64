//! Scores of the answers as bars, with whiskers: the interval over items where there is one, else the repeats' range.

use benchhost_model::{LoadPoint, SummaryRow};

use super::axis::Axis;
use super::bars::{Bar, paint_bar, value_label};
use super::canvas::{Anchor, Canvas};
use super::each::each_workload;
use super::frame::{Cell, Grid, Sign, figure};
use super::letters::{Face, fit, width};
use super::look::{INK, Look, MUTED, TICK, bold, looks, plain};
use super::panel::{Plot, Words, ground, watermark};
use super::{Caption, Picture, Scene, load_of, shared_load};
use crate::lines::clean;
use crate::numbers::{NOTHING, figure as digits};
use crate::series::{Scored, Series, Spread, series_of};

/// A bar lower than this, in px, has its value beside the whisker.
const LOW: f64 = 12.0;
/// Scores of one figure.
const MOST: usize = 12;

/// One figure a workload whose answers were scored, at the load that most configurations share.
pub(super) fn qualities(rows: &[&SummaryRow], scored: &[Scored], caption: &Caption) -> Vec<Picture> {
    let rows: Vec<&SummaryRow> = rows.iter().copied().filter(|r| !r.scores.is_empty()).collect();
    each_workload(&rows, "quality", |rows| one(rows, scored, caption))
}

/// One score of one series.
#[derive(Debug, Clone, Copy)]
struct Value {
    spread: Spread,
    /// The whisker is a 95 % interval over items.
    interval: bool,
}

/// The scores of one panel, each with a value a series.
struct Panel {
    title: String,
    scores: Vec<(String, Vec<Option<Value>>)>,
}

fn one(rows: &[&SummaryRow], scored: &[Scored], caption: &Caption) -> Option<super::Svg> {
    let series = series_of(rows);
    let load = shared_load(rows, &series)?;
    let looks = looks(&series, &caption.colours);
    let mut names: Vec<&str> = rows.iter().flat_map(|r| r.scores.keys().map(String::as_str)).collect();
    names.sort_unstable();
    names.dedup();
    names.truncate(MOST);
    let values: Vec<(String, Vec<Option<Value>>)> = names
        .iter()
        .map(|name| (clean(name), (0..series.len()).map(|i| value(&series, i, load, name, scored)).collect()))
        .collect();
    let every = || values.iter().flat_map(|(_, v)| v.iter().flatten());
    let whisker = match (every().any(|v| v.interval), every().all(|v| v.interval)) {
        (true, true) => "whiskers: 95 % interval, items as the unit",
        (true, false) => "whiskers: 95 % interval, items as the unit, or the range of repeats",
        (false, _) => "whiskers: lowest to highest repeat",
    };
    let whisker = if every().any(|v| v.spread.high > v.spread.low) { whisker } else { "" };
    let items = scored.iter().filter(|s| s.place.load == load && names.contains(&s.name.as_str()));
    let items = items.filter(|s| s.place.workload == rows[0].workload).map(|s| s.items).max();
    let items = items.map_or(String::new(), |n| format!("{} items", crate::numbers::count(n)));
    let panels = panels(values);
    let scene = Scene { rows, series: &series, looks: &looks };
    let more = [load_of(rows, load), items, whisker.to_owned()];
    let title = format!("How good are the answers at {}?", load_of(rows, load));
    let head = scene.head(caption, &title, &more, Sign::Swatch);
    let columns = if panels.len() > 1 { 2 } else { 1 };
    let grid = Grid { columns, width: 1020 / columns, height: 380 };
    Some(figure(&head, grid, &panels, |canvas, panel, cell| {
        let words = Words {
            title: panel.title.clone(),
            note: "as the workload defines them".to_owned(),
            simulated: scene.any_simulated(),
            ..Words::default()
        };
        paint(canvas, cell, &words, &panel.scores, &looks);
    }))
}

fn value(
    series: &[Series<'_>],
    place: usize,
    load: LoadPoint,
    name: &str,
    scored: &[Scored],
) -> Option<Value> {
    let own = &series[place];
    let workload = &own.rows().first()?.workload;
    let over_items = scored.iter().find(|s| {
        s.name == name
            && s.place.load == load
            && s.place.workload == *workload
            && s.place.among(series) == Some(place)
    });
    let repeats = own.spread(load, |r| r.scores.get(name).copied())?;
    Some(match over_items.and_then(|s| Some((s.mean, s.interval?))) {
        Some((mean, [low, high])) => Value { spread: Spread { mean, low, high }, interval: true },
        None => Value { spread: repeats, interval: false },
    })
}

/// Scores between 0 and 1 together; each other score has a scale of its own.
fn panels(values: Vec<(String, Vec<Option<Value>>)>) -> Vec<Panel> {
    let unit = |v: &[Option<Value>]| v.iter().flatten().all(|v| (0.0..=1.0).contains(&v.spread.mean));
    let (shares, others): (Vec<_>, Vec<_>) = values.into_iter().partition(|(_, v)| unit(v));
    let mut panels = Vec::new();
    if !shares.is_empty() {
        panels.push(Panel { title: "Mean score (0 to 1)".to_owned(), scores: shares });
    }
    panels.extend(
        others
            .into_iter()
            .map(|(name, v)| Panel { title: format!("Mean score: {name}"), scores: vec![(name, v)] }),
    );
    panels
}

fn paint(
    canvas: &mut Canvas<'_>,
    cell: Cell,
    words: &Words,
    scores: &[(String, Vec<Option<Value>>)],
    looks: &[Look],
) {
    let plot = Plot::of(cell);
    let all: Vec<f64> = scores
        .iter()
        .flat_map(|(_, v)| v.iter().flatten())
        .flat_map(|v| [v.spread.low, v.spread.high])
        .collect();
    let axis = Axis::linear(&all, plot.bottom, plot.top + 16.0);
    ground(canvas, cell, words, Some(&axis));
    let group = (plot.right - plot.left) / scores.len().max(1) as f64;
    let slot = (group * 0.84 / looks.len().max(1) as f64).min(90.0);
    let widest = scores
        .iter()
        .flat_map(|(_, v)| v.iter().flatten())
        .map(|v| width(&digits(v.spread.mean), TICK, Face::Regular));
    let labelled = widest.fold(0.0, f64::max) <= slot - 2.0;
    for (i, (name, values)) in scores.iter().enumerate() {
        let middle = plot.left + group * (i as f64 + 0.5);
        let name = fit(name, TICK, Face::Bold, group - 8.0);
        canvas.text(&name, middle, plot.bottom + 19.0, bold(TICK, INK, Anchor::Middle));
        for (place, value) in values.iter().enumerate() {
            let at = middle + slot * (place as f64 + 0.5 - looks.len() as f64 / 2.0);
            let Some(Value { spread, .. }) = value else {
                canvas.text(NOTHING, at, axis.place(0.0) - 6.0, plain(TICK, MUTED, Anchor::Middle));
                continue;
            };
            paint_bar(canvas, &axis, &Bar { middle: at, width: slot * 0.86 }, spread, looks[place].colour);
            let base = axis.place(0.0);
            if base - axis.place(spread.mean) < LOW && spread.high > spread.mean {
                // Above the whisker it would be taken for the whisker's end.
                let style = plain(TICK, INK, Anchor::End);
                canvas.text(&digits(spread.mean), at - 8.0, axis.place(spread.mean).min(base) - 4.0, style);
            } else if labelled {
                value_label(canvas, at, axis.place(spread.high).min(base) - 6.0, spread.mean);
            }
        }
    }
    watermark(canvas, cell, words, 0.09);
}
