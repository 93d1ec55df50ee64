//! What a thread may ask of the scheduler: a class, a core, a finer timer; and what it got and used. Knows nothing of
//! what the thread does.

use std::fmt;
use std::marker::PhantomData;

/// How much a thread should be preferred to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Priority {
    /// The best that is permitted and safe: the realtime class where there is more than one core, else a lower nice
    /// value, else nothing.
    #[default]
    Auto,
    /// As every thread.
    Off,
    /// The realtime class `SCHED_FIFO` at its lowest priority.
    Realtime,
    /// The normal class at nice -10.
    Nice,
}

impl Priority {
    /// The word for plans.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Off => "off",
            Self::Realtime => "realtime",
            Self::Nice => "nice",
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no priority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a priority; expected `auto`, `off`, `realtime` or `nice`")]
pub struct PriorityError(String);

impl std::str::FromStr for Priority {
    type Err = PriorityError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Auto, Self::Off, Self::Realtime, Self::Nice]
            .into_iter()
            .find(|priority| priority.as_str() == text)
            .ok_or_else(|| PriorityError(text.to_owned()))
    }
}

/// What a thread got. Dropping it puts the thread back to where it was, so it stays on its thread.
#[derive(Debug)]
pub struct Granted {
    words: String,
    undo: Undo,
    stays_here: PhantomData<*const ()>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Undo {
    Nothing,
    Class,
    Nice(i32),
}

impl Granted {
    /// What was granted, for people: `SCHED_FIFO 1`, `nice -10`, `normal`, and why not if more was wanted.
    pub fn words(&self) -> &str {
        &self.words
    }

    fn normal(words: impl Into<String>) -> Self {
        Self { words: words.into(), undo: Undo::Nothing, stays_here: PhantomData }
    }
}

impl Drop for Granted {
    fn drop(&mut self) {
        match self.undo {
            Undo::Nothing => {}
            Undo::Class => imp::normal_class(),
            Undo::Nice(before) => {
                imp::set_nice(before);
            }
        }
    }
}

/// The nice value of [`Priority::Nice`]. Lower than any that programs take unasked, and not the lowest, which belongs
/// to what the machine needs to live.
const NICE: i32 = -10;

/// Raises the calling thread. Cannot fail: what was not permitted is said in [`Granted::words`]. Threads that it starts
/// do not inherit a realtime class, but do inherit a nice value.
#[must_use = "the thread falls back when this is dropped"]
pub fn raise(priority: Priority) -> Granted {
    let realtime = || {
        imp::realtime_class().then(|| Granted {
            words: "SCHED_FIFO 1".to_owned(),
            undo: Undo::Class,
            stays_here: PhantomData,
        })
    };
    let nice = || {
        let before = imp::nice();
        imp::set_nice(NICE).then(|| Granted {
            words: format!("nice {NICE}"),
            undo: Undo::Nice(before),
            stays_here: PhantomData,
        })
    };
    match priority {
        Priority::Off => Granted::normal("normal"),
        Priority::Realtime => {
            realtime().unwrap_or_else(|| Granted::normal("normal (SCHED_FIFO not permitted)"))
        }
        Priority::Nice => nice().unwrap_or_else(|| Granted::normal("normal (nice not permitted)")),
        // On a single core a realtime thread that is always ready would leave nothing to those it waits for.
        Priority::Auto => (cpus() > 1)
            .then(realtime)
            .flatten()
            .or_else(nice)
            .unwrap_or_else(|| Granted::normal("normal (SCHED_FIFO and nice not permitted)")),
    }
}

/// The nice value of threads that only show what goes on: about a tenth of the share of a thread that measures.
const LOW_NICE: i32 = 10;

/// Lets the calling thread, and threads that it starts, give way to all others of this program. False: not available. It
/// needs a privilege to take it back, so this is for threads that stay low.
pub fn lower() -> bool {
    imp::set_nice(imp::nice().max(LOW_NICE))
}

/// Cores that this process may use; at least 1.
pub fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Lets sleeps of the calling thread end within a nanosecond of their time as far as the kernel's timers are concerned;
/// the default lets it group wake-ups within 50 µs. False: not available.
pub fn timer_slack_min() -> bool {
    imp::timer_slack(1)
}

/// Keeps the calling thread on one core. False: there is no such core, or it is not permitted.
pub fn pin(cpu: usize) -> bool {
    imp::pin(cpu)
}

/// What the calling thread has used since it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ThreadUse {
    /// Time on a core, in nanoseconds.
    pub cpu_ns: u64,
    /// Time ready but waiting for a core, in nanoseconds; `None` where the kernel does not say.
    pub run_queue_ns: Option<u64>,
    /// How often another thread took its core.
    pub involuntary: u64,
}

impl ThreadUse {
    /// What the calling thread has used since it began. Opens a file of `/proc`; a few microseconds.
    pub fn now() -> Self {
        Self { cpu_ns: cpu_ns(), run_queue_ns: imp::run_queue_ns(), involuntary: imp::involuntary() }
    }

    /// What was used between `before` and this.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        let waited = self.run_queue_ns.zip(before.run_queue_ns);
        Self {
            cpu_ns: self.cpu_ns.saturating_sub(before.cpu_ns),
            run_queue_ns: waited.map(|(now, before)| now.saturating_sub(before)),
            involuntary: self.involuntary.saturating_sub(before.involuntary),
        }
    }
}

/// Time that the calling thread has spent on a core, in nanoseconds. One system call. 0 where the system does not say.
pub fn cpu_ns() -> u64 {
    imp::cpu_ns()
}

#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "three scheduler calls that no safe crate of this workspace offers")]
mod imp {
    use nix::sched::{CpuSet, sched_setaffinity};
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::time::{ClockId, clock_gettime};
    use nix::unistd::Pid;

    fn class(policy: libc::c_int, priority: libc::c_int) -> bool {
        // SAFETY: all fields are integers, for which zero is valid (some C libraries have more of them than one).
        let mut param: libc::sched_param = unsafe { std::mem::zeroed() };
        param.sched_priority = priority;
        // SAFETY: the pointer is to a live value, and 0 stands for the calling thread.
        unsafe { libc::sched_setscheduler(0, policy, &raw const param) == 0 }
    }

    pub(super) fn realtime_class() -> bool {
        class(libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK, 1)
    }

    pub(super) fn normal_class() {
        // Only a privileged thread may take back that its children begin in the normal class.
        let _ = class(libc::SCHED_OTHER, 0) || class(libc::SCHED_OTHER | libc::SCHED_RESET_ON_FORK, 0);
    }

    pub(super) fn nice() -> i32 {
        // SAFETY: takes integers only. On Linux a process id of 0 is the calling thread. An error reads as -1, which is
        // also a nice value; it cannot occur for the calling thread.
        unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }
    }

    pub(super) fn set_nice(nice: i32) -> bool {
        // SAFETY: takes integers only.
        unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, nice) == 0 }
    }

    pub(super) fn timer_slack(ns: u64) -> bool {
        // SAFETY: takes integers only; unused arguments are zero, as the call demands.
        unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, ns, 0_u64, 0_u64, 0_u64) == 0 }
    }

    pub(super) fn pin(cpu: usize) -> bool {
        let mut set = CpuSet::new();
        set.set(cpu).is_ok() && sched_setaffinity(Pid::from_raw(0), &set).is_ok()
    }

    pub(super) fn cpu_ns() -> u64 {
        clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(0, |at| {
            u64::try_from(at.tv_sec()).unwrap_or(0) * 1_000_000_000 + u64::try_from(at.tv_nsec()).unwrap_or(0)
        })
    }

    /// The second number of `schedstat`: nanoseconds spent waiting on a run queue (kernel, `Documentation/scheduler`).
    pub(super) fn run_queue_ns() -> Option<u64> {
        let account = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        account.split_ascii_whitespace().nth(1)?.parse().ok()
    }

    pub(super) fn involuntary() -> u64 {
        getrusage(UsageWho::RUSAGE_THREAD)
            .map_or(0, |usage| u64::try_from(usage.involuntary_context_switches()).unwrap_or(0))
    }

    #[cfg(test)]
    pub(super) fn class_now() -> libc::c_int {
        // SAFETY: takes an integer only.
        unsafe { libc::sched_getscheduler(0) & !libc::SCHED_RESET_ON_FORK }
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    pub(super) fn realtime_class() -> bool {
        false
    }

    pub(super) fn normal_class() {}

    pub(super) fn nice() -> i32 {
        0
    }

    pub(super) fn set_nice(_: i32) -> bool {
        false
    }

    pub(super) fn timer_slack(_: u64) -> bool {
        false
    }

    pub(super) fn pin(_: usize) -> bool {
        false
    }

    pub(super) fn cpu_ns() -> u64 {
        0
    }

    pub(super) fn run_queue_ns() -> Option<u64> {
        None
    }

    pub(super) fn involuntary() -> u64 {
        0
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_granted_is_said_and_taken_back() {
        for priority in [Priority::Auto, Priority::Off, Priority::Realtime, Priority::Nice] {
            std::thread::spawn(move || {
                let (class, nice) = (imp::class_now(), imp::nice());
                let granted = raise(priority);
                let expected = match granted.words() {
                    "SCHED_FIFO 1" => (libc::SCHED_FIFO, nice),
                    "nice -10" => (class, -10),
                    words => {
                        assert!(words.starts_with("normal"), "{words}");
                        (class, nice)
                    }
                };
                assert_eq!((imp::class_now(), imp::nice()), expected, "{priority}");
                // A thread started by a raised one is as every other, as far as the class goes.
                let child = std::thread::spawn(imp::class_now).join().unwrap();
                assert_eq!(child, libc::SCHED_OTHER);
                drop(granted);
                assert_eq!((imp::class_now(), imp::nice()), (class, nice), "{priority}");
            })
            .join()
            .unwrap();
        }
    }

    #[test]
    fn a_lowered_thread_stays_low_and_no_other_with_it() {
        let before = imp::nice();
        let lowered = std::thread::spawn(|| (lower(), imp::nice(), lower(), imp::nice())).join().unwrap();
        assert_eq!(lowered, (true, LOW_NICE.max(before), true, LOW_NICE.max(before)));
        assert_eq!(imp::nice(), before);
    }

    #[test]
    fn words_read_back() {
        for priority in [Priority::Auto, Priority::Off, Priority::Realtime, Priority::Nice] {
            assert_eq!(priority.to_string().parse(), Ok(priority));
        }
        assert!("fast".parse::<Priority>().is_err());
    }

    #[test]
    fn a_thread_that_works_uses_a_core_and_a_core_that_is_not_there_is_refused() {
        let before = ThreadUse::now();
        while cpu_ns() < before.cpu_ns + 1_000_000 {}
        assert!(ThreadUse::now().since(before).cpu_ns >= 1_000_000);
        assert_eq!(before.since(ThreadUse::now()).cpu_ns, 0);
        assert!(!pin(1_000_000));
        assert!(timer_slack_min());
    }
}
