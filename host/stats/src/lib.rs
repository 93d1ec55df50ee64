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

mod bootstrap;
mod compare;
mod correlation;
mod distribution;
mod effect;
mod harrell_davis;
mod interval;
mod multiplicity;
mod permutation;
mod proportion;
mod quantile;
mod rate;
mod sample;
mod special;
mod verdict;
mod weighted;

pub use bootstrap::{Bootstrap, Statistic};
pub use compare::{Basis, CompareError, Comparison, compare, compare_blocks, compare_raw};
pub use correlation::effective_size;
pub use distribution::{normal_critical, student_t_critical};
pub use effect::Effect;
pub use interval::{Confidence, Interval, OutOfRange, mean_interval};
pub use multiplicity::{benjamini_hochberg, holm};
pub use permutation::{permutation_p, sign_flip_p};
pub use proportion::{Proportion, mcnemar_exact_p, newcombe_difference};
pub use quantile::{Quantile, Refused};
pub use rate::{Window, interactive_law, littles_law, relative_gap};
pub use sample::{Sample, SampleError, Series};
pub use verdict::{Direction, Margin, Rule, Verdict};
pub use weighted::WeightedSample;
