//! From recorded rows to figures: windows, steady state, goodput, the harness error and the verdict. Knows the nouns and
//! statistics; no files, no sockets, no printing.
//!
//! A [`Collector`] takes the rows of a run one by one, keeps a hundred and fifty bytes of each, and makes one
//! [`SummaryRow`](benchhost_model::SummaryRow) a load point. What the rows cannot tell — the declared window, what the
//! program and the machine did — comes as [`PointFacts`] before the rows do.
//!
//! ```
//! use benchhost_analysis::{Collector, GpuFigures, Options};
//! use benchhost_model::{Nanos, Outcome, Record};
//!
//! let mut collector = Collector::new(Options::default(), Vec::new());
//! for i in 0..8_u64 {
//!     let at = |ms: u64| Some(Nanos::new((i * 100 + ms) * 1_000_000));
//!     let row = Record { row: i + 1, outcome: Outcome::Completed, t_send_ns: at(0), ..Record::blank() };
//!     collector.push(&Record { t_first_ns: at(20), t_last_ns: at(90), ..row }, None);
//! }
//! let rows = collector.finish(&mut |_, _| GpuFigures::default());
//! assert_eq!(rows[0].ttft.p50, Some(20.0));
//! assert_eq!(rows[0].req_s, Some(8.0 / 0.79));
//! ```

mod arrivals;
mod collector;
mod distribution;
mod findings;
mod flow;
mod gaps;
mod goodput;
mod harness;
mod kept;
mod latencies;
mod laws;
mod metric;
mod objective;
mod point;
mod rates;
mod rules;
mod steady;
mod summary;
mod turns;
mod warnings;
mod window;

pub use benchhost_model::{
    ClockFacts, IoThreadFacts, MachineFacts, PointFacts, PointKey, QuantilesNs, SelfCheckFacts,
};
pub use collector::{Collector, GpuFigures, Options};
pub use findings::{Configuration, findings};
pub use flow::EventTimes;
pub use metric::{Latency, Metric, ParseMetricError};
pub use objective::{Objective, ParseObjectiveError, Standing};
pub use rules::{Evidence, Rule, Unit, judge, rules};
