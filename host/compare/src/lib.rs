//! Comparison with a verdict: which results may be set side by side, what differs between them, and whether it matters.
//! Knows the nouns, the statistics and the analysis; opens no files and prints nothing.
//!
//! A [`Gatherer`] takes the rows of a result one by one and makes a [`Sheet`]: groups of replicates, each a distinct run and
//! repeat. [`compare`] holds two of them against each other and returns a [`Decision`]; [`ranking`] orders several,
//! [`history`] looks for changes in a series. The words, the defaults and the limits are in `COMPARE.md`.
//!
//! ```
//! use benchhost_compare::{Gatherer, Settings, Side, compare};
//! use benchhost_model::{Nanos, Outcome, Record};
//!
//! let sheet = |tpot_ms: f64| {
//!     let mut gatherer = Gatherer::new(Default::default(), Vec::new());
//!     for repeat in 1..=5 {
//!         for i in 0..40_u64 {
//!             let at = |ms: f64| Some(Nanos::new(i * 100_000_000 + (ms * 1e6) as u64));
//!             let noise = (i * 7919 % 13 + u64::from(repeat)) as f64 / 1000.0;
//!             gatherer.push(&Record {
//!                 repeat,
//!                 item: i.to_string(),
//!                 outcome: Outcome::Completed,
//!                 output_tokens: Some(11),
//!                 n_first_tokens: Some(1),
//!                 t_send_ns: at(0.0),
//!                 t_first_ns: at(20.0 + noise),
//!                 t_last_ns: at(20.0 + noise + 10.0 * (tpot_ms + noise)),
//!                 ttft_ms: Some(20.0 + noise),
//!                 tpot_ms: Some(tpot_ms + noise),
//!                 ..Record::blank()
//!             });
//!         }
//!     }
//!     gatherer.finish(&mut |_, _| Default::default())
//! };
//! let (base, new) = (sheet(6.0), sheet(6.3));
//! let side = |sheet| Side { sheet, config: base.groups[0].config.clone(), facts: &[] };
//! let decision = compare(&side(&base), &side(&new), &Settings::default())?;
//! assert!(decision.regressed(), "{}", decision.sentence);
//! # Ok::<(), benchhost_compare::Refusal>(())
//! ```

#![forbid(unsafe_code)]

mod comparable;
mod config;
mod decision;
mod detail;
mod gaps;
mod gate;
mod gather;
mod health;
mod history;
mod inside;
mod judge;
mod margins;
mod metric;
mod names;
mod pair;
mod prompts;
mod ranking;
mod refusal;
mod request;
mod row;
mod work;

pub use comparable::{Allowed, Aspect, Differing, Fact, ParseAspectError};
pub use config::{Config, Selection, pick};
pub use decision::{Compared, Decision, Settings, Side, allow_for_workloads, compare};
pub use detail::{Curve, Detail, LatencyDetail};
pub use gather::{Gatherer, Group, Run, Sheet};
pub use history::{ALPHA, FEWEST, History, Shift, history};
pub use margins::{MarginWish, Margins, ParseMarginError};
pub use metric::Limit;
pub use prompts::{Prompt, Prompts};
pub use ranking::{Place, Ranking, not_judged, ranking};
pub use refusal::Refusal;
pub use row::{Change, Row, Scale, Word};
