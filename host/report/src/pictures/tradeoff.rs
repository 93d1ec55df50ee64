//! What one gives up for the other: throughput of the server against the speed that a user sees, the front marked.

use benchhost_model::{LoadPoint, SummaryRow};

use super::axis::Axis;
use super::canvas::Canvas;
use super::each::each_kind_of_load;
use super::frame::{Cell, Entry, Grid, Sign, figure};
use super::labels::Labels;
use super::look::{INK, Look, MUTED, Mark, hollow, looks, mark};
use super::panel::{Plot, Words, ground, ruler, watermark};
use super::{Caption, Picture, Scene, doubted};
use crate::metric::OUT_TOK_S;
use crate::numbers;
use crate::series::{LoadAxis, Trade, front, loads, series_of, trades};

/// Marks of one load that are closer than this share a label, in px.
const NEAR: f64 = 14.0;

/// One curve: points by rising load, and whether each is doubted.
type Curve = (Look, Vec<(Trade, bool)>);

/// One figure for each workload and kind of load with two points or more.
pub(super) fn tradeoffs(rows: &[&SummaryRow], caption: &Caption) -> Vec<Picture> {
    each_kind_of_load(rows, "tradeoff", |rows| one(rows, caption))
}

fn one(rows: &[&SummaryRow], caption: &Caption) -> Option<super::Svg> {
    let series = series_of(rows);
    let looks = looks(&series, &caption.colours);
    let curves: Vec<Curve> = series
        .iter()
        .zip(&looks)
        .map(|(series, look)| {
            let points = trades(series.rows());
            (*look, points.into_iter().map(|t| (t, doubted(series.at(t.load)))).collect())
        })
        .collect();
    if curves.iter().map(|(_, points)| points.len()).sum::<usize>() < 2 {
        return None;
    }
    let scene = Scene { rows, series: &series, looks: &looks };
    let axis = LoadAxis::of(&loads(rows));
    let more = [format!("numbers at the marks: {}", axis.name.to_lowercase()), scene.doubts()];
    let mut head =
        scene.head(caption, "How much throughput for how much speed of a single user?", &more, Sign::Line);
    head.legend.push(Entry {
        label: "front: no measured point is better in both".to_owned(),
        look: Look { colour: MUTED, mark: Mark::Circle },
        sign: Sign::Dashes,
    });
    let grid = Grid { columns: 1, width: 1020, height: 470 };
    Some(figure(&head, grid, &[()], |canvas, (), cell| {
        let words = Words {
            title: OUT_TOK_S.title(),
            note: "up and to the right is better".to_owned(),
            simulated: scene.any_simulated(),
            ..Words::default()
        };
        panel(canvas, cell, &words, &curves);
    }))
}

fn panel(canvas: &mut Canvas<'_>, cell: Cell, words: &Words, curves: &[Curve]) {
    let plot = Plot::of(cell);
    let points: Vec<(f64, f64)> =
        curves.iter().flat_map(|(_, points)| points.iter().map(|(t, _)| (t.speed, t.tokens.mean))).collect();
    let x = Axis::linear(&points.iter().map(|p| p.0).collect::<Vec<_>>(), plot.left, plot.right);
    let y = Axis::linear(&points.iter().map(|p| p.1).collect::<Vec<_>>(), plot.bottom, plot.top);
    ground(canvas, cell, words, Some(&y));
    ruler(canvas, plot, &x, "Tokens a second that the median user sees");
    watermark(canvas, cell, words, 0.07);
    let place = |(speed, tokens): (f64, f64)| [x.place(speed), y.place(tokens)];
    let mut corner: Vec<[f64; 2]> = Vec::new();
    for [left, top] in front(points.clone()).into_iter().map(place) {
        // From the right: up at the speed of the point before, then left.
        if let Some([_, below]) = corner.last().copied() {
            corner.push([left, below]);
        }
        corner.push([left, top]);
    }
    canvas.dashes(&corner, MUTED, 1.6, 4.0);
    for (look, points) in curves {
        let path: Vec<[f64; 2]> = points.iter().map(|(t, _)| place((t.speed, t.tokens.mean))).collect();
        if path.len() > 1 {
            canvas.line(&path, look.colour, 2.2);
        }
    }
    let mut labels = Labels::around(plot, points.iter().copied().map(place));
    for (look, points) in curves {
        for (trade, doubted) in points {
            let draw = if *doubted { hollow } else { mark };
            draw(canvas, place((trade.speed, trade.tokens.mean)), *look);
        }
    }
    let mut written: Vec<(LoadPoint, [f64; 2])> = Vec::new();
    for (trade, _) in curves.iter().flat_map(|(_, points)| points) {
        let at = place((trade.speed, trade.tokens.mean));
        let near = |(load, [x, y]): &(LoadPoint, [f64; 2])| {
            *load == trade.load && (x - at[0]).hypot(y - at[1]) < NEAR
        };
        if !written.iter().any(near) {
            labels.put(canvas, &numbers::exact(trade.load.value()), at, false, INK);
            written.push((trade.load, at));
        }
    }
}
