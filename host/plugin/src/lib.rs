//! WebAssembly components: load, limit, call.
//!
//! The only crate that knows wasmtime. It takes a file, proves that the file is a plugin of this track that asks for
//! nothing but what the contract (`wit/`) offers, and calls it within limits on memory, time and data. What a plugin
//! returns is checked before anybody sees it. A plugin that fails costs one [`CallError`]; its instance is thrown away and
//! the next call gets a fresh one.
//!
//! This crate must not know HTTP, the load generator's clock, or where the run's files are: what a component imports
//! arrives through the traits [`Data`], [`Tokens`] and [`Log`].

mod bindings;
mod call_error;
mod catalog;
mod cell;
mod check;
mod convert;
mod engine_adapter;
mod error;
mod gauges;
mod host;
mod identity;
mod imports;
mod inspect;
mod language;
mod limits;
mod meter;
mod runtime;
mod services;
mod source;
mod text;
mod workload;

#[cfg(test)]
#[path = "lib_tests.rs"]
mod tests;

pub use call_error::CallError;
pub use catalog::{Embedded, embedded};
pub use engine_adapter::{DecodeInput, Decoded, EngineInstance, EnginePlugin};
pub use error::{Cause, PluginError, Problem};
pub use gauges::GAUGES;
pub use host::{HostConfig, Plugin, PluginHost};
pub use identity::{PluginIdentity, PluginKind};
pub use inspect::Inspection;
pub use language::Language;
pub use limits::Limits;
pub use services::{Data, Imports, Log, LogLevel, NoData, NoTokens, Silent, SlotFile, Tokens, TokensBy};
pub use source::PluginSource;
pub use workload::{WorkloadInstance, WorkloadPlugin};
