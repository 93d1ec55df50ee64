//! How many things were inside a system: time-weighted means over a window, and over equal parts of it.
//!
//! Knows spans of time in nanoseconds; what enters and leaves is not known here.

use crate::rate::Window;

/// Time-weighted mean number of spans that are open in the window: the sum of their overlaps with it over its length.
/// A span includes its start and excludes its end; a reversed one counts for nothing. Order does not matter.
///
/// ```
/// use benchhost_stats::{Window, mean_in_flight};
///
/// // One request for the whole second, one for its second half.
/// let window = Window::new(0, 1_000_000_000)?;
/// assert_eq!(mean_in_flight(window, [(0, 2_000_000_000), (500_000_000, 1_000_000_000)]), 1.5);
/// # Ok::<(), benchhost_stats::OutOfRange>(())
/// ```
pub fn mean_in_flight(window: Window, spans: impl IntoIterator<Item = (u64, u64)>) -> f64 {
    let inside: u128 = spans.into_iter().map(|span| u128::from(overlap(window, span))).sum();
    inside as f64 / (window.end_ns() - window.start_ns()) as f64
}

/// The same for each of `parts` equal parts of the window, in order. Linear in spans plus parts, however long the
/// spans are. With 0 parts, or a window of fewer nanoseconds than parts, there is nothing to say: empty.
///
/// ```
/// use benchhost_stats::{Window, in_flight_means};
///
/// let window = Window::new(0, 40)?;
/// assert_eq!(in_flight_means(window, 4, [(0, 40), (15, 30)]), [1.0, 1.5, 2.0, 1.0]);
/// # Ok::<(), benchhost_stats::OutOfRange>(())
/// ```
pub fn in_flight_means(
    window: Window,
    parts: usize,
    spans: impl IntoIterator<Item = (u64, u64)>,
) -> Vec<f64> {
    let windows = window.parts(parts);
    // `partial` takes the two parts in which a span starts and ends; `steps` says where whole parts begin and cease.
    let mut partial = vec![0_u128; windows.len()];
    let mut steps = vec![0_i64; windows.len() + 1];
    let part_of = |at: u64| windows.partition_point(|part| part.end_ns() <= at);
    for (start, end) in spans {
        let (start, end) = (start.max(window.start_ns()), end.min(window.end_ns()));
        if start >= end || windows.is_empty() {
            continue;
        }
        let (first, last) = (part_of(start), part_of(end - 1));
        partial[first] += u128::from(overlap(windows[first], (start, end)));
        if last > first {
            partial[last] += u128::from(overlap(windows[last], (start, end)));
            steps[first + 1] += 1;
            steps[last] -= 1;
        }
    }
    let mut whole = 0;
    let means = windows.iter().zip(&partial).zip(&steps).map(|((part, &partial), step)| {
        whole += step;
        whole as f64 + partial as f64 / (part.end_ns() - part.start_ns()) as f64
    });
    means.collect()
}

/// Most spans open at one moment inside the window. Takes n log n.
///
/// ```
/// use benchhost_stats::{Window, peak_in_flight};
///
/// assert_eq!(peak_in_flight(Window::new(0, 100)?, [(0, 10), (5, 20), (10, 30), (90, 200)]), 2);
/// # Ok::<(), benchhost_stats::OutOfRange>(())
/// ```
pub fn peak_in_flight(window: Window, spans: impl IntoIterator<Item = (u64, u64)>) -> usize {
    let (mut starts, mut ends) = (Vec::new(), Vec::new());
    for (start, end) in spans {
        if overlap(window, (start, end)) > 0 {
            starts.push(start);
            ends.push(end);
        }
    }
    starts.sort_unstable();
    ends.sort_unstable();
    let (mut ended, mut most) = (0, 0);
    for (started, &start) in starts.iter().enumerate() {
        while ends[ended] <= start {
            ended += 1;
        }
        most = most.max(started + 1 - ended);
    }
    most
}

/// Time-weighted mean over the window of a value that keeps its level between changes, for example a gauge.
///
/// `changes` are moments with the level from then on, in rising order of time. Time before the first change has no
/// level and does not count; `None` if that is the whole window.
///
/// ```
/// use benchhost_stats::{Window, time_weighted_mean};
///
/// let window = Window::new(10, 20)?;
/// assert_eq!(time_weighted_mean(window, [(0, 4.0), (15, 8.0), (30, 99.0)]), Some(6.0));
/// assert_eq!(time_weighted_mean(window, [(20, 1.0)]), None);
/// # Ok::<(), benchhost_stats::OutOfRange>(())
/// ```
pub fn time_weighted_mean(window: Window, changes: impl IntoIterator<Item = (u64, f64)>) -> Option<f64> {
    let (mut area, mut length) = (0.0, 0.0);
    let mut add = |from: u64, to: u64, level: f64| {
        let held = overlap(window, (from, to)) as f64;
        area += held * level;
        length += held;
    };
    let mut current: Option<(u64, f64)> = None;
    for (at, level) in changes {
        if let Some((since, held)) = current {
            add(since, at, held);
        }
        current = Some((at, level));
    }
    if let Some((since, held)) = current {
        add(since, u64::MAX, held);
    }
    (length > 0.0).then(|| area / length)
}

/// Nanoseconds that the span spends in the window.
fn overlap(window: Window, (start, end): (u64, u64)) -> u64 {
    end.min(window.end_ns()).saturating_sub(start.max(window.start_ns()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(start: u64, end: u64) -> Window {
        Window::new(start, end).unwrap()
    }

    /// Spans of many lengths and places, some outside, some reversed.
    fn spans() -> Vec<(u64, u64)> {
        (0..500_u64).map(|i| (i * 7919 % 2500, i * 7919 % 2500 + i * 31 % 900)).chain([(900, 100)]).collect()
    }

    #[test]
    fn parts_average_to_the_whole_and_equal_the_slow_way() {
        for parts in [1, 2, 7, 10, 1000] {
            let whole = window(500, 2000);
            let got = in_flight_means(whole, parts, spans());
            let slow: Vec<f64> =
                whole.parts(parts).into_iter().map(|part| mean_in_flight(part, spans())).collect();
            assert_eq!(got.len(), parts);
            assert!(got.iter().zip(&slow).all(|(g, s)| (g - s).abs() < 1e-9), "{got:?} {slow:?}");
        }
        let ten = in_flight_means(window(500, 2000), 10, spans());
        assert!((ten.iter().sum::<f64>() / 10.0 - mean_in_flight(window(500, 2000), spans())).abs() < 1e-9);
    }

    #[test]
    fn the_peak_equals_counting_at_every_start() {
        let open_at = |at: u64| spans().iter().filter(|(start, end)| *start <= at && at < *end).count();
        let most = (500..2000).map(open_at).max().unwrap();
        assert_eq!(peak_in_flight(window(500, 2000), spans()), most);
        assert_eq!(peak_in_flight(window(0, 5), []), 0);
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        let all = window(0, u64::MAX);
        let full = vec![(0, u64::MAX); 100];
        assert!((mean_in_flight(all, full.clone()) - 100.0).abs() < 1e-9);
        assert!((in_flight_means(all, 3, full)[1] - 100.0).abs() < 1e-9);
        assert_eq!(time_weighted_mean(all, [(0, 2.0)]), Some(2.0));
        assert!(
            in_flight_means(window(0, 3), 4, [(0, 3)]).is_empty() && in_flight_means(all, 0, []).is_empty()
        );
    }
}
