//! A ground-truth server that speaks every engine's dialect.
//!
//! It answers like the real servers do, on their paths and with their framing, but text, delays and failures come from a
//! seed. A client that measures it can be checked against the times at which each event was handed to the socket
//! ([`SimulatorConfig::stamp_writes`]) and against the faults and stalls it was told to make ([`FaultPlan`], [`Stall`]).
//! `GET /simulator` tells what it knows of itself: events written, how late, at what cost, and when it stood still.
//!
//! Token counts equal the tokens that are written: no invisible end-of-sequence token is added, though several real engines
//! count one. Reasoning tokens are counted with the others.

mod answer;
mod config;
mod counters;
mod delay;
mod dialect;
mod engine;
mod fault;
mod lean;
mod metronome;
mod server;
mod stall;
pub mod tokens;
mod truth;

/// The clock of the stamps: `CLOCK_MONOTONIC` in nanoseconds.
pub use benchhost_os::clock::monotonic_ns;
pub use config::{Dialect, SimulatorConfig};
pub use delay::Delay;
pub use engine::Load;
pub use fault::{Fault, FaultPlan, FaultRule, When};
pub use server::{Simulator, SimulatorHandle, serve_blocking, spawn_thread};
pub use stall::{Stall, StallAt};
