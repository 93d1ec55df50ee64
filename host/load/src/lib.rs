//! Offers load: takes jobs, sends each when it is due or when a slot is free, and hands back a timeline for every one.
//!
//! [`drive`] cannot fail a run. Whatever a server does becomes part of a [`Finished`]; a job that was never sent comes
//! back too. This crate does not know what a request means, how the next turn of a dialogue is made, or where results
//! go.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test a panic is the report")
)]

mod alarm;
mod control;
mod desk;
mod drive;
mod io;
mod job;
mod moments;
mod phases;
mod report;
pub mod schedule;
mod think;
mod workers;

pub use benchhost_os::thread::Priority;
pub use control::{Control, Snapshot};
pub use drive::{Lanes, LoadPlan, drive};
pub use io::{IoPlan, IoThread};
pub use job::{Finished, FollowUp, Job, Pattern, Think};
pub use phases::{DrainLoad, Phases, Span};
pub use report::{Lateness, LoadReport};
pub use schedule::{
    Process, Profile, RampShape, Rate, RateError, Realised, Schedule, WordsError, constant, poisson,
    realised, schedule,
};
