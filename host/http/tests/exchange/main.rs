//! What one exchange reports, against servers that are scripted byte by byte.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test a panic is the report")]

mod broken;
mod fetching;
mod framing;
mod leaving;
mod limits;
mod reuse;
mod server;
mod stamping;
mod streams;
mod tls;
