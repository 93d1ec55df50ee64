//! NVIDIA's management library: opens it, lists the GPUs, reads one GPU.
//!
//! It must not know threads or schedules. Calls that block for long (`PCIe` throughput: about 20 ms) have no place
//! here, since everything in [`NvmlBoard`] runs inside the sampling loop.

use std::path::Path;

use nvml_wrapper::enum_wrappers::device::{Clock, TemperatureSensor};
use nvml_wrapper::enums::device::UsedGpuMemory;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};

use super::fault::{Tally, one_line};
use super::sampler::{Board, Lost};
use super::{GpuInfo, GpuProcess, GpuSample};

/// More GPUs than one machine holds; a library that claims more is not believed.
const MAX_GPUS: u32 = 256;

/// Loads and starts the library: `library`, or the system's own when `None`.
///
/// # Errors
/// One line: what failed, why, and what to do.
pub(super) fn open(library: Option<&Path>) -> Result<Nvml, String> {
    let mut builder = Nvml::builder();
    if let Some(path) = library {
        builder.lib_path(path.as_os_str());
    }
    builder.init().map_err(|error| {
        let cause = one_line(&error.to_string());
        match error {
            NvmlError::LibloadingError(_) => format!(
                "no GPU samples: the NVML library cannot be loaded ({cause}); install the NVIDIA driver or name its `libnvidia-ml.so.1`"
            ),
            NvmlError::FailedToLoadSymbol(_) => {
                format!("no GPU samples: the library is not NVML or too old ({cause}); update the NVIDIA driver")
            }
            _ => format!("no GPU samples: NVML does not start ({cause}); see whether `nvidia-smi` works"),
        }
    })
}

/// The GPUs of one open library.
pub(super) struct NvmlBoard<'nvml> {
    devices: Vec<(u32, Device<'nvml>)>,
}

impl<'nvml> NvmlBoard<'nvml> {
    /// Finds the GPUs. Those that cannot be opened are left out and noted in `tally`.
    ///
    /// # Errors
    /// One line, when there is no GPU to sample.
    pub(super) fn find(nvml: &'nvml Nvml, tally: &mut Tally) -> Result<(Self, Vec<GpuInfo>), String> {
        let count = nvml.device_count().map_err(|error| {
            format!(
                "no GPU samples: NVML cannot count the GPUs ({}); see whether `nvidia-smi` works",
                one_line(&error.to_string())
            )
        })?;
        if count > MAX_GPUS {
            tally.note("count", None, &format!("{count} GPUs claimed, the first {MAX_GPUS} are used"));
        }
        let mut devices = Vec::new();
        let mut infos = Vec::new();
        let mut refusal = None;
        for index in 0..count.min(MAX_GPUS) {
            match nvml.device_by_index(index) {
                Ok(device) => {
                    infos.push(info(nvml, index, &device, tally));
                    devices.push((index, device));
                }
                Err(error) => {
                    tally.note("open", Some(index), &error.to_string());
                    refusal.get_or_insert_with(|| one_line(&error.to_string()));
                }
            }
        }
        match (devices.is_empty(), refusal) {
            (false, _) => Ok((Self { devices }, infos)),
            (true, None) => {
                Err("no GPU samples: NVML shows no GPU; see whether `nvidia-smi -L` lists one".to_owned())
            }
            (true, Some(cause)) => {
                Err(format!("no GPU samples: no GPU can be opened ({cause}); check the device permissions"))
            }
        }
    }
}

impl Board for NvmlBoard<'_> {
    fn gpus(&self) -> Vec<u32> {
        self.devices.iter().map(|(index, _)| *index).collect()
    }

    fn read(&self, slot: usize, sample: &mut GpuSample, tally: &mut Tally) -> Result<(), Lost> {
        let (index, device) = &self.devices[slot];
        let mut reader = Reader { gpu: *index, tally };
        // Energy and power first: they are the ones whose distance to the stamp matters.
        sample.energy_millijoules = reader.get("energy", device.total_energy_consumption())?;
        sample.power_milliwatts = reader.get("power", device.power_usage())?;
        let utilization = reader.get("utilization", device.utilization_rates())?;
        sample.utilization_percent = utilization.as_ref().map(|rates| rates.gpu);
        sample.memory_utilization_percent = utilization.as_ref().map(|rates| rates.memory);
        let memory = reader.get("memory", device.memory_info())?;
        sample.memory_used_bytes = memory.as_ref().map(|info| info.used);
        sample.memory_total_bytes = memory.as_ref().map(|info| info.total);
        sample.temperature_celsius = reader.get("temperature", device.temperature(TemperatureSensor::Gpu))?;
        sample.sm_clock_mhz = reader.get("clock", device.clock_info(Clock::SM))?;
        sample.throttle =
            reader.get("throttle", device.current_throttle_reasons())?.map(|reasons| reasons.bits());
        Ok(())
    }
}

/// Turns answers of one GPU into optional values, noting failures.
struct Reader<'tally> {
    gpu: u32,
    tally: &'tally mut Tally,
}

impl Reader<'_> {
    fn get<T>(&mut self, call: &'static str, answer: Result<T, NvmlError>) -> Result<Option<T>, Lost> {
        match answer {
            Ok(value) => Ok(Some(value)),
            Err(error) => {
                self.tally.note(call, Some(self.gpu), &error.to_string());
                match error {
                    // Neither comes back without a reset of the GPU, which a run does not survive.
                    NvmlError::GpuLost | NvmlError::ResetRequired => Err(Lost),
                    _ => Ok(None),
                }
            }
        }
    }
}

/// Reads what stays the same during a run. Old drivers lack some of it, which is no error.
fn info(nvml: &Nvml, index: u32, device: &Device<'_>, tally: &mut Tally) -> GpuInfo {
    let mut note = |call, error: NvmlError| tally.note(call, Some(index), &error.to_string());
    GpuInfo {
        index,
        name: device.name().map_err(|error| note("name", error)).ok().map(|name| one_line(&name)),
        uuid: device.uuid().map_err(|error| note("uuid", error)).ok().map(|uuid| one_line(&uuid)),
        memory_total_bytes: device
            .memory_info()
            .map_err(|error| note("memory", error))
            .ok()
            .map(|memory| memory.total),
        driver: nvml.sys_driver_version().ok().map(|version| one_line(&version)),
        // 12040 stands for 12.4.
        cuda: nvml.sys_cuda_driver_version().ok().map(|v| format!("{}.{}", v / 1000, v % 1000 / 10)),
        compute_capability: device
            .cuda_compute_capability()
            .ok()
            .map(|cc| format!("{}.{}", cc.major, cc.minor)),
        power_limit_milliwatts: device.enforced_power_limit().ok(),
        mig: device.mig_mode().ok().map(|mode| mode.current != 0),
        processes: device.running_compute_processes().ok().map(|list| {
            let one = |process: &nvml_wrapper::struct_wrappers::device::ProcessInfo| GpuProcess {
                pid: process.pid,
                memory_bytes: match process.used_gpu_memory {
                    UsedGpuMemory::Used(bytes) => Some(bytes),
                    UsedGpuMemory::Unavailable => None,
                },
            };
            list.iter().map(one).collect()
        }),
    }
}
