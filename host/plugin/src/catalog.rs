//! The first-party components that are compiled into the program. Knows their names and bytes; loads nothing.

use crate::identity::PluginKind;

/// One component inside the program.
#[derive(Debug, Clone, Copy)]
pub struct Embedded {
    /// Its file name without `.wasm`.
    pub name: &'static str,
    /// Engine adapter or workload, by the folder it was found in.
    pub kind: PluginKind,
    /// The component.
    pub bytes: &'static [u8],
}

static EMBEDDED: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// All of them: engines first, each kind sorted by name. Empty when the program was built before any guest.
pub fn embedded() -> &'static [Embedded] {
    EMBEDDED
}
