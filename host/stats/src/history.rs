//! Change points in a series of results, one value a run, oldest first.
//!
//! Comparing neighbours misses a slow drift that each comparison lets pass; this looks at the whole series. Knows
//! numbers in order.

use crate::distribution::student_t_p;
use crate::effect::welch_statistic;
use crate::sample::mean;

/// Fewest values between two change points.
const SHORTEST: usize = 5;
/// First cuts are made generously, because a change and its reversal hide one another; the strict level decides which
/// of them stay.
const GENEROUS_ALPHA: f64 = 0.2;

/// Where the level of a series changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChangePoint {
    /// Position of the first value of the new level, counted from 0.
    pub index: usize,
    /// Mean from the change point before to this one.
    pub before: f64,
    /// Mean from this one to the next.
    pub after: f64,
    /// Two-sided p-value of Welch's t between these two stretches.
    pub p: f64,
}

/// Change points whose p-value is below `alpha` (0.001 is usual: the best cut is the largest of many), at least five
/// values apart.
///
/// E-divisive means (Matteson & James 2014, J. Am. Stat. Assoc. 109): the series is cut where the energy distance of
/// the two parts is largest, and the parts again. In place of random permutations a t-test decides, so that the answer
/// never changes between two readings (Fleming et al. 2023, "Hunter"). Cuts are made at a generous level first, then
/// the weakest is taken out as long as it is above `alpha`.
///
/// Values that are not finite give no change points. Takes n log n for each cut.
///
/// ```
/// use benchhost_stats::change_points;
///
/// let level = |i: i32| if i < 20 { 10.0 } else { 10.5 };
/// let series: Vec<f64> = (0..40).map(|i| level(i) + f64::from(i * 7 % 5) / 20.0).collect();
/// let found = change_points(&series, 0.001);
/// assert_eq!(found.len(), 1);
/// assert_eq!(found[0].index, 20);
/// ```
pub fn change_points(values: &[f64], alpha: f64) -> Vec<ChangePoint> {
    if values.iter().any(|value| !value.is_finite()) {
        return Vec::new();
    }
    let mut cuts = vec![0, values.len()];
    let mut open = vec![(0, values.len())];
    while let Some((from, to)) = open.pop() {
        let Some(at) = best_cut(&values[from..to]).map(|at| from + at) else {
            continue;
        };
        if p_value(&values[from..at], &values[at..to]) < GENEROUS_ALPHA {
            cuts.push(at);
            open.extend([(from, at), (at, to)]);
        }
    }
    cuts.sort_unstable();
    let point = |around: &[usize]| {
        let (left, right) = (&values[around[0]..around[1]], &values[around[1]..around[2]]);
        ChangePoint { index: around[1], before: mean(left), after: mean(right), p: p_value(left, right) }
    };
    loop {
        let points: Vec<ChangePoint> = cuts.windows(3).map(point).collect();
        let weakest = points.iter().enumerate().max_by(|left, right| left.1.p.total_cmp(&right.1.p));
        match weakest {
            Some((at, weakest)) if weakest.p >= alpha => cuts.remove(at + 1),
            _ => return points,
        };
    }
}

fn p_value(left: &[f64], right: &[f64]) -> f64 {
    let (t, degrees) = welch_statistic(left, right);
    student_t_p(t, degrees)
}

/// The cut with the largest energy statistic; `None` if the values are too few for two stretches or all alike.
///
/// For a cut into m and n values the statistic is mn/(m+n)·(2·mean|x−y| − mean|x−x′| − mean|y−y′|). Moving one value
/// across the cut changes the three sums by its distances to either part, which a tree over the ranks gives in log n.
fn best_cut(values: &[f64]) -> Option<usize> {
    let count = values.len();
    if count < 2 * SHORTEST {
        return None;
    }
    // Distances do not depend on the offset, their rounding does.
    let centre = mean(values);
    let values: Vec<f64> = values.iter().map(|value| value - centre).collect();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&left, &right| values[left].total_cmp(&values[right]));
    let mut rank = vec![0; count];
    order.iter().enumerate().for_each(|(at, &index)| rank[index] = at);
    let (mut left, mut right) = (Ranked::new(count), Ranked::new(count));
    let mut right_inside = 0.0;
    for (&value, &rank) in values.iter().zip(&rank) {
        right_inside += right.distances(value, rank);
        right.add(value, rank, 1.0);
    }
    let (mut left_inside, mut between) = (0.0, 0.0);
    let (mut best, mut best_at) = (0.0, None);
    for (at, (&value, &rank)) in values.iter().zip(&rank).enumerate() {
        right.add(value, rank, -1.0);
        let (to_left, to_right) = (left.distances(value, rank), right.distances(value, rank));
        left.add(value, rank, 1.0);
        right_inside -= to_right;
        left_inside += to_left;
        between += to_right - to_left;
        let (m, n) = (at as f64 + 1.0, (count - at - 1) as f64);
        if at + 1 < SHORTEST || count - at - 1 < SHORTEST {
            continue;
        }
        // Means over all pairs, a value with itself included.
        let energy = 2.0 * between / (m * n) - 2.0 * left_inside / (m * m) - 2.0 * right_inside / (n * n);
        let statistic = m * n / (m + n) * energy;
        if statistic > best {
            (best, best_at) = (statistic, Some(at + 1));
        }
    }
    best_at
}

/// Values with their ranks in a binary indexed tree (Fenwick 1994): how many and how much up to a rank.
struct Ranked {
    tree: Vec<(f64, f64)>,
    all: (f64, f64),
}

impl Ranked {
    fn new(count: usize) -> Self {
        Self { tree: vec![(0.0, 0.0); count + 1], all: (0.0, 0.0) }
    }

    fn add(&mut self, value: f64, rank: usize, times: f64) {
        self.all = (self.all.0 + times, self.all.1 + times * value);
        let mut node = rank + 1;
        while node < self.tree.len() {
            self.tree[node].0 += times;
            self.tree[node].1 += times * value;
            node += node & node.wrapping_neg();
        }
    }

    /// Sum of distances from a value to all values held.
    fn distances(&self, value: f64, rank: usize) -> f64 {
        let (mut count, mut sum) = (0.0, 0.0);
        let mut node = rank + 1;
        while node > 0 {
            count += self.tree[node].0;
            sum += self.tree[node].1;
            node &= node - 1;
        }
        (count * value - sum) + ((self.all.1 - sum) - (self.all.0 - count) * value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise in ±0.5 from a small congruential generator.
    fn noise(seed: u32) -> impl Iterator<Item = f64> {
        let mut state = seed;
        std::iter::repeat_with(move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 16) / 65_536.0 - 0.5
        })
    }

    fn levels(levels: &[(f64, usize)]) -> Vec<f64> {
        let steps = levels.iter().flat_map(|&(level, count)| std::iter::repeat_n(level, count));
        steps.zip(noise(7)).map(|(level, noise)| level + noise).collect()
    }

    fn indices(values: &[f64]) -> Vec<usize> {
        change_points(values, 0.001).iter().map(|point| point.index).collect()
    }

    #[test]
    fn levels_are_told_apart_where_they_change() {
        assert_eq!(indices(&levels(&[(10.0, 30), (14.0, 30), (12.0, 30)])), [30, 60]);
        let found = change_points(&levels(&[(10.0, 30), (12.0, 30)]), 0.001);
        assert!(
            (found[0].before - 10.0).abs() < 0.2 && (found[0].after - 12.0).abs() < 0.2 && found[0].p < 1e-6
        );
    }

    #[test]
    fn a_change_and_its_reversal_do_not_hide_one_another() {
        assert_eq!(indices(&levels(&[(10.0, 40), (13.0, 10), (10.0, 40)])), [40, 50]);
    }

    #[test]
    fn noise_and_constants_have_no_change_point() {
        assert!(indices(&levels(&[(10.0, 200)])).is_empty());
        assert!(indices(&[4.0; 100]).is_empty());
        assert!(indices(&[1.0, 9.0, 1.0, 9.0, 1.0, 9.0, 1.0, 9.0, 1.0]).is_empty(), "nine are too few");
        assert!(indices(&[]).is_empty());
        let mut broken = levels(&[(10.0, 30), (20.0, 30)]);
        broken[3] = f64::NAN;
        assert!(indices(&broken).is_empty());
    }

    #[test]
    fn two_constants_change_once_and_stretches_keep_their_length() {
        let stairs: Vec<f64> = (0..20).map(|i| if i < 10 { 1.0 } else { 2.0 }).collect();
        assert_eq!(indices(&stairs), [10]);
        let mut spike = levels(&[(10.0, 40)]);
        spike[39] = 1000.0;
        assert!(indices(&spike).is_empty(), "one value is no level");
    }

    #[test]
    fn the_tree_equals_the_plain_sums() {
        let values = levels(&[(5.0, 12), (6.0, 9)]);
        let mean_distance = |a: &[f64], b: &[f64]| {
            let sum: f64 = a.iter().flat_map(|x| b.iter().map(move |y| (x - y).abs())).sum();
            sum / (a.len() * b.len()) as f64
        };
        let statistic = |at: usize| {
            let (a, b) = values.split_at(at);
            let scale = (a.len() * b.len()) as f64 / values.len() as f64;
            scale * (2.0 * mean_distance(a, b) - mean_distance(a, a) - mean_distance(b, b))
        };
        let slow = (SHORTEST..=values.len() - SHORTEST)
            .max_by(|&a, &b| statistic(a).total_cmp(&statistic(b)))
            .unwrap();
        assert_eq!(best_cut(&values), Some(slow));
    }
}
