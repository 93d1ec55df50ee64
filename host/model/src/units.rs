//! Time as integer nanoseconds. The only place that knows how many nanoseconds a millisecond has.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Nanoseconds in a millisecond.
pub const NS_PER_MS: f64 = 1_000_000.0;

/// A point on the run's monotonic clock, in nanoseconds since the run's epoch.
///
/// A `u64` of nanoseconds holds 584 years, so no arithmetic here can overflow within a run; subtraction saturates at
/// zero because two stamps of one request can come from clocks that differ by a few hundred nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nanos(u64);

impl Nanos {
    /// The run's epoch.
    pub const ZERO: Self = Self(0);

    /// A point `ns` nanoseconds after the epoch.
    pub const fn new(ns: u64) -> Self {
        Self(ns)
    }

    /// Nanoseconds since the epoch.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Milliseconds since `earlier`, never negative.
    pub fn ms_since(self, earlier: Self) -> f64 {
        (self - earlier).as_ms()
    }

    /// This span in milliseconds, for people and for columns that end in `_ms`.
    pub fn as_ms(self) -> f64 {
        self.0 as f64 / NS_PER_MS
    }

    /// This span in seconds.
    pub fn as_secs(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl From<Duration> for Nanos {
    fn from(duration: Duration) -> Self {
        Self(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl From<Nanos> for Duration {
    fn from(nanos: Nanos) -> Self {
        Duration::from_nanos(nanos.0)
    }
}

impl Add for Nanos {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Nanos {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ns", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_never_goes_below_zero() {
        assert_eq!(Nanos::new(3) - Nanos::new(5), Nanos::ZERO);
        assert!((Nanos::new(2_500_000).ms_since(Nanos::new(1_000_000)) - 1.5).abs() < 1e-12);
    }
}
