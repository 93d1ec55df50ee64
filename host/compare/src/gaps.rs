//! Gaps between output events, counted in classes half a percent wide: enough for a curve, and a run of a hundred million
//! gaps takes no more room than one of a hundred. Percentiles that are judged are the analysis's. Knows events.

use std::collections::BTreeMap;

use benchhost_analysis::EventTimes;

/// Width of a class as the logarithm of its ends' ratio.
const CLASS: f64 = 0.005;

/// Gaps by class.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gaps(BTreeMap<u32, u64>);

impl Gaps {
    /// Takes the gaps of a request whose two ends have times of their own. `any_censored`: some event of it has none.
    pub(crate) fn take(&mut self, events: EventTimes<'_>, any_censored: bool) {
        if any_censored && events.censored.len() != events.at.len() {
            return;
        }
        let known = |index: usize| !events.censored.get(index).copied().unwrap_or(false);
        for (index, gap) in events.at.iter().enumerate().skip(1) {
            if known(index) && known(index - 1) {
                *self.0.entry(class(*gap)).or_default() += 1;
            }
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (class, count) in &other.0 {
            *self.0.entry(*class).or_default() += count;
        }
    }

    /// The distribution function: each class's middle in ms with the share of gaps up to it. Empty without gaps.
    pub(crate) fn curve(&self) -> Vec<(f64, f64)> {
        let total: u64 = self.0.values().sum();
        let mut seen = 0;
        self.0
            .iter()
            .map(|(class, count)| {
                seen += count;
                ((f64::from(*class) * CLASS).exp() / 1e6, seen as f64 / total as f64)
            })
            .collect()
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the logarithm of 64 bits over the class width is below ten thousand"
)]
fn class(gap_ns: u64) -> u32 {
    ((gap_ns.max(1) as f64).ln() / CLASS).round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_rises_to_one_and_leaves_out_what_has_no_time() {
        let mut gaps = Gaps::default();
        let at = [9_000_000, 10_000_000, 10_000_000, 20_000_000, 5_000_000];
        gaps.take(EventTimes { at: &at, tokens: &[], censored: &[] }, false);
        let curve = gaps.curve();
        assert_eq!(curve.len(), 3);
        let shares: Vec<f64> = curve.iter().map(|(_, share)| *share).collect();
        assert_eq!(shares, [0.25, 0.75, 1.0]);
        for ((ms, _), truth) in curve.iter().zip([5.0, 10.0, 20.0]) {
            assert!((ms / truth - 1.0).abs() < 0.003, "{ms}");
        }
        let mut doubtful = Gaps::default();
        let censored = [false, false, true, false, false];
        doubtful.take(EventTimes { at: &at, tokens: &[], censored: &censored }, true);
        assert_eq!(doubtful.curve().len(), 2, "both gaps at the third event are left out");
        doubtful.add(&gaps);
        assert_eq!(doubtful.curve().len(), 3);
        let mut unknown = Gaps::default();
        unknown.take(EventTimes { at: &at, tokens: &[], censored: &[] }, true);
        assert!(unknown.curve().is_empty());
    }
}
