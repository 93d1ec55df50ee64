//! Exact figures from hand-made samples.

use super::*;

const MS: u64 = 1_000_000;

fn at(gpu: u32, t_ms: u64) -> GpuSample {
    GpuSample { t_ns: t_ms * MS, gpu, ..GpuSample::default() }
}

fn counted(t_ms: u64, millijoules: u64) -> GpuSample {
    GpuSample { energy_millijoules: Some(millijoules), ..at(0, t_ms) }
}

fn powered(t_ms: u64, milliwatts: u32) -> GpuSample {
    GpuSample { power_milliwatts: Some(milliwatts), ..at(0, t_ms) }
}

fn energy(samples: &[GpuSample], from_ms: u64, to_ms: u64) -> Option<(f64, EnergySource)> {
    energy_joules(samples, from_ms * MS, to_ms * MS).total.map(|energy| (energy.joules, energy.source))
}

#[test]
fn a_counter_gives_its_difference() {
    let samples = [counted(0, 5_000), counted(500, 9_000), counted(1_000, 12_000)];
    assert_eq!(energy(&samples, 0, 1_000), Some((7.0, EnergySource::Counter)));
    assert_eq!(energy(&samples, 500, 1_000), Some((3.0, EnergySource::Counter)));
}

#[test]
fn a_counter_is_interpolated_at_the_edges() {
    let samples = [counted(0, 0), counted(400, 4_000), counted(800, 12_000)];
    // 100 ms: 1000 mJ; 600 ms: 4000 + 4000 mJ.
    assert_eq!(energy(&samples, 100, 600), Some((7.0, EnergySource::Counter)));
    // Both edges inside the same interval.
    assert_eq!(energy(&samples, 100, 200), Some((1.0, EnergySource::Counter)));
}

#[test]
fn samples_may_come_in_any_order() {
    let samples = [counted(1_000, 12_000), counted(0, 5_000), counted(500, 9_000)];
    assert_eq!(energy(&samples, 0, 1_000), Some((7.0, EnergySource::Counter)));
}

#[test]
fn power_is_integrated_by_trapezoids_where_there_is_no_counter() {
    let samples = [powered(0, 100_000), powered(500, 200_000), powered(1_000, 200_000)];
    // 150 W × 0.5 s + 200 W × 0.5 s.
    assert_eq!(energy(&samples, 0, 1_000), Some((175.0, EnergySource::Integrated)));
    // From 100 W to 150 W over 0.25 s.
    assert_eq!(energy(&samples, 0, 250), Some((31.25, EnergySource::Integrated)));
    // 190 W to 200 W over 0.05 s, then 200 W over 0.1 s.
    assert_eq!(energy(&samples, 450, 600), Some((29.75, EnergySource::Integrated)));
}

#[test]
fn a_counter_that_falls_inside_the_window_is_replaced_by_power() {
    let mut samples =
        [counted(0, 50_000), counted(500, 60_000), counted(1_000, 1_000), counted(1_500, 2_000)];
    assert_eq!(energy(&samples, 0, 1_000), None);
    assert_eq!(energy(&samples, 1_000, 1_500), Some((1.0, EnergySource::Counter)));
    for sample in &mut samples {
        sample.power_milliwatts = Some(20_000);
    }
    assert_eq!(energy(&samples, 0, 1_000), Some((20.0, EnergySource::Integrated)));
}

#[test]
fn a_counter_that_stands_still_is_replaced_by_power() {
    let mut samples = [counted(0, 7), counted(500, 7), counted(1_000, 7)];
    assert_eq!(energy(&samples, 0, 1_000), Some((0.0, EnergySource::Counter)));
    for sample in &mut samples {
        sample.power_milliwatts = Some(30_000);
    }
    assert_eq!(energy(&samples, 0, 1_000), Some((30.0, EnergySource::Integrated)));
}

#[test]
fn a_failed_reading_does_not_break_a_counter() {
    let samples = [counted(0, 1_000), at(0, 500), counted(1_000, 3_000)];
    assert_eq!(energy(&samples, 0, 1_000), Some((2.0, EnergySource::Counter)));
}

#[test]
fn a_window_that_readings_do_not_enclose_has_no_energy() {
    let samples = [powered(100, 1_000), powered(200, 1_000)];
    for (from, to) in [(0, 150), (150, 201), (150, 150), (180, 120), (300, 400)] {
        assert_eq!(energy(&samples, from, to), None, "{from}..{to}");
    }
    assert_eq!(energy_joules(&[], 0, MS), PerGpu { gpus: BTreeMap::new(), total: None });
}

#[test]
fn a_hole_breaks_an_integral_but_not_a_counter_outside_it() {
    let powers = [powered(0, 1_000), powered(1_000, 1_000), powered(2_001, 1_000)];
    assert_eq!(energy(&powers, 0, 1_000), Some((1.0, EnergySource::Integrated)));
    assert_eq!(energy(&powers, 0, 1_001), None);
    let counters = [counted(0, 0), counted(5_000, 5_000), counted(5_100, 5_200)];
    assert_eq!(energy(&counters, 0, 5_050), Some((5.1, EnergySource::Counter)));
    assert_eq!(energy(&counters, 2_000, 5_100), None);
}

#[test]
fn readings_with_equal_times_do_not_divide_by_zero() {
    let samples = [powered(0, 1_000), powered(500, 1_000), powered(500, 1_000), powered(1_000, 1_000)];
    assert_eq!(energy(&samples, 0, 1_000), Some((1.0, EnergySource::Integrated)));
    assert_eq!(energy(&samples, 500, 1_000), Some((0.5, EnergySource::Integrated)));
    let samples = [counted(0, 0), counted(500, 500), counted(500, 600), counted(1_000, 1_100)];
    assert_eq!(energy(&samples, 250, 750), Some((0.6, EnergySource::Counter)));
}

#[test]
fn totals_add_up_and_name_the_weaker_source() {
    let mut second = [powered(0, 40_000), powered(1_000, 40_000)];
    for sample in &mut second {
        sample.gpu = 4;
    }
    let samples = [&[counted(0, 0), counted(1_000, 60_000)][..], &second].concat();
    let power = mean_power_watts(&samples, 0, 1_000 * MS);
    assert_eq!(power.gpus[&0], Some(Power { watts: 60.0, source: EnergySource::Counter }));
    assert_eq!(power.gpus[&4], Some(Power { watts: 40.0, source: EnergySource::Integrated }));
    assert_eq!(power.total, Some(Power { watts: 100.0, source: EnergySource::Integrated }));
}

#[test]
fn mean_power_divides_by_the_length_of_the_window() {
    let samples = [counted(0, 0), counted(500, 50_000), counted(1_000, 150_000)];
    let power = mean_power_watts(&samples, 500 * MS, 1_000 * MS);
    assert_eq!(power.total, Some(Power { watts: 200.0, source: EnergySource::Counter }));
    assert_eq!(mean_power_watts(&samples, 500 * MS, 500 * MS).total, None);
}

#[test]
fn a_gpu_without_the_figure_leaves_no_total() {
    // GPU 1 was lost after 400 ms.
    let lost = GpuSample { memory_used_bytes: Some(9), energy_millijoules: Some(1), ..at(1, 400) };
    let kept = |t_ms, mj| GpuSample { memory_used_bytes: Some(mj), ..counted(t_ms, mj) };
    let samples = [kept(0, 10), kept(500, 20), kept(1_000, 30), lost];
    let energy = energy_joules(&samples, 0, 1_000 * MS);
    assert_eq!(energy.gpus[&0], Some(Energy { joules: 0.02, source: EnergySource::Counter }));
    assert_eq!((energy.gpus[&1], energy.total), (None, None));
    assert_eq!(peak_memory_bytes(&samples, 450 * MS, 1_000 * MS).total, None);
    assert_eq!(peak_memory_bytes(&samples, 0, 1_000 * MS).total, Some(39));
}

#[test]
fn peak_memory_is_the_largest_reading_inside_the_window() {
    let used = |gpu, t_ms, bytes| GpuSample { memory_used_bytes: Some(bytes), ..at(gpu, t_ms) };
    let samples =
        [used(0, 0, 900), used(0, 100, 10), used(0, 200, 30), used(0, 300, 20), used(1, 150, 5), at(0, 250)];
    let peak = peak_memory_bytes(&samples, 100 * MS, 300 * MS);
    assert_eq!((peak.gpus[&0], peak.gpus[&1], peak.total), (Some(30), Some(5), Some(35)));
    assert_eq!(peak_memory_bytes(&samples, 201 * MS, 299 * MS).gpus[&0], None);
}

#[test]
fn throttling_is_the_union_of_what_was_seen() {
    let held = |t_ms, bits| GpuSample { throttle: Some(bits), ..at(0, t_ms) };
    let samples = [held(0, 128), held(100, 1), held(200, 4), held(300, 64)];
    let seen = throttle_seen(&samples, 100 * MS, 300 * MS).total.unwrap();
    assert_eq!(seen, 69);
    assert_eq!(throttle_names(seen), ["software power cap", "hardware thermal slowdown"]);
    assert!(throttle_names(1 | 2 | 256).is_empty());
    assert_eq!(throttle_seen(&[at(0, 1)], 0, MS).total, None);
}
