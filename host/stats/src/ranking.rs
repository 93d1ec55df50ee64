//! The order of more than two sides, with what chance leaves open about it.
//!
//! Knows run summaries and a direction.

use crate::compare::CompareError;
use crate::distribution::student_t_critical;
use crate::effect::{welch, welch_statistic};
use crate::interval::{Confidence, Interval};
use crate::sample::{Series, mean, variance};
use crate::verdict::Direction;

/// Where one side stands among the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// Position of the side as given, counted from 0.
    pub side: usize,
    /// Geometric mean of its runs.
    pub centre: f64,
    /// Interval for it that holds for all sides at once; `None` for a single run.
    pub interval: Option<Interval>,
    /// Best rank the data leave open: 1 + the number of sides that are proved better.
    pub best_rank: usize,
    /// Worst rank the data leave open: the number of sides − those proved worse.
    pub worst_rank: usize,
}

/// Ranks sides by their run summaries, best first.
///
/// Every pair is compared by Welch's interval on logarithms at a confidence raised after Šidák (1967) for all pairs
/// together, so that the chance of any false "better" is at most 1 − `confidence`; intervals of the sides themselves
/// are raised for all sides alike. Ranks are those the proved pairs leave open (Mogstad, Romano, Shaikh & Wilhelm 2024,
/// Review of Economic Studies 91). A side of one run proves nothing and has every rank.
///
/// ```
/// use benchhost_stats::{Confidence, Direction, Series, rank};
///
/// let side = |centre: f64| Series::new(vec![centre * 0.99, centre, centre * 1.01, centre * 1.005]);
/// let sides = [side(100.0)?, side(50.0)?, side(101.0)?];
/// let order = rank(&sides, Direction::LowerIsBetter, Confidence::P95)?;
/// let ranks: Vec<_> = order.iter().map(|p| (p.side, p.best_rank, p.worst_rank)).collect();
/// assert_eq!(ranks, [(1, 1, 1), (0, 2, 3), (2, 2, 3)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn rank(
    sides: &[Series],
    direction: Direction,
    confidence: Confidence,
) -> Result<Vec<Placed>, CompareError> {
    let logs: Vec<Vec<f64>> = sides
        .iter()
        .map(|side| side.values().iter().map(|&value| (value > 0.0).then(|| value.ln())).collect())
        .collect::<Option<_>>()
        .ok_or(CompareError::NotPositive)?;
    let count = sides.len();
    let of_pairs = confidence.shared_by(count * count.saturating_sub(1) / 2);
    let of_sides = confidence.shared_by(count);
    // Positive if the left one has the larger values, beyond chance.
    let proved = |left: &[f64], right: &[f64]| match welch(left, right, of_pairs).interval {
        Ok(interval) if interval.high < 0.0 => 1,
        Ok(interval) if interval.low > 0.0 => -1,
        _ => 0,
    };
    let better_sign = match direction {
        Direction::HigherIsBetter => 1,
        Direction::LowerIsBetter => -1,
    };
    let placed = |side: usize| {
        let others = || (0..count).filter(move |&other| other != side);
        let better = others().filter(|&other| proved(&logs[other], &logs[side]) == better_sign).count();
        let worse = others().filter(|&other| proved(&logs[other], &logs[side]) == -better_sign).count();
        Placed {
            side,
            centre: mean(&logs[side]).exp(),
            interval: around(&logs[side], of_sides, confidence),
            best_rank: 1 + better,
            worst_rank: count - worse,
        }
    };
    let mut order: Vec<Placed> = (0..count).map(placed).collect();
    order.sort_by(|left, right| match direction {
        Direction::LowerIsBetter => left.centre.total_cmp(&right.centre),
        Direction::HigherIsBetter => right.centre.total_cmp(&left.centre),
    });
    Ok(order)
}

/// Student's interval on logarithms at the `raised` confidence, labelled with the one that holds for all together.
fn around(logs: &[f64], raised: Confidence, confidence: Confidence) -> Option<Interval> {
    if logs.len() < 2 {
        return None;
    }
    let count = logs.len() as f64;
    let half = student_t_critical(raised, count - 1.0) * (variance(logs) / count).sqrt();
    let centre = mean(logs);
    Some(Interval { low: (centre - half).exp(), high: (centre + half).exp(), confidence })
}

/// Two-sided p-value of Welch's t-test for the difference of two means; `None` for fewer than two values on a side.
///
/// ```
/// use benchhost_stats::welch_p;
///
/// assert!(welch_p(&[1.0, 2.0, 3.0], &[11.0, 12.0, 13.0]).unwrap() < 0.001);
/// assert_eq!(welch_p(&[1.0], &[2.0, 3.0]), None);
/// ```
pub fn welch_p(base: &[f64], candidate: &[f64]) -> Option<f64> {
    if base.len().min(candidate.len()) < 2 {
        return None;
    }
    let (t, degrees) = welch_statistic(base, candidate);
    Some(crate::distribution::student_t_p(t, degrees))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(values: &[f64]) -> Series {
        Series::new(values.to_vec()).unwrap()
    }

    #[test]
    fn one_run_proves_nothing_and_zero_has_no_logarithm() {
        let sides = [side(&[1.0]), side(&[100.0, 101.0, 99.0]), side(&[200.0, 201.0, 199.0])];
        let order = rank(&sides, Direction::HigherIsBetter, Confidence::P95).unwrap();
        assert_eq!(order.iter().map(|placed| placed.side).collect::<Vec<_>>(), [2, 1, 0]);
        assert_eq!((order[2].best_rank, order[2].worst_rank, order[2].interval), (1, 3, None));
        assert_eq!((order[0].best_rank, order[0].worst_rank), (1, 2));
        assert_eq!(
            rank(&[side(&[0.0, 1.0])], Direction::HigherIsBetter, Confidence::P95),
            Err(CompareError::NotPositive)
        );
        assert!(rank(&[], Direction::HigherIsBetter, Confidence::P95).unwrap().is_empty());
    }

    #[test]
    fn intervals_widen_with_the_number_of_sides() {
        let one = side(&[98.0, 100.0, 103.0, 99.0, 101.0]);
        let width = |count: usize| {
            let order = rank(&vec![one.clone(); count], Direction::LowerIsBetter, Confidence::P95).unwrap();
            order[0].interval.unwrap().half_width()
        };
        assert!(width(1) < width(2) && width(2) < width(20));
        let order = rank(&vec![one.clone(); 20], Direction::LowerIsBetter, Confidence::P95).unwrap();
        assert!(order.iter().all(|placed| (placed.best_rank, placed.worst_rank) == (1, 20)));
    }
}
