//! Every figure of a comparison in a line of its own: the change, its interval, the margin, the verdict. One panel for each
//! workload and load.

use super::super::Svg;
use super::super::axis::Axis;
use super::super::canvas::{Anchor, Canvas};
use super::super::frame::{Cell, EDGE, Grid, figure};
use super::super::letters::{CAP_HEIGHT, Face, fit};
use super::super::look::{AXIS, INK, MUTED, TICK, bold, mark, plain};
use super::super::panel::{Plot, Words, watermark};
use super::across::across;
use super::{MARGIN, head, look_of, tones, watermarked, words};
use crate::comparison::{ChangeScale, ComparedGroup, ComparedRow, ComparisonTable};
use crate::lines::clean;
use crate::numbers::percent;

/// Groups that are drawn; a sweep has a picture of its own.
const MOST_GROUPS: usize = 12;
/// Height of a line.
const LINE: u32 = 24;
/// Room for names at the left and for verdicts at the right.
const NAMES: f64 = 138.0;
const VERDICTS: f64 = 230.0;

/// A figure that is drawn: a ratio with its change in percent.
struct Line<'a> {
    row: &'a ComparedRow,
    change: f64,
    interval: Option<(f64, f64)>,
}

fn lines(group: &ComparedGroup) -> Vec<Line<'_>> {
    let relative = group.rows.iter().filter(|r| r.scale == ChangeScale::Relative);
    let drawn = relative.filter_map(|row| {
        let change = row.change.filter(|c| c.estimate.is_finite())?;
        let interval = change.interval.filter(|(low, high)| low.is_finite() && high.is_finite());
        let interval = interval.map(|(low, high)| (low * 100.0, high * 100.0));
        Some(Line { row, change: change.estimate * 100.0, interval })
    });
    drawn.collect()
}

/// The picture; `None` where no figure has a ratio.
pub(super) fn changes(table: &ComparisonTable) -> Option<Svg> {
    let groups: Vec<(&ComparedGroup, Vec<Line<'_>>)> =
        table.groups.iter().map(|g| (g, lines(g))).filter(|(_, l)| !l.is_empty()).take(MOST_GROUPS).collect();
    let most = u32::try_from(groups.iter().map(|(_, l)| l.len()).max()?).ok()?;
    let left_out = table.groups.len() - groups.len();
    let more = if left_out > 0 { format!("{left_out} load points are not drawn") } else { String::new() };
    let head = head(
        table,
        "What changed",
        &["mark and bar: change with its 90 % interval; shaded: changes too small to matter", &more],
        tones(),
    );
    let grid = Grid { columns: 1, width: 900, height: 58 + 60 + most * LINE };
    Some(figure(&head, grid, &groups, |canvas, (group, lines), cell| {
        panel(canvas, cell, &clean(&group.heading), lines, &watermarked(table));
    }))
}

/// From left to right: as wide as the margins and estimates need, so that one wide interval does not squeeze the others.
fn axis(lines: &[Line<'_>], plot: Plot) -> Axis {
    let needed = lines.iter().map(|l| l.change.abs().max(l.row.margin * 100.0)).fold(1.0, f64::max) * 1.25;
    let ends = lines.iter().filter_map(|l| l.interval).flat_map(|(low, high)| [low, high]);
    let values: Vec<f64> = ends
        .chain(lines.iter().flat_map(|l| [l.change, l.row.margin * 100.0, -l.row.margin * 100.0]))
        .map(|v| v.clamp(-needed, needed))
        .collect();
    Axis::linear(&values, plot.left, plot.right)
}

fn panel(canvas: &mut Canvas<'_>, cell: Cell, title: &str, lines: &[Line<'_>], simulated: &Words) {
    words(canvas, cell, title, "change of the new side against the base · bold figures decide the exit code");
    let own = Plot::of(cell);
    let plot = Plot {
        left: cell.left + EDGE + NAMES,
        right: cell.left + cell.width - VERDICTS,
        bottom: own.top + lines.len() as f64 * f64::from(LINE),
        ..own
    };
    let axis = axis(lines, plot);
    for (at, line) in lines.iter().enumerate() {
        let top = plot.top + at as f64 * f64::from(LINE);
        let margin = line.row.margin * 100.0;
        let (from, to) = (axis.place(-margin), axis.place(margin));
        canvas.rect([from, top + 2.0], [to, top + f64::from(LINE) - 2.0], MARGIN, 1.0);
    }
    across(canvas, plot, &axis, "change, %");
    let zero = axis.place(0.0);
    canvas.line(&[[zero, plot.top], [zero, plot.bottom]], AXIS, 1.3);
    watermark(
        canvas,
        Cell { top: plot.top - 58.0, height: plot.bottom - plot.top + 114.0, ..cell },
        simulated,
        0.05,
    );
    for (at, line) in lines.iter().enumerate() {
        let y = plot.top + (at as f64 + 0.5) * f64::from(LINE);
        one(canvas, cell, (plot, &axis), line, y);
    }
}

fn one(canvas: &mut Canvas<'_>, cell: Cell, (plot, axis): (Plot, &Axis), line: &Line<'_>, y: f64) {
    let row = line.row;
    let look = look_of(row.tone);
    let baseline = y + CAP_HEIGHT * TICK / 2.0;
    let arrow = if row.higher_is_better { '↑' } else { '↓' };
    let name = format!("{} {arrow}", clean(&row.metric));
    let (face, style) = if row.gates {
        (Face::Bold, bold(TICK, INK, Anchor::Start))
    } else {
        (Face::Regular, plain(TICK, INK, Anchor::Start))
    };
    canvas.text(&fit(&name, TICK, face, NAMES - 8.0), cell.left + EDGE, baseline, style);
    if let Some((low, high)) = line.interval {
        let (from, to) = (axis.place(low), axis.place(high));
        canvas.line(&[[from, y], [to, y]], look.colour, 2.0);
        // An end outside the panel points there.
        for (value, x, way) in [(low, from, -1.0), (high, to, 1.0)] {
            if axis.holds(value) {
                canvas.line(&[[x, y - 4.0], [x, y + 4.0]], look.colour, 1.6);
            } else {
                canvas.line(&[[x - 6.0 * way, y - 4.0], [x, y], [x - 6.0 * way, y + 4.0]], look.colour, 1.6);
            }
        }
    }
    mark(canvas, [axis.place(line.change), y], look);
    let interval = line.interval.map_or("no interval".to_owned(), |(low, high)| {
        let bare = |v: f64| percent(v / 100.0).trim_end_matches('%').to_owned();
        format!("[{}, {}]", bare(low), bare(high))
    });
    let text = format!("{} {interval} · {}", percent(line.change / 100.0), clean(&row.verdict));
    let text = fit(&text, TICK, Face::Regular, VERDICTS - 14.0);
    canvas.text(&text, plot.right + 12.0, baseline, plain(TICK, MUTED, Anchor::Start));
}
