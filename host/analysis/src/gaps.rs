//! Gaps between output events, pooled over requests: exact up to some millions, in histograms of a stated resolution
//! beyond. Knows spans of time and token counts.

use benchhost_model::{Distribution, NS_PER_MS};
use benchhost_stats::{Confidence, Quantile, Refused, Sample, WeightedSample};
use hdrhistogram::Histogram;

use crate::distribution::{of_sample, with_percentiles};

/// Significant digits of the histograms.
const DIGITS: u8 = 3;
/// What those digits are worth.
const RESOLUTION: f64 = 0.001;
/// Longest gap that a histogram tells from longer ones: one day.
const LONGEST_NS: u64 = 86_400_000_000_000;

/// The gaps of one load point.
#[derive(Debug)]
pub(crate) struct GapPool {
    /// Exact gaps and the tokens each brought; 0: not known. Empty once the pool has spilled.
    gaps: Vec<(u64, u32)>,
    spilled: Option<Box<Spilled>>,
    chunk: Moments,
    token: Moments,
    /// Gaps left out because the time of an event at their ends is not known.
    left_out: u64,
}

/// Histograms of nanoseconds.
#[derive(Debug)]
struct Spilled {
    chunk: Histogram<u64>,
    token: Histogram<u64>,
}

/// Sums for mean and standard deviation, weighted; in f64, exact enough for a mean over millions.
#[derive(Debug, Clone, Copy)]
struct Moments {
    observations: u64,
    weight: f64,
    mean: f64,
    squares: f64,
    min: f64,
    max: f64,
}

impl Moments {
    const NONE: Self = Self {
        observations: 0,
        weight: 0.0,
        mean: 0.0,
        squares: 0.0,
        min: f64::INFINITY,
        max: f64::NEG_INFINITY,
    };

    /// West's update (1979, Communications of the ACM 22).
    fn add(&mut self, value: f64, weight: f64) {
        self.observations += 1;
        self.weight += weight;
        let change = value - self.mean;
        self.mean += change * weight / self.weight;
        self.squares += weight * change * (value - self.mean);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// Count, mean, spread and ends in ms.
    fn distribution(&self, n: u64) -> Distribution {
        let some = |value: f64| (self.observations > 0).then_some(value);
        Distribution {
            n,
            mean: some(self.mean),
            sd: (self.weight > 1.0).then(|| (self.squares / (self.weight - 1.0)).sqrt()),
            min: some(self.min),
            max: some(self.max),
            ..Distribution::default()
        }
    }
}

impl Default for GapPool {
    fn default() -> Self {
        Self { gaps: Vec::new(), spilled: None, chunk: Moments::NONE, token: Moments::NONE, left_out: 0 }
    }
}

impl GapPool {
    /// Takes a gap and the tokens that came at its end, where they are known.
    pub(crate) fn add(&mut self, ns: u64, tokens: Option<u32>) {
        let tokens = tokens.unwrap_or(0);
        self.chunk.add(ns as f64 / NS_PER_MS, 1.0);
        if tokens > 0 {
            self.token.add(ns as f64 / NS_PER_MS / f64::from(tokens), f64::from(tokens));
        }
        match &mut self.spilled {
            Some(spilled) => spilled.add(ns, tokens),
            None => self.gaps.push((ns, tokens)),
        }
    }

    /// Counts gaps that cannot be used.
    pub(crate) fn leave_out(&mut self, gaps: u64) {
        self.left_out += gaps;
    }

    /// Gaps kept one by one.
    pub(crate) fn exact(&self) -> usize {
        self.gaps.len()
    }

    /// Turns to histograms; what is there and what comes is then known to their resolution. Nothing changes where a
    /// histogram cannot be made.
    pub(crate) fn spill(&mut self) {
        if self.spilled.is_some() {
            return;
        }
        let made = || Histogram::<u64>::new_with_bounds(1, LONGEST_NS, DIGITS);
        let (Ok(chunk), Ok(token)) = (made(), made()) else { return };
        let mut spilled = Box::new(Spilled { chunk, token });
        for (ns, tokens) in std::mem::take(&mut self.gaps) {
            spilled.add(ns, tokens);
        }
        self.spilled = Some(spilled);
    }

    /// Gaps between output events, one value a gap.
    pub(crate) fn icl(&self) -> Distribution {
        let moments = self.chunk.distribution(self.chunk.observations);
        let exact = || {
            let values = self.gaps.iter().map(|(ns, _)| *ns as f64 / NS_PER_MS).collect();
            Sample::new(values).map_or(moments, |sample| of_sample(&sample))
        };
        let found = self
            .spilled
            .as_ref()
            .map_or_else(exact, |s| from_histogram(&moments, self.chunk.observations, &s.chunk));
        self.told(&found)
    }

    /// Time per token between output events, each gap once for each token it brought. Which percentiles are supported is
    /// decided by the gaps that were seen: token counts are the server's word, so they stay weights.
    pub(crate) fn itl(&self) -> Distribution {
        let exact = || {
            let pairs = self.gaps.iter().filter(|(_, tokens)| *tokens > 0);
            let pairs = pairs.map(|(ns, n)| (*ns as f64 / NS_PER_MS / f64::from(*n), u64::from(*n)));
            WeightedSample::new(pairs.collect()).ok()
        };
        let found = match &self.spilled {
            Some(spilled) => {
                let moments = self.token.distribution(spilled.token.len());
                from_histogram(&moments, self.token.observations, &spilled.token)
            }
            None => exact().map_or_else(Distribution::default, |sample| {
                let moments =
                    Distribution { mean: Some(sample.mean()), ..self.token.distribution(sample.total()) };
                with_percentiles(&moments, |q| sample.quantile(q))
            }),
        };
        self.told(&found)
    }

    fn told(&self, found: &Distribution) -> Distribution {
        Distribution {
            resolution: self.spilled.as_ref().map(|_| RESOLUTION),
            censored: Some(self.left_out).filter(|n| *n > 0),
            ..*found
        }
    }
}

impl Spilled {
    fn add(&mut self, ns: u64, tokens: u32) {
        self.chunk.saturating_record(ns);
        if tokens > 0 {
            self.token.saturating_record_n(ns / u64::from(tokens), u64::from(tokens));
        }
    }
}

/// Percentiles of a histogram of nanoseconds, refused by the number of gaps behind it.
fn from_histogram(moments: &Distribution, gaps: u64, histogram: &Histogram<u64>) -> Distribution {
    let have = usize::try_from(gaps).unwrap_or(usize::MAX);
    with_percentiles(moments, |q: Quantile| {
        let needed = q.smallest_sample(Confidence::P95);
        if have < needed {
            return Err(Refused { needed, have });
        }
        // The middle of the bucket: its error is half the resolution, to either side.
        Ok(histogram.median_equivalent(histogram.value_at_quantile(q.get())) as f64 / NS_PER_MS)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn itl_counts_a_gap_once_for_each_token_it_brought_and_icl_once() {
        // Six gaps of 10 ms: five with one token, one with five tokens at 2 ms each.
        let mut pool = GapPool::default();
        (0..5).for_each(|_| pool.add(10 * MS, Some(1)));
        pool.add(10 * MS, Some(5));
        let (itl, icl) = (pool.itl(), pool.icl());
        assert_eq!(
            (itl.n, itl.mean, itl.p50, itl.min, itl.max),
            (10, Some(6.0), Some(6.0), Some(2.0), Some(10.0))
        );
        assert_eq!((icl.n, icl.mean, icl.p50, icl.sd), (6, Some(10.0), Some(10.0), Some(0.0)));
        assert_eq!((itl.resolution, itl.censored), (None, None));
    }

    #[test]
    fn gaps_without_token_counts_are_gaps_between_chunks_only() {
        let mut pool = GapPool::default();
        (0..6).for_each(|i| pool.add(i * MS, None));
        pool.leave_out(3);
        assert_eq!((pool.itl().n, pool.itl().mean, pool.icl().n), (0, None, 6));
        assert_eq!((pool.icl().p50, pool.icl().censored), (Some(2.5), Some(3)));
    }

    #[test]
    fn histograms_agree_with_the_exact_values_to_their_resolution() {
        let (mut exact, mut spilled) = (GapPool::default(), GapPool::default());
        for i in 0..20_000_u64 {
            let (ns, tokens) =
                ((i * 7919 % 20_011) * 1000 + 500_000, Some(1 + u32::try_from(i % 3).unwrap()));
            exact.add(ns, tokens);
            spilled.add(ns, tokens);
            if i == 5000 {
                spilled.spill();
            }
        }
        assert_eq!((exact.exact(), spilled.exact()), (20_000, 0));
        assert_eq!((exact.icl().resolution, spilled.icl().resolution), (None, Some(0.001)));
        for (a, b) in [(exact.icl(), spilled.icl()), (exact.itl(), spilled.itl())] {
            assert_eq!(a.n, b.n);
            for (x, y) in [
                (a.p1, b.p1),
                (a.p50, b.p50),
                (a.p99, b.p99),
                (a.p999, b.p999),
                (a.mean, b.mean),
                (a.sd, b.sd),
            ] {
                let (x, y) = (x.unwrap(), y.unwrap());
                assert!((x - y).abs() <= 0.002 * x, "{x} {y}");
            }
            assert_eq!((a.min, a.max), (b.min, b.max));
        }
    }

    #[test]
    fn a_claim_of_billions_of_tokens_is_only_a_number() {
        for spill in [false, true] {
            let mut pool = GapPool::default();
            for _ in 0..4 {
                for tokens in [u32::MAX, 1_500_000_000, 1] {
                    pool.add(MS, Some(tokens));
                }
            }
            if spill {
                pool.spill();
            }
            let itl = pool.itl();
            assert_eq!(itl.n, 4 * (u64::from(u32::MAX) + 1_500_000_001));
            // Twelve gaps support a median, whatever number of tokens is claimed for them.
            assert!(itl.p50.is_some_and(|p50| p50 < 1e-5) && itl.p90.is_none());
        }
    }

    #[test]
    fn gaps_of_any_length_are_taken() {
        let mut pool = GapPool::default();
        pool.spill();
        (0..40).for_each(|_| pool.add(u64::MAX, Some(u32::MAX)));
        assert!(pool.icl().p90.is_some_and(f64::is_finite) && pool.icl().max.is_some_and(f64::is_finite));
    }
}
