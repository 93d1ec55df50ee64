//! Frequencies of the cores and what governs them: a core that slows down or sleeps deeply wakes late.
//!
//! It must not know what runs. Source: the kernel's `cpufreq.rst` (`/sys/devices/system/cpu`). Virtual machines mostly show
//! none of it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::procfile::{line, text, word};

/// What is known of the cores' frequencies, `None` where the machine does not tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FrequencyFacts {
    /// The driver that sets frequencies.
    pub driver: Option<String>,
    /// Lowest frequency of any core when read, kHz.
    pub slowest_khz: Option<u64>,
    /// Highest frequency of any core when read, kHz.
    pub fastest_khz: Option<u64>,
    /// Highest frequency the first core can have, kHz.
    pub limit_khz: Option<u64>,
    /// Frequencies above the nominal one are allowed.
    pub boost: Option<bool>,
    /// The driver that puts idle cores to sleep.
    pub idle_driver: Option<String>,
}

impl FrequencyFacts {
    /// Reads them below `cpu`, which is `/sys/devices/system/cpu` except in tests.
    pub(crate) fn read(cpu: &Path) -> Self {
        let now: Vec<u64> =
            cores(cpu).filter_map(|core| word(&text(&core.join("cpufreq/scaling_cur_freq"))?, 0)).collect();
        let flag = |path: &str| word::<u8>(&text(&cpu.join(path))?, 0);
        Self {
            driver: line(&cpu.join("cpu0/cpufreq/scaling_driver")),
            slowest_khz: now.iter().min().copied(),
            fastest_khz: now.iter().max().copied(),
            limit_khz: text(&cpu.join("cpu0/cpufreq/cpuinfo_max_freq")).and_then(|khz| word(&khz, 0)),
            // The Intel driver has a switch of its own, turned the other way round.
            boost: flag("cpufreq/boost")
                .map(|on| on == 1)
                .or_else(|| flag("intel_pstate/no_turbo").map(|off| off == 0)),
            idle_driver: line(&cpu.join("cpuidle/current_driver")),
        }
    }
}

/// The folders `cpu0`, `cpu1`, … but not `cpufreq`.
fn cores(cpu: &Path) -> impl Iterator<Item = std::path::PathBuf> {
    std::fs::read_dir(cpu).into_iter().flatten().flatten().map(|entry| entry.path()).filter(|path| {
        let number = path.file_name().and_then(|name| name.to_str()?.strip_prefix("cpu"));
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_is_over_all_cores_and_the_two_switches_mean_the_same() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, content: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        };
        for (core, khz) in [(0, "2400000\n"), (1, "800000\n"), (11, "3100000\n"), (2, "fast\n")] {
            write(&format!("cpu{core}/cpufreq/scaling_cur_freq"), khz);
        }
        write("cpufreq/scaling_cur_freq", "1\n");
        write("cpu0/cpufreq/cpuinfo_max_freq", "3500000\n");
        write("intel_pstate/no_turbo", "1\n");
        let facts = FrequencyFacts::read(root.path());
        assert_eq!((facts.slowest_khz, facts.fastest_khz), (Some(800_000), Some(3_100_000)));
        assert_eq!((facts.limit_khz, facts.boost), (Some(3_500_000), Some(false)));
        write("cpufreq/boost", "1\n");
        assert_eq!(FrequencyFacts::read(root.path()).boost, Some(true));
        assert_eq!(FrequencyFacts::read(Path::new("/nonexistent")), FrequencyFacts::default());
    }
}
