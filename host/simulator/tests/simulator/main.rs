//! The simulator over real sockets: each dialect's framing, lengths, faults, pages and counters.

mod client;
mod faults;
mod framing;
mod lean;
mod lengths;
mod load;
mod native;
mod pages;
mod refusals;
