//! For plugin authors: `benchhost plugin build`, `new` and `check` as functions.
//!
//! Knows cargo, components and the plugin host. Knows nothing of a run, prints nothing and reads no environment
//! variable: what happens is told through a [`Progress`] callback, what came out is returned as values, and the
//! variables it may look at arrive in a [`Toolbox`].

#![forbid(unsafe_code)]

pub mod build;
pub mod check;
mod machine;
pub mod new;
pub mod replay;

pub use machine::{Call, Finished, Machine, Progress, Toolbox};
