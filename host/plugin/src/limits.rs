//! What a plugin may use. Only numbers and their reasons; `meter` counts and `cell` enforces.

use std::time::Duration;

/// Limits on every plugin of a host.
///
/// Times are the plugin's own: what a host call takes is not counted. They are far above what a call needs (a request is
/// built in microseconds), because the machine that generates load may leave a worker without a processor for a while,
/// and a limit that strikes then would spoil a measurement. They end loops, they do not police speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest component file, in bytes. An interpreter with its standard library is about 20 MB.
    pub component_bytes: u64,
    /// Linear memory of one instance, all its memories together, in bytes.
    pub memory_bytes: usize,
    /// Table elements of one instance. A Python component needs about 20 000.
    pub table_elements: usize,
    /// Starting an instance.
    pub instantiate: Duration,
    /// `describe`.
    pub describe: Duration,
    /// `open` of a workload: it may parse a whole data set.
    pub open: Duration,
    /// `item` of a workload.
    pub item: Duration,
    /// `score` of a workload.
    pub score: Duration,
    /// `build`.
    pub build: Duration,
    /// `decoder.start`, `decoder.finish`, and `decoder.feed` for each batch.
    pub decode: Duration,
    /// `probe`, `read-probe`, `gauges`.
    pub probe: Duration,
    /// Bytes a plugin may hand over in one answer or one argument; above the 16 MiB of a request body, so that a body
    /// over its cap is named as such.
    pub answer_bytes: usize,
    /// Calls into the host during one call of the plugin. A data set of 100 000 records is read in one `open`.
    pub host_calls: u32,
    /// Bytes that go between plugin and host by such calls during one call of the plugin.
    pub host_bytes: u64,
    /// Log lines that are passed on during one call; later ones are dropped.
    pub log_lines: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            component_bytes: 64 << 20,
            memory_bytes: 64 << 20,
            table_elements: 100_000,
            instantiate: Duration::from_secs(2),
            describe: Duration::from_secs(2),
            open: Duration::from_secs(30),
            item: Duration::from_secs(5),
            score: Duration::from_secs(5),
            build: Duration::from_secs(1),
            decode: Duration::from_secs(1),
            probe: Duration::from_secs(1),
            answer_bytes: 32 << 20,
            host_calls: 1 << 20,
            host_bytes: 1 << 30,
            log_lines: 64,
        }
    }
}
