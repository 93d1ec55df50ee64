//! Distribution functions: of both sides for each latency and for the gaps between events, and of the changes of single
//! prompts.

use super::super::Svg;
use super::super::axis::Axis;
use super::super::canvas::{Anchor, Canvas};
use super::super::frame::{Cell, Grid, figure};
use super::super::letters::CAP_HEIGHT;
use super::super::look::{AXIS, Look, MUTED, TICK, in_order, plain};
use super::super::panel::{Plot, Words, watermark};
use super::across::across;
use super::{head, latency_title, sides, titled, watermarked, words};
use crate::comparison::{ComparedGroup, ComparisonTable, Distributed};
use crate::numbers::{count, percent};

/// One panel: its words and its curves.
struct Panel<'a> {
    title: String,
    caption: String,
    across: String,
    curves: Vec<(&'a Distributed, Look)>,
    /// Draw a line at 0.
    from_zero: bool,
    /// Times the values.
    factor: f64,
}

/// Distributions of both sides.
pub(super) fn distributions(table: &ComparisonTable, group: &ComparedGroup) -> Option<Svg> {
    let detail = group.detail.as_ref()?;
    let of = |title: String, caption: &str, unit: &str, curves: &'_ (Distributed, Distributed)| {
        let whole = !curves.0.is_empty() && !curves.1.is_empty();
        whole.then(|| (title, caption.to_owned(), unit.to_owned()))
    };
    let requests = "share of requests up to each latency · left is better";
    let gaps = "share of gaps up to each length · left is better";
    let latencies = detail
        .latencies
        .iter()
        .map(|l| (of(latency_title(&l.metric, ""), requests, &l.unit, &l.curves), &l.curves));
    let all =
        latencies.chain([(of("Gaps between output events".into(), gaps, "ms", &detail.gaps), &detail.gaps)]);
    let panels: Vec<Panel<'_>> = all
        .filter_map(|(words, curves)| {
            let (title, caption, across) = words?;
            let curves = vec![(&curves.0, in_order(0)), (&curves.1, in_order(1))];
            Some(Panel { title, caption, across, curves, from_zero: false, factor: 1.0 })
        })
        .collect();
    let more =
        ["all runs of a side together; the slowest 0.5 % lie outside where they would squeeze the rest"];
    let head = head(table, &titled("Distributions", group), &more, sides(table));
    draw(table, &head, &panels)
}

/// Changes of single prompts.
pub(super) fn prompts(table: &ComparisonTable, group: &ComparedGroup) -> Option<Svg> {
    let detail = group.detail.as_ref()?;
    let mut panels = Vec::new();
    for latency in &detail.latencies {
        let Some(prompts) = latency.prompts.as_ref().filter(|p| p.changes.len() > 1) else { continue };
        let margin = prompts.margin * 100.0;
        panels.push(Panel {
            title: latency_title(&latency.metric, ""),
            caption: format!(
                "{} prompts: {} slower, {} faster by {margin} % or more; middle {}",
                count(prompts.pairs),
                count(prompts.slower),
                count(prompts.faster),
                percent(prompts.change)
            ),
            across: "change of the prompt, %".into(),
            curves: vec![(&prompts.changes, in_order(0))],
            from_zero: true,
            factor: 100.0,
        });
    }
    let more = [
        "share of prompts with at most this change, each prompt against itself; right of 0: slower on the new side",
    ];
    let head = head(table, &titled("Prompt by prompt", group), &more, Vec::new());
    draw(table, &head, &panels)
}

fn draw(table: &ComparisonTable, head: &super::Head, panels: &[Panel<'_>]) -> Option<Svg> {
    if panels.is_empty() {
        return None;
    }
    let columns = if panels.len() == 4 { 2 } else { 3 };
    let grid = Grid { columns, width: 460, height: 340 };
    Some(figure(head, grid, panels, |canvas, shown, cell| panel(canvas, cell, shown, &watermarked(table))))
}

/// Where the axis ends: at the highest 99.5th percentile if the rest would take more than half of it.
fn ends(panel: &Panel<'_>) -> (f64, f64) {
    let end = |values: &Distributed, share: f64| {
        values
            .iter()
            .find(|(_, s)| *s >= share)
            .or(values.last())
            .map_or(0.0, |(value, _)| value * panel.factor)
    };
    let over = |share: f64| panel.curves.iter().map(|(c, _)| end(c, share)).fold(f64::NEG_INFINITY, f64::max);
    let under = |share: f64| panel.curves.iter().map(|(c, _)| end(c, share)).fold(f64::INFINITY, f64::min);
    let (low, inner_low, inner_high, high) = (under(0.0), under(0.005), over(0.995), over(1.0));
    let width = inner_high - inner_low;
    let high = if high - inner_high > width { inner_high } else { high };
    let low = if inner_low - low > width { inner_low } else { low };
    (low, high)
}

/// Logarithmic where two decades or more are to be shown, else around the values: their distance from 0 says nothing.
fn span(low: f64, high: f64, plot: Plot) -> Axis {
    let axis = Axis::of(&[low, high], plot.left, plot.right);
    if axis.log { axis } else { Axis::around(&[low, high], plot.left, plot.right) }
}

fn panel(canvas: &mut Canvas<'_>, cell: Cell, panel: &Panel<'_>, simulated: &Words) {
    words(canvas, cell, &panel.title, &panel.caption);
    let plot = Plot::of(cell);
    let (low, high) = ends(panel);
    let axis = if panel.from_zero {
        Axis::linear(&[low, high], plot.left, plot.right)
    } else {
        span(low, high, plot)
    };
    across(canvas, plot, &axis, &panel.across);
    let y = |share: f64| plot.bottom + share * (plot.top - plot.bottom);
    for (share, label) in
        [(0.0, "0 %"), (0.25, "25 %"), (0.5, "50 %"), (0.75, "75 %"), (0.9, "90 %"), (1.0, "100 %")]
    {
        let baseline = y(share) + CAP_HEIGHT * TICK / 2.0;
        canvas.text(label, plot.left - 9.0, baseline, plain(TICK, MUTED, Anchor::End));
        canvas.line(&[[plot.left - 5.0, y(share)], [plot.left, y(share)]], AXIS, 1.0);
    }
    if panel.from_zero {
        let zero = axis.place(0.0);
        canvas.line(&[[zero, plot.top], [zero, plot.bottom]], AXIS, 1.3);
    }
    watermark(canvas, cell, simulated, 0.07);
    for (curve, look) in &panel.curves {
        let inside = curve.iter().filter(|(value, _)| (low..=high).contains(&(value * panel.factor)));
        let path: Vec<[f64; 2]> = inside.map(|(v, s)| [axis.place(v * panel.factor), y(*s)]).collect();
        if path.len() > 1 {
            canvas.line(&path, look.colour, 2.2);
        }
    }
    for (at, (curve, look)) in panel.curves.iter().enumerate() {
        // Marks at a few shares, so that colour is not the only sign.
        for share in [0.25, 0.5, 0.9] {
            let share = share + 0.03 * at as f64;
            if let Some((value, s)) = curve.iter().find(|(_, s)| *s >= share)
                && (low..=high).contains(&(value * panel.factor))
                && panel.curves.len() > 1
            {
                super::super::look::mark(canvas, [axis.place(value * panel.factor), y(*s)], *look);
            }
        }
    }
}
