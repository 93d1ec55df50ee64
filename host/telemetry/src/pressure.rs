//! Pressure stall information and CPU throttling: how long tasks waited for what they needed.
//!
//! It must not know what waited. Sources: the kernel's `psi.rst` (`/proc/pressure/*`, and `*.pressure` of a control group)
//! and `cgroup-v2.rst` (`cpu.stat`). Counters only grow; shares are differences over a time.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::procfile::text;

/// Time that tasks waited for one resource, since boot or since the control group was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waited {
    /// At least one task waited, nanoseconds.
    pub some_ns: Option<u64>,
    /// All tasks that were not idle waited, nanoseconds.
    pub full_ns: Option<u64>,
}

/// Pressure on the three resources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pressure {
    /// Waiting for a CPU.
    pub cpu: Waited,
    /// Waiting for memory to be reclaimed or read back.
    pub memory: Waited,
    /// Waiting for a disk.
    pub io: Waited,
}

/// How often and how long a control group's quota held its tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throttled {
    /// Periods in which the quota ran out.
    pub periods: Option<u64>,
    /// Time for which tasks were held, summed over cores, nanoseconds.
    pub time_ns: Option<u64>,
}

impl Waited {
    /// What was gained since `earlier`; `None` where one reading lacks it or a counter fell.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            some_ns: gained(self.some_ns, earlier.some_ns),
            full_ns: gained(self.full_ns, earlier.full_ns),
        }
    }

    fn read(path: &Path) -> Self {
        let content = text(path).unwrap_or_default();
        Self { some_ns: total(&content, "some "), full_ns: total(&content, "full ") }
    }
}

impl Pressure {
    /// Of the whole machine, below `root`.
    pub(crate) fn of_machine(root: &Path) -> Self {
        let of = |resource: &str| Waited::read(&root.join("proc/pressure").join(resource));
        Self { cpu: of("cpu"), memory: of("memory"), io: of("io") }
    }

    /// Of a control group (version 2) whose folder this is.
    pub(crate) fn of_group(group: &Path) -> Self {
        let of = |file: &str| Waited::read(&group.join(file));
        Self { cpu: of("cpu.pressure"), memory: of("memory.pressure"), io: of("io.pressure") }
    }

    /// What was gained since `earlier`.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            cpu: self.cpu.since(earlier.cpu),
            memory: self.memory.since(earlier.memory),
            io: self.io.since(earlier.io),
        }
    }
}

impl Throttled {
    /// Of a control group (version 2 or 1) whose folder this is. Version 2 counts microseconds, version 1 nanoseconds.
    pub(crate) fn of_group(group: &Path) -> Self {
        let content = text(&group.join("cpu.stat")).unwrap_or_default();
        let number = |key: &str| -> Option<u64> {
            let (_, value) =
                content.lines().filter_map(|line| line.split_once(' ')).find(|(name, _)| *name == key)?;
            value.trim().parse().ok()
        };
        let micros = number("throttled_usec").and_then(|time| time.checked_mul(1000));
        Self { periods: number("nr_throttled"), time_ns: micros.or_else(|| number("throttled_time")) }
    }

    /// What was gained since `earlier`.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            periods: gained(self.periods, earlier.periods),
            time_ns: gained(self.time_ns, earlier.time_ns),
        }
    }
}

/// A counter's difference; `None` where one reading lacks it or it fell.
pub(crate) fn gained(now: Option<u64>, then: Option<u64>) -> Option<u64> {
    now?.checked_sub(then?)
}

/// The `total=` of a line of pressure, which counts microseconds.
fn total(content: &str, kind: &str) -> Option<u64> {
    let line = content.lines().find_map(|line| line.strip_prefix(kind))?;
    let total: u64 =
        line.split_ascii_whitespace().find_map(|pair| pair.strip_prefix("total="))?.parse().ok()?;
    total.checked_mul(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_read_by_kind_and_nonsense_is_nothing() {
        let content = "some avg10=0.21 avg60=0.46 avg300=0.77 total=2223\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n";
        assert_eq!((total(content, "some "), total(content, "full ")), (Some(2_223_000), Some(7_000)));
        for bad in
            ["", "some", "some total=", "some total=-1", "some total=99999999999999999999", "full total=1"]
        {
            assert_eq!(total(bad, "some "), None, "{bad}");
        }
    }

    #[test]
    fn a_difference_needs_both_readings_and_a_counter_that_grew() {
        let waited = |some, full| Waited { some_ns: some, full_ns: full };
        assert_eq!(waited(Some(9), Some(3)).since(waited(Some(4), None)), waited(Some(5), None));
        assert_eq!(waited(Some(3), Some(3)).since(waited(Some(4), Some(3))), waited(None, Some(0)));
    }

    #[test]
    fn both_versions_of_control_groups_tell_how_long_they_held() {
        let folder = tempfile::tempdir().unwrap();
        let read = |content: &str| {
            std::fs::write(folder.path().join("cpu.stat"), content).unwrap();
            let throttled = Throttled::of_group(folder.path());
            (throttled.periods, throttled.time_ns)
        };
        let v2 = "usage_usec 5\nnr_periods 9\nnr_throttled 3\nthrottled_usec 40\n";
        assert_eq!(read(v2), (Some(3), Some(40_000)));
        assert_eq!(read("nr_periods 9\nnr_throttled 3\nthrottled_time 40\n"), (Some(3), Some(40)));
        assert_eq!(read("usage_usec 5\n"), (None, None));
    }
}
