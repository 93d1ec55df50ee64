//! Short texts beside marks, kept off one another and inside their panel. Knows nothing of what they say.

use super::canvas::{Anchor, Canvas, Colour};
use super::letters::{CAP_HEIGHT, Face, width};
use super::look::{TICK, bold, plain};
use super::panel::Plot;

/// Distance of a text from its mark, in px.
const APART: f64 = 8.0;

/// Left, top, right and bottom of what is taken, in px.
type Area = [f64; 4];

/// The texts of one panel.
pub(super) struct Labels {
    plot: Plot,
    taken: Vec<Area>,
}

impl Labels {
    /// None yet; `marks` are to be kept free.
    pub(super) fn around(plot: Plot, marks: impl IntoIterator<Item = [f64; 2]>) -> Self {
        let taken = marks.into_iter().map(|[x, y]| [x - 5.0, y - 5.0, x + 5.0, y + 5.0]).collect();
        Self { plot, taken }
    }

    /// Keeps the rectangle `from` `to` free as well.
    pub(super) fn keep_off(&mut self, [left, top]: [f64; 2], [right, bottom]: [f64; 2]) {
        self.taken.push([left, top, right, bottom]);
    }

    /// Keeps a line through `points` free, of stretches that run straight up or straight across.
    pub(super) fn keep_off_line(&mut self, points: &[[f64; 2]]) {
        for pair in points.windows(2) {
            let ([x, y], [to_x, to_y]) = (pair[0], pair[1]);
            let reach = 1.5;
            self.keep_off(
                [x.min(to_x) - reach, y.min(to_y) - reach],
                [x.max(to_x) + reach, y.max(to_y) + reach],
            );
        }
    }

    /// Writes `text` beside the mark at `x` and `y`, to the `left` first if so wished; leaves it out where no side is free.
    pub(super) fn put(
        &mut self,
        canvas: &mut Canvas<'_>,
        text: &str,
        at: [f64; 2],
        left: bool,
        colour: Colour,
    ) {
        let wide = width(text, TICK, Face::Bold);
        let Some(free) = self.free(wide, at, left) else { return };
        self.taken.push(free);
        canvas.text(text, free[0], free[3] - 1.0, bold(TICK, colour, Anchor::Start));
    }

    /// Writes `text` of `size` at the first of `places`, its top left corner, where it touches nothing; else at the first.
    pub(super) fn put_at(
        &mut self,
        canvas: &mut Canvas<'_>,
        text: &str,
        size: f64,
        places: &[[f64; 2]],
        colour: Colour,
    ) {
        let (wide, high) = (width(text, size, Face::Regular), CAP_HEIGHT * size + 2.0);
        let areas = places.iter().map(|[left, top]| [*left, *top, left + wide, top + high]);
        let inside = |a: &Area| a[0] >= self.plot.left && a[2] <= self.plot.right;
        let free = areas.clone().filter(inside).find(|a| self.taken.iter().all(|t| !touches(t, a)));
        let Some(area) = free.or_else(|| areas.clone().find(inside)).or_else(|| areas.clone().next()) else {
            return;
        };
        self.taken.push(area);
        canvas.text(text, area[0], area[3] - 1.0, plain(size, colour, Anchor::Start));
    }

    /// The first box of this width beside `at` that touches nothing.
    fn free(&self, wide: f64, [x, y]: [f64; 2], left: bool) -> Option<Area> {
        let high = CAP_HEIGHT * TICK + 2.0;
        let beside = |left: bool| if left { x - APART - wide } else { x + APART };
        let (first, second) = (beside(left), beside(!left));
        let middle = x - wide / 2.0;
        let (level, above, below) = (y - high / 2.0, y - APART - high, y + APART);
        let places = [
            (first, level),
            (first, above),
            (first, below),
            (middle, above),
            (middle, below),
            (second, level),
            (second, above),
            (second, below),
        ];
        let boxes = places.into_iter().map(|(left, top)| [left, top, left + wide, top + high]);
        let inside = |b: &Area| {
            b[0] >= self.plot.left
                && b[2] <= self.plot.right + 14.0
                && b[1] >= self.plot.top - 20.0
                && b[3] <= self.plot.bottom
        };
        boxes.filter(inside).find(|b| self.taken.iter().all(|t| !touches(t, b)))
    }
}

fn touches(a: &Area, b: &Area) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_touch_neither_each_other_nor_marks_and_the_rest_is_left_out() {
        let plot = Plot { left: 0.0, right: 200.0, top: 0.0, bottom: 100.0 };
        let marks: Vec<[f64; 2]> =
            (0..30_u8).map(|i| [100.0 + f64::from(i % 6), 50.0 + f64::from(i / 6)]).collect();
        let mut labels = Labels::around(plot, marks.iter().copied());
        let mut written = 0;
        for mark in &marks {
            let Some(free) = labels.free(40.0, *mark, false) else { continue };
            assert!(
                labels
                    .taken
                    .iter()
                    .all(|t| free[0] >= t[2] || t[0] >= free[2] || free[1] >= t[3] || t[1] >= free[3])
            );
            labels.taken.push(free);
            written += 1;
        }
        assert!((4..30).contains(&written), "{written}");
    }
}
