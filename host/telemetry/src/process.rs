//! What this process itself used of the CPU, for the harness's own error: time, context switches, waiting to run.
//!
//! It must not know what its threads do. Everything comes from `/proc/self` (`proc(5)`, the kernel's
//! `sched-stats.rst`). `/proc/self/status` and `schedstat` speak of the main thread only, so each thread is read.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use crate::procfile::{bytes, fact, keyed, text, word};

/// `AT_CLKTCK` of `getauxval(3)`.
const AT_CLKTCK: usize = 17;

/// Ticks a second where the auxiliary vector cannot be read: the value on every architecture in use but Alpha.
const USUAL_TICKS: u64 = 100;

/// A thread's id and its start in ticks since boot, since ids are used again.
type ThreadKey = (u32, u64);

/// Counters of this process and its threads at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessUsage {
    /// CPU time in user mode of all threads, ended ones included, nanoseconds (in steps of a tick, mostly 10 ms).
    pub cpu_user_ns: Option<u64>,
    /// CPU time in the kernel of all threads, ended ones included, nanoseconds (in steps of a tick).
    pub cpu_system_ns: Option<u64>,
    /// Largest resident memory so far, bytes.
    pub peak_memory_bytes: Option<u64>,
    threads: BTreeMap<ThreadKey, ThreadUsage>,
}

/// Counters of one thread since its start; as a difference, between two readings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ThreadUsage {
    /// The thread's name, at most 15 bytes.
    pub name: String,
    /// Time on a CPU, nanoseconds.
    pub run_ns: Option<u64>,
    /// Time runnable but waiting for a CPU, nanoseconds.
    pub run_delay_ns: Option<u64>,
    /// Times it gave the CPU up by itself.
    pub voluntary_switches: Option<u64>,
    /// Times the CPU was taken from it.
    pub involuntary_switches: Option<u64>,
}

/// What the process used between two readings. Sums are `None` when a thread's part is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SchedulerDelta {
    /// CPU time of all threads, ended ones included, nanoseconds.
    pub cpu_ns: Option<u64>,
    /// Sum of [`ThreadUsage::run_delay_ns`].
    pub run_delay_ns: Option<u64>,
    /// Sum of [`ThreadUsage::voluntary_switches`].
    pub voluntary_switches: Option<u64>,
    /// Sum of [`ThreadUsage::involuntary_switches`].
    pub involuntary_switches: Option<u64>,
    /// Threads alive at the second reading, by id; the sums are theirs.
    pub threads: Vec<ThreadUsage>,
    /// Threads of the first reading that had ended by the second: missing in everything but `cpu_ns`.
    pub threads_ended: u64,
}

impl ProcessUsage {
    /// Reads this process. What the system does not tell stays `None`.
    pub fn now() -> Self {
        Self::read(Path::new("/proc/self"))
    }

    /// Reads the process whose folder below `/proc` is `process`.
    pub fn read(process: &Path) -> Self {
        let ticks =
            bytes(&process.join("auxv")).and_then(|auxv| ticks_per_second(&auxv)).unwrap_or(USUAL_TICKS);
        let stat = text(&process.join("stat")).unwrap_or_default();
        let status = text(&process.join("status")).unwrap_or_default();
        let cpu_ns = |field| word::<u64>(stat_tail(&stat)?, field)?.checked_mul(1_000_000_000 / ticks);
        let peak = || word::<u64>(keyed(&status, "VmHWM", ':')?, 0)?.checked_mul(1024);
        Self {
            cpu_user_ns: cpu_ns(UTIME),
            cpu_system_ns: cpu_ns(STIME),
            peak_memory_bytes: peak(),
            threads: threads(process),
        }
    }

    /// Threads alive at this reading.
    pub fn thread_count(&self) -> usize {
        self.threads.len()
    }

    /// What was used since `earlier`. Threads started in between count from their start.
    pub fn since(&self, earlier: &Self) -> SchedulerDelta {
        let fresh = ThreadUsage::default().zeroed();
        let threads: Vec<ThreadUsage> = self
            .threads
            .iter()
            .map(|(key, now)| now.since(earlier.threads.get(key).unwrap_or(&fresh)))
            .collect();
        let sum = |part: fn(&ThreadUsage) -> Option<u64>| {
            threads.iter().map(part).try_fold(0_u64, |sum, part| Some(sum.saturating_add(part?)))
        };
        let cpu = |usage: &Self| usage.cpu_user_ns?.checked_add(usage.cpu_system_ns?);
        let ended = earlier.threads.keys().filter(|key| !self.threads.contains_key(key)).count();
        let (run_delay_ns, voluntary_switches, involuntary_switches) =
            (sum(|t| t.run_delay_ns), sum(|t| t.voluntary_switches), sum(|t| t.involuntary_switches));
        SchedulerDelta {
            cpu_ns: cpu(self).zip(cpu(earlier)).and_then(|(now, then)| now.checked_sub(then)),
            // Without any thread read, a sum of 0 would be a claim.
            run_delay_ns: run_delay_ns.filter(|_| !threads.is_empty()),
            voluntary_switches: voluntary_switches.filter(|_| !threads.is_empty()),
            involuntary_switches: involuntary_switches.filter(|_| !threads.is_empty()),
            threads,
            threads_ended: ended as u64,
        }
    }
}

impl ThreadUsage {
    fn zeroed(self) -> Self {
        Self {
            run_ns: Some(0),
            run_delay_ns: Some(0),
            voluntary_switches: Some(0),
            involuntary_switches: Some(0),
            ..self
        }
    }

    fn since(&self, earlier: &Self) -> Self {
        let gained = |now: Option<u64>, then: Option<u64>| now?.checked_sub(then?);
        Self {
            name: self.name.clone(),
            run_ns: gained(self.run_ns, earlier.run_ns),
            run_delay_ns: gained(self.run_delay_ns, earlier.run_delay_ns),
            voluntary_switches: gained(self.voluntary_switches, earlier.voluntary_switches),
            involuntary_switches: gained(self.involuntary_switches, earlier.involuntary_switches),
        }
    }
}

/// Positions in [`stat_tail`]: `proc(5)` numbers its fields from 1, and the tail begins with field 3.
const UTIME: usize = 14 - 3;
const STIME: usize = 15 - 3;
const START_TIME: usize = 22 - 3;

/// The fields of a `stat` file after the name, which stands in parentheses and may itself hold blanks and parentheses.
fn stat_tail(stat: &str) -> Option<&str> {
    stat.rsplit_once(')').map(|(_, tail)| tail)
}

fn stat_name(stat: &str) -> Option<String> {
    let (head, _) = stat.rsplit_once(')')?;
    fact(head.split_once('(')?.1)
}

fn threads(process: &Path) -> BTreeMap<ThreadKey, ThreadUsage> {
    let Ok(folders) = std::fs::read_dir(process.join("task")) else { return BTreeMap::new() };
    // A thread that ends while it is read is as good as ended before.
    folders.flatten().filter_map(|folder| thread(&folder.path())).collect()
}

fn thread(folder: &Path) -> Option<(ThreadKey, ThreadUsage)> {
    let id: u32 = folder.file_name()?.to_str()?.parse().ok()?;
    let stat = text(&folder.join("stat"))?;
    let started: u64 = word(stat_tail(&stat)?, START_TIME)?;
    let status = text(&folder.join("status")).unwrap_or_default();
    let schedstat = text(&folder.join("schedstat")).unwrap_or_default();
    let switches = |key| word(keyed(&status, key, ':')?, 0);
    let usage = ThreadUsage {
        name: stat_name(&stat).unwrap_or_default(),
        run_ns: word(&schedstat, 0),
        run_delay_ns: word(&schedstat, 1),
        voluntary_switches: switches("voluntary_ctxt_switches"),
        involuntary_switches: switches("nonvoluntary_ctxt_switches"),
    };
    Some(((id, started), usage))
}

/// `AT_CLKTCK` of the auxiliary vector: pairs of machine words, type and value.
fn ticks_per_second(auxv: &[u8]) -> Option<u64> {
    const WORD: usize = size_of::<usize>();
    let machine_word = |raw: &[u8]| raw.try_into().ok().map(usize::from_ne_bytes);
    auxv.chunks_exact(2 * WORD)
        .find_map(|pair| {
            let (kind, value) = pair.split_at(WORD);
            (machine_word(kind)? == AT_CLKTCK).then(|| machine_word(value)).flatten()
        })
        .and_then(|ticks| u64::try_from(ticks).ok())
        .filter(|ticks| (1..=1_000_000).contains(ticks))
}
