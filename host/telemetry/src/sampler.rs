//! Looks at the machine and at this process's threads every 100 ms, on a thread of its own, and sums a window up.
//!
//! It must not know what the threads do. A window holds one number a bin and thread, so an hour costs a few hundred
//! kilobytes; the files of `/proc` are small, and one look takes well below a millisecond.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::counters::{HostCounters, HostPressure};
use crate::process::{ThreadKey, ThreadUsage, thread_times};

/// Time between two looks.
pub const BIN: Duration = Duration::from_millis(100);

/// The machine and this process's threads over a window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostWindow {
    /// Length, nanoseconds.
    pub over_ns: u64,
    /// Bins that were looked at.
    pub bins: u64,
    /// What the machine's counters gained over the whole window.
    pub host: HostPressure,
    /// The largest share of a bin in which some task waited for a CPU, 0–1.
    pub worst_cpu_pressure: Option<f64>,
    /// The largest share of a bin's CPU time that the hypervisor took, 0–1. A bin has few ticks: of 20 ticks one is 5 %.
    pub worst_steal: Option<f64>,
    /// Threads that lived in the window, in the order of their ids.
    pub threads: Vec<ThreadWindow>,
}

/// One thread over a window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ThreadWindow {
    /// The thread's name, at most 15 bytes.
    pub name: String,
    /// Time on a CPU, nanoseconds.
    pub run_ns: u64,
    /// Time runnable but waiting for a CPU, nanoseconds.
    pub run_delay_ns: u64,
    /// Median share of a bin on a CPU, 0–1; nearest rank.
    pub busy_p50: f64,
    /// 99th percentile of that share.
    pub busy_p99: f64,
    /// The longest time of one bin that the thread waited for a CPU, nanoseconds.
    pub worst_run_delay_ns: u64,
}

impl HostWindow {
    /// A wait as a share of the window, 0–1.
    pub fn share(&self, waited_ns: Option<u64>) -> Option<f64> {
        (self.over_ns > 0).then_some(waited_ns? as f64 / self.over_ns as f64)
    }
}

/// Looks every [`BIN`] until dropped.
#[derive(Debug)]
pub struct HostSampler {
    window: Arc<Mutex<Window>>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl HostSampler {
    /// Starts looking. `prepare` runs on the sampler's thread before anything else: a place to keep it off the cores that
    /// do I/O.
    pub fn start(prepare: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let window = Arc::new(Mutex::new(Window::open(PathBuf::from("/"))));
        let (stop, stopped) = channel();
        let shared = Arc::clone(&window);
        let thread = Builder::new().name("host-sampler".to_owned()).spawn(move || {
            prepare();
            look_again(&shared, &stopped);
        })?;
        Ok(Self { window, stop: Some(stop), thread: Some(thread) })
    }

    /// What happened since the window before was taken, or since the start; the next window begins now.
    pub fn window(&self) -> HostWindow {
        let mut window = lock(&self.window);
        window.look();
        let root = window.root.clone();
        std::mem::replace(&mut *window, Window::open(root)).close()
    }
}

impl Drop for HostSampler {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of that thread has been printed already.
            let _ = thread.join();
        }
    }
}

fn lock(window: &Mutex<Window>) -> MutexGuard<'_, Window> {
    window.lock().unwrap_or_else(PoisonError::into_inner)
}

fn look_again(window: &Mutex<Window>, stopped: &Receiver<()>) {
    let mut due = Instant::now();
    loop {
        due += BIN;
        match stopped.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Err(RecvTimeoutError::Timeout) => lock(window).look(),
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// A window in the making.
#[derive(Debug)]
struct Window {
    root: PathBuf,
    opened: Instant,
    looked: Instant,
    first: HostCounters,
    newest: HostCounters,
    bins: u64,
    worst_cpu_pressure: Option<f64>,
    worst_steal: Option<f64>,
    threads: BTreeMap<ThreadKey, Threads>,
}

/// A thread in the making.
#[derive(Debug)]
struct Threads {
    newest: ThreadUsage,
    sums: ThreadWindow,
    /// Thousandths of a bin on a CPU.
    busy: Vec<u16>,
}

impl Window {
    fn open(root: PathBuf) -> Self {
        let (now, counters) = (Instant::now(), HostCounters::read(&root));
        let threads = read_threads(&root).into_iter().map(|(key, usage)| (key, Threads::of(usage))).collect();
        Self {
            root,
            opened: now,
            looked: now,
            first: counters,
            newest: counters,
            bins: 0,
            worst_cpu_pressure: None,
            worst_steal: None,
            threads,
        }
    }

    /// Ends a bin.
    fn look(&mut self) {
        let now = Instant::now();
        let over = now.duration_since(self.looked).as_nanos() as f64;
        if over <= 0.0 {
            return;
        }
        self.looked = now;
        self.bins += 1;
        let counters = HostCounters::read(&self.root);
        let gained = counters.since(&self.newest);
        self.newest = counters;
        let pressure = gained.pressure.cpu.some_ns.map(|waited| (waited as f64 / over).min(1.0));
        self.worst_cpu_pressure = worse(self.worst_cpu_pressure, pressure);
        self.worst_steal = worse(self.worst_steal, gained.steal_share);
        for (key, usage) in read_threads(&self.root) {
            // A thread that is new counts from zero: it began within this bin.
            self.threads.entry(key).or_insert_with(|| Threads::of(usage.born())).bin(usage, over);
        }
    }

    fn close(self) -> HostWindow {
        HostWindow {
            over_ns: u64::try_from(self.looked.duration_since(self.opened).as_nanos()).unwrap_or(u64::MAX),
            bins: self.bins,
            host: self.newest.since(&self.first),
            worst_cpu_pressure: self.worst_cpu_pressure,
            worst_steal: self.worst_steal,
            threads: self.threads.into_values().map(Threads::close).collect(),
        }
    }
}

fn worse(known: Option<f64>, seen: Option<f64>) -> Option<f64> {
    match (known, seen) {
        (Some(known), Some(seen)) => Some(known.max(seen)),
        (known, seen) => known.or(seen),
    }
}

fn read_threads(root: &Path) -> BTreeMap<ThreadKey, ThreadUsage> {
    thread_times(&root.join("proc/self"))
}

impl Threads {
    fn of(newest: ThreadUsage) -> Self {
        let sums = ThreadWindow { name: newest.name.clone(), ..ThreadWindow::default() };
        Self { newest, sums, busy: Vec::new() }
    }

    fn bin(&mut self, usage: ThreadUsage, over: f64) {
        let grown = |now: Option<u64>, then: Option<u64>| {
            now.zip(then).map_or(0, |(now, then)| now.saturating_sub(then))
        };
        let ran = grown(usage.run_ns, self.newest.run_ns);
        let waited = grown(usage.run_delay_ns, self.newest.run_delay_ns);
        self.sums.run_ns += ran;
        self.sums.run_delay_ns += waited;
        self.sums.worst_run_delay_ns = self.sums.worst_run_delay_ns.max(waited);
        self.busy.push(thousandths(ran as f64 / over));
        self.newest = usage;
    }

    fn close(mut self) -> ThreadWindow {
        self.busy.sort_unstable();
        let rank = |percent: usize| {
            let at = (self.busy.len() * percent).div_ceil(100).saturating_sub(1);
            self.busy.get(at).map_or(0.0, |share| f64::from(*share) / 1000.0)
        };
        ThreadWindow { busy_p50: rank(50), busy_p99: rank(99), ..self.sums }
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a bin, cut to 0 to 1 before"
)]
fn thousandths(share: f64) -> u16 {
    (share.clamp(0.0, 1.0) * 1000.0).round() as u16
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A machine whose files say how long everything has run, in units.
    fn tell(root: &Path, ticks: u64, steal: u64, waited_us: u64, threads: &[(u32, u64, u64)]) {
        let write = |path: &str, content: String| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        };
        write("proc/stat", format!("cpu {ticks} 0 0 {ticks} 0 0 0 {steal}\n"));
        write("proc/pressure/cpu", format!("some avg10=0 avg60=0 avg300=0 total={waited_us}\n"));
        let _ = fs::remove_dir_all(root.join("proc/self/task"));
        for (id, ran, delayed) in threads {
            write(&format!("proc/self/task/{id}/stat"), format!("{id} (t{id}) S {}\n", "7 ".repeat(40)));
            write(&format!("proc/self/task/{id}/schedstat"), format!("{ran} {delayed} 3\n"));
        }
    }

    #[test]
    fn a_window_sums_up_and_the_next_begins_where_it_ended() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        tell(root, 100, 0, 0, &[(1, 1_000, 10), (2, 500, 0)]);
        let mut window = Window::open(root.to_path_buf());
        tell(root, 140, 20, 0, &[(1, 4_000, 60), (2, 500, 0)]);
        window.look();
        // The second ends; a third begins.
        tell(root, 180, 20, 0, &[(1, 5_000, 70), (3, 700, 5)]);
        window.look();
        let seen = window.close();
        assert_eq!(
            (seen.bins, seen.host.steal_share, seen.host.busy_share),
            (2, Some(20.0 / 180.0), Some(80.0 / 180.0))
        );
        assert_eq!(seen.worst_steal, Some(0.2));
        let of = |name: &str| seen.threads.iter().find(|thread| thread.name == name).unwrap().clone();
        assert_eq!((of("t1").run_ns, of("t1").run_delay_ns, of("t1").worst_run_delay_ns), (4_000, 60, 50));
        assert_eq!((of("t2").run_ns, of("t3").run_ns, of("t3").run_delay_ns), (0, 700, 5));
    }

    #[test]
    fn shares_of_bins_are_read_at_the_nearest_rank() {
        let mut thread = Threads::of(ThreadUsage::default().born());
        for bin in 1..=100_u64 {
            let usage = ThreadUsage { run_ns: Some(bin * (bin + 1) / 2), ..ThreadUsage::default() };
            thread.bin(usage, 100.0);
        }
        let seen = thread.close();
        assert_eq!((seen.busy_p50, seen.busy_p99, seen.run_ns), (0.5, 0.99, 5050));
    }

    #[test]
    fn a_machine_that_tells_nothing_gives_an_empty_window() {
        let root = tempfile::tempdir().unwrap();
        let mut window = Window::open(root.path().to_path_buf());
        window.look();
        let seen = window.close();
        assert_eq!((seen.worst_steal, seen.worst_cpu_pressure, seen.threads.len()), (None, None, 0));
        assert_eq!(seen.share(seen.host.pressure.cpu.some_ns), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn it_sees_a_thread_that_works_and_stops_when_dropped() {
        let sampler = HostSampler::start(|| ()).unwrap();
        let end = Instant::now() + Duration::from_millis(30);
        while Instant::now() < end {
            std::hint::spin_loop();
        }
        let window = sampler.window();
        assert!(window.over_ns > 0 && window.threads.iter().any(|thread| thread.run_ns > 0), "{window:?}");
        let text = serde_json::to_string(&window).unwrap();
        assert_eq!(serde_json::from_str::<HostWindow>(&text).unwrap().threads, window.threads);
    }
}
