//! The axis along the bottom of a panel whose values run from left to right. Knows pixels and numbers.

use super::super::axis::Axis;
use super::super::canvas::{Anchor, Canvas};
use super::super::letters::{Face, fit, width};
use super::super::look::{AXIS, CAPTION, INK, MUTED, TICK, plain};
use super::super::panel::{Plot, ruler};

/// Grid lines, ticks and labels of `axis`, whose pixels run from left to right, and its title below.
pub(super) fn across(canvas: &mut Canvas<'_>, plot: Plot, axis: &Axis, title: &str) {
    let title = if axis.log { format!("{title} · log scale") } else { title.to_owned() };
    ruler(canvas, plot, axis, &title);
    canvas.line(&[[plot.left, plot.bottom], [plot.right, plot.bottom]], AXIS, 1.3);
}

/// Labels below their places, those that touch one before them left out, and a title.
pub(super) fn labels(canvas: &mut Canvas<'_>, plot: Plot, ticks: &[(f64, &str)], title: &str) {
    let mut taken = f64::NEG_INFINITY;
    for (x, label) in ticks {
        let half = width(label, TICK, Face::Regular) / 2.0 + 3.0;
        canvas.line(&[[*x, plot.bottom], [*x, plot.bottom + 5.0]], AXIS, 1.3);
        if x - half >= taken {
            taken = x + half;
            canvas.text(label, *x, plot.bottom + 18.0, plain(TICK, MUTED, Anchor::Middle));
        }
    }
    let title = fit(title, CAPTION, Face::Regular, plot.right - plot.left);
    canvas.text(&title, plot.middle(), plot.bottom + 38.0, plain(CAPTION, INK, Anchor::Middle));
}
