//! Rates over a declared window, and two laws that tie rates, times and counts together.
//!
//! Times are integer nanoseconds from any one origin; what happens at them is not known here.

use crate::interval::OutOfRange;

/// A stretch of time that includes its start and excludes its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    start_ns: u64,
    end_ns: u64,
}

impl Window {
    /// Refuses an empty or reversed window.
    pub fn new(start_ns: u64, end_ns: u64) -> Result<Self, OutOfRange> {
        if start_ns < end_ns {
            Ok(Self { start_ns, end_ns })
        } else {
            Err(OutOfRange { what: "end of the window", value: end_ns as f64, allowed: "after its start" })
        }
    }

    /// Length in seconds, above 0.
    pub fn seconds(self) -> f64 {
        (self.end_ns - self.start_ns) as f64 / 1e9
    }

    /// Where it starts; this moment is inside.
    pub fn start_ns(self) -> u64 {
        self.start_ns
    }

    /// Where it ends; this moment is outside.
    pub fn end_ns(self) -> u64 {
        self.end_ns
    }

    /// The window cut into so many windows of equal length, up to rounding to nanoseconds. Empty for 0 parts and for
    /// more parts than the window has nanoseconds.
    pub fn parts(self, parts: usize) -> Vec<Self> {
        let (length, count) = (u128::from(self.end_ns - self.start_ns), parts as u128);
        if count > length {
            return Vec::new();
        }
        // The quotient is at most the length, which is a u64.
        let edge = |index: u128| self.start_ns + u64::try_from(length * index / count).unwrap_or(0);
        (0..count).map(|index| Self { start_ns: edge(index), end_ns: edge(index + 1) }).collect()
    }

    /// Whether the moment lies in the window.
    pub fn contains(self, at_ns: u64) -> bool {
        (self.start_ns..self.end_ns).contains(&at_ns)
    }

    /// Events inside the window, per second. Each event is a moment and the amount it counts for.
    ///
    /// ```
    /// use benchhost_stats::Window;
    ///
    /// let window = Window::new(0, 2_000_000_000)?;
    /// let events = [(0, 1), (1_999_999_999, 3), (2_000_000_000, 100)];
    /// assert_eq!(window.rate(events), 2.0);
    /// # Ok::<(), benchhost_stats::OutOfRange>(())
    /// ```
    pub fn rate(self, events: impl IntoIterator<Item = (u64, u64)>) -> f64 {
        let inside = events.into_iter().filter(|&(at_ns, _)| self.contains(at_ns));
        inside.map(|(_, amount)| amount as f64).sum::<f64>() / self.seconds()
    }
}

/// Mean number in a system: L = λ·W, arrivals per second times mean time spent in seconds (Little 1961, Operations
/// Research 9). Compare with the number observed: a gap means a bug or a window that is not stationary.
///
/// ```
/// assert_eq!(benchhost_stats::littles_law(4.0, 2.5), 10.0);
/// ```
pub fn littles_law(per_second: f64, seconds_inside: f64) -> f64 {
    per_second * seconds_inside
}

/// Throughput per second of a closed loop: X = C/(R + Z) for C clients, response time R and think time Z in seconds
/// (interactive response time law; Denning & Buzen 1978, Computing Surveys 10). Infinite when R + Z is 0.
///
/// ```
/// assert_eq!(benchhost_stats::interactive_law(8.0, 1.5, 0.5), 4.0);
/// ```
pub fn interactive_law(clients: f64, response_seconds: f64, think_seconds: f64) -> f64 {
    clients / (response_seconds + think_seconds)
}

/// |a − b| as a fraction of the larger magnitude: 0 when equal, at most 2 (opposite signs). For checking a law.
///
/// ```
/// assert_eq!(benchhost_stats::relative_gap(98.0, 100.0), 0.02);
/// ```
pub fn relative_gap(left: f64, right: f64) -> f64 {
    let larger = left.abs().max(right.abs());
    if larger == 0.0 { 0.0 } else { (left - right).abs() / larger }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_counts_and_the_end_does_not() {
        let window = Window::new(10, 20).unwrap();
        let inside: Vec<u64> = (0..30).filter(|&at_ns| window.contains(at_ns)).collect();
        assert_eq!(inside, (10..20).collect::<Vec<_>>());
        assert!(Window::new(5, 5).is_err() && Window::new(6, 5).is_err());
    }

    #[test]
    fn adjacent_windows_share_no_event_and_lose_none() {
        let events = || (0..1000_u64).map(|i| (i * 13, i % 4));
        let amount = |window: Window| window.rate(events()) * window.seconds();
        let (left, right) = (Window::new(0, 6_500).unwrap(), Window::new(6_500, 13_000).unwrap());
        let whole = Window::new(0, 13_000).unwrap();
        assert!((amount(left) + amount(right) - amount(whole)).abs() < 1e-9);
        assert!((amount(whole) - 1500.0).abs() < 1e-9);
    }

    #[test]
    fn laws_meet_a_queue_worked_by_hand() {
        // Three visits of 2, 4 and 6 s within 12 s: 0.25/s × 4 s = 1 inside on average.
        assert!((littles_law(3.0 / 12.0, 4.0) - 1.0).abs() < 1e-15);
        assert!(relative_gap(0.0, 0.0).abs() < f64::EPSILON);
        assert!((relative_gap(1.0, -1.0) - 2.0).abs() < f64::EPSILON);
    }
}
