//! One file a command: glue between arguments, the crates below and the printer; no logic of its own.

pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod export;
mod gates;
pub(crate) mod plan;
pub(crate) mod plugin;
pub(crate) mod recover;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod selfcheck;
pub(crate) mod serve;
pub(crate) mod simulate;
