//! The sampling thread: when to read, what to do when reading fails, and how to end.
//!
//! It must not know which library the readings come from ([`Board`] hides it), and nothing that happens on its
//! thread may reach the rest of the process except as values.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::fault::{SamplerError, Tally, one_line};
use super::nvml::{NvmlBoard, open};
use super::schedule::Schedule;
use super::{GpuMode, GpuSample, GpuStatus};

/// The period that suits power integration: NVML's own readings change every 20 to 100 ms. Above one second
/// ([`MAX_GAP_NS`](super::MAX_GAP_NS)) energy can no longer be integrated.
pub const DEFAULT_PERIOD: Duration = Duration::from_millis(100);

/// Shorter periods only repeat readings and load the driver.
const MIN_PERIOD: Duration = Duration::from_millis(1);

/// Longest wait for the driver to start. Without its persistence mode it initialises the GPUs first, which takes seconds.
const START_LIMIT: Duration = Duration::from_secs(30);

/// Longest wait for the thread to end; a driver call that hangs must not hang the program.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// A set of GPUs that can be read.
pub(super) trait Board {
    /// The indices of the GPUs, one per slot.
    fn gpus(&self) -> Vec<u32>;

    /// Fills in what can be read of the GPU in `slot`; failed calls go to `tally`.
    fn read(&self, slot: usize, sample: &mut GpuSample, tally: &mut Tally) -> Result<(), Lost>;
}

/// The GPU is gone and will not answer again.
#[derive(Debug)]
pub(super) struct Lost;

/// A GPU that stopped answering during the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LostGpu {
    /// NVML's index.
    pub gpu: u32,
    /// When it was found lost, nanoseconds since the epoch given at start.
    pub t_ns: u64,
}

/// How the sampling itself went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SamplerHealth {
    /// Samples handed out.
    pub samples: u64,
    /// Ticks skipped because an earlier one took too long.
    pub missed: u64,
    /// The longest time one tick took to read all GPUs, nanoseconds.
    pub longest_tick_ns: u64,
    /// GPUs that were lost on the way.
    pub lost: Vec<LostGpu>,
    /// Failed calls: the first kinds, each with a count.
    pub errors: Vec<SamplerError>,
    /// Failed calls of further kinds.
    pub errors_left_out: u64,
    /// Why the thread ended early, on one line; `None` when it ended as asked.
    pub failure: Option<String>,
}

/// The handle of the sampling thread. Dropping it ends the thread without waiting for it.
#[derive(Debug)]
pub struct GpuSampler {
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    stop: Sender<()>,
    done: Receiver<SamplerHealth>,
    thread: JoinHandle<()>,
}

/// What the thread needs to know.
struct Task {
    nvml: Option<PathBuf>,
    period: Duration,
    epoch: Instant,
    sink: Sender<GpuSample>,
    stop: Receiver<()>,
}

impl GpuSampler {
    /// Starts sampling every GPU each `period` (at least 1 ms) and sends the samples to `sink`, stamped relative to `epoch`.
    ///
    /// `library` names the NVML library; `None` takes the system's own. It waits until the driver has answered, at
    /// most 30 s, and never fails: what is missing is told in the status.
    pub fn start(
        mode: GpuMode,
        library: Option<&Path>,
        period: Duration,
        epoch: Instant,
        sink: Sender<GpuSample>,
    ) -> (Self, GpuStatus) {
        if mode == GpuMode::Off {
            return (Self { running: None }, GpuStatus::Off);
        }
        let (stop, stopped) = mpsc::channel();
        let (tell_ready, ready) = mpsc::channel();
        let (tell_done, done) = mpsc::channel();
        let period = period.max(MIN_PERIOD);
        let task = Task { nvml: library.map(Path::to_path_buf), period, epoch, sink, stop: stopped };
        let spawned = Builder::new().name("gpu-sampler".to_owned()).spawn(move || {
            // The receiver may have given up waiting.
            let _ = tell_done.send(guarded(|health, tally| sample_nvml(&task, &tell_ready, health, tally)));
        });
        match spawned {
            Ok(thread) => {
                let (status, answered) = await_status(&ready, START_LIMIT);
                // Without the handle, a thread whose library answers too late ends at once and sends nothing.
                (Self { running: answered.then_some(Running { stop, done, thread }) }, status)
            }
            Err(error) => {
                let reason = format!(
                    "no GPU samples: the sampling thread cannot be started ({error}); check the limit of threads"
                );
                (Self { running: None }, GpuStatus::Absent { reason })
            }
        }
    }

    /// Takes one closing sample of every GPU, so that a window that ends now is enclosed by samples, and ends the thread.
    ///
    /// It waits at most 5 s; a thread stuck in the driver is left behind and named in [`SamplerHealth::failure`].
    pub fn stop(self) -> SamplerHealth {
        self.stop_within(STOP_LIMIT)
    }

    fn stop_within(self, limit: Duration) -> SamplerHealth {
        let Some(Running { stop, done, thread }) = self.running else { return SamplerHealth::default() };
        // A thread that has ended already left its health behind.
        let _ = stop.send(());
        if let Ok(health) = done.recv_timeout(limit) {
            // The closure ends right after it has sent, and nothing in it panics there.
            let _ = thread.join();
            health
        } else {
            let failure = "the GPU sampling thread does not end, the driver hangs; its last samples and counts are missing, see the kernel log";
            SamplerHealth { failure: Some(failure.to_owned()), ..SamplerHealth::default() }
        }
    }
}

/// The thread's answer, and whether it came in time.
fn await_status(ready: &Receiver<GpuStatus>, limit: Duration) -> (GpuStatus, bool) {
    let (cause, answered) = match ready.recv_timeout(limit) {
        Ok(status) => return (status, true),
        Err(RecvTimeoutError::Timeout) => {
            (format!("NVML did not answer within {} s", limit.as_secs()), false)
        }
        // It panicked; its health, which says so, is still to be had.
        Err(RecvTimeoutError::Disconnected) => {
            ("the sampling thread ended before NVML answered".to_owned(), true)
        }
    };
    (
        GpuStatus::Absent { reason: format!("no GPU samples: {cause}; see whether `nvidia-smi` works") },
        answered,
    )
}

/// Runs `work` so that a panic in it becomes a line in the health, with everything counted until then.
fn guarded(work: impl FnOnce(&mut SamplerHealth, &mut Tally)) -> SamplerHealth {
    let mut health = SamplerHealth::default();
    let mut tally = Tally::default();
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(&mut health, &mut tally))) {
        let text = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        health.failure = Some(format!("the GPU sampling thread panicked: {}", one_line(text.unwrap_or(""))));
    }
    (health.errors, health.errors_left_out) = tally.into_parts();
    health
}

fn sample_nvml(task: &Task, ready: &Sender<GpuStatus>, health: &mut SamplerHealth, tally: &mut Tally) {
    // Nobody listens any more when the start took too long; the dropped handle then ends the loop.
    let answer = |status| drop(ready.send(status));
    let nvml = match open(task.nvml.as_deref()) {
        Ok(nvml) => nvml,
        Err(reason) => return answer(GpuStatus::Absent { reason }),
    };
    match NvmlBoard::find(&nvml, tally) {
        Ok((board, gpus)) => {
            answer(GpuStatus::Present { gpus });
            sample(&board, task, health, tally);
        }
        Err(reason) => answer(GpuStatus::Absent { reason }),
    }
}

/// The loop: ends when told to, when the handle or the sink is dropped, or when no GPU is left.
fn sample(board: &impl Board, task: &Task, health: &mut SamplerHealth, tally: &mut Tally) {
    let mut live: Vec<(usize, u32)> = board.gpus().into_iter().enumerate().collect();
    let mut schedule = Schedule::new(now_ns(task.epoch), nanos(task.period));
    loop {
        let wait = schedule.due_ns().saturating_sub(now_ns(task.epoch));
        let last = match task.stop.recv_timeout(Duration::from_nanos(wait)) {
            Ok(()) => true,
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let someone_listens = tick(board, &mut live, task, health, tally);
        if last || !someone_listens || live.is_empty() {
            return;
        }
        schedule.advance(now_ns(task.epoch));
        health.missed = schedule.missed();
    }
}

/// Reads every live GPU once; `false` when nobody takes the samples any more.
fn tick(
    board: &impl Board,
    live: &mut Vec<(usize, u32)>,
    task: &Task,
    health: &mut SamplerHealth,
    tally: &mut Tally,
) -> bool {
    let begin_ns = now_ns(task.epoch);
    let mut someone_listens = true;
    live.retain(|&(slot, gpu)| {
        let mut sample = GpuSample { t_ns: now_ns(task.epoch), gpu, ..GpuSample::default() };
        if board.read(slot, &mut sample, tally).is_err() {
            health.lost.push(LostGpu { gpu, t_ns: sample.t_ns });
            return false;
        }
        match task.sink.send(sample) {
            Ok(()) => health.samples += 1,
            Err(_) => someone_listens = false,
        }
        true
    });
    health.longest_tick_ns = health.longest_tick_ns.max(now_ns(task.epoch).saturating_sub(begin_ns));
    someone_listens
}

/// `Instant` is `CLOCK_MONOTONIC` on Linux. An epoch in the future counts as now.
fn now_ns(epoch: Instant) -> u64 {
    nanos(Instant::now().saturating_duration_since(epoch))
}

/// 64 bits of nanoseconds last 584 years.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
