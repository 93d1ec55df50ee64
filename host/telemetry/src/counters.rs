//! Counters of the machine that tell whether others took its CPU, and what they gained between two readings.
//!
//! It must not know what ran. Everything comes from `/proc/stat` (`proc(5)`), pressure stall information and the control
//! group this process is in.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::cgroup;
use crate::pressure::{Pressure, Throttled, gained};
use crate::procfile::{text, word};

/// Counters since boot; read before and after a run, their difference is what [`HostCounters::since`] gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostCounters {
    /// CPU time of all cores in every state, ticks (`/proc/stat`, usually 100 a second and core).
    pub cpu_ticks: Option<u64>,
    /// Part of it in which a core ran something, a hypervisor's other guests not included, ticks.
    pub busy_ticks: Option<u64>,
    /// Part of it in which a hypervisor ran another guest, ticks.
    pub steal_ticks: Option<u64>,
    /// Waiting for CPU, memory and disk on the whole machine.
    pub pressure: Pressure,
    /// The same in this process's control group (version 2 only).
    pub group_pressure: Pressure,
    /// How this process's control group was held by its quota.
    pub throttled: Throttled,
}

/// What the counters gained between two readings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostPressure {
    /// Share of the machine's CPU time taken by the hypervisor for other guests, 0–1.
    pub steal_share: Option<f64>,
    /// Share of the machine's CPU time that was used, by anyone on it, 0–1.
    pub busy_share: Option<f64>,
    /// Waiting for CPU, memory and disk on the whole machine.
    pub pressure: Pressure,
    /// The same in this process's control group.
    pub group_pressure: Pressure,
    /// How this process's control group was held by its quota.
    pub throttled: Throttled,
}

impl HostCounters {
    /// Reads the counters below `root`, which is `/` except in tests.
    pub fn read(root: &Path) -> Self {
        let stat = text(&root.join("proc/stat")).unwrap_or_default();
        let cpu = stat.lines().find_map(|line| line.strip_prefix("cpu ")).unwrap_or_default();
        // user, nice, system, idle, iowait, irq, softirq, steal; guest time after them is already part of user and nice.
        let states: Option<Vec<u64>> = (0..8).map(|index| word(cpu, index)).collect();
        let sum = |chosen: &[usize]| {
            states.as_ref().map(|states| chosen.iter().map(|at| states[*at]).fold(0, u64::saturating_add))
        };
        let groups = cgroup::own_groups(root);
        Self {
            cpu_ticks: sum(&[0, 1, 2, 3, 4, 5, 6, 7]),
            busy_ticks: sum(&[0, 1, 2, 5, 6]),
            steal_ticks: sum(&[7]),
            pressure: Pressure::of_machine(root),
            group_pressure: groups.v2.as_deref().map(Pressure::of_group).unwrap_or_default(),
            throttled: groups.cpu.as_deref().map(Throttled::of_group).unwrap_or_default(),
        }
    }

    /// What was gained since `earlier`; `None` where one reading lacks it or a counter fell.
    pub fn since(&self, earlier: &Self) -> HostPressure {
        let all = gained(self.cpu_ticks, earlier.cpu_ticks).filter(|ticks| *ticks > 0);
        let share = |now, then| gained(now, then).zip(all).map(|(part, all)| part as f64 / all as f64);
        HostPressure {
            steal_share: share(self.steal_ticks, earlier.steal_ticks),
            busy_share: share(self.busy_ticks, earlier.busy_ticks),
            pressure: self.pressure.since(earlier.pressure),
            group_pressure: self.group_pressure.since(earlier.group_pressure),
            throttled: self.throttled.since(earlier.throttled),
        }
    }
}
