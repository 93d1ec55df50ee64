//! GPU samples: the types, the sampling thread, and the figures derived from samples.
//!
//! It must not know of requests or load points: windows are given as times on the run's clock.

mod derive;
mod fault;
mod nvml;
mod sampler;
mod schedule;

pub use derive::{
    Energy, EnergySource, MAX_GAP_NS, PerGpu, Power, energy_joules, mean_power_watts, peak_memory_bytes,
    throttle_names, throttle_seen,
};
pub use fault::SamplerError;
pub use sampler::{DEFAULT_PERIOD, GpuSampler, LostGpu, SamplerHealth};

use serde::{Deserialize, Serialize};

/// Whether GPUs are sampled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GpuMode {
    /// Sample every GPU that NVML shows; none found is a message, not an error.
    #[default]
    Auto,
    /// Load no library and start no thread.
    Off,
}

/// What was found when sampling was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum GpuStatus {
    /// Sampling was switched off.
    Off,
    /// There is nothing to sample.
    Absent {
        /// Why, on one line, with what to do about it.
        reason: String,
    },
    /// These GPUs are being sampled.
    Present {
        /// One entry per GPU, by index.
        gpus: Vec<GpuInfo>,
    },
}

/// What does not change about a GPU during a run. Fields the driver does not tell are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GpuInfo {
    /// NVML's index; the `gpu` of its samples.
    pub index: u32,
    /// Product name, for example `NVIDIA H100 80GB HBM3`.
    pub name: Option<String>,
    /// The identifier that `CUDA_VISIBLE_DEVICES` also accepts.
    pub uuid: Option<String>,
    /// Installed memory, bytes.
    pub memory_total_bytes: Option<u64>,
    /// Driver version, for example `570.124.06`.
    pub driver: Option<String>,
    /// Newest CUDA version the driver supports, for example `12.4`.
    pub cuda: Option<String>,
    /// Compute capability, for example `9.0`.
    pub compute_capability: Option<String>,
    /// The power limit in force, milliwatts: two equal GPUs under different limits are not comparable.
    pub power_limit_milliwatts: Option<u32>,
    /// Whether the GPU is split into instances (MIG); utilisation is then not reported.
    pub mig: Option<bool>,
    /// Processes that held compute contexts when sampling started; `None` when the driver refuses to list them.
    pub processes: Option<Vec<GpuProcess>>,
}

/// A process with a compute context on a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GpuProcess {
    /// Process id as the driver sees it (the host's, not the container's).
    pub pid: u32,
    /// Memory it holds, bytes; `None` where the driver cannot tell (WDDM, other process namespaces).
    pub memory_bytes: Option<u64>,
}

/// One GPU at one moment. A call that failed leaves its field `None`.
///
/// Units and windows are NVML's (`nvml.h`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GpuSample {
    /// When the reading of this GPU began: nanoseconds of the monotonic clock since the epoch given at start.
    pub t_ns: u64,
    /// NVML's index of the GPU.
    pub gpu: u32,
    /// Memory in use, bytes, without what the driver reserves for itself.
    pub memory_used_bytes: Option<u64>,
    /// Installed memory, bytes.
    pub memory_total_bytes: Option<u64>,
    /// Share of time with at least one kernel running, 0–100, over the driver's last window (1/6 s to 1 s).
    pub utilization_percent: Option<u32>,
    /// Share of time the memory was being read or written, 0–100, over the same window.
    pub memory_utilization_percent: Option<u32>,
    /// Board power, milliwatts: a one-second mean on Ampere (except GA100) and newer, else instantaneous.
    pub power_milliwatts: Option<u32>,
    /// Energy since the driver was loaded, millijoules (Volta and newer).
    pub energy_millijoules: Option<u64>,
    /// Die temperature, °C.
    pub temperature_celsius: Option<u32>,
    /// Clock of the streaming multiprocessors, MHz.
    pub sm_clock_mhz: Option<u32>,
    /// Why clocks are below their maximum, as NVML's bits; see [`throttle_names`].
    pub throttle: Option<u64>,
}
