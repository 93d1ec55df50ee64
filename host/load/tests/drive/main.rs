//! What a load does with its jobs, against servers that decide what each request sees.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test a panic is the report")]

mod batch;
mod closed;
mod open;
mod phases;
mod property;
mod server;
mod sessions;
mod stopping;
