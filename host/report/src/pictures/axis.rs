//! Axes: from values to pixels, with ticks at numbers people count in. Knows nothing of drawing.

use crate::numbers;

/// A range wider than this factor, all above 0, is drawn on a logarithmic axis.
const LOG_FROM: f64 = 100.0;

/// A vertical axis.
#[derive(Debug)]
pub(super) struct Axis {
    /// Logarithmic; the picture must say so.
    pub(super) log: bool,
    low: f64,
    high: f64,
    /// Pixel of `low`.
    bottom: f64,
    /// Pixel of `high`.
    top: f64,
    /// Values and their labels.
    pub(super) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// An axis that holds all of `values`: from 0, or logarithmic when they span more than two decades.
    pub(super) fn of(values: &[f64], bottom: f64, top: f64) -> Self {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if low > 0.0 && high / low > LOG_FROM {
            Self::logarithmic(low, high, bottom, top)
        } else {
            Self::linear(values, bottom, top)
        }
    }

    /// An axis without values or ticks, for panels that draw their own.
    pub(super) fn bare(bottom: f64) -> Self {
        Self { ticks: Vec::new(), ..Self::linear(&[], bottom, bottom) }
    }

    /// An axis from a round number below the lowest value to one above the highest: for values whose distance from 0 says
    /// nothing. From 0 when they reach near it.
    pub(super) fn around(values: &[f64], bottom: f64, top: f64) -> Self {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let span = high - low;
        if !(span > 0.0 && span.is_finite()) || low < span {
            return Self::linear(values, bottom, top);
        }
        let step = round_step(span / 5.0);
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        let places = (0..=12).map(|k| first + f64::from(k)).take_while(|k| *k <= last);
        let values: Vec<f64> = places.map(|k| k * step).collect();
        let ticks = values.iter().copied().zip(numbers::ticks(&values)).collect();
        Self { log: false, low: first * step, high: last * step, bottom, top, ticks }
    }

    /// An axis from 0 (or the lowest value, if that is below) to a round number above the highest.
    pub(super) fn linear(values: &[f64], bottom: f64, top: f64) -> Self {
        let low = values.iter().copied().fold(0.0, f64::min);
        let high = values.iter().copied().fold(0.0, f64::max);
        let span = high - low;
        let step = if span > 0.0 && span.is_finite() { round_step(span / 5.0) } else { 1.0 };
        let (first, last) = ((low / step).floor(), (high / step).ceil().max((low / step).floor() + 1.0));
        let places: Vec<f64> = (0..=12).map(|k| first + f64::from(k)).take_while(|k| *k <= last).collect();
        let values: Vec<f64> = places.iter().map(|k| k * step).collect();
        let ticks = values.iter().copied().zip(numbers::ticks(&values)).collect();
        Self { log: false, low: first * step, high: last * step, bottom, top, ticks }
    }

    /// Ticks at 1, 2 and 5 in each decade; at powers of ten when there are more than three. `low` is above 0.
    pub(super) fn logarithmic(low: f64, high: f64, bottom: f64, top: f64) -> Self {
        let (first, last) = (low.log10().floor(), high.log10().ceil());
        let decades = last - first;
        let digits: &[f64] = if decades > 3.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let every = (decades / 8.0).ceil().max(1.0);
        let mut values = Vec::new();
        let mut exponent = first;
        while exponent <= last {
            values.extend(digits.iter().map(|d| d * 10_f64.powf(exponent)));
            exponent += every;
        }
        let start = values.iter().copied().filter(|v| *v <= low).fold(f64::NEG_INFINITY, f64::max);
        let end = values.iter().copied().filter(|v| *v >= high).fold(f64::INFINITY, f64::min);
        let (low, high) = (
            if start.is_finite() && start > 0.0 { start } else { low },
            if end.is_finite() { end } else { high },
        );
        values.retain(|v| (low..=high).contains(v));
        let ticks = values.into_iter().map(|v| (v, log_label(v))).collect();
        Self { log: true, low, high, bottom, top, ticks }
    }

    /// Whether `value` lies on it.
    pub(super) fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// The pixel of `value`.
    pub(super) fn place(&self, value: f64) -> f64 {
        let share = if self.log {
            (value.ln() - self.low.ln()) / (self.high.ln() - self.low.ln())
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.bottom + share.clamp(0.0, 1.0) * (self.top - self.bottom)
    }
}

/// A tick that is one digit and zeros, without decimals that say nothing.
fn log_label(value: f64) -> String {
    if (0.001..100_000.0).contains(&value) {
        // One digit and zeros, so rounding to twelve places only removes what powf left over.
        numbers::exact((value * 1e6).round() / 1e6)
    } else {
        let text = numbers::figure(value);
        text.replacen(".00", "", 1).replacen(".0", "", 1)
    }
}

/// 1, 2, 2.5 or 5 times a power of ten, not below `raw`.
fn round_step(raw: f64) -> f64 {
    let decade = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0].into_iter().map(|m| m * decade).find(|s| *s >= raw * 0.999);
    step.unwrap_or(10.0 * decade)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, l)| l.as_str()).collect()
    }

    #[test]
    fn linear_axes_start_at_zero_and_end_above_the_highest() {
        let axis = Axis::of(&[40.0, 97.0], 100.0, 0.0);
        assert_eq!(labels(&axis), ["0", "20", "40", "60", "80", "100"]);
        assert!((axis.place(0.0) - 100.0).abs() < 1e-9 && (axis.place(100.0)).abs() < 1e-9);
        assert!(!axis.log);
    }

    #[test]
    fn values_far_from_zero_fill_an_axis_around_them() {
        assert_eq!(
            labels(&Axis::around(&[510.0, 598.0], 0.0, 100.0)),
            ["500", "520", "540", "560", "580", "600"]
        );
        assert_eq!(labels(&Axis::around(&[10.0, 97.0], 0.0, 100.0))[0], "0");
        for few in [vec![], vec![5.0], vec![f64::INFINITY, 1.0]] {
            assert!(!Axis::around(&few, 0.0, 100.0).ticks.is_empty(), "{few:?}");
        }
    }

    #[test]
    fn negative_scores_get_room_below_zero() {
        let axis = Axis::linear(&[-0.3, 0.4], 100.0, 0.0);
        assert!(axis.place(-0.3) < 100.0 + 1e-9 && axis.place(-0.3) > axis.place(0.0));
    }

    #[test]
    fn more_than_two_decades_are_logarithmic() {
        let axis = Axis::of(&[12.0, 2000.0], 100.0, 0.0);
        assert!(axis.log);
        assert_eq!(labels(&axis), ["10", "20", "50", "100", "200", "500", "1,000", "2,000"]);
        assert!(!Axis::of(&[12.0, 1200.0], 1.0, 0.0).log);
        assert!(!Axis::of(&[0.0, 1200.0], 1.0, 0.0).log);
    }

    #[test]
    fn extremes_have_few_distinct_ticks_and_stay_inside() {
        for values in [vec![1e-9, 1e12], vec![5e-300, 1e300], vec![1e15, 2e15], vec![1e-7], vec![0.0], vec![]]
        {
            let axis = Axis::of(&values, 300.0, 0.0);
            assert!((1..=13).contains(&axis.ticks.len()), "{values:?}: {axis:?}");
            let mut seen = labels(&axis);
            seen.dedup();
            assert_eq!(seen.len(), axis.ticks.len(), "{values:?}: {axis:?}");
            for v in values {
                let place = axis.place(v);
                assert!((0.0..=300.0).contains(&place), "{v}: {place}");
            }
        }
    }
}
