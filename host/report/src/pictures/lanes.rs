//! Single requests of one load point as lanes: waiting, prefill, decode, and what went wrong.

use benchhost_model::SummaryRow;

use super::axis::Axis;
use super::canvas::{Canvas, Colour};
use super::each::each_workload;
use super::frame::{Cell, Entry, Grid, Sign, figure};
use super::look::{ALERT, AXIS, Look, Mark, looks};
use super::panel::{Plot, Words, ground, ruler, watermark};
use super::{Caption, Picture, Scene, load_of, shared_load};
use crate::series::{Lane, Lanes, series_of};

/// Configurations in one figure.
const MOST: usize = 4;
const WAITING: Colour = Colour(150, 156, 164);
const PREFILL: Colour = Colour(230, 159, 0);
const DECODE: Colour = Colour(0, 114, 178);

/// One panel: a configuration and its requests.
struct Shown<'a> {
    label: &'a str,
    lanes: &'a [Lane],
}

/// One figure a workload, at the load that most configurations share.
pub(super) fn lanes(rows: &[&SummaryRow], all: &[Lanes], caption: &Caption) -> Vec<Picture> {
    each_workload(rows, "requests", |rows| {
        let of = |l: &&Lanes| rows.iter().any(|r| r.workload == l.place.workload) && l.any_sent();
        one(rows, &all.iter().filter(of).collect::<Vec<_>>(), caption)
    })
}

fn one(rows: &[&SummaryRow], lanes: &[&Lanes], caption: &Caption) -> Option<super::Svg> {
    let sent: Vec<&SummaryRow> =
        rows.iter().copied().filter(|r| lanes.iter().any(|l| l.place.load == r.load)).collect();
    let series = series_of(&sent);
    let load = shared_load(&sent, &series)?;
    let looks = looks(&series, &caption.colours);
    let scene = Scene { rows: &sent, series: &series, looks: &looks };
    let of = |place: usize| {
        lanes
            .iter()
            .find(|l| l.place.load == load && l.place.among(&series) == Some(place))
            .map(|l| l.lanes.as_slice())
    };
    let shown: Vec<Shown<'_>> = series
        .iter()
        .enumerate()
        .filter_map(|(i, s)| Some(Shown { label: &s.label, lanes: of(i)?.get(..Lanes::MOST).or(of(i))? }))
        .take(MOST)
        .collect();
    let most = shown.iter().map(|s| s.lanes.len()).max()?;
    let until = shown.iter().flat_map(|s| s.lanes).flat_map(|l| [l.last_s, l.first_s, l.sent_s]).flatten();
    let until = until.filter(|t| t.is_finite()).fold(0.0, f64::max);
    let more = [
        load_of(rows, load),
        format!("the first {most} measured requests of one run, in the order they were due"),
        if series.len() > MOST {
            format!("{MOST} of {} configurations", series.len())
        } else {
            String::new()
        },
    ];
    let title = format!("When did single requests wait, begin and end at {}?", load_of(rows, load));
    let mut head = scene.head(caption, &title, &more, Sign::Swatch);
    head.legend = legend(&shown);
    let columns = if shown.len() > 1 { 2 } else { 1 };
    let grid =
        Grid { columns, width: 1020 / columns, height: 118 + 7 * u32::try_from(most.max(20)).unwrap_or(60) };
    Some(figure(&head, grid, &shown, |canvas, shown, cell| {
        let words = Words {
            title: shown.label.to_owned(),
            note: "one line a request".to_owned(),
            simulated: scene.any_simulated(),
            ..Words::default()
        };
        panel(canvas, cell, &words, shown.lanes, (most, until));
    }))
}

fn legend(shown: &[Shown<'_>]) -> Vec<Entry> {
    let entry = |label: &str, colour, sign| Entry {
        label: label.to_owned(),
        look: Look { colour, mark: Mark::Circle },
        sign,
    };
    let mut legend = vec![
        entry("due, not yet sent", WAITING, Sign::Swatch),
        entry("to the first token: queue and prefill", PREFILL, Sign::Swatch),
        entry("to the last token: decode", DECODE, Sign::Swatch),
    ];
    if shown.iter().flat_map(|s| s.lanes).any(|l| !l.wrong.is_empty()) {
        legend.push(entry("failed, cut off or never sent", ALERT, Sign::Cross));
    }
    legend
}

fn panel(canvas: &mut Canvas<'_>, cell: Cell, words: &Words, lanes: &[Lane], (most, until): (usize, f64)) {
    let plot = Plot { left: cell.left + 26.0, ..Plot::of(cell) };
    let x = Axis::linear(&[until], plot.left, plot.right);
    ground(canvas, cell, words, Some(&Axis::bare(plot.bottom)));
    canvas.line(&[[plot.left, plot.bottom], [plot.right, plot.bottom]], AXIS, 1.3);
    ruler(canvas, plot, &x, "Seconds from when the first of them was due");
    let high = (plot.bottom - plot.top) / most.max(20) as f64;
    for (i, lane) in lanes.iter().enumerate() {
        let middle = plot.top + high * (i as f64 + 0.5);
        one_lane(canvas, &x, lane, middle, (0.36 * high).min(5.0));
    }
    // Over the lanes, which would hide it.
    watermark(canvas, cell, words, 0.1);
}

/// The stretches of one request around `middle`, `half` px to each side.
fn one_lane(canvas: &mut Canvas<'_>, x: &Axis, lane: &Lane, middle: f64, half: f64) {
    let stretches = [
        (Some(lane.due_s), lane.sent_s, WAITING),
        (lane.sent_s, lane.first_s, PREFILL),
        (lane.first_s, lane.last_s, DECODE),
    ];
    for (from, to, colour) in stretches {
        if let (Some(from), Some(to)) = (from, to.or(lane.last_s)) {
            let (left, right) = (x.place(from), x.place(to));
            if right - left > 0.05 {
                canvas.rect([left, middle - half], [right, middle + half], colour, 1.0);
            }
        }
    }
    if !lane.wrong.is_empty() {
        let end = [lane.last_s, lane.first_s, lane.sent_s].into_iter().flatten().next().unwrap_or(lane.due_s);
        canvas.cross([x.place(end), middle], half.max(2.5), ALERT, 1.6);
    }
}
