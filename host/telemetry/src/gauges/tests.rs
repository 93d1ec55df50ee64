//! Figures over windows of readings.

use super::*;

const S: u64 = 1_000_000_000;

fn sample(t_ns: u64, change: impl FnOnce(&mut GaugeSample)) -> GaugeSample {
    let mut sample = GaugeSample { t_ns, ..GaugeSample::default() };
    change(&mut sample);
    sample
}

fn kv(points: &[(u64, f64)]) -> Vec<GaugeSample> {
    points.iter().map(|(t, v)| sample(*t, |s| s.kv_cache_use = Some(*v))).collect()
}

fn near(value: Option<f64>, expected: f64) -> bool {
    value.is_some_and(|v| (v - expected).abs() < 1e-9)
}

#[test]
fn only_canonical_and_finite_figures_are_taken() {
    let told = [("running", 3.0), ("kv_cache_use", 0.5), ("invented", 1.0), ("waiting", f64::NAN)];
    let told: Vec<(String, f64)> = told.iter().map(|(n, v)| ((*n).to_owned(), *v)).collect();
    let read = GaugeSample::of(7, 2, &told);
    assert_eq!(
        read,
        GaugeSample {
            t_ns: 7,
            took_ns: 2,
            running: Some(3.0),
            kv_cache_use: Some(0.5),
            ..GaugeSample::default()
        }
    );
    assert!(!read.is_empty() && GaugeSample::of(7, 2, &told[2..]).is_empty());
}

#[test]
fn every_canonical_name_has_a_field() {
    let names = include_str!("../../../../wit/gauges.md").lines();
    let names: Vec<&str> =
        names.filter_map(|l| l.strip_prefix("| `")?.split_once('`')).map(|(name, _)| name).collect();
    assert!(names.len() > 10);
    for name in names {
        assert!(!GaugeSample::of(0, 0, &[(name.to_owned(), 1.0)]).is_empty(), "{name}");
    }
}

#[test]
fn a_peak_is_read_inside_and_a_mean_is_weighted_by_time() {
    // 0 for a second, rising to 1 within the next, 1 for two more.
    let samples = kv(&[(0, 0.0), (S, 0.0), (2 * S, 1.0), (4 * S, 1.0)]);
    let whole = figures(&samples, 0, 4 * S);
    assert!(near(whole.kv_cache_peak, 1.0) && near(whole.kv_cache_mean, 2.5 / 4.0));
    let part = figures(&samples, S, 3 * S / 2);
    assert!(near(part.kv_cache_peak, 0.0) && near(part.kv_cache_mean, 0.25));
    let mut shuffled = samples;
    shuffled.reverse();
    assert_eq!(figures(&shuffled, 0, 4 * S), whole);
}

#[test]
fn the_edges_hold_the_outer_values_and_a_hole_gives_no_mean() {
    let samples = kv(&[(S, 0.5), (2 * S, 0.5)]);
    assert!(near(figures(&samples, 0, 3 * S).kv_cache_mean, 0.5));
    assert_eq!(figures(&samples, 0, 2 * S + MAX_GAP_NS + 1).kv_cache_mean, None);
    let holed = kv(&[(0, 0.5), (MAX_GAP_NS + 1, 0.7)]);
    let figures_of = figures(&holed, 0, MAX_GAP_NS + 1);
    assert!(figures_of.kv_cache_mean.is_none() && near(figures_of.kv_cache_peak, 0.7));
    assert_eq!(figures(&samples, 3 * S, 4 * S).kv_cache_mean, None, "nothing was read inside");
    assert_eq!(figures(&samples, S, S), GaugeFigures { kv_cache_peak: Some(0.5), ..GaugeFigures::default() });
    assert_eq!(figures(&[], 0, S), GaugeFigures::default());
}

#[test]
fn a_reading_counts_at_its_middle() {
    let slow = sample(S, |s| (s.took_ns, s.running) = (2 * S, Some(4.0)));
    assert_eq!(figures(&[slow], 0, 3 * S / 2).running_peak, None);
    assert!(near(figures(&[slow], 0, 2 * S).running_peak, 4.0));
}

#[test]
fn counters_rise_over_the_window_and_survive_a_restart() {
    let count = |t: u64, n: f64| sample(t, |s| s.preemptions = Some(n));
    let samples = [count(0, 5.0), count(S, 7.0), count(2 * S, 7.0), count(3 * S, 10.0), count(4 * S, 2.0)];
    let of = |from, to| figures(&samples, from, to).preemptions;
    assert!(near(of(S, 3 * S), 3.0));
    assert!(near(of(S / 2, 5 * S / 2), 2.0), "from the last reading before the window");
    assert!(near(of(0, 4 * S), 7.0), "2 after the restart");
    assert_eq!(of(4 * S, 5 * S), None, "one reading is no rise");
    assert_eq!(figures(&samples[..1], 0, S).preemptions, None);
}

#[test]
fn the_hit_share_is_that_of_the_tokens_of_the_window() {
    let cache = |t: u64, hits: f64, queries: f64| {
        sample(t, |s| (s.prefix_cache_hits, s.prefix_cache_queries) = (Some(hits), Some(queries)))
    };
    let samples = [cache(0, 900.0, 1000.0), cache(S, 900.0, 1000.0), cache(2 * S, 950.0, 1200.0)];
    assert!(near(figures(&samples, 0, 2 * S).prefix_hit_share, 0.25));
    assert_eq!(figures(&samples, 0, S).prefix_hit_share, None, "nothing was looked up");
    let told = |t: u64, share: f64| sample(t, |s| s.prefix_hit_share = Some(share));
    assert!(near(figures(&[told(0, 0.0), told(2 * S, 1.0)], 0, 2 * S).prefix_hit_share, 0.5));
}
