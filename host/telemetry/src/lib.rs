//! What the machine did while the load ran: GPU samples, engine gauges, host facts and this process's own use of the CPU.
//!
//! It must not know of requests, plugins, files of results or the command line: it hands out values, takes its
//! library path and its root folders as arguments, and reads no environment variable.

pub mod gauges;
pub mod gpu;
pub mod host;
pub mod process;

mod cgroup;
mod counters;
mod cpu;
mod pressure;
mod procfile;
