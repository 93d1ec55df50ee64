//! The GPU sampler against a stand-in for NVIDIA's library: normal reading, and every fault a driver has shown.

#[path = "nvml-double/mod.rs"]
mod double;

use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use benchhost_telemetry::gpu::{
    Energy, EnergySource, GpuInfo, GpuMode, GpuProcess, GpuSample, GpuSampler, GpuStatus, SamplerHealth,
    energy_joules,
};
use double::Double;

const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;

/// Long enough for any machine, so that a sampler that stopped sending fails the test instead of hanging it.
const PATIENCE: Duration = Duration::from_mins(1);

struct Session {
    sampler: GpuSampler,
    status: GpuStatus,
    samples: Receiver<GpuSample>,
}

fn start(library: &Path, period_ms: u64) -> Session {
    let (sink, received) = mpsc::channel();
    let period = Duration::from_millis(period_ms);
    let (sampler, status) = GpuSampler::start(GpuMode::Auto, Some(library), period, Instant::now(), sink);
    Session { sampler, status, samples: received }
}

impl Session {
    fn gpus(&self) -> &[GpuInfo] {
        match &self.status {
            GpuStatus::Present { gpus } => gpus,
            other => panic!("{other:?}"),
        }
    }

    fn absent(self) -> String {
        match self.status {
            GpuStatus::Absent { reason } => {
                assert_eq!(self.sampler.stop().samples, 0);
                assert_eq!(self.samples.try_iter().count(), 0);
                assert!(!reason.contains('\n'), "{reason}");
                reason
            }
            other => panic!("{other:?}"),
        }
    }

    /// Waits until `count` samples of `gpu` are there, then stops. Gives all samples.
    fn stop_after(self, count: usize, gpu: u32) -> (Vec<GpuSample>, SamplerHealth) {
        let mut seen = Vec::new();
        while seen.iter().filter(|sample: &&GpuSample| sample.gpu == gpu).count() < count {
            seen.push(self.samples.recv_timeout(PATIENCE).unwrap());
        }
        let health = self.sampler.stop();
        seen.extend(self.samples.try_iter());
        assert_eq!(health.samples, seen.len() as u64);
        assert_eq!(health.failure, None);
        (seen, health)
    }
}

/// The same readings at exact milliseconds, so that a busy machine's delays decide nothing.
fn on_a_grid(samples: &[GpuSample]) -> Vec<GpuSample> {
    (0..).zip(samples).map(|(n, sample)| GpuSample { t_ns: n * 1_000_000, ..*sample }).collect()
}

fn of(samples: &[GpuSample], gpu: u32) -> Vec<GpuSample> {
    samples.iter().filter(|sample| sample.gpu == gpu).copied().collect()
}

#[test]
fn every_value_reaches_its_field_in_its_unit() {
    let double = Double::with("devices 2\n");
    let session = start(&double.path(), 1);
    assert_eq!(session.gpus().len(), 2);
    let expected = GpuInfo {
        index: 1,
        name: Some("Double GPU 80GB".to_owned()),
        uuid: Some("GPU-00000000-0000-0000-0000-000000000001".to_owned()),
        memory_total_bytes: Some(80 * GIB),
        driver: Some("570.124.06".to_owned()),
        cuda: Some("12.4".to_owned()),
        compute_capability: Some("9.0".to_owned()),
        power_limit_milliwatts: Some(700_000),
        mig: Some(false),
        processes: Some(vec![
            GpuProcess { pid: 4000, memory_bytes: Some(GIB) },
            GpuProcess { pid: 4001, memory_bytes: Some(2 * GIB) },
        ]),
    };
    assert_eq!(session.gpus()[1], expected);
    let (samples, health) = session.stop_after(3, 1);
    assert!(health.errors.is_empty() && health.lost.is_empty(), "{health:?}");
    for gpu in 0..2 {
        let own = of(&samples, gpu);
        assert!(own.is_sorted_by(|a, b| a.t_ns < b.t_ns));
        for (n, sample) in (1_u32..).zip(&own) {
            let expected = GpuSample {
                t_ns: sample.t_ns,
                gpu,
                // The double counts calls; one went into `GpuInfo`.
                memory_used_bytes: Some((10 + u64::from(gpu)) * GIB + u64::from(n + 1) * MIB),
                memory_total_bytes: Some(80 * GIB),
                utilization_percent: Some((10 * gpu + n) % 101),
                memory_utilization_percent: Some(n % 50),
                power_milliwatts: Some(200_000 + 1000 * gpu + n),
                energy_millijoules: Some(1_000_000 * u64::from(gpu + 1) + 500 * u64::from(n)),
                temperature_celsius: Some(40 + gpu + n % 10),
                sm_clock_mhz: Some(1400 + gpu + n),
                throttle: Some(if n % 2 == 0 { 4 } else { 0 }),
            };
            assert_eq!(*sample, expected);
        }
    }
}

#[test]
fn the_loop_makes_no_call_that_blocks_and_the_library_is_shut_down() {
    let double = Double::with("");
    let (samples, _) = start(&double.path(), 1).stop_after(5, 0);
    let calls = double.calls();
    assert_eq!(calls["nvmlShutdown"], 1);
    assert_eq!(calls.get("nvmlDeviceGetPcieThroughput"), None);
    // Per-process memory walks the driver's process list: once at the start, asked for its length first.
    assert_eq!(calls["nvmlDeviceGetComputeRunningProcesses_v3"], 2);
    assert_eq!(calls["nvmlDeviceGetPowerUsage"], samples.len() as u64);
}

#[test]
fn a_slow_driver_makes_ticks_missed_not_bunched() {
    let double = Double::with("sleep nvmlDeviceGetUtilizationRates 25\n");
    let (samples, health) = start(&double.path(), 5).stop_after(4, 0);
    // Each tick took 25 ms or more, so four ticks or more passed meanwhile. The closing sample is not on the grid.
    let scheduled = samples.len() as u64 - 1;
    assert!(health.missed >= 4 * scheduled, "{health:?}");
    assert!(health.longest_tick_ns >= 25_000_000, "{health:?}");
    for pair in samples[..samples.len() - 1].windows(2) {
        assert!(pair[1].t_ns - pair[0].t_ns >= 25_000_000, "{pair:?}");
    }
}

#[test]
fn an_absent_library_is_one_line_that_names_it() {
    let reason = start(Path::new("/nonexistent/libnvidia-ml.so.1"), 1).absent();
    assert!(reason.starts_with("no GPU samples: the NVML library cannot be loaded"), "{reason}");
    assert!(reason.contains("/nonexistent/libnvidia-ml.so.1"), "{reason}");
}

#[test]
fn a_file_that_is_no_library_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("libnvidia-ml.so.1");
    std::fs::write(&path, "not\na\nlibrary\n").unwrap();
    assert!(start(&path, 1).absent().contains("cannot be loaded"));
}

#[test]
fn a_driver_that_is_not_loaded_is_one_line() {
    let double = Double::with("return nvmlInit_v2 -1 1 9\n");
    let reason = start(&double.path(), 1).absent();
    assert_eq!(
        reason,
        "no GPU samples: NVML does not start (NVIDIA driver is not loaded); see whether `nvidia-smi` works"
    );
}

#[test]
fn no_gpus_no_count_and_no_permission_are_told_apart() {
    let reason = start(&Double::with("devices 0\n").path(), 1).absent();
    assert!(reason.contains("NVML shows no GPU"), "{reason}");
    let reason = start(&Double::with("return nvmlDeviceGetCount_v2 -1 1 999\n").path(), 1).absent();
    assert!(reason.contains("cannot count the GPUs"), "{reason}");
    let reason = start(&Double::with("return nvmlDeviceGetHandleByIndex_v2 -1 1 4\n").path(), 1).absent();
    assert!(reason.contains("permission"), "{reason}");
}

#[test]
fn a_gpu_that_cannot_be_opened_does_not_hide_the_others() {
    let double = Double::with("devices 3\nreturn nvmlDeviceGetHandleByIndex_v2 1 1 4\n");
    let session = start(&double.path(), 1);
    assert_eq!(session.gpus().iter().map(|gpu| gpu.index).collect::<Vec<_>>(), [0, 2]);
    let (samples, health) = session.stop_after(2, 2);
    assert!(of(&samples, 1).is_empty() && of(&samples, 0).len() >= 2);
    assert_eq!((health.errors[0].call, health.errors[0].gpu, health.errors[0].count), ("open", Some(1), 1));
}

#[test]
fn a_missing_symbol_empties_its_field_only() {
    let double = Double::without("nvmlDeviceGetTotalEnergyConsumption");
    let (samples, health) = start(&double.path(), 1).stop_after(3, 0);
    assert!(samples.iter().all(|sample| sample.energy_millijoules.is_none()));
    assert!(samples.iter().all(|sample| sample.power_milliwatts.is_some() && sample.throttle.is_some()));
    assert_eq!(health.errors.len(), 1);
    assert_eq!((health.errors[0].call, health.errors[0].count), ("energy", samples.len() as u64));
    assert!(health.errors[0].message.contains("nvmlDeviceGetTotalEnergyConsumption"), "{health:?}");
    let energy = energy_joules(&on_a_grid(&samples), 0, 2_000_000).total.unwrap();
    assert_eq!(energy.source, EnergySource::Integrated);
}

#[test]
fn a_library_without_its_first_symbol_is_refused() {
    let reason = start(&Double::without("nvmlInit_v2").path(), 1).absent();
    assert!(reason.contains("not NVML or too old"), "{reason}");
}

#[test]
fn unsupported_readings_are_empty_and_counted_once_per_kind() {
    let script = "devices 2\nreturn nvmlDeviceGetTotalEnergyConsumption -1 1 3\nreturn nvmlDeviceGetUtilizationRates 0 1 3\n";
    let double = Double::with(script);
    let (samples, health) = start(&double.path(), 1).stop_after(3, 1);
    let (first, second) = (of(&samples, 0), of(&samples, 1));
    assert!(first.iter().all(|s| s.utilization_percent.is_none() && s.memory_utilization_percent.is_none()));
    assert!(second.iter().all(|s| s.utilization_percent.is_some()));
    let kinds: Vec<_> = health.errors.iter().map(|error| (error.call, error.count)).collect();
    assert_eq!(kinds, [("energy", samples.len() as u64), ("utilization", first.len() as u64)]);
}

#[test]
fn a_reading_that_starts_to_fail_is_empty_from_then_on() {
    let double = Double::with("return nvmlDeviceGetPowerUsage -1 3 999\n");
    let (samples, health) = start(&double.path(), 1).stop_after(5, 0);
    let powers: Vec<_> = samples.iter().map(|sample| sample.power_milliwatts).collect();
    assert_eq!(powers[..4], [Some(200_001), Some(200_002), None, None]);
    assert_eq!(health.errors[0].count, samples.len() as u64 - 2);
}

#[test]
fn a_gpu_lost_in_the_run_stops_and_the_other_goes_on() {
    let double = Double::with("devices 2\nreturn nvmlDeviceGetTotalEnergyConsumption 1 4 15\n");
    let (samples, health) = start(&double.path(), 1).stop_after(8, 0);
    assert_eq!(of(&samples, 1).len(), 3);
    assert_eq!(health.lost.len(), 1);
    assert_eq!(health.lost[0].gpu, 1);
    assert!(health.lost[0].t_ns > of(&samples, 1)[2].t_ns);
    assert_eq!((health.errors.len(), health.errors[0].count), (1, 1));
    let (from, to) = (samples[0].t_ns, of(&samples, 0)[7].t_ns);
    assert_eq!(energy_joules(&samples, from, to).total, None);
}

#[test]
fn a_gpu_lost_in_the_middle_of_a_tick_leaves_no_half_sample() {
    let double = Double::with("return nvmlDeviceGetTemperature -1 3 15\n");
    let session = start(&double.path(), 1);
    let samples: Vec<_> = session.samples.iter().collect();
    assert_eq!(samples.len(), 2);
    assert!(samples.iter().all(|sample| sample.temperature_celsius.is_some()));
    let health = session.sampler.stop();
    assert_eq!((health.samples, health.lost.len(), health.failure), (2, 1, None));
}

#[test]
fn an_energy_counter_that_restarts_is_seen_and_power_takes_over() {
    let double = Double::with("energy-restart 3\n");
    let (samples, _) = start(&double.path(), 1).stop_after(5, 0);
    let samples = on_a_grid(&samples);
    let energy = |from_ms: u64, to_ms: u64| {
        energy_joules(&samples, from_ms * 1_000_000, to_ms * 1_000_000).total.unwrap()
    };
    assert_eq!(energy(0, 1), Energy { joules: 0.5, source: EnergySource::Counter });
    assert_eq!(energy(2, 4), Energy { joules: 1.0, source: EnergySource::Counter });
    assert_eq!(energy(0, 4).source, EnergySource::Integrated);
}

#[test]
fn process_memory_of_all_ones_is_unknown() {
    let double = Double::with("process-memory-unknown\n");
    let session = start(&double.path(), 1);
    let unknown = |pid| GpuProcess { pid, memory_bytes: None };
    assert_eq!(session.gpus()[0].processes, Some(vec![unknown(4000), unknown(4001)]));
    session.sampler.stop();
}

#[test]
fn a_name_that_is_no_text_is_left_out() {
    let double = Double::with("bad-name\n");
    let session = start(&double.path(), 1);
    assert_eq!(session.gpus()[0].name, None);
    let (_, health) = session.stop_after(1, 0);
    assert_eq!(health.errors[0].call, "name");
}

#[test]
fn samplers_can_run_one_after_the_other_on_the_same_library() {
    let double = Double::with("");
    for _ in 0..3 {
        let (_, health) = start(&double.path(), 1).stop_after(2, 0);
        assert!(health.errors.is_empty());
    }
}

#[test]
fn status_and_health_are_written_as_plain_json() {
    let status = serde_json::to_value(GpuStatus::Absent { reason: "none".to_owned() }).unwrap();
    assert_eq!(status, serde_json::json!({"status": "absent", "reason": "none"}));
    let health = serde_json::to_value(SamplerHealth::default()).unwrap();
    assert_eq!(health["missed"], 0);
}
