//! The machine's two clocks as plain nanoseconds, and the way from one to the other. Knows nothing of runs or requests.
//!
//! The kernel stamps segments with `CLOCK_REALTIME`; everything here is measured on `CLOCK_MONOTONIC`. Both run at the
//! same speed (the kernel disciplines them together), so their difference is constant until somebody sets the wall
//! clock. What is resampled is therefore not a drift but the question whether that has happened.

/// `CLOCK_MONOTONIC` in nanoseconds. Elsewhere than on Linux: nanoseconds since the first call.
#[inline]
pub fn monotonic_ns() -> u64 {
    read::monotonic()
}

/// `CLOCK_REALTIME` in nanoseconds since 1970.
#[inline]
pub fn realtime_ns() -> u64 {
    read::realtime()
}

#[cfg(target_os = "linux")]
mod read {
    use nix::time::{ClockId, clock_gettime};

    pub(super) fn monotonic() -> u64 {
        nanoseconds(ClockId::CLOCK_MONOTONIC)
    }

    pub(super) fn realtime() -> u64 {
        nanoseconds(ClockId::CLOCK_REALTIME)
    }

    /// Linux has both clocks, and neither is before its epoch.
    fn nanoseconds(clock: ClockId) -> u64 {
        clock_gettime(clock).map_or(0, super::from_timespec)
    }
}

/// A `timespec` as nanoseconds; one before the epoch is zero.
#[cfg(target_os = "linux")]
pub(crate) fn from_timespec(time: nix::sys::time::TimeSpec) -> u64 {
    let seconds = u64::try_from(time.tv_sec()).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(time.tv_nsec()).unwrap_or(0))
}

#[cfg(not(target_os = "linux"))]
mod read {
    use std::sync::OnceLock;
    use std::time::{Instant, SystemTime, UNIX_EPOCH};

    static FIRST: OnceLock<Instant> = OnceLock::new();

    pub(super) fn monotonic() -> u64 {
        u64::try_from(FIRST.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    pub(super) fn realtime() -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }
}

/// How often the difference of the clocks is looked at again, in nanoseconds.
const RESAMPLE_NS: u64 = 100_000_000;
/// Readings of which the narrowest counts: a reading is widened by an interrupt, never narrowed.
const TRIES: usize = 5;
/// A change beyond the width of both readings and this is a step of the wall clock, in nanoseconds.
const STEP_NS: u64 = 1_000;

/// The difference of the two clocks, measured by reading one between two readings of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reading {
    /// Monotonic minus realtime, in nanoseconds.
    difference: i64,
    /// Time between the outer two readings: the middle is off by half of it at most.
    width: u64,
    /// The monotonic time of it.
    at: u64,
}

impl Reading {
    fn take(monotonic: impl Fn() -> u64, realtime: impl Fn() -> u64) -> Self {
        let mut best: Option<Self> = None;
        for _ in 0..TRIES {
            let before = monotonic();
            let wall = realtime();
            let after = monotonic();
            let width = after.saturating_sub(before);
            if best.is_none_or(|best| width < best.width) {
                let difference = (before + width / 2).cast_signed().wrapping_sub(wall.cast_signed());
                best = Some(Self { difference, width, at: after });
            }
        }
        best.unwrap_or(Self { difference: 0, width: u64::MAX, at: 0 })
    }

    /// Whether this and the earlier reading are of one and the same difference.
    fn agrees(&self, earlier: &Self) -> bool {
        let allowed = STEP_NS.saturating_add(self.width / 2).saturating_add(earlier.width / 2);
        self.difference.abs_diff(earlier.difference) <= allowed
    }
}

/// The way from `CLOCK_REALTIME` to `CLOCK_MONOTONIC`. Each thread that needs one keeps its own, so none waits for
/// another.
#[derive(Debug, Clone)]
pub struct Offset {
    reading: Reading,
    steps: u64,
}

impl Offset {
    /// An offset measured now: about a microsecond of clock reads.
    pub fn measure() -> Self {
        Self { reading: Reading::take(monotonic_ns, realtime_ns), steps: 0 }
    }

    /// Looks at the clocks again if the last look is 100 ms old. `now` is a monotonic time the caller has at hand.
    #[inline]
    pub fn refresh(&mut self, now: u64) {
        if now.saturating_sub(self.reading.at) >= RESAMPLE_NS {
            self.look_again();
        }
    }

    /// Looks at the clocks again at once, as after a stamp that cannot be true.
    #[cold]
    pub fn look_again(&mut self) {
        self.accept(Reading::take(monotonic_ns, realtime_ns));
    }

    fn accept(&mut self, fresh: Reading) {
        if !fresh.agrees(&self.reading) {
            self.steps += 1;
            self.reading = fresh;
        } else if fresh.width <= self.reading.width {
            self.reading = fresh;
        } else {
            // The older one is the better measurement of the same difference.
            self.reading.at = fresh.at;
        }
    }

    /// The monotonic time of a realtime one, in nanoseconds. `None`: before the machine's start, so not a stamp of this
    /// clock's present setting.
    #[inline]
    pub fn monotonic_of(&self, realtime: u64) -> Option<u64> {
        realtime.checked_add_signed(self.reading.difference)
    }

    /// How often the wall clock was found set anew. A stamp taken between a step and the look that found it is off by
    /// the step.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The most by which a conversion is off while nobody sets the wall clock, in nanoseconds.
    pub fn residual_ns(&self) -> u64 {
        self.reading.width.div_ceil(2)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_converted_wall_time_lies_between_the_readings_around_it() {
        let offset = Offset::measure();
        for _ in 0..100 {
            let before = monotonic_ns();
            let wall = realtime_ns();
            let after = monotonic_ns();
            let at = offset.monotonic_of(wall).unwrap();
            let slack = offset.residual_ns();
            assert!(at + slack >= before && at <= after + slack, "{before} {at} {after} ± {slack}");
        }
    }

    #[test]
    fn of_several_readings_the_narrowest_counts() {
        // Each look takes 500, 40, 300, 300, 300 ns; wall time is 1000 behind.
        let widths = [500, 40, 300, 300, 300];
        let (turn, outer) = (Cell::new(0_usize), Cell::new(false));
        let monotonic = || {
            let base = 10_000 * (turn.get() as u64 + 1);
            if outer.replace(!outer.get()) {
                let width = widths[turn.get()];
                turn.set(turn.get() + 1);
                base + width
            } else {
                base
            }
        };
        let reading = Reading::take(monotonic, || 10_000 * (turn.get() as u64 + 1) - 1000 + 20);
        assert_eq!((reading.width, reading.difference), (40, 1000));
    }

    fn offset(difference: i64, width: u64) -> Offset {
        Offset { reading: Reading { difference, width, at: 0 }, steps: 0 }
    }

    #[test]
    fn a_worse_reading_of_the_same_difference_changes_nothing_but_the_time_of_the_look() {
        let mut offset = offset(5000, 50);
        offset.accept(Reading { difference: 5400, width: 2000, at: 9 });
        assert_eq!((offset.monotonic_of(1), offset.steps(), offset.reading.at), (Some(5001), 0, 9));
        offset.accept(Reading { difference: 5002, width: 40, at: 10 });
        assert_eq!((offset.monotonic_of(1), offset.residual_ns()), (Some(5003), 20));
    }

    #[test]
    fn a_step_is_counted_and_the_new_setting_taken() {
        let mut offset = offset(5000, 50);
        offset.accept(Reading { difference: 9000, width: 50, at: 1 });
        offset.accept(Reading { difference: -9000, width: 50, at: 2 });
        assert_eq!((offset.steps(), offset.monotonic_of(10_000)), (2, Some(1000)));
        assert_eq!(offset.monotonic_of(1), None, "before the machine's start");
    }

    #[test]
    fn the_clocks_are_not_looked_at_more_often_than_every_100_ms() {
        let mut offset = Offset::measure();
        let looked = offset.reading.at;
        offset.refresh(looked + RESAMPLE_NS - 1);
        assert_eq!(offset.reading.at, looked);
        offset.refresh(looked + RESAMPLE_NS);
        assert!(offset.reading.at > looked);
    }

    #[test]
    fn the_monotonic_clock_is_that_of_instants() {
        let (before, at) = (monotonic_ns(), std::time::Instant::now());
        std::thread::sleep(std::time::Duration::from_millis(2));
        let slept = u64::try_from(at.elapsed().as_nanos()).unwrap();
        assert!(monotonic_ns() - before >= slept, "both count the same nanoseconds");
    }
}
