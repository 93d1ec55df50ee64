//! A ground-truth server that speaks every engine's dialect.
//!
//! It answers like the real servers do, on their paths and with their framing, but text, delays and failures come from a
//! seed. A client that measures it can be checked against the times at which each event was handed to the socket
//! ([`SimulatorConfig::stamp_writes`]) and against the faults it was told to make ([`FaultPlan`]).
//!
//! Token counts equal the tokens that are written: no invisible end-of-sequence token is added, though several real engines
//! count one. Reasoning tokens are counted with the others.

mod answer;
mod clock;
mod config;
mod counters;
mod delay;
mod dialect;
mod engine;
mod fault;
mod server;
pub mod tokens;

pub use clock::monotonic_ns;
pub use config::{Dialect, SimulatorConfig};
pub use delay::Delay;
pub use engine::Load;
pub use fault::{Fault, FaultPlan, FaultRule, When};
pub use server::{Simulator, SimulatorHandle, serve_blocking, spawn_thread};
