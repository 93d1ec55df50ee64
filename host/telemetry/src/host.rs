//! Facts about the machine the harness runs on.
//!
//! It must not know what is measured. It reads files below a root it is given, keeps no name of the machine or its
//! users, and leaves out what it cannot read.

use std::path::Path;

use serde::{Deserialize, Serialize};

pub use crate::cgroup::CpuLimit;
pub use crate::counters::{HostCounters, HostPressure};
pub use crate::cpu::FrequencyFacts;
pub use crate::pressure::{Pressure, Throttled, Waited};

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
    /// Frequencies and what governs them.
    #[serde(default)]
    pub frequency: FrequencyFacts,
    /// The machine is a guest of a hypervisor (x86 tells).
    #[serde(default)]
    pub hypervisor: Option<bool>,
    /// Cores kept free of other tasks (`isolcpus`), as the kernel lists them.
    #[serde(default)]
    pub isolated_cores: Option<String>,
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
    /// What of this may make times on this machine less true than they could be, in words for people.
    pub fn concerns(&self) -> Vec<String> {
        let mut found = Vec::new();
        if let Some(source) =
            self.clocksource.as_deref().filter(|s| !matches!(*s, "tsc" | "kvm-clock" | "arch_sys_counter"))
        {
            found.push(format!("clock source `{source}` is slow to read; `tsc` is not"));
        }
        if let Some(governor) = self.cpu_governor.as_deref().filter(|governor| *governor != "performance") {
            found.push(format!("frequency governor `{governor}`; `performance` keeps wake-ups short"));
        }
        if let (Some(load), Some(cores)) = (self.load_average, self.logical_cores)
            && load[0] > 0.5 * f64::from(cores)
        {
            found.push(format!("{:.1} tasks ran on {cores} cores in the last minute", load[0]));
        }
        if let Some(CpuLimit::Cores(limit)) = self.cpu_limit {
            found.push(format!("a control group limits this process to {limit} cores of time"));
        }
        found
    }

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
            frequency: FrequencyFacts::read(&cpu),
            hypervisor: keyed(&cpuinfo, "flags", ':')
                .map(|flags| flags.split_ascii_whitespace().any(|flag| flag == "hypervisor")),
            isolated_cores: line(&cpu.join("isolated")),
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

/// Docker and Podman leave a file in the root; systemd's convention is `/run/host/container-manager`.
fn container(root: &Path) -> Option<String> {
    let mark = |path: &str, name: &str| root.join(path).exists().then(|| name.to_owned());
    line(&root.join("run/host/container-manager"))
        .or_else(|| mark(".dockerenv", "docker"))
        .or_else(|| mark("run/.containerenv", "podman"))
}
