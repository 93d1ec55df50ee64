//! Measures the measuring: known truth in, errors of every figure out.
//!
//! A simulated server in another process writes into each event the time at which it handed it to its socket, and into an
//! answer's first event the time at which the request arrived. [`measure`] offers it a load of the plan's own [`Shape`]
//! through the code, threads and connections that a run uses, and compares what was recorded with what is true.
//! [`capacity`] finds the load that this machine measures honestly; [`stall_proof`] lets the server stop now and then, and
//! shows that the latencies of an open loop say so.
//!
//! This crate starts no process and prints nothing. Bodies are read after the load has ended, so nothing but the usual work
//! is done on the threads that are judged.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test a panic is the report")
)]

mod capacity;
mod check;
mod compare;
mod errors;
mod limits;
mod lines;
mod offer;
mod server;
mod shape;
mod stalls;
mod told;

pub use capacity::{Capacity, Ladder, Rung, capacity};
pub use check::{SelfCheck, measure};
pub use errors::{ErrorQuantiles, StampErrors};
pub use limits::Limits;
pub use offer::OfferError;
pub use server::{ServerAccount, ServerError, ServerUnderTruth};
pub use shape::{Offered, Shape};
pub use stalls::{ClientStall, StallProof, StallShape, stall_proof};
