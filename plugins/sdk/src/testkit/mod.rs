//! For the tests of plugins: a host in memory, and the replay of recorded answers. Never part of a component.

mod counting;
pub mod engine;
mod fake_host;
mod fixture;
pub mod workload;

pub use counting::Counting;
pub use fake_host::FakeHost;
pub use fixture::replay;

use crate::{OptionSpec, Setting};

/// The declared defaults with these values in place of some.
///
/// # Panics
/// When a name is not declared: a test that sets an option nobody reads tests nothing.
fn in_force(options: Vec<OptionSpec>, changed: &[(&str, &str)]) -> Vec<Setting> {
    for (name, _) in changed {
        assert!(options.iter().any(|o| o.name == *name), "option `{name}` is not declared");
    }
    let value = |name: &str| changed.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
    options
        .into_iter()
        .map(|o| Setting { value: value(&o.name).unwrap_or(o.default_value), name: o.name })
        .collect()
}
