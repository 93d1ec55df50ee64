//! Which plugin it is: what the manifest of a run keeps so that a result can be traced to its code.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The two worlds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PluginKind {
    /// Adapts one engine.
    Engine,
    /// Makes items.
    Workload,
}

impl fmt::Display for PluginKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Engine => "engine",
            Self::Workload => "workload",
        })
    }
}

/// A loaded plugin, for the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginIdentity {
    /// The name it gives itself.
    pub name: String,
    /// The version it gives itself.
    pub version: String,
    /// SHA-256 of the component's bytes, in hexadecimal.
    pub digest_sha256: String,
    /// The path, `embedded`, or `memory`.
    pub origin: String,
    /// The interfaces it imports.
    pub imports: Vec<String>,
    /// The exported interface that makes it a plugin, with its version.
    pub world: String,
    /// Size of the component in bytes.
    pub size: u64,
}

/// SHA-256 in hexadecimal.
pub(crate) fn digest(bytes: &[u8]) -> String {
    use fmt::Write as _;
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
