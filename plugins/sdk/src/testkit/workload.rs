//! Opens a workload in a test as the host would: with every declared option. Must not know any workload.

use crate::{Host, Refusal, Settings, Workload};

/// The declared defaults with these values in place of some.
///
/// # Panics
/// When a name is not declared: a test that sets an option nobody reads tests nothing.
pub fn settings<W: Workload>(changed: &[(&str, &str)]) -> Settings {
    Settings::new(super::in_force(W::describe().options, changed))
}

/// `open` with [`settings`].
pub fn open<W: Workload>(changed: &[(&str, &str)], seed: u64, host: &dyn Host) -> Result<W, Refusal> {
    W::open(&settings::<W>(changed), seed, host)
}

/// Fills a slot of [`super::FakeHost`] as the host does from a file whose format is `lines`: each line a JSON string.
pub fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| serde_json::Value::from(line).to_string()).collect()
}
