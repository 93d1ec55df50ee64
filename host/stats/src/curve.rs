//! What a curve over a swept parameter shows: gains, dents, the point where two curves part, its shape.
//!
//! Knows points with intervals; neither what is swept nor what is measured.

use crate::interval::Interval;

/// Gain per doubling, from 1 on average, above which a curve counts as linear.
const LINEAR: f64 = 0.8;
/// Gain per doubling below which the end of a curve counts as a plateau.
const FLAT: f64 = 0.1;

/// One point of a curve: where, how much, and between which bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvePoint {
    /// The swept parameter, above 0.
    pub x: f64,
    /// The figure.
    pub y: f64,
    /// Its interval over repeats, where there is one.
    pub interval: Option<Interval>,
}

/// What one step along a curve brings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gain {
    /// Parameter before the step.
    pub from: f64,
    /// Parameter after it.
    pub to: f64,
    /// Relative gain per doubling of the parameter: 1 if the figure doubles with it, 0 if it stays, negative if it
    /// falls.
    pub per_doubling: f64,
}

/// The gain of each step between neighbours, in rising order of x. Points whose x or y is not above 0 and steps without
/// length are left out.
///
/// ```
/// use benchhost_stats::{CurvePoint, gains};
///
/// let at = |x, y| CurvePoint { x, y, interval: None };
/// let steps = gains(&[at(1.0, 10.0), at(2.0, 20.0), at(8.0, 20.0)]);
/// assert_eq!((steps[0].per_doubling, steps[1].per_doubling), (1.0, 0.0));
/// ```
pub fn gains(points: &[CurvePoint]) -> Vec<Gain> {
    let sorted = by_x(points, |point| point.x > 0.0 && point.y > 0.0);
    let steps = sorted.windows(2).filter(|pair| pair[0].x < pair[1].x).map(|pair| {
        let doublings = (pair[1].x / pair[0].x).log2();
        let per_doubling = (pair[1].y / pair[0].y).powf(doublings.recip()) - 1.0;
        Gain { from: pair[0].x, to: pair[1].x, per_doubling }
    });
    steps.collect()
}

/// The first step whose gain per doubling is below `share` (0.5 is usual).
pub fn first_below(gains: &[Gain], share: f64) -> Option<Gain> {
    gains.iter().copied().find(|gain| gain.per_doubling < share)
}

/// Points that stand out against the run of the curve: their figure is above both neighbours or below both, and their
/// interval overlaps neither neighbour's. Positions in rising order of x, as (x, y). Points without an interval prove
/// nothing.
///
/// ```
/// use benchhost_stats::{Confidence, CurvePoint, Interval, dents};
///
/// let at = |x, y| {
///     let interval = Interval { low: y - 1.0, high: y + 1.0, confidence: Confidence::P95 };
///     CurvePoint { x, y, interval: Some(interval) }
/// };
/// let found = dents(&[at(1.0, 10.0), at(2.0, 15.0), at(4.0, 12.0), at(8.0, 20.0)]);
/// assert_eq!(found, [(2.0, 15.0), (4.0, 12.0)]);
/// ```
pub fn dents(points: &[CurvePoint]) -> Vec<(f64, f64)> {
    let sorted = by_x(points, |_| true);
    let apart = |left: &CurvePoint, right: &CurvePoint| match (left.interval, right.interval) {
        (Some(left), Some(right)) => disjoint(&left, &right),
        _ => false,
    };
    let found = sorted.windows(3).filter(|three| {
        let [before, here, after] = three else { return false };
        let turns = (here.y - before.y) * (after.y - here.y) < 0.0;
        turns && apart(before, here) && apart(here, after)
    });
    found.map(|three| (three[1].x, three[1].y)).collect()
}

/// The smallest x, present in both curves, at which the intervals of the two are apart; they may meet again beyond it.
/// `None` if they overlap wherever both are known.
pub fn first_separation(left: &[CurvePoint], right: &[CurvePoint]) -> Option<f64> {
    let sorted = by_x(right, |_| true);
    by_x(left, |_| true).into_iter().find_map(|point| {
        let other = sorted.iter().find(|other| other.x.total_cmp(&point.x).is_eq())?;
        disjoint(&point.interval?, &other.interval?).then_some(point.x)
    })
}

/// How a curve runs as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Every step gains at least 80 % per doubling.
    Linear,
    /// The last step gains less than 10 % per doubling and loses no more than 10 %.
    Plateau,
    /// The last step loses more than 10 % per doubling.
    Falling,
    /// It still gains, less than in proportion.
    Bending,
    /// Fewer than three points.
    Unknown,
}

/// The shape told by the gains of the steps.
pub fn shape(gains: &[Gain]) -> Shape {
    let Some(last) = gains.last().filter(|_| gains.len() > 1) else {
        return Shape::Unknown;
    };
    if gains.iter().all(|gain| gain.per_doubling >= LINEAR) {
        Shape::Linear
    } else if last.per_doubling < -FLAT {
        Shape::Falling
    } else if last.per_doubling < FLAT {
        Shape::Plateau
    } else {
        Shape::Bending
    }
}

fn disjoint(left: &Interval, right: &Interval) -> bool {
    left.high < right.low || right.high < left.low
}

fn by_x(points: &[CurvePoint], usable: impl Fn(&CurvePoint) -> bool) -> Vec<CurvePoint> {
    let mut sorted: Vec<CurvePoint> =
        points.iter().copied().filter(|p| p.x.is_finite() && p.y.is_finite() && usable(p)).collect();
    sorted.sort_by(|left, right| left.x.total_cmp(&right.x));
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Confidence;

    fn curve(y: impl Fn(f64) -> f64, half: f64) -> Vec<CurvePoint> {
        [64.0, 1.0, 2.0, 4.0, 32.0, 8.0, 16.0]
            .map(|x| {
                let interval = Interval { low: y(x) - half, high: y(x) + half, confidence: Confidence::P95 };
                CurvePoint { x, y: y(x), interval: Some(interval) }
            })
            .to_vec()
    }

    #[test]
    fn curves_of_known_shape_are_named() {
        let named = |y: fn(f64) -> f64| shape(&gains(&curve(y, 0.0)));
        assert_eq!(named(|x| 3.0 * x), Shape::Linear);
        assert_eq!(named(|x| 100.0 * x / (x + 2.0)), Shape::Plateau);
        assert_eq!(named(f64::sqrt), Shape::Bending);
        assert_eq!(named(|x| x.min(1000.0 / (x * x))), Shape::Falling);
        assert_eq!(shape(&gains(&curve(|x| x, 0.0)[..2])), Shape::Unknown);
    }

    #[test]
    fn the_bend_is_where_a_doubling_stops_paying() {
        // x/(x + 8): the gain of the step from x is 8/(2x + 8), below one half from x = 4 on.
        let steps = gains(&curve(|x| x / (x + 8.0), 0.0));
        assert!((first_below(&steps, 0.49).unwrap().from - 8.0).abs() < 1e-9);
        assert_eq!(first_below(&steps, -1.0), None);
    }

    #[test]
    fn dents_within_the_noise_are_none() {
        let dented = |x: f64| if (x - 8.0).abs() < 0.1 { 6.0 } else { x };
        assert!(dents(&curve(dented, 0.5)).is_empty(), "6 between 4 and 16 is no dent");
        let deep = |x: f64| if (x - 8.0).abs() < 0.1 { 2.0 } else { x };
        assert_eq!(dents(&curve(deep, 0.5)), [(4.0, 4.0), (8.0, 2.0)]);
        assert!(dents(&curve(deep, 3.0)).is_empty());
    }

    #[test]
    fn curves_part_where_their_intervals_do() {
        let (slow, fast) = (curve(|x| x.min(20.0), 1.0), curve(|x| x, 1.0));
        assert_eq!(first_separation(&slow, &fast), Some(32.0));
        assert_eq!(first_separation(&slow, &slow), None);
        assert_eq!(first_separation(&slow, &[]), None);
    }
}
