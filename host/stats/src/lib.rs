//! Numbers to numbers: quantiles, intervals, rates and the comparison of two sides.
//!
//! The crate takes slices of numbers and returns numbers. It knows nothing of language models, files, clocks or
//! the other crates of the workspace, so every test of it is arithmetic. Three rules hold throughout:
//!
//! 1. **Types prove the data.** A [`Series`] or a [`Sample`] is non-empty and finite, so the functions behind it
//!    cannot meet a NaN.
//! 2. **A figure the data cannot support is a value.** It comes back as [`Refused`] with the count that is
//!    needed and the count that is there, never as a number.
//! 3. **A run is the unit of evidence.** Values inside one run share its queue, its clocks and its neighbours;
//!    [`compare()`] therefore takes one summary value per run, and [`compare_raw`], which looks inside the runs,
//!    never says more than [`Verdict::Indicative`].
//!
//! ```
//! use benchhost_stats::{Direction, Margin, Rule, Series, Verdict, compare};
//!
//! // The median of one metric in five runs a side.
//! let base = Series::new(vec![12.40, 12.45, 12.38, 12.42, 12.41])?;
//! let candidate = Series::new(vec![12.90, 12.95, 12.86, 12.91, 12.88])?;
//! let rule = Rule::new(Direction::LowerIsBetter, Margin::relative(0.02)?);
//! let result = compare(&base, &candidate, &rule)?;
//! assert_eq!(result.verdict, Verdict::Regressed);
//! assert!(result.p_value.unwrap() < 0.01);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod adjusted;
mod attainment;
mod bootstrap;
mod clustered;
mod compare;
mod correlation;
mod curve;
mod dispersion;
mod distribution;
mod effect;
mod harrell_davis;
mod history;
mod interval;
mod isotonic;
mod multiplicity;
mod occupancy;
mod paired;
mod permutation;
mod proportion;
mod quantile;
mod ranking;
mod rate;
mod requests;
mod resample;
mod sample;
mod search;
mod shift;
mod special;
mod steady;
mod stop;
mod tail;
mod trend;
mod verdict;
mod weighted;

pub use adjusted::{Adjusted, AdjustedSample};
pub use attainment::{Attainment, Decision, Judged};
pub use bootstrap::{Bootstrap, Statistic};
pub use clustered::clustered_mean;
pub use compare::{Basis, CompareError, Comparison, compare, compare_blocks};
pub use correlation::effective_size;
pub use curve::{CurvePoint, Gain, Shape, dents, first_below, first_separation, gains, shape};
pub use dispersion::{index_of_dispersion, variation};
pub use distribution::{normal_critical, student_t_critical, student_t_p};
pub use effect::Effect;
pub use history::{ChangePoint, change_points};
pub use interval::{Confidence, Interval, OutOfRange, mean_interval};
pub use isotonic::{isotonic_falling, isotonic_rising};
pub use multiplicity::{benjamini_hochberg, holm};
pub use occupancy::{in_flight_means, mean_in_flight, peak_in_flight, time_weighted_mean};
pub use paired::{SignedRank, signed_rank};
pub use permutation::{permutation_p, sign_flip_p};
pub use proportion::{Proportion, mcnemar_exact_p, newcombe_difference};
pub use quantile::{Quantile, Refused, needed_more};
pub use ranking::{Placed, rank, welch_p};
pub use rate::{Window, interactive_law, littles_law, relative_gap};
pub use requests::{RunTable, Wanted, compare_raw, compare_tables};
pub use sample::{Sample, SampleError, Series};
pub use search::{ProbeOutcome, RateInterval, RateSearch, Step};
pub use shift::{ShiftPoint, p5_to_p99, shift};
pub use steady::{Mser, mser5};
pub use stop::{StopRule, StopStep, Stopping};
pub use tail::tail_effective_size;
pub use trend::{Backlog, Trend, backlog, trend};
pub use verdict::{Direction, Margin, Rule, Verdict};
pub use weighted::WeightedSample;
