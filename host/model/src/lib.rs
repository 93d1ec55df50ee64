//! The nouns of benchhost, one type for each arrow of the data flow:
//!
//! ```text
//! Item ─► WireRequest ─► Timeline ─► Meaning ─► Record ─► SummaryRow
//! ```
//!
//! Everything here is plain data with its rules. This crate knows serde and nothing else: no clock, no socket, no file,
//! no WebAssembly, no statistics.

#![forbid(unsafe_code)]

mod describe;
mod distribution;
mod facts;
mod families;
mod findings;
mod item;
mod load_point;
mod meaning;
mod outcome;
mod probe;
mod prompt;
mod record;
mod request;
mod summary;
mod timeline;
mod units;
mod verdict;

pub use describe::{
    EngineInfo, OptionKind, OptionSpec, RouteInfo, ScoreSpec, Setting, Slot, SlotFormat, WorkloadInfo,
};
pub use distribution::{Adjusted, Distribution};
pub use facts::{ClockFacts, IoThreadFacts, MachineFacts, PointFacts, PointKey, QuantilesNs, SelfCheckFacts};
pub use families::{WorkloadFamily, workload_families};
pub use findings::{Advice, Choice, CurveShape, Findings, GainStep, Goal, Parted, Parting, Reached, Study};
pub use item::{Answer, Item, Score, Turn, TurnInput};
pub use load_point::{LoadPoint, ParseLoadPointError};
pub use meaning::{Closing, Ending, Event, Finish, Meaning, ServerError, Usage};
pub use outcome::{Failure, Outcome, ParseOutcomeError};
pub use probe::{ModelInfo, ProbeAnswer, ProbeKind, ProbeRequest};
pub use prompt::{BuildInput, Message, ParseRouteError, Prompt, Refusal, Route, Sampling};
pub use record::{Phase, Record, Target, TokensSource};
pub use request::{EndRule, Framing, WireRequest};
pub use summary::{
    Arrivals, LawCheck, ObjectiveCounts, OutcomeCounts, Rates, SummaryRow, TurnFigures, WindowKind,
};
pub use timeline::{ReadMark, StampSource, Timeline, TransportFailure};
pub use units::{NS_PER_MS, Nanos};
pub use verdict::{BoundTerm, HarnessBound, HarnessError, Reason, Steadiness, SteadyState, Verdict};
