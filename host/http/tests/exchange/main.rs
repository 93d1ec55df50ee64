//! What one exchange reports, against servers that are scripted byte by byte.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test a panic is the report")]

mod broken;
mod fetching;
mod limits;
mod reuse;
mod server;
mod streams;
mod tls;
