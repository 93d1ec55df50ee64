//! The loop on boards that break, and the waits that must end.

use super::*;

/// Two GPUs: the first panics at its `panic_at`th reading, both are lost at their `lost_at`th.
struct Fragile {
    panic_at: u64,
    lost_at: u64,
    readings: std::cell::Cell<u64>,
}

impl Board for Fragile {
    fn gpus(&self) -> Vec<u32> {
        vec![3, 5]
    }

    fn read(&self, slot: usize, sample: &mut GpuSample, tally: &mut Tally) -> Result<(), Lost> {
        if slot == 0 {
            self.readings.set(self.readings.get() + 1);
        }
        let reading = self.readings.get();
        assert!(reading != self.panic_at, "reading {reading} is out of bounds");
        if reading >= self.lost_at {
            tally.note("power", Some(sample.gpu), "lost");
            return Err(Lost);
        }
        sample.power_milliwatts = Some(1);
        Ok(())
    }
}

fn task() -> (Task, Sender<()>, Receiver<GpuSample>) {
    let (stop, stopped) = mpsc::channel();
    let (sink, samples) = mpsc::channel();
    (Task { nvml: None, period: MIN_PERIOD, epoch: Instant::now(), sink, stop: stopped }, stop, samples)
}

fn fragile(panic_at: u64, lost_at: u64) -> Fragile {
    Fragile { panic_at, lost_at, readings: std::cell::Cell::new(0) }
}

#[test]
fn a_panic_is_a_line_in_the_health_and_keeps_what_was_counted() {
    let (task, _stop, samples) = task();
    let board = fragile(4, u64::MAX);
    let health = guarded(|health, tally| sample(&board, &task, health, tally));
    assert_eq!(
        health.failure.as_deref(),
        Some("the GPU sampling thread panicked: reading 4 is out of bounds")
    );
    assert_eq!((health.samples, samples.try_iter().count()), (6, 6));
}

#[test]
fn the_loop_ends_when_no_gpu_is_left() {
    let (task, _stop, samples) = task();
    let board = fragile(u64::MAX, 3);
    let health = guarded(|health, tally| sample(&board, &task, health, tally));
    assert_eq!(health.lost.iter().map(|lost| lost.gpu).collect::<Vec<_>>(), [3, 5]);
    assert_eq!(samples.try_iter().map(|sample| sample.gpu).collect::<Vec<_>>(), [3, 5, 3, 5]);
    assert_eq!((health.errors.len(), health.errors[0].count, health.failure), (1, 2, None));
}

#[test]
fn a_stop_takes_one_closing_sample_of_every_gpu() {
    let (task, stop, samples) = task();
    stop.send(()).unwrap();
    let board = fragile(u64::MAX, u64::MAX);
    let health = guarded(|health, tally| sample(&board, &task, health, tally));
    assert_eq!(samples.try_iter().map(|sample| sample.gpu).collect::<Vec<_>>(), [3, 5]);
    assert_eq!(health.samples, 2);
}

#[test]
fn a_dropped_handle_and_a_dropped_sink_end_the_loop() {
    let (task_a, stop, samples) = task();
    drop(stop);
    let board = fragile(u64::MAX, u64::MAX);
    assert_eq!(guarded(|health, tally| sample(&board, &task_a, health, tally)).samples, 0);
    drop(samples);
    let (task_b, _stop, samples) = task();
    drop(samples);
    assert_eq!(guarded(|health, tally| sample(&board, &task_b, health, tally)).samples, 0);
}

#[test]
fn off_starts_nothing() {
    let (sink, received) = mpsc::channel();
    let missing = Path::new("/nonexistent/libnvidia-ml.so");
    let (sampler, status) =
        GpuSampler::start(GpuMode::Off, Some(missing), DEFAULT_PERIOD, Instant::now(), sink);
    assert_eq!(status, GpuStatus::Off);
    assert_eq!(sampler.stop(), SamplerHealth::default());
    assert_eq!(received.recv(), Err(mpsc::RecvError));
}

#[test]
fn a_thread_stuck_in_the_driver_is_left_behind_and_named() {
    let (stop, _stopped) = mpsc::channel();
    let (_never, done) = mpsc::channel();
    let (release, held) = mpsc::channel::<()>();
    let thread = std::thread::spawn(move || assert!(held.recv().is_err()));
    let sampler = GpuSampler { running: Some(Running { stop, done, thread }) };
    let failure = sampler.stop_within(Duration::from_millis(1)).failure.unwrap();
    assert!(failure.contains("the driver hangs"), "{failure}");
    drop(release);
}

#[test]
fn a_library_that_does_not_start_in_time_is_absent_and_given_up() {
    let (tell, ready) = mpsc::channel::<GpuStatus>();
    let (status, answered) = await_status(&ready, Duration::from_millis(1));
    assert!(
        matches!(&status, GpuStatus::Absent { reason } if reason.contains("did not answer")),
        "{status:?}"
    );
    assert!(!answered);
    drop(tell);
    let (status, answered) = await_status(&ready, Duration::from_mins(1));
    assert!(matches!(&status, GpuStatus::Absent { reason } if reason.contains("ended before")), "{status:?}");
    assert!(answered);
}
