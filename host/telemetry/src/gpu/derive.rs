//! Figures from GPU samples over a window: energy, mean power, peak memory, throttling. Pure functions.
//!
//! It must not know where samples come from. A figure the samples cannot carry is `None`, never an estimate.
//! Samples may come in any order; those of one GPU are sorted by time first.

use std::collections::BTreeMap;

use serde::Serialize;

use super::GpuSample;

/// The widest hole between two readings across which a value is interpolated, nanoseconds.
///
/// NVML's power is a mean over about one second on current GPUs, so a wider hole hides energy that no reading saw.
pub const MAX_GAP_NS: u64 = 1_000_000_000;

/// One figure per GPU and for all together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PerGpu<T> {
    /// Every GPU that occurs in the samples, by index; `None` where its samples cannot carry the figure.
    pub gpus: BTreeMap<u32, Option<T>>,
    /// Over all GPUs; `None` as soon as one lacks the figure, since a sum without it would be too small.
    pub total: Option<T>,
}

/// Where an energy comes from. A sum counts as [`Integrated`](Self::Integrated) when one part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EnergySource {
    /// The difference of the driver's energy counter.
    Counter,
    /// The integral of power readings by the trapezoidal rule.
    Integrated,
}

/// Energy over a window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Energy {
    /// Joules.
    pub joules: f64,
    /// How it was obtained.
    pub source: EnergySource,
}

/// Mean power over a window: its energy divided by its length.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Power {
    /// Watts.
    pub watts: f64,
    /// How the energy was obtained.
    pub source: EnergySource,
}

/// One reading: time in nanoseconds, value. Counters stay exact in an `f64` up to 2^53 mJ.
type Point = (u64, f64);

/// Energy between `from_ns` and `to_ns`.
///
/// The energy counter is used when it never falls inside the window and moves at all (some boards report a constant);
/// otherwise power is integrated. At the edges both are interpolated linearly between the enclosing readings. `None`
/// when the window is empty, is not enclosed by readings, or a hole wider than [`MAX_GAP_NS`] lies where
/// interpolation is needed.
pub fn energy_joules(samples: &[GpuSample], from_ns: u64, to_ns: u64) -> PerGpu<Energy> {
    let per_gpu = each_gpu(samples, |own| energy_of_one(own, from_ns, to_ns));
    combine(per_gpu, |a, b| Energy { joules: a.joules + b.joules, source: weaker(a.source, b.source) })
}

/// Mean power between `from_ns` and `to_ns`: [`energy_joules`] divided by the length of the window.
pub fn mean_power_watts(samples: &[GpuSample], from_ns: u64, to_ns: u64) -> PerGpu<Power> {
    let seconds = to_ns.saturating_sub(from_ns) as f64 / 1e9;
    let energy = energy_joules(samples, from_ns, to_ns);
    // An empty window has no energy, so nothing is ever divided by zero.
    let power = |energy: Energy| Power { watts: energy.joules / seconds, source: energy.source };
    PerGpu {
        gpus: energy.gpus.into_iter().map(|(gpu, energy)| (gpu, energy.map(power))).collect(),
        total: energy.total.map(power),
    }
}

/// The largest memory use read from `from_ns` to `to_ns`, both included.
///
/// The total is the sum of the peaks: an upper bound of the simultaneous use, reached when the peaks coincide.
pub fn peak_memory_bytes(samples: &[GpuSample], from_ns: u64, to_ns: u64) -> PerGpu<u64> {
    let per_gpu = each_gpu(samples, |own| {
        inside(own, from_ns, to_ns).filter_map(|sample| sample.memory_used_bytes).max()
    });
    combine(per_gpu, u64::saturating_add)
}

/// Every throttling reason read from `from_ns` to `to_ns`, both included, as the union of NVML's bits.
pub fn throttle_seen(samples: &[GpuSample], from_ns: u64, to_ns: u64) -> PerGpu<u64> {
    let per_gpu = each_gpu(samples, |own| {
        inside(own, from_ns, to_ns).filter_map(|sample| sample.throttle).reduce(|a, b| a | b)
    });
    combine(per_gpu, |a, b| a | b)
}

/// Names of the throttling bits that say a GPU was held back; idle (1), chosen clocks (2) and display (256) do not.
///
/// Bits after `nvml.h`, `nvmlClocksThrottleReason…`.
pub fn throttle_names(bits: u64) -> Vec<&'static str> {
    const HELD_BACK: [(u64, &str); 6] = [
        (4, "software power cap"),
        (8, "hardware slowdown"),
        (16, "sync boost"),
        (32, "software thermal slowdown"),
        (64, "hardware thermal slowdown"),
        (128, "hardware power brake"),
    ];
    HELD_BACK.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, name)| *name).collect()
}

fn each_gpu<T>(
    samples: &[GpuSample],
    figure: impl Fn(&[&GpuSample]) -> Option<T>,
) -> BTreeMap<u32, Option<T>> {
    let mut by_gpu: BTreeMap<u32, Vec<&GpuSample>> = BTreeMap::new();
    for sample in samples {
        by_gpu.entry(sample.gpu).or_default().push(sample);
    }
    let one = |(gpu, mut own): (u32, Vec<&GpuSample>)| {
        own.sort_by_key(|sample| sample.t_ns);
        (gpu, figure(&own))
    };
    by_gpu.into_iter().map(one).collect()
}

fn combine<T: Copy>(gpus: BTreeMap<u32, Option<T>>, add: impl Fn(T, T) -> T) -> PerGpu<T> {
    let known: Option<Vec<T>> = gpus.values().copied().collect();
    PerGpu { total: known.and_then(|values| values.into_iter().reduce(add)), gpus }
}

fn weaker(a: EnergySource, b: EnergySource) -> EnergySource {
    if a == b { a } else { EnergySource::Integrated }
}

fn inside<'a>(own: &'a [&'a GpuSample], from_ns: u64, to_ns: u64) -> impl Iterator<Item = &'a GpuSample> {
    own.iter().copied().filter(move |sample| (from_ns..=to_ns).contains(&sample.t_ns))
}

fn energy_of_one(own: &[&GpuSample], from_ns: u64, to_ns: u64) -> Option<Energy> {
    let counter: Vec<Point> =
        own.iter().filter_map(|s| Some((s.t_ns, s.energy_millijoules? as f64))).collect();
    let power: Vec<Point> =
        own.iter().filter_map(|s| Some((s.t_ns, f64::from(s.power_milliwatts?)))).collect();
    let difference = counter_difference(&counter, from_ns, to_ns)
        .map(|millijoules| Energy { joules: millijoules / 1e3, source: EnergySource::Counter });
    // 1 mW over 1 ns is 1e-12 J.
    let integrated = || {
        trapezoid(&power, from_ns, to_ns)
            .map(|sum| Energy { joules: sum / 1e12, source: EnergySource::Integrated })
    };
    match difference {
        Some(energy) if energy.joules > 0.0 => Some(energy),
        // A counter that stands still is believed only when no power reading contradicts it.
        Some(still) => integrated().or(Some(still)),
        None => integrated(),
    }
}

/// The points from the last one at or before `from_ns` to the first one at or after `to_ns`.
fn enclosing(points: &[Point], from_ns: u64, to_ns: u64) -> Option<&[Point]> {
    if from_ns >= to_ns {
        return None;
    }
    let first = points.partition_point(|point| point.0 <= from_ns).checked_sub(1)?;
    let last = points.partition_point(|point| point.0 < to_ns);
    points.get(first..=last)
}

fn counter_difference(points: &[Point], from_ns: u64, to_ns: u64) -> Option<f64> {
    let points = enclosing(points, from_ns, to_ns)?;
    if points.windows(2).any(|pair| pair[1].1 < pair[0].1) {
        return None;
    }
    let start = edge(points.first()?, points.get(1)?, from_ns)?;
    let end = edge(points.get(points.len() - 2)?, points.last()?, to_ns)?;
    Some(end - start)
}

/// The value at `t_ns`, exact on a point, interpolated across at most [`MAX_GAP_NS`] between two.
fn edge(before: &Point, after: &Point, t_ns: u64) -> Option<f64> {
    match t_ns {
        t if t == before.0 => Some(before.1),
        t if t == after.0 => Some(after.1),
        _ if after.0 - before.0 > MAX_GAP_NS => None,
        _ => Some(between(before, after, t_ns)),
    }
}

fn between(before: &Point, after: &Point, t_ns: u64) -> f64 {
    let share = (t_ns - before.0) as f64 / (after.0 - before.0) as f64;
    before.1 + (after.1 - before.1) * share
}

fn trapezoid(points: &[Point], from_ns: u64, to_ns: u64) -> Option<f64> {
    let points = enclosing(points, from_ns, to_ns)?;
    let mut sum = 0.0;
    for pair in points.windows(2) {
        let (before, after) = (&pair[0], &pair[1]);
        let (left, right) = (before.0.max(from_ns), after.0.min(to_ns));
        if after.0 - before.0 > MAX_GAP_NS {
            return None;
        }
        if left < right {
            let heights = between(before, after, left) + between(before, after, right);
            sum += heights / 2.0 * (right - left) as f64;
        }
    }
    Some(sum)
}

#[cfg(test)]
mod tests;
