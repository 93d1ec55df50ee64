//! Facts about the machine the harness runs on, and counters that tell whether others took its CPU.
//!
//! It must not know what is measured. It reads files below a root it is given, keeps no name of the machine or its
//! users, and leaves out what it cannot read.

use std::path::Path;

use serde::{Deserialize, Serialize};

pub use crate::cgroup::CpuLimit;

use crate::cgroup;
use crate::procfile::{fact, keyed, line, list_len, text, word};

/// What the machine is. Each field is `None` when the machine does not tell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HostFacts {
    /// `PRETTY_NAME` of `os-release`.
    pub os: Option<String>,
    /// Kernel release.
    pub kernel: Option<String>,
    /// Machine architecture (kernel 6.1 and newer).
    pub architecture: Option<String>,
    /// `model name` of the first CPU; ARM kernels give none.
    pub cpu_model: Option<String>,
    /// Logical cores that are online.
    pub logical_cores: Option<u32>,
    /// Logical cores this process may run on.
    pub allowed_cores: Option<u32>,
    /// Limit of CPU time by control groups.
    pub cpu_limit: Option<CpuLimit>,
    /// Frequency governor of the first core.
    pub cpu_governor: Option<String>,
    /// Installed memory that the kernel manages, bytes.
    pub memory_bytes: Option<u64>,
    /// Memory available for new work when read, bytes.
    pub memory_available_bytes: Option<u64>,
    /// Mean number of runnable or blocked tasks over the last 1, 5 and 15 minutes when read.
    pub load_average: Option<[f64; 3]>,
    /// Clock source of the kernel; anything but `tsc` makes reading the time on x86 slow.
    pub clocksource: Option<String>,
    /// Container runtime, where it left its mark.
    pub container: Option<String>,
    /// Counters when read.
    pub counters: HostCounters,
}

impl HostFacts {
    /// Reads the facts below `root`, which is `/` except in tests.
    pub fn read(root: &Path) -> Self {
        let proc = root.join("proc");
        let cpu = root.join("sys/devices/system/cpu");
        let cpuinfo = text(&proc.join("cpuinfo")).unwrap_or_default();
        let meminfo = text(&proc.join("meminfo")).unwrap_or_default();
        Self {
            os: os_name(root),
            kernel: line(&proc.join("sys/kernel/osrelease")),
            architecture: line(&proc.join("sys/kernel/arch")),
            cpu_model: keyed(&cpuinfo, "model name", ':').and_then(fact),
            logical_cores: text(&cpu.join("online"))
                .and_then(|list| list_len(&list))
                .or_else(|| count_processors(&cpuinfo)),
            allowed_cores: text(&proc.join("self/status"))
                .and_then(|status| list_len(keyed(&status, "Cpus_allowed_list", ':')?)),
            cpu_limit: cgroup::cpu_limit(root),
            cpu_governor: line(&cpu.join("cpu0/cpufreq/scaling_governor")),
            memory_bytes: kib(&meminfo, "MemTotal"),
            memory_available_bytes: kib(&meminfo, "MemAvailable"),
            load_average: text(&proc.join("loadavg")).and_then(|content| load_average(&content)),
            clocksource: line(&root.join("sys/devices/system/clocksource/clocksource0/current_clocksource")),
            container: container(root),
            counters: HostCounters::read(root),
        }
    }
}

/// Counters since boot; read before and after a run, their difference is what [`HostCounters::since`] gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostCounters {
    /// CPU time of all cores in every state, ticks (`/proc/stat`, usually 100 a second and core).
    pub cpu_ticks: Option<u64>,
    /// Part of it in which a hypervisor ran another guest, ticks.
    pub steal_ticks: Option<u64>,
    /// Time in which at least one runnable task waited for a CPU, nanoseconds (`/proc/pressure/cpu`, `some`).
    pub pressure_some_ns: Option<u64>,
}

/// What the counters gained between two readings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HostPressure {
    /// Share of the machine's CPU time taken by the hypervisor for other guests, 0–1.
    pub steal_share: Option<f64>,
    /// Time in which at least one runnable task waited for a CPU, nanoseconds.
    pub pressure_some_ns: Option<u64>,
}

impl HostCounters {
    /// Reads the counters below `root`, which is `/` except in tests.
    pub fn read(root: &Path) -> Self {
        let stat = text(&root.join("proc/stat")).unwrap_or_default();
        let cpu = stat.lines().find_map(|line| line.strip_prefix("cpu ")).unwrap_or_default();
        // user, nice, system, idle, iowait, irq, softirq, steal; guest time after them is already part of user and nice.
        let states: Option<Vec<u64>> = (0..8).map(|index| word(cpu, index)).collect();
        Self {
            cpu_ticks: states.as_ref().map(|states| states.iter().copied().fold(0, u64::saturating_add)),
            steal_ticks: states.map(|states| states[7]),
            pressure_some_ns: text(&root.join("proc/pressure/cpu")).and_then(|content| pressure(&content)),
        }
    }

    /// What was gained since `earlier`; `None` where one reading lacks it or a counter fell.
    pub fn since(&self, earlier: &Self) -> HostPressure {
        let gained = |now: Option<u64>, then: Option<u64>| now?.checked_sub(then?);
        let steal_share = gained(self.steal_ticks, earlier.steal_ticks)
            .zip(gained(self.cpu_ticks, earlier.cpu_ticks).filter(|ticks| *ticks > 0))
            .map(|(steal, all)| steal as f64 / all as f64);
        HostPressure {
            steal_share,
            pressure_some_ns: gained(self.pressure_some_ns, earlier.pressure_some_ns),
        }
    }
}

/// `os-release(5)`: `/etc` first, then `/usr/lib`; values may be quoted.
fn os_name(root: &Path) -> Option<String> {
    ["etc/os-release", "usr/lib/os-release"].iter().find_map(|path| {
        let content = text(&root.join(path))?;
        fact(keyed(&content, "PRETTY_NAME", '=')?.trim_matches(['"', '\'']))
    })
}

fn count_processors(cpuinfo: &str) -> Option<u32> {
    let count = cpuinfo.lines().filter(|line| line.starts_with("processor")).count();
    u32::try_from(count).ok().filter(|count| *count > 0)
}

/// A field of `/proc/meminfo`, which counts in units of 1024 bytes.
fn kib(meminfo: &str, key: &str) -> Option<u64> {
    word::<u64>(keyed(meminfo, key, ':')?, 0)?.checked_mul(1024)
}

fn load_average(content: &str) -> Option<[f64; 3]> {
    let mean = |index| word::<f64>(content, index).filter(|mean| mean.is_finite() && *mean >= 0.0);
    Some([mean(0)?, mean(1)?, mean(2)?])
}

/// The `total=` of the `some` line, which counts microseconds (the kernel's `psi.rst`).
fn pressure(content: &str) -> Option<u64> {
    let some = content.lines().find_map(|line| line.strip_prefix("some "))?;
    let total: u64 =
        some.split_ascii_whitespace().find_map(|pair| pair.strip_prefix("total="))?.parse().ok()?;
    total.checked_mul(1000)
}

/// Docker and Podman leave a file in the root; systemd's convention is `/run/host/container-manager`.
fn container(root: &Path) -> Option<String> {
    let mark = |path: &str, name: &str| root.join(path).exists().then(|| name.to_owned());
    line(&root.join("run/host/container-manager"))
        .or_else(|| mark(".dockerenv", "docker"))
        .or_else(|| mark("run/.containerenv", "podman"))
}
